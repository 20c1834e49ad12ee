"""An account over the record limit is pulled project by project, and goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from syncd.errors import AccountError, LeaseLost
from syncd.sandbox import Account, Fault
from syncd.services import comparing, land
from syncd.services.progress import Silent
from syncd.store import engine
from tests.support.mirror import EVERYTHING, Mirror, assert_mirror_equals, dump, visible_tasks

SOON = timedelta(minutes=5)
DAY = timedelta(days=1, hours=1)


def shown_projects(account: Account) -> set[int]:
    """The projects that a pull asks for one by one."""
    return {
        id
        for id, project in account.projects.items()
        if project.status != "archive" and not project.hidden
    }


def asked_projects(mirror: Mirror) -> list[int]:
    return [int(e.parameters["id_project"]) for e in mirror.box.log.entries("get_tasks")]


def largest(account: Account) -> int:
    return max(
        sum(1 for t in account.tasks.values() if t.project_id == id) for id in account.projects
    )


def test_a_thousand_tasks_come_by_projects_with_one_request_each(a_mirror):
    account = Account.seeded(tasks=1000, seed=6)
    mirror = a_mirror(account, extra=EVERYTHING)
    mirror.box.set(record_limit=200)
    assert largest(account) <= 200
    report = mirror.pull()
    assert ("complete", "projects", ()) == (report.outcome, report.how, report.notes)
    assert_mirror_equals(mirror)
    wanted = shown_projects(account)
    assert wanted == set(asked_projects(mirror))
    others = [a for a in mirror.box.log.actions() if a != "get_tasks"]
    assert ["get_projects", "get_users", "get_task_tags", "get_all_tasks"] == others
    assert len(wanted) + 4 == report.requests

    mirror.box.log.clear()
    report = mirror.pull(later=SOON)  # straight to the projects, whose list is asked for alone
    assert ["get_projects", *["get_tasks"] * len(wanted)] == mirror.box.log.actions()
    assert ("complete", True, "projects") == (report.outcome, report.unchanged, report.how)
    assert_mirror_equals(mirror)


def test_a_second_pull_by_projects_writes_no_row(a_postgres_mirror):
    mirror = a_postgres_mirror(Account.seeded(tasks=300, seed=6))
    mirror.box.set(record_limit=250)
    mirror.pull()
    versions = "SELECT id, ctid, xmin FROM tasks ORDER BY id"
    before = mirror.rows(versions)
    assert "projects" == mirror.pull(later=SOON).how
    assert before == mirror.rows(versions)
    assert 0 == mirror.value("SELECT count(*) AS n FROM pull_slices")


def test_one_project_that_changed_is_seen_among_those_that_did_not(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=300, seed=6))
    mirror.box.set(record_limit=250)
    mirror.pull()
    for name in ("Name 1", "Name 2"):  # equally long: no count of bytes tells them apart
        mirror.account.rename_task(max(mirror.account.tasks), name)
        report = mirror.pull(later=SOON)
        assert (False, 1) == (report.unchanged, report.counts["updated"])
        assert_mirror_equals(mirror)
        assert mirror.pull(later=SOON).unchanged


def test_a_project_that_is_not_answered_is_no_unchanged_account(a_mirror):
    """What an account's answers leave out stays open, pull after pull."""
    mirror = a_mirror(Account.seeded(tasks=300, seed=6))
    mirror.box.set(record_limit=250)
    mirror.pull()
    for _ in range(2):
        mirror.box.faults.add(
            Fault("error", "get_tasks", skip=2, count=1, code=3, message="Not today")
        )
        report = mirror.pull(later=SOON)
        assert (False, "partial") == (report.unchanged, report.outcome)
    report = mirror.pull(later=SOON)
    assert (False, "complete") == (report.unchanged, report.outcome)
    assert_mirror_equals(mirror)


