"""Drift or lag: what the account shows otherwise than the mirror, and what explains it.

A task that was edited after the mirror last saw it differs too, and the next pull brings that. So
a difference is drift only where the mirror had its chance and did not take it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from syncd.model.drift import GONE, LIVE, WHOLE, Difference, Verdict
from syncd.model.plan import Image
from syncd.model.records import TaskRecord
from syncd.sync.canonical import canonical_text
from syncd.sync.reconcile import differing, overlay


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing, fetched after the difference was seen, says of the task.

    `same`: the whole listing is byte for byte what the last complete pull read. `content_hash` is
    None where the task is not in it, or where there is no listing at all.
    """

    same: bool = False
    content_hash: bytes | None = None


def differences(
    seen: TaskRecord, image: Image, undecided: Collection[str]
) -> tuple[Difference, ...]:
    """Compare a task as the account shows it with the mirror, in what that answer decides."""
    record, known = overlay(seen, image.record, undecided), image.record
    if image.removed_at is not None:
        return (Difference(known.id, WHOLE, GONE, LIVE),)
    pairs = (
        (name, getattr(known, name), getattr(record, name)) for name in differing(record, known)
    )
    return tuple(
        Difference(known.id, name, ours, theirs)
        for name, ours, theirs in pairs
        if not _same(ours, theirs)
    )


def _same(ours: Any, theirs: Any) -> bool:
    """Two answers of the account may spell one text in two ways."""
    texts = [value for value in (ours, theirs) if value is not None]
    if not texts or not all(isinstance(value, str) for value in texts):
        return bool(ours == theirs)
    return canonical_text(ours or "") == canonical_text(theirs or "")


def gone(id: int) -> Difference:
    """Return the difference of a task that the mirror calls live and the account denies."""
    return Difference(id, WHOLE, LIVE, GONE)


def missing(id: int) -> Difference:
    """Return the difference of a task that the account lists and the mirror does not have."""
    return Difference(id, WHOLE, GONE, LIVE)


def judge(image: Image | None, listed: Listed, *, stood_before: bool) -> Verdict:
    """Say whether a difference is drift or lag.

    `stood_before`: a verification before this one saw the very same difference, and a complete
    pull has begun since.
    """
    if image is not None and image.suspect_at is not None:
        return "lag"  # the mirror itself says that it is in doubt about this task
    if listed.same or stood_before:
        return "drift"
    # The row was written from a record that the account still lists as it was then.
    unchanged = image is not None and listed.content_hash == image.content_hash
    return "drift" if unchanged else "lag"


def mark(difference: Difference) -> str:
    """Return a short text that two differences share only if they are the same."""
    return blake2b(repr(difference).encode("utf-8", "replace"), digest_size=8).hexdigest()
