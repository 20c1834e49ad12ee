"""What is or was wrong, one row an incident; open ones close by themselves once they are solved."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Table,
    Text,
    func,
    insert,
    select,
    text,
    update,
)

from syncd.model.incidents import Incident, Trouble
from syncd.store.schema import metadata, one_of
from syncd.store.types import Id, Instant

_STILL = text("closed_at IS NULL")

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True, comment="number of the incident"),
    Column("kind", Text, nullable=False, comment="what kind of trouble; see the runbook"),
    Column("subject", Text, nullable=False, comment="what it is about; empty: the whole"),
    Column("severity", Text, nullable=False, comment="warning or problem"),
    Column("summary", Text, nullable=False, comment="what is wrong, in words"),
    Column("remedy", Text, nullable=False, comment="what a person can do about it"),
    Column("opened_at", Instant, nullable=False, comment="when it was first seen, UTC"),
    Column("closed_at", Instant, comment="when it was seen solved, UTC; NULL: still open"),
    Column("told_open_at", Instant, comment="when people were told of it, UTC"),
    Column("told_closed_at", Instant, comment="when people were told that it is over, UTC"),
    one_of("severity", "warning", "problem"),
    Index(
        "uq_incidents_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=_STILL,
        postgresql_where=_STILL,
    ),
    Index(None, "opened_at"),
    comment="What is or was wrong. An incident closes by itself once it is solved.",
)

_SHOWN = (
    *(incidents.c.id, incidents.c.kind, incidents.c.subject, incidents.c.severity),
    *(incidents.c.summary, incidents.c.remedy, incidents.c.opened_at, incidents.c.closed_at),
)


def load_open(tx: Connection) -> tuple[Incident, ...]:
    """Return what is wrong, the longest known first."""
    query = select(*_SHOWN).where(incidents.c.closed_at.is_(None)).order_by(incidents.c.id)
    return tuple(Incident(**row._mapping) for row in tx.execute(query))


def begin(tx: Connection, found: Iterable[Trouble], at: datetime) -> None:
    """Put troubles on record that were not there."""
    rows = [asdict(trouble) | {"opened_at": at} for trouble in found]
    if rows:
        tx.execute(insert(incidents), rows)


def reword(tx: Connection, id: int, trouble: Trouble) -> None:
    """Write how an open incident stands now."""
    tx.execute(update(incidents).where(incidents.c.id == id).values(asdict(trouble)))


def end(tx: Connection, ids: Collection[int], at: datetime) -> None:
    """Note that incidents are over."""
    if ids:
        tx.execute(update(incidents).where(incidents.c.id.in_(ids)).values(closed_at=at))


def untold(tx: Connection, *, since: datetime) -> tuple[Incident, ...]:
    """Return what people were not told of: what opened, and what closed after `since`."""
    opened = incidents.c.closed_at.is_(None) & incidents.c.told_open_at.is_(None)
    closed = (incidents.c.closed_at > since) & incidents.c.told_closed_at.is_(None)
    query = select(*_SHOWN).where(opened | closed).order_by(incidents.c.id)
    return tuple(Incident(**row._mapping) for row in tx.execute(query))


def mark_told(tx: Connection, told: Incident, at: datetime) -> None:
    """Note that people know how an incident stood; its end tells of its beginning as well."""
    opened = func.coalesce(incidents.c.told_open_at, at)
    values = {"told_open_at": opened} | ({"told_closed_at": at} if told.closed_at else {})
    tx.execute(update(incidents).where(incidents.c.id == told.id).values(values))
