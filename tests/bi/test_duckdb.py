"""DuckDB, attached to the live database: its extensions for PostgreSQL and for SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.bi.conftest import (
    MISSING,
    OVERDUE,
    OVERDUE_ANSWER,
    ROLE,
    SCHEMA,
    TASKS,
    TASKS_ANSWER,
    Place,
)
from tests.reporting.story import plain

EXTENSIONS = ("postgres_scanner", "sqlite_scanner")
QUERIES = pytest.mark.parametrize(
    ("query", "answer"), [(TASKS, TASKS_ANSWER), (OVERDUE, OVERDUE_ANSWER)]
)


@pytest.fixture(scope="session", autouse=True)
def duckdb() -> Any:
    """DuckDB with its extensions, which come as packages and are copied to where it looks."""
    module = pytest.importorskip("duckdb", reason=MISSING)
    packed = pytest.importorskip("duckdb_extensions", reason=MISSING)
    with closing(module.connect()) as own:
        for name in EXTENSIONS:
            try:
                packed.import_extension(name, con=own)
                own.load_extension(name)
            except Exception as error:  # noqa: BLE001 - another version's, whatever it says
                pytest.skip(f"DuckDB {module.__version__} does not load {name} ({error}): make bi")
    return module


@contextmanager
def attached(duckdb: Any, place: Place) -> Iterator[Any]:
    """DuckDB with the live database in it, under the name `mirror`."""
    with closing(duckdb.connect()) as own:
        own.execute("SET TimeZone = 'UTC'")
        for name in EXTENSIONS:
            own.load_extension(name)
        own.execute(f"ATTACH {attaching(place)}")
        yield own


def attaching(place: Place) -> str:
    if place.path is not None:
        return f"'{place.path}' AS mirror (TYPE sqlite, READ_ONLY)"
    server = f"host=127.0.0.1 port={place.port} dbname={place.database} user={ROLE}"
    options = f"(TYPE postgres, READ_ONLY, SCHEMA '{SCHEMA}')"
    return f"'{server} password={place.password}' AS mirror {options}"


@QUERIES
def test_the_databases_own_answer(duckdb, place, query, answer):
    """The query is the database's, as written: what every view needs on SQLite."""
    ask = "sqlite_query" if place.path else "postgres_query"
    with attached(duckdb, place) as own:
        found = own.execute(f"FROM {ask}('mirror', ?)", [query]).fetchall()
    assert answer == [tuple(map(number, map(plain, row))) for row in found]


@QUERIES
def test_duckdb_asks_the_views_of_postgresql_by_itself(duckdb, server_place, query, answer):
    query = query.replace("FROM ", f"FROM mirror.{SCHEMA}.")
    with attached(duckdb, server_place) as own:
        assert answer == [tuple(map(plain, row)) for row in own.execute(query).fetchall()]


def test_what_is_attached_cannot_be_written(duckdb, place):
    schema = "" if place.path else f"{SCHEMA}."
    with attached(duckdb, place) as own, pytest.raises(duckdb.Error, match="read-only"):
        own.execute(f"UPDATE mirror.{schema}tasks SET name = 'x'")


def number(value: Any) -> Any:
    """What SQLite computes comes as a text: 7.75 and 1 too."""
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return plain(float(value))
    return value
