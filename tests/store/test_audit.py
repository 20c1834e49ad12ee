"""The audit log: append-only, chained, refused to be changed by the database itself."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from syncd.errors import StorageFailed
from syncd.store import audit
from syncd.store.audit import Event, chain_hash
from syncd.store.schema import audit_log
from tests.support.records import MONDAY


def rows(db):
    with db.read() as tx:
        return [dict(row._mapping) for row in tx.execute(select(audit_log).order_by("seq"))]


@pytest.fixture
def written(db):
    for name in ("task.removed", "brake.tripped"):
        with db.write() as tx:
            event = Event(name, "task", 331894, {"reason": "deleted", "naïve": [1, None]})
            audit.append(tx, [event, event], at=MONDAY, actor="cli:olena", run_id=1)
    return db


def test_every_row_is_chained_to_the_one_before(written):
    found = rows(written)
    assert [row["seq"] for row in found] == [1, 2, 3, 4]
    assert [row["prev_hash"] for row in found] == [audit.GENESIS, *(r["hash"] for r in found[:-1])]
    assert [row["hash"] for row in found] == [chain_hash(row) for row in found]


def test_a_changed_row_breaks_its_hash(written):
    row = rows(written)[1]
    for name, value in (("detail", {"reason": "archived"}), ("actor", "x"), ("seq", 9)):
        assert chain_hash(row | {name: value}) != row["hash"]


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"])
def test_the_database_refuses_to_change_it(written, statement):
    with pytest.raises(StorageFailed, match="append-only"), written.write() as tx:
        tx.execute(text(statement))
    assert len(rows(written)) == 4


def test_postgresql_refuses_to_truncate_it(written):
    if written.is_sqlite:
        return  # SQLite has no TRUNCATE; DELETE without WHERE is refused above
    with pytest.raises(StorageFailed, match="append-only"), written.write() as tx:
        tx.execute(text("TRUNCATE audit_log"))
