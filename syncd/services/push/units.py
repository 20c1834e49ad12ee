"""Units: steps of a plan that go together, because they carry the same changes.

One edit of a task's fields and of its tags is two requests, over one look and under one intent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from syncd.model.outbound import Planned, Step, Wait

_TOGETHER = {("update", "tag"), ("tag", "update")}


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
    """Put together the steps of a plan that belong together, in the plan's order.

    Other lanes' steps may stand between them. Left apart, the first would settle the change, and
    what the second carries of it would never go out.
    """
    found: list[Unit] = []
    latest: dict[str, int] = {}
    for each in planned:
        at = latest.get(each.step.lane)
        if at is not None and _joins(found[at], each.step):
            found[at] = Unit((*found[at].steps, each.step), found[at].after)
        else:
            latest[each.step.lane] = len(found)
            found.append(Unit((each.step,), each.after))
    return tuple(found)


def _joins(unit: Unit, step: Step) -> bool:
    last = unit.steps[-1]
    verbs = (last.verb, step.verb) in _TOGETHER
    return verbs and last.lane == step.lane and not set(last.changes).isdisjoint(step.changes)
