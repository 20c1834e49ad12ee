"""Checkpoints of a pull by projects: what was fetched, kept until it is applied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import starmap
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, or_, select
from zlib_ng import zlib_ng

from syncd.store.engine import Database
from syncd.store.schema import pull_slices
from syncd.store.sessions import BINARY


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


_QUICK: Final = 1
"""How hard to compress."""


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


def keep(
    db: Database, tx: Connection, scope: str, slices: Collection[Checkpoint]
) -> dict[int, int]:
    """Store slices, so that an interrupted pull goes on after them; return how large each is."""
    rows: list[dict[str, Any]] = [
        {
            "project_id": one.project_id,
            "scope": scope,
            "observed_at": one.observed_at,
            "parts": zlib_ng.compress(
                msgspec.msgpack.encode(_Packed(one.parts, one.short)), _QUICK
            ),
        }
        for one in slices
    ]
    tx.execute(db.upsert(pull_slices, changing=("scope", "observed_at", "parts")), rows)
    return {row["project_id"]: len(row["parts"]) for row in rows}


class Stored(NamedTuple):
    """A slice as it is stored, compressed."""

    project_id: int
    observed_at: datetime
    parts: bytes


class Kept(NamedTuple):
    """Which project is stored, as of when, and in how many bytes."""

    project_id: int
    observed_at: datetime
    size: int


def kept(tx: Connection) -> list[Kept]:
    """Return what is stored, in the order in which it was fetched."""
    column = pull_slices.c
    size = func.length(column.parts)
    query = select(column.project_id, column.observed_at, size)
    return list(starmap(Kept, tx.execute(query.order_by(column.observed_at, column.project_id))))


def load(tx: Connection, project_ids: Collection[int]) -> dict[int, Stored]:
    """Return stored slices; a server sends them in binary, as text they are twice as long."""
    column = pull_slices.c
    query = select(column.project_id, column.observed_at, column.parts)
    query = query.where(column.project_id.in_(project_ids))
    rows = tx.execute(query, execution_options={BINARY: True})
    return {row.project_id: Stored(*row) for row in rows}


def opened(stored: Stored) -> Checkpoint:
    """Return a stored slice as it was kept."""
    packed = msgspec.msgpack.decode(zlib_ng.decompress(stored.parts), type=_Packed)
    return Checkpoint(stored.project_id, stored.observed_at, packed.parts, packed.short)


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
