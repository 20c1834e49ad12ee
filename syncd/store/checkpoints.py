"""Checkpoints of a pull by projects: what was fetched, kept until it is applied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection, delete, or_, select
from zlib_ng import zlib_ng

from syncd.store.engine import Database
from syncd.store.schema import pull_slices


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One answer of a slice: how it was asked for, and its `data` as sent."""

    how: str
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The answers of one project, with when they were begun and what they leave out."""

    project_id: int
    observed_at: datetime
    parts: tuple[Part, ...]
    short: str = ""


class _Packed(msgspec.Struct, array_like=True):
    parts: tuple[Part, ...]
    short: str


def fingerprint(checkpoint: Checkpoint) -> bytes:
    """Return what differs when anything in a project's answers does, their instant aside."""
    told = blake2b(repr((checkpoint.project_id, checkpoint.short)).encode(), digest_size=20)
    for part in checkpoint.parts:
        told.update(repr((part.how, len(part.data or b""), part.data is None)).encode())
        told.update(part.data or b"")
    return told.digest()


def keep(db: Database, tx: Connection, scope: str, checkpoint: Checkpoint) -> None:
    """Store a slice, so that an interrupted pull goes on after it."""
    packed = msgspec.msgpack.encode(_Packed(checkpoint.parts, checkpoint.short))
    row = {
        "project_id": checkpoint.project_id,
        "scope": scope,
        "observed_at": checkpoint.observed_at,
        "parts": zlib_ng.compress(packed, 1),
    }
    tx.execute(db.upsert(pull_slices, changing=("scope", "observed_at", "parts")), row)


def kept(tx: Connection) -> dict[int, datetime]:
    """Return which projects are stored, and as of when."""
    query = select(pull_slices.c.project_id, pull_slices.c.observed_at)
    return {row.project_id: row.observed_at for row in tx.execute(query)}


def load(tx: Connection, project_id: int) -> Checkpoint:
    """Return a stored slice."""
    row = tx.execute(select(pull_slices).where(pull_slices.c.project_id == project_id)).one()
    packed = msgspec.msgpack.decode(zlib_ng.decompress(row.parts), type=_Packed)
    return Checkpoint(project_id, row.observed_at, packed.parts, packed.short)


def drop_stale(tx: Connection, *, scope: str, before: datetime) -> None:
    """Forget slices of another scope, or too old to stand beside new ones."""
    tx.execute(
        delete(pull_slices).where(
            or_(pull_slices.c.scope != scope, pull_slices.c.observed_at < before)
        )
    )


def drop(tx: Connection, project_ids: Collection[int] | None = None) -> None:
    """Forget the slices of these projects, or all of them."""
    statement = delete(pull_slices)
    if project_ids is not None:
        statement = statement.where(pull_slices.c.project_id.in_(list(project_ids)))
    tx.execute(statement)
