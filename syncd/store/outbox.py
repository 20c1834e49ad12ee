"""The outbox: queued changes, their trail, and who acts. What a change means is not known here.

Everybody may queue through `live_tasks`; only syncd moves a change from state to state. Triggers
refuse impossible moves and write the trail (`syncd.store.live.guards`), whoever writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    exists,
    func,
    select,
    text,
    update,
)

from syncd.model.change import FINAL, Change
from syncd.model.fields import read_fields, write_fields
from syncd.store.engine import Database
from syncd.store.mirror import batches
from syncd.store.schema import metadata, one_of
from syncd.store.state import recall, remember
from syncd.store.types import Document, Id, Instant
from syncd.sync.canonical import canonical_text
from syncd.sync.states import OPERATIONS, STATES, State, may_follow

UNSETTLED = "state NOT IN ('confirmed', 'cancelled')"
"""The partial index's condition. SQLite uses the index only where a query repeats it literally."""
STANDING = "operation = 'create' AND state NOT IN ('failed', 'cancelled')"
"""A creation that holds its ref: repeating it queues nothing."""


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True, comment="number of the change; a lane goes by it"),
    Column("operation", Text, nullable=False, comment="create, update, complete or reopen"),
    Column("task_id", Id, comment="the task, tasks.id; NULL until a creation has one"),
    Column("ref", Text, comment="the writer's name of a creation, and of what depends on it"),
    Column("fields", Document, nullable=False, comment="what is wanted, by column of live_tasks"),
    Column("base", Document, nullable=False, comment="what the mirror held then, same keys"),
    Column("state", Text, nullable=False, comment="where the change stands; see the manual"),
    Column("attempts", Integer, nullable=False, comment="how often it was sent"),
    Column("next_attempt_at", Instant, comment="not before this instant, UTC"),
    Column("error_code", Text, comment="code of the last error, the account's or ours"),
    Column("error", Text, comment="the last error, in words"),
    Column("created_at", Instant, nullable=False, comment="when it was queued, UTC"),
    Column("created_by", Text, nullable=False, comment="who queued it: sql:USER, cli:USER, ..."),
    Column("batch", Text, nullable=False, comment="what was queued together has the same"),
    Column("sent_at", Instant, comment="when it was last sent, UTC"),
    Column("applied_at", Instant, comment="when the account said ok, UTC"),
    Column("confirmed_at", Instant, comment="when a later read showed it, UTC"),
    Column("depends_on", Id, comment="the creation it waits for, outbox.id"),
    one_of("operation", *OPERATIONS),
    one_of("state", *STATES),
    CheckConstraint(
        "CASE operation WHEN 'create' THEN ref IS NOT NULL"
        " ELSE task_id IS NOT NULL OR depends_on IS NOT NULL END",
        name="target",
    ),
    _partial("ix_outbox_unsettled", "task_id", "id", where=UNSETTLED),
    _partial("uq_outbox_ref", "ref", where=STANDING, unique=True),
    # One task is the outcome of one creation: two that adopt the same one are a mistake.
    _partial(
        "uq_outbox_created",
        "task_id",
        where=f"{STANDING} AND task_id IS NOT NULL",
        unique=True,
    ),
    Index("ix_outbox_ref", "ref"),
    _partial("ix_outbox_depends_on", "depends_on", where="depends_on IS NOT NULL"),
    comment="Changes on their way to the account. Queued through live_tasks, moved by syncd alone.",
    sqlite_autoincrement=True,  # a number that was used is never another change's
)

outbox_events = Table(
    "outbox_events",
    metadata,
    Column("id", Id, primary_key=True, comment="number of the event"),
    Column("change_id", Id, nullable=False, comment="the change, outbox.id"),
    Column("at", Instant, nullable=False, comment="when it happened, UTC"),
    Column("from_state", Text, comment="state before; NULL: it was queued"),
    Column("to_state", Text, nullable=False, comment="state after"),
    Column("actor", Text, nullable=False, comment="who did it: sql:USER, cli:USER, daemon, ..."),
    Column("detail", Document, nullable=False, comment="what came with it: attempts, error, ..."),
    Index(None, "change_id"),
    comment="Everything that happened to each change; append-only, written by the database.",
    sqlite_autoincrement=True,
)


@contextmanager
def acting(db: Database, tx: Connection, actor: str) -> Iterator[None]:
    """Name who acts for what this transaction queues and moves inside the block.

    On PostgreSQL only the owner of the tables is believed, so that an editor cannot sign for
    others. SQLite has no session variables; a row stands in for one, and no other connection can
    see it: writers are alone, and it is gone before the commit.
    """
    if db.is_sqlite:
        before = recall(tx, "actor")
        remember(tx, "actor", actor)
        try:
            yield
        finally:  # a caller may go on after a refused statement, and commit
            remember(tx, "actor", before)
    else:
        setting = select(func.set_config("syncd.actor", actor, True))
        before = tx.scalar(select(func.coalesce(func.current_setting("syncd.actor", True), "")))
        tx.execute(setting)
        yield
        tx.execute(select(func.set_config("syncd.actor", before, True)))


