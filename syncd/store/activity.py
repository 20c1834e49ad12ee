"""What people did in the account and when: the rows of its change feed, each of them once.

The feed reaches back 30 days, gives no ids and does not report everything (API sheet, section 7.1),
so a row here is a hint and an author's name, never a proof.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from syncd.store.schema import metadata
from syncd.store.types import Document, Id, Instant, LocalTime

activity = Table(
    "activity",
    metadata,
    Column("id", Id, primary_key=True, comment="number of the row, in the order we saw them"),
    Column("fingerprint", Text, nullable=False, unique=True, comment="hash of the event as sent"),
    Column("action", Text, nullable=False, comment="post, update, close, reopen or delete"),
    Column("entity", Text, nullable=False, comment="task, project or comment"),
    Column("entity_id", Id, nullable=False, comment="the account's number of it"),
    Column("task_id", Id, comment="the task it is about, tasks.id"),
    Column("project_id", Id, comment="its project, projects.id"),
    Column("member_id", Id, comment="who did it, members.id"),
    Column("member_name", Text, comment="who did it, as named then"),
    Column(
        "date_added",
        LocalTime,
        nullable=False,
        comment="when, the account's wall clock, to the minute",
    ),
    Column("at", Instant, comment="when, UTC; NULL unless account.timezone is set"),
    Column("new", Document, comment="the changed fields after, as sent"),
    Column("old", Document, comment="the changed fields before, as sent"),
    Column("seen_at", Instant, nullable=False, comment="when we first saw it, UTC"),
    Index(None, "task_id"),
    Index(None, "date_added"),
    comment="Who did what in the account and when, as its change feed tells; a hint, no proof.",
)
