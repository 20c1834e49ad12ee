"""A plan: what reconciling decided, as values; a dry run prints what a run applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from syncd.model.records import RemovedReason, TaskRecord


@dataclass(frozen=True, slots=True)
class Image:
    """A task as the mirror holds it, with what the mirror knows about that image."""

    record: TaskRecord
    content_hash: bytes
    observed_at: datetime
    valid_from: datetime
    suspect_at: datetime | None = None
    removed_at: datetime | None = None
    removed_reason: RemovedReason | None = None


class Insert(msgspec.Struct, frozen=True, gc=False):
    """A task the mirror has never held; a first pull makes one for each task."""

    record: TaskRecord
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """A task that changed in the account; `fields` names what differs."""

    before: Image
    record: TaskRecord
    content_hash: bytes
    fields: tuple[str, ...]

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        """What differs, with both values."""
        old, new = self.before.record, self.record
        return tuple(
            FieldChange(name, getattr(old, name), getattr(new, name)) for name in self.fields
        )


@dataclass(frozen=True, slots=True)
class Restore:
    """A removed task that came back."""

    before: Image
    record: TaskRecord
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Touch:
    """A task whose image stands; only what is remembered about the reading moves."""

    id: int
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """A task that is no longer in the account, with the evidence in one word."""

    before: Image
    reason: RemovedReason


@dataclass(frozen=True, slots=True)
class Brake:
    """Removals that wait for a person: how many, against which limit, in which projects."""

    missing: int
    limit: int
    projects: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a record, before and after."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """What a pull would write about one project, member or tag."""

    kind: str
    id: int
    name: str
    what: Literal["added", "changed", "restored", "removed"]
    fields: tuple[FieldChange, ...] = ()


Action = Insert | Update | Restore | Touch | Remove


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What a pull would write about tasks."""

    inserts: tuple[Insert, ...] = ()
    updates: tuple[Update, ...] = ()
    restores: tuple[Restore, ...] = ()
    touches: tuple[Touch, ...] = ()
    removals: tuple[Remove, ...] = ()
    suspects: tuple[int, ...] = ()
    brakes: tuple[Brake, ...] = ()
    unchanged: int = 0
    masked: tuple[int, ...] = ()
    counts: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        counts = {
            "inserted": len(self.inserts),
            "updated": len(self.updates),
            "restored": len(self.restores),
            "removed": len(self.removals),
            "suspect": len(self.suspects),
            "unchanged": self.unchanged + len(self.touches),
        }
        if self.masked:
            counts["in_flight"] = len(self.masked)
        object.__setattr__(self, "counts", counts)
