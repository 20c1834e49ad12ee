"""Create a task: post_task with all it can carry. API sheet, section 6.1.

Not idempotent, and without a name of ours in the account: a lost one is looked for by what it
would look like (syncd/sync/settle.py), never sent again on a guess.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from syncd.model.change import Fields
from syncd.model.outbound import Step
from syncd.operations.operation import Draft, Operation, Sending, Unsendable, ids, unknown_tag
from syncd.sync.canonical import canonical_email
from syncd.sync.fold import CARRIED
from syncd.sync.settle import Landing, Lost
from syncd.worksection.methods.tasks import post_task


def request(sending: Sending) -> Draft:
    """Return the creation; its reply is asked for the text, so that the mirror has all of it."""
    tags = sending.names.tag_ids(sending.filled("tags", frozenset) or frozenset())
    if bad := unknown_tag(tags):
        return bad
    project_id, name = sending.filled("project_id", int), sending.filled("name", str)
    if not project_id or not name:
        return Unsendable("name" if project_id else "project_id", "a new task needs it")
    if sending.values.get("parent_ref") and not sending.parent_id:
        return Unsendable("parent_ref", "its parent has no id yet")
    return post_task(
        project_id,
        name,
        id_parent=sending.parent_id or sending.filled("parent_id", int),
        email_user_from=_email(sending, "author_email"),
        email_user_to=_email(sending, "assignee_email"),
        priority=sending.filled("priority", int),
        text=sending.filled("text", str),
        todo=sending.filled("checklist", tuple) or (),
        datestart=sending.filled("date_start", date),
        dateend=sending.filled("date_end", date),
        subscribe=sending.filled("subscribers", tuple) or (),
        hidden=sending.filled("hidden", tuple) or (),
        mention=sending.filled("mentions", tuple) or (),
        max_time=sending.filled("max_time", Decimal),
        max_money=sending.filled("max_money", Decimal),
        tags=ids(tags),
        extra=("text",),
        attach=sending.attach,
    )


def landed(_step: Step, theirs: Fields | None) -> Landing:
    """Say whether it is there, given the task that settling has found for it."""
    return "not landed" if theirs is None else "landed"


def lost(
    step: Step,
    *,
    parent_id: int | None,
    sent_at: datetime,
    ended_at: datetime,
    sees_hidden: bool,
    whole: bool = True,
) -> Lost:
    """Return a creation whose outcome is not known, to be looked for.

    `sees_hidden` says that our credentials see every task; otherwise one that was created with
    `hidden` may be there without our seeing it. `whole` says that the answer looked through holds
    every task of the project.
    """
    project_id = step.fields.get("project_id")
    if not isinstance(project_id, int):
        raise TypeError(f"{step.lane} was created in no project")
    visible = whole and (sees_hidden or not step.fields.get("hidden"))
    return Lost(step.changes[0], project_id, parent_id, step.fields, sent_at, ended_at, visible)


def _email(sending: Sending, name: str) -> str | None:
    email = sending.filled(name, str)
    return canonical_email(email) if email else None


CREATE = Operation("create", CARRIED, request, landed)
