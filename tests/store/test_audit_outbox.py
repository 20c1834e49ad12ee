"""What the outbox's triggers write becomes part of the audit chain: all of it, and once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from syncd.store import audit, trail
from syncd.store.engine import alone, open_database
from syncd.store.mirror import BATCH
from syncd.store.outbox import acting, move
from syncd.store.proof import prove
from syncd.store.schema import audit_log
from syncd.store.state import recall, remember
from syncd.store.trail import Gap, Seen, advance
from syncd.store.upgrade import upgrade
from tests.support.records import MONDAY

MANY = BATCH + 10
COLUMNS = "operation, task_id, fields, base, state, attempts, created_at, created_by, batch"


def queue(tx, name="new", who="sql:olena", times=1):
    """Queue an edit, as the gate does."""
    values = (
        f"""'update', 7, '{{"name": "{name}"}}', '{{"name": "old"}}', 'queued', 0,"""
        f" current_timestamp, '{who}', 'b'"
    )
    tx.exec_driver_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        f" WHERE i < {times}) INSERT INTO outbox ({COLUMNS}) SELECT {values} FROM n",
        execution_options={"no_parameters": True},
    )


def queued(db, **values):
    with db.write() as tx:
        queue(tx, **values)


def chain(db):
    with db.write() as tx:
        return audit.chain_outbox(tx, at=MONDAY, run_id=3)


def chained(db):
    with db.read() as tx:
        assert prove(tx).holds
        return tx.execute(select(audit_log).order_by("seq")).all()


def ids(db):
    return [row.detail["event_id"] for row in chained(db)]


def test_every_event_becomes_a_row_by_its_own_actor_and_time(db):
    queued(db)
    with db.write() as tx, acting(db, tx, "daemon"):
        assert move(tx, 1, "queued", "sending", attempts=1)
        assert move(tx, 1, "sending", "queued")
    assert 3 == chain(db)
    rows = chained(db)
    assert [
        ("change.queued", "sql:olena"),
        ("change.sending", "daemon"),
        ("change.requeued", "daemon"),
    ] == [(row.event, row.actor) for row in rows]
    assert {("change", 1, 3)} == {(row.entity, row.entity_id, row.run_id) for row in rows}
    first, second, _ = (row.detail for row in rows)
    assert ({"name": "new"}, {"name": "old"}, 7) == (
        first["fields"],
        first["base"],
        first["task_id"],
    )
    assert ("queued", "sending", 1) == (
        second["from"],
        second["to"],
        second["detail"]["attempts"],
    )
    assert first["at"] <= second["at"]


def test_what_a_change_said_is_kept_as_it_was_at_each_event(db):
    queued(db, name="one")
    for name in ("two", "three"):
        with db.write() as tx:
            fields = f"""UPDATE outbox SET fields = '{{"name": "{name}"}}'"""
            tx.exec_driver_sql(fields, execution_options={"no_parameters": True})
    assert 3 == chain(db)
    rows = chained(db)
    assert ["change.queued", "change.reworded", "change.reworded"] == [row.event for row in rows]
    assert ["one", "two", "three"] == [row.detail["fields"]["name"] for row in rows]
    assert ["one", "two"] == [row.detail["was"]["fields"]["name"] for row in rows[1:]]


def test_nothing_is_chained_twice_and_nothing_new_writes_nothing(db):
    queued(db)
    assert [1, 0] == [chain(db), chain(db)]
    queued(db)
    assert [1, 0] == [chain(db), chain(db)]
    assert [1, 2] == ids(db)


def test_what_is_rolled_back_is_chained_later(db):
    queued(db)
    with pytest.raises(RuntimeError), db.write() as tx:
        audit.chain_outbox(tx, at=MONDAY, run_id=None)
        raise RuntimeError
    assert 1 == chain(db)


def test_many_events_fit(db):
    with db.write() as tx:
        queue(tx, times=MANY)
    assert MANY == chain(db)
    assert list(range(1, MANY + 1)) == ids(db)


def test_a_name_that_was_written_by_hand_does_not_stop_the_chain(db):
    queued(db, who="somebody")
    queued(db, who="")
    chain(db)
    assert ["sql:somebody", "sql:unknown"] == [row.actor for row in chained(db)]


# --- numbers that are drawn before they can be seen, on PostgreSQL


@pytest.fixture
def pg(postgres_url):
    db = open_database(postgres_url)
    upgrade(db, now=MONDAY)
    yield db
    db.close()


def test_where_nothing_is_new_nobody_is_waited_for(pg, monkeypatch):
    monkeypatch.setattr("syncd.store.engine.BUSY_TIMEOUT_S", 1)
    queued(pg)
    chain(pg)
    with pg.write() as other:
        alone(other, audit.CHAIN)
        with pg.write() as tx:
            assert 0 == audit.chain_outbox(tx, at=MONDAY, run_id=None)


def test_what_somebody_is_chaining_just_now_is_waited_for_and_chained_once(pg):
    queued(pg)
    with ThreadPoolExecutor() as pool:
        with pg.write() as first:
            assert 1 == audit.chain_outbox(first, at=MONDAY, run_id=None)
            second = pool.submit(chain, pg)
            _wait_for_a_waiter(pg)
        assert 0 == second.result(30)
    assert [1] == ids(pg)


def _wait_for_a_waiter(db):
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with db.read() as tx:
            if tx.scalar(waiting):
                return
    raise AssertionError("nobody waits")


def seen(db):
    with db.read() as tx:
        return trail.read_seen(recall(tx, trail.SEEN))


def test_an_event_that_becomes_visible_late_is_chained_and_once(pg):
    with pg.write() as early:
        queue(early)
        queued(pg)
        assert 1 == chain(pg)
        assert [2] == ids(pg)
        assert (1, 1) == (seen(pg).gaps[0].first, seen(pg).gaps[0].last)
        assert 0 == chain(pg)
    assert 1 == chain(pg)
    assert [2, 1] == ids(pg)
    assert 0 == chain(pg)
    assert Seen(2) == seen(pg)


def test_two_transactions_that_end_in_the_other_order_lose_nothing(pg):
    with pg.write() as first:
        queue(first)
        with pg.write() as second:
            queue(second)
            queue(second)
            queue(first)
            queued(pg)
            assert 1 == chain(pg)
        assert 2 == chain(pg)
    assert 2 == chain(pg)
    assert [5, 2, 3, 1, 4] == ids(pg)


def test_numbers_that_were_rolled_back_are_given_up_once_their_writers_have_ended(pg):
    with pytest.raises(RuntimeError), pg.write() as tx:
        for _ in range(3):
            queue(tx)
        raise RuntimeError
    with pg.write() as other:
        other.execute(text("INSERT INTO sync_state (name) VALUES ('a writer under way')"))
        queued(pg)
        chain(pg)
        chain(pg)
        assert [(1, 3)] == [(gap.first, gap.last) for gap in seen(pg).gaps]
    chain(pg)
    assert Seen(4) == seen(pg)


def test_many_gaps_are_looked_into(pg):
    with pg.write() as early:
        queue(early, times=MANY)
        with pg.write() as tx:
            gaps = tuple(Gap(number, number, 10**12) for number in range(1, MANY + 1))
            remember(tx, trail.SEEN, Seen(MANY, gaps).document)
    assert MANY == chain(pg)


def test_a_gap_of_another_server_is_given_up():
    gap = Gap(3, 4, before=900)
    assert Seen(5) == advance(Seen(5, (gap,)), [], oldest=20, following=30)


def test_a_gap_shrinks_around_what_was_found():
    before = Seen(20, (Gap(3, 9, before=50), Gap(12, 12, before=50)))
    after = advance(before, [5, 9, 12, 21, 24], oldest=40, following=60)
    gaps = (Gap(3, 4, 50), Gap(6, 8, 50), Gap(22, 23, 60))
    assert Seen(24, gaps) == after
    assert after == trail.read_seen(after.document)
