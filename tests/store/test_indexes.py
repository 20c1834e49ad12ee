"""Indexes that are left for the end are what they were, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Connection, Index, Integer, MetaData, Table, Text, insert, text

from syncd.store.engine import Database, open_database
from syncd.store.indexes import built_after

scratch = Table(
    "scratch",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, unique=True),
    Column("kind", Text),
    Index("ix_scratch_kind", "kind"),
)
OWN = """CREATE UNIQUE INDEX "one's own" ON scratch (kind, id) WHERE kind IS NOT NULL"""


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url)
    with opened.write() as tx:
        scratch.create(tx)
        tx.exec_driver_sql(OWN)
    yield opened
    opened.close()


def made(tx: Connection) -> list[str]:
    kept = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1")
    return list(tx.scalars(kept))


def test_they_are_away_meanwhile_and_there_again_with_the_rows_in_them(db):
    with db.write() as tx:
        before = made(tx)
        with built_after(tx, [scratch]):
            assert [] == made(tx)
            tx.execute(insert(scratch), [{"id": n, "name": str(n), "kind": "a"} for n in range(9)])
        assert 2 == len(before)
        assert before == made(tx)
    with db.read() as tx:
        plan = tx.exec_driver_sql("EXPLAIN QUERY PLAN SELECT id FROM scratch WHERE kind = 'a'")
        assert "one's own" in str(plan.all())
        assert "ok" == tx.exec_driver_sql("PRAGMA integrity_check").scalar_one()


def test_a_failure_leaves_them_as_they_were(db):
    with db.read() as tx:
        before = made(tx)
    with pytest.raises(ZeroDivisionError), db.write() as tx, built_after(tx, [scratch]):
        raise ZeroDivisionError
    with db.read() as tx:
        assert before == made(tx)


def test_other_tables_keep_theirs(db):
    with db.write() as tx, built_after(tx, [Table("other", MetaData())]):
        assert 2 == len(made(tx))
