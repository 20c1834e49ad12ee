"""The audit log: append-only, chained, refused to be changed by the database itself."""

from __future__ import annotations

import io
import json
import logging
import threading
from decimal import Decimal

import pytest
import structlog
from sqlalchemy import select, text

from syncd import log
from syncd.errors import StorageFailed
from syncd.secrets import Secret
from syncd.store import audit
from syncd.store.audit import GENESIS, Event, chain_hash
from syncd.store.engine import open_database
from syncd.store.proof import Broken, prove
from syncd.store.schema import audit_log
from syncd.store.upgrade import upgrade
from tests.support.records import MONDAY


def rows(db):
    with db.read() as tx:
        return [dict(row._mapping) for row in tx.execute(select(audit_log).order_by("seq"))]


def append(db, *events, actor="cli:olena"):
    with db.write() as tx:
        audit.append(tx, events, at=MONDAY, actor=actor, run_id=1)


def proven(db):
    with db.read() as tx:
        return prove(tx)


@pytest.fixture
def written(db):
    for name in ("task.removed", "brake.tripped"):
        event = Event(name, "task", 331894, {"reason": "deleted", "naïve": [1, None]})
        append(db, event, event)
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


def test_two_appenders_make_one_chain(db, ready_database_url):
    together = threading.Barrier(2)

    def work(who):
        own = open_database(ready_database_url)
        together.wait()
        for number in range(20):
            append(own, Event("note.made", "note", number), Event("note.kept"), actor=who)
        own.close()

    threads = [threading.Thread(target=work, args=(f"cli:{name}",)) for name in ("olena", "petro")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 80 == proven(db).rows
    assert proven(db).holds
    actors = [row["actor"] for row in rows(db)]
    assert (40, 40) == (actors.count("cli:olena"), actors.count("cli:petro"))


def test_an_appender_waits_until_the_other_has_committed(postgres_url, monkeypatch):
    monkeypatch.setattr("syncd.store.engine.BUSY_TIMEOUT_S", 1)
    first, second = open_database(postgres_url), open_database(postgres_url)
    upgrade(first, now=MONDAY)
    with first.write() as tx:
        audit.append(tx, [Event("a.done")], at=MONDAY, actor="daemon", run_id=None)
        with pytest.raises(StorageFailed, match="lock"):
            append(second, Event("b.done"))
    append(second, Event("b.done"))
    assert ["a.done", "b.done"] == [row["event"] for row in rows(first)]
    first.close()
    second.close()


@pytest.mark.parametrize(
    "detail",
    [
        {"whole": 5.0, "tiny": 1e-7, "huge": 1e300, "long": 2**80, "edge": 2.0**53, "no": -0.0},
        {"none": float("nan"), "money": Decimal("1.50"), "when": MONDAY, 7: True},
        {"nul": "a\0b", "half": "\ud800", "deep": [{"é": ["x", {"y": None}]}]},
    ],
)
def test_whatever_the_detail_holds_the_hash_holds_on_reading(db, detail):
    append(db, Event("odd.told", detail=detail))
    assert proven(db).holds


def test_a_secret_that_is_known_is_not_written(db):
    key = Secret("5f4dcc3b5aa765d61d8327deb882cf99").reveal()
    append(db, Event("note.made", detail={"said": f"the key is {key}", key: 1}))
    assert {"said": "the key is ***", "***": 1} == rows(db)[0]["detail"]
    assert proven(db).holds


@pytest.mark.parametrize("who", ["daemon", "account", "cli:olena", "sql:o", "olena@acme.example"])
def test_these_may_append(db, who):
    append(db, Event("note.made"), actor=who)
    assert [who] == [row["actor"] for row in rows(db)]


@pytest.mark.parametrize("who", ["", "root", "cli:", "sql", "olena"])
def test_nobody_else_may(db, who):
    with pytest.raises(ValueError, match="is no actor"):
        append(db, Event("note.made"), actor=who)
    with pytest.raises(ValueError, match="is no actor"):
        append(db, Event("note.made", actor=who))
    assert [] == rows(db)


# --- the lines of the log


@pytest.fixture
def said():
    """The lines that go out, as somebody who collects them reads them."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level, configured = root.handlers[:], root.level, structlog.is_configured()
    stream = io.StringIO()
    log.set_up(form="json", level="info", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config) if configured else structlog.reset_defaults()


def test_what_is_committed_goes_out_as_a_line_that_holds_its_hash(db, said):
    append(db, Event("task.removed", "task", 5, {"reason": "deleted"}))
    (row,) = rows(db)
    (line,) = said()
    assert ("task.removed", "cli:olena", 5) == (line["event"], line["actor"], line["entity_id"])
    assert ({"reason": "deleted"}, row["hash"]) == (line["detail"], line["hash"])


def test_what_is_rolled_back_goes_out_nowhere(db, said):
    with pytest.raises(RuntimeError), db.write() as tx:
        audit.append(tx, [Event("a.done")], at=MONDAY, actor="daemon", run_id=None)
        raise RuntimeError
    assert ([], []) == (said(), rows(db))


# --- the proof


def free(db, tx):
    """Take the guards away, as only the owner of the tables can."""
    if db.is_sqlite:
        for name in ("update", "delete", "replace"):
            tx.execute(text(f"DROP TRIGGER audit_log_refuses_{name}"))
    else:
        tx.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))


def swap(one, other):
    return [
        f"UPDATE audit_log SET seq = 1000 WHERE seq = {one}",
        f"UPDATE audit_log SET seq = {one} WHERE seq = {other}",
        f"UPDATE audit_log SET seq = {other} WHERE seq = 1000",
    ]


ADDED = (
    "INSERT INTO audit_log SELECT 5, at, run_id, actor, event, entity, entity_id, detail, hash,"
    " 'x' FROM audit_log WHERE seq = 4"
)
TAMPERED = {
    "actor": (["UPDATE audit_log SET actor = 'daemon' WHERE seq = 2"], 2, "altered"),
    "detail": (["""UPDATE audit_log SET detail = '{"a": 1}' WHERE seq = 3"""], 3, "altered"),
    "at": (["UPDATE audit_log SET at = '2025-01-01 00:00:00' WHERE seq = 1"], 1, "altered"),
    "run": (["UPDATE audit_log SET run_id = NULL WHERE seq = 4"], 4, "altered"),
    "hash": (["UPDATE audit_log SET hash = 'x' WHERE seq = 2"], 2, "altered"),
    "end": (["UPDATE audit_log SET hash = 'x' WHERE seq = 4"], 4, "altered"),
    "first": (["DELETE FROM audit_log WHERE seq = 1"], 1, "missing"),
    "middle": (["DELETE FROM audit_log WHERE seq IN (2, 3)"], 2, "missing"),
    "last": (["DELETE FROM audit_log WHERE seq = 4"], 4, "missing"),
    "all": (["DELETE FROM audit_log"], 1, "missing"),
    "renumbered": (["UPDATE audit_log SET seq = seq + 100"], 101, "out of order"),
    "swapped": (swap(2, 3), 2, "out of order"),
    "two bad": ([*swap(3, 4), "DELETE FROM audit_log WHERE seq = 1"], 1, "missing"),
    "added": ([ADDED], 5, "altered"),
    "forgotten": (["DELETE FROM sync_state WHERE name = 'audit_head'"], 4, "missing"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_the_first_bad_row_is_named_and_what_is_wrong_with_it(written, name):
    statements, seq, kind = TAMPERED[name]
    assert proven(written).holds
    with written.write() as tx:
        free(written, tx)
        for statement in statements:
            tx.execute(text(statement))
    broken = proven(written).broken
    assert (seq, kind) == (broken.seq, broken.kind)


def rehash(tx, seq, **values):
    """Alter a row as somebody who knows how a hash is made."""
    row = dict(tx.execute(select(audit_log).where(audit_log.c.seq == seq)).one()._mapping)
    made = row | values
    made |= {"hash": chain_hash(made)}
    tx.execute(audit_log.update().where(audit_log.c.seq == seq).values(**made))
    return made


def test_a_row_with_a_hash_of_its_own_is_not_the_one_the_next_was_chained_to(written):
    with written.write() as tx:
        free(written, tx)
        rehash(tx, 2, actor="daemon")
    why = "it is not the row that row 3 was chained to"
    assert Broken(2, "altered", why) == proven(written).broken


def test_an_end_made_by_hand_is_not_the_one_that_was_remembered(written):
    with written.write() as tx:
        free(written, tx)
        last = rehash(tx, 4, actor="daemon")
    assert (4, "altered") == (proven(written).broken.seq, proven(written).broken.kind)
    with written.write() as tx:
        audit._remember_end(tx, 4, last["hash"])  # who knows all of it can rewrite all of it
    assert proven(written).holds
    assert "cli:olena" != rows(written)[3]["actor"]


def test_a_row_that_goes_on_with_the_chain_by_hand_is_told(written):
    with written.write() as tx:
        row = rows(written)[3]
        made = row | {"seq": 5, "prev_hash": row["hash"]}
        tx.execute(audit_log.insert().values(made | {"hash": chain_hash(made)}))
    assert Broken(5, "added", "syncd did not write it") == proven(written).broken


@pytest.mark.parametrize("column", ["at", "detail"])
def test_a_row_that_cannot_be_read_is_named_too(sqlite_url, column):
    db = open_database(sqlite_url)
    upgrade(db, now=MONDAY)
    append(db, *[Event("note.made")] * 4)
    with db.write() as tx:
        free(db, tx)
        tx.execute(text(f"UPDATE audit_log SET {column} = 'rubbish' WHERE seq = 3"))
    assert (3, "altered") == (proven(db).broken.seq, proven(db).broken.kind)
    db.close()


def test_an_empty_log_holds(db):
    proof = proven(db)
    assert (True, 0, None) == (proof.holds, proof.rows, proof.last)


def test_the_proof_tells_what_it_covers(written):
    proof = proven(written)
    assert (4, 1, 4, rows(written)[3]["hash"]) == (proof.rows, proof.first, proof.last, proof.hash)
    assert GENESIS == rows(written)[0]["prev_hash"]
