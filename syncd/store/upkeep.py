"""What keeps a database quick: statistics for its planner, a short log, room given back.

Nothing here waits for a reader, and no writer waits here for long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from syncd.store.causes import storage_failed
from syncd.store.engine import Database
from syncd.store.schema import metadata

ROWS_LOOKED_AT: Final = 1000
"""Entries of an index that the statistics are made of: milliseconds, however big the table."""
LOOKS_AT_ALL: Final = (3, 46, 0)
"""From this SQLite on, PRAGMA optimize can look at tables that this connection has not used."""
SPARE_SHARE: Final = 4
"""A file gives room back where more than one in so many of its pages is empty."""
STEP_PAGES: Final = 2000
"""Pages given back in one transaction; a writer waits for no more than that."""
WAIT_S: Final = 2.0
STEPS: Final = 100_000
"""Instructions of SQLite after which something has moved."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done. `log_left`: bytes of SQLite's write-ahead log that somebody still reads."""

    analysed: int = 0
    log_left: int = 0
    given_back: int = 0
    notes: tuple[str, ...] = ()


def upkeep(db: Database, *, moved: Callable[[], None] = lambda: None) -> Upkeep:
    """Keep the database quick. What is locked waits for the next time. Raises StorageFailed.

    On a file `moved` is called again and again meanwhile.
    """
    return _of_file(db, db.path, moved) if db.path is not None else _of_server(db)


def _of_file(db: Database, path: Path, moved: Callable[[], None]) -> Upkeep:
    notes: list[str] = []
    analysed = left = given_back = 0
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as connection:
            connection.set_progress_handler(moved, STEPS)
            analysed = _analyse(connection)
            given_back = _give_back(connection)
            left = _shorten_log(connection, path)
    except sqlite3.Error as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise storage_failed(error, db.label) from error
        notes.append("somebody keeps the database locked; the rest waits for the next time")
    return Upkeep(analysed, left, given_back, tuple(notes))


def _analyse(connection: sqlite3.Connection) -> int:
    connection.execute(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
    new = sqlite3.sqlite_version_info >= LOOKS_AT_ALL
    connection.execute("PRAGMA optimize = 0x10002" if new else "ANALYZE")
    return _number(connection, "SELECT count(DISTINCT tbl) FROM sqlite_stat1")


def _give_back(connection: sqlite3.Connection) -> int:
    """Cut empty pages off the end, where the file was made for that (auto_vacuum = 2).

    Other files keep them: they are filled again, and to cut them off would stop every writer.
    """
    if _number(connection, "PRAGMA auto_vacuum") != 2:
        return 0
    before = _number(connection, "PRAGMA page_count")
    spare = _number(connection, "PRAGMA freelist_count")
    if spare <= before // SPARE_SHARE:
        return 0
    for _ in range(0, spare, STEP_PAGES):
        # As a script, which is stepped to its end: this pragma frees a page with each step.
        connection.executescript(f"PRAGMA incremental_vacuum({STEP_PAGES})")
    freed = before - _number(connection, "PRAGMA page_count")
    return freed * _number(connection, "PRAGMA page_size")


def _shorten_log(connection: sqlite3.Connection, path: Path) -> int:
    """Move the log into the file, and empty it if nobody reads it just now."""
    connection.execute("PRAGMA busy_timeout = 0")  # to wait here would keep writers waiting
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    log = Path(f"{path}-wal")
    return log.stat().st_size if log.exists() else 0


def _number(connection: sqlite3.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0])


def _of_server(db: Database) -> Upkeep:
    """Have statistics made of the tables that are ours; the server does all the rest itself."""
    names = list(_owned(db))
    for name in names:
        with db.write() as tx:
            tx.execute(text(f'ANALYZE (SKIP_LOCKED) "{name}"'))
    return Upkeep(analysed=len(names))


def _owned(db: Database) -> Iterator[str]:
    """Yield our tables that we may analyse: those that belong to a role of ours."""
    query = text(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
        " AND c.relkind = 'r' AND pg_has_role(c.relowner, 'USAGE') ORDER BY c.relname"
    )
    with db.read() as tx:
        found: list[Any] = list(tx.scalars(query))
    yield from (name for name in found if name in metadata.tables)
