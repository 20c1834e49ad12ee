"""Whether the mirror is sound in itself: rules that its tables keep, asked of the database alone.

A suspect task is left out: its project, its parent and its tags may have gone before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, FromClause, Select, and_, exists, func, select

from syncd.model.drift import Flaw
from syncd.resources.projects import projects
from syncd.resources.tags import tags
from syncd.resources.tasks.table import files, task_tags, tasks

EXAMPLES = 5
_parent = tasks.alias("parent")
_LIVE = and_(tasks.c.removed_at.is_(None), tasks.c.suspect_at.is_(None))


def flaws(tx: Connection) -> tuple[Flaw, ...]:
    """Return the rules that rows of the mirror break, with how many do and a few of their tasks."""
    found = (_flaw(tx, rule, broken) for rule, broken in _rules())
    return tuple(flaw for flaw in found if flaw is not None)


def _rules() -> Iterator[tuple[str, Select[Any]]]:
    """Yield every rule, and what selects the ids of the tasks that break it."""
    yield "its parent is not in the mirror", _orphans()
    yield (
        "its parent is in another project",
        _beside_parent(_parent.c.project_id != tasks.c.project_id),
    )
    yield (
        "its level is not one below its parent's",
        _beside_parent(tasks.c.level != _parent.c.level + 1),
    )
    yield (
        "it has a parent and stands at the top, or none and stands below",
        _live().where((tasks.c.level == 1) != tasks.c.parent_id.is_(None)),
    )
    yield "its project is not in the mirror", _live().where(~_stands(projects, tasks.c.project_id))
    yield (
        "it has a tag that is not in the mirror",
        _of_links().where(_LIVE, ~_stands(tags, task_tags.c.tag_id)),
    )
    yield "it is removed and still has tags", _of_links().where(tasks.c.removed_at.is_not(None))
    yield (
        "it is removed and still has files",
        (
            select(tasks.c.id)
            .join(files, files.c.task_id == tasks.c.id)
            .where(tasks.c.removed_at.is_not(None), files.c.removed_at.is_(None))
        ),
    )


def _live() -> Select[Any]:
    return select(tasks.c.id).where(_LIVE)


def _orphans() -> Select[Any]:
    return _live().where(tasks.c.parent_id.is_not(None), ~_stands(_parent, tasks.c.parent_id))


def _beside_parent(broken: Any) -> Select[Any]:
    joined = select(tasks.c.id).join(_parent, _parent.c.id == tasks.c.parent_id)
    return joined.where(
        _LIVE, _parent.c.removed_at.is_(None), _parent.c.suspect_at.is_(None), broken
    )


def _of_links() -> Select[Any]:
    return select(tasks.c.id).join(task_tags, task_tags.c.task_id == tasks.c.id)


def _stands(of: FromClause, id: Any) -> Any:
    """Say that the record of that id is in the mirror and not removed."""
    return exists().where(of.c.id == id, of.c.removed_at.is_(None))


def _flaw(tx: Connection, rule: str, broken: Select[Any]) -> Flaw | None:
    ids = broken.distinct().subquery()
    count = tx.scalar(select(func.count()).select_from(ids)) or 0
    if not count:
        return None
    few = tx.scalars(select(ids.c.id).order_by(ids.c.id).limit(EXAMPLES))
    return Flaw(rule, count, tuple(few))
