"""The fast lane: what the account's change feed names is read again, and nothing else is believed.

Scenarios 3 (a change that never reaches the mirror) and 14 (an interruption forces a full resync)
of the survey of failures are named where they are met.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from syncd.errors import AccountError, LeaseLost, NoMirror, Unanswered
from syncd.model.activity import EventsReport
from syncd.sandbox import Account, Fault
from syncd.services.events import follow
from syncd.services.events.following import followed_at
from syncd.services.events.rereading import MOST_REQUESTS
from syncd.services.progress import Silent
from syncd.store.schema import lease
from tests.scenario.conftest import MakeMirror
from tests.support.mirror import MIRROR_TABLES, Clock, Mirror, assert_mirror_equals, dump
from tests.support.pushes import pushed, states

MINUTE = timedelta(minutes=1)
SOON = timedelta(minutes=2)
BOOKS = ("activity", "quarantine")
EXTRA = ("subtasks", "relations", "files", "text")


def an_account(clock: Clock) -> Account:
    """Two people, two projects, a tree of three levels and some single tasks; the clock is ours."""
    account = Account(clock=lambda: clock.now)
    account.create_member("Ann", "Example", "ann@example.com")
    account.create_member("Ben", "Example", "ben@example.com")
    group = account.create_tag_group("Colours")
    for title in ("red", "green"):
        account.create_tag(group, title)
    one = account.create_project("One")
    account.create_project("Two")
    top = account.create_task(one, "Top", tag_ids=[min(account.tags)])
    below = account.create_task(one, "Below", parent_id=top, priority=3)
    account.create_task(one, "Deepest", parent_id=below)
    for number in range(5):
        account.create_task(one, f"Single {number}")
    return account


def timed(a_mirror: MakeMirror, **settings: Any) -> Mirror:
    """A mirror whose account goes by the same clock."""
    clock = Clock()
    mirror = a_mirror(an_account(clock), **{"extra": EXTRA, **settings})
    mirror.app, mirror.clock = replace(mirror.app, clock=clock), clock
    return mirror


def settled(a_mirror: MakeMirror, **settings: Any) -> Mirror:
    """The same, pulled and followed once."""
    mirror = timed(a_mirror, **settings)
    mirror.pull()
    listened(mirror)
    return mirror


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def mirror(a_mirror):
    return settled(a_mirror)


@pytest.fixture
def sqlite_mirror(a_sqlite_mirror):
    """For what is decided before a database is asked."""
    return settled(a_sqlite_mirror)


def listened(
    mirror: Mirror, *, hinted: Collection[int] = (), later: timedelta = SOON
) -> EventsReport:
    """Follow the feed once, some time after whatever was before."""
    mirror.clock.move(later)
    mirror.box.log.clear()
    with mirror.app.pulling(Silent()) as work:
        return follow(work, hinted=hinted)


def asked(mirror: Mirror) -> list[str]:
    return mirror.box.log.actions()


def ids(mirror: Mirror) -> dict[str, int]:
    return {task.name: task.id for task in mirror.account.tasks.values()}


def ben(mirror: Mirror) -> int:
    return max(mirror.account.members)


def everything(mirror: Mirror) -> dict[str, list[str]]:
    return dump(mirror.database_url, (*MIRROR_TABLES, *BOOKS))


# --- what reaches the mirror


def test_edits_reach_the_mirror_by_the_feed_alone(mirror):
    task, account = ids(mirror), mirror.account
    account.edit_task(task["Top"], priority=9, assignee_id=ben(mirror), by=ben(mirror))
    account.tag_task(task["Deepest"], max(account.tags))
    account.untag_task(task["Top"], min(account.tags))
    account.complete_task(task["Single 0"])
    account.edit_text(task["Single 1"], "another text")
    new = account.create_task(account.tasks[task["Top"]].project_id, "New", by=ben(mirror))
    child = account.create_task(account.tasks[new].project_id, "New below", parent_id=new)
    report = listened(mirror)
    assert_mirror_equals(mirror)
    assert ("complete", 0, False) == (report.outcome, report.exit_code, report.wants_pull)
    assert {"events": 7, "read": 6, "inserted": 2, "updated": 4} == dict(report.counts)
    assert {new, child} <= mirror.live()
    row = mirror.rows(f"SELECT * FROM activity WHERE task_id = {task['Top']} ORDER BY id")[-2]
    assert ("update", "task", ben(mirror)) == (row["action"], row["entity"], row["member_id"])
    assert "Ben Example" == row["member_name"]


def test_a_second_time_nothing_is_read_or_written(mirror):
    mirror.account.rename_task(ids(mirror)["Top"], "Renamed")
    mirror.account.edit_text(ids(mirror)["Single 1"], "another text")
    listened(mirror)
    before = everything(mirror)
    for later in (timedelta(seconds=5), SOON):
        report = listened(mirror, later=later)
        assert ["get_events"] == asked(mirror)
        assert ({}, 1, "complete") == (dict(report.counts), report.requests, report.outcome)
    assert before == everything(mirror)


def test_overlapping_windows_store_each_event_once(mirror):
    task = ids(mirror)
    for number, later in enumerate((10, 50, 10, 70, 40)):
        mirror.account.edit_task(task["Top"], priority=number + 2)
        mirror.account.add_comment(task["Top"], f"comment {number}")
        listened(mirror, later=timedelta(seconds=later))
    told = mirror.rows("SELECT entity FROM activity WHERE action <> 'post' OR entity = 'comment'")
    assert (5, 5) == (
        sum(row["entity"] == "task" for row in told),
        sum(row["entity"] == "comment" for row in told),
    )
    assert_mirror_equals(mirror)


def test_a_comment_is_stored_with_its_task_which_is_not_read_for_it(sqlite_mirror):
    task = ids(sqlite_mirror)["Below"]
    sqlite_mirror.account.add_comment(task, "a word", by=ben(sqlite_mirror))
    report = listened(sqlite_mirror)
    assert (["get_events"], 1) == (asked(sqlite_mirror), report.counts["events"])
    (row,) = sqlite_mirror.rows("SELECT * FROM activity WHERE entity = 'comment'")
    assert (task, ben(sqlite_mirror)) == (row["task_id"], row["member_id"])


def test_the_same_edit_twice_in_a_minute_is_looked_at_again(sqlite_mirror):
    """The feed cannot tell them apart: in its minute, what was seen is considered anew."""
    task = ids(sqlite_mirror)["Top"]
    sqlite_mirror.clock.now = sqlite_mirror.clock.now.replace(second=1)
    for edits in ((7, 5, 7), (5,), (7,)):
        for priority in edits:
            sqlite_mirror.account.edit_task(task, priority=priority)
        report = listened(sqlite_mirror, later=timedelta(seconds=5))
        query = f"SELECT priority FROM tasks WHERE id = {task}"
        assert edits[-1] == sqlite_mirror.value(query)
    assert "events" not in report.counts


def test_our_own_edits_come_back_as_echoes_that_cost_nothing(sqlite_mirror):
    task = ids(sqlite_mirror)["Single 2"]
    statement = "UPDATE live_tasks SET priority = 8, date_end = '2026-04-01' WHERE id = "
    sqlite_mirror.execute(f"{statement}{task}")
    pushed(sqlite_mirror)
    report = listened(sqlite_mirror, hinted=[task])
    assert (["get_events"], 1) == (asked(sqlite_mirror), report.counts["events"])


def test_a_hint_is_enough_to_read_a_task(a_sqlite_mirror):
    mirror = settled(a_sqlite_mirror)
    mirror.box.set(events_text_edits=False)
    mirror.account.edit_text(ids(mirror)["Top"], "told by a hook alone")
    report = listened(mirror, hinted=[ids(mirror)["Top"], 999_999_999])
    assert ["get_events", "get_task", "get_task"] == asked(mirror)
    assert ({"read": 2, "updated": 1}, False) == (dict(report.counts), report.wants_pull)
    assert_mirror_equals(mirror)


def test_many_tasks_of_a_project_are_read_by_its_list(sqlite_mirror):
    task, account = ids(sqlite_mirror), sqlite_mirror.account
    for number in range(5):
        account.edit_task(task[f"Single {number}"], priority=6)
    account.untag_task(task["Top"], min(account.tags))  # a list shows no empty tags: asked itself
    account.rename_task(task["Deepest"], "Deeper")
    listened(sqlite_mirror)
    assert ["get_events", "get_tasks", "get_task"] == asked(sqlite_mirror)
    assert_mirror_equals(sqlite_mirror)


def test_a_list_that_is_refused_is_no_reason_to_miss_an_edit(sqlite_mirror):
    for number in range(4):
        sqlite_mirror.account.edit_task(ids(sqlite_mirror)[f"Single {number}"], priority=6)
    sqlite_mirror.box.faults.add(Fault("over_limit", action="get_tasks"))
    listened(sqlite_mirror)
    assert ["get_events", "get_tasks", *["get_task"] * 4] == asked(sqlite_mirror)
    assert_mirror_equals(sqlite_mirror)


def test_people_and_tags_that_an_answer_names_are_known_at_once(sqlite_mirror):
    account = sqlite_mirror.account
    someone = account.create_member("Cem", "New", "cem@example.com")
    tag = account.create_tag(min(account.tag_groups), "blue")
    account.edit_task(ids(sqlite_mirror)["Top"], assignee_id=someone)
    account.tag_task(ids(sqlite_mirror)["Top"], tag)
    new = account.create_task(account.create_project("Three"), "First")
    listened(sqlite_mirror)
    query = "SELECT assignee_email, tags FROM live_tasks WHERE id = "
    assert [{"assignee_email": "cem@example.com", "tags": "blue,red"}] == (
        sqlite_mirror.rows(f"{query}{ids(sqlite_mirror)['Top']}")
    )
    assert new in sqlite_mirror.live()
    sqlite_mirror.pull()
    assert_mirror_equals(sqlite_mirror)


# --- what does not reach it, and what settles that


def test_failure_3_what_the_feed_does_not_report_is_settled_by_the_next_pull(mirror):
    account, task = mirror.account, ids(mirror)
    mirror.box.set(events_text_edits=False, events_moves=False)
    account.edit_text(task["Top"], "nobody tells of this")
    account.add_relation("finish-to-start", task["Single 0"], task["Single 1"])
    account.move_task(task["Single 3"], parent_id=task["Single 4"])
    account.rename_task(task["Single 2"], "told")
    listened(mirror)
    assert "told" == mirror.value(f"SELECT name FROM tasks WHERE id = {task['Single 2']}")
    assert "" == mirror.value(f"SELECT text FROM tasks WHERE id = {task['Top']}")
    assert "complete" == mirror.pull(later=SOON).outcome
    assert_mirror_equals(mirror)


def test_an_edit_taken_back_is_not_hidden_by_an_answer_equal_to_the_last(sqlite_mirror):
    """The last pull's digest is forgotten with what is written: the next answer is the same."""
    task = ids(sqlite_mirror)["Top"]
    sqlite_mirror.pull(later=SOON)
    sqlite_mirror.account.rename_task(task, "for a while")
    listened(sqlite_mirror)
    sqlite_mirror.account.rename_task(task, "Top")
    assert not sqlite_mirror.pull(later=SOON).unchanged
    assert_mirror_equals(sqlite_mirror)


