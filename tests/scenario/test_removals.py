"""Evidence before removal: every way for a task to be absent, and what is made of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from syncd.sandbox import CLIENT, Account, Fault, Sandbox
from tests.support.mirror import Mirror, View, assert_mirror_equals, dump, visible_tasks

LOOKS = ("get_task", "search_tasks", "get_project")


def small(tasks: int = 150, **shares: float) -> Account:
    """An account that shows all it has, in a few projects, the last of them a small one."""
    shown = {"archived": 0, "pending": 0, "delayed": 0} | shares
    account = Account.seeded(tasks=tasks, seed=8, **shown)
    project = account.create_project("Small")
    for number in range(2):
        top = account.create_task(project, f"Top {number}")
        middle = account.create_task(project, f"Middle {number}", parent_id=top)
        account.create_task(project, f"Leaf {number}", parent_id=middle)
    return account


def roots(account: Account, *, children: bool | None = None) -> list[int]:
    """Top-level tasks, of those with or without children where it matters."""
    return [
        task.id
        for task in account.tasks.values()
        if task.parent_id is None and children in (None, bool(task.child_ids))
    ]


def small_project(account: Account) -> int:
    """The project whose loss no brake holds."""
    return next(id for id, project in account.projects.items() if project.name == "Small")


def big_project(account: Account) -> int:
    """A project whose loss trips a brake."""
    return max(account.projects, key=lambda id: len(tasks_of(account, id)))


def tasks_of(account: Account, project_id: int) -> set[int]:
    return {task.id for task in account.tasks.values() if task.project_id == project_id}


def pulled(make: Any, account: Account, **settings: Any) -> Mirror:
    """A mirror that is complete."""
    mirror: Mirror = make(account, **settings)
    assert mirror.pull().outcome == "complete"
    mirror.box.log.clear()
    return mirror


def assert_complete(mirror: Mirror, **options: Any) -> None:
    report = mirror.pull(**options)
    assert ("complete", ()) == (report.outcome, report.notes)
    assert set() == mirror.suspects()
    assert_mirror_equals(mirror)


def removals_on_record(mirror: Mirror) -> dict[int, str]:
    """Why each task was removed, by the audit log."""
    query = "SELECT entity_id, detail FROM audit_log WHERE event = 'task.removed'"
    return {row["entity_id"]: loaded(row["detail"])["reason"] for row in mirror.rows(query)}


def loaded(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


# --- deleted


def test_a_task_the_account_denies_is_deleted(a_mirror):
    mirror = pulled(a_mirror, small())
    task = roots(mirror.account, children=False)[0]
    mirror.account.delete_task(task)
    assert_complete(mirror)
    assert {task: "deleted"} == mirror.removed() == removals_on_record(mirror)
    assert [str(task)] == [e.parameters["id_task"] for e in mirror.box.log.entries("get_task")]


def test_a_subtree_goes_with_its_task(a_mirror):
    mirror = pulled(a_mirror, small())
    gone = mirror.account.delete_task(roots(mirror.account, children=True)[0])
    assert len(gone) > 1
    assert_complete(mirror)
    assert dict.fromkeys(gone, "deleted") == mirror.removed()


def test_what_is_removed_keeps_its_row_its_past_and_its_files(a_mirror):
    mirror = pulled(a_mirror, small())
    account = mirror.account
    task = next(t for t in account.tasks.values() if t.file_ids and t.tag_ids and not t.child_ids)
    before = mirror.rows(f"SELECT * FROM tasks WHERE id = {task.id}")[0]
    tags, files = sorted(task.tag_ids), set(task.file_ids)
    account.delete_task(task.id)
    mirror.pull()
    after = mirror.rows(f"SELECT * FROM tasks WHERE id = {task.id}")[0]
    changed = {"valid_from", "observed_at", "removed_at", "removed_reason"}
    assert changed == {key for key in before if before[key] != after[key]}
    (past,) = mirror.rows(f"SELECT * FROM task_history WHERE task_id = {task.id}")
    assert (before["name"], tags) == (past["name"], loaded(past["tags"]))
    kept = {r["id"]: r["removed_reason"] for r in mirror.rows("SELECT * FROM files")}
    assert dict.fromkeys(files, "with_task") == {id: kept[id] for id in files}


# --- archived, hidden, out of scope


def test_the_tasks_of_a_project_that_is_archived_are_archived(a_mirror):
    mirror = pulled(a_mirror, small())
    project = small_project(mirror.account)
    gone = tasks_of(mirror.account, project)
    mirror.account.archive_project(project)
    assert_complete(mirror)
    assert dict.fromkeys(gone, "archived") == mirror.removed()
    assert set() == set(mirror.box.log.actions()) & {"get_task", "search_tasks"}
    mirror.account.activate_project(project)
    assert_complete(mirror)
    assert {} == mirror.removed()


def test_a_task_that_was_deleted_before_its_project_was_archived_is_not_told_apart(a_mirror):
    mirror = pulled(a_mirror, small())
    project = small_project(mirror.account)
    deleted = mirror.account.delete_task(next(iter(tasks_of(mirror.account, project))))
    mirror.account.archive_project(project)
    assert_complete(mirror)
    assert {"archived"} == {mirror.removed()[id] for id in deleted}


def test_leaving_the_archive_out_of_the_configuration_is_out_of_scope(a_mirror):
    account = small(tasks=60)
    archived = tasks_of(account, small_project(account))
    account.archive_project(small_project(account))
    mirror = pulled(a_mirror, account, archived=True)
    narrower = mirror.again(archived=False)
    assert_complete(narrower)
    assert dict.fromkeys(archived, "out_of_scope") == mirror.removed()
    assert_complete(mirror.again(archived=True))
    assert {} == mirror.removed()


def test_leaving_subtasks_out_of_the_configuration_is_out_of_scope(a_mirror):
    mirror = pulled(a_mirror, small(tasks=60))
    below = {task.id for task in mirror.account.tasks.values() if task.parent_id}
    narrower = mirror.again(extra=("relations", "files"))
    report = narrower.pull()
    assert ("partial", {}) == (report.outcome, mirror.removed())
    assert report.brakes
    assert_complete(narrower, allow_removals=True)
    assert dict.fromkeys(below, "out_of_scope") == mirror.removed()
    assert_complete(mirror.again())


def test_leaving_files_and_relations_out_leaves_them_as_they_are(a_mirror):
    mirror = pulled(a_mirror, small(tasks=60), extra=("subtasks", "relations", "files", "text"))
    before = dump(mirror.database_url, ["files", "task_relations", "task_tags"])
    texts = dump(mirror.database_url, ["tasks"])
    narrower = mirror.again(extra=("subtasks",))
    report = narrower.pull()
    assert ("complete", 0) == (report.outcome, report.counts["updated"])
    assert before == dump(mirror.database_url, ["files", "task_relations", "task_tags"])
    assert {r["text"] for r in mirror.rows("SELECT text FROM tasks")} != {None}
    assert len(texts["tasks"]) == len(mirror.live())


def test_a_project_out_of_reach_takes_its_tasks_along(a_mirror):
    mirror = pulled(a_mirror, small())
    project = small_project(mirror.account)
    gone = tasks_of(mirror.account, project)
    mirror.account.hide_project(project)
    assert_complete(mirror)
    assert dict.fromkeys(gone, "out_of_reach") == mirror.removed()
    query = f"SELECT removed_reason AS r FROM projects WHERE id = {project}"
    assert mirror.value(query)
    mirror.account.show_project(project)
    assert_complete(mirror)
    assert {} == mirror.removed()


def test_a_project_that_was_deleted_takes_its_tasks_along(a_mirror):
    mirror = pulled(a_mirror, small())
    project = small_project(mirror.account)
    gone = mirror.account.delete_project(project)
    assert_complete(mirror)
    assert dict.fromkeys(gone, "out_of_reach") == mirror.removed()


# --- back again


def test_a_delayed_task_comes_back_with_its_history(a_mirror):
    mirror = pulled(a_mirror, small())
    account = mirror.account
    task = next(t.id for t in account.tasks.values() if t.tag_ids and not t.child_ids)
    name = account.tasks[task].name
    account.delay_task(task)
    assert_complete(mirror)
    assert {task: "deleted"} == mirror.removed()
    account.publish_task(task)
    account.rename_task(task, "Back")
    assert_complete(mirror)
    assert {} == mirror.removed()
    past = mirror.rows("SELECT name, removed_reason FROM task_history ORDER BY valid_from")
    assert [(name, None), (name, "deleted")] == [tuple(row.values()) for row in past]
    assert 1 == mirror.value("SELECT count(*) AS n FROM audit_log WHERE event = 'task.restored'")


def test_a_suspect_that_is_seen_again_is_one_no_more_and_has_no_new_image(a_mirror):
    mirror = pulled(a_mirror, small())
    before = dump(mirror.database_url, without=("content_hash", "observed_at"))
    mirror.box.faults.add(Fault("cut_list", "get_all_tasks"))
    mirror.pull()
    assert mirror.suspects()
    mirror.box.faults.clear()
    assert_complete(mirror)
    assert before == dump(mirror.database_url, without=("content_hash", "observed_at"))


# --- moved


@pytest.mark.parametrize("how", ["account", "projects"])
def test_a_task_that_moved_is_not_missing(a_mirror, how):
    mirror = a_mirror(small())
    if how == "projects":
        mirror.box.set(record_limit=140)
    assert mirror.pull().how == how
    account = mirror.account
    first, last = min(account.projects), max(account.projects)
    there = next(t for t in roots(account, children=True) if account.tasks[t].project_id == first)
    back = next(t for t in roots(account, children=True) if account.tasks[t].project_id == last)
    account.move_task(there, project_id=last)
    account.move_task(back, project_id=first)
    mirror.box.log.clear()
    assert_complete(mirror)
    assert {} == mirror.removed()
    assert set() == set(mirror.box.log.actions()) & set(LOOKS)
    moved = {task.id for top in (there, back) for task in account.subtree(account.tasks[top])}
    assert moved == {r["task_id"] for r in mirror.rows("SELECT task_id FROM task_history")}


def test_a_task_that_moves_while_its_projects_are_asked_for_is_not_removed(a_mirror):
    mirror = a_mirror(small())
    mirror.box.set(record_limit=140)
    mirror.pull()
    account = mirror.account
    first, last = min(account.projects), max(account.projects)
    task = next(t for t in roots(account) if account.tasks[t].project_id == last)

    def move(what: str) -> None:  # after the first project was answered, before the last is
        if what == f"project {last}":
            account.move_task(task, project_id=first)

    report = mirror.pull(progress=Told(move))
    assert ({}, "partial") == (mirror.removed(), report.outcome)
    assert_complete(mirror)


class Told:
    """Progress that is told to a function."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener

    def step(self, what: str, **_: float) -> None:
        self.listener(what)


