"""Which fields of a task its past image and the one after it differ in, as readers call them.

Stored with the past image, so that nobody has to compare all fields of all versions again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from syncd.model.plan import Remove, Restore, Update
from syncd.sync.reconcile import differing

NAMES: Final[Mapping[str, str]] = {
    "name": "name",
    "status": "status",
    "priority": "priority",
    "assignee_id": "assignee_email",
    "date_start": "date_start",
    "time_start": "time_start",
    "date_end": "date_end",
    "time_end": "time_end",
    "date_closed": "date_closed",
    "max_time": "max_time",
    "max_money": "max_money",
    "tags": "tags",
    "project_id": "project_id",
    "parent_id": "parent_id",
    "level": "level",
    "author_id": "author_email",
    "date_added": "date_added",
    "text": "text",
    "extra": "extra",
    "removed_reason": "removed_reason",
}
"""The fields that are told of, by column: what each is called in the view task_changes."""


def changed_fields(action: Update | Restore | Remove) -> list[str] | None:
    """Name what the next image has otherwise; None: nothing that is told of.

    Links go with a removal and come with a return: neither is a change of the tags.
    """
    before, reason = action.before, None
    match action:
        case Update():
            found = set(action.fields)
        case Restore():
            found = set(differing(action.record, before.record)) - {"tags"}
        case Remove():
            found, reason = set(), action.reason
    if before.removed_reason != reason:
        found.add("removed_reason")
    return [name for column, name in NAMES.items() if column in found] or None
