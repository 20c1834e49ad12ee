"""A person's hand on the queue: who handles changes, what they move, what the audit log is told.

Used by the commands, and by a push for what was chosen by SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from syncd.model.change import ChangeState
from syncd.services.changes import ListedChange, listed, no_change, rows_of
from syncd.services.refusal import ChangeRefused
from syncd.services.sides import Side
from syncd.store import audit
from syncd.store.mirror import batches
from syncd.store.outbox import move, outbox

CANCELLABLE: Final[tuple[ChangeState, ...]] = ("queued", "held", "conflict", "failed")


@dataclass(frozen=True, slots=True)
class Handled:
    """What was done: the changes as they are now, those that went along, those that were left.

    `decided` are the fields of a conflict, as they stood before it was resolved.
    """

    changes: tuple[ListedChange, ...]
    along: tuple[int, ...] = ()
    left: tuple[ListedChange, ...] = ()
    decided: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True)
class Hand:
    """Who handles, when, in which transaction, and what the audit log is to tell of it.

    The trail tells every move, and is chained into the audit log; noted is what it has no words
    for.
    """

    tx: Connection
    actor: str
    at: datetime
    events: list[audit.Event] = field(default_factory=list)

    def take(self, row: Row[Any], after: ChangeState, **values: Any) -> None:
        """Move a change that is locked, or refuse everything where it has moved meanwhile."""
        if not move(self.tx, row.id, row.state, after, **values):
            raise ChangeRefused(
                f"Change {row.id} has just moved on.", hint=f"See: syncd why {row.id}"
            )

    def note(self, event: str, row: Row[Any], **detail: Any) -> None:
        """Tell the audit log of a change what its trail cannot tell."""
        told = {"from": row.state, "task_id": row.task_id} | detail
        self.events.append(audit.Event(event, "change", row.id, told))

    def handled(
        self, rows: Sequence[Row[Any]], *, along: Iterable[int] = (), left: Sequence[Row[Any]] = ()
    ) -> Handled:
        """Write the audit log, last because it holds the chain, and return what was done."""
        audit.append(self.tx, self.events, at=self.at, actor=self.actor, run_id=None)
        now = rows_of(self.tx, (row.id for row in rows))
        return Handled(listed(self.tx, now), tuple(along), listed(self.tx, left))


def named(tx: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    """Return the rows of changes, locked. Raises ConfigError for a number that none has."""
    rows = rows_of(tx, ids, lock=True)
    for id in ids:
        if all(row.id != id for row in rows):
            raise no_change(id)
    return rows


def cancel_rows(hand: Hand, rows: Sequence[Row[Any]]) -> tuple[int, ...]:
    """Cancel changes, and what depends on their creations; return the latter's numbers."""
    below = _below(hand.tx, {row.id for row in rows if row.operation == "create"})
    ids = {row.id for row in rows}
    along = [row for row in below if row.id not in ids]
    for row in rows:
        hand.take(row, "cancelled")
    for row in along:
        hand.take(row, "cancelled")
        hand.note("change.followed", row, because="its creation was cancelled")
    return tuple(row.id for row in along)


def _below(tx: Connection, creations: Collection[int]) -> list[Row[Any]]:
    """Return what hangs on creations: edits of their tasks, subtasks, and what hangs on those."""
    found: list[Row[Any]] = []
    for batch in batches(sorted(creations)):
        query = select(outbox).where(outbox.c.depends_on.in_(batch)).order_by(outbox.c.id)
        query = query.where(outbox.c.state.in_(CANCELLABLE))
        found += tx.execute(query.with_for_update())
    deeper = {row.id for row in found if row.operation == "create"}
    return [*found, *_below(tx, deeper)] if deeper else found