# --- rights


def oauth_settings(box: Sandbox, mirror_path: Any, **grant: Any) -> dict[str, str]:
    """What a configuration says of an account that is entered with a member's token."""
    tokens = mirror_path.with_name("tokens.json")
    tokens.write_text(json.dumps(box.oauth.grant(**grant)), encoding="utf-8")
    tokens.chmod(0o600)
    return {
        "auth": "oauth2",
        "oauth_client_id": CLIENT[0],
        "oauth_client_secret": CLIENT[1],
        "oauth_token_file": str(tokens),
        "oauth_url": box.url,
    }


def test_a_right_that_is_lost_is_not_a_deletion(a_mirror):
    mirror = a_mirror(small())
    account = mirror.account
    seen = frozenset(list(account.projects)[:-1])
    member = next(m.id for m in account.members.values() if m.role == "User" and m.active)
    mirror = mirror.again(account=oauth_settings(mirror.box, mirror.path, member_id=member))
    assert mirror.pull().outcome == "complete"
    for grants in (mirror.box.oauth.access, mirror.box.oauth.refresh):
        for token, grant in grants.items():
            grants[token] = replaced(grant, projects=seen)
    lost = {t.id for t in account.tasks.values() if t.project_id not in seen}
    report = mirror.pull(allow_removals=True)
    assert "complete" == report.outcome
    assert dict.fromkeys(lost, "out_of_reach") == mirror.removed()


