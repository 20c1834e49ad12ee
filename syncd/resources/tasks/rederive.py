"""Derived columns made anew, when the account's address or its configured time zone changes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, select, update

from syncd.resources.derived import Derived
from syncd.resources.projects import projects
from syncd.resources.tasks.table import files, task_history, tasks
from syncd.store import authorship
from syncd.store.activity import activity
from syncd.store.mirror import change_each

_INSTANTS = {"added_at": "date_added", "closed_at": "date_closed"}


def rederive(tx: Connection, derived: Derived) -> None:
    """Rewrite addresses and instants in every row; the images themselves stay what they are."""
    for table in (tasks, task_history, files, projects):
        _rederive_table(tx, table, derived)
    _rederive_events(tx, derived)


def _rederive_events(tx: Connection, derived: Derived) -> None:
    """Say anew when events were, and by that who made which change."""
    known = select(activity.c.id, activity.c.date_added, activity.c.at)
    found = [
        {"id": row.id, "at": at}
        for row in tx.execute(known)
        if (at := derived.instant(row.date_added)) != row.at
    ]
    if found:
        change_each(tx, activity, found)
        authorship.name_all(tx)


def _rederive_table(tx: Connection, table: Table, derived: Derived) -> None:
    keys = list(table.primary_key.columns)
    instants = {new: old for new, old in _INSTANTS.items() if new in table.c}
    sources: list[Column[Any]] = [table.c.page, *(table.c[old] for old in instants.values())]
    rows = [
        {f"key_{key.name}": row._mapping[key.name] for key in keys}
        | {"new_url": derived.url(row.page)}
        | {f"new_{new}": derived.instant(row._mapping[old]) for new, old in instants.items()}
        for row in tx.execute(select(*keys, *sources))
    ]
    if not rows:
        return
    statement = update(table).values(
        {name: bindparam(f"new_{name}") for name in ("url", *instants)}
    )
    for key in keys:
        statement = statement.where(key == bindparam(f"key_{key.name}"))
    tx.execute(statement, rows)
