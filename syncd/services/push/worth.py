"""Whether a push would do anything now: what a daemon asks before it makes one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, exists, or_, select, text

from syncd.services.outlook import look_ahead
from syncd.store.choices import outbox_choices
from syncd.store.outbox import UNSETTLED, outbox

MOVING: Final = ("sending", "uncertain", "applied")
"""States in which a change waits for a look, not for its turn."""


def worth_a_push(tx: Connection, *, now: datetime, max_batch: int) -> bool:
    """Tell whether something can be sent, looked for, confirmed, held or decided now."""
    open_ = text(UNSETTLED)
    due = or_(outbox.c.next_attempt_at.is_(None), outbox.c.next_attempt_at <= now)
    moving = exists().where(open_, outbox.c.state.in_(MOVING), due)
    queued = exists().where(open_, outbox.c.state == "queued")
    if tx.scalar(select(or_(moving, exists(select(outbox_choices.c.change_id))))):
        return True
    if not tx.scalar(select(queued)):
        return False
    ahead = look_ahead(tx, now=now, max_batch=max_batch)
    return bool(ahead.going or ahead.holds or ahead.plan.settled or ahead.unreadable)
