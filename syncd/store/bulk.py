"""Many rows by the driver's own bulk road: executemany on SQLite, COPY on PostgreSQL.

SQLAlchemy's own executemany looks at each value of each row by name. Here the columns' types are
asked once what they do to a value, and the rest goes to the driver as it is: a first pull spends
its time on that. The types stay the one place that knows how a value is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

Values = Mapping[str, Any]
_Process = Callable[[Any], Any]


def insert_rows(tx: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that are known to be new, all with the columns of the first."""
    names = list(rows[0])
    tuples = _tuples(tx, table, names, rows)
    quote = tx.dialect.identifier_preparer.quote
    into = f"{quote(table.name)} ({', '.join(quote(name) for name in names)})"
    if tx.dialect.name == "postgresql":
        _copy(tx, into, tuples)
    else:
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608 - our own table's names
        tx.exec_driver_sql(statement, tuples)


def _tuples(
    tx: Connection, table: Table, names: Sequence[str], rows: Iterable[Values]
) -> list[tuple[Any, ...]]:
    """Return rows as the driver takes them, column by column through the columns' types."""
    pick = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
    tuples = [pick(row) for row in rows]
    processes = [_process(tx, table, name) for name in names]
    if not any(processes):
        return tuples
    columns = (
        values if process is None else _processed(process, values)
        for process, values in zip(processes, zip(*tuples, strict=True), strict=True)
    )
    return list(zip(*columns, strict=True))


def _processed(process: _Process, values: tuple[Any, ...]) -> Iterable[Any]:
    """Process a column; most of them hold few values that differ, each of which is done once."""
    try:
        known = {value: process(value) for value in set(values)}
    except TypeError:  # documents cannot be looked up
        return map(process, values)
    return map(known.__getitem__, values)


def _process(tx: Connection, table: Table, name: str) -> _Process | None:
    """Return what a column's type does to a value, NULL left alone."""
    column = table.c[name]
    return column.type.dialect_impl(tx.dialect).bind_processor(tx.dialect)


def _copy(tx: Connection, into: str, tuples: Iterable[tuple[Any, ...]]) -> None:
    """Write rows by COPY. Raises DBAPIError, as every statement of SQLAlchemy's does."""
    statement = f"COPY {into} FROM STDIN"
    driver: Any = tx.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in tuples:
                copy.write_row(row)
    except tx.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error, hide_parameters=True) from error
