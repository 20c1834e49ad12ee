"""What a push would do now with everything that is queued; nothing is sent or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from syncd.model.outbound import Hold, Planned, PushPlan, Wait
from syncd.services.push.outgoing import load


@dataclass(frozen=True)
class Outlook:
    """A plan, asked change by change."""

    plan: PushPlan
    unreadable: Mapping[int, str]

    @cached_property
    def going(self) -> Mapping[int, Planned]:
        """The first step that carries each change."""
        carried = [(id, each) for each in self.plan.steps for id in each.step.changes]
        return dict(reversed(carried))

    @cached_property
    def waits(self) -> Mapping[int, Wait]:
        """Why each change that does not go waits."""
        return {id: each.wait for each in self.plan.waiting for id in each.changes}

    @cached_property
    def holds(self) -> Mapping[int, Hold]:
        """What the brake is about to stop."""
        return {id: hold for hold in self.plan.holds for id in hold.changes}


def look_ahead(tx: Connection, *, now: datetime, max_batch: int) -> Outlook:
    """Plan a push from what the database holds."""
    out = load(tx)
    plan = out.plan(now=now, max_batch=max_batch)
    return Outlook(plan, {one.id: one.why for one in out.unreadable})