def test_a_deletion_is_a_hint_and_removes_nothing(mirror):
    task, account = ids(mirror), mirror.account
    account.delete_task(task["Single 0"], by=ben(mirror))
    report = listened(mirror)
    assert (1, "complete") == (report.counts["suspect"], report.outcome)
    assert ({}, {task["Single 0"]}) == (mirror.removed(), mirror.suspects())
    assert task["Single 0"] in mirror.live()
    before = everything(mirror)
    listened(mirror)
    assert before == everything(mirror)
    mirror.pull()
    assert {task["Single 0"]: "deleted"} == mirror.removed()


def test_failure_1_a_denial_that_was_a_lie_leaves_no_trace(sqlite_mirror):
    task = ids(sqlite_mirror)["Single 0"]
    sqlite_mirror.pull(later=SOON)
    sqlite_mirror.account.rename_task(task, "Other")
    lie = Fault("error", action="get_task", code=5, message="Task is invalid", count=1)
    sqlite_mirror.box.faults.add(lie)
    listened(sqlite_mirror)
    assert {task} == sqlite_mirror.suspects()
    assert "complete" == sqlite_mirror.pull(later=SOON).outcome
    assert set() == sqlite_mirror.suspects()
    assert_mirror_equals(sqlite_mirror)


def test_a_task_that_comes_back_is_restored(sqlite_mirror):
    account, task = sqlite_mirror.account, ids(sqlite_mirror)["Single 0"]
    account.delay_task(task)
    sqlite_mirror.pull()
    assert {task: "deleted"} == sqlite_mirror.removed()
    account.publish_task(task)
    account.edit_task(task, priority=7)
    report = listened(sqlite_mirror)
    assert 1 == report.counts["restored"]
    assert_mirror_equals(sqlite_mirror)


