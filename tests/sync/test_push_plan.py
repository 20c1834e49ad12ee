"""The plan of a push as a whole: what it sends, what it looks at, what waits, what it costs."""

from __future__ import annotations

import pytest

from syncd.model.outbound import Look, Place
from syncd.sync.looks import TOGETHER
from tests.support.changes import (
    PROJECT,
    TASK,
    a_change,
    a_completion,
    a_creation,
    a_plan,
    a_reopening,
    an_update,
    at,
    verbs,
    waits,
)


def edits(count, **values):
    return [
        a_change(n, "update", task_id=n, fields={"priority": 5}, **values)
        for n in range(1, count + 1)
    ]


def places(count, status="active"):
    return {n: Place(PROJECT, None, status) for n in range(1, count + 1)}


def plan_of(count):
    return a_plan(edits(count), places(count))


def test_an_empty_outbox_costs_nothing():
    plan = a_plan([])
    assert (0, (), ()) == (plan.requests, plan.steps, plan.looks)


def test_look_at_the_record_before_a_write():
    plan = a_plan([an_update(1, priority=5, base={"priority": 1})])
    assert (Look("task", (TASK,), "before"),) == plan.looks
    assert 2 == plan.requests


def test_all_verbs_of_a_task_share_one_look():
    plan = a_plan([an_update(1, priority=5, tags=frozenset({"a"})), a_completion(2)])
    assert ["update", "tag", "complete"] == [each.step.verb for each in plan.steps]
    assert 1 == len(plan.looks)


def test_a_creation_needs_no_look():
    assert 1 == a_plan([a_creation(1, "r")]).requests


def test_a_new_task_is_looked_at_before_anything_more_is_written_to_it():
    plan = a_plan([a_creation(1, "r"), a_change(2, "complete", task_id=None, ref="r")])
    assert (Look("task", (), "before"),) == plan.looks


def test_tasks_are_looked_at_together():
    plan = plan_of(3)
    assert (Look("search", (1, 2, 3), "before", "active"),) == plan.looks


def test_a_search_names_one_status():
    mixed = {1: Place(PROJECT), 2: Place(PROJECT, status="done"), 3: Place(PROJECT)}
    plan = a_plan(edits(3), mixed)
    expected = {Look("search", (1, 3), "before", "active"), Look("task", (2,), "before")}
    assert expected == set(plan.looks)


def test_tags_are_looked_at_one_by_one():
    """A search may leave them out (API sheet, section 5.3)."""
    changes = [a_change(n, "update", task_id=n, fields={"tags": frozenset({"x"})}) for n in (1, 2)]
    plan = a_plan(changes, places(2))
    assert (Look("task", (1,), "before"), Look("task", (2,), "before")) == plan.looks


def test_a_look_is_not_so_big_that_it_is_old_when_its_last_task_is_written():
    plan = plan_of(TOGETHER + 2)
    assert [TOGETHER, 2] == [len(look.ids) for look in plan.looks]


@pytest.mark.parametrize(("count", "requests"), [(1, 2), (10, 11), (500, 520)])
def test_requests_for_so_many_edits(count, requests):
    assert requests == plan_of(count).requests


@pytest.mark.parametrize(("state", "why"), [("uncertain", "settle"), ("applied", "confirm")])
def test_what_was_sent_is_looked_at_first(state, why):
    sent = a_change(1, "update", fields={"name": "x"}, state=state)
    plan = a_plan([sent, an_update(2, priority=5)])
    assert ((Look("task", (TASK,), why),), []) == (plan.looks, verbs(plan))


def test_all_lost_creations_of_a_project_are_looked_for_at_once():
    plan = a_plan([a_creation(n, f"r{n}", state="uncertain") for n in (1, 2, 3)])
    assert (Look("project", (PROJECT,), "settle"),) == plan.looks


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("held", "too many were queued at once; release or cancel them"),
        ("conflict", "both sides changed it; resolve it"),
        ("uncertain", "it may have landed; a look settles it"),
        ("sending", "it may have landed; a look settles it"),
        ("applied", "it was sent; a later read has to show it"),
    ],
)
def test_what_stops_a_lane_says_why_itself(state, words):
    plan = a_plan([a_change(1, "update", fields={"name": "x"}, state=state)])
    assert {1: words} == waits(plan)


def test_settled_changes_are_named():
    plan = a_plan([a_completion(1), a_reopening(2), an_update(3, priority=5)])
    assert ((1, 2), [("update", (3,))]) == (plan.settled, verbs(plan))


def test_one_poisoned_change_does_not_delay_the_others():
    poisoned = a_change(1, "update", task_id=1, fields={"name": "x"}, next_attempt_at=at(10**8))
    plan = a_plan([poisoned, *edits(5)[1:]], places(5))
    assert [2, 3, 4, 5] == [each.step.task_id for each in plan.steps]


def test_ten_thousand_changes_are_planned_in_one_go():
    changes = [
        a_creation(n, f"r{n}", under=f"r{n // 2}" if n > 3 else None, created_at=at(n))
        for n in range(1, 5001)
    ]
    changes += [
        a_change(n, "complete", task_id=n - 5000 + 10**6, created_at=at(n))
        for n in range(5001, 10_001)
    ]
    tree = {n + 10**6: Place(PROJECT, (n // 2 + 10**6) if n > 1 else None) for n in range(1, 5001)}
    plan = a_plan(changes, tree, max_batch=10**6)
    assert 10_000 == len(plan.steps)