def test_only_top_level_tasks_may_count(a_mirror):
    account = Account.seeded(tasks=300, seed=6)
    tops = sum(t.parent_id is None for t in account.tasks.values())
    mirror = a_mirror(account)
    mirror.box.set(record_limit=tops, limit_counts_children=False)
    assert "account" == mirror.pull().how
    assert_mirror_equals(mirror)
    mirror.box.set(record_limit=tops // 2)
    mirror.account.rename_task(min(account.tasks), "Renamed meanwhile")
    assert ("projects", "complete") == ((report := mirror.pull()).how, report.outcome)
    assert_mirror_equals(mirror)


def test_the_whole_is_tried_again_after_a_day(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=200, seed=6))
    mirror.box.set(record_limit=150)
    assert "projects" == mirror.pull().how
    mirror.box.set(record_limit=10_000)
    assert "projects" == mirror.pull(later=SOON).how
    report = mirror.pull(later=DAY)
    assert ("account", "complete") == (report.how, report.outcome)
    assert_mirror_equals(mirror)
    assert "account" == mirror.pull(later=SOON).how


def test_an_account_that_grows_over_the_limit_loses_nothing(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=200, seed=6))
    mirror.pull()
    before = dump(mirror.database_url, without=("content_hash", "observed_at"))
    mirror.box.set(record_limit=150)
    report = mirror.pull()
    assert ("complete", 0, 0) == (
        report.outcome,
        report.counts["updated"],
        report.counts["removed"],
    )
    assert before == dump(mirror.database_url, without=("content_hash", "observed_at"))


@pytest.mark.parametrize("kept", [0, 3, 5_000])
@pytest.mark.parametrize("limit", [300, 10_000], ids=["projects", "account"])
def test_what_differs_is_written_whether_it_was_kept_or_is_read_again(
    a_mirror, monkeypatch, kept, limit
):
    monkeypatch.setattr(comparing, "MOST_KEPT", kept)
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=limit)
    first = mirror.pull()
    shown = sorted(mirror.live())
    for id in shown[::50]:
        mirror.account.rename_task(id, f"Renamed {id}")
    report = mirror.pull(later=SOON)
    changed = len(shown[::50])
    assert (changed, first.counts["listed"] - changed) == (
        report.counts["updated"],
        report.counts["unchanged"],
    )
    assert_mirror_equals(mirror)


# --- interrupted


def test_what_an_interrupted_pull_fetched_is_never_taken_for_unchanged(a_mirror):
    """Two pulls that stopped at the same project asked for the same rest, after another start."""
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=300)
    mirror.pull()
    first = min(t.project_id for t in mirror.account.tasks.values())
    for name in ("One name", "Another"):
        task_id = min(id for id, t in mirror.account.tasks.items() if t.project_id == first)
        mirror.account.rename_task(task_id, name)
        mirror.box.faults.add(Fault("drop", "get_tasks", skip=4))
        with pytest.raises(AccountError):
            mirror.pull(later=SOON)
        mirror.box.faults.clear()
        report = mirror.pull(later=SOON)
        assert (False, 1) == (report.unchanged, report.counts["updated"])
    assert_mirror_equals(mirror)


@pytest.mark.parametrize("kind", ["drop", "html_login", "garbage"])
def test_an_interrupted_pull_goes_on_where_it_stopped(a_mirror, kind):
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=300)
    wanted = shown_projects(mirror.account)
    mirror.box.faults.add(Fault(kind, "get_tasks", skip=4))
    with pytest.raises(AccountError):
        mirror.pull()
    done = {
        int(e.parameters["id_project"])
        for e in mirror.box.log.entries("get_tasks")
        if e.outcome == "ok"
    }
    assert 4 == len(done)
    assert set() == mirror.live()
    mirror.box.faults.clear()
    mirror.box.log.clear()
    report = mirror.pull(later=SOON)
    assert wanted - done == set(asked_projects(mirror))
    assert "complete" == report.outcome
    assert_mirror_equals(mirror)
    assert 0 == mirror.value("SELECT count(*) AS n FROM pull_slices")


class AtProject(Silent):
    """Do something when so many projects have been asked for."""

    def __init__(self, count: int, do: Callable[[], None]) -> None:
        self.count, self.do = count, do

    def step(self, what: str, **_: object) -> None:
        if what.startswith("project "):
            self.count -= 1
            if self.count == 0:
                self.do()


