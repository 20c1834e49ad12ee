"""Records that could not be understood: each form of one kept once, dropped when it is healed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from syncd.model.records import Rejected
from syncd.store.mirror import batches
from syncd.store.schema import quarantine


def settle(
    tx: Connection,
    kind: str,
    rejected: Sequence[Rejected],
    *,
    at: datetime,
    run_id: int,
    heal: bool = True,
) -> None:
    """Make the quarantine of `kind` hold what the last answer could not tell.

    An answer that covers everything also heals: what it does not reject any more is dropped.
    """
    stored = {(row.record_id, row.reason, row.raw): row.id for row in _rows(tx, kind)}
    seen = {(_text(one.id), one.reason, one.raw): one for one in rejected}
    healed = [id for key, id in stored.items() if heal and key not in seen]
    for batch in batches(healed):
        tx.execute(delete(quarantine).where(quarantine.c.id.in_(batch)))
    new = [one for key, one in seen.items() if key not in stored]
    if not new:
        return
    number = tx.scalar(select(func.max(quarantine.c.id))) or 0
    rows = [
        {
            "id": number + offset,
            "kind": kind,
            "record_id": _text(one.id),
            "reason": one.reason,
            "raw": one.raw,
            "seen_at": at,
            "run_id": run_id,
        }
        for offset, one in enumerate(new, 1)
    ]
    tx.execute(insert(quarantine), rows)


def _rows(tx: Connection, kind: str) -> Sequence[Row[Any]]:
    return tx.execute(select(quarantine).where(quarantine.c.kind == kind)).all()


def _text(id: int | None) -> str | None:
    return None if id is None else str(id)


def count(tx: Connection) -> int:
    """Count what is in quarantine."""
    return tx.scalar(select(func.count()).select_from(quarantine)) or 0
