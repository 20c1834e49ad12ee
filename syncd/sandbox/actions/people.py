"""The actions on people (the API sheet, section 8)."""

from __future__ import annotations

from syncd.sandbox import wire
from syncd.sandbox.calls import Call
from syncd.sandbox.replies import OK, RefusedError, Reply, data


def get_users(call: Call) -> Reply:
    """Everybody who is active; deactivated people are simply missing."""
    return data([wire.member(each) for each in call.account.members.values() if each.active])


def me(call: Call) -> Reply:
    """The token's own user; the administrator's key is nobody."""
    if call.caller.scopes is None:
        raise RefusedError(0, "Action is invalid")
    return data(wire.member(call.account.members[call.caller.member_id]))


def subscribe(call: Call) -> Reply:
    """Add one subscriber to a task; a comma list is no address."""
    task = call.task()
    person = call.person(call.parameters.required("email_user"))
    call.account.subscribe(task.id, person)
    return OK


def unsubscribe(call: Call) -> Reply:
    """Remove one subscriber from a task."""
    task = call.task()
    person = call.person(call.parameters.required("email_user"))
    call.account.unsubscribe(task.id, person)
    return OK


ACTIONS = {
    "get_users": ("users_read", get_users),
    "me": ("users_read", me),
    "subscribe": ("tasks_write", subscribe),
    "unsubscribe": ("tasks_write", unsubscribe),
}