def replaced(value: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(value, **changes)


def test_under_other_rights_no_denial_is_a_deletion(a_mirror):
    """A token of another member denies what that one does not see, with the same code 5."""
    mirror = pulled(a_mirror, small())
    account = mirror.account
    task = roots(account, children=False)[0]
    member = next(m.id for m in account.members.values() if m.role == "User" and m.active)
    as_member = mirror.again(account=oauth_settings(mirror.box, mirror.path, member_id=member))
    account.delay_task(task)
    as_member.pull()
    assert {task: "out_of_reach"} == mirror.removed()


def test_the_role_of_our_member_is_part_of_its_rights(a_mirror):
    mirror = a_mirror(small())
    account = mirror.account
    member = next(m for m in account.members.values() if m.role == "User" and m.active)
    mirror = mirror.again(account=oauth_settings(mirror.box, mirror.path, member_id=member.id))
    assert mirror.pull().outcome == "complete"
    member.role = "Guest"
    task = roots(account, children=False)[0]
    account.delay_task(task)
    mirror.pull(later=timedelta(minutes=5))
    assert {task: "out_of_reach"} == mirror.removed()


# --- a look that does not work, or lies


def test_a_search_that_is_refused_leaves_the_looks_one_by_one(a_sqlite_mirror):
    mirror = pulled(a_sqlite_mirror, small())
    mirror.box.faults.add(Fault("error", "search_tasks", code=10, message="Filter is invalid"))
    gone = delete(mirror.account, 6)
    assert_complete(mirror)
    assert dict.fromkeys(gone, "deleted") == mirror.removed()
    assert len(gone) == len(mirror.box.log.entries("get_task"))


def delete(account: Account, count: int) -> set[int]:
    """Delete so many tasks that have no subtasks, each in a project of many."""
    busy = big_project(account)
    leaves = [id for id in roots(account, children=False) if id in tasks_of(account, busy)]
    return {id for task in leaves[:count] for id in account.delete_task(task)}


def test_a_search_that_finds_nothing_is_no_evidence(a_sqlite_mirror):
    mirror = pulled(a_sqlite_mirror, small())
    mirror.box.faults.add(Fault("empty_list", "search_tasks"), Fault("cut_list", "get_all_tasks"))
    report = mirror.pull(allow_removals=True)
    assert ({}, "partial", 3) == (mirror.removed(), report.outcome, report.exit_code)
    mirror.box.faults.clear()
    assert_complete(mirror)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("http_status", "get_task", status=502, skip=2),
        Fault("drop", "get_task", skip=2),
        Fault("html_login", "get_task", skip=2),
        Fault("http_status", "get_task", status=429, retry_after="600", skip=2),
        Fault("http_status", "search_tasks", status=502, skip=1),
        Fault("garbage", "search_tasks"),
        Fault("html_login", "search_tasks"),
        Fault("error", "get_task", code=3, message="Not today", skip=2),
    ],
    ids=lambda fault: f"{fault.action}-{fault.kind}-{fault.status}",
)
def test_a_look_that_fails_in_the_middle_leaves_suspects(a_sqlite_mirror, fault):
    mirror = pulled(a_sqlite_mirror, small())
    mirror.account.rename_task(roots(mirror.account)[-1], "Renamed meanwhile")
    gone = delete(mirror.account, 8)
    mirror.box.faults.add(fault)
    report = mirror.pull()
    assert ("partial", 3) == (report.outcome, report.exit_code)
    assert report.notes
    assert 1 == mirror.value("SELECT count(*) AS n FROM tasks WHERE name = 'Renamed meanwhile'")
    done = mirror.removed()
    assert len(done) <= 2
    assert set(done.values()) <= {"deleted"}
    assert gone - set(done) == mirror.suspects()
    mirror.box.faults.clear()
    assert_complete(mirror)
    assert dict.fromkeys(gone, "deleted") == mirror.removed()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("http_status", "get_projects", status=502),
        Fault("html_login", "get_projects"),
        Fault("empty_list", "get_projects"),
        Fault("error", "get_projects", code=3, message="Not today"),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_look_at_the_projects_that_fails_removes_nothing_wrongly(a_sqlite_mirror, fault):
    mirror = pulled(a_sqlite_mirror, small())
    project = small_project(mirror.account)
    mirror.account.archive_project(project)
    mirror.box.faults.add(fault)
    mirror.pull(later=timedelta(minutes=5))  # the catalogues are believed; the look asks anew
    wrong = {id for id, why in mirror.removed().items() if why != "archived"}
    assert set() == wrong
    mirror.box.faults.clear()
    assert_complete(mirror)
    assert {"archived"} == set(mirror.removed().values())


