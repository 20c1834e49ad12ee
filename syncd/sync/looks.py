"""The fewest looks that are safe: one before every write, and those that settle what is open.

Tasks are looked at together where a search shows as much as the task itself, and only so many
that the last of them is still written soon after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from syncd.model.change import UNSETTLED, Change
from syncd.model.outbound import Folded, Look, Place, Step
from syncd.sync.fold import task_lane

Status = Literal["active", "done"]
Why = Literal["confirm", "settle"]

TOGETHER: Final = 25
"""Tasks of one search: at a request a second, the last is written half a minute after the look."""

CONFIRMED_TOGETHER: Final = 200
"""Tasks of one search that confirms: nothing is written after it, so only its address is short."""


def looks(
    steps: Sequence[Step], folded: Iterable[Folded], places: Mapping[int, Place]
) -> tuple[Look, ...]:
    """Return the reads of a push: first those that settle what was sent, then those of the steps.

    A new task is looked at too before something more is written to it; what it is called by then
    is not known yet, so it is counted by its lane alone.
    """
    return (*_open_ends(folded), *_before(steps, places))


def reads_after(steps: Iterable[Step], places: Mapping[int, Place]) -> int:
    """Count the reads that confirm these steps once they went, many in one request.

    A new task and tags are read in the task itself, all else by searches of one status each.
    """
    alone: set[str] = set()
    together: dict[str, set[str]] = {}
    for step in steps:
        place = places.get(step.task_id or 0)
        if step.verb in {"create", "tag"} or place is None:
            alone.add(step.lane)
        else:
            status = {"complete": "done", "reopen": "active"}.get(step.verb, place.status)
            for lanes in together.values():
                lanes.discard(step.lane)
            together.setdefault(status, set()).add(step.lane)
    return len(alone) + sum(
        -(-len(lanes - alone) // CONFIRMED_TOGETHER) for lanes in together.values()
    )


def _open_ends(folded: Iterable[Folded]) -> Iterator[Look]:
    """A task for itself; lost creations by their project, for one answer settles all of them."""
    projects: set[int] = set()
    for each in folded:
        change = each.behind
        if change is None or change.state not in UNSETTLED:
            continue
        if change.task_id is not None:
            why: Why = "confirm" if change.state == "applied" else "settle"
            yield Look("task", (change.task_id,), why)
        else:
            projects |= _project(change)
    yield from (Look("project", (id,), "settle") for id in sorted(projects))


def _project(change: Change) -> set[int]:
    id = change.fields.get("project_id")
    return {id} if isinstance(id, int) else set()


def _before(steps: Sequence[Step], places: Mapping[int, Place]) -> Iterator[Look]:
    """A search tells no tags for certain, and has to name a status (API sheet, 5.3 and 5.4)."""
    alone = {step.lane for step in steps if step.verb == "tag"}
    waiting: dict[Status, list[int]] = {"active": [], "done": []}
    for id, place in _tasks(steps, places):
        if place is None or task_lane(id) in alone:
            yield Look("task", (id,) if id else (), "before")
            continue
        waiting[place.status].append(id)
        if len(waiting[place.status]) == TOGETHER:
            yield _together(waiting[place.status], place.status)
            waiting[place.status] = []
    yield from (_together(ids, status) for status, ids in waiting.items() if ids)


def _tasks(
    steps: Iterable[Step], places: Mapping[int, Place]
) -> Iterator[tuple[int, Place | None]]:
    """Each task that something is written to, once, in the order of the steps; 0 has no id yet."""
    seen: set[str] = set()
    for step in steps:
        if step.verb != "create" and step.lane not in seen:
            seen.add(step.lane)
            yield step.task_id or 0, places.get(step.task_id or 0)


def _together(ids: Sequence[int], status: Status) -> Look:
    """One task is asked for itself: that costs the same and tells all."""
    if len(ids) == 1:
        return Look("task", tuple(ids), "before")
    return Look("search", tuple(ids), "before", status)