def test_what_no_pull_lists_is_not_brought_in(a_sqlite_mirror):
    mirror = settled(a_sqlite_mirror, extra=("relations", "files"))
    account, project = mirror.account, max(mirror.account.projects)
    account.create_task(project, "in a project that is archived")
    account.edit_task(ids(mirror)["Below"], priority=9)
    mirror.pull()
    account.archive_project(project)
    mirror.pull()
    account.create_task(min(account.projects), "below", parent_id=ids(mirror)["Single 0"])
    account.edit_task(ids(mirror)["in a project that is archived"], priority=4)
    account.create_task(project, "new in a project that is archived")
    report = listened(mirror)
    assert (0, False) == (report.counts.get("inserted", 0), report.wants_pull)
    assert_mirror_equals(mirror)


def test_a_task_that_moved_is_left_to_a_pull_with_what_is_below_it(sqlite_mirror):
    account, task = sqlite_mirror.account, ids(sqlite_mirror)
    sqlite_mirror.box.set(events_moves=True)
    account.move_task(task["Top"], project_id=max(account.projects))
    before = everything(sqlite_mirror)["tasks"]
    report = listened(sqlite_mirror)
    assert (before, True) == (everything(sqlite_mirror)["tasks"], report.wants_pull)
    assert ["task {} is left to a full pull: it has moved, and what is below it too"] == [
        note.replace(str(task["Top"]), "{}") for note in report.notes
    ]
    sqlite_mirror.pull(later=SOON)
    assert_mirror_equals(sqlite_mirror)


