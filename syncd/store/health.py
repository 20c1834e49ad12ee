"""Questions about the database's own health. Reads only, and says nothing of what follows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from syncd.store.engine import Database

STEPS = 20_000
"""Instructions of SQLite between two looks at the clock; a few milliseconds."""
TABLE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Integrity:
    """What a check of a SQLite file found; `finished` is false where the time was over first."""

    finished: bool
    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes that the files of a SQLite database take, and bytes that are free beside them."""

    used: int
    free: int


def version(db: Database, tx: Connection) -> str:
    """Return the database's kind and version."""
    if db.is_sqlite:
        return f"SQLite {tx.scalar(text('SELECT sqlite_version()'))}"
    return f"PostgreSQL {tx.scalar(text('SHOW server_version'))}"


def journal_mode(db: Database, tx: Connection) -> str | None:
    """Return how a SQLite file keeps its journal; None for a server, which has its own."""
    return str(tx.scalar(text("PRAGMA journal_mode"))) if db.is_sqlite else None


def space(path: Path) -> Space:
    """Measure a SQLite database and the disk it lies on."""
    parts = (Path(f"{path}{ending}") for ending in ("", "-wal", "-shm"))
    used = sum(part.stat().st_size for part in parts if part.exists())
    return Space(used, shutil.disk_usage(path.parent).free)


def quick_check(path: Path, *, limit_s: float, monotonic: Callable[[], float]) -> Integrity:
    """Check the structure of a SQLite file for at most so many seconds.

    Raises sqlite3.Error where the file cannot be read at all.
    """
    end = monotonic() + limit_s
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.set_progress_handler(lambda: monotonic() > end, STEPS)
        try:
            rows = connection.execute("PRAGMA quick_check(3)").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return Integrity(finished=False, complaints=())
    found = tuple(str(row[0]) for row in rows)
    return Integrity(finished=True, complaints=() if found == ("ok",) else found)


def lacking_rights(tx: Connection, tables: tuple[str, ...]) -> list[str]:
    """Return the rights on a PostgreSQL schema and our tables in it that we do not have."""
    if tx.scalar(text("SELECT current_schema()")) is None:  # an upgrade makes it
        may_create = "SELECT has_database_privilege(current_database(), 'CREATE')"
        return [] if tx.scalar(text(may_create)) else ["CREATE on the database"]
    schema = text("SELECT has_schema_privilege(current_schema(), :right)")
    lacking = [
        f"{right} on the schema"
        for right in ("USAGE", "CREATE")
        if not tx.scalar(schema, {"right": right})
    ]
    table = text("SELECT has_table_privilege(:table, :right)")
    return lacking + [
        f"{right} on {name}"
        for name in tables
        for right in TABLE_RIGHTS
        if not tx.scalar(table, {"table": name, "right": right})
    ]
