"""Reading the audit log: its end, its newest rows as they come, a search, and its proof.

Needs no lease and no network, and writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from syncd.store.engine import Database
from syncd.store.outbox import outbox
from syncd.store.proof import PAGE, Proof, prove
from syncd.store.schema import audit_log

FOLLOW_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of the log."""

    seq: int
    at: datetime
    run_id: int | None
    actor: str
    event: str
    entity: str | None
    entity_id: int | None
    detail: Any
    hash: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are wanted; what is None does not matter.

    `event` is a whole name, or the noun before its dot; `actor` is a whole one, or the USER in it.
    `since` and `until` are instants, the second one not included.
    """

    event: str | None = None
    task: int | None = None
    change: int | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


def tail(db: Database, count: int) -> list[AuditRow]:
    """Return the newest rows, the newest last."""
    with db.read() as tx:
        newest = tx.execute(_rows().order_by(audit_log.c.seq.desc()).limit(count)).all()
        return [_read(row) for row in reversed(newest)]


def follow(db: Database, after: int, *, sleep: Callable[[float], None]) -> Iterator[AuditRow]:
    """Yield the rows after one of that number as they are committed, for ever.

    Rows are committed in the order of their numbers, so none is passed over.
    """
    while True:
        with db.read() as tx:
            query = _rows().where(audit_log.c.seq > after).order_by(audit_log.c.seq)
            found = [_read(row) for row in tx.execute(query.limit(PAGE))]
        yield from found
        if found:
            after = found[-1].seq
        else:
            sleep(FOLLOW_STEP_S)


def search(db: Database, wanted: Wanted) -> Iterator[AuditRow]:
    """Yield the rows that are wanted, the oldest first; the log may be longer than memory."""
    with db.read() as tx:
        changes = _changes_of(tx, wanted.task) if wanted.task is not None else frozenset()
        query = _query(wanted).order_by(audit_log.c.seq)
        for row in tx.execute(query, execution_options={"yield_per": PAGE}):
            found = _read(row)
            if _is_about(found, wanted.task, changes) and _holds(found, wanted.text):
                yield found


def verify(db: Database) -> Proof:
    """Prove the log, from its beginning or from its newest checkpoint."""
    with db.read() as tx:
        return prove(tx)


def _rows() -> Select[Any]:
    return select(*(audit_log.c[name] for name in AuditRow.__slots__))


def _read(row: Row[Any]) -> AuditRow:
    return AuditRow(**row._mapping)


def _query(wanted: Wanted) -> Select[Any]:
    log, query = audit_log.c, _rows()
    if wanted.event is not None:
        noun = f"{wanted.event}."
        query = query.where(
            or_(log.event == wanted.event, func.substr(log.event, 1, len(noun)) == noun)
        )
    if wanted.actor is not None:
        query = query.where(log.actor.in_([part + wanted.actor for part in ("", "cli:", "sql:")]))
    if wanted.change is not None:
        query = query.where(log.entity == "change", log.entity_id == wanted.change)
    if wanted.task is not None:
        query = query.where(log.entity.in_(["task", "change"]))
    if wanted.since is not None:
        query = query.where(log.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(log.at < wanted.until)
    return query


def _changes_of(tx: Connection, task: int) -> frozenset[int]:
    return frozenset(tx.scalars(select(outbox.c.id).where(outbox.c.task_id == task)))


def _is_about(row: AuditRow, task: int | None, changes: frozenset[int]) -> bool:
    """Tell whether a row is about a task, or about a change of it that may be long gone."""
    if task is None:
        return True
    if row.entity == "task":
        return row.entity_id == task
    detail = row.detail if isinstance(row.detail, dict) else {}
    return row.entity_id in changes or detail.get("task_id") == task


def _holds(row: AuditRow, text: str | None) -> bool:
    """Tell whether a text is anywhere in a row. SQLite folds ASCII letters only."""
    if text is None:
        return True
    detail = json.dumps(row.detail, ensure_ascii=False)
    about = f"{row.entity or ''} {row.entity_id or ''}"
    said = "\n".join([row.event, row.actor, about, detail])
    return text.casefold() in said.casefold()
