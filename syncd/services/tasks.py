"""The tasks of the mirror, filtered, in the order of the tree. Reads the database alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select

from syncd.errors import ConfigError
from syncd.resources.members import canonical_email, members
from syncd.resources.projects import projects
from syncd.resources.tags import tags
from syncd.resources.tasks.table import task_tags, tasks
from syncd.store.engine import Database
from syncd.store.mirror import batches
from syncd.store.runs import last_run

Status = Literal["active", "done", "all"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks are asked for. `today` is the account's day, by which a task is overdue."""

    today: date
    project: str | None = None
    status: Status = "active"
    assignee: str | None = None
    overdue: bool = False
    search: str | None = None
    removed: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A task as a list shows it."""

    id: int
    project_id: int
    project: str | None
    parent_id: int | None
    level: int
    name: str
    status: str
    priority: int
    assignee_email: str | None
    assignee: str | None
    date_start: date | None
    date_end: date | None
    date_closed: datetime | None
    max_time: Decimal | None
    max_money: Decimal | None
    tags: tuple[str, ...]
    url: str
    overdue: bool
    suspect: bool
    removed_at: datetime | None
    removed_reason: str | None


@dataclass(frozen=True, slots=True)
class TaskList:
    """The tasks that were found, the first of them if there is a limit, and as of when."""

    as_of: datetime | None
    total: int
    tasks: tuple[ListedTask, ...]


def list_tasks(db: Database, wanted: Wanted) -> TaskList:
    """Return the tasks that are wanted. Raises ConfigError for an unknown project or person."""
    with db.read() as tx:
        rows = [row for row in tx.execute(_query(tx, wanted)) if _matches(row, wanted.search)]
        chosen = list(_in_tree_order(rows))[: wanted.limit]
        labels = tag_names(tx, [row.id for row in chosen])
        run = last_run(tx, "pull", "complete", "partial")
        return TaskList(
            as_of=run.observed_at if run is not None else None,
            total=len(rows),
            tasks=tuple(listed(row, labels.get(row.id, ()), wanted.today) for row in chosen),
        )


def task_query() -> Select[Any]:
    """Return the query of tasks with what their project and assignee are called."""
    joined = tasks.outerjoin(projects, projects.c.id == tasks.c.project_id).outerjoin(
        members, members.c.id == tasks.c.assignee_id
    )
    return select(
        tasks,
        projects.c.name.label("project"),
        members.c.email.label("assignee_email"),
        members.c.name.label("assignee"),
    ).select_from(joined)


def _query(tx: Connection, wanted: Wanted) -> Select[Any]:
    gone = tasks.c.removed_at
    query = task_query().where(gone.is_not(None) if wanted.removed else gone.is_(None))
    if wanted.project is not None:
        query = query.where(tasks.c.project_id == find_project(tx, wanted.project))
    if wanted.status != "all":
        query = query.where(tasks.c.status == wanted.status)
    if wanted.assignee is not None:
        query = query.where(_assigned_to(tx, wanted.assignee))
    if wanted.overdue:
        query = query.where(tasks.c.status == "active", tasks.c.date_end < wanted.today)
    return query


def _assigned_to(tx: Connection, who: str) -> ColumnElement[bool]:
    if who == "nobody":
        return or_(tasks.c.assignee_id.is_(None), members.c.kind == "nobody")
    if who == "anyone":
        return members.c.kind == "anyone"
    email = canonical_email(who)
    if tx.execute(select(members.c.id).where(members.c.email == email)).first() is None:
        raise ConfigError(
            f"Nobody in the mirror has the address {who}.",
            hint="Name a member by email, or write anyone or nobody.",
        )
    return members.c.email == email


def find_project(tx: Connection, named: str) -> int:
    """Return the project of that number, name, or unambiguous part of a name."""
    rows = tx.execute(select(projects.c.id, projects.c.name).order_by(projects.c.id)).all()
    if named.isdecimal() and any(row.id == int(named) for row in rows):
        return int(named)
    wanted = named.casefold()
    found = [row for row in rows if row.name.casefold() == wanted]
    found = found or [row for row in rows if wanted in row.name.casefold()]
    if len(found) == 1:
        return int(found[0].id)
    if not found:
        raise ConfigError(f"There is no project {named!r} in the mirror.")
    shown = ", ".join(f"{row.name} ({row.id})" for row in found[:3])
    raise ConfigError(f"{named!r} names several projects: {shown}.", hint="Give the number.")


def _matches(row: Row[Any], search: str | None) -> bool:
    """Tell whether a text is in the name or the description. SQLite folds ASCII letters only."""
    if search is None:
        return True
    wanted = search.casefold()
    return wanted in row.name.casefold() or wanted in (row.text or "").casefold()


def _in_tree_order(rows: Sequence[Row[Any]]) -> Iterator[Row[Any]]:
    """Yield project by project, each task before its subtasks; one without its parent too."""
    known = {row.id for row in rows}
    below: dict[int | None, list[Row[Any]]] = {}
    for row in sorted(rows, key=lambda row: ((row.project or "").casefold(), row.id)):
        below.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)
    waiting = list(reversed(below.get(None, ())))
    while waiting:
        row = waiting.pop()
        yield row
        waiting += reversed(below.get(row.id, ()))


def tag_names(tx: Connection, ids: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
    """Return the names of the tags of each task, sorted."""
    found: dict[int, list[str]] = {}
    for batch in batches(ids):
        query = (
            select(task_tags.c.task_id, tags.c.name)
            .join(tags, tags.c.id == task_tags.c.tag_id)
            .where(task_tags.c.task_id.in_(batch))
        )
        for task_id, name in tx.execute(query):
            found.setdefault(task_id, []).append(name)
    return {id: tuple(sorted(names)) for id, names in found.items()}


def listed(row: Row[Any], labels: tuple[str, ...], today: date) -> ListedTask:
    """Return a row as a list shows it."""
    late = row.status == "active" and row.date_end is not None and row.date_end < today
    plain = {
        name: row._mapping[name]
        for name in ListedTask.__slots__
        if name not in {"tags", "overdue", "suspect"}
    }
    return ListedTask(
        **plain,
        tags=labels,
        overdue=late and row.removed_at is None,
        suspect=row.suspect_at is not None and row.removed_at is None,
    )
