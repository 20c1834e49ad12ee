"""What a tag's, a person's or a project's absence from its own list means, in a whole pull."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from syncd.sandbox import Account, Fault
from tests.support.mirror import Mirror, assert_mirror_equals

SOON = timedelta(minutes=5)
USED_BUT_REMOVED = """
    SELECT DISTINCT tags.id FROM tags JOIN task_tags ON task_tags.tag_id = tags.id
    WHERE tags.removed_at IS NOT NULL
"""


def tagged_tasks(count: int, *, more: int = 0) -> tuple[Account, int, list[int]]:
    """An account with a tag of its own on so many tasks, and `more` tasks with another one."""
    account = Account.seeded(tasks=0, seed=1)
    project = account.create_project("Tagged")
    group = account.create_tag_group("Waves")
    other, tag = (account.create_tag(group, title) for title in ("Other", "Wave"))
    for number in range(more):
        account.create_task(project, f"Other {number}", tag_ids=[other])
    tasks = [account.create_task(project, f"T{number}", tag_ids=[tag]) for number in range(count)]
    return account, tag, tasks


def leave_out_the_last_tag(mirror: Mirror) -> None:
    """The account's list of tags ends one too early, though nobody deleted any."""
    mirror.box.faults.add(Fault("cut_list", "get_task_tags", records=len(mirror.account.tags) - 1))


def removed_tags(mirror: Mirror) -> dict[int, str]:
    query = "SELECT id, removed_reason AS why FROM tags WHERE removed_at IS NOT NULL"
    return {row["id"]: row["why"] for row in mirror.rows(query)}


def test_a_tag_in_use_stays_though_its_list_lacks_it_and_the_tasks_are_as_before(a_mirror):
    account, *_ = tagged_tasks(3)
    mirror = a_mirror(account)
    mirror.pull()
    leave_out_the_last_tag(mirror)
    report = mirror.pull()
    assert report.unchanged
    assert {} == removed_tags(mirror)


def test_a_tag_that_no_task_uses_goes_with_its_list_though_the_tasks_are_as_before(a_mirror):
    account, tag, _ = tagged_tasks(3)
    spare = account.create_tag(account.tags[tag].group_id, "Spare")
    mirror = a_mirror(account)
    mirror.pull()
    leave_out_the_last_tag(mirror)
    report = mirror.pull()
    assert report.unchanged
    assert {spare: "not_in_tags"} == removed_tags(mirror)


@pytest.mark.parametrize("lists", ["never", "names"])
def test_a_tag_in_use_stays_though_the_tasks_list_does_not_show_its_id(a_mirror, lists):
    account, *_ = tagged_tasks(3, more=3)
    mirror = a_mirror(account)
    mirror.pull()
    mirror.box.set(tags_in_lists=lists)
    leave_out_the_last_tag(mirror)
    mirror.pull()
    assert {} == removed_tags(mirror)


def test_a_tag_of_tasks_that_are_not_asked_yet_stays(a_mirror):
    account, tag, tasks = tagged_tasks(0, more=30)
    parents = list(account.tasks)
    for parent in parents:
        tasks.append(account.create_task(account.tasks[parent].project_id, "Sub", parent_id=parent))
        account.tag_task(tasks[-1], tag)
    mirror = a_mirror(account)
    mirror.pull()
    mirror.box.set(tags_in_children=False)
    leave_out_the_last_tag(mirror)
    report = mirror.pull()
    assert any("they are asked next" in note for note in report.notes)
    assert {} == removed_tags(mirror)
    assert [] == mirror.rows(USED_BUT_REMOVED)


def test_a_tag_goes_in_the_pull_in_which_its_last_task_does(a_mirror):
    account, tag, tasks = tagged_tasks(2, more=3)
    mirror = a_mirror(account)
    mirror.pull()
    account.delete_tag(tag)
    account.delete_task(tasks[0])
    assert "complete" == mirror.pull().outcome
    assert {tag: "not_in_tags"} == removed_tags(mirror)
    assert_mirror_equals(mirror)


def test_a_catalogue_with_a_record_that_makes_no_sense_removes_nothing(a_mirror):
    account, *_ = tagged_tasks(0)
    mirror = a_mirror(account)
    mirror.pull()
    mirror.box.faults.add(Fault("retyped_field", "get_task_tags", field="id", value="x", records=1))
    report = mirror.pull()
    assert "partial" == report.outcome
    assert {} == removed_tags(mirror)


