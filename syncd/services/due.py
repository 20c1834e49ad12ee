"""Since when a change could have gone and has not. Costs little while nothing waits for long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, text

from syncd.services.outlook import look_ahead
from syncd.store.mirror import rows_by
from syncd.store.outbox import UNSETTLED, outbox, outbox_events
from syncd.sync.troubles import STALLED

RECENT: Final = 1000
"""Moves of changes that are looked at: where there were more in that time, nothing stands still."""
_COLUMNS = (
    *(outbox.c.id, outbox.c.task_id, outbox.c.depends_on),
    *(outbox.c.created_at, outbox.c.next_attempt_at),
)


def due_since(tx: Connection, *, now: datetime, max_batch: int) -> datetime | None:
    """Return since when the longest waiting of the changes that a push would send could have gone.

    None where no change waits for longer than is worth a word: the plan, which tells those that
    wait for something (a lane, a parent, a person) from the others, is made only then.
    """
    if not _waits_long(tx, now):
        return None
    going = look_ahead(tx, now=now, max_batch=max_batch).going
    moved = _moved(tx)
    due = [_due(row, moved) for row in rows_by(tx, _COLUMNS, outbox.c.id, going)]
    return min(due, default=None)


def _waits_long(tx: Connection, now: datetime) -> bool:
    before = now - STALLED
    since = func.coalesce(outbox.c.next_attempt_at, outbox.c.created_at)
    long = (text(UNSETTLED), outbox.c.state == "queued", outbox.c.created_at < before)
    return tx.scalar(select(outbox.c.id).where(*long, since < before).limit(1)) is not None


def _due(row: Row[Any], moved: Mapping[tuple[str, int], datetime]) -> datetime:
    """A change that waited in its lane could go from when the one before it had moved."""
    others = (("change", row.id), ("change", row.depends_on), ("task", row.task_id))
    moves = [moved[other] for other in others if other in moved]
    since: datetime = max(row.created_at, row.next_attempt_at or row.created_at, *moves)
    return since


def _moved(tx: Connection) -> dict[tuple[str, int], datetime]:
    """Return when each change, and any change of each task, moved last."""
    newest = select(outbox_events).order_by(outbox_events.c.id.desc()).limit(RECENT).subquery()
    query = select(newest.c.change_id, newest.c.at, outbox.c.task_id).join(
        outbox, outbox.c.id == newest.c.change_id
    )
    found: dict[tuple[str, int], datetime] = {}
    for row in tx.execute(query):
        for key in (("change", row.change_id), ("task", row.task_id)):
            found[key] = max(row.at, found.get(key, row.at))
    return found
