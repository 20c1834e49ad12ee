"""Column types mean the same on SQLite and PostgreSQL: what goes in comes out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import StatementError

from syncd.store.types import (
    Day,
    Document,
    ExactDecimal,
    Id,
    Instant,
    LocalTime,
    TimeOfDay,
    canonical_decimal,
)

scratch = Table(
    "scratch",
    MetaData(),
    Column("key", Integer, primary_key=True),
    Column("id", Id),
    Column("at", Instant),
    Column("local", LocalTime),
    Column("day", Day),
    Column("clock", TimeOfDay),
    Column("amount", ExactDecimal),
    Column("document", Document),
)
# The fixture is a database that every example uses anew; nothing of one example stays in it.
on_one_database = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def keep(db):
    """Store one value of a column and give back what the database says it is."""
    with db.write() as tx:
        scratch.create(tx)

    def round_trip(name, value):
        with db.write() as tx:
            tx.execute(scratch.delete())
            tx.execute(insert(scratch).values(key=1, **{name: value}))
        with db.read() as tx:
            return tx.scalar(select(scratch.c[name]))

    return round_trip


def test_a_day_is_the_first_moment_of_it(keep):
    assert datetime(2026, 3, 1) == keep("local", date(2026, 3, 1))


@pytest.mark.parametrize("day", [date.min, date(2026, 3, 1), date.max, None], ids=str)
def test_a_day_is_a_day(keep, day):
    assert day == keep("day", day)


def test_of_a_moment_its_day_counts(keep):
    assert date(2026, 3, 1) == keep("day", datetime(2026, 3, 1, 23, 59))


@on_one_database
@given(
    value=st.decimals(min_value=Decimal("-99999999999"), max_value=Decimal("99999999999"), places=4)
)
def test_money_and_hours_are_exact(keep, value):
    assert keep("amount", value) == value


def test_a_decimal_comes_back_without_trailing_zeros_or_exponent(keep):
    assert str(keep("amount", Decimal("5280.5000"))) == "5280.5"
    assert str(keep("amount", Decimal(50))) == "50"
    assert str(canonical_decimal(Decimal("1E+2"))) == "100"


@on_one_database
@given(
    value=st.datetimes(
        min_value=datetime(1990, 1, 1),
        max_value=datetime(2090, 1, 1),
        timezones=st.sampled_from(
            [UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=3))]
        ),
    )
)
def test_an_instant_is_the_same_instant_in_utc(keep, value):
    found = keep("at", value)
    assert (found, found.tzinfo) == (value, UTC)


def test_a_naive_instant_is_refused(keep):
    with pytest.raises(StatementError, match="time zone"):
        keep("at", datetime(2026, 1, 1))


def test_the_largest_id_fits(keep):
    assert keep("id", 2**63 - 1) == 2**63 - 1


def test_the_wall_clock_stays_what_it_is(keep):
    assert keep("local", datetime(2026, 3, 29, 3, 30)) == datetime(2026, 3, 29, 3, 30)
    assert keep("clock", time(18, 5)) == time(18, 5)


def test_a_document_keeps_its_nulls_and_numbers(keep):
    value = {"a": None, "b": [1, 2.5, "Київ"], "c": {}}
    assert keep("document", value) == value
    assert keep("document", None) is None


def test_on_sqlite_a_person_reads_dates_and_numbers(sqlite_url):
    from syncd.store.engine import open_database

    db = open_database(sqlite_url)
    row = {
        "key": 1,
        "at": datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
        "local": datetime(2026, 1, 5, 11, 30),
        "clock": time(8),
        "amount": Decimal("5280.5"),
    }
    with db.write() as tx:
        scratch.create(tx)
        tx.execute(insert(scratch).values(**row))
        shown = tx.execute(
            text("SELECT at, local, clock, amount * 2, typeof(amount) FROM scratch")
        ).one()
    assert tuple(shown) == (
        "2026-01-05 09:30:00.000000",
        "2026-01-05 11:30:00",
        "08:00:00",
        10561.0,
        "real",
    )
    assert date.fromisoformat(shown[1][:10]) == date(2026, 1, 5)
