"""The audit log: append-only rows, each chained to the one before by its hash.

Written in the same transaction as what it tells of. The database itself refuses UPDATE and DELETE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from syncd.store.schema import audit_log

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One decision: what happened (`noun.past_verb`), to what, and the values that explain it."""

    event: str
    entity: str | None = None
    entity_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def append(
    tx: Connection, events: Sequence[Event], *, at: datetime, actor: str, run_id: int | None
) -> None:
    """Add events at the end of the chain."""
    if not events:
        return
    last = tx.execute(
        select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(1)
    ).first()
    first, previous = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    rows = []
    for seq, event in enumerate(events, first):
        row = {
            "seq": seq,
            "at": at,
            "run_id": run_id,
            "actor": actor,
            "event": event.event,
            "entity": event.entity,
            "entity_id": event.entity_id,
            "detail": _plain(event.detail),
            "prev_hash": previous,
        }
        previous = row["hash"] = chain_hash(row)
        rows.append(row)
    tx.execute(insert(audit_log), rows)


def chain_hash(row: dict[str, Any]) -> str:
    """Return the SHA-256, in hex, over a row's content and the hash of the row before it."""
    content = {name: value for name, value in row.items() if name != "hash"}
    content["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def _plain(detail: dict[str, Any]) -> Any:
    """Return the detail as JSON will give it back, so that the hash holds on reading."""
    return msgspec.json.decode(msgspec.json.encode(detail))
