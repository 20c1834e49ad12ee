"""What the image of a task after a change has otherwise, as readers call it and as text.

Stored with the change, so that nobody has to compare all fields of all versions again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

from syncd.model.plan import FieldChange, Remove, Restore, Update
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


def changes(action: Update | Restore | Remove) -> Iterator[FieldChange]:
    """Yield what the next image has otherwise, by column, of the fields that are told of.

    Links go with a removal and come with a return: neither is a change of the tags.
    """
    before, reason = action.before, None
    match action:
        case Update():
            yield from (one for one in action.changes if one.name in NAMES)
        case Restore():
            old, new = before.record, action.record
            found = [name for name in differing(new, old) if name in NAMES and name != "tags"]
            yield from (FieldChange(name, getattr(old, name), getattr(new, name)) for name in found)
        case Remove():
            reason = action.reason
    if before.removed_reason != reason:
        yield FieldChange("removed_reason", before.removed_reason, reason)


def written(value: object) -> str | None:
    """Return a value as text, ids as they are; the same on every database."""
    match value:
        case None | str():
            return value
        case datetime():
            return value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
        case Decimal():
            return format(value.normalize(), "f")
        case tuple() | list() | dict():
            return json.dumps(value)
    return str(value)
