"""Retry, cancel and release: what a person may do with a change in each state, and what not."""

from __future__ import annotations

from contextlib import suppress
from itertools import product

import pytest

from syncd.errors import ConfigError
from syncd.services.refusal import ChangeRefused
from syncd.sync.states import STATES
from tests.live.conftest import Gate
from tests.services.desk import Desk


@pytest.fixture
def desk(gate: Gate) -> Desk:
    return Desk(gate)


@pytest.fixture
def sqlite_desk(sqlite_gate: Gate) -> Desk:
    """For rules in which no database takes part."""
    return Desk(sqlite_gate)


def test_a_failed_change_is_tried_again_from_the_beginning(desk):
    desk.edit(priority=7)
    desk.take(1, "failed", attempts=8, error="no", error_code="16")
    desk.take(1, "failed", next_attempt_at="2026-01-01 00:00:00+00")
    (change,) = desk.retry(1).changes
    assert ("queued", 0, None, None, None) == (
        change.state,
        change.attempts,
        change.error,
        change.error_code,
        change.next_attempt_at,
    )
    assert ("failed", "queued", "cli:olena") == desk.gate.events()[-1][1:]
    assert [] == desk.audit()  # the trail has told it


@pytest.mark.parametrize("state", ["queued", "uncertain"])
def test_a_change_that_waits_for_its_next_try_goes_at_once(desk, state):
    desk.edit(priority=7)
    desk.take(1, state, next_attempt_at="2999-01-01 00:00:00+00", attempts=2)
    (change,) = desk.retry(1).changes
    assert (state, None, 2) == (change.state, change.next_attempt_at, change.attempts)
    assert [("change.retried", 1, {"from": state, "task_id": 1000})] == desk.audit()


def test_each_state_allows_what_makes_sense_in_it_and_nothing_else(sqlite_gate):
    desk = Desk(sqlite_gate)
    allowed: dict[str, set[str]] = {}
    deeds = (desk.retry, desk.cancel, desk.release)
    for id, (state, deed) in enumerate(product(STATES, deeds), 1):
        desk.edit(1005, name=f"name {id}")
        desk.take(id, state)
        with suppress(ChangeRefused):
            deed(id)
            allowed.setdefault(state, set()).add(deed.__name__)
    assert {
        "queued": {"retry", "cancel"},
        "held": {"cancel", "release"},
        "uncertain": {"retry"},
        "conflict": {"cancel"},
        "failed": {"retry", "cancel"},
    } == allowed


def test_what_may_have_landed_is_never_cancelled(sqlite_desk):
    sqlite_desk.edit(priority=7)
    sqlite_desk.take(1, "uncertain")
    with pytest.raises(ChangeRefused, match="Change 1 cannot be cancelled: it may have landed"):
        sqlite_desk.cancel(1)


def test_one_that_cannot_be_cancelled_leaves_the_others_alone_too(desk):
    desk.edit(priority=7)
    desk.edit(1001, priority=7)
    desk.take(2, "applied")
    with pytest.raises(ChangeRefused):
        desk.cancel(1, 2)
    assert ["queued", "applied"] == desk.states()
    assert [] == desk.audit()


def test_all_that_can_be_cancelled_is_and_the_rest_is_named(desk):
    for task in (1000, 1001, 1002):
        desk.edit(task, priority=7)
    desk.take(2, "uncertain")
    handled = desk.cancel()
    assert [1, 3] == [change.id for change in handled.changes]
    assert [2] == [change.id for change in handled.left]
    assert ["cancelled", "uncertain", "cancelled"] == desk.states()


def test_a_batch_is_cancelled_and_no_other(desk):
    (first,) = desk.edit(priority=7).changes
    desk.gate.run("UPDATE outbox SET batch = 'one'")
    desk.edit(1001, priority=7)
    assert [first.id] == [change.id for change in desk.cancel(batch="one").changes]
    with pytest.raises(ChangeRefused, match="Nothing of a batch 'none' is open"):
        desk.cancel(batch="none")


def test_with_a_creation_goes_what_depends_on_it_and_nothing_else(desk):
    desk.add(ref="top")
    desk.add(ref="child", parent="top")
    desk.add(ref="grandchild", parent="child")
    desk.edit("child", priority=9)
    desk.edit(1000, priority=9)
    handled = desk.cancel(1)
    assert ([1], (2, 3, 4)) == ([one.id for one in handled.changes], tuple(sorted(handled.along)))
    assert [*["cancelled"] * 4, "queued"] == desk.states()
    assert dict.fromkeys((2, 3, 4), "its creation was cancelled") == {
        id: detail["because"] for _, id, detail in desk.audit()
    }


def test_a_failed_creation_is_not_retried_once_its_ref_is_another_s(desk):
    desk.add(ref="r")
    desk.take(1, "failed")
    desk.add(ref="r")
    with pytest.raises(ChangeRefused, match="change 2 creates its ref 'r' now"):
        desk.retry(1)


def test_what_the_brake_holds_is_let_go(desk):
    desk.gate.run("UPDATE live_tasks SET priority = 9")
    batch = desk.gate.changes()[0]["batch"]
    for id in range(1, 5):
        desk.take(id, "held")
    desk.release(2)
    assert ["held", "queued", "held", "held", "queued"] == desk.states()
    assert [1, 3, 4] == [change.id for change in desk.release(batch=batch).changes]
    assert {"queued"} == set(desk.states())
    assert {("held", "queued", "cli:olena")} == {event[1:] for event in desk.gate.events()[-4:]}


def test_what_the_brake_would_hold_is_let_go_before_a_push_has_held_it(gate):
    desk = Desk(gate, max_batch=2)
    gate.run("UPDATE live_tasks SET priority = 9")
    assert 5 == len(desk.list().changes)
    assert ["5 changes were queued by one statement; more than 2 are held"] == list(
        desk.list().brake
    )
    desk.release()
    assert {"queued"} == set(desk.states())
    assert () == desk.list().brake


def test_with_nothing_to_release_nothing_happens(sqlite_desk):
    sqlite_desk.edit(priority=7)
    assert () == sqlite_desk.release().changes


@pytest.mark.parametrize("id", [2, 2**63, 2**70])
def test_a_number_that_no_change_has_is_named(sqlite_desk, id):
    sqlite_desk.edit(priority=7)
    for deed in (
        sqlite_desk.retry,
        sqlite_desk.cancel,
        sqlite_desk.release,
        sqlite_desk.resolve,
        sqlite_desk.revert,
        sqlite_desk.show,
    ):
        with pytest.raises(ConfigError, match=f"There is no change {id}"):
            deed(id)