def test_a_new_task_under_an_unknown_one_waits_for_a_pull(sqlite_mirror):
    account = sqlite_mirror.account
    sqlite_mirror.box.set(events_subtask_creation=False)
    hidden = account.create_task(
        min(account.projects), "x", parent_id=ids(sqlite_mirror)["Single 0"]
    )
    new = account.create_task(min(account.projects), "y", parent_id=hidden)
    account.rename_task(new, "z")
    report = listened(sqlite_mirror)
    assert (f"task {new} is left to a full pull: the task above it is not known",) == report.notes
    assert (True, 3) == (report.wants_pull, report.exit_code)
    assert new not in sqlite_mirror.live()


def test_a_part_that_no_pull_asks_for_stays_as_it_was_last_seen(a_sqlite_mirror):
    mirror = settled(a_sqlite_mirror)
    task = ids(mirror)["Top"]
    mirror.account.edit_text(task, "kept")
    listened(mirror)
    without = mirror.again(extra=("subtasks", "files"))
    without.account.edit_task(task, priority=9)
    listened(without)
    without.execute(f"UPDATE live_tasks SET name = 'pushed' WHERE id = {task}")
    pushed(without)
    assert [{"text": "kept", "priority": 9, "name": "pushed"}] == (
        without.rows(f"SELECT text, priority, name FROM tasks WHERE id = {task}")
    )


