"""Close a task: complete_task. Its subtasks come first (code 13). API sheet, section 6.3.

The reply may show the task as it was before, so it is no evidence of anything.
"""

from __future__ import annotations

from syncd.model.change import Fields
from syncd.model.outbound import Step
from syncd.operations.operation import Draft, Operation, Sending
from syncd.sync.settle import Landing, settle_edit
from syncd.worksection.methods.tasks import complete_task


def request(sending: Sending) -> Draft:
    """Return the completion, unless the task is done already."""
    return complete_task(sending.id()) if sending.values else None


def landed(step: Step, theirs: Fields | None) -> Landing:
    """Say whether the task is done."""
    return settle_edit(step.fields, step.base, theirs)


COMPLETE = Operation("complete", frozenset({"status"}), request, landed)
