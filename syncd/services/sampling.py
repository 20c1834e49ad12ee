"""The tasks that a verification looks at: a few of every sort, drawn at random.

Drawn from a random place in the order of ids, so that a draw costs the same in a mirror of a
million tasks. A task after a gap in the ids is drawn more often; that is no harm to a sample.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from sqlalchemy import ColumnElement, Connection, exists, func, select

from syncd.resources.tasks.table import files, task_history, task_tags, tasks

LATELY = 200
"""So many of the newest past images name the tasks that changed lately."""
STRETCH = 20
"""Tasks read from one random place on: the first that is not drawn yet is taken."""
_LIVE = tasks.c.removed_at.is_(None)


@dataclass(frozen=True, slots=True)
class _Sort:
    """A sort of tasks: a range of ids, and what holds for them."""

    low: int
    high: int
    conditions: tuple[ColumnElement[bool], ...] = ()


def draw(tx: Connection, size: int, rng: Random) -> tuple[int, ...]:
    """Return so many live tasks, or all of them where there are fewer.

    The sorts take turns, in a random order, until the sample is full.
    """
    live = tx.scalar(select(func.count()).where(_LIVE)) or 0
    if 2 * size >= live:
        ids = list(tx.scalars(select(tasks.c.id).where(_LIVE).order_by(tasks.c.id)))
        return tuple(rng.sample(ids, min(size, live)))
    chosen: dict[int, None] = {}
    sorts = _sorts(tx)
    while sorts:
        for sort in rng.sample(sorts, len(sorts)):
            if len(chosen) >= size:
                return tuple(chosen)
            id = _one(tx, sort, rng, taken=chosen.keys())
            if id is None:
                sorts.remove(sort)
            else:
                chosen[id] = None
    return tuple(chosen)


def _sorts(tx: Connection) -> list[_Sort]:
    """Return the sorts: any task, new, old, done, subtask, changed lately, tagged, with files."""
    low, high = tx.execute(select(func.min(tasks.c.id), func.max(tasks.c.id)).where(_LIVE)).one()
    span = high - low
    tagged = exists().where(task_tags.c.task_id == tasks.c.id)
    attached = exists().where(files.c.task_id == tasks.c.id, files.c.removed_at.is_(None))
    conditions = (
        tasks.c.status == "done",
        tasks.c.level > 1,
        tasks.c.id.in_(_changed_lately(tx)),
        tasks.c.suspect_at.is_not(None),
        tagged,
        attached,
    )
    ranges = [_Sort(low, high), _Sort(high - span // 20, high), _Sort(low, low + span // 2)]
    return ranges + [_Sort(low, high, (condition,)) for condition in conditions]


def _changed_lately(tx: Connection) -> list[int]:
    past = task_history.c
    return list(tx.scalars(select(past.task_id).order_by(past.valid_to.desc()).limit(LATELY)))


def _one(tx: Connection, sort: _Sort, rng: Random, *, taken: Collection[int]) -> int | None:
    """Return a task of a sort from a random place on, else from the beginning of its range."""
    for place in (rng.randint(sort.low, sort.high), sort.low):
        query = select(tasks.c.id).where(_LIVE, tasks.c.id.between(place, sort.high))
        found = tx.scalars(query.where(*sort.conditions).order_by(tasks.c.id).limit(STRETCH))
        fresh = next((id for id in found if id not in taken), None)
        if fresh is not None:
            return int(fresh)
    return None
