"""What a step needs before it can go: its parent, its subtasks, a change it depends on.

The account refuses to complete over open subtasks (code 13), to reopen and to create under a
parent that is done (14, 8). So creations and reopenings go from the top down, completions from
the bottom up, and where two changes oppose each other the older one goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from syncd.model.change import FINAL, Change
from syncd.model.outbound import Folded, Place, Step, Verb, Wait, WaitKind
from syncd.sync.fold import Creations, new_lane, task_lane

Key = tuple[str, Verb]


@dataclass(frozen=True, slots=True)
class Edge:
    """One step needs another: `first` before `then`."""

    first: Key
    then: Key
    kind: WaitKind


@dataclass(frozen=True)
class Kin:
    """All lanes of one plan, with the changes behind them and the tree that they stand in."""

    lanes: Mapping[str, Folded]
    changes: Mapping[int, Change]
    places: Mapping[int, Place]

    @cached_property
    def steps(self) -> Mapping[Key, Step]:
        """Every step by its key."""
        return {step.key: step for folded in self.lanes.values() for step in folded.steps}

    @cached_property
    def creations(self) -> Creations:
        """The creations, whatever became of them."""
        return Creations.among(self.changes.values())

    @cached_property
    def born(self) -> Mapping[int, Change]:
        """The creations of tasks that the mirror may not have taken in yet, by the task's id."""
        return {c.task_id: c for c in self.creations.by_id.values() if c.task_id}

    @cached_property
    def carriers(self) -> Mapping[int, tuple[Step, ...]]:
        """The steps that carry each change."""
        found: dict[int, list[Step]] = {}
        for step in self.steps.values():
            for id in step.changes:
                found.setdefault(id, []).append(step)
        return {id: tuple(steps) for id, steps in found.items()}

    @cached_property
    def stuck(self) -> frozenset[int]:
        """Changes that wait in their lane behind another."""
        return frozenset(c.id for folded in self.lanes.values() for c in folded.waiting)

    @cached_property
    def stuck_children(self) -> Mapping[str, tuple[str, ...]]:
        """For each parent's lane, the subtasks' lanes in which something is stuck."""
        found: dict[str, list[str]] = {}
        for lane, folded in self.lanes.items():
            parent = self.parent_of(lane) if folded.behind else None
            if parent is not None:
                found.setdefault(parent, []).append(lane)
        return {parent: tuple(sorted(lanes)) for parent, lanes in found.items()}

    def step(self, lane: str | None, verb: Verb) -> Step | None:
        """Return the step of a lane that does this, if one is to."""
        return self.steps.get((lane, verb)) if lane else None

    def parent_of(self, lane: str) -> str | None:
        """Return the lane of the parent of a lane's task, or None at the top."""
        kind, _, number = lane.partition(" ")
        if kind == "new":
            return self._above(self.changes[int(number)])
        id = int(number) if kind == "task" else 0
        if id in self.places:
            above = self.places[id].parent_id
            return task_lane(above) if above else None
        return self._above(self.born[id]) if id in self.born else None

    def parent_made(self, creation: Change) -> Change | None:
        """Return the creation of the parent that a creation names by its ref."""
        ref = creation.fields.get("parent_ref")
        return self.creations.named(ref, creation.depends_on) if isinstance(ref, str) else None

    def _above(self, creation: Change) -> str | None:
        """The parent that a creation names: by its id as soon as it has one."""
        made, id = self.parent_made(creation), creation.fields.get("parent_id")
        if made is not None:
            return task_lane(made.task_id) if made.task_id else new_lane(made.id)
        return task_lane(id) if isinstance(id, int) else None


def edges(kin: Kin) -> list[Edge]:
    """Return what must be before what: within lanes, in families, and where a change says so."""
    return [edge for folded in kin.lanes.values() for edge in _edges_of(kin, folded)]


def stop(kin: Kin, step: Step, now: datetime) -> Wait | None:
    """Say what stops a step that no other step of this plan can bring about."""
    if step.not_before is not None and step.not_before > now:
        return Wait("time", until=step.not_before)
    dependencies = (_dependency(kin, id) for id in step.depends_on)
    return _missing_kin(kin, step) or next((wait for wait in dependencies if wait), None)


def _edges_of(kin: Kin, folded: Folded) -> Iterator[Edge]:
    steps = folded.steps
    for first, then in pairwise(steps):
        yield Edge(first.key, then.key, "lane")
    if steps:
        yield from _family(kin, kin.parent_of(folded.lane), folded.lane)
    for step in steps:
        for id in step.depends_on:
            yield from (Edge(c.key, step.key, "depends") for c in kin.carriers.get(id, ()))


def _family(kin: Kin, parent: str | None, child: str) -> Iterator[Edge]:
    """Parent and child: down when opening, up when closing, by age when they oppose."""
    done, closed = kin.step(child, "complete"), kin.step(parent, "complete")
    for opening in _given(kin.step(child, "create"), kin.step(child, "reopen")):
        for first in _given(kin.step(parent, "create"), kin.step(parent, "reopen")):
            yield Edge(first.key, opening.key, "parent")
        if closed is not None:
            yield _opposed(opening, closed, closes_too=done is not None)
    if closed is not None and done is not None:
        yield Edge(done.key, closed.key, "children")


def _given(*steps: Step | None) -> Iterable[Step]:
    return (step for step in steps if step is not None)


def _opposed(opening: Step, closing: Step, *, closes_too: bool) -> Edge:
    """A subtask opens, its parent closes: both work if it closes too, else the older one does."""
    if closes_too or (opening.since, opening.changes) < (closing.since, closing.changes):
        return Edge(opening.key, closing.key, "children")
    return Edge(closing.key, opening.key, "parent")


def _dependency(kin: Kin, id: int) -> Wait | None:
    change = kin.changes.get(id)
    if change is None or change.state in {"applied", "confirmed"}:
        return None
    if change.operation == "create" and change.task_id is not None:
        return None  # the task is there, whatever the account did not do of what was asked
    if change.state == "queued" and id not in kin.stuck:
        return None
    return Wait("depends", id, change.state)


def _missing_kin(kin: Kin, step: Step) -> Wait | None:
    if step.verb == "create" and (unborn := _unborn(kin, step)):
        return unborn
    if step.verb in {"create", "reopen"}:
        return _held_back(kin, kin.parent_of(step.lane), "active", "parent")
    if step.verb == "complete":
        children = kin.stuck_children.get(step.lane, ())
        waits = (_held_back(kin, child, "done", "children") for child in children)
        return next((wait for wait in waits if wait), None)
    return None


def _unborn(kin: Kin, step: Step) -> Wait | None:
    """Wait for a parent's creation that no step of this plan does."""
    made = kin.parent_made(kin.changes[step.changes[0]])
    if made is None:
        return Wait("unknown") if step.fields.get("parent_ref") else None
    if made.task_id is not None or kin.step(new_lane(made.id), "create"):
        return None
    return Wait("parent", made.id, made.state)


def _held_back(kin: Kin, lane: str | None, status: str, kind: WaitKind) -> Wait | None:
    """Wait for a change that gives the lane's task this status, if one is stuck there."""
    folded = kin.lanes.get(lane or "")
    if folded is None or folded.behind is None:
        return None
    turning = [c for c in (folded.behind, *folded.waiting) if "status" in c.patch]
    if not turning or turning[-1].patch["status"] != status:
        return None
    last = turning[-1]
    return None if last.state in FINAL | {"applied"} else Wait(kind, last.id, last.state)
