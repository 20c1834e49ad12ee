"""`syncd push`, `syncd plan` and `syncd sync`: what they say, what they do, how they end."""

from __future__ import annotations

import pytest

from syncd.sandbox import Fault
from tests.support.home import Home


@pytest.fixture
def task(pulled: Home) -> int:
    """A new task, in the mirror."""
    account = pulled.box.account
    project = min(id for id, each in account.projects.items() if each.status == "active")
    made: int = account.create_task(project, "A task of theirs")
    pulled.pull()
    return made


def test_a_queued_edit_is_sent_and_confirmed(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    done = pulled.syncd("push").expect(0)
    assert done.stdout.startswith("Complete: 1 change confirmed with 1 writing request (3 requests")
    assert 9 == pulled.box.account.tasks[task].priority
    assert "Complete: nothing was sent (0 requests" in pulled.syncd("push").expect(0).stdout


def test_the_document_has_stable_keys(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    document = pulled.syncd("push", "--json").expect(0).document
    keys = {"outcome", "run_id", "requests", "seconds", "counts", "waiting", "notes", "exit_code"}
    assert keys == set(document)
    assert ("complete", 3) == (document["outcome"], document["requests"])


def test_a_plan_shows_each_request_and_asks_nobody(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    asked = len(pulled.box.log.entries())
    for words in (["plan"], ["push", "--dry-run"]):
        said = pulled.syncd(*words).expect(0).stdout
        assert f"~ update task {task} (change 1)" in said
        assert f"update_task id_task={task} email_user_to=NOONE priority=9" in said
        assert "3 requests: 1 to look, 1 to send, 1 to confirm" in said
    assert asked == len(pulled.box.log.entries())
    assert [("queued",)] == pulled.query("SELECT state FROM outbox")


def test_a_plan_for_programs(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    document = pulled.syncd("plan", "--json").expect(0).document
    (step,) = document["steps"]
    assert ("update", task, [1]) == (step["verb"], step["task_id"], step["changes"])
    assert ({"priority": 9}, 3) == (step["fields"], document["requests"])


def test_a_plan_tells_the_seconds_at_the_accounts_pace(pulled: Home, task: int) -> None:
    pulled.configure(pace=1)
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    said = pulled.syncd("plan").expect(0).stdout
    assert "with the pull before it (1 request) 4.0 s at the account's pace" in said


def test_a_conflict_is_said_with_what_to_do(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET name = 'Mine' WHERE id = {task}")
    pulled.box.account.rename_task(task, "Theirs")
    said = pulled.syncd("push").expect(3).stdout
    assert "1 change in conflict: syncd queue list --state conflict" in said
    status = pulled.syncd("status").expect(3).stdout
    assert "1 change in conflict: both sides changed the same" in status


def test_an_update_without_where_is_held_and_every_next_command_says_so(pulled: Home) -> None:
    account = pulled.box.account
    project = min(id for id, each in account.projects.items() if each.status == "active")
    for number in range(101):
        account.create_task(project, f"Task {number}")
    pulled.pull()
    pulled.execute("UPDATE live_tasks SET priority = 5")
    before = pulled.syncd("status").expect(3).stdout
    assert "changes were queued by one statement; more than 100 are held" in before
    assert (
        "were queued by one statement; more than 100 are held"
        in pulled.syncd("plan").expect(3).stdout
    )
    assert "changes held by the brake" in pulled.syncd("push").expect(3).stdout
    assert "changes held: too many were queued at once." in pulled.syncd("status").expect(3).stdout
    assert not any(entry.effect for entry in pulled.box.log.entries())


def test_a_cycle_pulls_and_pushes(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    pulled.box.account.rename_task(task, "Theirs")
    document = pulled.syncd("sync", "--json").expect(0).document
    assert ("complete", "complete") == (document["pull"]["outcome"], document["push"]["outcome"])
    assert [("Theirs", 9)] == pulled.query(
        f"SELECT name, priority FROM live_tasks WHERE id = {task}"
    )


def test_a_cycle_settles_what_may_have_landed_before_it_pulls(pulled: Home) -> None:
    (project,) = pulled.query("SELECT min(id) FROM projects WHERE status = 'active'")[0]
    pulled.box.faults.add(Fault("drop", action="post_task", when="after", count=1))
    pulled.box.faults.add(Fault("garbage", action="get_tasks", count=1))
    pulled.execute(f"INSERT INTO live_tasks (ref, project_id, name) VALUES ('a', {project}, 'New')")
    pulled.syncd("push").expect(3)
    assert [("uncertain",)] == pulled.query("SELECT state FROM outbox")
    document = pulled.syncd("sync", "--json").expect(0).document
    assert "complete" == document["pull"]["outcome"]
    assert [("confirmed",)] == pulled.query("SELECT state FROM outbox")
    assert 1 == len([e for e in pulled.box.log.entries() if e.action == "post_task"])


def test_a_refused_key_keeps_the_queue(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    pulled.set_key("0" * 32)
    said = pulled.syncd("push").expect(4).stderr
    assert "syncd: " in said
    assert [("queued",)] == pulled.query("SELECT state FROM outbox")


def test_an_account_out_of_reach_keeps_the_queue(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    with pulled.box.refusing():
        pulled.syncd("push").expect(4)
    assert [("queued",)] == pulled.query("SELECT state FROM outbox")
    assert [("failed",)] == pulled.query("SELECT outcome FROM sync_runs WHERE kind = 'push'")


@pytest.mark.parametrize("command", ["push", "plan"])
def test_without_a_mirror_there_is_one_clear_line(home: Home, command: str) -> None:
    done = home.syncd(command)
    assert 2 == done.status
    assert 2 >= len(done.stderr.strip().splitlines())
    assert done.stderr.startswith("syncd: ")