def move(tx: Connection, id: int, before: State, after: State, **values: Any) -> bool:
    """Take a change from one state to another; False where it was not in `before` any more.

    Raises ValueError for a transition that cannot be, which is a mistake of ours.
    """
    if not may_follow(before, after):
        raise ValueError(f"a change cannot go from {before} to {after}")
    statement = (
        update(outbox)
        .where(outbox.c.id == id, outbox.c.state == before)
        .values(state=after, **values)
    )
    return bool(tx.execute(statement).rowcount)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A change whose fields mean nothing: somebody wrote the table by hand."""

    id: int
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a push starts from: every change that is not final, and what those name."""

    changes: tuple[Change, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class InFlight:
    """What may be landing right now: edited tasks, and creations by project and title."""

    tasks: frozenset[int] = frozenset()
    creations: frozenset[tuple[int, str]] = frozenset()


def in_flight(tx: Connection) -> InFlight:
    """Return what was sent and not settled. A title may come from an edit that went along."""
    sent = outbox.c.state.in_(["sending", "uncertain"])
    rows = tx.execute(select(outbox).where(text(UNSETTLED), sent).order_by(outbox.c.id)).all()
    projects = {row.id: row.fields.get("project_id") for row in rows if row.operation == "create"}
    titles = {
        (projects.get(row.id, projects.get(row.depends_on)), row.fields.get("name"))
        for row in rows
        if row.task_id is None
    }
    return InFlight(
        frozenset(row.task_id for row in rows if row.task_id is not None),
        frozenset(
            (project_id, canonical_text(name))
            for project_id, name in titles
            if isinstance(project_id, int) and isinstance(name, str)
        ),
    )


def as_change(row: Row[Any]) -> Change:
    """Return a row as the value that decisions are made of. Raises ValueError."""
    return Change(
        id=row.id,
        operation=row.operation,
        created_at=row.created_at,
        task_id=row.task_id,
        ref=row.ref,
        fields=read_fields(row.fields),
        base=read_fields(row.base),
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        depends_on=(row.depends_on,) if row.depends_on is not None else (),
        batch=row.batch,
        created_by=row.created_by,
    )


def load(tx: Connection, ids: Iterable[int]) -> dict[int, Change]:
    """Return changes by their number. Raises ValueError for one that means nothing."""
    return {row.id: as_change(row) for row in _rows(tx, outbox.c.id, ids)}


def load_waiting(tx: Connection) -> Waiting:
    """Return every change that is not final, with the creations and changes that those name."""
    rows = {row.id: row for row in tx.execute(_open())}
    while missing := _named(tx, rows):
        rows |= missing
    changes, unreadable = [], []
    for _, row in sorted(rows.items()):
        try:
            changes.append(as_change(row))
        except ValueError as error:
            unreadable.append(Unreadable(row.id, row.state, str(error)))
    return Waiting(tuple(changes), tuple(unreadable))


def released(tx: Connection, ids: Iterable[int]) -> frozenset[int]:
    """Return those changes that a person has let go after the brake had held them."""
    return _queued_again(tx, ids, after="held")


def decided(tx: Connection, ids: Iterable[int]) -> frozenset[int]:
    """Return those changes whose conflict a person has resolved."""
    return _queued_again(tx, ids, after="conflict")


def confirmed_edits(tx: Connection, task_ids: Iterable[int]) -> Sequence[Change]:
    """Return the updates of these tasks that are in the account, in order."""
    done = (outbox.c.state == "confirmed", outbox.c.operation == "update")
    return [
        as_change(row)
        for batch in batches(sorted(task_ids))
        for row in tx.execute(
            select(outbox).where(outbox.c.task_id.in_(batch), *done).order_by(outbox.c.id)
        )
    ]


def claimed(tx: Connection, task_ids: Iterable[int]) -> frozenset[int]:
    """Return those tasks that are the outcome of one of our creations."""
    return frozenset(
        id
        for batch in batches(sorted(task_ids))
        for id in tx.scalars(
            select(outbox.c.task_id).where(text(STANDING), outbox.c.task_id.in_(batch))
        )
    )


def all_in(tx: Connection, ids: Collection[int], state: State) -> bool:
    """Tell whether all of these changes are in a state; they stay so until the transaction ends."""
    query = select(outbox.c.id).where(outbox.c.id.in_(ids), outbox.c.state == state)
    return len(tx.scalars(query.with_for_update()).all()) == len(ids)


def count_open(tx: Connection) -> dict[str, int]:
    """Count the changes that are not settled, by their state."""
    query = select(outbox.c.state, func.count().label("changes")).where(text(UNSETTLED))
    return {row.state: row.changes for row in tx.execute(query.group_by(outbox.c.state))}


def in_state(tx: Connection, state: State) -> tuple[int, ...]:
    """Return the changes that are in a state, in order."""
    query = select(outbox.c.id).where(text(UNSETTLED), outbox.c.state == state)
    return tuple(tx.scalars(query.order_by(outbox.c.id)))


def task_of(tx: Connection, ref: str, depends_on: Collection[int]) -> int | None:
    """Return the task that a creation has become: the one depended upon, if it has this ref."""
    made = (outbox.c.operation == "create", outbox.c.ref == ref, outbox.c.task_id.is_not(None))
    rows = tx.execute(select(outbox.c.id, outbox.c.task_id).where(*made).order_by(outbox.c.id))
    found = {row.id: row.task_id for row in rows}
    stated = [found[id] for id in depends_on if id in found]
    return next(iter(stated), None) or (list(found.values())[-1] if found else None)


def put_off(tx: Connection, id: int, until: datetime, error: str) -> None:
    """Let a queued change wait; nothing of it went out."""
    statement = update(outbox).where(outbox.c.id == id, outbox.c.state == "queued")
    tx.execute(statement.values(next_attempt_at=until, error=error))


def look_again(tx: Connection, id: int, at: datetime) -> None:
    """Let an uncertain change be looked for at that time or later."""
    statement = update(outbox).where(outbox.c.id == id, outbox.c.state == "uncertain")
    tx.execute(statement.values(next_attempt_at=at))


def rebase(tx: Connection, change: Change) -> None:
    """Write what a waiting change is now based on."""
    statement = update(outbox).where(outbox.c.id == change.id)
    tx.execute(statement.values(base=write_fields(change.base)))


def drop_fields(tx: Connection, change: Change, names: Collection[str]) -> None:
    """Let a waiting change want these fields no more; the trail keeps what it wanted."""
    if not names & change.fields.keys():
        return
    fields, base = (
        {name: value for name, value in each.items() if name not in names}
        for each in (change.fields, change.base)
    )
    values = {"fields": write_fields(fields), "base": write_fields(base)}
    tx.execute(update(outbox).where(outbox.c.id == change.id).values(**values))


@dataclass(frozen=True, slots=True)
class Attempts:
    """When a change was first on its way, and when last."""

    first: datetime
    last: datetime


def attempts_of(tx: Connection, ids: Collection[int]) -> dict[int, Attempts]:
    """Return when each of these changes was on its way, by the trail and by the change itself.

    What was sent before a person said "send it again" counts no more: they have seen those tasks.
    """
    trail, again, sent = outbox_events.c, outbox_events.alias("again").c, outbox.c.sent_at
    decided = exists().where(
        again.change_id == trail.change_id,
        again.from_state == "conflict",
        again.to_state == "queued",
        again.id > trail.id,
    )
    began = (
        select(trail.change_id, func.min(trail.at).label("at"))
        .where(trail.change_id.in_(ids), trail.to_state == "sending", ~decided)
        .group_by(trail.change_id)
        .subquery()
    )
    query = select(outbox.c.id, sent, began.c.at).join(began, began.c.change_id == outbox.c.id)
    rows = tx.execute(query.where(sent.is_not(None)))
    return {row.id: Attempts(min(row.at, row.sent_at), row.sent_at) for row in rows}


def error_codes(tx: Connection, ids: Collection[int]) -> frozenset[str | None]:
    """Return what went wrong last with these changes, by code."""
    return frozenset(tx.scalars(select(outbox.c.error_code).where(outbox.c.id.in_(ids))))


def _queued_again(tx: Connection, ids: Iterable[int], *, after: State) -> frozenset[int]:
    trail = outbox_events.c
    return frozenset(
        id
        for batch in batches(sorted(ids))
        for id in tx.scalars(
            select(trail.change_id)
            .where(trail.change_id.in_(batch), trail.from_state == after)
            .where(trail.to_state == "queued")
        )
    )


def _open() -> Select[Any]:
    """The changes that are not final. The condition's first half is the partial index's."""
    return select(outbox).where(text(UNSETTLED), outbox.c.state.not_in(sorted(FINAL)))


def _named(tx: Connection, rows: dict[int, Row[Any]]) -> dict[int, Row[Any]]:
    """Return the changes that `rows` name and do not hold: by number, or creations by their ref."""
    ids = {row.depends_on for row in rows.values() if row.depends_on is not None} - rows.keys()
    refs = {row.fields.get("parent_ref") for row in rows.values()}
    refs |= {row.ref for row in rows.values() if row.operation != "create"}
    known = {row.ref for row in rows.values() if row.operation == "create"}
    found = [*_rows(tx, outbox.c.id, ids)]
    named = [ref for ref in refs - known if isinstance(ref, str)]
    found += [row for row in _rows(tx, outbox.c.ref, named) if row.operation == "create"]
    return {row.id: row for row in found if row.id not in rows}


def _rows(tx: Connection, column: Column[Any], values: Iterable[Any]) -> Sequence[Row[Any]]:
    return [
        row
        for batch in batches(sorted(values))
        for row in tx.execute(select(outbox).where(column.in_(batch)).order_by(outbox.c.id))
    ]