def test_a_task_that_answers_for_itself_stays_suspect_and_named(a_mirror):
    """Absent from the list, and alive when asked: nothing proves it gone, whatever is allowed."""
    mirror = pulled(a_mirror, small())
    task = max(mirror.live())
    project = mirror.account.tasks[task].project_id
    last = mirror.account.projects[project].roots[-1]
    mirror.box.faults.add(
        Fault("cut_list", "get_all_tasks", records=len(roots(mirror.account)) - 1)
    )
    report = mirror.pull(allow_removals=True)
    assert ("partial", {}) == (report.outcome, mirror.removed())
    assert last in mirror.suspects()
    mirror.box.faults.clear()
    assert_complete(mirror)


def test_an_answer_that_is_caught_lying_removes_nothing_that_it_proves(a_sqlite_mirror):
    """It leaves out what the account has, so no other absence in it is believed either."""
    mirror = pulled(a_sqlite_mirror, small())
    mirror.account.archive_project(small_project(mirror.account))
    mirror.box.faults.add(Fault("missing_subtasks", "get_all_tasks"))
    report = mirror.pull(allow_removals=True)
    assert ({}, "partial") == (mirror.removed(), report.outcome)
    mirror.box.faults.clear()
    assert_complete(mirror)
    assert {"archived"} == set(mirror.removed().values())


