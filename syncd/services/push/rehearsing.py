"""What the next cycle would send, request by request, and what it would cost; sends nothing.

The mirror stands for the account: what somebody changed there since the last pull is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from syncd.model.change import Fields
from syncd.model.outbound import Look, PushPlan
from syncd.operations import Unsendable
from syncd.operations.rehearsal import Rehearsed, rehearse
from syncd.resources.projects import live_ids
from syncd.resources.tasks.images import load_images
from syncd.services import catalogues, memory
from syncd.services.push.outgoing import Outgoing, load
from syncd.store.enclosures import enclosed_names
from syncd.store.engine import Database
from syncd.sync.looks import reads_after
from syncd.sync.merge import Policy
from syncd.sync.names import Names, shown


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A plan with its requests; `pulling` and `confirming` are the reads before and after it."""

    plan: PushPlan
    steps: tuple[Rehearsed, ...]
    pulling: int
    confirming: int
    spacing_s: float
    unreadable: Mapping[int, str]
    names: Names

    @property
    def looks(self) -> tuple[Look, ...]:
        """The reads that settle what is open, and those before a write."""
        return self.plan.looks

    @property
    def requests(self) -> int:
        """All requests of the push."""
        return len(self.looks) + len(self.steps) + self.confirming

    @property
    def asks(self) -> bool:
        """Whether something waits for a person: a conflict, the brake, what cannot be sent."""
        stopped = any(one.wait.kind in {"brake", "conflict"} for one in self.plan.waiting)
        refused = any(isinstance(each.draft, Unsendable) for each in self.steps)
        return stopped or refused or bool(self.plan.holds or self.unreadable)

    @property
    def seconds(self) -> float:
        """What the whole cycle takes at the pace that the account allows."""
        return (self.requests + self.pulling) * self.spacing_s


def rehearse_push(
    db: Database, *, now: datetime, policy: Policy, max_batch: int, spacing_s: float
) -> Rehearsal:
    """Plan a cycle from what the database holds."""
    with db.read() as tx:
        out = load(tx)
        plan = out.plan(now=now, max_batch=max_batch)
        ids = {planned.step.task_id for planned in plan.steps if planned.step.task_id}
        return Rehearsal(
            plan=plan,
            steps=rehearse(
                plan,
                _mirrored(tx, out, ids),
                out.names,
                policy=policy,
                files=enclosed_names(tx, [change.id for change in out.changes]),
            ),
            pulling=_pulling(tx, now),
            confirming=reads_after([planned.step for planned in plan.steps], out.places),
            spacing_s=spacing_s,
            unreadable={each.id: each.why for each in out.unreadable},
            names=out.names,
        )


def _mirrored(tx: Connection, out: Outgoing, ids: Collection[int]) -> dict[int, Fields]:
    """Return tasks as the mirror has them, in the words of a merge."""
    return {id: shown(image.record, out.names) for id, image in load_images(tx, ids).items()}


def _pulling(tx: Connection, now: datetime) -> int:
    """Count the reads of a pull: the whole account in one, or each project for itself."""
    known = memory.load(tx)
    lists = 1 if known.over_limit_at is None else 1 + len(live_ids(tx))
    return lists + (3 if catalogues.due(known.catalogues_at, now) else 0)
