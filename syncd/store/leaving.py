"""Rows of a SQLite database on their way to PostgreSQL, which is stricter about what a value is.

SQLite keeps whatever it was given: a NUL or broken UTF-8 in a text, a word in a column of numbers.
What PostgreSQL cannot take is named, never changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Dialect,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from syncd.errors import StorageFailed
from syncd.store.contents import page_of

Cells = tuple[list[Any], list[Any]]
"""A row twice: its values as our types give them, and as COPY takes them."""
Reader = Callable[[Any], tuple[Any, Any]]
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What a column type raises over what is no date, no JSON, no number."""


class _Unfit(ValueError):
    """A value that PostgreSQL cannot take; says what it is."""


def leaving(tx: Connection, table: Table, instead: Mapping[str, Any]) -> Iterator[Cells]:
    """Yield every row, with the values in `instead` in the place of its own.

    Raises StorageFailed naming table, row and column of a value that cannot go.
    """
    readers = [_reader(column, tx.dialect) for column in table.columns]
    for raw in _raw(tx, table):
        values, cells = [], []
        for column, read, kept in zip(table.columns, readers, raw, strict=True):
            value, cell = _read(column, read, kept, raw)
            values.append(instead.get(column.name, value))
            cells.append(instead.get(column.name, cell))
        yield values, cells


def numbers_used(tx: Connection) -> dict[str, int]:
    """Return the highest number ever given in each table that never gives one twice."""
    return {row.name: row.seq for row in tx.execute(text("SELECT name, seq FROM sqlite_sequence"))}


def _raw(tx: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """Yield rows as SQLite has them; what is no UTF-8 in them can be told from what is."""
    quote = tx.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    statement = f"SELECT {names} FROM {quote(table.name)}"  # noqa: S608 - our own names
    with _any_bytes(tx):
        rows = tx.exec_driver_sql(statement, execution_options={"yield_per": page_of(table)})
        for row in rows:
            yield tuple(row)


@contextmanager
def _any_bytes(tx: Connection) -> Iterator[None]:
    driver: Any = tx.connection.driver_connection
    driver.text_factory = lambda kept: kept.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str


def _read(column: Column[Any], read: Reader, kept: Any, raw: tuple[Any, ...]) -> tuple[Any, Any]:
    if kept is None:
        return None, None
    try:
        return read(kept)
    except _UNREADABLE as error:
        why = str(error) if isinstance(error, _Unfit) else f"it is no {column.type!r} value"
        raise StorageFailed(
            f"{_place(column, raw)}: {why}; PostgreSQL cannot hold it.",
            hint="Nothing was moved. Mend that row, then move again.",
        ) from error


def _place(column: Column[Any], raw: tuple[Any, ...]) -> str:
    named = dict(zip(column.table.columns.keys(), raw, strict=True))
    key = ", ".join(f"{one.name} {named[one.name]!r}" for one in column.table.primary_key)
    return f"{column.table.name} {key}, column {column.name}"


def _reader(column: Column[Any], dialect: Dialect) -> Reader:
    """Return what makes the values of a column, and the cells, out of what SQLite has."""
    kind = column.type
    if isinstance(kind, JSON):
        return _document
    process = kind.dialect_impl(dialect).result_processor(dialect, None)
    check = _check_of(kind)

    def read(kept: Any) -> tuple[Any, Any]:
        value = check(kept if process is None else process(kept))
        return value, value

    return read


def _check_of(kind: Any) -> Callable[[Any], Any]:
    bits = (SmallInteger, 16), (BigInteger, 64), (Integer, 32)
    for integer, size in bits:
        if isinstance(kind, integer):
            return _whole(size)
    if isinstance(kind, Text):
        return _text
    return _bytes if isinstance(kind, LargeBinary) else lambda value: value


def _whole(bits: int) -> Callable[[Any], Any]:
    limit = 2 ** (bits - 1)

    def check(value: Any) -> Any:
        if type(value) is not int:
            raise _Unfit(f"{value!r} is no whole number")
        if not -limit <= value < limit:
            raise _Unfit(f"{value} has more than {bits} bits")
        return value

    return check


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise _Unfit("it is no text")
    if "\0" in value:
        raise _Unfit("it holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Unfit("it holds half a character") from None
    return value


def _bytes(value: Any) -> Any:
    if not isinstance(value, bytes):
        raise _Unfit("it is no sequence of bytes")
    return value


def _document(kept: Any) -> tuple[Any, Any]:
    """Read JSON; a column of it makes a bare number one (sqlite.org/datatype3.html, 3.1)."""
    said = kept if isinstance(kept, str) else json.dumps(kept)
    _text(said)
    value = json.loads(said, parse_constant=_no_number)
    if "\\u" in said:  # half a character, or NUL, can hide behind an escape
        for part in _texts(value):
            _text(part)
    return value, said


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from value
            for part in value.values():
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)


def _no_number(said: str) -> NoReturn:
    raise _Unfit(f"{said} is no number in JSON")
