"""The order of steps over all lanes: what must be first, then whoever waits longest.

What cannot go stops what needs it, and nothing beside it: lanes do not wait for each other.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from syncd.model.change import Change
from syncd.model.outbound import Folded, Place, Planned, Step, Verb, Wait, Waiting, WaitKind
from syncd.sync.kin import Edge, Key, Kin, edges, stop

_RANK: Final[Mapping[Verb, int]] = {
    "create": 0,
    "reopen": 1,
    "update": 2,
    "tag": 3,
    "complete": 4,
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """Every step once: in its place, or waiting."""

    steps: tuple[Planned, ...]
    waiting: tuple[Waiting, ...]


def order(
    folded: Iterable[Folded],
    changes: Iterable[Change],
    places: Mapping[int, Place],
    *,
    now: datetime,
) -> Ordered:
    """Put the steps of all lanes in order; each is in its place, or waits and says for what."""
    kin = Kin({each.lane: each for each in folded}, {c.id: c for c in changes}, places)
    needs = edges(kin)
    waits = {key: wait for key, step in kin.steps.items() if (wait := stop(kin, step, now))}
    _spread(waits, needs, kin.steps)
    placed = _place(kin.steps, needs, without=waits)
    circles = _circles(kin.steps.keys() - waits.keys() - set(placed), needs)
    waits |= {key: _in_circle(key, circles, needs, kin.steps) for key in circles}
    _spread(waits, needs, kin.steps)
    before = _by_end(needs, backwards=True)
    return Ordered(
        tuple(Planned(kin.steps[key], _afters(before.get(key, ()), kin.steps)) for key in placed),
        tuple(Waiting(kin.steps[key].changes, waits[key]) for key in _by_age(waits, kin.steps)),
    )


def _spread(waits: dict[Key, Wait], needs: Sequence[Edge], steps: Mapping[Key, Step]) -> None:
    """Stop what needs a stopped step, and what needs that: the subtree, and nothing beside it."""
    after = _by_end(needs)
    reached = deque(_by_age(waits, steps))
    while reached:
        key = reached.popleft()
        for edge in after.get(key, ()):
            if edge.then not in waits:
                waits[edge.then] = Wait(edge.kind, steps[key].changes[0], "queued")
                reached.append(edge.then)


def _place(
    steps: Mapping[Key, Step], needs: Sequence[Edge], *, without: Collection[Key]
) -> tuple[Key, ...]:
    """Sort topologically, oldest first; what stands in a circle, or behind one, is left out."""
    after = _by_end(needs)
    count = dict.fromkeys((key for key in steps if key not in without), 0)
    for edge in needs:
        if edge.first in count and edge.then in count:
            count[edge.then] += 1
    ready = [(_age(steps[key]), key) for key, needed in count.items() if needed == 0]
    heapq.heapify(ready)
    placed = []
    while ready:
        _, key = heapq.heappop(ready)
        placed.append(key)
        for edge in after.get(key, ()):
            if edge.then in count:
                count[edge.then] -= 1
                if count[edge.then] == 0:
                    heapq.heappush(ready, (_age(steps[edge.then]), edge.then))
    return tuple(placed)


def _circles(left: Collection[Key], needs: Sequence[Edge]) -> frozenset[Key]:
    """Return those of the steps left over that are needed by another of them, and so on."""
    core = frozenset(left)
    while core != (needed := _needed(core, needs)):
        core = needed
    return core


def _needed(core: frozenset[Key], needs: Sequence[Edge]) -> frozenset[Key]:
    return frozenset(edge.first for edge in needs if edge.first in core and edge.then in core)


def _in_circle(
    key: Key, circle: Collection[Key], needs: Sequence[Edge], steps: Mapping[Key, Step]
) -> Wait:
    before = [edge.first for edge in needs if edge.then == key and edge.first in circle]
    return Wait("cycle", steps[_by_age(before, steps)[0]].changes[0], "queued")


def _by_end(needs: Iterable[Edge], *, backwards: bool = False) -> dict[Key, list[Edge]]:
    found: dict[Key, list[Edge]] = {}
    for edge in needs:
        found.setdefault(edge.then if backwards else edge.first, []).append(edge)
    return found


def _afters(before: Iterable[Edge], steps: Mapping[Key, Step]) -> tuple[Wait, ...]:
    kinds: dict[Key, WaitKind] = {}
    for edge in before:  # what a family needs is told before what a change merely says
        kinds.setdefault(edge.first, edge.kind)
    return tuple(Wait(kinds[key], steps[key].changes[0]) for key in _by_age(kinds, steps))


def _age(step: Step) -> tuple[datetime, int, int]:
    return step.since, step.changes[0], _RANK[step.verb]


def _by_age(keys: Iterable[Key], steps: Mapping[Key, Step]) -> list[Key]:
    return sorted(keys, key=lambda key: _age(steps[key]))
