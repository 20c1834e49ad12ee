"""A plan as people read it: the requests that would go out."""

from __future__ import annotations

from syncd.operations.rehearsal import rehearse
from syncd.sync.names import Names, shown
from tests.support.changes import (
    PROJECT,
    TASK,
    a_change,
    a_completion,
    a_creation,
    a_plan,
    an_update,
)
from tests.support.records import a_task

NAMES = Names(members={5514: "b@x"}, tags={1: "To-do", 2: "Done"})
MIRROR = {TASK: shown(a_task(tags=(1,)), NAMES)}


def rehearsed(*changes, mirror=MIRROR):
    return [str(each) for each in rehearse(a_plan(changes), mirror, NAMES)]


def test_a_plan_shows_its_requests_in_order():
    assert rehearsed(
        an_update(1, priority=5, base={"priority": 7}),
        an_update(2, tags=frozenset({"Done"}), base={"tags": frozenset({"To-do"})}),
        a_completion(3),
    ) == [
        f"update_task id_task={TASK} email_user_to=b@x priority=5",
        f"update_task_tags id_task={TASK} plus=2 minus=1",
        f"complete_task id_task={TASK}",
    ]


def test_what_has_no_id_yet_is_a_question_mark():
    assert rehearsed(
        a_creation(1, "parent"),
        a_creation(2, "child", under="parent"),
        a_change(3, "complete", task_id=None, ref="child"),
    ) == [
        f"post_task id_project={PROJECT} title=parent extra=text",
        f"post_task id_project={PROJECT} title=child id_parent=? extra=text",
        "complete_task id_task=?",
    ]


def test_a_task_that_the_mirror_lacks_is_taken_to_be_as_it_was():
    change = an_update(1, priority=5, base={"priority": 7})
    expected = [f"update_task id_task={TASK} email_user_to=NOONE priority=5"]
    assert expected == rehearsed(change, mirror={})


def test_what_the_mirror_already_knows_to_collide_is_shown():
    plan = a_plan([an_update(1, name="mine", base={"name": "base"})])
    (each,) = rehearse(plan, MIRROR, NAMES)
    assert each.draft is None
    assert ["name"] == [conflict.field for conflict in each.merge.conflicts]


def test_the_same_plan_reads_the_same():
    changes = [a_creation(1, "r"), an_update(2, priority=5, base={"priority": 7})]
    assert rehearsed(*changes) == rehearsed(*reversed(changes))
