"""Reading the queue: which changes there are, why each waits, and what happened to one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select, text

from syncd.services.changes import (
    Event,
    ListedChange,
    events_of,
    get_change,
    label_names,
    listed,
    rows_of,
    worded,
)
from syncd.services.given import LARGEST_ID
from syncd.services.outlook import Outlook, look_ahead
from syncd.services.sentences import why_change, with_seen
from syncd.services.sides import Side, sides
from syncd.store.engine import Database
from syncd.store.outbox import UNSETTLED, outbox


@dataclass(frozen=True, slots=True)
class Sought:
    """Which changes are asked for: of a task, in some states; without states, the unsettled."""

    states: Sequence[str] = ()
    task: int | str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class QueueList:
    """Changes, a sentence for each by its number, and what the brake has to say.

    `sides` are those of the conflicts, where they were asked for.
    """

    changes: tuple[ListedChange, ...]
    why: Mapping[int, str]
    brake: tuple[str, ...]
    sides: Mapping[int, Sequence[Side]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeDetail:
    """One change: why it waits in one sentence, all three sides of its fields, and its trail."""

    change: ListedChange
    why: str
    sides: tuple[Side, ...]
    events: tuple[Event, ...]


def list_changes(db: Database, sought: Sought) -> tuple[ListedChange, ...]:
    """Return the changes that are asked for, the oldest first."""
    with db.read() as tx:
        return find_changes(tx, sought)


def list_queue(db: Database, sought: Sought, *, now: datetime, max_batch: int) -> QueueList:
    """Return the changes that are asked for, and why each waits; of conflicts also since when."""
    with db.read() as tx:
        changes = find_changes(tx, sought)
        ahead = look_ahead(tx, now=now, max_batch=max_batch)
        held = [str(hold) for hold in ahead.plan.holds]
        three = _of_conflicts(tx, changes)
        why = _explained(changes, ahead, three)
        seen = {id: with_seen(said, three.get(id, ())) for id, said in why.items()}
        return QueueList(changes, seen, tuple(held), three)


def show_change(db: Database, id: int, *, now: datetime, max_batch: int) -> ChangeDetail:
    """Return all about one change. Raises ConfigError where there is none of that number."""
    with db.read() as tx:
        change = get_change(tx, id)
        three = _three_sides(tx, [id]).get(id, ())
        ahead = look_ahead(tx, now=now, max_batch=max_batch)
        return ChangeDetail(
            change=change,
            why=why_change(change, ahead, three),
            sides=three,
            events=events_of(tx, id),
        )


def explain_changes(
    db: Database, changes: Sequence[ListedChange], *, now: datetime, max_batch: int
) -> QueueList:
    """Say what becomes of changes that were just queued or handled."""
    with db.read() as tx:
        ahead = look_ahead(tx, now=now, max_batch=max_batch)
        held = [str(hold) for hold in ahead.plan.holds]
        return QueueList(tuple(changes), explain(tx, changes, ahead), tuple(held))


def explain(tx: Connection, changes: Sequence[ListedChange], ahead: Outlook) -> dict[int, str]:
    """Return one sentence for each change: why it waits, or what became of it."""
    return _explained(changes, ahead, _of_conflicts(tx, changes))


def _explained(
    changes: Sequence[ListedChange], ahead: Outlook, three: Mapping[int, Sequence[Side]]
) -> dict[int, str]:
    return {change.id: why_change(change, ahead, three.get(change.id, ())) for change in changes}


def _of_conflicts(tx: Connection, changes: Sequence[ListedChange]) -> dict[int, tuple[Side, ...]]:
    return _three_sides(tx, [change.id for change in changes if change.state == "conflict"])


def find_changes(tx: Connection, sought: Sought) -> tuple[ListedChange, ...]:
    """Return the changes that are asked for, the oldest first."""
    query = select(outbox).order_by(outbox.c.id)
    if sought.states:
        query = query.where(outbox.c.state.in_(sought.states))
    elif not sought.settled:
        query = query.where(text(UNSETTLED))
    if sought.task is not None:
        query = query.where(_of_task(sought.task))
    return listed(tx, tx.execute(query).all())


def _of_task(named: int | str) -> ColumnElement[bool]:
    """The changes of a task; by its ref also those that it got since it has its number."""
    if isinstance(named, int):
        return outbox.c.task_id == min(named, LARGEST_ID)
    made = select(outbox.c.task_id).where(outbox.c.ref == named, outbox.c.operation == "create")
    return or_(outbox.c.ref == named, outbox.c.task_id.in_(made))


def _three_sides(tx: Connection, ids: Collection[int]) -> dict[int, tuple[Side, ...]]:
    if not ids:
        return {}
    labels = label_names(tx)
    return {
        id: tuple(side.mapped(lambda value: worded(value, labels)) for side in each)
        for id, each in sides(tx, rows_of(tx, ids)).items()
    }
