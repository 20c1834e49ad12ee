"""The columns of `live_tasks`, in the contract's order: names, what they mean, what may be set."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Date, Integer, SmallInteger, Text, column, table
from sqlalchemy.types import TypeEngine

from syncd.store.types import ExactDecimal, Id, LocalTime

COMMENTS = {
    "id": "the account's number; NULL while a creation is pending",
    "ref": "the writer's name of a task that was created here",
    "project_id": "its project, projects.id",
    "parent_id": "the task it is a subtask of; NULL at the top",
    "parent_ref": "the pending creation it is a subtask of, by its ref",
    "level": "1 task, 2 subtask, 3 sub-subtask",
    "name": "title",
    "status": "active or done",
    "priority": "0 to 10",
    "author_email": "who created it",
    "assignee_email": "who is responsible: an email, ANY, NOONE or NULL",
    "text": "description",
    "date_added": "created, the account's wall clock",
    "date_start": "start date",
    "date_end": "due date",
    "date_closed": "completed, the account's wall clock",
    "max_time": "estimate in hours",
    "max_money": "estimate in the account's currency",
    "tags": "labels (tags.label), sorted, joined by commas; NULL: none",
    "url": "address of its page in the account",
    "sync_state": "synced, or the most telling state of its changes",
    "sync_error": "what the change of that state met",
    "checklist": "for INSERT: JSON array of texts; NULL on reading",
    "subscribers": "for INSERT: emails joined by commas; NULL on reading",
    "hidden": "for INSERT: emails of those who alone may see it; NULL on reading",
    "mentions": "for INSERT: emails joined by commas; NULL on reading",
}
COLUMNS = tuple(COMMENTS)
SETTABLE = (
    "name",
    "status",
    "priority",
    "assignee_email",
    "date_start",
    "date_end",
    "date_closed",
    "max_time",
    "max_money",
    "tags",
)
WRITE_ONLY = ("checklist", "subscribers", "hidden", "mentions")

_TYPES: dict[str, TypeEngine[Any]] = {
    **dict.fromkeys(("id", "project_id", "parent_id"), Id),
    "level": SmallInteger(),
    "priority": Integer(),
    **dict.fromkeys(("date_added", "date_closed"), LocalTime),
    **dict.fromkeys(("date_start", "date_end"), Date()),
    **dict.fromkeys(("max_time", "max_money"), ExactDecimal()),
}

live_tasks = table("live_tasks", *(column(name, _TYPES.get(name, Text())) for name in COLUMNS))
"""For our own statements. No Table: the metadata describes tables, and this is a view."""
