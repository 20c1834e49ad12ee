"""What a push promises whatever the account does: nothing lost, nothing doubled, nobody delayed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from syncd.errors import LeaseLost, Throttled, Unauthorized
from syncd.sandbox import Account, Fault
from syncd.store.schema import lease
from tests.support.mirror import Mirror
from tests.support.pushes import LONG, MOMENT, pushed, shown, states, written

HOUR = timedelta(hours=1)
"""Longer than a change waits between two tries; the account's clock is months ahead of ours."""
RELEASE = "UPDATE outbox SET state = 'queued' WHERE state = 'held'"


DEEP = os.environ.get("SYNCD_HYPOTHESIS") == "deep"


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def an_office(tasks: int) -> Account:
    """An account of that many open tasks in one project, assigned to nobody."""
    account = Account()
    account.create_member("Olena", "Owner", "olena@example.com")
    account.create_member("Oleh", "Outsider", "oleh@example.com")
    group = account.create_tag_group("Kind")
    account.create_tag(group, "urgent")
    project = account.create_project("Office")
    for number in range(tasks):
        account.create_task(project, f"task {number}")
    return account


@pytest.fixture
def office(a_sqlite_mirror) -> Callable[[int], Mirror]:
    def make(tasks: int) -> Mirror:
        mirror: Mirror = a_sqlite_mirror(an_office(tasks))
        mirror.pull()
        mirror.box.log.clear()
        return mirror

    return make


def ids(mirror: Mirror) -> list[int]:
    return list(mirror.account.tasks)


def create(mirror: Mirror, *names: str) -> None:
    """Queue creations, by one statement."""
    project = next(iter(mirror.account.projects))
    rows = ", ".join(f"('{name}', {project}, '{name}')" for name in names)
    mirror.execute(f"INSERT INTO live_tasks (ref, project_id, name) VALUES {rows}")


def edit(mirror: Mirror, what: str, *tasks: int) -> None:
    """Queue an edit of some tasks, by one statement."""
    mirror.execute(f"UPDATE live_tasks SET {what} WHERE id IN ({', '.join(map(str, tasks))})")


def names(mirror: Mirror) -> Counter[str]:
    return Counter(task.name for task in mirror.account.tasks.values())


# --- nothing lost, nothing doubled


def test_creations_committed_and_then_failed_give_each_task_once(office):
    """A thousand of them in the deep profile."""
    many = 1000 if DEEP else 101
    mirror = office(0)
    wanted = [f"new {number}" for number in range(many)]
    create(mirror, *wanted)
    assert {"held": many} == pushed(mirror).waiting
    mirror.execute(RELEASE)
    mirror.box.faults.add(Fault("drop", "post_task", when="after"))
    pushes = until_settled(mirror)
    assert Counter(wanted) == names(mirror)
    assert {"confirmed"} == set(states(mirror))
    actions = Counter(mirror.box.log.actions())
    print(f"{pushes} pushes, {dict(actions)}")
    assert many == actions["post_task"], "one was sent again"
    assert actions.total() <= 2.5 * many + 2, "settling them costs more and more"


def test_lost_creations_of_which_some_landed_give_each_task_once(office, seed):
    mirror = office(5)
    wanted = [f"new {number}" for number in range(60)]
    create(mirror, *wanted)
    before = Fault("drop", "post_task", when="before", probability=0.3, count=20, seed=seed)
    after = Fault("drop", "post_task", when="after", probability=0.5, count=20, seed=seed + 1)
    mirror.box.faults.add(before, after)
    until_settled(mirror)
    assert Counter(wanted) == names(mirror) - Counter(f"task {n}" for n in range(5))
    assert {"confirmed"} == set(states(mirror))


def until_settled(mirror: Mirror) -> int:
    for number in range(2000):
        if not pushed(mirror, later=HOUR).waiting:
            return number + 1
    raise AssertionError(f"still open: {Counter(states(mirror))}")


# --- the brake


def test_an_update_of_5000_tasks_is_held_and_said_so(office):
    mirror = office(5000)
    mirror.execute("UPDATE live_tasks SET priority = 5")
    report = pushed(mirror)
    assert ({"held": 5000}, 3, 0) == (report.waiting, report.exit_code, report.requests)
    assert {"held": 5000} == pushed(mirror).waiting, "the second push forgot"
    assert [] == written(mirror)
    told = mirror.rows("SELECT error_code, error FROM outbox GROUP BY error_code, error")
    assert 1 == len(told)
    assert ("brake", True) == (told[0]["error_code"], "5000" in told[0]["error"])


