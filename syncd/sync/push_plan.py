"""The plan of a push: brake, fold, order, looks. Pure; the same outbox gives the same plan.

It sends nothing: what is planned is looked at again, and merged, just before it goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from syncd.model.change import FINAL, Change, ChangeState
from syncd.model.outbound import Folded, Hold, Place, PushPlan, Wait, Waiting, WaitKind
from syncd.sync.brake import holds
from syncd.sync.fold import fold, lanes
from syncd.sync.looks import looks
from syncd.sync.order import order


def plan_push(
    changes: Iterable[Change],
    *,
    places: Mapping[int, Place],
    now: datetime,
    max_batch: int,
    released: Collection[int | str] = (),
) -> PushPlan:
    """Plan what the changes come down to.

    Give every change that is not final, with the creations that their refs and the changes that
    their `depends_on` name, whatever became of those. `places` are the tasks of the lanes.
    """
    found = sorted(changes, key=lambda change: change.id)
    stopped = holds(found, max_batch=max_batch, released=released)
    braked = _braked(found, stopped)
    folded = [fold(lane, each) for lane, each in lanes(braked).items()]
    ordered = order(folded, braked, places, now=now)
    steps = [planned.step for planned in ordered.steps]
    return PushPlan(
        steps=ordered.steps,
        looks=looks(steps, folded, places),
        waiting=(*_behind(folded), *ordered.waiting),
        holds=stopped,
        settled=tuple(sorted(id for each in folded for id in each.settled)),
    )


def _braked(changes: Sequence[Change], stopped: Iterable[Hold]) -> list[Change]:
    """Take what the brake stops as held already, so that it holds its lane like any other."""
    held = {id for hold in stopped for id in hold.changes}
    return [replace(c, state="held") if c.id in held else c for c in changes]


def _behind(folded: Iterable[Folded]) -> Iterator[Waiting]:
    """What stops a lane, and what waits behind it. A dead creation is final and waits no more."""
    for each in folded:
        if each.behind is None:
            continue
        if each.behind.state not in FINAL:
            yield Waiting((each.behind.id,), Wait(_why(each.behind.state)))
        if each.waiting:
            wait = Wait("lane", each.behind.id, each.behind.state)
            yield Waiting(tuple(change.id for change in each.waiting), wait)


def _why(state: ChangeState) -> WaitKind:
    match state:
        case "held":
            return "brake"
        case "conflict":
            return "conflict"
        case "sending" | "uncertain":
            return "settle"
        case "applied":
            return "confirm"
        case "queued" | "confirmed" | "failed" | "cancelled":
            raise ValueError(f"a change that is {state} stops no lane")
        case _ as never:
            assert_never(never)
