"""What is or was wrong, one row an incident; open ones close by themselves once they are solved."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text

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
