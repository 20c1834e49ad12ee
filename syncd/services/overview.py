"""What a whole listing holds, summed up slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.model.listing import Slice
from syncd.model.records import Rejected, Stub
from syncd.services.hidden import Untagged


@dataclass(frozen=True, slots=True)
class Overview:
    """What a whole listing holds, gathered slice by slice."""

    listed: int
    short: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    repeated: int
    keys: frozenset[str]
    stubs: Mapping[str, Mapping[int, Stub]]
    unnamed: int = 0
    project_ids: frozenset[int] = frozenset()
    untagged: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether absence from it is absence from the account's answer."""
        return not self.short


class Gathering:
    """Sums up the slices of a listing, one in memory at a time."""

    def __init__(self) -> None:
        self._listed = self._repeated = self._unnamed = 0
        self._short: list[str] = []
        self._rejected: list[Rejected] = []
        self._keys: set[str] = set()
        self._projects: set[int] = set()
        self._stubs: dict[str, dict[int, Stub]] = {"project": {}, "member": {}, "tag": {}}
        self._untagged = Untagged()

    def add(self, part: Slice) -> None:
        """Take one slice into account."""
        self._listed += len(part.tasks)
        self._repeated += len(part.repeated)
        self._unnamed += len(part.unnamed)
        self._rejected += part.rejected
        self._keys |= part.keys
        self._projects |= part.project_ids
        self._untagged.add(part)
        if part.short:
            self._short.append(part.short)
        named = (("project", part.projects), ("member", part.members), ("tag", part.tags))
        for kind, stubs in named:
            self._stubs[kind].update((stub.id, stub) for stub in stubs)

    def overview(self) -> Overview:
        """Return what all of them hold."""
        return Overview(
            listed=self._listed,
            short=tuple(self._short),
            rejected=tuple(self._rejected),
            repeated=self._repeated,
            keys=frozenset(self._keys),
            stubs=self._stubs,
            unnamed=self._unnamed,
            project_ids=frozenset(self._projects),
            untagged=self._untagged.samples(),
        )
