"""What a push would do, as values: steps, looks, waits, merges. A dry run prints what a run sends.

A step is one request at most. Frozen; no I/O, no SQL, no HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from syncd.model.change import Change, ChangeState, Fields, Missing, Tags, Value

Verb = Literal["create", "update", "tag", "complete", "reopen"]
Choice = Literal["ask", "mine", "theirs"]
WaitKind = Literal[
    "lane",
    "parent",
    "children",
    "depends",
    "time",
    "brake",
    "conflict",
    "settle",
    "confirm",
    "cycle",
    "unknown",
]

_REASONS: Final[Mapping[WaitKind, str]] = {
    "lane": "an earlier change of the same task comes first",
    "parent": "its parent comes first",
    "children": "its subtask comes first",
    "depends": "the change that it depends on comes first",
    "time": "it is tried again later",
    "brake": "too many were queued at once; release or cancel them",
    "conflict": "both sides changed it; resolve it",
    "settle": "it may have landed; a look settles it",
    "confirm": "it was sent; a later read has to show it",
    "cycle": "the changes wait for each other in a circle; cancel one of them",
    "unknown": "the task that it names was never queued for creation",
}


@dataclass(frozen=True, slots=True)
class Wait:
    """Why something does not go yet: the change it waits for, or the time, or a person."""

    kind: WaitKind
    change: int | None = None
    state: ChangeState | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        words = _REASONS[self.kind]
        if self.change is not None:
            about = f", {self.state}" if self.state else ""
            words = f"{words} (change {self.change}{about})"
        return f"{words}, not before {self.until.isoformat()}" if self.until else words


@dataclass(frozen=True, slots=True)
class Step:
    """One request that the changes of a lane come down to, before anything was compared.

    `changes` are the ids that it carries; `since` is when the oldest of them was queued; `base`
    lacks a field whose former value is not known. `passed` are values of our own that later
    changes of the step have replaced: where the account shows one, no other hand has been there.
    """

    verb: Verb
    lane: str
    fields: Fields
    changes: tuple[int, ...]
    since: datetime
    task_id: int | None = None
    ref: str | None = None
    base: Fields = field(default_factory=dict)
    passed: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    not_before: datetime | None = None
    depends_on: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, Verb]:
        """Its name in a plan: a lane has each verb at most once."""
        return (self.lane, self.verb)


@dataclass(frozen=True, slots=True)
class Folded:
    """One lane: what it comes down to, what needs no request, and what waits behind what."""

    lane: str
    steps: tuple[Step, ...] = ()
    settled: tuple[int, ...] = ()
    behind: Change | None = None
    waiting: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A step in its place; `after` says which changes in front of it it waits for."""

    step: Step
    after: tuple[Wait, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes that do not go in this push."""

    changes: tuple[int, ...]
    wait: Wait


@dataclass(frozen=True, slots=True)
class Hold:
    """Changes that the brake stops until a person releases them."""

    changes: tuple[int, ...]
    counted: int
    limit: int
    batch: str | None = None

    def __str__(self) -> str:
        how = "by one statement" if self.batch else "within one minute"
        return f"{self.counted} changes were queued {how}; more than {self.limit} are held"


@dataclass(frozen=True, slots=True)
class Look:
    """One read request: of a task, of several at once, or of a project's new tasks.

    `status` is the one that a search has to name. What `search` shows may let a write go, and
    never stops one: a difference is believed of a task's own answer only.
    """

    how: Literal["task", "search", "project"]
    ids: tuple[int, ...]
    why: Literal["before", "settle", "confirm"]
    status: Literal["active", "done"] | None = None


@dataclass(frozen=True, slots=True)
class PushPlan:
    """Everything that a push would do now, in order; the same outbox gives the same plan."""

    steps: tuple[Planned, ...] = ()
    looks: tuple[Look, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    holds: tuple[Hold, ...] = ()
    settled: tuple[int, ...] = ()

    @property
    def requests(self) -> int:
        """How many requests it costs at most, looks included."""
        return len(self.steps) + len(self.looks)


@dataclass(frozen=True, slots=True)
class TagEdit:
    """Tags to put on and to take off, whatever else the task has."""

    plus: Tags = frozenset()
    minus: Tags = frozenset()


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that both sides changed differently, with all three values, for a person."""

    field: str
    base: Value | Missing
    mine: Value
    theirs: Value | Missing
    why: Literal["both", "removed", "flips", "unknown base"] = "both"


@dataclass(frozen=True, slots=True)
class Decided:
    """A conflict that the policy settled; the losing value is kept here, for the audit."""

    conflict: Conflict
    winner: Literal["mine", "theirs"]


@dataclass(frozen=True, slots=True)
class Merge:
    """Three sides of one step, field by field: each is sent, settled or in conflict."""

    to_send: Mapping[str, Value | TagEdit] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    decided: tuple[Decided, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task stands, as the mirror has it."""

    project_id: int
    parent_id: int | None = None
    status: Literal["active", "done"] = "active"