# --- nobody delayed


def test_a_change_that_the_account_refuses_does_not_delay_the_others(office):
    mirror = office(4)
    mirror.box.set(assignee_must_be_member=True)
    first, *others = ids(mirror)
    edit(mirror, "assignee_email = 'oleh@example.com'", first)
    edit(mirror, "priority = 7", *others)
    report = pushed(mirror)
    assert ["failed", *["confirmed"] * 3] == states(mirror)
    assert (3, {"failed": 1}) == (report.exit_code, report.waiting)
    assert "Invalid email" in mirror.value("SELECT error FROM outbox WHERE state = 'failed'")


@pytest.mark.parametrize(
    "answer",
    [Fault("priority_99", "search_tasks", records=1), Fault("garbage", "search_tasks")],
    ids=["one record", "the whole"],
)
def test_tasks_are_asked_for_themselves_where_a_search_makes_no_sense(office, answer):
    mirror = office(6)
    mirror.box.faults.add(answer)
    edit(mirror, "priority = 7, name = 'x'", *ids(mirror))
    assert "complete" == pushed(mirror).outcome


def test_a_task_whose_look_fails_delays_no_other(office):
    mirror = office(6)
    *others, poisoned = ids(mirror)
    mirror.box.faults.add(
        Fault("garbage", "search_tasks"),
        Fault("garbage", "get_task", parameters={"id_task": str(poisoned)}),
    )
    edit(mirror, "priority = 7, name = 'x'", *others, poisoned)
    report = pushed(mirror)
    assert [*["confirmed"] * 5, "queued"] == states(mirror)
    assert (3, {"queued": 1}) == (report.exit_code, report.waiting)
    mirror.box.faults.clear()
    pushed(mirror, later=LONG)
    assert {"confirmed"} == set(states(mirror))


def test_of_a_folded_request_only_the_refused_part_fails(office):
    mirror = office(2)
    mirror.box.set(assignee_must_be_member=True)
    task, other = ids(mirror)
    edit(mirror, "name = 'first'", task)
    edit(mirror, "assignee_email = 'oleh@example.com'", task)
    edit(mirror, "priority = 9", task)
    edit(mirror, "priority = 8", other)
    pushed(mirror)
    assert ["confirmed", "failed", "confirmed", "confirmed"] == states(mirror)
    assert ("first", 9) == (shown(mirror, task)["name"], shown(mirror, task)["priority"])


def test_a_change_in_two_requests_goes_whole_though_another_task_stands_between(office):
    mirror = office(2)
    task, other = ids(mirror)
    edit(mirror, "name = 'one'", task)
    edit(mirror, "name = 'between'", other)
    edit(mirror, "name = 'two', tags = 'urgent'", task)
    assert "complete" == pushed(mirror).outcome
    assert ("two", 1) == (shown(mirror, task)["name"], len(shown(mirror, task)["tags"]))


def test_closing_dating_and_tagging_in_one_statement_does_all_three(office):
    mirror = office(1)
    (task,) = ids(mirror)
    edit(mirror, "status = 'done', date_closed = '2026-02-01', tags = 'urgent'", task)
    assert "complete" == pushed(mirror).outcome
    now = shown(mirror, task)
    assert ("done", "2026-02-01", 1) == (
        now["status"],
        str(now["date_closed"])[:10],
        len(now["tags"]),
    )


def test_a_day_of_closing_for_a_task_that_is_reopened_is_said_not_to_have_been_taken(office):
    """The account gives an open task none, so the change failed, whatever was said ok to."""
    mirror = office(1)
    (task,) = ids(mirror)
    edit(mirror, "status = 'done'", task)
    pushed(mirror)
    edit(mirror, "status = 'active', date_closed = '2026-02-01', name = 'again'", task)
    pushed(mirror)
    now = shown(mirror, task)
    assert ("active", "again", None) == (now["status"], now["name"], now["date_closed"])
    last = mirror.rows("SELECT state, error FROM outbox ORDER BY id DESC LIMIT 1")[0]
    assert "failed" == last["state"]
    assert "date_closed is nothing, not 2026-02-01" in last["error"]


def test_a_day_of_closing_that_a_later_reopening_takes_away_keeps_neither_from_going(office):
    """The two are settled together: what else the first carries must not go without the other."""
    mirror = office(2)
    task, other = ids(mirror)
    edit(mirror, "status = 'done'", task)
    pushed(mirror)
    edit(mirror, "date_closed = '2026-02-01', priority = 7, tags = 'urgent'", task)
    edit(mirror, "priority = 3", other)
    edit(mirror, "status = 'active'", task)
    assert "complete" == pushed(mirror).outcome
    now = shown(mirror, task)
    assert ("active", 7, 1) == (now["status"], now["priority"], len(now["tags"]))
    assert ["confirmed"] * 4 == states(mirror)


