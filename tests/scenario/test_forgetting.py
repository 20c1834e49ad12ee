"""What a pull remembers of something that is over is forgotten: the next time is a first time."""

from __future__ import annotations

from datetime import timedelta

from syncd.sandbox import Account, Fault
from syncd.services.facts import gather
from syncd.sync.facts import Facts
from syncd.sync.troubles import troubles
from tests.support.mirror import Mirror, assert_mirror_equals

SOON = timedelta(minutes=5)
DAY = timedelta(days=1, hours=1)
WHOLE = ["get_all_tasks"]


def asked(mirror: Mirror, *, later: timedelta = SOON) -> list[str]:
    """What a pull asks for, each kind of request once, without the catalogues of a long while."""
    mirror.box.log.clear()
    assert "complete" == mirror.pull(later=later).outcome
    asides = {"get_projects", "get_users", "get_task_tags"}
    return list(dict.fromkeys(a for a in mirror.box.log.actions() if a not in asides))


def test_an_account_that_fits_again_is_over_the_limit_anew_when_it_grows_again(a_mirror):
    by_projects, tried_in_vain = ["get_tasks"], [*WHOLE, "get_tasks"]
    mirror = a_mirror(Account.seeded(tasks=200, seed=6))
    mirror.box.set(record_limit=150)
    assert tried_in_vain == asked(mirror)
    assert by_projects == asked(mirror)
    mirror.box.set(record_limit=10_000)
    assert WHOLE == asked(mirror, later=DAY)
    assert WHOLE == asked(mirror)
    mirror.box.set(record_limit=150)
    assert tried_in_vain == asked(mirror, later=DAY)
    assert [by_projects] * 3 == [asked(mirror) for _ in range(3)]  # a day counts from here on
    assert_mirror_equals(mirror)


def test_an_account_that_stays_over_the_limit_is_asked_for_the_whole_once_a_day(a_mirror):
    by_projects, tried_in_vain = ["get_tasks"], [*WHOLE, "get_tasks"]
    mirror = a_mirror(Account.seeded(tasks=200, seed=6))
    mirror.box.set(record_limit=150)
    assert tried_in_vain == asked(mirror)
    for _ in range(2):
        assert tried_in_vain == asked(mirror, later=DAY)
        assert [by_projects] * 2 == [asked(mirror) for _ in range(2)]


def test_a_brake_that_trips_again_for_the_same_reason_is_on_record_again(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=150, seed=8, archived=0, pending=0, delayed=0))
    mirror.pull()
    project = max(mirror.account.projects, key=lambda id: tasks_of(mirror, id))
    tripped, released = "brake.tripped", "brake.released"

    mirror.account.hide_project(project)
    assert ["partial"] * 2 == [mirror.pull(later=SOON).outcome for _ in range(2)]
    assert [tripped] == brakes_on_record(mirror)
    assert ["brake"] == told(mirror)

    mirror.account.show_project(project)
    assert ["complete"] * 3 == [mirror.pull(later=SOON).outcome for _ in range(3)]
    assert [tripped, released] == brakes_on_record(mirror)
    assert [] == told(mirror)

    mirror.account.hide_project(project)
    assert "partial" == mirror.pull(later=SOON).outcome
    assert [tripped, released, tripped] == brakes_on_record(mirror)
    assert ["brake"] == told(mirror)


def tasks_of(mirror: Mirror, project_id: int) -> int:
    return sum(task.project_id == project_id for task in mirror.account.tasks.values())


def brakes_on_record(mirror: Mirror) -> list[str]:
    """What the audit log tells of brakes, in its order."""
    query = "SELECT event FROM audit_log WHERE event LIKE 'brake.%' ORDER BY seq"
    return [row["event"] for row in mirror.rows(query)]


def told(mirror: Mirror) -> list[str]:
    """What a person is told is wrong."""
    known = Facts(now=mirror.clock(), interval_s=SOON.total_seconds())
    return [one.kind for one in troubles(gather(mirror.app.db, known, max_batch=100))]


def test_after_a_partial_pull_the_answer_of_before_is_no_unchanged_one(a_mirror):
    """The partial pull wrote what it understood; the old answer is news to that mirror."""
    mirror = a_mirror(Account.seeded(tasks=60, seed=2))
    mirror.pull()
    task = max(mirror.live())
    name = mirror.account.tasks[task].name
    mirror.account.rename_task(task, "For a moment")
    mirror.box.faults.add(Fault("priority_99", "get_all_tasks", records=1))
    assert "partial" == mirror.pull(later=SOON).outcome
    assert "For a moment" == mirror.value(f"SELECT name FROM tasks WHERE id = {task}")
    mirror.box.faults.clear()
    mirror.account.rename_task(task, name)
    report = mirror.pull(later=SOON)
    assert ("complete", False) == (report.outcome, report.unchanged)
    assert_mirror_equals(mirror)
    assert mirror.pull(later=SOON).unchanged


def test_a_project_that_is_pending_again_is_looked_at_again(a_mirror):
    """What was found on the day's first look was of an empty project, and is over."""
    account = Account.seeded(tasks=60, seed=2, pending=0)
    project = account.create_project("Sleeps", status="pending")
    mirror = a_mirror(account)
    mirror.box.set(pending_listed=False)
    assert "complete" == mirror.pull().outcome  # it was asked for itself: it has no tasks
    account.activate_project(project)
    account.create_task(project, "Seen while it was awake")
    assert "complete" == mirror.pull().outcome
    account.suspend_project(project)
    account.create_task(project, "Never listed")
    report = mirror.pull()
    assert "partial" == report.outcome
    assert any("leaves out pending projects" in note for note in report.notes)