def test_a_holder_that_lost_the_lease_leaves_no_slices_behind(a_mirror):
    """It was frozen, say. The next pull of who took over would land them after newer ones."""
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=300)
    there: list[int] = []

    def slices() -> list[int]:
        return [row["id"] for row in mirror.rows("SELECT project_id AS id FROM pull_slices")]

    def take_over() -> None:
        mirror.execute("UPDATE lease SET fencing = fencing + 1")
        there[:] = slices()

    with pytest.raises(LeaseLost):
        mirror.pull(progress=AtProject(4, take_over))
    assert there
    assert there == slices()


def test_what_changed_after_an_interrupted_pull_is_found_by_the_next_but_one(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=300)
    mirror.pull()
    mirror.box.faults.add(Fault("drop", "get_tasks", skip=4))
    with pytest.raises(AccountError):
        mirror.pull(later=SOON)
    mirror.box.faults.clear()
    done = mirror.rows("SELECT project_id AS id FROM pull_slices")
    task = next(
        t
        for t in mirror.account.tasks.values()
        if t.project_id == done[0]["id"] and not mirror.account.is_delayed(t)
    )
    mirror.account.rename_task(task.id, "Renamed between")
    mirror.pull(later=SOON)
    mirror.pull(later=SOON)
    assert_mirror_equals(mirror)


def test_a_task_that_moved_away_and_back_while_projects_were_fetched_is_where_it_is(a_mirror):
    """The first slice shows it there, and a later one, equal to the mirror, here again."""
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=300)
    mirror.pull()
    first = asked_projects(mirror)[0]
    task = next(
        t
        for t in mirror.account.tasks.values()
        if t.id in mirror.live() and t.project_id != first and t.parent_id is None
    )
    home = task.project_id
    mirror.account.move_task(task.id, project_id=first)
    mirror.box.faults.add(Fault("drop", "get_tasks", skip=1))
    with pytest.raises(AccountError):
        mirror.pull(later=SOON)
    mirror.box.faults.clear()
    assert [first] == [row["id"] for row in mirror.rows("SELECT project_id AS id FROM pull_slices")]
    mirror.account.move_task(task.id, project_id=home)
    mirror.pull(later=SOON)
    assert home == mirror.value(f"SELECT project_id AS id FROM tasks WHERE id = {task.id}")
    mirror.pull(later=SOON)
    assert_mirror_equals(mirror)


def test_a_task_that_moves_while_a_first_mirror_is_fetched_is_there_once(a_mirror):
    """Nothing is looked up in an empty mirror; what an earlier slice has shown is."""
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=300)
    mirror.box.faults.add(Fault("drop", "get_tasks", skip=1))
    with pytest.raises(AccountError):
        mirror.pull()
    mirror.box.faults.clear()
    (first,) = [row["id"] for row in mirror.rows("SELECT project_id AS id FROM pull_slices")]
    moved = [
        t
        for t in mirror.account.tasks.values()
        if t.project_id == first and t.parent_id is None and not mirror.account.is_delayed(t)
    ]
    another = max(shown_projects(mirror.account) - {first})
    for task in moved[:3]:
        mirror.account.move_task(task.id, project_id=another)
    report = mirror.pull(later=SOON)
    assert "complete" == report.outcome
    assert 3 <= report.counts["updated"]
    assert_mirror_equals(mirror)


