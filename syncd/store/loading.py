"""Filling an empty PostgreSQL database in one transaction, past the guards of its own tables.

The guards are for changes that happen; what is loaded has happened elsewhere already. Only the
owner of the tables can set them aside, for this transaction alone, with everybody else locked out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Table, func, select, text

from syncd.store.causes import storage_failed
from syncd.store.engine import BUSY_TIMEOUT_S, Database


def lock_out(tx: Connection, tables: Sequence[Table]) -> None:
    """Let nobody else read or write these tables until the transaction ends."""
    tx.execute(text(f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_S}s'"))
    tx.execute(text(f"LOCK TABLE {_listed(tx, tables)} IN ACCESS EXCLUSIVE MODE"))


def empty(tx: Connection, tables: Sequence[Table]) -> None:
    """Take all rows away; expects the guards to be set aside."""
    tx.execute(text(f"TRUNCATE {_listed(tx, tables)}"))


@contextmanager
def unguarded(tx: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Set the triggers of these tables aside; an error leaves that to the rollback."""
    for table in tables:
        tx.execute(text(f"ALTER TABLE {_quoted(tx, table)} DISABLE TRIGGER USER"))
    yield
    for table in tables:
        tx.execute(text(f"ALTER TABLE {_quoted(tx, table)} ENABLE TRIGGER USER"))


def load(db: Database, tx: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows into a table by COPY, as they come. Raises StorageFailed."""
    quote = tx.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    driver: Any = tx.connection.driver_connection
    try:
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {_quoted(tx, table)} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise storage_failed(error, f"{db.label}, table {table.name}") from error


def count_on(tx: Connection, table: Table, used: int) -> None:
    """Let the next number that a table gives be above all it has, and above `used`."""
    for column in table.primary_key:
        ours = {"table": _quoted(tx, table), "column": column.name}
        sequence = tx.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), ours)
        if sequence is not None:
            highest = max(tx.scalar(select(func.max(column))) or 0, used)
            # setval would not be taken back with the transaction
            tx.execute(text(f"ALTER SEQUENCE {sequence} RESTART WITH {highest + 1}"))


def analyze(tx: Connection, tables: Sequence[Table]) -> None:
    """Let the planner know what is there now."""
    tx.execute(text(f"ANALYZE {_listed(tx, tables)}"))


def _listed(tx: Connection, tables: Iterable[Table]) -> str:
    return ", ".join(_quoted(tx, table) for table in tables)


def _quoted(tx: Connection, table: Table) -> str:
    return tx.dialect.identifier_preparer.quote(table.name)
