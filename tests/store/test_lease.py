"""The lease: one holder at a time, named, and a late old holder is harmless."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from syncd.errors import LeaseHeld, LeaseLost
from syncd.store import lease
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
        lease.give_back(db, held, last_request_at=asked)
    with lease.hold(db, now=MONDAY) as held:
        assert (held.last_request_at, held.clean) == (asked, True)


def test_a_holder_that_died_leaves_an_unclean_lease(db):
    with lease.hold(db, now=MONDAY):
        pass
    with lease.hold(db, now=MONDAY) as held:
        assert not held.clean
