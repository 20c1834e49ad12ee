"""`syncd verify`: what it says, and how it ends."""

from __future__ import annotations

import fcntl

import pytest

from syncd.sandbox import Fault
from tests.support.home import Home

KEYS = {
    *("outcome", "run_id", "drift", "requests", "seconds", "counts", "differences", "flaws"),
    *("notes", "repaired", "exit_code"),
}
COUNTS = {
    *("sampled", "listed", "unreadable", "in_flight", "differing", "lagging", "flaws", "requests"),
}


@pytest.fixture
def task(pulled: Home) -> int:
    """A new task, in the mirror."""
    account = pulled.box.account
    project = min(id for id, each in account.projects.items() if each.status == "active")
    made: int = account.create_task(project, "A task of theirs")
    pulled.pull()
    return made


def test_a_mirror_in_step_with_the_account_is_told_in_a_line(pulled: Home) -> None:
    said = pulled.syncd("verify").expect(0).stdout
    assert said.startswith("No drift: 5 tasks compared (5 requests, ")
    live = len(pulled.live())
    whole = pulled.syncd("verify", "--sample", "9", "--all").expect(0).stdout
    assert whole.startswith(f"No drift: {live} tasks compared (10 requests, ")


def test_drift_and_lag_are_told_apart_with_what_to_do(pulled: Home, task: int) -> None:
    other = min(pulled.live())
    pulled.execute(f"UPDATE tasks SET name = 'by\x1bhand' WHERE id = {task}")
    pulled.box.account.rename_task(other, "Theirs")
    said = pulled.syncd("verify", "--sample", "1000").expect(3).stdout
    shown = f'task {task}, name: "by hand" in the mirror, "A task of theirs" in the account'
    assert shown in said
    assert "1 task changed after the last pull: no drift" in said
    assert "syncd verify --repair, then: syncd pull" in said
    assert "compares 1 task anew: syncd pull" in pulled.syncd("verify", "--repair").expect(3).stdout
    pulled.pull()
    assert [("A task of theirs",)] == pulled.query(f"SELECT name FROM tasks WHERE id = {task}")
    assert [("Theirs",)] == pulled.query(f"SELECT name FROM tasks WHERE id = {other}")


def test_the_document_has_stable_keys(pulled: Home, task: int) -> None:
    pulled.execute(f"UPDATE tasks SET priority = 9, level = 2 WHERE id = {task}")
    document = pulled.syncd("verify", "--sample", "1000", "--json").expect(3).document
    assert (KEYS, COUNTS) == (set(document), set(document["counts"]))
    assert (1, 3) == (document["drift"], document["exit_code"])
    assert {
        "task_id": task,
        "field": "priority",
        "mirror": 9,
        "account": 1,
        "verdict": "drift",
    } in (document["differences"])
    assert [[task]] == [flaw["task_ids"] for flaw in document["flaws"]]


def test_a_flaw_is_told_with_its_tasks(pulled: Home) -> None:
    task = min(pulled.live())
    pulled.execute(f"UPDATE tasks SET parent_id = 1 WHERE id = {task}")
    said = pulled.syncd("verify", "--sample", "0").expect(3).stdout
    assert f"cannot be so, its parent is not in the mirror: {task}" in said
    assert "Nothing compared" in said


def test_an_account_that_cannot_be_asked_ends_with_four(pulled: Home) -> None:
    pulled.box.faults.add(Fault("garbage", action="get_task"))
    assert 2 >= len(pulled.syncd("verify").expect(4).stderr.splitlines())


def test_beside_another_syncd_it_ends_with_five(pulled: Home) -> None:
    with (pulled.folder / "syncd.db.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "talks to the account" in pulled.syncd("verify").expect(5).stderr


def test_without_a_mirror_it_makes_none(home: Home) -> None:
    assert "does not exist" in home.syncd("verify").expect(2).stderr
    assert not home.database.exists()