# --- beside the other runs


def test_what_has_a_change_in_flight_is_masked(mirror):
    """Rule 7 of the eight: keys in flight are masked, as in a pull; so are lost creations."""
    account, task = mirror.account, ids(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 8 WHERE id = {task['Top']}")
    new = f"({min(account.projects)}, 'Lost', 'r')"
    mirror.execute(f"INSERT INTO live_tasks (project_id, name, ref) VALUES {new}")
    for action in ("update_task", "post_task"):
        mirror.box.faults.add(Fault("drop", action=action, when="after"))
    mirror.box.faults.add(Fault("drop", "get_tasks"), Fault("drop", "get_task", skip=1))
    with suppress(AccountError):
        pushed(mirror)
    assert ["uncertain", "uncertain"] == states(mirror)
    mirror.box.faults.clear()
    account.rename_task(task["Top"], "Renamed by hand")
    before = everything(mirror)["tasks"]
    report = listened(mirror)
    assert ["get_events", "get_task"] == asked(mirror)  # the lost creation; it cannot be known
    assert before == everything(mirror)["tasks"]
    assert ("2 tasks have a change in flight: they were left as they were",) == report.notes
    pushed(mirror, later=timedelta(hours=1))
    mirror.pull()
    assert ["confirmed", "confirmed"] == states(mirror)
    assert_mirror_equals(mirror)


def test_a_queued_edit_is_not_overwritten_and_a_conflict_tells_who_and_when(sqlite_mirror):
    task, account = ids(sqlite_mirror)["Top"], sqlite_mirror.account
    sqlite_mirror.execute(f"UPDATE live_tasks SET priority = 8 WHERE id = {task}")
    sqlite_mirror.clock.move(timedelta(minutes=5))
    account.edit_task(task, priority=2, by=ben(sqlite_mirror))
    listened(sqlite_mirror)
    assert 8 == sqlite_mirror.value(f"SELECT priority FROM live_tasks WHERE id = {task}")
    pushed(sqlite_mirror)
    assert ["conflict"] == states(sqlite_mirror)
    (side,) = _conflict(sqlite_mirror)
    set_at = sqlite_mirror.account.events[-1].at.replace(second=0, microsecond=0)
    assert ("Ben Example", set_at) == (side.changed_by, side.changed_at)


def _conflict(mirror: Mirror) -> Any:
    from syncd.services.queue import show_change

    return show_change(mirror.app.db, 1, now=mirror.clock(), max_batch=100).sides


def test_the_fast_lane_is_no_pull(sqlite_mirror):
    """Where nothing is written, neither the as-of moves nor what a pull remembers."""
    from syncd.services.status import read_status

    sqlite_mirror.pull(later=SOON)
    before = read_status(sqlite_mirror.database_url)
    for _ in range(3):
        listened(sqlite_mirror)
    after = read_status(sqlite_mirror.database_url)
    assert (before.as_of, before.last_run) == (after.as_of, after.last_run)
    query = "SELECT kind, outcome, observed_at FROM sync_runs ORDER BY id DESC LIMIT 1"
    assert [{"kind": "events", "outcome": "complete", "observed_at": None}] == sqlite_mirror.rows(
        query
    )
    assert sqlite_mirror.pull(later=SOON).unchanged


def test_a_holder_whose_lease_was_taken_over_writes_nothing(sqlite_mirror):
    sqlite_mirror.account.rename_task(ids(sqlite_mirror)["Top"], "Other")
    before = everything(sqlite_mirror)
    sqlite_mirror.clock.move(SOON)
    with pytest.raises(LeaseLost), sqlite_mirror.app.pulling(Silent()) as work:
        with sqlite_mirror.app.db.write() as tx:
            tx.execute(lease.update().values(fencing=select(lease.c.fencing + 1).scalar_subquery()))
        follow(work)
    assert before == everything(sqlite_mirror)


# --- windows and gaps


@pytest.mark.parametrize(
    ("later", "period", "gap"),
    [
        (MINUTE, "5m", False),
        (timedelta(hours=9), "28h", False),
        (timedelta(days=31), "30d", True),
    ],
)
def test_the_window_grows_with_the_time_nobody_listened(a_sqlite_mirror, later, period, gap):
    mirror = settled(a_sqlite_mirror)
    mirror.account.rename_task(ids(mirror)["Top"], "Other")
    report = listened(mirror, later=later)
    assert (period, gap, gap) == (report.period, report.gap, report.wants_pull)
    assert period == mirror.box.log.entries()[0].parameters["period"]
    assert (0 if gap else 1) == report.counts.get("updated", 0)
    assert not listened(mirror).gap


def test_failure_14_a_downtime_is_made_good_by_the_feed_without_a_pull(sqlite_mirror):
    sqlite_mirror.account.rename_task(ids(sqlite_mirror)["Top"], "while nobody listened")
    report = listened(sqlite_mirror, later=timedelta(days=9))
    assert (False, 1) == (report.gap, report.counts["updated"])
    assert "get_all_tasks" not in asked(sqlite_mirror)
    assert_mirror_equals(sqlite_mirror)


def test_failure_14_a_follow_that_broke_off_is_made_good_by_the_next(sqlite_mirror):
    task = ids(sqlite_mirror)
    for name in ("Top", "Below", "Deepest"):
        sqlite_mirror.account.edit_task(task[name], priority=9)
    before = everything(sqlite_mirror)
    sqlite_mirror.box.faults.add(Fault("http_status", action="get_task", status=502, skip=1))
    with pytest.raises(Unanswered):
        listened(sqlite_mirror)
    sqlite_mirror.box.faults.clear()
    assert before == everything(sqlite_mirror)
    (run,) = sqlite_mirror.rows("SELECT * FROM sync_runs ORDER BY id DESC LIMIT 1")
    assert ("events", "failed", True) == (run["kind"], run["outcome"], bool(run["error"]))
    report = listened(sqlite_mirror)
    assert ("14m", 3) == (report.period, report.counts["updated"])
    assert_mirror_equals(sqlite_mirror)


def test_the_first_time_ever_is_a_gap_and_fills_the_activity(a_sqlite_mirror):
    mirror = timed(a_sqlite_mirror)
    mirror.app.ready(write=True)
    with pytest.raises(NoMirror):
        listened(mirror)
    mirror.pull()
    with mirror.app.db.read() as tx:
        assert followed_at(tx) is None
    report = listened(mirror, hinted=[1])
    assert (True, True, "30d", ["get_events"]) == (
        *(report.gap, report.wants_pull, report.period),
        asked(mirror),
    )
    assert report.counts["events"] == mirror.value("SELECT count(*) AS n FROM activity")


def test_more_than_can_be_asked_for_is_left_to_a_pull(sqlite_mirror):
    account = sqlite_mirror.account
    for number in range(MOST_REQUESTS + 1):
        account.create_task(account.create_project(f"P {number}"), f"N {number}")
    before = everything(sqlite_mirror)["tasks"]
    report = listened(sqlite_mirror)
    assert (["get_events"], True) == (asked(sqlite_mirror), report.wants_pull)
    assert before == everything(sqlite_mirror)["tasks"]
    assert 3 == report.exit_code


# --- a feed that lies


@pytest.mark.parametrize(
    "fault",
    [
        Fault("html_login", action="get_events"),
        Fault("cut_body", action="get_events"),
        Fault("error", action="get_events", code=1, message="no"),
        Fault("html_login", action="get_task"),
    ],
    ids=["html", "cut", "refused", "html-task"],
)
def test_a_feed_that_makes_no_sense_fails_and_changes_nothing(sqlite_mirror, fault):
    sqlite_mirror.account.rename_task(ids(sqlite_mirror)["Top"], "Other")
    before = everything(sqlite_mirror)
    sqlite_mirror.box.faults.add(fault)
    with pytest.raises(AccountError):
        listened(sqlite_mirror)
    sqlite_mirror.box.faults.clear()
    assert before == everything(sqlite_mirror)
    listened(sqlite_mirror)
    assert_mirror_equals(sqlite_mirror)


@pytest.mark.parametrize("kind", ["empty_list", "no_data"])
def test_an_empty_feed_says_that_nothing_happened(sqlite_mirror, kind):
    sqlite_mirror.account.rename_task(ids(sqlite_mirror)["Top"], "Other")
    sqlite_mirror.box.faults.add(Fault(kind, action="get_events"))
    report = listened(sqlite_mirror)
    sqlite_mirror.box.faults.clear()
    assert ("complete", {}) == (report.outcome, dict(report.counts))
    listened(sqlite_mirror)  # windows overlap
    assert_mirror_equals(sqlite_mirror)


def test_events_of_unknown_tasks_spoil_nothing(mirror):
    account, task = mirror.account, ids(mirror)["Top"]
    account.edit_task(task, priority=9)
    known = account.events[-1]
    unknown = {"object_id": 888_888, "task_id": None, "page": "/task/888888/"}
    account.events.append(replace(known, **unknown))
    account.events.append(replace(known, **unknown | {"object_id": 777_777}, action="delete"))
    account.events.append(replace(known, **unknown, kind="sprint", new={"text": "a\x00b"}))
    report = listened(mirror)
    assert ["get_events", "get_task", "get_task"] == asked(mirror)
    assert ("complete", 4, 1) == (report.outcome, report.counts["events"], report.counts["updated"])
    assert ({}, set()) == (mirror.removed(), mirror.suspects())
    assert_mirror_equals(mirror)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("object", {"type": "task"}),
        ("date_added", "yesterday"),
    ],
)
def test_an_event_that_makes_no_sense_is_skipped_and_counted(a_sqlite_mirror, field, value):
    mirror = settled(a_sqlite_mirror)
    account = mirror.account
    listened(mirror, later=timedelta(minutes=30))
    account.edit_task(ids(mirror)["Top"], priority=9)
    account.edit_task(ids(mirror)["Single 0"], priority=9)
    lie = Fault("retyped_field", action="get_events", field=field, value=value, records=1)
    mirror.box.faults.add(lie)
    report = listened(mirror)
    assert ("1 events could not be understood",) == report.notes
    assert 1 == report.counts["updated"]
    mirror.box.faults.clear()
    listened(mirror)
    assert_mirror_equals(mirror)


def test_a_record_that_makes_no_sense_is_left_to_a_pull(sqlite_mirror):
    task = ids(sqlite_mirror)
    sqlite_mirror.account.edit_task(task["Top"], priority=9)
    sqlite_mirror.account.edit_task(task["Single 0"], date_end=date(2026, 5, 1))
    lie = Fault("priority_99", action="get_task", parameters={"id_task": str(task["Top"])})
    sqlite_mirror.box.faults.add(lie)
    report = listened(sqlite_mirror)
    sqlite_mirror.box.faults.clear()
    assert (1, True) == (report.counts["updated"], report.wants_pull)
    assert 1 == sqlite_mirror.value(f"SELECT priority FROM tasks WHERE id = {task['Top']}")
    sqlite_mirror.pull(later=SOON)
    assert_mirror_equals(sqlite_mirror)
