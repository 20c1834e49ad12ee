"""Folding: the changes of one lane come down to the fewest requests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.change import Change
from syncd.sync.canonical import same
from syncd.sync.fold import fold, lanes, rebased, written
from tests.support.changes import (
    TASK,
    a_change,
    a_completion,
    a_creation,
    a_reopening,
    an_update,
    at,
)

DAY, LATER_DAY = date(2026, 2, 1), date(2026, 3, 1)


def folded(*changes):
    return fold("lane", changes)


def shortly(result):
    return [(step.verb, dict(step.fields), step.changes) for step in result.steps]


def test_several_updates_are_one():
    result = folded(
        an_update(1, priority=3, base={"priority": 1}),
        an_update(2, date_end=DAY, base={"date_end": None}),
        an_update(3, priority=5, base={"priority": 1}),
    )
    assert [("update", {"date_end": DAY, "priority": 5}, (1, 2, 3))] == shortly(result)
    assert {"date_end": None, "priority": 1} == result.steps[0].base


def test_a_step_knows_our_own_values_on_the_way():
    step = folded(an_update(1, priority=3, name="x"), an_update(2, priority=5)).steps[0]
    assert {"priority": (3,)} == step.passed


def test_the_first_base_counts():
    """What the mirror took in between is theirs, and whoever queued the second did not see it."""
    result = folded(
        an_update(1, priority=3, base={"priority": 1}),
        an_update(2, priority=5, base={"priority": 9}),
    )
    assert {"priority": 1} == result.steps[0].base


@pytest.mark.parametrize(
    ("first", "found", "then", "net_base"),
    [
        ("a>abc", "ac", "b", "ac"),  # c came from somebody else, was seen, and is taken off
        ("a>", "", "abc", ""),  # a went by somebody else's hand too, and is put on again
        ("a>b", "ac", "bd", "a"),  # nobody has seen c
        ("a>", "a", "a", "a"),  # set and set back
        (">a", "", "", ""),  # put on and taken off
        ("a>ab", "", "abc", "a"),  # a is not put on: its author left it as it was shown
    ],
)
def test_tags_are_folded_one_by_one(first, found, then, net_base):
    base, _, wanted = first.partition(">")
    _, bases = written(
        (
            an_update(1, tags=frozenset(wanted), base={"tags": frozenset(base)}),
            an_update(2, tags=frozenset(then), base={"tags": frozenset(found)}),
        )
    )
    idle = frozenset(net_base) == frozenset(then)
    assert ({} if idle else {"tags": frozenset(net_base)}) == bases


def test_tags_are_a_request_of_their_own():
    result = folded(an_update(1, tags=frozenset({"a"}), priority=3, base={"priority": 1}))
    assert ["update", "tag"] == [step.verb for step in result.steps]


def test_a_field_set_and_set_back_is_nothing_but_its_changes_are_settled():
    result = folded(
        an_update(1, priority=3, base={"priority": 1}),
        an_update(2, priority=1, base={"priority": 1}),
    )
    assert ((), (1, 2)) == (result.steps, result.settled)


def test_what_is_set_back_is_settled_while_the_rest_of_its_lane_is_sent():
    result = folded(
        an_update(1, priority=3, base={"priority": 1}),
        an_update(2, priority=1, base={"priority": 1}),
        an_update(3, name="x", base={"name": "y"}),
    )
    assert [("update", {"name": "x"}, (3,))] == shortly(result)
    assert (1, 2) == result.settled


def test_setting_and_setting_back_end_together():
    """Alone, the second would be sent over 9, which whoever queued it never saw."""
    result = folded(
        an_update(1, priority=3, base={"priority": 1}),
        an_update(2, priority=1, name="x", base={"priority": 9, "name": "y"}),
    )
    assert [("update", {"name": "x"}, (1, 2))] == shortly(result)
    assert () == result.settled


def test_what_was_sent_together_is_looked_for_together():
    changes = [
        an_update(1, priority=3, date_end=DAY, base={"priority": 1, "date_end": None}),
        an_update(2, priority=1, name="x", base={"priority": 1}),
    ]
    assert ({"date_end": DAY, "name": "x"}, {"date_end": None}) == written(changes)


def test_clearing_is_an_edit():
    result = folded(an_update(1, date_end=None, base={"date_end": DAY}))
    assert [("update", {"date_end": None}, (1,))] == shortly(result)


def test_an_unknown_base_is_never_set_back():
    result = folded(an_update(1, date_end=None))
    assert ({}, {"date_end": None}) == (result.steps[0].base, result.steps[0].fields)


def test_done_then_reopened_is_nothing():
    result = folded(a_completion(1), a_reopening(2, base={"status": "active"}))
    assert ((), (1, 2)) == (result.steps, result.settled)


def test_reopened_then_done_is_nothing():
    result = folded(a_reopening(1), a_completion(2, base={"status": "done"}))
    assert ((), (1, 2)) == (result.steps, result.settled)


def test_done_reopened_and_done_is_done():
    result = folded(a_completion(1), a_reopening(2), a_completion(3))
    assert [("complete", {"status": "done"}, (1, 2, 3))] == shortly(result)


def test_a_status_in_an_update_is_a_completion():
    result = folded(an_update(1, status="done", priority=3, base={"status": "active"}))
    assert ["update", "complete"] == [step.verb for step in result.steps]


def test_the_day_of_closing_waits_for_the_closing():
    result = folded(an_update(1, date_closed=DAY, name="x"), a_completion(2))
    assert ["complete", "update"] == [step.verb for step in result.steps]


def test_a_day_of_closing_goes_after_the_reopening_it_came_with_and_starts_from_none():
    """Reopening takes the day away: sent before it, it would be lost without a word."""
    result = folded(a_reopening(1), an_update(2, date_closed=DAY, base={"date_closed": LATER_DAY}))
    assert ["reopen", "update"] == [step.verb for step in result.steps]
    assert {"date_closed": None} == result.steps[1].base


def test_a_day_of_closing_before_a_reopening_is_gone_with_it():
    day = an_update(1, date_closed=DAY, name="x", base={"date_closed": LATER_DAY})
    sent = [("update", {"name": "x"}, (1, 2)), ("reopen", {"status": "active"}, (1, 2))]
    assert sent == shortly(folded(day, a_reopening(2)))
    assert {"name": "x", "status": "active"} == written((day, a_reopening(2)))[0]


def test_a_task_closed_dated_and_reopened_is_nothing():
    result = folded(a_completion(1), an_update(2, date_closed=DAY), a_reopening(3))
    assert ((), (1, 2, 3)) == (result.steps, result.settled)


def test_edits_go_before_a_closing_that_may_have_to_wait():
    result = folded(a_completion(1), an_update(2, name="x"))
    assert ["update", "complete"] == [step.verb for step in result.steps]


def test_an_update_of_a_task_not_yet_created_is_part_of_its_creation():
    result = folded(
        a_creation(1, "r"),
        a_change(2, "update", task_id=None, ref="r", fields={"priority": 5, "tags": frozenset()}),
    )
    fields = {"name": "r", "priority": 5, "project_id": 8562, "tags": frozenset()}
    assert [("create", fields, (1, 2))] == shortly(result)


def test_a_creation_takes_along_what_looked_unchanged_when_it_was_queued():
    """There was no task yet, so there is nothing that it could be the same as."""
    follower = a_change(
        2, "update", task_id=None, ref="r", fields={"priority": 5}, base={"priority": 5}
    )
    assert 5 == folded(a_creation(1, "r"), follower).steps[0].fields["priority"]


def test_a_creation_that_says_nothing_is_a_step_all_the_same():
    """It is refused by name when its request is made; planning must not fall over it."""
    empty = a_change(1, "create", task_id=None, ref="r")
    assert [("create", {}, (1,))] == shortly(folded(empty))


def test_what_a_creation_cannot_carry_follows_it():
    result = folded(
        a_creation(1, "r"),
        a_change(2, "complete", task_id=None, ref="r"),
        a_change(3, "update", task_id=None, ref="r", fields={"date_closed": DAY}),
    )
    assert [("create", (1,)), ("complete", (2,)), ("update", (3,))] == [
        (step.verb, step.changes) for step in result.steps
    ]


def test_a_new_task_done_and_reopened_is_a_creation():
    result = folded(
        a_creation(1, "r"),
        a_change(2, "complete", task_id=None, ref="r"),
        a_change(3, "reopen", task_id=None, ref="r"),
    )
    assert [("create", (1,))] == [(step.verb, step.changes) for step in result.steps]
    assert (2, 3) == result.settled


@pytest.mark.parametrize("state", ["sending", "uncertain", "applied", "held", "conflict"])
def test_nothing_is_folded_across_a_change_that_was_sent_or_waits(state):
    blocker = a_change(2, "update", fields={"priority": 3}, state=state)
    result = folded(an_update(1, name="x"), blocker, an_update(3, priority=5))
    assert [("update", {"name": "x"}, (1,))] == shortly(result)
    assert (blocker, (3,)) == (result.behind, tuple(change.id for change in result.waiting))


@pytest.mark.parametrize("state", ["confirmed", "failed", "cancelled"])
def test_a_final_change_is_no_part_of_its_lane_any_more(state):
    past = a_change(1, "update", fields={"priority": 3}, state=state)
    assert [("update", {"priority": 5}, (2,))] == shortly(folded(past, an_update(2, priority=5)))


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_creation_that_ended_without_a_task_stops_its_lane(state):
    dead = a_creation(1, "r", state=state)
    result = folded(dead, a_change(2, "complete", task_id=None, ref="r"))
    assert ((), dead) == (result.steps, result.behind)


def test_a_waiting_change_holds_its_lane():
    """The second change is not sent around the first, which is to be tried again later."""
    first = a_change(1, "complete", next_attempt_at=at(500), attempts=1)
    result = folded(first, an_update(2, name="x"))
    assert {at(500)} == {step.not_before for step in result.steps}


def test_lanes_are_first_in_first_out_whatever_the_order_of_reading():
    one, two = an_update(1, name="a"), an_update(2, name="b")
    assert {f"task {TASK}": (one, two)} == lanes([two, one])


def test_a_new_task_keeps_its_lane_when_it_gets_its_id():
    made = a_creation(1, "r", task_id=7, state="applied")
    follower = a_change(2, "complete", task_id=None, ref="r")
    direct = a_change(3, "update", task_id=7, fields={"name": "x"})
    assert {"task 7": (made, follower, direct)} == lanes([made, follower, direct])


def test_a_later_change_stands_over_what_the_earlier_one_has_written():
    later = an_update(2, priority=5, name="x", base={"priority": 1, "name": "y"})
    moved = rebased(later, {"priority": 3, "date_end": DAY})
    assert {"priority": 3, "name": "y"} == moved.base


def test_after_our_own_reopening_a_day_of_closing_starts_from_none():
    later = an_update(2, date_closed=DAY, base={"date_closed": LATER_DAY})
    assert {"date_closed": None} == rebased(later, {"status": "active"}).origin
    assert later == rebased(
        an_update(2, date_closed=DAY, base={"date_closed": LATER_DAY}), {"status": "done"}
    )


def test_a_later_completion_stands_over_an_earlier_reopening():
    assert {"status": "active"} == rebased(a_completion(2), {"status": "active"}).base


def test_step_age_is_that_of_the_oldest_change_it_carries():
    assert at(60) == folded(an_update(1, name="a"), an_update(2, name="b")).steps[0].since


# Folding then applying equals applying one by one.

VALUES = {
    "name": st.sampled_from(["a", "b", "c"]),
    "priority": st.integers(1, 3),
    "date_end": st.sampled_from([None, DAY, LATER_DAY]),
    "max_time": st.sampled_from([None, Decimal(1), Decimal("1.0"), Decimal(2)]),
    "tags": st.frozensets(st.sampled_from(["x", "y", "z"])),
    "status": st.sampled_from(["active", "done"]),
}
TASKS = st.fixed_dictionaries(VALUES)
PATCHES = st.lists(st.fixed_dictionaries({}, optional=VALUES), max_size=6)


def a_lane(task, patches, ref=None):
    """Queue patches as the gate does: the base is the mirror's row, whatever is pending."""
    made = [a_creation(1, ref, fields=dict(task, status="active"))] if ref else []
    for patch in patches:
        status, id = patch.get("status"), len(made) + 1
        where = {"task_id": None, "ref": ref} if ref else {}
        if set(patch) == {"status"}:
            verb = "complete" if status == "done" else "reopen"
            made.append(a_change(id, verb, base={"status": task["status"]}, **where))
        else:
            base = {name: task[name] for name in patch}
            made.append(a_change(id, "update", fields=patch, base=base, **where))
    return made


