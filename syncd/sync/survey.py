"""What a listing says against the mirror's index, before any record is compared field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from syncd.model.listing import Slice


class Indexed(NamedTuple):
    """What is known of a mirrored task without loading it; every pull makes one for each task."""

    project_id: int
    level: int
    content_hash: bytes
    removed: bool
    suspect: bool


Index = Mapping[int, Indexed]


@dataclass(frozen=True, slots=True)
class Survey:
    """Ids by what has to be done about them.

    `changed` are to be compared, `absent` are live in the mirror and not in the slice.
    """

    changed: frozenset[int]
    absent: frozenset[int]
    unchanged: int


def survey(part: Slice, index: Index) -> Survey:
    """Compare one slice with the mirror's index of the same scope."""
    changed, unchanged = [], 0
    for id, content_hash in part.hashes.items():
        known = index.get(id)
        if known is None or known.removed or known.suspect or known.content_hash != content_hash:
            changed.append(id)
        else:
            unchanged += 1
    unread = {rejected.id for rejected in part.rejected}
    absent = (
        id
        for id, known in index.items()
        if id not in part.tasks and id not in unread and not known.removed
    )
    return Survey(frozenset(changed), frozenset(absent), unchanged)
