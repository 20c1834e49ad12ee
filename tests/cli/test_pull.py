"""`syncd pull` as a real process: what it says, what it writes, how it ends."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from syncd.sandbox import Account, Fault, Sandbox
from tests.support.home import Home, a_home
from tests.support.processes import plain_environment, start_syncd, syncd_argv
from tests.support.terminal import syncd_at_terminal

KEYS = {
    *("outcome", "observed_at", "run_id", "how", "unchanged", "dry_run", "requests", "seconds"),
    *("counts", "notes", "brakes", "exit_code"),
}


def listed(box: Sandbox) -> dict[int, str]:
    tasks = box.account.snapshot()["tasks"].values()
    return {task["id"]: task["name"] for task in tasks if task["listed"]}


def leaves(box: Sandbox) -> list[int]:
    """Tasks that the account lists, without anything below or beside them."""
    account = box.account
    return [
        id for id in listed(box) if not account.tasks[id].child_ids and not account.edges.get(id)
    ]


def test_the_mirror_holds_what_the_account_lists(home: Home) -> None:
    done = home.syncd("pull").expect(0)
    assert listed(home.box) == home.live()
    assert done.stdout.startswith("Complete as of ")
    assert f"{len(home.live())} tasks listed: {len(home.live())} new" in done.stdout
    assert done.stderr == ""


def test_the_document_has_stable_keys(home: Home) -> None:
    done = home.syncd("pull", "--json").expect(0)
    assert set(done.document) == KEYS
    assert done.document["outcome"] == "complete"
    assert done.document["counts"]["inserted"] == len(listed(home.box))
    assert done.stderr == ""


def test_an_unchanged_account_costs_one_request(pulled: Home) -> None:
    document = pulled.syncd("pull", "--json").expect(0).document
    assert (True, 1) == (document["unchanged"], document["requests"])
    assert "Nothing changed" in pulled.syncd("pull").expect(0).stdout


def test_options_of_every_command_are_taken_before_and_after_the_name(
    pulled: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = Home(tmp_path_factory.mktemp("elsewhere"), pulled.box)
    before = elsewhere.syncd("--config", str(pulled.config), "--json", "pull").expect(0)
    after = elsewhere.syncd("pull", "--json", "--config", str(pulled.config)).expect(0)
    assert set(before.document) == set(after.document)


def test_a_pull_changes_nothing_in_the_account(pulled: Home) -> None:
    for id in leaves(pulled.box)[:11]:
        pulled.box.account.delete_task(id)
    version = pulled.box.account.version
    pulled.syncd("pull").expect(3)
    pulled.syncd("pull", "--allow-removals").expect(0)
    assert version == pulled.box.account.version
    assert not any(entry.effect for entry in pulled.box.log.entries())


# --- dry runs


def test_a_dry_run_before_there_is_a_mirror_makes_none(home: Home) -> None:
    before = sorted(home.folder.iterdir())
    done = home.syncd("pull", "--dry-run").expect(0)
    inserts = [line for line in done.stdout.splitlines() if line.startswith("+ task ")]
    assert len(listed(home.box)) == len(inserts)
    assert before == sorted(home.folder.iterdir())


def test_a_dry_run_writes_no_byte(pulled: Home) -> None:
    account = pulled.box.account
    for id in leaves(pulled.box)[:3]:
        account.edit_task(id, priority=7)
    account.rename_project(next(iter(account.projects)), "Another name")
    before = pulled.database.read_bytes()
    pulled.syncd("pull", "--dry-run").expect(0)
    assert before == pulled.database.read_bytes()
    assert not Path(f"{pulled.database}-wal").exists()


def test_a_dry_run_names_every_change_with_both_values(pulled: Home) -> None:
    account = pulled.box.account
    renamed, gone = leaves(pulled.box)[:2]
    old, lost = account.tasks[renamed].name, account.tasks[gone].name
    account.edit_task(renamed, name="New\nname", date_end=date(2026, 2, 1))
    account.delete_task(gone)
    said = pulled.syncd("pull", "--dry-run").expect(0).stdout
    assert f'~ task {renamed} "New name"' in said
    assert f'    name: "{old}" → "New name"' in said
    assert "→ 2026-02-01" in said
    assert f'- task {gone} "{lost}"' in said
    assert "Dry run, nothing was written." in said


def test_the_plan_of_a_dry_run_is_what_the_pull_then_does(pulled: Home) -> None:
    account = pulled.box.account
    changed, gone = leaves(pulled.box)[:2]
    account.edit_task(changed, priority=9)
    account.delete_task(gone)
    added = account.create_task(account.tasks[changed].project_id, "brand new")
    plan = pulled.syncd("pull", "--dry-run", "--json").expect(0).document["plan"]
    assert [added] == [one["id"] for one in plan["inserts"]]
    assert [{"id": gone, "name": plan["removals"][0]["name"], "reason": "deleted"}] == plan[
        "removals"
    ]
    (update,) = plan["updates"]
    assert (changed, 9) == (update["id"], update["changes"]["priority"]["new"])
    counts = pulled.syncd("pull", "--json").expect(0).document["counts"]
    assert (1, 1, 1) == (counts["inserted"], counts["updated"], counts["removed"])


def test_a_dry_run_shows_projects_members_and_tags_too(home: Home) -> None:
    plan = home.syncd("pull", "--dry-run", "--json").expect(0).document["plan"]
    kinds = {one["kind"] for one in plan["catalogues"]}
    assert {"project", "member", "tag"} == kinds
    assert {"added"} == {one["what"] for one in plan["catalogues"]}


# --- brakes and lies


@pytest.fixture
def thinned(pulled: Home) -> list[int]:
    """Ids of eleven tasks that were deleted: one more than the brake lets go."""
    gone = leaves(pulled.box)[:11]
    for id in gone:
        pulled.box.account.delete_task(id)
    return gone


def test_many_removals_wait_and_the_way_on_is_named(pulled: Home, thinned: list[int]) -> None:
    done = pulled.syncd("pull").expect(3)
    assert set(thinned) <= set(pulled.live())
    assert "11 tasks will stay in the mirror until you decide." in done.stdout
    assert "syncd pull --dry-run --allow-removals" in done.stdout


def test_what_waits_can_be_looked_at_and_then_let_go(pulled: Home, thinned: list[int]) -> None:
    pulled.syncd("pull").expect(3)
    looked = pulled.syncd("pull", "--dry-run", "--allow-removals", "--json").expect(0)
    assert thinned == [one["id"] for one in looked.document["plan"]["removals"]]
    assert set(thinned) <= set(pulled.live())
    pulled.syncd("pull", "--allow-removals").expect(0)
    assert set(thinned).isdisjoint(pulled.live())


def test_an_empty_answer_is_not_believed(pulled: Home) -> None:
    before = pulled.live()
    pulled.box.faults.add(Fault("empty_list", action="get_all_tasks"))
    done = pulled.syncd("pull", "--json").expect(3)
    assert ("partial", before) == (done.document["outcome"], pulled.live())
    assert 3 == pulled.syncd("pull", "--allow-removals").status
    assert before == pulled.live()


# --- progress


def test_a_terminal_shows_a_bar(home: Home) -> None:
    home.box.faults.add(Fault("delay", action="get_all_tasks", seconds=1.0))
    with syncd_at_terminal("pull", cwd=home.folder, env={"TERM": "xterm"}) as terminal:
        terminal.expect("all tasks")
        terminal.expect("waiting for the answer")
        terminal.expect("Complete as of")
        assert terminal.end() == 0


# --- interruptions, other instances, readers that leave


def test_ctrl_c_ends_a_pull_with_one_line_and_nothing_half_written(pulled: Home) -> None:
    pulled.box.account.rename_task(leaves(pulled.box)[0], "changed")
    before = pulled.live()
    pulled.box.faults.add(Fault("delay", action="get_all_tasks", seconds=30))
    asked = len(pulled.box.log.entries())
    with start_syncd("pull", output=pulled.folder / "log", cwd=pulled.folder) as running:
        running.wait_until(lambda _: pulled.box.faults.struck() > 0)
        done = running.end(signal.SIGINT).expect(130)
    assert done.stderr == "syncd: Interrupted; nothing was half-written. Run it again to go on.\n"
    assert (before, "") == (pulled.live(), done.stdout)
    assert asked <= len(pulled.box.log.entries())
    pulled.box.faults.clear()
    pulled.syncd("pull").expect(0)


@pytest.mark.parametrize("also", [[], ["--dry-run"]])
def test_a_second_pull_names_the_first_and_ends(pulled: Home, also: list[str]) -> None:
    pulled.box.faults.add(Fault("delay", action="get_all_tasks", seconds=60, count=1))
    with start_syncd("pull", output=pulled.folder / "log", cwd=pulled.folder) as first:
        first.wait_until(lambda _: pulled.box.faults.struck() > 0)
        done = pulled.syncd("pull", "--json", *also).expect(5)
        assert f"pid {first.pid} on" in done.document["error"]["message"]


def test_a_second_pull_waits_where_told_to(pulled: Home) -> None:
    pulled.box.faults.add(Fault("delay", action="get_all_tasks", seconds=2, count=1))
    with start_syncd("pull", output=pulled.folder / "log", cwd=pulled.folder) as first:
        first.wait_until(lambda _: pulled.box.faults.struck() > 0)
        pulled.syncd("pull", "--wait").expect(0)
        assert first.wait().expect(0).stdout.startswith("Complete")


def test_a_reader_that_leaves_is_no_error_of_ours(tmp_path: Path) -> None:
    with Sandbox(Account.seeded(3000)) as box:
        home = a_home(tmp_path, box)
        argv = syncd_argv("pull", "--dry-run")
        with subprocess.Popen(
            argv,
            cwd=home.folder,
            env=plain_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(60) == 141


def test_a_pull_leaves_no_lock_behind(pulled: Home) -> None:
    with closing(sqlite3.connect(pulled.database)) as db:
        db.execute("BEGIN EXCLUSIVE")
    assert [(None,)] == pulled.query("SELECT holder FROM lease")