def test_a_first_mirror_that_is_written_in_parts_is_whole(a_mirror, monkeypatch):
    """Both ends of a relation report it, and a file can move, from one part to another."""
    monkeypatch.setattr(land, "AT_ONCE", 1)
    account = Account.seeded(tasks=300, seed=6, archived=0, pending=0, delayed=0)
    projects = sorted(shown_projects(account))
    near, far = (
        [account.create_task(project, f"Task {n}") for n in range(3)]
        for project in (projects[0], projects[-1])
    )
    account.add_relation("finish-to-start", near[0], far[0])
    account.add_relation("finish-to-start", far[1], near[1])
    account.add_relation("start-to-start", near[2], near[1])
    account.add_relation("start-to-start", near[2], far[2])
    file = account.add_file(near[0], "plan.pdf", b"%PDF")
    mirror = a_mirror(account, extra=EVERYTHING)
    mirror.box.set(record_limit=250)
    mirror.box.faults.add(Fault("drop", "get_tasks", skip=len(projects) - 1))
    with pytest.raises(AccountError):
        mirror.pull()
    mirror.box.faults.clear()
    account.tasks[near[0]].file_ids.remove(file)
    account.tasks[far[0]].file_ids.append(file)
    account.files[file].task_id = far[0]
    account.rename_task(far[0], "Has it now")
    report = mirror.pull(later=SOON)
    assert ("complete", "projects") == (report.outcome, report.how)
    assert [{"id": far[0]}] == mirror.rows(f"SELECT task_id AS id FROM files WHERE id = {file}")
    account.rename_task(near[0], "Had it once")
    mirror.pull(later=SOON)
    assert_mirror_equals(mirror)


@pytest.mark.parametrize("folder", [True, False], ids=["with", "without"])
def test_a_first_mirror_by_projects_has_its_indexes(a_sqlite_mirror, monkeypatch, folder):
    """They are built at the end, where the sorting has a place beside memory."""
    made = "SELECT sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
    monkeypatch.setattr(engine, "_has_temporary_folder", lambda: folder)
    mirror = a_sqlite_mirror(Account.seeded(tasks=300, seed=6))
    mirror.box.set(record_limit=250)
    before = mirror.rows(made)
    assert "projects" == mirror.pull().how
    assert before == mirror.rows(made)
    assert "ok" == mirror.value("SELECT integrity_check AS ok FROM pragma_integrity_check")
    assert_mirror_equals(mirror)


