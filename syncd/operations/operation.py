"""What an outbound verb is: the fields it takes, the one request it makes, how to see it landed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from syncd.model.change import Fields, Tags, Value
from syncd.model.outbound import Step, TagEdit, Verb
from syncd.sync.names import Names
from syncd.sync.settle import Landing
from syncd.worksection.parameters import NOT_GIVEN, NotGiven
from syncd.worksection.request import Attachment, Request

T = TypeVar("T", bound=Value)


@dataclass(frozen=True, slots=True)
class Sending:
    """A merged step on its way out.

    `values` are what the merge says to send, `theirs` what the look before it showed.
    `omitting_keeps_assignee` is true only for an account where that was seen: update_task may
    otherwise reset an assignee that it is not told (API sheet, section 6.2).
    """

    step: Step
    names: Names
    values: Mapping[str, Value | TagEdit]
    theirs: Fields = field(default_factory=dict)
    task_id: int | None = None
    parent_id: int | None = None
    attach: tuple[Attachment, ...] = ()
    omitting_keeps_assignee: bool = False

    def chosen(self, name: str, kind: type[T]) -> T | NotGiven | None:
        """Return a value to set, None to clear it, NOT_GIVEN to leave it alone."""
        if name not in self.values:
            return NOT_GIVEN
        value = self.values[name]
        if value is not None and not isinstance(value, kind):
            raise ValueError(f"{name} cannot be {value!r}")
        return value

    def filled(self, name: str, kind: type[T]) -> T | None:
        """Return a value to set, or None where there is none: a creation has nothing to clear."""
        value = self.chosen(name, kind)
        return None if isinstance(value, NotGiven) else value

    def id(self) -> int:
        """Return the task that is written to."""
        id = self.task_id or self.step.task_id
        if id is None:
            raise ValueError(f"{self.step.lane} has no id yet")
        return id


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Why no request can be made of a step: the change fails before anything is sent."""

    field: str
    why: str


Draft = Request | Unsendable | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One outbound verb. `request` is None where the merge has left nothing to send."""

    verb: Verb
    fields: frozenset[str]
    request: Callable[[Sending], Draft]
    landed: Callable[[Step, Fields | None], Landing]


def unknown_tag(tags: Tags) -> Unsendable | None:
    """Refuse labels that mean no tag: names never go out, they repeat and may hold commas."""
    labels = sorted(tag for tag in tags if isinstance(tag, str))
    return Unsendable("tags", f"there is no tag {labels[0]!r}, or several") if labels else None


def ids(tags: Tags) -> list[int]:
    """Return tags as they go out: by id, sorted, so that equal edits are equal requests."""
    return sorted(tag for tag in tags if isinstance(tag, int))
