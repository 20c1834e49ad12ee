"""Rows that take the bulk road are kept as those that SQLAlchemy writes one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text, func, insert, select
from sqlalchemy.dialects import sqlite

from syncd.errors import StorageFailed
from syncd.store.bulk import insert_columns, upsert_columns
from syncd.store.engine import open_database
from syncd.store.mirror import add, put
from syncd.store.types import (
    Day,
    Document,
    ExactDecimal,
    Id,
    Instant,
    LocalTime,
    TimeOfDay,
    bytes_of,
)

scratch = Table(
    "scratch",
    MetaData(),
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("name", Text),
    Column("count", Integer),
    Column("at", Instant),
    Column("local", LocalTime),
    Column("day", Day),
    Column("clock", TimeOfDay),
    Column("amount", ExactDecimal),
    Column("document", Document),
    Column("order", LargeBinary),  # a word of SQL's own
    Column("seen", Instant),
    Column("hash", bytes_of(4)),
)
NAMES = [column.name for column in scratch.c]
KYIV = timezone(timedelta(hours=3))
ODD = [
    "",
    " ",
    "NULL",
    "null",
    "\\N",
    "\t\n\r",
    "{a,b}",
    '"quoted"',
    "it's",
    "%s %(x)s ?",
    "Ї\U0001f600",
]
ROWS: list[dict[str, Any]] = [
    {
        "id": 2**62 + number,
        "name": text,
        "count": -number,
        "at": datetime(2026, 2, 3, 4, 5, 6, number, tzinfo=KYIV),
        "local": datetime(number + 1, 2, 3, 4, 5),
        "day": date(2026, 2, number + 1),
        "clock": time(number, 30),
        "amount": Decimal("5280.5") + number,
        "document": {"text": text, "list": [1, None, text]},
        "order": bytes([0, 92, number, 255]),
        "seen": datetime(2026, 2, 3, 4, 5, 6, number, tzinfo=UTC),
        "hash": bytes([0, 92, number, 255]),
    }
    for number, text in enumerate(ODD)
] + [{"id": 7, **dict.fromkeys(NAMES[1:])}]


@pytest.fixture
def table(db):
    with db.write() as tx:
        scratch.create(tx)
    return scratch


def kept(db) -> list[Any]:
    with db.read() as tx:
        return [tuple(row) for row in tx.execute(select(scratch).order_by(scratch.c.id))]


def as_columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in NAMES}


def test_what_goes_in_comes_out_as_from_a_plain_insert(db, table):
    with db.write() as tx:
        tx.execute(insert(table), ROWS)
    plain = kept(db)
    changing = NAMES[1:]
    for write in (
        lambda tx: insert_columns(tx, table, as_columns(ROWS)),
        lambda tx: upsert_columns(tx, table, as_columns(ROWS), changing=changing),
        lambda tx: add(tx, table, ROWS),
    ):
        with db.write() as tx:
            tx.execute(table.delete())
            write(tx)
        assert plain == kept(db)


@pytest.mark.parametrize("filled", [0, 1, 2001], ids=["none of them", "one", "many"])
def test_what_is_not_there_is_null_in_every_column(db, table, filled):
    full = [{**ROWS[0], "id": id} for id in range(filled)]
    empty = [{"id": id, **dict.fromkeys(NAMES[1:])} for id in range(filled, filled + 2001)]
    for write in (
        lambda tx, columns: insert_columns(tx, table, columns),
        lambda tx, columns: upsert_columns(tx, table, columns, changing=NAMES[1:]),
    ):
        with db.write() as tx:
            tx.execute(table.delete())
            write(tx, as_columns([*full, *empty]))
        counts = [func.count(column) for column in table.c]
        with db.read() as tx:
            assert tx.execute(select(*counts)).one() == (filled + 2001, *[filled] * len(NAMES[1:]))
    assert kept(db)[-1] == (filled + 2000, *[None] * len(NAMES[1:]))


def test_nothing_does_not_get_into_a_column_that_needs_something(db):
    full = Table("full", MetaData(), Column("id", Id, primary_key=True), Column("x", Integer))
    full.c.x.nullable = False
    for values in ([None, None], [1, None]):
        with pytest.raises(StorageFailed), db.write() as tx:
            full.create(tx, checkfirst=True)
            insert_columns(tx, full, {"id": [1, 2], "x": values})


@pytest.mark.parametrize("many", [2, 50, 5000], ids=["few", "many", "chunks"])
def test_of_a_key_that_comes_twice_the_last_row_counts(db, table, many):
    first = [{"id": id, "name": "old", "count": id} for id in range(0, many, 2)]
    again = [{"id": id, "name": f"new {turn}"} for turn in range(2) for id in range(many)]
    with db.write() as tx:
        put(tx, table, first)
        put(tx, table, again)
    wanted = [(id, "new 1", None if id % 2 else id) for id in range(many)]
    assert wanted == [row[:3] for row in kept(db)]


def test_a_row_that_is_refused_is_our_own_error_and_leaves_nothing(db, table):
    twice = {"id": [1, 2, 1]}
    with pytest.raises(StorageFailed), db.write() as tx:
        insert_columns(tx, table, twice)
    assert [] == kept(db)


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**40, 2**64])
def test_a_number_that_a_server_cannot_hold_is_refused_and_not_cut(ready_postgres_url, number):
    pg = open_database(ready_postgres_url)
    with pg.write() as tx:
        scratch.create(tx)
    with pytest.raises(StorageFailed), pg.write() as tx:
        insert_columns(tx, scratch, {"id": [1], "count": [number]})
    with pytest.raises(StorageFailed), pg.write() as tx:
        upsert_columns(tx, scratch, {"id": [1], "count": [number]}, changing=["count"])
    with pytest.raises(StorageFailed), pg.write() as tx:
        insert_columns(tx, scratch, {"id": [2**63]})
    assert [] == kept(pg)
    pg.close()


def test_sqlite_is_written_the_text_that_sqlalchemy_would_write():
    dialect = sqlite.dialect()
    plain = sqlite.DATETIME().bind_processor(dialect)
    minutes = sqlite.DATETIME(truncate_microseconds=True).bind_processor(dialect)
    for at in (datetime(1, 1, 1), datetime(2026, 2, 3, 4, 5, 6, 70), datetime(9999, 12, 31, 23)):
        written = Instant().bind_processor(dialect)
        assert plain(at) == written(at.replace(tzinfo=UTC))
        local = LocalTime.dialect_impl(dialect).bind_processor(dialect)
        assert minutes(at) == local(at)
        day = Day.dialect_impl(dialect).bind_processor(dialect)
        assert sqlite.DATE().bind_processor(dialect)(at) == day(at) == day(at.date())


DAYS = st.dates()
MOMENTS = st.datetimes()
IN_ZONES = st.datetimes(
    min_value=datetime(2, 1, 1),
    max_value=datetime(9998, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=3)), timezone(timedelta(seconds=20))]),
)
PLAIN = {
    Instant: st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    LocalTime: MOMENTS.map(lambda at: at.replace(microsecond=0)),
    Day: DAYS,
    TimeOfDay: st.times().map(lambda at: at.replace(microsecond=0)),
}
ODD_ONES = {Instant: IN_ZONES, LocalTime: MOMENTS | DAYS, Day: MOMENTS, TimeOfDay: st.times()}


@pytest.mark.parametrize("kind", PLAIN, ids=["instant", "local", "day", "time"])
@given(st.data())
def test_many_are_written_as_each_of_them_alone(kind, data):
    dialect = sqlite.dialect()
    own = kind() if kind is Instant else kind.dialect_impl(dialect)
    process, many = own.bind_processor(dialect), own.bulk_processor(dialect)
    usual = data.draw(st.lists(st.none() | PLAIN[kind], min_size=1))
    assert [process(value) for value in usual] == list(many(usual))
    odd = data.draw(st.lists(st.none() | PLAIN[kind] | ODD_ONES[kind], min_size=1))
    written = many(odd)
    assert written is None or [process(value) for value in odd] == list(written)


def test_an_instant_of_no_zone_is_refused_among_many(db):
    instants = Table("instants", MetaData(), Column("at", Instant))
    with db.write() as tx:
        instants.create(tx)
    columns = {"at": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1)]}
    with pytest.raises(ValueError, match="needs a time zone"), db.write() as tx:
        insert_columns(tx, instants, columns)
