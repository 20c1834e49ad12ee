"""The brake over a mass edit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.sync.brake import holds
from tests.support.changes import a_change, a_creation, a_plan, at, verbs, waits


def crowd(size, *, every=0.0, first=1, **values):
    """Changes of different tasks, `every` so many seconds."""
    return [
        a_change(
            first + n,
            "update",
            task_id=first + n,
            fields={"priority": 5},
            created_at=at(n * every),
            **values,
        )
        for n in range(size)
    ]


def held(changes, **values):
    return [id for hold in holds(changes, max_batch=100, **values) for id in hold.changes]


@pytest.mark.parametrize(("size", "count"), [(100, 0), (101, 101)])
def test_more_than_the_limit_by_one_statement_are_held(size, count):
    assert count == len(held(crowd(size, every=60, batch="b")))


@pytest.mark.parametrize(("every", "count"), [(0.59, 102), (0.61, 0)])
def test_more_than_the_limit_within_a_minute_are_held(every, count):
    assert count == len(held(crowd(102, every=every)))


def test_a_minute_slides_so_two_halves_do_not_pass():
    first, second = crowd(60, every=0.1), crowd(60, every=0.1, first=1000)
    assert 120 == len(held([*first, *second]))


def test_creations_count():
    made = [a_creation(n, f"r{n}", created_at=at(0)) for n in range(1, 60)]
    assert 119 == len(held([*made, *crowd(60, first=100)]))


def test_what_was_sent_counts_and_is_not_held():
    sent = crowd(60, state="confirmed")
    tried = crowd(1, first=500, attempts=1)
    assert list(range(1000, 1060)) == held([*sent, *tried, *crowd(60, first=1000)])


def test_a_released_batch_passes_and_does_not_count():
    changes = [*crowd(101, batch="b"), *crowd(50, first=1000, batch="c")]
    assert 0 == len(held(changes, released={"b"}))


def test_a_released_change_passes_and_does_not_count():
    assert 0 == len(held(crowd(101), released={7}))


def test_a_hold_says_why():
    (hold,) = holds(crowd(101, every=60, batch="b"), max_batch=100)
    assert "101 changes were queued by one statement; more than 100 are held" == str(hold)
    (hold,) = holds(crowd(101), max_batch=100)
    assert "101 changes were queued within one minute; more than 100 are held" == str(hold)


def test_each_change_is_held_once():
    changes = crowd(150, batch="b")
    assert sorted(change.id for change in changes) == held(changes)


def test_a_held_change_holds_its_lane_and_no_other():
    later = a_change(999, "update", task_id=1, fields={"name": "x"}, created_at=at(9000))
    other = a_change(1000, "update", task_id=2000, fields={"name": "x"}, created_at=at(9000))
    plan = a_plan([*crowd(101), later, other], {}, max_batch=100)
    assert [("update", (1000,))] == verbs(plan)
    assert "an earlier change of the same task comes first (change 1, held)" == waits(plan)[999]
    assert "released or cancelled" in waits(plan)[1] or "release or cancel" in waits(plan)[1]


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from([None, "a", "b"])), max_size=30))
def test_what_passes_is_never_more_than_the_limit(queued):
    changes = [
        a_change(n, "update", task_id=n, batch=batch, created_at=at(seconds))
        for n, (seconds, batch) in enumerate(queued, start=1)
    ]
    stopped = {id for hold in holds(changes, max_batch=5) for id in hold.changes}
    passing = [change for change in changes if change.id not in stopped]
    for batch in ("a", "b"):
        assert 5 >= sum(change.batch == batch for change in passing)
    for change in passing:
        start = change.created_at
        near = [c for c in passing if 0 <= (c.created_at - start).total_seconds() < 60]
        assert len(near) <= 5
