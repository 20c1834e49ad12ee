"""The lease: one holder at a time, named, and a late old holder is harmless."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from syncd.errors import LeaseHeld, LeaseLost, StorageFailed, SyncdError
from syncd.store import keeper, lease, sessions
from syncd.store.engine import open_database
from syncd.store.schema import lease as lease_table
from tests.support.records import MONDAY


def test_a_second_holder_is_refused_and_told_who_the_first_is(db, ready_database_url):
    other = open_database(ready_database_url)
    with lease.hold(db, now=MONDAY):
        with pytest.raises(LeaseHeld) as caught, lease.hold(other, now=MONDAY):
            pass
        assert caught.value.holder == lease.this_process()
    with lease.hold(other, now=MONDAY):
        pass


def test_the_fencing_number_grows_with_every_holder(db):
    numbers = []
    for _ in range(3):
        with lease.hold(db, now=MONDAY) as held:
            numbers.append(held.fencing)
    assert numbers == [1, 2, 3]


def test_a_holder_that_was_taken_over_can_write_nothing(db):
    with lease.hold(db, now=MONDAY) as held:
        with db.write() as tx:
            held.verify(tx)
            tx.execute(update(lease_table).values(fencing=held.fencing + 1))
        with pytest.raises(LeaseLost), db.write() as tx:
            held.verify(tx)


def test_a_lease_that_was_given_back_tells_when_the_account_was_last_asked(db):
    asked = MONDAY + timedelta(seconds=3)
    with lease.hold(db, now=MONDAY) as held:
        lease.give_back(db, held, lease.Pace(asked, resume_at=asked + timedelta(minutes=1)))
    with lease.hold(db, now=MONDAY) as held:
        assert (held.last_request_at, held.clean) == (asked, True)
        assert held.resume_at == asked + timedelta(minutes=1)
        lease.give_back(db, held)
    with lease.hold(db, now=MONDAY) as held:
        assert (held.last_request_at, held.clean) == (asked, True), "nobody asked in between"


def test_on_a_server_the_time_since_the_last_holder_is_told_by_no_host_s_clock(db):
    """A host whose clock is hours ahead would take a request of just now for one long ago."""
    with lease.hold(db, now=MONDAY) as held:
        assert held.idle_s is None
        lease.give_back(db, held)
    with lease.hold(db, now=MONDAY + timedelta(hours=3)) as held:
        assert held.idle_s is None if db.is_sqlite else 0 <= held.idle_s < 60


def test_a_holder_that_died_leaves_an_unclean_lease(db):
    with lease.hold(db, now=MONDAY):
        pass
    with lease.hold(db, now=MONDAY) as held:
        assert not held.clean


@pytest.fixture
def two(ready_postgres_url):
    """Two programs at one server."""
    first, second = open_database(ready_postgres_url), open_database(ready_postgres_url)
    yield first, second
    first.close()
    second.close()


def test_a_holder_proves_itself_while_it_writes(two):
    """A long landing has verified the lease, and the heartbeat must not wait for its end."""
    with lease.hold(two[0], now=MONDAY) as held, two[0].write() as tx:
        held.verify(tx)
        held.prove()
    assert not held.lost


def test_a_frozen_holder_is_taken_over_and_can_do_nothing_more(two, monkeypatch):
    """Failure 23: its sessions are ended, the one that wrote included; nothing of it stays."""
    monkeypatch.setattr(keeper, "BEAT_S", 3600)  # it gives no sign of life any more
    monkeypatch.setattr(keeper, "STALE_S", 0)
    frozen, waiting = two
    with ExitStack() as stack:
        held = stack.enter_context(lease.hold(frozen, now=MONDAY))
        with pytest.raises(SyncdError), frozen.write() as tx:
            held.verify(tx)
            tx.execute(update(lease_table).values(holder="written too late"))
            with lease.hold(waiting, now=MONDAY) as mine:
                assert mine.fencing == held.fencing + 1
        with pytest.raises(SyncdError):
            held.prove()
        assert held.lost
        with waiting.read() as tx:
            assert "written too late" != lease.holder(tx)


def test_a_session_that_held_the_lease_or_wanted_it_waits_for_answers_as_long_as_before(two):
    def limits(db):
        with db.read() as one, db.read() as other:  # of both connections that the pool has
            return {tx.scalar(text("SHOW statement_timeout")) for tx in (one, other)}

    before = limits(two[0])
    with lease.hold(two[0], now=MONDAY), pytest.raises(LeaseHeld), lease.hold(two[1], now=MONDAY):
        pass
    assert before == limits(two[0]) == limits(two[1])


def test_a_server_that_is_away_is_told_as_such_by_the_lease():
    db = open_database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageFailed, match="Connection refused"), lease.hold(db, now=MONDAY):
        pass


def test_a_session_that_ended_just_before_the_lease_is_wanted_is_told_as_such(two, monkeypatch):
    """Somebody restarts the server within the second for which a connection is trusted."""
    monkeypatch.setattr(sessions, "TRUSTED_S", 60.0)
    db, other = two
    with db.read() as tx:
        mine = tx.scalar(text("SELECT pg_backend_pid()"))
    with other.read() as tx:
        assert tx.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine})
    with pytest.raises(StorageFailed, match="terminating connection"), lease.hold(db, now=MONDAY):
        pass
    with lease.hold(db, now=MONDAY) as held:
        held.prove()


def test_a_holder_that_gives_signs_of_life_is_left_alone(two):
    with lease.hold(two[0], now=MONDAY) as held:
        held.prove()
        with pytest.raises(LeaseHeld), lease.hold(two[1], now=MONDAY):
            pass
        held.prove()


def test_a_holder_that_was_fenced_off_proves_nothing(two):
    with lease.hold(two[0], now=MONDAY) as held:
        with two[1].write() as tx:
            tx.execute(update(lease_table).values(fencing=held.fencing + 1))
        for _ in range(2):
            with pytest.raises(LeaseLost):
                held.prove()
