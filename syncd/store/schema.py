"""The metadata all tables hang on, and the bookkeeping tables.

The mirror's tables stand beside what fills them, in `syncd.resources`. Every table and column
carries a comment; the data dictionary is made from them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from syncd.store.types import Document, Id, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, *words: str) -> CheckConstraint:
    """Return a constraint that keeps `column` to a closed set of words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def removal_columns() -> list[Column[Any]]:
    """Return the columns of a record's tombstone, made anew for each table."""
    return [
        Column("removed_at", Instant, comment="when the removal was established, UTC; NULL: live"),
        Column("removed_reason", Text, comment="the evidence behind the removal, in one word"),
    ]


sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", Id, primary_key=True, comment="number of the run, in the order they ended"),
    Column("kind", Text, nullable=False, comment="pull, push, ..."),
    Column("scope", Text, nullable=False, comment="what the run covered: account, projects, ..."),
    Column("started_at", Instant, nullable=False, comment="when it began, UTC"),
    Column("finished_at", Instant, nullable=False, comment="when it ended, UTC"),
    Column("observed_at", Instant, comment="the account was as mirrored at this instant, UTC"),
    Column("outcome", Text, nullable=False, comment="complete, partial or failed"),
    Column("counts", Document, nullable=False, comment="what was read, written and asked, counted"),
    Column("detail", Document, nullable=False, comment="what a partial run did not cover, and why"),
    Column("error", Text, comment="what went wrong, in words"),
    one_of("outcome", "complete", "partial", "failed"),
    Index(None, "kind", "finished_at"),
    comment="One row for each pull or push, with its outcome; only a complete one is green.",
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("name", Text, primary_key=True, comment="what is remembered"),
    Column("value", Document, comment="its value"),
    comment="What syncd remembers between runs: the account, the last answer's hash.",
)

pull_slices = Table(
    "pull_slices",
    metadata,
    Column(
        "project_id", Id, primary_key=True, autoincrement=False, comment="the project of this slice"
    ),
    Column("scope", Text, nullable=False, comment="fingerprint of what the pull asked for"),
    Column("observed_at", Instant, nullable=False, comment="read before the request, UTC"),
    Column("parts", LargeBinary, nullable=False, comment="the answers as fetched, compressed"),
    comment="Checkpoints of a pull that goes project by project; empty when none is under way.",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Id, primary_key=True, comment="number of the row"),
    Column("kind", Text, nullable=False, comment="what the record should have been: task, ..."),
    Column("record_id", Text, comment="its id, as far as it could be read"),
    Column("reason", Text, nullable=False, comment="why it could not be understood"),
    Column("raw", Text, nullable=False, comment="the record as the account sent it, JSON"),
    Column("seen_at", Instant, nullable=False, comment="when it was first seen in this form, UTC"),
    Column("run_id", Id, comment="the run that saw it first"),
    Index(None, "kind", "record_id"),
    comment="Records of an answer that could not be understood; their last good version stays.",
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False, comment="place in the chain, from 1"),
    Column("at", Instant, nullable=False, comment="when it was written, UTC"),
    Column("run_id", Id, comment="the run it belongs to"),
    Column("actor", Text, nullable=False, comment="who caused it: account, cli:USER, daemon, ..."),
    Column("event", Text, nullable=False, comment="what happened: noun.past_verb"),
    Column("entity", Text, comment="kind of the record it is about"),
    Column("entity_id", Id, comment="id of the record it is about"),
    Column("detail", Document, nullable=False, comment="the values that explain the decision"),
    Column("prev_hash", Text, nullable=False, comment="hash of the row before; 64 zeros at first"),
    Column("hash", Text, nullable=False, comment="SHA-256 over this row and prev_hash, hex"),
    Index(None, "entity", "entity_id"),
    comment="Append-only, hash-chained record of every decision; the database refuses changes.",
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True, comment="what the lease is for: account"),
    Column("holder", Text, comment="process and host that hold it; NULL: nobody"),
    Column("fencing", Integer, nullable=False, comment="grows with every holder"),
    Column("acquired_at", Instant, comment="when the holder got it, UTC"),
    Column("last_request_at", Instant, comment="start of the last request, when given back, UTC"),
    Column("heartbeat_at", Instant, comment="last sign of life of the holder, UTC, server's clock"),
    Column("resume_at", Instant, comment="the account asked not to be asked before, UTC"),
    comment="The right to talk to the account, one holder at a time.",
)
