"""Many rows by the driver's own bulk road: executemany on SQLite, COPY and JSON on PostgreSQL.

SQLAlchemy's own executemany looks at each value of each row by name. Here rows come as columns; the
columns' types are asked once what they do to a value, and rows are put together only while the
driver takes them. A first pull spends its time and its memory on that. The types stay the one place
that knows how a value is kept.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from operator import is_
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Integer, LargeBinary, SmallInteger, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from syncd.store.types import Many

T = TypeVar("T")

CHUNK = 2000
"""Rows that are in memory at a time as the driver takes them."""

DOCUMENTS = 500
"""The same where they go as JSON, which is in memory several times over."""

Columns = Mapping[str, Sequence[Any]]
"""Rows, column by column: all columns are equally long."""


def insert_columns(tx: Connection, table: Table, columns: Columns) -> None:
    """Insert rows that are known to be new."""
    insert_parts(tx, table, list(columns), [columns])


def insert_parts(
    tx: Connection, table: Table, names: Collection[str], parts: Iterable[Columns]
) -> None:
    """Insert rows that are known to be new, part by part, each with the columns `names`.

    A server takes one part in while the next is put together.
    """
    if tx.dialect.name == "postgresql":
        _copy(tx, table, names, parts)
    else:
        for part in parts:
            _execute_many(tx, _insert(tx, table, names), _rows(tx, table, names, part))


def _rows(
    tx: Connection, table: Table, names: Iterable[str], columns: Columns
) -> Iterable[tuple[Any, ...]]:
    """Return rows as the driver takes them, each value processed when it is its turn."""
    return zip(*[_process(tx, table, name, columns[name]) for name in names], strict=True)


def upsert_columns(
    tx: Connection, table: Table, columns: Columns, *, changing: Collection[str]
) -> None:
    """Insert rows, or set the `changing` columns, if any, of those whose key is there already.

    No key may come twice: one statement of PostgreSQL's does not write a row a second time.
    """
    quote = tx.dialect.identifier_preparer.quote
    keys = ", ".join(quote(column.name) for column in table.primary_key.columns)
    written = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in changing)
    over = f" ON CONFLICT ({keys}) DO {f'UPDATE SET {written}' if changing else 'NOTHING'}"
    if tx.dialect.name == "postgresql":
        told = {name: _told(table.c[name].type, values) for name, values in columns.items()}
        _upsert_documents(tx, table, columns, _rows(tx, table, columns, told), over)
    else:
        rows = _rows(tx, table, columns, columns)
        _execute_many(tx, _insert(tx, table, columns) + over, rows)


def _into(tx: Connection, table: Table, names: Iterable[str]) -> str:
    quote = tx.dialect.identifier_preparer.quote
    return f"{quote(table.name)} ({', '.join(map(quote, names))})"


def _insert(tx: Connection, table: Table, names: Collection[str]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {_into(tx, table, names)} VALUES ({marks})"  # noqa: S608 - our own table's names


def _process(tx: Connection, table: Table, name: str, values: Sequence[Any]) -> Iterable[Any]:
    column = table.c[name]
    kind = column.type.dialect_impl(tx.dialect)
    process = kind.bind_processor(tx.dialect)
    null = _NULL if tx.dialect.name == "sqlite" else None
    first = values[0]
    if all(map(is_, values, repeat(first))):
        one = first if process is None else process(first)
        return repeat(null if one is None else one, len(values))
    processed = values if process is None else _processed(tx, kind, values, process)
    return processed if null is None or not column.nullable else _without_none(processed)


def _processed(
    tx: Connection, kind: TypeEngine[Any], values: Sequence[Any], process: Callable[[Any], Any]
) -> Iterable[Any]:
    bulk = getattr(kind, "bulk_processor", None)
    many = bulk(tx.dialect) if bulk is not None else None
    return map(process, values) if many is None else _in_parts(values, process, many)


_NULL: Final = math.nan
"""NULL, as SQLite's driver takes it quickest: None is first offered to its adapters, which costs
more than all else that is done to a value. SQLite stores no NaN: to bind one is to bind NULL."""


def _without_none(values: Iterable[Any]) -> Iterable[Any]:
    parts = _chunks(values)
    return chain.from_iterable([_NULL if one is None else one for one in part] for part in parts)


def _in_parts(values: Sequence[Any], process: Callable[[Any], Any], many: Many) -> Iterable[Any]:
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        processed = many(part)
        yield from map(process, part) if processed is None else processed


def _execute_many(tx: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for chunk in _chunks(rows):
        tx.exec_driver_sql(statement, chunk)


def _chunks(rows: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk


def _copy(tx: Connection, table: Table, names: Collection[str], parts: Iterable[Columns]) -> None:
    """Write rows by COPY, binary: as text, an instant takes the driver twenty times as long.

    Raises DBAPIError, as a statement of SQLAlchemy's does; also for a number that is too large,
    which the driver would cut.
    """
    statement = f"COPY {_into(tx, table, names)} FROM STDIN (FORMAT BINARY)"
    driver: Any = tx.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([_type(tx, table, name).lower() for name in names])
            for part in parts:
                _refuse_too_large(table, part)
                for row in _rows(tx, table, names, part):
                    copy.write_row(row)
    except (tx.dialect.loaded_dbapi.Error, OverflowError, struct.error) as error:
        raise DBAPIError(statement, None, error, hide_parameters=True) from error


def _upsert_documents(
    tx: Connection,
    table: Table,
    names: Collection[str],
    rows: Iterable[tuple[Any, ...]],
    over: str,
) -> None:
    """Hand rows over as JSON, which a server unpacks: an array of each column, which the driver
    writes element by element, takes five times as long, and a table to copy into is made first."""
    quote = tx.dialect.identifier_preparer.quote
    typed = ", ".join(f"{quote(name)} {_type(tx, table, name)}" for name in names)
    listed = ", ".join(map(quote, names))
    unpacked = f"SELECT {listed} FROM json_to_recordset(%s::json) AS row ({typed})"  # noqa: S608 - our own table's names
    statement = f"INSERT INTO {_into(tx, table, names)} {unpacked}{over}"
    for chunk in _chunks(rows, DOCUMENTS):
        document = _encode([dict(zip(names, row, strict=True)) for row in chunk])
        tx.exec_driver_sql(statement, (document.decode(),))


def _told(kind: TypeEngine[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Return values as JSON can tell them to a server: bytes as it reads them from text."""
    if not isinstance(kind, LargeBinary):
        return values
    return [None if value is None else f"\\x{value.hex()}" for value in values]


def _held(wrapped: Any) -> Any:
    """Return what one of the driver's wrappers holds, by the rules of any other road."""
    return msgspec.Raw(json.dumps(wrapped.obj).encode())


_encode: Final = msgspec.json.Encoder(decimal_format="string", enc_hook=_held).encode


def _refuse_too_large(table: Table, columns: Columns) -> None:
    for name, values in columns.items():
        kind = table.c[name].type
        if type(kind) in (SmallInteger, Integer):
            limit = 2**15 if type(kind) is SmallInteger else 2**31
            there = {value for value in values if value is not None}
            if there and not -limit <= min(there) <= max(there) < limit:
                raise OverflowError(f"a number is too large for {table.name}.{name}")


def _type(tx: Connection, table: Table, name: str) -> str:
    return table.c[name].type.compile(tx.dialect)
