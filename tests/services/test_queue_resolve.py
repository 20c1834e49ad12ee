"""A conflict is resolved field by field, and what loses is kept."""

from __future__ import annotations

import pytest

from syncd.services.refusal import ChangeRefused
from syncd.store.outbox import load_waiting
from tests.live.conftest import Gate
from tests.services.desk import Desk
from tests.support.changes import a_plan


@pytest.fixture
def desk(gate: Gate) -> Desk:
    return Desk(gate)


@pytest.fixture
def sqlite_desk(sqlite_gate: Gate) -> Desk:
    """For rules in which no database takes part."""
    return Desk(sqlite_gate)


def contested(desk: Desk, id: int = 1) -> list[str]:
    return [side.field for side in desk.show(id).sides if side.contested]


def test_the_three_sides_are_shown_and_what_is_to_choose(desk):
    desk.edit(priority=7, name="mine", date_end=None)
    desk.conflict(1, priority=9, name="mine")
    sides = {side.field: side for side in desk.show(1).sides}
    assert (5, 7, 9) == (
        sides["priority"].base,
        sides["priority"].mine,
        sides["priority"].theirs,
    )
    assert ["priority"] == contested(desk)


def test_mine_is_sent_over_theirs(desk):
    desk.edit(priority=7, name="mine")
    desk.conflict(1, priority=9)
    (change,) = desk.resolve(1, "mine").changes
    assert ("queued", None, None) == (change.state, change.error, change.error_code)
    assert [("update", {"name": "mine", "priority": 7}, {"name": "Task 1000", "priority": 9})] == (
        desk.gate.said()
    )


def test_theirs_takes_the_field_out_of_the_change(desk):
    desk.edit(priority=7, name="mine")
    desk.conflict(1, priority=9)
    (change,) = desk.resolve(1, "theirs").changes
    assert ("queued", {"name": "mine"}) == (change.state, change.fields)
    assert {"name": "Task 1000"} == change.base


def test_a_change_with_nothing_left_is_cancelled(desk):
    desk.edit(priority=7)
    desk.conflict(1, priority=9)
    (change,) = desk.resolve(1, "theirs").changes
    assert ("cancelled", {"priority": 7}) == (change.state, change.fields)


def test_each_field_may_go_another_way(desk):
    desk.edit(priority=7, name="mine", date_end=None)
    desk.conflict(1, priority=9, name="theirs", date_end="2026-05-05")
    desk.resolve(1, "mine", name="theirs")
    assert [
        (
            "update",
            {"date_end": None, "priority": 7},
            {"date_end": "2026-05-05", "priority": 9},
        )
    ] == desk.gate.said()


def test_a_choice_that_is_not_whole_is_refused_and_says_what_is_missing(sqlite_desk):
    sqlite_desk.edit(priority=7, name="mine")
    sqlite_desk.conflict(1, priority=9, name="theirs")
    with pytest.raises(ChangeRefused, match="Nothing was chosen for priority") as caught:
        sqlite_desk.resolve(1, name="mine")
    assert "--field priority=mine|theirs" in caught.value.hint
    with pytest.raises(ChangeRefused, match="date_end is not in conflict"):
        sqlite_desk.resolve(1, "mine", date_end="mine")
    assert ["conflict"] == sqlite_desk.states()


def test_all_changes_of_the_task_in_the_conflict_are_resolved_together(desk):
    desk.edit(priority=7)
    desk.edit(priority=8, name="mine")
    desk.edit(1001, priority=3)
    for id in (1, 2, 3):
        desk.conflict(id, priority=9)
    assert [1, 2] == [change.id for change in desk.resolve(2, "mine").changes]
    assert [{"priority": 9}, {"name": "Task 1000", "priority": 9}] == [
        base for _, _, base in desk.gate.said()[:2]
    ]
    assert ["queued", "queued", "conflict"] == desk.states()


def test_after_mine_a_push_plans_to_send_the_last_value_over_theirs(sqlite_desk):
    sqlite_desk.edit(priority=7)
    sqlite_desk.edit(priority=8)
    for id in (1, 2):
        sqlite_desk.conflict(id, priority=9)
    sqlite_desk.resolve(1, "mine")
    with sqlite_desk.gate.db.read() as tx:
        (step,) = (planned.step for planned in a_plan(load_waiting(tx).changes).steps)
    assert ({"priority": 8}, {"priority": 9}) == (step.fields, step.base)


def test_a_status_that_both_changed_can_be_left_to_them(sqlite_desk):
    sqlite_desk.gate.run("UPDATE tasks SET status = 'done' WHERE id = 1000")
    sqlite_desk.status("active", 1000)
    sqlite_desk.conflict(1, why="flips", status="done")
    assert ["status"] == contested(sqlite_desk)
    sqlite_desk.resolve(1, "theirs")
    assert ["cancelled"] == sqlite_desk.states()


def test_merged_tags_are_not_to_choose(desk):
    desk.edit(plus=["éa"], priority=7)
    desk.gate.run("INSERT INTO task_tags (task_id, tag_id) VALUES (1000, 8), (1000, 4)")
    desk.conflict(1, priority=9)
    assert ["priority"] == contested(desk)
    desk.resolve(1, "theirs")
    assert [("update", {"tags": [1, 2, 8]}, {"tags": [1, 2]})] == desk.gate.said()


