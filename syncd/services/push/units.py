"""Units: steps of a plan that go together, because they carry the same changes.

One edit of a task's fields and of its tags is two requests, over one look and under one intent.
So is an edit with what takes a part of it back, such as a reopening and a day of closing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from syncd.model.outbound import Planned, Step, Wait


@dataclass(frozen=True)
class Unit:
    """Steps of one lane that go one right after the other."""

    steps: tuple[Step, ...]
    after: tuple[Wait, ...] = ()

    @cached_property
    def changes(self) -> tuple[int, ...]:
        """The changes that its steps carry."""
        return tuple(sorted({id for step in self.steps for id in step.changes}))

    @property
    def lane(self) -> str:
        """The lane of its steps."""
        return self.steps[0].lane

    @property
    def task_id(self) -> int | None:
        """The task that it writes to, once there is one."""
        return self.steps[0].task_id

    @property
    def creates(self) -> bool:
        """Whether it makes its task."""
        return self.steps[0].verb == "create"


def units(planned: Iterable[Planned]) -> tuple[Unit, ...]:
    """Put together the steps of a plan that carry the same changes, at the place of their last.

    Other steps may stand between them; those of the same lane come along. Left apart, the first
    would settle the changes, and what the second carries of them would never go out. Only what a
    creation could not carry goes by itself: it is queued again once the task is there.
    """
    found: dict[int, Unit] = {}
    places: dict[str, list[int]] = {}
    for place, each in enumerate(planned):
        own = places.setdefault(each.step.lane, [])
        first = next((n for n, at in enumerate(own) if _joins(found[at], each.step)), len(own))
        joined = [found.pop(at) for at in own[first:]]
        own[first:] = [place]
        found[place] = Unit(
            (*(step for unit in joined for step in unit.steps), each.step),
            (*(wait for unit in joined for wait in unit.after), *each.after),
        )
    return tuple(found.values())


def _joins(unit: Unit, step: Step) -> bool:
    return not unit.creates and not set(unit.changes).isdisjoint(step.changes)