def test_a_project_stays_though_it_is_denied_while_the_tasks_are_as_before(a_mirror):
    account, _, tasks = tagged_tasks(2)
    project = account.tasks[tasks[0]].project_id
    mirror = a_mirror(account)
    mirror.pull()
    mirror.box.faults.add(
        Fault("missing_project", "get_projects", value=project),
        Fault("error", "get_project", code=4, message="Project is invalid"),
    )
    report = mirror.pull()
    assert report.unchanged
    query = "SELECT id FROM projects WHERE removed_at IS NOT NULL"
    assert [] == mirror.rows(query)


@pytest.mark.parametrize("renamed", [False, True], ids=["as before", "another answer"])
def test_a_deactivated_person_is_marked_though_tasks_go_on_naming_them(a_mirror, renamed):
    account, _, tasks = tagged_tasks(2)
    person = account.create_member("Left", "Behind")
    account.edit_task(tasks[0], assignee_id=person)
    mirror = a_mirror(account)
    mirror.pull()
    account.deactivate_member(person)
    if renamed:
        account.rename_task(tasks[1], "Renamed")
    assert renamed is not mirror.pull().unchanged
    (row,) = mirror.rows(f"SELECT removed_reason AS why FROM members WHERE id = {person}")
    assert "not_in_users" == row["why"]


def test_tasks_that_lost_a_deleted_tag_are_settled_by_a_few_looks_and_the_list_of_tags(a_mirror):
    account, tag, _ = tagged_tasks(60, more=3)
    mirror = a_mirror(account)
    mirror.pull()
    account.delete_tag(tag)
    mirror.box.log.clear()
    report = mirror.pull(later=SOON)
    assert ("complete", ()) == (report.outcome, report.notes)
    asked = Counter(mirror.box.log.actions())
    assert {"get_all_tasks": 1, "get_task": 20, "get_task_tags": 1} == asked
    assert [] == mirror.rows(f"SELECT * FROM task_tags WHERE tag_id = {tag}")
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)


def test_a_deleted_tag_goes_with_its_tasks_links_where_the_lists_of_tags_are_due(a_mirror):
    account, tag, _ = tagged_tasks(60, more=3)
    mirror = a_mirror(account)
    mirror.pull()
    account.delete_tag(tag)
    mirror.box.log.clear()
    assert "complete" == mirror.pull().outcome
    assert 1 == mirror.box.log.actions().count("get_task_tags")
    assert_mirror_equals(mirror)


FIVE_LEFT = "tags of 5 tasks are not in the answer; they are asked next"


def test_a_tag_that_only_left_its_tasks_is_looked_for_on_each(a_mirror):
    account, tag, tasks = tagged_tasks(25, more=3)
    mirror = a_mirror(account)
    mirror.pull()
    for task in tasks:
        account.untag_task(task, tag)
    assert any(FIVE_LEFT in note for note in mirror.pull().notes)
    assert "complete" == mirror.pull(later=SOON).outcome
    assert_mirror_equals(mirror)


def test_a_task_that_lost_another_tag_too_is_looked_at(a_sqlite_mirror):
    account, tag, tasks = tagged_tasks(25, more=3)
    other = account.tasks[min(account.tasks)].tag_ids[0]
    for task in tasks:
        account.tag_task(task, other)
    mirror = a_sqlite_mirror(account)
    mirror.pull()
    account.delete_tag(tag)
    for task in tasks:
        account.untag_task(task, other)
    assert any(FIVE_LEFT in note for note in mirror.pull().notes)


def test_a_list_of_tags_that_lost_most_of_them_settles_nothing(a_sqlite_mirror):
    account, tag, tasks = tagged_tasks(25, more=3)
    mirror = a_sqlite_mirror(account)
    mirror.pull()
    for task in tasks:
        account.untag_task(task, tag)
    mirror.box.faults.add(Fault("cut_list", "get_task_tags", records=1))
    assert any(FIVE_LEFT in note for note in mirror.pull(later=SOON).notes)


def test_a_list_of_tags_that_lies_takes_no_tag_from_tasks_that_answer_with_it(a_mirror):
    account, tag, tasks = tagged_tasks(60, more=3)
    mirror = a_mirror(account)
    mirror.pull()
    for task in tasks[:20]:
        account.untag_task(task, tag)
    account.tag_task(tasks[0], tag)
    mirror.box.set(tags_in_lists="never")
    account.rename_task(tasks[-1], "Renamed")
    leave_out_the_last_tag(mirror)
    for _ in range(4):
        mirror.pull()
    held = {row["task_id"] for row in mirror.rows(f"SELECT * FROM task_tags WHERE tag_id = {tag}")}
    assert {tasks[0], *tasks[20:]} <= held
    assert {} == removed_tags(mirror)
