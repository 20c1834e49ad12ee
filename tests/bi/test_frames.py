"""pandas and polars, over the SQLAlchemy URLs that docs/bi/frames.md gives."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy

from tests.bi.conftest import MISSING, OVERDUE, OVERDUE_ANSWER, TASKS, TASKS_ANSWER
from tests.reporting.story import plain

QUERIES = pytest.mark.parametrize(
    ("query", "answer"), [(TASKS, TASKS_ANSWER), (OVERDUE, OVERDUE_ANSWER)]
)


@pytest.fixture(scope="session", autouse=True)
def pandas() -> Any:
    return pytest.importorskip("pandas", reason=MISSING)


@pytest.fixture(scope="session", autouse=True)
def polars() -> Any:
    return pytest.importorskip("polars", reason=MISSING)


@pytest.fixture
def connection(place):
    engine = sqlalchemy.create_engine(place.url)
    with engine.connect() as own:
        yield own
    engine.dispose()


@QUERIES
def test_pandas_gets_the_numbers_the_dates_and_the_letters(pandas, connection, query, answer):
    frame = pandas.read_sql(sqlalchemy.text(query), connection)
    whole = frame.astype(object).where(frame.notna(), None)
    assert answer == [tuple(map(plain, row)) for row in whole.itertuples(index=False)]


@QUERIES
def test_polars_gets_the_numbers_the_dates_and_the_letters(polars, connection, query, answer):
    frame = polars.read_database(query, connection)
    assert answer == [tuple(map(plain, row)) for row in frame.rows()]


def test_pandas_makes_dates_of_the_texts_of_sqlite(pandas, connection):
    frame = pandas.read_sql(
        sqlalchemy.text(TASKS), connection, parse_dates=["date_end", "date_added", "added_at"]
    )
    days = list(frame.date_end.dt.strftime("%Y-%m-%d"))
    assert ["2025-03-30", "2025-10-26", "2099-12-31"] == days
    local = frame.added_at if frame.added_at.dt.tz else frame.added_at.dt.tz_localize("UTC")
    kyiv = local.dt.tz_convert("Europe/Kyiv").dt.tz_localize(None)
    assert list(frame.date_added) == list(kyiv)