# --- a refused key


@pytest.mark.parametrize("action", ["update_task", "search_tasks", "post_task"])
@pytest.mark.parametrize(
    "refusal",
    [
        {"kind": "error", "code": 2, "message": "Invalid hash"},
        {"kind": "http_status", "status": 401},
    ],
    ids=["code 2", "http 401"],
)
def test_a_key_refused_in_the_middle_loses_nothing(office, action, refusal):
    mirror = office(6)
    edit(mirror, "priority = 7", *ids(mirror))
    create(mirror, "a", "b")
    skip = 0 if action == "search_tasks" else 1
    mirror.box.faults.add(
        Fault(action=action, skip=skip, **refusal), Fault(action="get_events", **refusal)
    )
    with pytest.raises(Unauthorized):
        pushed(mirror)
    assert "failed" == mirror.value("SELECT outcome FROM sync_runs WHERE kind = 'push'")
    assert set(states(mirror)) <= {"queued", "applied", "confirmed"}
    mirror.box.faults.clear()
    assert "complete" == pushed(mirror).outcome
    assert {"confirmed"} == set(states(mirror))
    assert (1, 1) == (names(mirror)["a"], names(mirror)["b"])


# --- the fewest requests


@pytest.mark.parametrize(
    ("edits", "looks"),
    [
        (1, {"get_task": 2}),
        (10, {"search_tasks": 2}),
        # 25 tasks to a look before the writes, 200 to the one that confirms them.
        (500, {"search_tasks": 20 + 3}) if DEEP else (90, {"search_tasks": 4 + 1}),
    ],
)
def test_an_edit_costs_its_write_and_a_share_of_two_looks(office, edits, looks):
    mirror = office(500)
    edit(mirror, "priority = 7, name = name || '!'", *ids(mirror)[:edits])
    if edits > 100:
        pushed(mirror)
        mirror.execute(RELEASE)
    report = pushed(mirror)
    assert Counter({"update_task": edits, **looks}) == Counter(mirror.box.log.actions())
    assert ("complete", edits + sum(looks.values())) == (report.outcome, report.requests)


# --- the rules, on the side of the push


def test_a_task_is_looked_at_before_each_write_to_it(office):
    mirror = office(2)
    task, other = ids(mirror)
    edit(mirror, "priority = 7", task)
    mirror.account.edit_task(task, priority=3)
    pushed(mirror)
    assert (["conflict"], [], 3) == (
        states(mirror),
        written(mirror),
        shown(mirror, task)["priority"],
    )
    edit(mirror, "priority = 9", other)
    pushed(mirror)
    actions = mirror.box.log.actions()
    assert actions.index("update_task") > 0
    assert actions[actions.index("update_task") - 1] == "get_task"


def test_a_creation_is_never_sent_again_without_looking(office):
    mirror = office(1)
    create(mirror, "new")
    mirror.box.faults.add(Fault("drop", "post_task", count=1))
    for _ in range(6):
        pushed(mirror, later=LONG)
    actions = mirror.box.log.actions()
    first, second = (at for at, action in enumerate(actions) if action == "post_task")
    assert "get_tasks" in actions[first:second]
    assert (1, ["confirmed"]) == (names(mirror)["new"], states(mirror))


def test_not_finding_a_creation_right_away_proves_nothing(office):
    mirror = office(1)
    create(mirror, "new")
    mirror.box.faults.add(Fault("drop", "post_task", count=1))
    pushed(mirror)
    pushed(mirror, later=MOMENT)  # the account may still be at it
    assert (["uncertain"], ["post_task"]) == (states(mirror), written(mirror))


@pytest.mark.parametrize(
    "lie",
    [
        Fault("cut_list", "get_tasks", records=1),
        Fault("empty_list", "get_tasks"),
        Fault("no_data", "get_tasks"),
        Fault("priority_99", "get_tasks"),
        Fault("garbage", "get_tasks"),
    ],
    ids=lambda fault: fault.kind,
)
def test_an_answer_that_lacks_what_we_know_proves_no_absence(office, lie):
    mirror = office(3)
    create(mirror, "new")
    mirror.box.faults.add(Fault("drop", "post_task", when="after", count=1))
    mirror.box.faults.add(lie)
    for _ in range(3):
        pushed(mirror, later=LONG)
    assert (["uncertain"], ["post_task"]) == (states(mirror), written(mirror))
    mirror.box.faults.clear()
    pushed(mirror, later=LONG)
    assert (1, ["confirmed"]) == (names(mirror)["new"], states(mirror))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "http_status", "cut_body", "garbage"])