# --- brakes


@pytest.mark.parametrize(
    ("tasks", "gone", "limit", "held"),
    [
        (150, 10, None, False),  # the larger of 10 tasks and 2 %
        (150, 11, None, True),
        (1000, 20, None, False),
        (1000, 21, None, True),
        (150, 3, 2, True),  # pull.max_removals instead
        (150, 30, 30, False),
        (150, 1, 0, True),
    ],
)
def test_the_brake_holds_a_mass_removal_of_the_account(a_sqlite_mirror, tasks, gone, limit, held):
    mirror = pulled(a_sqlite_mirror, small(tasks=tasks), max_removals=limit)
    ids = spread(mirror.account, gone)
    renamed = roots(mirror.account)[-1]
    mirror.account.rename_task(renamed, "Renamed meanwhile")
    report = mirror.pull()
    assert "Renamed meanwhile" == mirror.value(f"SELECT name FROM tasks WHERE id = {renamed}")
    if not held:
        assert ("complete", ids) == (report.outcome, set(mirror.removed()))
        return
    assert ("partial", 3, {}) == (report.outcome, report.exit_code, mirror.removed())
    assert gone == sum(brake.missing for brake in report.brakes)
    assert any("brake" in note for note in report.notes)
    assert ids == mirror.suspects()
    told = brakes_told(mirror)
    assert {"brake.tripped": len(report.brakes)} == told
    assert ("partial", {}) == ((again := mirror.pull()).outcome, mirror.removed()), again
    assert told == brakes_told(mirror), "once, not at every pull"
    assert_complete(mirror, allow_removals=True)
    assert dict.fromkeys(ids, "deleted") == mirror.removed()
    assert told | {"brake.released": 1} == brakes_told(mirror)


def brakes_told(mirror: Mirror) -> dict[str, int]:
    """Count the events of the audit log that tell of brakes."""
    query = "SELECT event, count(*) AS n FROM audit_log WHERE event LIKE 'brake.%' GROUP BY event"
    return {row["event"]: row["n"] for row in mirror.rows(query)}


