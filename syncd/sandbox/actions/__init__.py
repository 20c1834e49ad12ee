"""The actions of the API by name, each with the scope it needs (the API sheet, section 9)."""

from __future__ import annotations

from collections.abc import Callable

from syncd.sandbox.actions import (
    comments,
    costs,
    events,
    files,
    people,
    projects,
    reading,
    tags,
    webhooks,
    writing,
)
from syncd.sandbox.calls import Call
from syncd.sandbox.replies import Reply

Action = Callable[[Call], Reply]

ACTIONS: dict[str, tuple[str, Action]] = {
    **reading.ACTIONS,
    **writing.ACTIONS,
    **projects.ACTIONS,
    **people.ACTIONS,
    **tags.ACTIONS,
    **events.ACTIONS,
    **comments.ACTIONS,
    **costs.ACTIONS,
    **files.ACTIONS,
    **webhooks.ACTIONS,
}
