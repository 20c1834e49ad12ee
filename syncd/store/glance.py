"""A look at the database through its driver alone, for commands that must answer at once.

Loading SQLAlchemy takes as long as `syncd status` may take altogether. The SQL given here must
mean the same on both databases; nothing can be written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from syncd.errors import DatabaseUnusable
from syncd.store.causes import storage_failed
from syncd.store.marks import ARRIVING, LEFT, refusal
from syncd.store.revisions import (
    VERSION_TABLE,
    SchemaState,
    no_mirror,
    outdated,
    schema_state_of,
)

SQLITE = "sqlite:///"
_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
_POSTGRES_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Driver:
    """An open connection, and what differs between the two."""

    label: str
    tables_query: str
    json_as_text: bool
    execute: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Glance:
    """One state of the database, seen from start to end by every `rows`."""

    label: str
    state: SchemaState
    _driver: Driver

    def rows(self, query: str) -> list[Row]:
        """Return the rows of a query by the names of their columns."""
        cursor = self._driver.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor]

    def row(self, query: str) -> Row | None:
        """Return the first row of a query, if there is one."""
        return next(iter(self.rows(query)), None)

    def document(self, value: Any) -> Any:
        """Read a JSON column."""
        return json.loads(value) if self._driver.json_as_text else value


@contextmanager
def glance(url: str, *, schema: str | None = None) -> Iterator[Glance]:
    """Look at the mirror.

    Raises DatabaseUnusable where there is none, or it cannot be read, or is not of our version.
    """
    look = _sqlite(Path(url.removeprefix(SQLITE))) if url.startswith(SQLITE) else None
    with look or _postgresql(url, schema) as driver:
        found = Glance(driver.label, _state(driver), driver)
        _refuse_moved(found)
        yield found


def _state(driver: Driver) -> SchemaState:
    label = driver.label
    tables = {name for (name,) in driver.execute(driver.tables_query)}
    revision = None
    if VERSION_TABLE in tables:
        found = driver.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - our own name
        revision = found[0] if found else None
    state = schema_state_of(label, tables - {VERSION_TABLE}, revision)
    if state.empty:
        raise no_mirror(f"{label} is empty")
    if not state.current:
        raise outdated(label, state)
    return state


def _refuse_moved(found: Glance) -> None:
    marks = found.rows(
        f"SELECT name, value FROM sync_state WHERE name IN ('{LEFT}', '{ARRIVING}')"  # noqa: S608 - our own names
    )
    why = refusal(found.label, {row["name"]: found.document(row["value"]) for row in marks})
    if why is not None:
        raise why


@contextmanager
def _sqlite(path: Path) -> Iterator[Driver]:
    if not path.exists():
        raise no_mirror(f"{path} does not exist")
    label = f"SQLite {path}"
    address = f"file:{quote(str(path))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            yield Driver(label, _SQLITE_TABLES, True, connection.execute)
    except sqlite3.Error as error:
        raise _unusable(error, label) from error


@contextmanager
def _postgresql(url: str, schema: str | None) -> Iterator[Driver]:
    import psycopg  # here, because it takes longer to load than a SQLite file to answer

    label = f"PostgreSQL {_without_password(url)}" + (f", schema {schema}" if schema else "")
    try:
        with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            if schema:
                path = psycopg.sql.Identifier(schema)
                connection.execute(psycopg.sql.SQL("SET search_path TO {}").format(path))
            yield Driver(label, _POSTGRES_TABLES, False, connection.execute)
    except psycopg.Error as error:
        raise _unusable(error, label) from error


def _unusable(error: Exception, label: str) -> DatabaseUnusable:
    said = storage_failed(error, label)
    return DatabaseUnusable(said.message, hint=said.hint)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return f"{user.partition(':')[0]}{at}{host}{parts.path}"


def instant(value: datetime | str | None) -> datetime | None:
    """Read a UTC instant as either driver gives it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
