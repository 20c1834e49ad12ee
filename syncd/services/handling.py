"""Handling what is queued: retry, cancel, release; one transaction each, all or nothing.

A change that may have landed is never cancelled, and nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, text

from syncd.services.hand import CANCELLABLE, Hand, Handled, cancel_rows, named
from syncd.services.outlook import look_ahead
from syncd.services.refusal import ChangeRefused
from syncd.store.engine import Database
from syncd.store.outbox import STANDING, UNSETTLED, acting, move, outbox

__all__ = ["Chosen", "Handled", "cancel", "named", "release", "retry"]

_MAY_HAVE_LANDED: Final = ("sending", "uncertain", "applied")
_AFRESH: Final[dict[str, Any]] = {"next_attempt_at": None, "error": None, "error_code": None}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which changes a command is about: some by number, one batch, or all that it can handle."""

    ids: tuple[int, ...] = ()
    batch: str | None = None


def retry(db: Database, ids: Sequence[int], *, actor: str, at: datetime) -> Handled:
    """Try failed changes again, and let waiting ones go at once. Raises ChangeRefused."""
    with db.write() as tx, acting(db, tx, actor):
        hand = Hand(tx, actor, at)
        rows = named(tx, ids)
        for row in rows:
            _retry(hand, row)
        return hand.handled(rows)


def cancel(db: Database, chosen: Chosen, *, actor: str, at: datetime) -> Handled:
    """Cancel changes that were not sent, and with a creation what depends on it.

    Of a batch, or of all, those that may have landed are left. Raises ChangeRefused.
    """
    with db.write() as tx, acting(db, tx, actor):
        hand = Hand(tx, actor, at)
        if chosen.ids:
            wanted, left = named(tx, chosen.ids), []
            _refuse_unless(wanted, CANCELLABLE, "cancelled")
        else:
            found = _open(tx, chosen.batch)
            wanted = [row for row in found if row.state in CANCELLABLE]
            left = [row for row in found if row.state not in CANCELLABLE]
        along = cancel_rows(hand, wanted)
        return hand.handled(wanted, along=along, left=left)


def release(db: Database, chosen: Chosen, *, max_batch: int, actor: str, at: datetime) -> Handled:
    """Let go what the brake holds, or would hold at the next push. Raises ChangeRefused."""
    with db.write() as tx, acting(db, tx, actor):
        hand = Hand(tx, actor, at)
        braked = look_ahead(tx, now=at, max_batch=max_batch).holds.keys()
        if chosen.ids:
            rows = named(tx, chosen.ids)
            _refuse_unless(rows, ("held",), "released", but=braked)
        else:
            found = _open(tx, chosen.batch)
            rows = [row for row in found if row.state == "held" or row.id in braked]
        for row in rows:
            _release(hand, row)
        return hand.handled(rows)


def _retry(hand: Hand, row: Row[Any]) -> None:
    match row.state:
        case "failed":
            _refuse_a_taken_ref(hand.tx, row)
            hand.take(row, "queued", attempts=0, **_AFRESH)
        case "queued" | "uncertain":
            statement = outbox.update().where(outbox.c.id == row.id)
            hand.tx.execute(statement.values(next_attempt_at=None))
            hand.note("change.retried", row)
        case _:
            raise ChangeRefused(
                f"Change {row.id} is {row.state}; only what failed, or waits for its next try,"
                " can be retried.",
                hint=f"See: syncd why {row.id}",
            )


def _refuse_a_taken_ref(tx: Connection, row: Row[Any]) -> None:
    """A failed creation gave its ref free, and a later one may have taken it."""
    if row.operation != "create":
        return
    standing = select(outbox.c.id).where(text(STANDING), outbox.c.ref == row.ref)
    later = tx.scalar(standing)
    if later is not None:
        raise ChangeRefused(
            f"Change {row.id} cannot be retried: change {later} creates its ref {row.ref!r} now.",
            hint=f"Drop it: syncd queue cancel {row.id}",
        )


def _release(hand: Hand, row: Row[Any]) -> None:
    """The trail from held to queued is what tells a push that a person has let a change go."""
    if row.state == "queued":
        hand.take(row, "held")
        move(hand.tx, row.id, "held", "queued")
    else:
        hand.take(row, "queued")


def _refuse_unless(
    rows: Iterable[Row[Any]], states: Collection[str], deed: str, but: Collection[int] = ()
) -> None:
    for row in rows:
        if row.state in states or row.id in but:
            continue
        why = "it may have landed" if row.state in _MAY_HAVE_LANDED else f"it is {row.state}"
        raise ChangeRefused(
            f"Change {row.id} cannot be {deed}: {why}. Nothing was {deed}.",
            hint=f"See: syncd why {row.id}",
        )


def _open(tx: Connection, batch: str | None) -> list[Row[Any]]:
    """Return the changes that are not settled, locked; of one batch if it is named."""
    query = select(outbox).where(text(UNSETTLED)).order_by(outbox.c.id)
    if batch is not None:
        query = query.where(outbox.c.batch == batch)
    rows = list(tx.execute(query.with_for_update()))
    if not rows and batch is not None:
        raise ChangeRefused(
            f"Nothing of a batch {batch!r} is open.", hint="See: syncd queue list --all"
        )
    return rows