def test_where_the_account_went_back_all_that_differs_is_to_choose(sqlite_desk):
    sqlite_desk.edit(priority=7, name="mine")
    sqlite_desk.conflict(1)
    assert ["name", "priority"] == sorted(contested(sqlite_desk))
    sqlite_desk.resolve(1, "theirs")
    assert ["cancelled"] == sqlite_desk.states()


def test_what_goes_back_and_forth_is_to_choose_though_theirs_is_the_base(sqlite_desk):
    sqlite_desk.edit(priority=7, name="mine", date_end=None)
    sqlite_desk.conflict(1, why="flips", name="theirs", date_end=None)
    assert ["name", "priority"] == sorted(contested(sqlite_desk))


def test_a_task_that_is_gone_can_only_be_given_up(desk):
    desk.edit(priority=7)
    desk.conflict(1, why="removed", removed_at="2026-01-01 00:00:00+00", removed_reason="deleted")
    with pytest.raises(ChangeRefused, match="Task 1000 is gone from the account"):
        desk.resolve(1, "mine")
    desk.resolve(1, "theirs")
    assert ["cancelled"] == desk.states()


def test_the_losing_values_are_kept(desk):
    desk.edit(priority=7, name="mine")
    desk.conflict(1, priority=9)
    desk.resolve(1, "theirs")
    ((event, id, detail),) = desk.audit()
    assert ("conflict.resolved", 1) == (event, id)
    assert [{"field": "priority", "winner": "theirs", "base": 5, "mine": 7, "theirs": 9}] == detail[
        "fields"
    ]
    trail = [event for event in desk.show(1).events if "fields" in event.detail]
    assert [("cli:olena", {"name": "mine", "priority": 7})] == [
        (event.actor, event.detail["fields"]) for event in trail
    ]


@pytest.mark.parametrize("state", ["queued", "failed", "confirmed"])
def test_what_is_in_no_conflict_cannot_be_resolved(sqlite_desk, state):
    sqlite_desk.edit(priority=7)
    sqlite_desk.take(1, state)
    with pytest.raises(ChangeRefused, match=f"Change 1 is {state}; there is no conflict"):
        sqlite_desk.resolve(1, "mine")


def test_a_change_that_means_nothing_can_only_be_cancelled(sqlite_desk):
    sqlite_desk.edit(priority=7)
    sqlite_desk.gate.run("""UPDATE outbox SET fields = '{"colour": 1}'""")
    sqlite_desk.conflict(1)
    assert () == sqlite_desk.show(1).sides
    assert "cannot be read" in sqlite_desk.show(1).why
    with pytest.raises(ChangeRefused, match="cannot be read"):
        sqlite_desk.resolve(1, "mine")
    sqlite_desk.cancel(1)


# --- creations that several tasks could be


def make_ambiguous(desk: Desk) -> Desk:
    desk.add(ref="r", name="Task 1005")
    desk.edit("r", priority=9)
    desk.take(1, "uncertain", sent_at="2026-01-05 09:00:00+00", attempts=1)
    desk.gate.run("UPDATE outbox SET state = 'conflict', error_code = 'ambiguous' WHERE id = 1")
    return desk


@pytest.fixture
def ambiguous(desk: Desk) -> Desk:
    return make_ambiguous(desk)


@pytest.fixture
def sqlite_ambiguous(sqlite_desk: Desk) -> Desk:
    return make_ambiguous(sqlite_desk)


def test_a_person_names_the_task_that_a_creation_became(ambiguous):
    (change,) = ambiguous.resolve(1, task=1005).changes
    assert ("applied", 1005) == (change.state, change.task_id)
    assert [1005, 1005] == [change["task_id"] for change in ambiguous.gate.changes()]


def test_or_that_it_is_none_of_them(ambiguous):
    (change,) = ambiguous.resolve(1, "mine").changes
    assert ("queued", 0, None) == (change.state, change.attempts, change.sent_at)


def test_or_that_it_is_not_wanted_any_more(ambiguous):
    handled = ambiguous.resolve(1, "theirs")
    assert (2,) == handled.along
    assert ["cancelled", "cancelled"] == ambiguous.states()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (99, "There is no task 99 in the mirror"),
        (2**70, "There is no task"),
        (1003, "There is no task 1003"),
        (1004, "Task 1004 is in another project"),
    ],
)
def test_a_task_that_it_cannot_be_is_refused(sqlite_ambiguous, task, said):
    with pytest.raises(ChangeRefused, match=said):
        sqlite_ambiguous.resolve(1, task=task)


def test_a_task_that_another_creation_became_is_refused(sqlite_ambiguous):
    sqlite_ambiguous.add(ref="other")
    sqlite_ambiguous.gate.run(
        "UPDATE outbox SET state = 'sending' WHERE id = 3",
        "UPDATE outbox SET state = 'applied', task_id = 1005 WHERE id = 3",
    )
    with pytest.raises(ChangeRefused, match="Task 1005 is what change 3 created already"):
        sqlite_ambiguous.resolve(1, task=1005)


def test_an_edit_has_its_task_and_a_creation_wants_a_word(sqlite_ambiguous):
    sqlite_ambiguous.edit(priority=7)
    sqlite_ambiguous.conflict(3, priority=9)
    with pytest.raises(ChangeRefused, match="not a creation"):
        sqlite_ambiguous.resolve(3, task=1005)
    with pytest.raises(ChangeRefused, match="name its task"):
        sqlite_ambiguous.resolve(1, name="mine")