def test_a_lost_reply_is_uncertain_and_settled_by_looking(office, kind, when):
    mirror = office(2)
    task, _ = ids(mirror)
    edit(mirror, "priority = 7", task)
    mirror.box.faults.add(Fault(kind, "update_task", when=when, count=1))
    pushed(mirror)
    landed = shown(mirror, task)["priority"] == 7
    assert ["queued", "sending", "uncertain"] == trail(mirror)[:3]
    pushed(mirror, later=LONG)
    assert (["confirmed"], 7) == (states(mirror), shown(mirror, task)["priority"])
    assert (1 if landed else 2) == len(written(mirror))


def trail(mirror: Mirror) -> list[str]:
    """The states that changes went through, in the order in which they did."""
    return [row["s"] for row in mirror.rows("SELECT to_state AS s FROM outbox_events ORDER BY id")]


def test_a_second_holder_between_claim_and_outcome_makes_the_change_uncertain(a_mirror):
    mirror: Mirror = a_mirror(an_office(2))
    mirror.pull()
    task, _ = ids(mirror)
    edit(mirror, "priority = 7", task)
    create(mirror, "new")
    mirror.account.listeners.append(lambda _: taken_over(mirror))
    with pytest.raises(LeaseLost):
        pushed(mirror)
    mirror.account.listeners.pop()
    assert "sending" in states(mirror), "the old holder wrote an outcome"
    sent = written(mirror)
    assert 1 == len(sent)
    pushed(mirror, later=LONG)
    pushed(mirror, later=LONG)
    assert {"confirmed"} == set(states(mirror))
    assert 2 == len(written(mirror)), "what had landed went out again"
    assert (1, 7) == (names(mirror)["new"], shown(mirror, task)["priority"])


def taken_over(mirror: Mirror) -> None:
    """Take the lease as another instance would once the first is cut off from the database."""
    with mirror.app.db.write() as tx:
        tx.execute(update(lease).values(fencing=lease.c.fencing + 1))


@pytest.mark.parametrize("state", ["held", "conflict", "uncertain", "queued"])
def test_a_waiting_change_holds_its_lane_and_no_other(office, state):
    mirror = office(2)
    task, other = ids(mirror)
    edit(mirror, "priority = 7", task)
    make_wait(mirror, task, state)
    before = len(written(mirror))
    edit(mirror, "name = 'later'", task)
    edit(mirror, "name = 'beside'", other)
    pushed(mirror)
    assert [state, "queued", "confirmed"] == states(mirror)
    assert before + 1 == len(written(mirror))
    assert ("task 0", "beside") == (shown(mirror, task)["name"], shown(mirror, other)["name"])


def make_wait(mirror: Mirror, task: int, state: str) -> None:
    match state:
        case "held":
            mirror.execute("UPDATE outbox SET state = 'held'")
        case "conflict":
            mirror.account.edit_task(task, priority=3)
            pushed(mirror)
        case "uncertain":
            only_this = {"id_task": str(task)}
            mirror.box.faults.add(Fault("drop", "update_task", count=1))
            mirror.box.faults.add(Fault("garbage", "get_task", parameters=only_this, skip=1))
            pushed(mirror)
        case "queued":
            mirror.box.faults.add(Fault("too_many_requests", "update_task", count=1))
            with pytest.raises(Throttled):
                pushed(mirror)


def test_changes_of_one_task_go_first_in_first_out(office):
    mirror = office(1)
    (task,) = ids(mirror)
    mirror.box.set(assignee_must_be_member=True)
    edit(mirror, "name = 'one'", task)
    edit(mirror, "status = 'done'", task)
    pushed(mirror)
    edit(mirror, "status = 'active'", task)
    edit(mirror, "name = 'two'", task)
    edit(mirror, "status = 'done'", task)
    edit(mirror, "name = 'three', assignee_email = 'oleh@example.com'", task)
    edit(mirror, "name = 'four'", task)
    pushed(mirror)
    assert ["confirmed"] * 5 + ["failed", "confirmed"] == states(mirror)
    assert ("four", "done") == (shown(mirror, task)["name"], shown(mirror, task)["status"])
