"""The data dictionary against databases that migrations made: nothing is left out or made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, inspect, text

from syncd.services.dictionary import Relation, dictionary
from syncd.store.engine import Database, open_database
from syncd.store.revisions import VERSION_TABLE

EXPLAINED = {one.name: one for section in dictionary() for one in section.relations}
VIEWS = [one for one in EXPLAINED.values() if one.kind == "view"]


@pytest.fixture
def db(ready_database_url: str) -> Iterator[Database]:
    database = open_database(ready_database_url)
    yield database
    database.close()


@pytest.fixture
def server(ready_postgres_url: str) -> Iterator[Connection]:
    database = open_database(ready_postgres_url)
    with database.read() as tx:
        yield tx
    database.close()


def columns(relation: Relation) -> list[str]:
    return [column.name for column in relation.columns]


def test_it_has_every_table_view_and_column_of_a_database_and_no_other(db) -> None:
    with db.read() as tx:
        seen = inspect(tx)
        there = {"table": seen.get_table_names(), "view": seen.get_view_names()}
        held = {
            (kind, name): [column["name"] for column in seen.get_columns(name)]
            for kind, names in there.items()
            for name in names
        }
    assert held == {(one.kind, one.name): columns(one) for one in EXPLAINED.values()}


def test_everything_in_it_is_explained() -> None:
    assert [] == [one.name for one in EXPLAINED.values() if not one.meaning.strip()]
    assert [] == [
        f"{one.name}.{column.name}"
        for one in EXPLAINED.values()
        for column in one.columns
        if not column.meaning.strip()
    ]


def test_what_it_says_of_a_tables_columns_is_so(db) -> None:
    with db.read() as tx:
        for one in EXPLAINED.values():
            if one.kind == "table":
                assert _held(tx, one.name) == {
                    each.name: (each.sqlite if db.is_sqlite else each.postgresql, each.nullable)
                    for each in one.columns
                }, one.name


def _held(tx: Connection, name: str) -> dict[str, tuple[str, bool]]:
    """Type and whether NULL is let in, by column, as the database itself tells."""
    if tx.dialect.name == "sqlite":
        found = tx.execute(
            text(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}')")
        )
        return {row[0]: (row[1], not (row[2] or row[3])) for row in found}
    return {
        row[0]: (row[1], not row[2]) for row in tx.execute(text(_attributes(name, "atttypmod")))
    }


def _attributes(name: str, size: str = "NULL") -> str:
    return (
        f"SELECT attname, format_type(atttypid, {size}), attnotnull,"
        " col_description(attrelid, attnum)"
        f" FROM pg_attribute WHERE attrelid = '{name}'::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum"
    )


def test_what_it_says_of_a_views_columns_is_so(server) -> None:
    wrong = {
        f"{one.name}.{each.name}": (each.postgresql, real)
        for one in VIEWS
        for each, (_, real, *_) in zip(
            one.columns, server.execute(text(_attributes(one.name))), strict=True
        )
        if each.postgresql != real
    }
    assert {} == wrong


def test_a_view_has_its_rows_from_where_it_says(server) -> None:
    query = text(
        "SELECT DISTINCT d.refobjid::regclass::text FROM pg_rewrite r JOIN pg_depend d"
        " ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
        " AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class"
        " WHERE r.ev_class = to_regclass(:name)"
    )
    for one in VIEWS:
        assert set(server.scalars(query, {"name": one.name})) == set(one.reads), one.name


def test_postgresql_says_the_same(server) -> None:
    for one in EXPLAINED.values():
        if one.name == VERSION_TABLE:  # made by Alembic, which explains nothing
            continue
        said = server.scalar(text("SELECT obj_description(to_regclass(:name))"), {"name": one.name})
        assert one.meaning == said
        held = {row[0]: row[3] for row in server.execute(text(_attributes(one.name)))}
        assert held == {each.name: each.meaning for each in one.columns}, one.name
