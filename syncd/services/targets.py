"""The tasks that a command names, by the account's number or by the ref of a creation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, select

from syncd.resources.tasks.table import tasks
from syncd.services.given import LARGEST_ID
from syncd.services.refusal import ChangeRefused
from syncd.store.live import live_tasks
from syncd.store.mirror import batches

Named = int | str


@dataclass(frozen=True, slots=True)
class Target:
    """A task that `live_tasks` shows: `id` is None while its creation is pending."""

    id: int | None
    ref: str | None
    status: str
    tags: str | None


def read_name(named: Named) -> Named:
    """Return how a task is named: digits are a number, anything else is a ref."""
    if isinstance(named, str) and named.isascii() and named.isdecimal():
        return int(named)
    return named


def find_targets(tx: Connection, all_named: Sequence[Named]) -> list[Target]:
    """Return the tasks that are named, each once.

    Raises ChangeRefused for one that is not there: an UPDATE of no row would say nothing.
    """
    names = list(dict.fromkeys(read_name(named) for named in all_named))
    known: dict[Named, Target] = {}
    for condition in _conditions(names):
        for row in tx.execute(select(live_tasks).where(condition)):
            target = Target(row.id, row.ref, row.status, row.tags)
            known |= {name: target for name in (row.id, row.ref) if name is not None}
    for named in names:
        if named not in known:
            raise _not_there(tx, named)
    return list(dict.fromkeys(known[named] for named in names))


def conditions(targets: Sequence[Target]) -> Iterator[ColumnElement[bool]]:
    """Return the conditions of the statements that reach all of these tasks."""
    return _conditions([one.id if one.id is not None else one.ref or "" for one in targets])


def _conditions(names: Sequence[Named]) -> Iterator[ColumnElement[bool]]:
    columns = live_tasks.c
    ids = [name for name in names if isinstance(name, int) and name <= LARGEST_ID]
    for batch in batches(ids):
        yield columns.id.in_(batch)
    for batch in batches(name for name in names if isinstance(name, str)):
        yield columns.ref.in_(batch)


def _not_there(tx: Connection, named: Named) -> ChangeRefused:
    if isinstance(named, str):
        return ChangeRefused(
            f"There is no task with the ref {named!r}.", hint="See: syncd queue list --all"
        )
    row: Row[tuple[str]] | None = None
    if named <= LARGEST_ID:
        row = tx.execute(select(tasks.c.removed_reason).where(tasks.c.id == named)).first()
    if row is None:
        return ChangeRefused(
            f"There is no task {named} in the mirror.", hint="Find it with: syncd task list"
        )
    return ChangeRefused(
        f"Task {named} is gone from the account ({row.removed_reason}), and cannot be edited.",
        hint=f"See: syncd task show {named}",
    )
