"""The audit log: append-only rows, each chained to the one before by its hash.

Written in the same transaction as what it tells of. The database itself refuses UPDATE, and DELETE
of all but what a checkpoint has sealed (`syncd.services.retention`). An append holds the chain
until its transaction ends, so it comes after the rows that it tells of.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from syncd.secrets import mask
from syncd.store import trail
from syncd.store.engine import after_commit, alone
from syncd.store.mirror import batches
from syncd.store.schema import audit_log, sync_state
from syncd.store.state import recall, remember

GENESIS = "0" * 64
CHAIN = "audit"
HEAD = "audit_head"
"""Where the newest row's number and hash are remembered: a chain cannot show that its end is
missing, nor that somebody went on with it by hand."""
CHECKPOINT = "audit.pruned"
"""The event that seals a checkpoint; the triggers of `audit_log` know it by this name."""

_ACTOR = re.compile(r"daemon|account|(cli|sql):.+|[^\s:@]+@\S+", re.DOTALL)
_EXACT = 2**53
"""From here on a float is no longer every whole number."""


@dataclass(frozen=True, slots=True)
class Event:
    """One decision: what happened (`noun.past_verb`), to what, and the values that explain it.

    `actor` is whoever caused it, where that is not who appends it.
    """

    event: str
    entity: str | None = None
    entity_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    actor: str | None = None


def append(
    tx: Connection, events: Sequence[Event], *, at: datetime, actor: str, run_id: int | None
) -> None:
    """Add events at the end of the chain, one appender at a time; no lease is needed.

    Raises ValueError for an actor that is none of `daemon`, `account`, `cli:USER`, `sql:USER` and
    a member's email.
    """
    if not events:
        return
    for who in {actor, *(event.actor for event in events if event.actor is not None)}:
        if not _ACTOR.fullmatch(who):
            raise ValueError(f"{who!r} is no actor")
    alone(tx, CHAIN)
    seq, previous = _end(tx)
    rows = []
    for event in events:
        seq += 1
        row = _row(seq, event, previous, at=at, actor=actor, run_id=run_id)
        previous = row["hash"]
        rows.append(row)
    tx.execute(insert(audit_log), rows)
    _remember_end(tx, seq, previous)
    if logging.getLogger("syncd").isEnabledFor(logging.INFO):
        after_commit(tx, partial(_log, rows))


def chain_hash(row: dict[str, Any]) -> str:
    """Return the SHA-256, in hex, over a row's content and the hash of the row before it."""
    content = {name: value for name, value in row.items() if name != "hash"}
    content["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def chain_outbox(tx: Connection, *, at: datetime, run_id: int | None) -> int:
    """Chain what the outbox's triggers wrote and the log does not hold yet; returns how many.

    Belongs at the end of a transaction. Safe without the lease; nothing is chained twice.
    """
    if not trail.has_more(tx):
        return 0
    alone(tx, CHAIN)  # before the look: somebody may be chaining the same just now
    before = trail.read_seen(recall(tx, trail.SEEN))
    ids, seen = trail.look(tx, before)
    for batch in batches(ids):
        events = [
            Event(one.event, "change", one.change_id, one.detail, known_actor(one.actor))
            for one in trail.tell(tx, batch)
        ]
        append(tx, events, at=at, actor="daemon", run_id=run_id)
    if seen != before:
        remember(tx, trail.SEEN, seen.document)
    return len(ids)


def known_actor(name: str) -> str:
    """Return an actor as the log knows it: any other name was written by hand, in SQL."""
    return name if _ACTOR.fullmatch(name) else f"sql:{name or 'unknown'}"


def _row(
    seq: int, event: Event, previous: str, *, at: datetime, actor: str, run_id: int | None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "seq": seq,
        "at": at,
        "run_id": run_id,
        "actor": _text(event.actor or actor),
        "event": event.event,
        "entity": event.entity,
        "entity_id": event.entity_id,
        "detail": plain(event.detail),
        "prev_hash": previous,
    }
    return row | {"hash": chain_hash(row)}


def _end(tx: Connection) -> tuple[int, str]:
    """Return the number and the hash of the newest row."""
    columns = (audit_log.c.seq, audit_log.c.hash)
    last = tx.execute(select(*columns).order_by(audit_log.c.seq.desc()).limit(1)).first()
    return (last.seq, last.hash) if last is not None else (0, GENESIS)


def _remember_end(tx: Connection, seq: int, hash: str) -> None:
    value = {"seq": seq, "hash": hash}
    head = update(sync_state).where(sync_state.c.name == HEAD).values(value=value)
    if not tx.execute(head).rowcount:
        tx.execute(insert(sync_state).values(name=HEAD, value=value))


def _log(rows: Sequence[dict[str, Any]]) -> None:
    """Tell the log what was committed: a line for what was rolled back would be a lie."""
    import structlog  # here, because loading it takes a tenth of a second

    from syncd.log import get_logger

    if not structlog.is_configured():
        return  # it would print among the results of whoever uses us as a library
    log = get_logger()
    for row in rows:
        told = {name: row[name] for name in row.keys() - {"event", "at", "prev_hash"}}
        log.info(row["event"], **told)


def plain(value: Any) -> Any:
    """Return a value as either database gives it back, so that the hash holds; no secret in it."""
    return _settled(msgspec.to_builtins(value, str_keys=True))


def _settled(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case dict():
            return {_text(name): _settled(part) for name, part in value.items()}
        case list() | tuple():
            return [_settled(part) for part in value]
        case bool():
            return value
        case int():
            return value if abs(value) < 2**63 else str(value)
        case float():
            return _number(value)
    return value


def _number(value: float) -> int | float | str | None:
    """Return a float as jsonb keeps it, which knows neither exponents nor a whole float."""
    if value != value or abs(value) == float("inf"):
        return None
    if abs(value) >= _EXACT:
        return format(Decimal(repr(value)), "f")
    return int(value) if value == int(value) else value


def _text(value: str) -> str:
    """Return a text that both databases can hold: no NUL, no half of a surrogate pair."""
    return mask(value.encode("utf-8", "replace").decode().replace("\0", "\N{SYMBOL FOR NULL}"))
