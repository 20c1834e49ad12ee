"""Hearing that somebody has queued a change: a notification of the server, a look at the file.

PostgreSQL calls (migration 0006). SQLite has a number that grows with every commit of another
connection (sqlite.org/pragma.html#pragma_data_version), which costs next to nothing to read.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, Protocol

from sqlalchemy import text

from syncd.store.engine import Database

CHANNEL: Final = "syncd_queued"
LOOK_S: Final = 0.5
_NEWEST: Final = """
SELECT coalesce((SELECT max(id) FROM outbox_events), 0), (SELECT count(*) FROM outbox_choices)
"""
_QUEUED: Final = """
SELECT EXISTS (SELECT 1 FROM outbox_events WHERE id > ? AND to_state = 'queued'
  AND actor <> 'daemon')
"""
_LAST: Final = """
SELECT id FROM outbox_events WHERE to_state = 'queued' AND actor <> 'daemon'
ORDER BY id DESC LIMIT 1
"""


def newest_call(db: Database) -> int:
    """Return the number of the newest event by which somebody queued a change; 0: none yet."""
    with db.read() as tx:
        return int(tx.scalar(text(_LAST)) or 0)


class Listener(Protocol):
    """Hears of what others queue."""

    def heard(self, seconds: float) -> bool:
        """Wait at most so long; True once somebody has queued something since the last call."""


@contextmanager
def listening(db: Database) -> Iterator[Listener]:
    """Listen, on a connection of its own, for the length of a block.

    Raises the driver's error where the connection fails; whoever listens begins anew then.
    """
    if db.path is not None:
        with closing(sqlite3.connect(f"{db.path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            yield _File(file)
        return
    pooled = db.engine.raw_connection()
    connection: Any = pooled.driver_connection
    # It listens until it is closed, and the pool must not hand it on; nor close it, for that would
    # first ask a server that may be gone to roll back, and log a traceback of it.
    pooled.detach()
    with closing(connection):
        connection.autocommit = True
        connection.execute(f"LISTEN {CHANNEL}")
        schema = connection.execute("SELECT current_schema()").fetchone()[0]
        yield _Server(connection, schema)


class _File:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = self._read("PRAGMA data_version")
        self._event, self._choices = self._read(_NEWEST)

    def heard(self, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while not (found := self._changed()) and (left := ends - time.monotonic()) > 0:
            time.sleep(min(LOOK_S, left))  # nothing in SQLite can be waited for
        return found

    def _changed(self) -> bool:
        version = self._read("PRAGMA data_version")
        if version == self._version:
            return False
        self._version = version
        before, chosen = self._event, self._choices
        self._event, self._choices = self._read(_NEWEST)
        if self._choices > chosen:
            return True
        return self._event > before and bool(self._read(_QUEUED, before)[0])

    def _read(self, query: str, *values: int) -> tuple[int, ...]:
        row: tuple[int, ...] = self._connection.execute(query, values).fetchone()
        return row


class _Server:
    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def heard(self, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            for call in self._connection.notifies(timeout=left, stop_after=1):
                if call.payload == self._schema:
                    return True
        return False