def spread(account: Account, count: int) -> set[int]:
    """Delete leaves all over the account, few enough of each project for that one's own brake."""
    gone: set[int] = set()
    of_project: dict[int, int] = {}
    share = -(-count // max(len(account.projects) - 1, 1))
    for task in list(account.tasks.values()):
        taken = of_project.get(task.project_id, 0)
        if len(gone) < count and not task.child_ids and taken < max(share, 10):
            gone |= set(account.delete_task(task.id))
            of_project[task.project_id] = taken + 1
    assert count == len(gone)
    return gone


def test_the_brake_of_one_project_holds_that_project_alone(a_mirror):
    mirror = pulled(a_mirror, small(tasks=1000))
    account = mirror.account
    big = big_project(account)
    held: set[int] = set()
    for id in sorted(tasks_of(account, big)):
        if id in account.tasks and not account.tasks[id].child_ids and len(held) < 12:
            held |= set(account.delete_task(id))
    other = next(t for t in roots(account, children=False) if account.tasks[t].project_id != big)
    account.delete_task(other)
    report = mirror.pull()
    assert [(12, 10, (big,))] == [(b.missing, b.limit, b.projects) for b in report.brakes]
    assert {other: "deleted"} == mirror.removed()
    assert held == mirror.suspects()
    assert_complete(mirror, allow_removals=True)


def test_what_the_brake_holds_is_forgotten_when_it_comes_back(a_mirror):
    mirror = pulled(a_mirror, small())
    project = big_project(mirror.account)
    mirror.account.hide_project(project)
    assert "partial" == mirror.pull().outcome
    assert tasks_of(mirror.account, project) == mirror.suspects()
    mirror.account.show_project(project)
    assert_complete(mirror)
    assert 0 == mirror.value("SELECT count(*) AS n FROM task_history")


def test_allowing_removals_releases_the_brake_and_never_the_evidence(a_mirror):
    """Half of the list is gone: what was deleted goes, what the account answers for stays."""
    mirror = pulled(a_mirror, small())
    gone = delete(mirror.account, 5)
    mirror.box.faults.add(Fault("cut_list", "get_all_tasks"))
    report = mirror.pull(allow_removals=True)
    assert "partial" == report.outcome
    assert set(mirror.removed()) <= gone
    mirror.box.faults.clear()
    assert_complete(mirror)
    assert dict.fromkeys(gone, "deleted") == mirror.removed()


def test_an_account_that_was_emptied_asks_and_then_believes(a_mirror):
    mirror = pulled(a_mirror, small(tasks=6))
    for task in roots(mirror.account):
        mirror.account.delete_task(task)
    report = mirror.pull()
    assert ("partial", {}) == (report.outcome, mirror.removed())
    assert any("empty" in note for note in report.notes)
    assert_complete(mirror, allow_removals=True)
    assert {"deleted"} == set(mirror.removed().values())


def test_a_mirrored_task_is_never_physically_deleted(a_mirror):
    mirror = pulled(a_mirror, small())
    ever = mirror.live()
    for destroy in everything_that_destroys(mirror.account):
        destroy()
        mirror.pull()
        mirror.pull(allow_removals=True)
        assert ever <= {row["id"] for row in mirror.rows("SELECT id FROM tasks")}
        assert_mirror_equals(mirror)


def everything_that_destroys(account: Account) -> Iterable[Any]:
    """Each way to make tasks go away, in turn."""
    projects = list(account.projects)
    yield lambda: account.delete_task(roots(account, children=True)[0])
    yield lambda: account.archive_project(projects[0])
    yield lambda: account.hide_project(projects[1])
    yield lambda: account.delay_task(roots(account, children=True)[-1])
    yield lambda: account.delete_project(projects[0])


def test_the_looks_are_few(a_sqlite_mirror):
    """An unreachable project is asked for once; a search asks for 200 tasks at once."""
    mirror = pulled(a_sqlite_mirror, small(tasks=1000))
    hidden = [big_project(mirror.account)]
    mirror.account.hide_project(hidden[0])
    mirror.pull(allow_removals=True, later=timedelta(minutes=5))
    assert ["get_all_tasks", "get_projects", "get_project"] == mirror.box.log.actions()


def test_the_view_of_the_tests_shows_what_the_account_lists():
    """The expectation itself: what `snapshot` calls listed is what the tests expect."""
    account = Account.seeded(tasks=300, seed=9, archived=0.3, pending=0.2, delayed=0.05)
    box = Sandbox(account)
    truth = account.snapshot()
    view = View(("subtasks",), False, box.switches, "")
    listed = {id for id, task in truth["tasks"].items() if task["listed"]}
    assert listed == visible_tasks(truth, view).keys()
