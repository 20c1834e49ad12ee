"""A database restored from a backup: what it has as queued may be in the account already.

Edits look after themselves: the look before each shows what is so already. A creation is looked
for like a lost one, and before anything goes out the mirror has to be current again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from syncd.services.push.pushing import Run
from syncd.store.mirror import batches
from syncd.store.outbox import outbox, outbox_events
from syncd.store.runs import last_run
from syncd.store.state import recall, remember
from syncd.sync.settle import GRACE

_NAME = "restored_at"
_DOUBTED = "restored_upto"
TOLD = (
    "the database was restored from a backup, or its record of what was sent is lost;"
    " pull first, then push"
)


def after_restore(run: Run) -> bool:
    """Tell whether sending has to wait for a pull, because the database was restored."""
    noticed = None
    with run.writing() as tx:
        if run.work.epoch.restored(tx):
            noticed = _notice(run, tx)
        _doubt(run, tx)
        waits = recall(tx, _NAME) is not None and not _pulled_since(tx)
        if not waits:
            remember(tx, _NAME, None)
    if noticed is not None:
        run.work.epoch.publish(noticed)  # once is enough; a pull settles it
    if waits:
        run.notes.append(TOLD)
    return waits


def _notice(run: Run, tx: Connection) -> int:
    epoch = run.work.epoch.advance(tx)
    remember(tx, _NAME, run.work.clock().isoformat())
    remember(tx, _DOUBTED, _marks(tx))
    run.audit("database.restored", epoch, {})
    return epoch


def _doubt(run: Run, tx: Connection) -> None:
    """Take the backup's creations for uncertain, as if they had gone out when they were queued.

    In every push after it: what the backup has as held, failed or in conflict may have been let go
    and sent before the restore, and is looked for once it is let go again.
    """
    marks = recall(tx, _DOUBTED)
    if marks is None:
        return
    ids = _unsent(tx, upto=marks["change"], since=marks["event"])
    run.move(tx, ids, "queued", "sending")
    due = run.work.clock() + GRACE
    run.move(tx, ids, "sending", "uncertain", next_attempt_at=due, error=TOLD)
    for batch in batches(ids):
        ours = update(outbox).where(outbox.c.id.in_(batch))
        tx.execute(ours.values(sent_at=outbox.c.created_at))


def _marks(tx: Connection) -> dict[str, int]:
    """Return how far the outbox and its trail go now: numbers, for clocks may disagree."""
    change = tx.scalar(select(func.max(outbox.c.id)))
    return {"change": change or 0, "event": tx.scalar(select(func.max(outbox_events.c.id))) or 0}


def _unsent(tx: Connection, *, upto: int, since: int) -> list[int]:
    """Return the backup's creations that are queued, and were not on their way since it."""
    trail = outbox_events.c
    sent = select(trail.change_id).where(trail.id > since, trail.to_state == "sending")
    waiting = (outbox.c.state == "queued", outbox.c.operation == "create", outbox.c.id <= upto)
    query = select(outbox.c.id).where(*waiting, outbox.c.id.not_in(sent))
    return list(tx.scalars(query.order_by(outbox.c.id)))


def _pulled_since(tx: Connection) -> bool:
    found = last_run(tx, "pull", "complete", "partial")
    at = recall(tx, _NAME)
    return found is not None and found.started_at > datetime.fromisoformat(at)
