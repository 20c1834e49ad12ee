"""What people did in the account and when: the rows of its change feed, each of them once.

The feed reaches back 30 days, gives no ids and does not report everything (API sheet, section 7.1),
so a row here is a hint and an author's name, never a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, Text, select

from syncd.model.activity import Activity
from syncd.store import authorship
from syncd.store.mirror import add, batches
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


def when_seen(tx: Connection, fingerprints: Iterable[str]) -> dict[str, datetime]:
    """Return when each event that is known was first seen."""
    columns = (activity.c.fingerprint, activity.c.seen_at)
    return {
        row.fingerprint: row.seen_at
        for batch in batches(fingerprints)
        for row in tx.execute(select(*columns).where(activity.c.fingerprint.in_(batch)))
    }


def keep(
    tx: Connection,
    events: Sequence[Activity],
    *,
    instant: Callable[[datetime], datetime | None],
    seen_at: datetime,
) -> int:
    """Store the events that are not known yet, and return how many that were.

    The lease is verified in the same transaction, so nobody else stores any meanwhile. Changes that
    were seen before get the authors that are told of now.
    """
    known = when_seen(tx, (each.fingerprint for each in events))
    names = [column.name for column in activity.columns if column.name in Activity.__slots__]
    rows = [
        {name: getattr(each, name) for name in names}
        | {"at": instant(each.date_added), "seen_at": seen_at}
        for each in events
        if each.fingerprint not in known
    ]
    add(tx, activity, rows)
    authorship.name_told(tx, {row["task_id"] for row in rows} - {None})
    return len(rows)


def of_tasks(tx: Connection, ids: Iterable[int]) -> dict[int, list[Row[Any]]]:
    """Return what was told of each task, the newest first."""
    newest = (activity.c.date_added.desc(), activity.c.id.desc())
    found: dict[int, list[Row[Any]]] = {}
    for batch in batches(ids):
        query = select(activity).where(activity.c.task_id.in_(batch))
        for row in tx.execute(query.order_by(*newest)):
            found.setdefault(row.task_id, []).append(row)
    return found
