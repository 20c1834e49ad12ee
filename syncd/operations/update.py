"""Change an existing task's own fields: update_task. API sheet, section 6.2.

What is not named stays as it is, but for the assignee, which the account may reset: so the
current one, as just looked up, always goes along. None goes out empty, an assignee as NOONE.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from syncd.model.change import Fields
from syncd.model.fields import EDITABLE
from syncd.model.outbound import Step
from syncd.operations.operation import Draft, Operation, Sending, Unsendable
from syncd.sync.canonical import canonical_email
from syncd.sync.settle import Landing, settle_edit
from syncd.worksection.methods.tasks import update_task
from syncd.worksection.parameters import NOT_GIVEN, NotGiven


def request(sending: Sending) -> Draft:
    """Return the update with what the merge left to send."""
    if not sending.values:
        return None
    assignee = _assignee(sending)
    if isinstance(assignee, Unsendable):
        return assignee
    title = sending.chosen("name", str)
    if title is None or title == "":
        return Unsendable("name", "a task always has a name")
    return update_task(
        sending.id(),
        title=title,
        email_user_to=assignee,
        priority=sending.chosen("priority", int),
        datestart=sending.chosen("date_start", date),
        dateend=sending.chosen("date_end", date),
        dateclosed=sending.chosen("date_closed", date),
        max_time=sending.chosen("max_time", Decimal),
        max_money=sending.chosen("max_money", Decimal),
    )


def landed(step: Step, theirs: Fields | None) -> Landing:
    """Say whether the task shows it."""
    return settle_edit(step.fields, step.base, theirs)


def _assignee(sending: Sending) -> str | NotGiven | Unsendable | None:
    """Return the new assignee, or the current one, so that an edit touches only what it names."""
    wanted = sending.chosen("assignee_email", str)
    if not isinstance(wanted, NotGiven):
        return canonical_email(wanted) if wanted else None
    if sending.omitting_keeps_assignee:
        return NOT_GIVEN
    current = sending.theirs.get("assignee_email")
    if not isinstance(current, str) or current.startswith("#"):
        why = "the address of the task's assignee is not known, and would have to be sent along"
        return Unsendable("assignee_email", why)
    return current


UPDATE = Operation("update", EDITABLE - {"status", "tags"}, request, landed)
