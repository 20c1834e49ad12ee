"""What the demo proves for itself: it looks into the database with nothing but sqlite3."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from syncd.errors import SyncdError
from syncd.sandbox import Account

PLACE = ("project_id", "parent_id", "level")
WORK = ("name", "status", "priority", "author_id", "assignee_id", "max_time", "max_money")
DATES = ("date_added", "date_start", "date_end", "date_closed")
FIELDS = (*PLACE, *WORK, *DATES)
MIRROR = ("tasks", "task_history", "task_tags", "task_relations", "files")
CATALOGUES = ("projects", "members", "tags")


class NotAsToldError(SyncdError):
    """The demo did not go as it should have."""

    def __init__(self, claim: str) -> None:
        super().__init__(
            f"The demo did not go as told: {claim}.",
            hint="This is a fault of syncd, or of this machine; please report it.",
        )


def must(claim: str, holds: bool) -> None:
    """Go on only if the claim holds. Raises NotAsToldError."""
    if not holds:
        raise NotAsToldError(claim)


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def execute(database: Path, *statements: str) -> None:
    """Change the database, as any SQL tool would."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def mirrored(database: Path) -> dict[int, dict[str, str]]:
    """Return what the mirror says of each task that is there."""
    listed = ", ".join(FIELDS)
    rows = query(database, f"SELECT id, {listed} FROM tasks WHERE removed_at IS NULL")  # noqa: S608 - our own names
    return {id: dict(zip(FIELDS, map(_text, values), strict=True)) for id, *values in rows}


def truth(account: Account) -> dict[int, dict[str, str]]:
    """Return what the account itself knows of each task that its API lists."""
    tasks = account.snapshot()["tasks"].values()
    return {
        task["id"]: {name: _text(task[name]) for name in FIELDS} for task in tasks if task["listed"]
    }


def _text(value: Any) -> str:
    """Return a value in the one form that both sides can have."""
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and "-" not in text else text


def fingerprint(database: Path) -> str:
    """Return a hash over every row of the mirror; what syncd remembers of its runs is not in it."""
    tables = {name: _rows(database, name) for name in (*MIRROR, *CATALOGUES)}
    return sha256(repr(tables).encode()).hexdigest()


def _rows(database: Path, table: str) -> list[str]:
    return sorted(map(repr, query(database, f"SELECT * FROM {table}")))  # noqa: S608 - our own names
