"""get_events (the API sheet, section 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile

from syncd.sandbox import events
from syncd.sandbox.calls import Call
from syncd.sandbox.records import Event
from syncd.sandbox.replies import Reply, data


def get_events(call: Call) -> Reply:
    """What happened within the period, oldest first."""
    since = events.period(call.parameters.required("period").strip())
    only = call.project().id if call.parameters.text("id_project") else None
    recent = [e for e in happened(call, since) if only in (None, e.project_id)]
    shown = [e for e in recent if events.is_reported(e, call.switches) and reaches(call, e)]
    return data([events.form(call.account, each, call.switches) for each in reversed(shown)])


def happened(call: Call, since: timedelta) -> Iterator[Event]:
    """The events of the period, newest first."""
    now = call.account.clock()
    recent = takewhile(lambda event: event.at >= now - since, reversed(call.account.events))
    return (event for event in recent if event.at <= now)


def reaches(call: Call, event: Event) -> bool:
    """Whether the caller may know: deleted projects are told of only to those who saw all."""
    project = call.account.projects.get(event.project_id)
    if project is None:
        return call.caller.projects is None
    return call.reaches(project) and not is_delayed(call, event)


def is_delayed(call: Call, event: Event) -> bool:
    """Whether the event is about a task that is not published yet."""
    task = call.account.tasks.get(event.task_id or 0)
    return task is not None and call.account.is_delayed(task)


ACTIONS = {"get_events": ("projects_read", get_events)}
