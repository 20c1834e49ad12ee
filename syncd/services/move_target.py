"""Whether a PostgreSQL database can take a mirror in: reached, ours to write, and empty."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, exists, inspect, select, text

from syncd.errors import DatabaseUnusable
from syncd.resources.everything import ALL_TABLES
from syncd.store import health, moved, upgrade
from syncd.store.engine import Database
from syncd.store.marks import Mark
from syncd.store.schema import sync_state

_ADDRESS = "Nothing was moved. Check the address and the role; a password belongs in ~/.pgpass."
_RIGHTS = "CREATE SCHEMA worksection AUTHORIZATION syncd, and name it: --schema worksection"
_ENCODING = "CREATE DATABASE mirror ENCODING 'UTF8' TEMPLATE template0"


def refuse_target(target: Database, *, source: str) -> None:
    """Raise DatabaseUnusable unless the mirror `source` can be moved there. Writes nothing."""
    try:
        target.probe(write=True)
    except DatabaseUnusable as error:
        raise DatabaseUnusable(error.message, hint=error.hint or _ADDRESS) from error
    state = upgrade.schema_state(target)
    with target.read() as tx:
        _refuse_encoding(target, tx)
        tables = existing(tx)
        _refuse_rights(target, tx, tables)
        if not state.empty:
            refuse_filled(target, tx, tables, source=source)


def existing(tx: Connection) -> list[Table]:
    """Return those of our tables that are there."""
    there = set(inspect(tx).get_table_names())
    return [table for table in ALL_TABLES if table.name in there]


def refuse_filled(
    target: Database, tx: Connection, tables: Sequence[Table], *, source: str
) -> Mark | None:
    """Raise DatabaseUnusable where a mirror is already.

    What an earlier move of the same mirror has left without coming to its end is returned instead:
    nobody has worked with it.
    """
    began = moved.arriving(tx) if sync_state in tables else None
    if began is not None and began.other == source:
        return began
    for table in tables:
        if tx.scalar(select(exists(select(text("1")).select_from(table)))):
            raise DatabaseUnusable(
                f"{target.label} is not empty: there are rows in {table.name}.",
                hint="Name an empty database, or a schema of its own with --schema.",
            )
    return None


def _refuse_encoding(target: Database, tx: Connection) -> None:
    encoding = tx.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise DatabaseUnusable(
            f"{target.label} keeps texts as {encoding}; a mirror needs UTF8.", hint=_ENCODING
        )


def _refuse_rights(target: Database, tx: Connection, tables: Sequence[Table]) -> None:
    lacking = health.lacking_rights(tx, tuple(table.name for table in tables))
    if lacking:
        raise DatabaseUnusable(
            f"{target.label}: the role lacks {', '.join(lacking)}.", hint=_RIGHTS
        )
