"""A plan's requests as they would go out if the account stood as the mirror has it.

For people to read: what a creation will be called is not known yet, and stands there as `?`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from syncd.model.change import Fields
from syncd.model.outbound import Merge, Planned, PushPlan, Step
from syncd.operations import Draft, Sending, draft
from syncd.sync.merge import ASK, Policy, merge
from syncd.sync.names import Names, with_ids
from syncd.worksection.request import Attachment, Request

_UNKNOWN: Final = "?"
_PLACEHOLDER: Final = 2**63 - 1
"""An id that no task has; it is replaced before anybody sees it."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A planned step, what would be sent for it, and what the mirror already knows to collide."""

    planned: Planned
    draft: Draft
    merge: Merge

    def __str__(self) -> str:
        return str(self.draft) if isinstance(self.draft, Request) else repr(self.draft)


def rehearse(
    plan: PushPlan,
    mirror: Mapping[int, Fields],
    names: Names,
    *,
    policy: Policy = ASK,
    files: Mapping[int, tuple[str, ...]] | None = None,
) -> tuple[Rehearsed, ...]:
    """Return every step of a plan with its request; `mirror` shows the tasks as `shown` does.

    `files` are the names of those that go along with a creation, by its change.
    """
    along = files or {}
    return tuple(_rehearse(each, mirror, names, policy, along) for each in plan.steps)


def merged(
    step: Step,
    theirs: Fields | None,
    names: Names,
    *,
    policy: Policy = ASK,
    flips: Mapping[str, int] | None = None,
) -> Merge:
    """Merge a step with the task as it is now; a creation has nothing to be merged with."""
    mine = with_ids(step.fields, names)
    if step.verb == "create":
        return Merge(to_send=mine)
    return merge(
        mine,
        with_ids(step.base, names),
        theirs,
        passed=step.passed,
        policy=policy,
        flips=flips,
    )


def _rehearse(
    planned: Planned,
    mirror: Mapping[int, Fields],
    names: Names,
    policy: Policy,
    files: Mapping[int, tuple[str, ...]],
) -> Rehearsed:
    step = planned.step
    theirs = mirror.get(step.task_id or 0, _as_queued(step, names))
    result = merged(step, theirs, names, policy=policy)
    sending = Sending(
        step=step,
        names=names,
        values=result.to_send,
        theirs=theirs,
        task_id=step.task_id or _PLACEHOLDER,
        parent_id=_PLACEHOLDER if step.fields.get("parent_ref") else None,
        attach=tuple(Attachment(name, b"") for name in files.get(step.changes[0], ())),
    )
    return Rehearsed(planned, _readable(draft(sending)), result)


def _as_queued(step: Step, names: Names) -> Fields:
    """A task that the mirror lacks is taken to be as it was; a new one is nobody's."""
    return {"assignee_email": "NOONE", **with_ids(step.base, names)}


def _readable(request: Draft) -> Draft:
    if not isinstance(request, Request):
        return request
    params = (
        (key, _UNKNOWN if value == str(_PLACEHOLDER) else value) for key, value in request.params
    )
    return replace(request, params=tuple(params))
