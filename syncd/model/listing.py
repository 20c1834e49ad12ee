"""What a pull got: records, what they cover, whether that is complete, and as of when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from syncd.model.records import Rejected, Stub, TaskRecord

ACCOUNT = None
"""The scope of a slice that covers the whole account."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pull asks for. Two listings can be compared for removals only within one scope."""

    archived: bool
    extra: tuple[str, ...]
    rights: str

    @property
    def subtasks(self) -> bool:
        """Whether subtasks are asked for at all."""
        return "subtasks" in self.extra

    @property
    def undecided(self) -> frozenset[str]:
        """Parts of a task that were not asked for, and are therefore left as they are."""
        asked = set(self.extra)
        parts = {part for part in ("files", "relations") if part not in asked}
        return frozenset(parts if asked & {"text", "html"} else parts | {"text"})

    @property
    def fingerprint(self) -> str:
        """A short text that differs when anything in the scope does."""
        text = repr((self.archived, sorted(self.extra), self.rights))
        return sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a listing: the tasks of the account, or of one project.

    `hashes` holds the content hash of each task; `keys` are the optional keys that any of them
    shows; `tagless` are tasks that came without a tags key, `unnamed` those
    with tags by names that do not tell which; `subtasks` are those below another task and
    `project_ids` the projects of all; `short` says in words what this slice
    could not cover, and is empty for a complete one.
    """

    project_id: int | None
    observed_at: datetime
    tasks: Mapping[int, TaskRecord]
    hashes: Mapping[int, bytes]
    keys: frozenset[str]
    projects: tuple[Stub, ...] = ()
    members: tuple[Stub, ...] = ()
    tags: tuple[Stub, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    repeated: tuple[int, ...] = ()
    short: str = ""
    tagless: frozenset[int] = field(default_factory=frozenset)
    unnamed: frozenset[int] = field(default_factory=frozenset)
    subtasks: frozenset[int] = field(default_factory=frozenset)
    project_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def complete(self) -> bool:
        """Whether a task that is not here is not in the account's answer."""
        return not self.short
