"""What a listing says against the mirror's index, before any record is compared field by field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.model.listing import Slice


class Indexed(NamedTuple):
    """What is known of a live task that a listing lacks, without loading it."""

    project_id: int
    level: int
    suspect: bool


@dataclass(slots=True)
class Index:
    """What the mirror holds of a scope, in the form it is read in: a pull looks at all of it.

    `hashes` are the content hashes of the live tasks that no pull has missed, `suspects` are the
    other live ones.
    """

    hashes: dict[int, bytes] = field(default_factory=dict)
    suspects: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)

    def __contains__(self, id: object) -> bool:
        """Tell whether the mirror has the task, removed or not."""
        return id in self.hashes or id in self.suspects or id in self.removed

    def __or__(self, other: Index) -> Index:
        """Return the index of the tasks of both."""
        return Index(
            self.hashes | other.hashes,
            self.suspects | other.suspects,
            self.removed | other.removed,
        )

    @property
    def live(self) -> set[int]:
        """The tasks that are not removed."""
        return self.hashes.keys() | self.suspects


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
    known = index.hashes.get
    changed = frozenset([id for id, hash in part.hashes.items() if known(id) != hash])
    unread = {rejected.id for rejected in part.rejected}
    absent = index.live - part.tasks.keys() - unread
    return Survey(changed, frozenset(absent), len(part.hashes) - len(changed))
