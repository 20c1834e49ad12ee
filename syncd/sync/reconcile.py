"""The decision about one task: what the account shows against what the mirror holds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from syncd.model.plan import Image, Insert, Restore, Touch, Update
from syncd.model.records import TaskRecord

FIELDS = tuple(name for name in TaskRecord.__struct_fields__ if name != "id")


def reconcile(
    seen: TaskRecord,
    content_hash: bytes,
    image: Image | None,
    *,
    observed_at: datetime,
    undecided: Collection[str] = (),
) -> Insert | Update | Restore | Touch | None:
    """Decide what to write for a task the account shows; None where the mirror already says it."""
    if image is None:
        return first_seen(seen, content_hash)
    if image.observed_at >= observed_at:
        # A mirror row is never written from an older observation than its own: an answer that was
        # under way while somebody else's result was stored would undo that result.
        return None
    record = overlay(seen, image.record, undecided)
    if image.removed_at is not None:
        return Restore(image, record, content_hash)
    fields = differing(record, image.record)
    if fields:
        return Update(image, record, content_hash, fields)
    if content_hash != image.content_hash or image.suspect_at is not None:
        return Touch(record.id, content_hash)
    return None


def overlay(seen: TaskRecord, known: TaskRecord, undecided: Collection[str]) -> TaskRecord:
    """Return `seen` with what the answer did not decide taken from `known`."""
    parts = {part for part in ("tags", "files", "relations") if getattr(seen, part) is None}
    kept = parts.union(undecided)
    if not kept:
        return seen
    return msgspec.structs.replace(seen, **{name: getattr(known, name) for name in kept})


def first_seen(seen: TaskRecord, content_hash: bytes) -> Insert:
    """Return how a task comes into the mirror that was never in it.

    No older image can complete it: what was not decided is empty until known.
    """
    if seen.tags is None or seen.files is None or seen.relations is None:
        seen = msgspec.structs.replace(
            seen, tags=seen.tags or (), files=seen.files or (), relations=seen.relations or ()
        )
    return Insert(seen, content_hash)


def differing(one: TaskRecord, other: TaskRecord) -> tuple[str, ...]:
    """Name the fields in which two records of one task differ."""
    if one == other:
        return ()
    return tuple(name for name in FIELDS if getattr(one, name) != getattr(other, name))
