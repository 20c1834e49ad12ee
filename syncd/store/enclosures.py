"""Files that go out with a queued creation: kept as they were when it was queued.

They go when their creation is settled: by then the account has them, or nobody wants them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Index, LargeBinary, Table, Text, insert, select

from syncd.store.mirror import batches, drop_links
from syncd.store.schema import metadata
from syncd.store.types import Id

outbox_files = Table(
    "outbox_files",
    metadata,
    Column("id", Id, primary_key=True, comment="number of the file; files go out in its order"),
    Column("change_id", Id, nullable=False, comment="the creation that it goes with, outbox.id"),
    Column("name", Text, nullable=False, comment="what the file is called in the account"),
    Column("content_type", Text, nullable=False, comment="its MIME type"),
    Column("content", LargeBinary, nullable=False, comment="what is in it"),
    Index(None, "change_id"),
    comment="Files of creations that are still to be sent.",
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file on its way; `content` is left out of what people are shown."""

    name: str
    content_type: str
    content: bytes

    def __repr__(self) -> str:
        return f"Enclosure({self.name!r}, {len(self.content)} bytes)"


def enclose(tx: Connection, change_id: int, files: Iterable[Enclosure]) -> None:
    """Put files beside a creation that is queued."""
    rows = [
        {
            "change_id": change_id,
            "name": file.name,
            "content_type": file.content_type,
            "content": file.content,
        }
        for file in files
    ]
    if rows:
        tx.execute(insert(outbox_files), rows)


def enclosed(tx: Connection, change_ids: Iterable[int]) -> dict[int, tuple[Enclosure, ...]]:
    """Return the files of creations, each one's in the order in which they were given."""
    found: dict[int, tuple[Enclosure, ...]] = {}
    file = outbox_files.c
    for batch in batches(sorted(change_ids)):
        query = select(outbox_files).where(file.change_id.in_(batch)).order_by(file.id)
        for row in tx.execute(query):
            one = Enclosure(row.name, row.content_type, row.content)
            found[row.change_id] = (*found.get(row.change_id, ()), one)
    return found


def enclosed_names(tx: Connection, change_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return what the files of creations are called, without reading them."""
    found: dict[int, tuple[str, ...]] = {}
    file = outbox_files.c
    for batch in batches(sorted(change_ids)):
        query = select(file.change_id, file.name).where(file.change_id.in_(batch))
        for row in tx.execute(query.order_by(file.id)):
            found[row.change_id] = (*found.get(row.change_id, ()), row.name)
    return found


def drop(tx: Connection, change_ids: Iterable[int]) -> None:
    """Forget the files of creations that are settled."""
    drop_links(tx, outbox_files.c.change_id, change_ids)
