"""The order of steps over lanes: families, dependencies, age, and who waits for whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.outbound import Place
from tests.support.changes import (
    PROJECT,
    TASK,
    a_change,
    a_creation,
    a_plan,
    an_update,
    at,
    verbs,
    waits,
)

# 1 is the parent of 2 and 3; 2 is the parent of 4; 9 stands alone.
PARENTS = {1: None, 2: 1, 3: 1, 4: 2, 9: None}


def places(status="active"):
    return {id: Place(PROJECT, parent, status) for id, parent in PARENTS.items()}


def plan(*changes, status="active", **values):
    return a_plan(changes, places(status), **values)


def complete(id, task, **values):
    return a_change(id, "complete", task_id=task, **values)


def reopen(id, task, **values):
    return a_change(id, "reopen", task_id=task, **values)


def edit(id, task, **values):
    return a_change(id, "update", task_id=task, fields={"name": "x"}, **values)


def test_the_oldest_goes_first():
    assert [("update", (1,)), ("update", (2,))] == verbs(plan(edit(2, 1), edit(1, 9)))


def test_parents_are_created_before_their_children():
    made = plan(
        a_creation(1, "child", under="parent"),
        a_creation(2, "parent"),
        a_creation(3, "grandchild", under="child"),
    )
    assert [("create", (2,)), ("create", (1,)), ("create", (3,))] == verbs(made)
    assert "its parent comes first (change 2)" == str(made.steps[1].after[0])


def test_children_are_completed_before_their_parents():
    made = plan(complete(1, 1), complete(2, 2), complete(3, 4), complete(4, 3))
    assert [(3,), (2,), (4,), (1,)] == [changes for _, changes in verbs(made)]
    assert "its subtask comes first (change 2)" == str(made.steps[3].after[0])


def test_parents_are_reopened_before_their_children():
    made = plan(reopen(1, 4), reopen(2, 2), reopen(3, 1), status="done")
    assert [(3,), (2,), (1,)] == [changes for _, changes in verbs(made)]


def test_a_subtask_is_created_after_its_parent_is_reopened():
    made = plan(a_creation(1, "r", under=1), reopen(2, 1), status="done")
    assert [("reopen", (2,)), ("create", (1,))] == verbs(made)


def test_a_parent_is_completed_after_a_subtask_that_was_created_and_completed():
    made = plan(
        complete(1, 1),
        a_creation(2, "r", under=1),
        a_change(3, "complete", task_id=None, ref="r"),
    )
    assert [("create", (2,)), ("complete", (3,)), ("complete", (1,))] == verbs(made)


@pytest.mark.parametrize(("created", "completed"), [(1, 2), (2, 1)])
def test_where_creating_below_and_completing_above_oppose_each_other_the_older_goes_first(
    created, completed
):
    made = plan(a_creation(created, "r", under=1), complete(completed, 1))
    assert [(1,), (2,)] == [changes for _, changes in verbs(made)]


@pytest.mark.parametrize(("reopened", "completed"), [(1, 2), (2, 1)])
def test_where_reopening_below_and_completing_above_oppose_each_other_the_older_goes_first(
    reopened, completed
):
    made = plan(reopen(reopened, 2), complete(completed, 1))
    assert [(1,), (2,)] == [changes for _, changes in verbs(made)]


def test_the_older_of_two_that_oppose_each_other_goes_first_even_if_it_has_to_wait():
    made = plan(a_creation(1, "r", under=1, depends_on=(3,)), complete(2, 1), edit(3, 9))
    assert [(3,), (1,), (2,)] == [changes for _, changes in verbs(made)]
    made = plan(complete(1, 1, depends_on=(3,)), a_creation(2, "r", under=1), edit(3, 9))
    assert [(3,), (1,), (2,)] == [changes for _, changes in verbs(made)]


def test_a_day_of_closing_is_sent_after_the_closing():
    dated = a_change(1, "update", task_id=9, fields={"date_closed": None}, base={"date_closed": 5})
    assert [("complete", (2,)), ("update", (1,))] == verbs(plan(dated, complete(2, 9)))


def test_age_is_the_time_of_queueing():
    made = plan(edit(1, 1, created_at=at(50)), edit(2, 9, created_at=at(10)))
    assert [(2,), (1,)] == [changes for _, changes in verbs(made)]


def test_a_stuck_completion_above_keeps_nobody_waiting_who_opens():
    made = plan(complete(1, 1, state="held"), a_creation(2, "r", under=1))
    assert [("create", (2,))] == verbs(made)


@pytest.mark.parametrize("state", ["held", "conflict", "uncertain", "sending"])
def test_a_stopped_creation_blocks_its_subtree_and_nothing_else(state):
    made = plan(
        a_creation(1, "parent", state=state),
        a_creation(2, "child", under="parent"),
        a_creation(3, "grandchild", under="child"),
        edit(4, 9),
    )
    assert [("update", (4,))] == verbs(made)
    assert f"its parent comes first (change 1, {state})" == waits(made)[2]
    assert "its parent comes first (change 2, queued)" == waits(made)[3]


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_dead_creation_blocks_its_subtree_and_nothing_else(state):
    made = plan(
        a_creation(1, "parent", state=state), a_creation(2, "r", under="parent"), edit(3, 9)
    )
    assert [("update", (3,))] == verbs(made)
    assert {2: f"its parent comes first (change 1, {state})"} == waits(made)


@pytest.mark.parametrize("state", ["applied", "confirmed"])
def test_a_child_goes_once_its_parent_has_an_id(state):
    parent = a_creation(1, "parent", task_id=9, state=state)
    made = plan(parent, a_creation(2, "r", under="parent"))
    assert [("create", (2,))] == verbs(made)


def test_a_child_of_a_new_parent_waits_for_its_reopening_too():
    parent = a_creation(1, "parent", task_id=9, state="confirmed")
    made = plan(parent, a_creation(2, "r", under="parent"), reopen(3, 9))
    assert [("reopen", (3,)), ("create", (2,))] == verbs(made)


def test_a_creation_that_was_not_honoured_whole_holds_nobody():
    """Its task is there: what was queued for it goes on."""
    creation = a_creation(1, "r", state="failed", task_id=9)
    assert [("update", (2,))] == verbs(plan(creation, edit(2, 9, ref="r", depends_on=(1,))))


def test_a_ref_is_free_again_once_its_creation_has_failed():
    made = plan(
        a_creation(1, "r", state="failed"),
        a_change(2, "update", task_id=None, ref="r", depends_on=(1,), fields={"priority": 3}),
        a_creation(3, "r"),
        a_change(4, "update", task_id=None, ref="r", depends_on=(3,), fields={"priority": 5}),
        a_creation(5, "child", under="r", depends_on=(3,)),
    )
    assert [("create", (3, 4)), ("create", (5,))] == verbs(made)
    assert 5 == made.steps[0].step.fields["priority"]
    assert "an earlier change of the same task comes first (change 1, failed)" == waits(made)[2]


def test_a_ref_means_the_creation_that_stands():
    made = plan(
        a_creation(1, "r"), a_creation(2, "r", state="cancelled"), a_creation(3, "c", under="r")
    )
    assert [("create", (1,)), ("create", (3,))] == verbs(made)


def test_a_child_that_depends_on_its_parents_creation_waits_for_its_parent():
    made = plan(a_creation(1, "p", state="held"), a_creation(2, "r", under="p", depends_on=(1,)))
    assert "its parent comes first (change 1, held)" == waits(made)[2]
    made = plan(a_creation(1, "p"), a_creation(2, "r", under="p", depends_on=(1,)))
    assert "its parent comes first (change 1)" == str(made.steps[1].after[0])


def test_a_change_that_names_its_task_by_the_creation_alone_is_in_its_lane():
    made = plan(a_creation(1, "p"), a_change(2, "complete", task_id=None, depends_on=(1,)))
    assert [("create", (1,)), ("complete", (2,))] == verbs(made)


def test_a_parent_that_nobody_queued_is_said_so():
    assert "never queued" in waits(plan(a_creation(1, "r", under="nobody")))[1]


@pytest.mark.parametrize("state", ["held", "conflict", "uncertain"])
def test_a_parent_waits_for_a_subtask_whose_completion_is_stuck(state):
    made = plan(complete(1, 2, state=state), complete(2, 1), edit(3, 9))
    assert [("update", (3,))] == verbs(made)
    assert f"its subtask comes first (change 1, {state})" == waits(made)[2]


def test_a_parent_waits_for_a_new_subtask_whose_completion_is_stuck():
    made = plan(
        a_creation(1, "r", under=1, state="uncertain"),
        a_change(2, "complete", task_id=None, ref="r"),
        complete(3, 1),
    )
    assert "its subtask comes first (change 2, queued)" == waits(made)[3]


def test_a_completion_that_failed_keeps_nobody_waiting():
    """The account refuses the parent then (code 13), and that says more than waiting for ever."""
    assert [("complete", (2,))] == verbs(plan(complete(1, 2, state="failed"), complete(2, 1)))


def test_an_applied_completion_keeps_nobody_waiting():
    assert [("complete", (2,))] == verbs(plan(complete(1, 2, state="applied"), complete(2, 1)))


def test_a_subtask_waits_for_a_reopening_that_is_stuck():
    made = plan(reopen(1, 1, state="held"), a_creation(2, "r", under=1), reopen(3, 2))
    assert [] == verbs(made)
    assert {"its parent comes first (change 1, held)"} == {waits(made)[2], waits(made)[3]}


def test_what_is_to_be_tried_later_waits_with_its_subtree():
    made = plan(
        a_creation(1, "parent", next_attempt_at=at(5000)),
        a_creation(2, "child", under="parent"),
        edit(3, 9),
        now=at(4000),
    )
    assert [("update", (3,))] == verbs(made)
    assert f"it is tried again later, not before {at(5000).isoformat()}" == waits(made)[1]
    assert 3 == len(plan(edit(3, 9), a_creation(1, "p", next_attempt_at=at(50)), edit(2, 1)).steps)


def test_a_change_goes_after_the_one_it_depends_on():
    made = plan(edit(1, 9, depends_on=(2,)), edit(2, 1))
    assert [(2,), (1,)] == [changes for _, changes in verbs(made)]
    assert "the change that it depends on comes first (change 2)" == str(made.steps[1].after[0])


@pytest.mark.parametrize("state", ["failed", "cancelled", "held", "conflict", "uncertain"])
def test_a_change_waits_for_one_it_depends_on_that_is_stopped(state):
    made = plan(edit(1, 9, depends_on=(2,)), edit(2, 1, state=state), edit(3, 3))
    assert [("update", (3,))] == verbs(made)
    assert f"the change that it depends on comes first (change 2, {state})" == waits(made)[1]


def test_a_change_waits_for_one_it_depends_on_that_waits_in_its_lane():
    made = plan(edit(1, 9, state="conflict"), edit(2, 9), edit(3, 1, depends_on=(2,)))
    assert "the change that it depends on comes first (change 2, queued)" == waits(made)[3]


def test_a_dependency_that_is_done_keeps_nobody_waiting():
    assert [("update", (2,))] == verbs(
        plan(edit(1, 9, state="confirmed"), edit(2, 1, depends_on=(1,)))
    )
    assert [("update", (2,))] == verbs(plan(edit(2, 1, depends_on=(1,))))
    applied = edit(1, 9, state="applied")
    assert [("update", (2,))] == verbs(plan(applied, edit(2, 1, depends_on=(1,))))


def test_a_circle_is_refused_by_name_and_stops_only_what_needs_it():
    made = plan(
        a_creation(1, "a", under="b"),
        a_creation(2, "b", under="a"),
        a_creation(3, "c", under="b"),
        edit(4, 9),
    )
    assert [("update", (4,))] == verbs(made)
    assert "circle; cancel one of them (change 2, queued)" in waits(made)[1]
    assert "circle; cancel one of them (change 1, queued)" in waits(made)[2]
    assert "its parent comes first (change 2, queued)" == waits(made)[3]


def test_a_change_that_depends_on_itself_in_a_circle_of_lanes():
    made = plan(edit(1, 9, depends_on=(2,)), edit(2, 1, depends_on=(1,)))
    assert [] == verbs(made)
    assert all("circle" in words for words in waits(made).values())


def test_a_lane_that_waits_says_behind_what():
    made = plan(edit(1, TASK, state="conflict"), edit(2, TASK), edit(3, 9))
    assert [("update", (3,))] == verbs(made)
    assert "an earlier change of the same task comes first (change 1, conflict)" == waits(made)[2]


# Random forests of changes.


@st.composite
def outboxes(draw):
    """Changes over a small tree and up to three new tasks, in any states."""
    states = ["queued"] * 6 + ["held", "conflict", "uncertain", "applied", "failed", "cancelled"]
    made = []
    for ref in draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True)):
        under = draw(st.sampled_from([None, 1, 2, 9, "a", "b", "c"]))
        state = draw(st.sampled_from(states))
        task_id = 100 + len(made) if state == "applied" else None
        made.append(a_creation(len(made) + 1, ref, under=under, state=state, task_id=task_id))
    refs = [change.ref for change in made]
    for _ in range(draw(st.integers(0, 10))):
        id = len(made) + 1
        verb = draw(st.sampled_from(["update", "complete", "reopen"]))
        where = draw(st.sampled_from([1, 2, 3, 4, 9, *refs]))
        task = {"task_id": None, "ref": where} if isinstance(where, str) else {"task_id": where}
        needs = draw(st.lists(st.integers(1, 15), max_size=1)) if draw(st.booleans()) else []
        fields = {"fields": {"name": f"n{id}"}} if verb == "update" else {}
        made.append(
            a_change(
                id,
                verb,
                state=draw(st.sampled_from(states)),
                created_at=at(draw(st.integers(0, 5))),
                depends_on=tuple(needs),
                **task,
                **fields,
            )
        )
    return made


def positions(made):
    """Where each change is sent first."""
    found = {}
    for n, each in enumerate(made.steps):
        for id in each.step.changes:
            found.setdefault(id, n)
    return found


@given(outboxes())
def test_every_open_change_is_in_exactly_one_place(changes):
    made = a_plan(changes, places())
    sent = {id for _, ids in verbs(made) for id in ids}
    waiting = {id for each in made.waiting for id in each.changes}
    final = {"confirmed", "failed", "cancelled"}
    open_ids = {change.id for change in changes if change.state not in final}
    assert open_ids == sent | waiting | set(made.settled)
    assert not set(made.settled) & (sent | waiting)


@given(outboxes())
def test_the_order_respects_families(changes):
    made = a_plan(changes, places())
    by_lane = {each.step.key: n for n, each in enumerate(made.steps)}
    stood = {f"task {id}": f"task {up}" for id, up in PARENTS.items() if up}
    for child, parent in stood.items():
        for first, then in (
            ((child, "complete"), (parent, "complete")),
            ((parent, "reopen"), (child, "reopen")),
        ):
            if first in by_lane and then in by_lane:
                assert by_lane[first] < by_lane[then]


@given(outboxes())
def test_the_order_respects_creations(changes):
    where = positions(a_plan(changes, places()))
    creations = {c.ref: c for c in changes if c.operation == "create"}
    for child in creations.values():
        parent = creations.get(child.fields.get("parent_ref"))
        if child.id in where and parent and parent.task_id is None:
            assert where[parent.id] < where[child.id]


@given(outboxes())
def test_the_order_respects_dependencies(changes):
    made = a_plan(changes, places())
    where = positions(made)
    lane = {id: each.step.lane for each in made.steps for id in each.step.changes}
    for change in changes:
        for id in change.depends_on:
            if change.id in where and id in where and lane[id] != lane[change.id]:
                assert where[id] < where[change.id]


@given(outboxes(), st.randoms())
def test_the_same_outbox_gives_the_same_plan(changes, random):
    shuffled = random.sample(changes, len(changes))
    assert a_plan(changes, places()) == a_plan(shuffled, places())


@given(outboxes())
def test_planning_again_without_what_was_settled_gives_the_same_plan(changes):
    made = a_plan(changes, places())
    again = a_plan([c for c in changes if c.id not in made.settled], places())
    assert (made.steps, made.waiting, made.looks) == (again.steps, again.waiting, again.looks)


@given(outboxes())
def test_independent_lanes_never_wait_for_each_other(changes):
    """An edit of a task with nothing before it in its lane goes, whatever stands elsewhere."""
    lonely = an_update(99, name="x")
    made = a_plan([*changes, lonely], places())
    assert ("update", (99,)) in verbs(made)
