"""However the account answers where its behaviour is not known, the mirror is right or says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.sandbox import Account
from tests.support.mirror import EVERYTHING, assert_mirror_equals, dump

TEXT = ("subtasks", "relations", "files", "text")
HARMLESS = {
    "tags only with extra=tags": {"tags_in_lists": "extra"},
    "no tags are an empty list": {"tags_when_empty": "list"},
    "no tags are an empty map": {"tags_when_empty": "map"},
    "an empty list has no data": {"omit_empty_data": True},
    "names come with entities": {"escape_entities": True},
    "addresses vary in case": {"email_case_varies": True},
    "has_comments is always there": {"has_comments_always": True},
    "subtasks do not count": {"limit_counts_children": False},
    "a search finds every status": {"search_default_status": "all"},
    "a search by task finds its subtree": {"search_task_id": "subtree"},
    "a subtask shows its children": {"child_under_subtask": True},
    "archived projects are not there by id": {"archived_by_id": False},
}


@pytest.mark.parametrize("switches", HARMLESS.values(), ids=HARMLESS)
def test_an_unknown_of_the_account_leaves_the_mirror_equal(a_mirror, switches):
    mirror = a_mirror(Account.seeded(tasks=150, seed=3, archived=0.3), extra=EVERYTHING)
    mirror.box.set(**switches)
    for edit in (lambda: None, lambda: change_something(mirror.account)):
        edit()
        report = mirror.pull()
        assert ("complete", ()) == (report.outcome, report.notes)
        assert_mirror_equals(mirror)


def change_something(account: Account) -> None:
    """One edit of every part that a switch may hide."""
    tasks = [task for task in account.tasks.values() if not account.is_delayed(task)]
    tagged = next(task for task in tasks if task.tag_ids)
    bare = next(task for task in tasks if not task.tag_ids and task is not tagged)
    account.untag_task(tagged.id, tagged.tag_ids[0])
    account.tag_task(bare.id, next(iter(account.tags)))
    account.rename_task(tasks[3].id, "A & <B>")
    account.edit_text(tasks[4].id, "")
    account.rename_member(account.owner_id, "New", "Name")


@pytest.mark.parametrize(
    "switches",
    [
        {"tags_in_children": False},
        {"tags_in_lists": "never"},
        {"tags_in_lists": "names"},
        {"tags_in_children": False, "tags_when_empty": "list"},
        {"tags_in_lists": "names", "tags_when_empty": "list"},
    ],
    ids=lambda switches: " ".join(f"{key}={value}" for key, value in switches.items()),
)
def test_an_account_that_stops_showing_tags_does_not_take_them_away(a_mirror, switches):
    mirror = a_mirror(Account.seeded(tasks=150, seed=3))
    mirror.pull()
    known = dump(mirror.database_url, ["task_tags", "tags"])
    mirror.box.set(**switches)
    for _ in range(10):  # tags of 20 tasks are asked about in each pull
        report = mirror.pull()
        if report.outcome == "complete":
            break
        assert any("tags" in note for note in report.notes), report.notes
    assert known == dump(mirror.database_url, ["task_tags", "tags"])
    assert_mirror_equals(mirror)


def test_names_of_tags_that_repeat_are_never_guessed(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    one, other = [tag.id for tag in account.tags.values() if tag.title == "Blocked"]
    task = account.create_task(account.create_project("P"), "T", tag_ids=[other])
    mirror = a_mirror(account)
    mirror.pull()
    mirror.box.set(tags_in_lists="names")
    account.rename_task(task, "U")
    mirror.pull()
    assert_mirror_equals(mirror)
    account.set_task_tags(task, [one])  # by name alone the same: only a look can tell
    report = mirror.pull()
    held = {row["tag_id"] for row in mirror.rows("SELECT tag_id FROM task_tags")}
    assert held == {one} or report.outcome == "partial" or held == {other}


@pytest.mark.parametrize("lists", ["never", "names"])
@pytest.mark.parametrize("children", [True, False])
def test_a_first_pull_without_the_tags_of_some_does_not_call_itself_complete(
    a_mirror, lists, children
):
    mirror = a_mirror(Account.seeded(tasks=60, seed=3))
    mirror.box.set(tags_in_lists=lists, tags_in_children=children)
    report = mirror.pull()
    if report.outcome == "complete":
        assert_mirror_equals(mirror)
    else:
        assert any("tag" in note for note in report.notes)


def test_a_tag_taken_away_where_lists_leave_empty_tags_out_is_looked_for(a_mirror):
    account = Account.seeded(tasks=60, seed=3)
    mirror = a_mirror(account)
    mirror.pull()
    tagged = [task for task in account.tasks.values() if task.tag_ids][:3]
    for task in tagged:
        account.set_task_tags(task.id, [])
    mirror.box.log.clear()
    report = mirror.pull()
    looked = [e.parameters["id_task"] for e in mirror.box.log.entries("get_task")]
    visible = [task.id for task in tagged if not account.is_delayed(task)]
    assert "complete" == report.outcome
    assert {str(id) for id in visible} >= set(looked) != set()
    assert_mirror_equals(mirror)


def test_pending_projects_that_are_not_listed_are_named(a_mirror):
    account = Account.seeded(tasks=150, seed=3, pending=0.4)
    mirror = a_mirror(account)
    mirror.box.set(pending_listed=False)
    report = mirror.pull()
    hidden = {p.id for p in account.projects.values() if p.status == "pending" and p.roots}
    assert hidden
    assert report.outcome == "partial"
    assert any("pending" in note for note in report.notes)


@pytest.mark.parametrize("every", [False, True], ids=["one", "all"])
def test_pending_projects_are_remembered_between_the_lists_of_projects(a_mirror, every):
    account = Account.seeded(tasks=60, seed=3)
    filled = [id for id, project in account.projects.items() if project.roots]
    for id in filled if every else filled[:1]:
        account.suspend_project(id)
    mirror = a_mirror(account)
    mirror.box.set(pending_listed=False)
    for _ in range(2):
        report = mirror.pull(later=timedelta(minutes=5))
        assert report.outcome == "partial"
        assert any("pending" in note for note in report.notes)
    assert mirror.box.log.actions().count("get_projects") == 1
    assert every == (not mirror.live())


def test_pending_projects_that_leave_the_list_stay_in_the_mirror(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=150, seed=3, pending=0.4))
    mirror.pull()
    before = mirror.live()
    mirror.box.set(pending_listed=False)
    report = mirror.pull()
    assert ("partial", 3) == (report.outcome, report.exit_code)
    assert any("missing" in note or "leaves out" in note for note in report.notes)
    assert before == mirror.live()
    mirror.box.set(pending_listed=True)
    assert "complete" == mirror.pull().outcome
    assert set() == mirror.suspects()
    assert_mirror_equals(mirror)


def test_a_closing_date_that_lingers_is_mirrored_as_shown(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    task = account.create_task(account.create_project("P"), "T")
    account.complete_task(task)
    closed = account.tasks[task].date_closed
    account.reopen_task(task)
    mirror = a_mirror(account)
    mirror.box.set(date_closed_lingers=True)
    mirror.pull()
    (row,) = mirror.rows("SELECT status, date_closed FROM tasks")
    assert ("active", str(closed)) == (row["status"], str(row["date_closed"]))


def test_archived_projects_that_are_refused_by_id_make_a_pull_by_projects_partial(a_mirror):
    account = Account.seeded(tasks=200, seed=3, archived=0.4)
    mirror = a_mirror(account, archived=True)
    mirror.box.set(record_limit=150, archived_by_id=False)
    report = mirror.pull()
    archived = {id for id, project in account.projects.items() if project.status == "archive"}
    assert archived
    assert "partial" == report.outcome
    said = " ".join(report.notes)
    assert all(str(id) in said for id in archived)
