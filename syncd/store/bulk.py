"""Many rows by the driver's own bulk road: executemany on SQLite, COPY and arrays on PostgreSQL.

SQLAlchemy's own executemany looks at each value of each row by name. Here rows come as columns; the
columns' types are asked once what they do to a value, and rows are put together only while the
driver takes them. A first pull spends its time and its memory on that. The types stay the one place
that knows how a value is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice, repeat
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

CHUNK = 2000
"""Rows that are in memory at a time as the driver takes them."""

Columns = Mapping[str, Sequence[Any]]
"""Rows, column by column: all columns are equally long."""


def insert_columns(tx: Connection, table: Table, columns: Columns) -> None:
    """Insert rows that are known to be new."""
    rows = zip(*_processed(tx, table, columns), strict=True)
    if tx.dialect.name == "postgresql":
        _copy(tx, f"COPY {_into(tx, table, columns)} FROM STDIN", rows)
    else:
        _execute_many(tx, _insert(tx, table, columns), rows)


def upsert_columns(
    tx: Connection, table: Table, columns: Columns, *, changing: Collection[str]
) -> None:
    """Insert rows, or set the `changing` columns of those whose key is there already.

    No key may come twice: one statement of PostgreSQL's does not write a row a second time.
    """
    quote = tx.dialect.identifier_preparer.quote
    keys = ", ".join(quote(column.name) for column in table.primary_key.columns)
    written = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in changing)
    over = f" ON CONFLICT ({keys}) DO UPDATE SET {written}"
    processed = _processed(tx, table, columns)
    if tx.dialect.name == "postgresql":
        arrays = ", ".join(f"%s::{table.c[name].type.compile(tx.dialect)}[]" for name in columns)
        insert = f"INSERT INTO {_into(tx, table, columns)} SELECT * FROM unnest({arrays})"  # noqa: S608 - our own table's names
        tx.exec_driver_sql(insert + over, tuple(list(values) for values in processed))
    else:
        _execute_many(tx, _insert(tx, table, columns) + over, zip(*processed, strict=True))


def _into(tx: Connection, table: Table, names: Iterable[str]) -> str:
    quote = tx.dialect.identifier_preparer.quote
    return f"{quote(table.name)} ({', '.join(map(quote, names))})"


def _insert(tx: Connection, table: Table, names: Collection[str]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {_into(tx, table, names)} VALUES ({marks})"  # noqa: S608 - our own table's names


def _processed(tx: Connection, table: Table, columns: Columns) -> list[Iterable[Any]]:
    """Return the columns as the driver takes them, each value processed when it is its turn."""
    return [_process(tx, table, name, values) for name, values in columns.items()]


def _process(tx: Connection, table: Table, name: str, values: Sequence[Any]) -> Iterable[Any]:
    process = table.c[name].type.dialect_impl(tx.dialect).bind_processor(tx.dialect)
    if process is None:
        return values
    first = values[0]
    if all(value is first for value in values):
        return repeat(process(first), len(values))
    return map(process, values)


def _execute_many(tx: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        tx.exec_driver_sql(statement, chunk)


def _copy(tx: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows by COPY. Raises DBAPIError, as every statement of SQLAlchemy's does."""
    driver: Any = tx.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except tx.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error, hide_parameters=True) from error
