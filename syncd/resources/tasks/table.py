"""The tables of tasks: the present image, the past ones, and what hangs on a task."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from syncd.store.schema import metadata, one_of, removal_columns
from syncd.store.types import (
    Day,
    Document,
    ExactDecimal,
    Id,
    Instant,
    LocalTime,
    TimeOfDay,
    bytes_of,
)


def _image_columns() -> list[Column[Any]]:
    """Return the columns an image of a task has, in `tasks` and in `task_history` alike."""
    return [
        Column("project_id", Id, nullable=False, comment="its project, projects.id"),
        Column("parent_id", Id, comment="the task it is a subtask of; NULL at the top"),
        Column("level", SmallInteger, nullable=False, comment="1 task, 2 subtask, 3 sub-subtask"),
        Column("name", Text, nullable=False, comment="title"),
        Column("page", Text, nullable=False, comment="path of its page in the account"),
        Column("url", Text, nullable=False, comment="address of its page in the account"),
        Column("status", Text, nullable=False, comment="active or done"),
        Column("priority", SmallInteger, nullable=False, comment="0 to 10"),
        Column("author_id", Id, comment="who created it, members.id"),
        Column("assignee_id", Id, comment="who is responsible, members.id; ANY and NOONE are rows"),
        Column("text", Text, comment="description; NULL unless pull.extra asks for text or html"),
        Column("date_added", LocalTime, comment="created, the account's wall clock"),
        Column("added_at", Instant, comment="created, UTC; NULL unless account.timezone is set"),
        Column("date_start", Day, comment="start date, as shown"),
        Column("time_start", TimeOfDay, comment="start time of day, as shown"),
        Column("date_end", Day, comment="due date, as shown"),
        Column("time_end", TimeOfDay, comment="due time of day, as shown"),
        Column("date_closed", LocalTime, comment="completed, the account's wall clock"),
        Column("closed_at", Instant, comment="completed, UTC; NULL unless account.timezone is set"),
        Column("max_time", ExactDecimal, comment="estimate in hours"),
        Column("max_money", ExactDecimal, comment="estimate in the account's currency"),
        Column("extra", Document, comment="fields of the answer that have no column, as sent"),
        Column("valid_from", Instant, nullable=False, comment="this image was first seen, UTC"),
        *removal_columns(),
    ]


tasks = Table(
    "tasks",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="the account's number"),
    *_image_columns(),
    Column("suspect_at", Instant, comment="since when it is missing without evidence, UTC"),
    Column("observed_at", Instant, nullable=False, comment="when what stands here was read, UTC"),
    Column("content_hash", bytes_of(16), nullable=False, comment="hash of the record as read"),
    one_of("status", "active", "done"),
    # SQLite builds such a list anew for every row that it compares with it: most have none.
    CheckConstraint(
        "removed_reason IS NULL OR removed_reason IN"
        " ('deleted', 'archived', 'out_of_reach', 'out_of_scope', 'unknown')",
        name="removed_reason",
    ),
    CheckConstraint("level BETWEEN 1 AND 3", name="level"),
    CheckConstraint("priority BETWEEN 0 AND 10", name="priority"),
    Index(None, "project_id"),
    Index(None, "parent_id"),
    Index(None, "assignee_id"),
    Index(None, "date_end"),
    comment="Every task, subtask and sub-subtask: the account's last confirmed state.",
)

task_history = Table(
    "task_history",
    metadata,
    Column("task_id", Id, nullable=False, comment="the task, tasks.id"),
    *_image_columns(),
    Column("tags", Document, nullable=False, comment="ids of its tags then, sorted"),
    Column("relations", Document, nullable=False, comment="relations it reported then"),
    Column("valid_to", Instant, nullable=False, comment="a newer image was seen, UTC"),
    Column("run_id", Id, nullable=False, comment="the run that saw it change, sync_runs.id"),
    PrimaryKeyConstraint("task_id", "valid_from"),
    Index(None, "valid_to"),
    Index(None, "run_id"),
    comment="Past images of tasks: how a task stood from valid_from until valid_to.",
)

task_history_fields = Table(
    "task_history_fields",
    metadata,
    Column("task_id", Id, nullable=False, comment="the task, tasks.id"),
    Column("valid_from", Instant, nullable=False, comment="its past image, by its valid_from"),
    Column("field", Text, nullable=False, comment="what the next image has otherwise"),
    Column("at", Instant, nullable=False, comment="when that was first seen, UTC"),
    Column("old", Text, comment="the value before, as text; members and tags by their ids"),
    Column("new", Text, comment="the value after, as text; members and tags by their ids"),
    Column("author", Text, comment="who did it, as named then; NULL: not known"),
    Column("author_id", Id, comment="who did it, members.id; NULL: not known"),
    Column("run_id", Id, nullable=False, comment="the run that saw it, sync_runs.id"),
    PrimaryKeyConstraint("task_id", "valid_from", "field"),
    Index(None, "at"),
    comment="What each past image and the next one differ in, field by field: see task_changes.",
)

task_tags = Table(
    "task_tags",
    metadata,
    Column("task_id", Id, nullable=False, comment="the task, tasks.id"),
    Column("tag_id", Id, nullable=False, comment="the tag, tags.id"),
    PrimaryKeyConstraint("task_id", "tag_id"),
    Index(None, "tag_id"),
    comment="Which task has which tag.",
)

files = Table(
    "files",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="the account's number"),
    Column("task_id", Id, nullable=False, comment="the task whose description holds it, tasks.id"),
    Column("name", Text, nullable=False, comment="file name"),
    Column("size", Id, comment="size in bytes"),
    Column("page", Text, nullable=False, comment="download path in the account"),
    Column("url", Text, nullable=False, comment="download address in the account"),
    *removal_columns(),
    Index(None, "task_id"),
    comment="Files of task descriptions: what they are, not their bytes.",
)

task_relations = Table(
    "task_relations",
    metadata,
    Column("from_task_id", Id, nullable=False, comment="the task that comes first, tasks.id"),
    Column("to_task_id", Id, nullable=False, comment="the task that waits for it, tasks.id"),
    Column("type", Text, nullable=False, comment="finish-to-start or start-to-start"),
    Column("reported_by_from", Integer, nullable=False, comment="1: the first task reports it"),
    Column("reported_by_to", Integer, nullable=False, comment="1: the waiting task reports it"),
    PrimaryKeyConstraint("from_task_id", "to_task_id", "type"),
    one_of("type", "finish-to-start", "start-to-start"),
    Index(None, "to_task_id"),
    comment="Dependencies between tasks, one row an edge, whichever end reported it.",
)

IMAGE_COLUMNS = tuple(column.name for column in _image_columns())
