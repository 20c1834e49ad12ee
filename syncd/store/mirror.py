"""Sets of rows in and out of the mirror's tables. `tx` comes first; services commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Row,
    Table,
    any_,
    bindparam,
    delete,
    literal,
    select,
    update,
)

from syncd.store.bulk import Columns, insert_columns, upsert_columns

BATCH = 900
"""Values in one IN list: under SQLite's oldest limit of 999 parameters."""

Values = Mapping[str, Any]


def batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Cut values into lists that fit one statement."""
    iterator = iter(values)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def among(tx: Connection, key: Column[Any], ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that `key` is one of `ids`.

    A server takes them as one array: the statement is the same however many there are.
    """
    if tx.dialect.name == "postgresql":
        return key == any_(literal(ids, ARRAY(BigInteger)))
    return key.in_(ids)


def rows_by(
    tx: Connection, columns: Sequence[ColumnElement[Any]], key: Column[Any], values: Iterable[int]
) -> Iterator[Row[Any]]:
    """Read `columns` of the rows whose `key` is among `values`, in the order of `key`."""
    for batch in batches(sorted(values)):
        yield from tx.execute(select(*columns).where(among(tx, key, batch)).order_by(key))


def add(tx: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that are known to be new, all with the columns of the first."""
    if rows:
        insert_columns(tx, table, _columns(rows))


def put(
    tx: Connection,
    table: Table,
    rows: Sequence[Values],
    *,
    changing: Collection[str] | None = None,
) -> None:
    """Insert rows, or overwrite those whose key is there already; of a key the last row counts.

    `changing` are the columns that are overwritten, if not all beside the key.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key.columns]
    if changing is None:
        changing = [name for name in rows[0] if name not in keys]
    last = {tuple(row[key] for key in keys): row for row in rows}
    upsert_columns(tx, table, _columns(list(last.values())), changing=changing)


def _columns(rows: Sequence[Values]) -> Columns:
    return {name: [row[name] for row in rows] for name in rows[0]}


def change(tx: Connection, table: Table, ids: Iterable[int], values: Values) -> None:
    """Set the same values in every row whose id is among `ids`."""
    for batch in batches(sorted(ids)):
        tx.execute(update(table).where(among(tx, table.c.id, batch)).values(**values))


def change_each(tx: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Set each row's own values in the row with its `id`."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    statement = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    bound = [{"row_id": row["id"]} | {f"new_{name}": row[name] for name in names} for row in rows]
    tx.execute(statement, bound)


def drop_links(tx: Connection, key: Column[Any], ids: Iterable[int]) -> None:
    """Delete the rows whose `key` is among `ids`; links and files follow what they belong to."""
    table = key.table
    if not isinstance(table, Table):  # pragma: no cover - columns given here are a table's own
        raise TypeError("a column of a table is expected")
    for batch in batches(sorted(ids)):
        tx.execute(delete(table).where(among(tx, key, batch)))