def test_slices_of_another_scope_or_of_long_ago_are_asked_for_anew(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    mirror.box.set(record_limit=300)
    for later, settings in ((timedelta(hours=7), {}), (SOON, {"extra": ("subtasks",)})):
        mirror.box.faults.add(Fault("drop", "get_tasks", skip=4))
        with pytest.raises(AccountError):
            mirror.pull(later=SOON)
        mirror.box.faults.clear()
        mirror.box.log.clear()
        changed = mirror.again(**settings)
        changed.pull(later=later)
        assert shown_projects(mirror.account) == set(asked_projects(mirror))
        assert_mirror_equals(changed, kinds=["tasks", "task_tags"])


def test_a_project_that_is_refused_makes_the_pull_partial_and_removes_nothing(a_mirror):
    account = Account.seeded(tasks=600, seed=6)
    mirror = a_mirror(account)
    mirror.box.set(record_limit=300)
    mirror.pull()
    before = mirror.live()
    refused = sorted(shown_projects(account))[2]
    renamed = max(before)
    account.rename_task(renamed, "Renamed meanwhile")
    account.delete_task(min(t for t in before if account.tasks[t].project_id != refused))
    fault = Fault(
        "error", "get_tasks", parameters={"id_project": str(refused)}, code=3, message="Not today"
    )
    mirror.box.faults.add(fault)
    report = mirror.pull(later=SOON, allow_removals=True)
    assert ("partial", 3) == (report.outcome, report.exit_code)
    assert any(str(refused) in note and "Not today" in note for note in report.notes)
    assert before == mirror.live()
    assert 1 == mirror.value("SELECT count(*) AS n FROM tasks WHERE name = 'Renamed meanwhile'")
    mirror.box.faults.clear()
    assert "complete" == mirror.pull(later=SOON).outcome
    assert_mirror_equals(mirror)


# --- a project over the limit by itself


def one_big_project(done: int = 30) -> Account:
    """A project of 130 tasks on three levels, old and new, some done, beside a small one."""
    account = Account.seeded(tasks=20, seed=6, archived=0, pending=0, delayed=0)
    project = account.create_project("Big")
    closed = []
    for number in range(40):
        day = datetime(2024 + number % 2, 1 + number % 12, 1 + number % 28, 10)
        top = account.create_task(project, f"Top {number}", date_added=day, text="text")
        middle = account.create_task(project, "Middle", parent_id=top, date_added=day)
        if number % 4 == 0:
            closed.append(account.create_task(project, "Leaf", parent_id=middle, date_added=day))
        closed += [middle, top] if number % 4 == 0 else []
    account.add_relation("finish-to-start", closed[2], closed[5])
    for task in closed[:done]:
        account.complete_task(task)
    return account


def test_a_project_over_the_limit_is_covered_as_far_as_the_api_allows(a_mirror):
    account = one_big_project()
    mirror = a_mirror(account)
    mirror.box.set(record_limit=75)
    report = mirror.pull()
    big = max(account.projects)
    assert ("partial", 3, "projects") == (report.outcome, report.exit_code, report.how)
    assert any(str(big) in note and "more tasks than one answer" in note for note in report.notes)
    assert visible_tasks(account.snapshot(), mirror.view).keys() == mirror.live()
    assert_mirror_equals(mirror, kinds=["tasks", "task_tags", "files", "projects", "tags"])


def test_a_project_that_grows_over_the_limit_keeps_what_it_knew(a_mirror):
    account = one_big_project()
    mirror = a_mirror(account)
    assert "complete" == mirror.pull().outcome
    before = dump(mirror.database_url, without=("content_hash", "observed_at"))
    mirror.box.set(record_limit=75)
    for _ in range(2):
        report = mirror.pull(allow_removals=True)
        assert "partial" == report.outcome
        assert before == dump(mirror.database_url, without=("content_hash", "observed_at"))
    gone = account.delete_task(max(account.tasks))
    report = mirror.pull(allow_removals=True)
    assert ({}, "partial") == (mirror.removed(), report.outcome)
    mirror.box.set(record_limit=10_000)
    report = mirror.pull(later=DAY)
    assert ("complete", set(gone)) == (report.outcome, set(mirror.removed()))
    assert_mirror_equals(mirror)


def test_places_of_nested_done_tasks_are_learnt_over_several_pulls(a_sqlite_mirror):
    account = Account.seeded(tasks=20, seed=6, archived=0, pending=0, delayed=0)
    project = account.create_project("Old and done")
    day = datetime(2024, 5, 5, 10)
    for _ in range(70):
        top = account.create_task(project, "Top", date_added=day)
        account.create_task(project, "Below", parent_id=top, date_added=day)
    for task in sorted(account.tasks, reverse=True):
        if account.tasks[task].project_id == project:
            account.complete_task(task)
    for number in range(5):
        account.create_task(project, f"Open {number}")
    mirror = a_sqlite_mirror(account)
    mirror.box.set(record_limit=142)
    learnt = []
    for _ in range(3):
        mirror.box.log.clear()
        report = mirror.pull(later=SOON)
        assert "partial" == report.outcome
        learnt.append(len(mirror.box.log.entries("get_task")))
    assert [50, 20, 0] == learnt
    assert_mirror_equals(mirror, kinds=["tasks", "files"])


def test_a_day_with_too_many_new_tasks_is_named_as_missing(a_sqlite_mirror):
    account = Account.seeded(tasks=20, seed=6, archived=0, pending=0, delayed=0)
    project = account.create_project("All on one day")
    day = datetime(2024, 5, 5, 10)
    ids = [account.create_task(project, "Same day", date_added=day) for _ in range(60)]
    mirror = a_sqlite_mirror(account)
    mirror.box.set(record_limit=50)
    report = mirror.pull()
    assert "partial" == report.outcome
    assert any(
        "1 days with too many" in note or "2 days with too many" in note for note in report.notes
    ), report.notes
    assert set() == set(ids) & mirror.live()


def test_a_project_that_is_archived_while_the_account_is_over_the_limit(a_mirror):
    account = Account.seeded(tasks=300, seed=6, archived=0)
    mirror = a_mirror(account)
    mirror.box.set(record_limit=280)
    mirror.pull()
    project = min(account.projects)
    gone = {t.id for t in account.tasks.values() if t.project_id == project} & mirror.live()
    account.archive_project(project)
    report = mirror.pull(allow_removals=True)
    assert ("complete", "projects") == (report.outcome, report.how)
    assert dict.fromkeys(gone, "archived") == mirror.removed()
    assert_mirror_equals(mirror)
