"""What this very transaction has queued, told apart from what others queue at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from syncd.store.engine import Database
from syncd.store.outbox import outbox


def newest(tx: Connection) -> int:
    """Return the highest number of a change so far."""
    return tx.scalar(select(func.coalesce(func.max(outbox.c.id), 0))) or 0


def queued_since(db: Database, tx: Connection, before: int) -> Sequence[Row[Any]]:
    """Return the changes after number `before` that this transaction has queued.

    On SQLite a writer is alone. On PostgreSQL the changes of others may have come in between, so
    the row itself is asked which transaction wrote it.
    """
    query = select(outbox).where(outbox.c.id > before).order_by(outbox.c.id)
    if not db.is_sqlite:
        query = query.where(text("outbox.xmin::text = pg_current_xact_id()::xid::text"))
    return tx.execute(query).all()
