"""Edits queued by commands and scripts: through the gate, in its words, with nothing left out."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from syncd.services.refusal import ChangeRefused
from syncd.store.live.texts import TEXTS
from syncd.store.own import newest, queued_since
from tests.live.conftest import Gate
from tests.services.desk import ACTOR, Desk


@pytest.fixture
def desk(gate: Gate) -> Desk:
    return Desk(gate)


@pytest.fixture
def shut_desk(shut_gate: Gate) -> Desk:
    return Desk(shut_gate)


def test_an_edit_is_queued_with_what_the_mirror_holds_as_its_base(desk):
    queued = desk.edit(priority=7, date_end="2026-03-01", max_time="2.50")
    (change,) = queued.changes
    assert (1, "update", 1000, "queued") == (
        change.id,
        change.operation,
        change.task_id,
        change.state,
    )
    assert {
        "priority": 7,
        "date_end": date(2026, 3, 1),
        "max_time": Decimal("2.5"),
    } == change.fields
    assert {
        "priority": 5,
        "date_end": date(2026, 2, 1),
        "max_time": Decimal(352),
    } == change.base
    assert (ACTOR, "Task 1000") == (change.created_by, change.task)
    assert [(1, None, "queued", ACTOR)] == desk.gate.events()


def test_none_clears_a_field_and_a_field_that_is_not_named_stays(desk):
    (change,) = desk.edit(date_end=None, assignee_email=None).changes
    assert {"date_end": None, "assignee_email": "NOONE"} == change.fields


def test_what_is_so_already_queues_nothing_and_is_named(desk):
    queued = desk.edit(priority="5")
    assert ((), (1000,)) == (queued.changes, queued.unchanged)
    assert (1000,) == desk.edit().unchanged


def test_tags_are_put_on_and_taken_off_whatever_else_the_task_has(desk):
    (change,) = desk.edit(1001, plus=["Done", "#4"], minus=["éa", "#3"]).changes
    assert "#4,#5,#6,Done" == change.fields["tags"]
    assert "#3,#5,#6,éa" == change.base["tags"]


def test_a_tag_may_be_called_by_its_label_its_number_or_its_name(desk):
    (change,) = desk.edit(plus=["a,b"], minus=["#1", "Done"]).changes
    assert "#3" == change.fields["tags"]
    (change,) = desk.edit(1005, plus=["To-do,Done"]).changes
    assert "Done,To-do" == change.fields["tags"]


def test_taking_off_a_tag_that_the_task_has_not_changes_nothing(desk):
    assert (1000,) == desk.edit(minus=["éa"]).unchanged


def test_a_tag_to_be_taken_off_that_no_tag_is_called_by_is_refused(shut_desk):
    with pytest.raises(ChangeRefused) as caught:
        shut_desk.edit(minus=["Nope"])
    assert TEXTS["tags_unknown"] == caught.value.message


def test_tags_go_on_and_off_over_those_that_are_queued_already(desk):
    desk.edit(plus=["éa"])
    (change,) = desk.edit(minus=["Done"]).changes
    assert "To-do,éa" == change.fields["tags"]


def test_a_whole_list_of_tags_replaces_them(desk):
    (change,) = desk.edit(tags=["éa", "Done"]).changes
    assert "Done,éa" == change.fields["tags"]
    (change,) = desk.edit(tags=None).changes
    assert change.fields["tags"] is None


def test_several_tasks_are_completed_in_one_batch_or_not_at_all(desk):
    queued = desk.status("done", 1000, "1001", 1004, 1000)
    assert [("complete", 1000), ("complete", 1001)] == [
        (change.operation, change.task_id) for change in queued.changes
    ]
    assert (1004,) == queued.unchanged
    assert 1 == len({change.batch for change in queued.changes})
    with pytest.raises(ChangeRefused, match="no task 99"):
        desk.status("done", 1002, 99)
    assert 2 == len(desk.gate.changes())


def test_a_task_is_reopened(desk):
    (change,) = desk.status("active", 1004).changes
    assert ("reopen", 1004) == (change.operation, change.task_id)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (99, "There is no task 99 in the mirror."),
        ("99", "There is no task 99 in the mirror."),
        (2**70, f"There is no task {2**70} in the mirror."),
        (1003, "Task 1003 is gone from the account (deleted), and cannot be edited."),
        ("nobody", "There is no task with the ref 'nobody'."),
    ],
)
def test_a_task_that_is_not_there_is_refused_with_one_clear_line(shut_desk, named, said):
    with pytest.raises(ChangeRefused) as caught:
        shut_desk.edit(named, priority=1)
    assert said == caught.value.message
    assert caught.value.hint
    assert [] == shut_desk.gate.changes()


def test_a_new_task_takes_everything_that_can_be_given(desk):
    (change,) = desk.add(
        name="Plan",
        ref="r",
        text="a\nb",
        priority=3,
        author_email="Petro@acme.example",
        assignee_email="ANY",
        date_start=date(2026, 2, 1),
        date_end="2026-02-03",
        max_time=2,
        max_money="10.5",
        tags=["Done"],
        checklist=["one, two", "three"],
        subscribers=["olena@acme.example", "petro@acme.example"],
        hidden="petro@acme.example",
        mentions=[],
    ).changes
    assert {
        "project_id": 10,
        "level": 1,
        "name": "Plan",
        "text": "a\nb",
        "priority": 3,
        "author_email": "petro@acme.example",
        "assignee_email": "ANY",
        "date_start": date(2026, 2, 1),
        "date_end": date(2026, 2, 3),
        "max_time": Decimal(2),
        "max_money": Decimal("10.5"),
        "tags": "Done",
        "checklist": ("one, two", "three"),
        "subscribers": ("olena@acme.example", "petro@acme.example"),
        "hidden": ("petro@acme.example",),
    } == change.fields
    assert ("create", "r", "Plan", {}, ACTOR) == (
        change.operation,
        change.ref,
        change.task,
        change.base,
        change.created_by,
    )


def test_a_ref_makes_a_creation_repeatable(desk):
    first = desk.add(ref="r")
    again = desk.add(ref="r", name="other")
    assert first.changes == again.changes
    assert (True, False) == (first.new, again.new)
    assert 1 == len(desk.gate.changes())


def test_without_a_ref_two_are_two_tasks(desk):
    refs = {desk.add().changes[0].ref for _ in range(2)}
    assert 2 == len(refs)


def test_a_parent_is_named_by_its_number_or_by_its_ref(desk):
    (child,) = desk.add(parent="1000").changes
    assert (1000, 2) == (child.fields["parent_id"], child.fields["level"])
    (creation,) = desk.add(ref="top").changes
    (child,) = desk.add(parent="top").changes
    assert ("top", creation.id) == (child.fields["parent_ref"], child.depends_on)


def test_a_pending_creation_is_edited_and_completed_by_its_ref(desk):
    desk.add(ref="r")
    (edit,) = desk.edit("r", priority=9).changes
    (done,) = desk.status("done", "r").changes
    assert ("update", "complete") == (edit.operation, done.operation)
    assert (1, 1) == (edit.depends_on, done.depends_on)
    assert ("r",) == desk.edit("r", priority=9).unchanged


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("name", {"name": " "}),
        ("nul", {"name": "a\0b"}),
        ("priority", {"priority": "high"}),
        ("priority", {"priority": 11}),
        ("priority", {"priority": 10**30}),
        ("priority", {"priority": None}),
        ("priority", {"priority": True}),
        ("priority", {"priority": 5.5}),
        ("date_end", {"date_end": "2026-02-30"}),
        ("date_end", {"date_end": "01.02.2026"}),
        ("date_end", {"date_end": "2026-02-01 10:00"}),
        ("date_end", {"date_end": datetime(2026, 2, 1)}),
        ("date_end", {"date_end": ""}),
        ("date_closed", {"date_closed": "soon"}),
        ("max_time", {"max_time": "much"}),
        ("max_time", {"max_time": "-1"}),
        ("max_time", {"max_time": float("nan")}),
        ("max_time", {"max_time": True}),
        ("max_money", {"max_money": "100000000000"}),
        ("assignee_email", {"assignee_email": ""}),
        ("assignee_email", {"assignee_email": "a\0b"}),
        ("tags_unknown", {"plus": ["Nope"]}),
        ("tags_removed", {"plus": ["#6"]}),
        ("fixed_text", {"text": "new"}),
        ("fixed_project_id", {"project_id": 11}),
    ],
)
def test_a_refusal_has_the_gate_s_own_words_and_queues_nothing(shut_desk, key, fields):
    with pytest.raises(ChangeRefused) as caught:
        shut_desk.edit(**fields)
    assert TEXTS[key] == caught.value.message
    assert [] == shut_desk.gate.changes()


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("project_id", {"project_id": 99}),
        ("project_id", {"project_id": 2**80}),
        ("project_id", {"project_id": "ten"}),
        ("text", {"text": "я" * 65_537}),
        ("author_email", {"author_email": "x@y"}),
        ("subscribers", {"subscribers": ["x@y"]}),
        ("parent_id", {"parent": 99}),
        ("parent_level", {"parent": 1002}),
        ("parent_done", {"parent": 1004}),
        ("parent_ref", {"parent": "nobody"}),
        ("new_status", {"status": "done"}),
        ("new_date_closed", {"date_closed": "2026-02-01"}),
    ],
)
def test_a_new_task_is_refused_in_the_gate_s_own_words(shut_desk, key, fields):
    with pytest.raises(ChangeRefused) as caught:
        shut_desk.add(**fields)
    assert TEXTS[key] == caught.value.message
    assert [] == shut_desk.gate.changes()


def test_a_field_that_a_task_has_not_is_refused(shut_desk):
    with pytest.raises(ChangeRefused, match="no field 'colour'"):
        shut_desk.edit(colour="red")


def test_what_is_not_utf_8_is_refused(shut_desk):
    with pytest.raises(ChangeRefused, match="name is not UTF-8"):
        shut_desk.edit(name="\udcff")
    with pytest.raises(ChangeRefused, match="ref cannot hold a NUL"):
        shut_desk.add(ref="a\0b")


def test_what_another_queues_meanwhile_is_not_taken_for_ours(pg_gate):
    edit = "UPDATE live_tasks SET name = 'x' WHERE id = "
    with pg_gate.db.write() as tx:
        before = newest(tx)
        pg_gate.run(f"{edit} 1002")
        tx.exec_driver_sql(f"{edit} 1001")
        assert [1001] == [row.task_id for row in queued_since(pg_gate.db, tx, before)]
    assert 2 == len(pg_gate.changes())
