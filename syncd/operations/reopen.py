"""Open a task again: reopen_task. Its parent comes first (code 14). API sheet, section 6.3."""

from __future__ import annotations

from syncd.model.change import Fields
from syncd.model.outbound import Step
from syncd.operations.operation import Draft, Operation, Sending
from syncd.sync.settle import Landing, settle_edit
from syncd.worksection.methods.tasks import reopen_task


def request(sending: Sending) -> Draft:
    """Return the reopening, unless the task is active already."""
    return reopen_task(sending.id()) if sending.values else None


def landed(step: Step, theirs: Fields | None) -> Landing:
    """Say whether the task is active."""
    return settle_edit(step.fields, step.base, theirs)


REOPEN = Operation("reopen", frozenset({"status"}), request, landed)