def apply_to(task, patches):
    for patch in patches:
        task = task | patch
    return task


def equal(one, other):
    return one.keys() == other.keys() and all(same(name, one[name], other[name]) for name in one)


@given(TASKS, PATCHES)
def test_folding_then_applying_equals_applying_one_by_one(task, patches):
    result = folded(*a_lane(task, patches))
    assert equal(apply_to(task, patches), apply_to(task, [step.fields for step in result.steps]))


@given(TASKS, PATCHES)
def test_a_new_task_ends_as_if_every_change_had_been_applied(task, patches):
    task = dict(task, status="active")
    steps = folded(*a_lane(task, patches, ref="r")).steps
    made = apply_to({"status": "active"}, [step.fields for step in steps])
    assert equal(apply_to(task, patches), {name: made[name] for name in task})
    assert "create" == steps[0].verb


@given(TASKS, PATCHES)
def test_every_change_is_carried_or_settled_and_each_verb_comes_once(task, patches):
    lane = a_lane(task, patches)
    result = folded(*lane)
    carried = {id for step in result.steps for id in step.changes}
    assert {change.id for change in lane} == carried | set(result.settled)
    assert not carried & set(result.settled)
    assert len({step.verb for step in result.steps}) == len(result.steps) <= 3


@given(TASKS, PATCHES, st.integers(0, 6), st.sampled_from(["uncertain", "conflict", "applied"]))
def test_what_is_behind_a_sent_change_is_not_touched(task, patches, where, state):
    lane = a_lane(task, patches)
    blocked = [
        Change(**{**{n: getattr(c, n) for n in Change.__slots__}, "state": state})
        if c.id == where
        else c
        for c in lane
    ]
    result = folded(*blocked)
    going = {id for step in result.steps for id in step.changes} | set(result.settled)
    assert all(id < where for id in going) or not any(c.id == where for c in lane)


@given(TASKS, PATCHES)
def test_what_is_settled_makes_no_difference_to_what_is_sent(task, patches):
    lane = a_lane(task, patches)
    result = folded(*lane)
    rest = [change for change in lane if change.id not in result.settled]
    assert result.steps == folded(*rest).steps
