"""Undoing: the inverse through the same gate, and nobody's later edit is undone with ours."""

from __future__ import annotations

from datetime import date

import pytest

from syncd.services.refusal import ChangeRefused
from syncd.services.revert import invert
from syncd.store.live.texts import TEXTS
from tests.live.conftest import Gate
from tests.services.desk import Desk
from tests.support.changes import a_completion, an_update


@pytest.fixture
def desk(gate: Gate) -> Desk:
    return Desk(gate)


@pytest.fixture
def sqlite_desk(sqlite_gate: Gate) -> Desk:
    """For rules in which no database takes part."""
    return Desk(sqlite_gate)


def test_each_field_goes_back_to_what_it_was(desk):
    desk.edit(priority=7, date_end=None, name="mine")
    desk.land(1, priority=7, date_end=None, name="mine")
    reverted = desk.revert(1)
    assert () == reverted.left
    assert (
        "update",
        {"priority": 5, "date_end": "2026-02-01", "name": "Task 1000"},
        {"priority": 7, "date_end": None, "name": "mine"},
    ) == desk.gate.said()[1]
    assert [("change.reverted", 1, {"by": [2]})] == desk.audit()
    assert "cli:olena" == reverted.changes[0].created_by


@pytest.mark.parametrize(
    ("task", "did", "undone"), [(1000, "done", "reopen"), (1004, "active", "complete")]
)
def test_completing_and_reopening_undo_each_other(desk, task, did, undone):
    desk.status(did, task)
    closed = "'2026-01-07 10:00:00'" if did == "done" else "NULL"
    desk.gate.run(f"UPDATE tasks SET status = '{did}', date_closed = {closed} WHERE id = {task}")
    desk.take(1, "confirmed")
    assert [undone] == [change.operation for change in desk.revert(1).changes]


def test_tags_that_others_put_on_stay(desk):
    desk.edit(plus=["éa"], minus=["Done"])
    desk.gate.run(
        "DELETE FROM task_tags WHERE task_id = 1000 AND tag_id = 2",
        "INSERT INTO task_tags (task_id, tag_id) VALUES (1000, 8), (1000, 4)",
    )
    desk.take(1, "confirmed")
    (change,) = desk.revert(1).changes
    assert "#4,Done,To-do" == change.fields["tags"]


def test_a_field_that_was_changed_since_is_left_and_named(desk):
    desk.edit(priority=7, name="mine")
    desk.land(1, priority=9, name="mine")
    reverted = desk.revert(1)
    assert [{"name": "Task 1000"}] == [change.fields for change in reverted.changes]
    assert [(1, "priority", "it was changed since, to 9")] == [
        (one.change, one.field, one.why) for one in reverted.left
    ]


def test_an_edit_that_is_queued_counts_as_a_later_change(desk):
    desk.edit(priority=7)
    desk.land(1, priority=7)
    desk.edit(priority=8)
    with pytest.raises(ChangeRefused, match="priority: it was changed since, to 8") as caught:
        desk.revert(1)
    assert "--force" in caught.value.hint


def test_force_undoes_over_later_changes(desk):
    desk.edit(priority=7)
    desk.land(1, priority=9)
    (change,) = desk.revert(1, force=True).changes
    assert ({"priority": 5}, {"priority": 9}) == (change.fields, change.base)


def test_what_is_undone_already_is_refused(sqlite_desk):
    sqlite_desk.edit(priority=7)
    sqlite_desk.land(1)
    with pytest.raises(ChangeRefused, match="as it was before already"):
        sqlite_desk.revert(1)


def test_a_batch_is_undone_in_one_batch(desk):
    desk.gate.run("UPDATE live_tasks SET priority = 9, name = 'x'")
    batch = desk.gate.changes()[0]["batch"]
    desk.gate.run("UPDATE tasks SET priority = 9, name = 'x'")
    for id in range(1, 5):
        desk.take(id, "applied" if id == 3 else "confirmed")
    reverted = desk.revert(batch=batch)
    assert 4 == len(reverted.changes)
    assert 1 == len({change.batch for change in reverted.changes})


def test_several_changes_of_a_task_go_back_to_before_the_first(sqlite_desk):
    sqlite_desk.edit(priority=7)
    sqlite_desk.land(1, priority=7)
    sqlite_desk.edit(priority=8)
    sqlite_desk.land(2, priority=8)
    (change,) = sqlite_desk.revert(1, 2).changes
    assert {"priority": 5} == change.fields


def test_a_creation_cannot_be_undone_and_says_what_can_be_done(desk):
    desk.add(ref="r")
    desk.gate.run(
        "UPDATE outbox SET state = 'sending'",
        "UPDATE outbox SET state = 'applied', task_id = 1005",
    )
    with pytest.raises(ChangeRefused, match="deletes no task; complete it: syncd task done 1005"):
        desk.revert(1)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("queued", "nothing in the account to undo"),
        ("failed", "nothing in the account to undo"),
        ("uncertain", "not known to be in the account"),
        ("cancelled", "not known to be in the account"),
    ],
)
def test_only_what_the_account_took_can_be_undone(sqlite_desk, state, said):
    sqlite_desk.edit(priority=7)
    sqlite_desk.take(1, state)
    with pytest.raises(ChangeRefused, match=said):
        sqlite_desk.revert(1)
    with pytest.raises(ChangeRefused, match="Nothing of a batch"):
        sqlite_desk.revert(batch=sqlite_desk.gate.changes()[0]["batch"])


def test_the_gate_judges_an_inverse_too_and_then_nothing_is_queued(desk):
    desk.edit(assignee_email="olena@acme.example")
    desk.land(1, assignee_id=100)
    desk.gate.run("UPDATE members SET removed_at = '2026-01-01 00:00:00+00' WHERE id = 101")
    with pytest.raises(ChangeRefused) as caught:
        desk.revert(1)
    assert TEXTS["assignee_email"] == caught.value.message
    assert "undoing change 1" in caught.value.hint
    assert 1 == len(desk.gate.changes())


def test_a_task_that_is_gone_is_named(sqlite_desk):
    sqlite_desk.edit(priority=7)
    sqlite_desk.land(1, priority=7, removed_at="2026-01-01 00:00:00+00")
    with pytest.raises(ChangeRefused, match="task 1000 is gone"):
        sqlite_desk.revert(1)


def test_a_field_whose_former_value_is_not_known_is_left():
    (left,) = invert([an_update(1, priority=3)], {"priority": 3}).left
    assert "what it was before is not known" == left.why


def test_reopening_takes_the_day_of_closing_along():
    closed = an_update(2, base={"date_closed": None}, date_closed=date(2026, 1, 5))
    shown = {"status": "done", "date_closed": date(2026, 1, 5)}
    assert {"status": "active"} == invert([a_completion(1), closed], shown).fields
