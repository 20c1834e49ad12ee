"""`syncd status`: green only for a complete mirror, as of a stated time (P5)."""

from __future__ import annotations

import json
import os
import socket
import sqlite3

import pytest

from syncd.cli.output import Output
from syncd.cli.status_watch import watch
from syncd.sandbox import Fault
from syncd.services.status import read_status
from tests.support.home import Home
from tests.support.processes import start_syncd
from tests.support.terminal import syncd_at_terminal

KEYS = {
    *("account", "database", "schema", "state", "as_of", "last_run", "last_complete_at"),
    *("counts", "waiting", "under_way", "incidents", "exit_code"),
}
COUNTS = {
    *("tasks_active", "tasks_done", "tasks_removed", "tasks_suspect", "past_versions"),
    *("projects", "members", "tags", "files", "relations", "quarantine"),
    *(f"changes_{state}" for state in ("queued", "held", "conflict", "uncertain", "failed")),
}


def test_green_means_complete_as_of_the_last_pull(pulled: Home) -> None:
    done = pulled.syncd("status").expect(0)
    observed = pulled.query("SELECT observed_at FROM sync_runs")[0][0]
    assert done.stdout.startswith(f"Complete as of {observed[:19]} UTC")


def test_the_document_has_stable_keys(pulled: Home) -> None:
    told = pulled.syncd("status", "--json").expect(0).document
    assert (KEYS, COUNTS, "green") == (set(told), set(told["counts"]), told["state"])
    assert told["as_of"] == told["last_complete_at"] == told["last_run"]["observed_at"]


def test_it_counts_what_the_mirror_holds(pulled: Home) -> None:
    counts = pulled.syncd("status", "--json").expect(0).document["counts"]
    active = "SELECT count(*) FROM tasks WHERE status = 'active' AND removed_at IS NULL"
    assert [(counts["tasks_active"],)] == pulled.query(active)
    assert [(counts["files"],)] == pulled.query("SELECT count(*) FROM files")
    assert len(pulled.live()) == counts["tasks_active"] + counts["tasks_done"]


def test_it_asks_the_account_nothing(pulled: Home) -> None:
    with pulled.box.refusing():
        pulled.syncd("status").expect(0)


def test_a_partial_pull_is_not_green_and_says_what_is_left(pulled: Home) -> None:
    pulled.box.faults.add(Fault("priority_99", action="get_all_tasks", records=1))
    pulled.syncd("pull").expect(3)
    told = pulled.syncd("status", "--json").expect(3).document
    assert ("partial", 3, 1) == (told["state"], told["exit_code"], told["counts"]["quarantine"])
    assert told["last_complete_at"] < told["as_of"]
    (waiting,) = told["waiting"]
    assert "could not be understood" in waiting["what"]
    assert "quarantine" in waiting["do"]
    assert pulled.syncd("status").expect(3).stdout.startswith("Partial as of ")


def test_a_failed_pull_leaves_the_time_of_the_mirror_as_it_was(pulled: Home) -> None:
    before = pulled.syncd("status", "--json").expect(0).document
    pulled.box.faults.add(Fault("html_login"))
    pulled.syncd("pull").expect(4)
    told = pulled.syncd("status", "--json").expect(3).document
    assert ("failed", before["as_of"]) == (told["state"], told["as_of"])
    assert {"what", "do"} == set(told["waiting"][0])


def test_a_database_without_a_pull_is_empty(home: Home) -> None:
    home.syncd("db", "upgrade").expect(0)
    told = home.syncd("status", "--json").expect(3).document
    assert ("empty", None) == (told["state"], told["as_of"])


def test_without_a_mirror_it_says_how_to_make_one(home: Home) -> None:
    done = home.syncd("status").expect(2)
    assert "There is no mirror yet" in done.stderr
    assert "syncd pull" in done.stderr
    assert not home.database.exists()


def test_it_works_while_another_process_pulls_and_names_it(pulled: Home) -> None:
    pulled.box.faults.add(Fault("delay", action="get_all_tasks", seconds=60, count=1))
    with start_syncd("pull", output=pulled.folder / "log", cwd=pulled.folder) as running:
        running.wait_until(lambda _: pulled.box.faults.struck() > 0)
        told = pulled.syncd("status", "--json").expect(0).document
        assert f"pid {running.pid} on" in told["under_way"]
        running.kill()
        assert pulled.syncd("status", "--json").expect(0).document["under_way"] is None


def test_it_reads_while_a_writer_holds_the_lock(pulled: Home) -> None:
    writer = sqlite3.connect(pulled.database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    pulled.syncd("status").expect(0)
    writer.close()


def test_a_holder_on_another_host_is_taken_at_its_word(pulled: Home) -> None:
    pulled.execute("UPDATE lease SET holder = 'pid 1 on elsewhere', acquired_at = NULL")
    told = read_status(f"sqlite:///{pulled.database}")
    assert told.under_way == "pid 1 on elsewhere, since an unknown time"


def test_a_holder_that_is_another_users_process_is_alive(
    pulled: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    pulled.execute(f"UPDATE lease SET holder = 'pid 1 on {socket.gethostname()}'")
    assert read_status(f"sqlite:///{pulled.database}").under_way is not None


def test_on_postgresql_it_tells_the_same(home: Home, postgres_url: str) -> None:
    text = home.config.read_text() + f"[database]\nurl = {json.dumps(postgres_url)}\n"
    home.config.write_text(text + 'schema = "Mirror of ours"\n')
    assert "There is no mirror yet" in home.syncd("status").expect(2).stderr
    home.pull()
    told = home.syncd("status", "--json").expect(0).document
    assert (KEYS, COUNTS, "green") == (set(told), set(told["counts"]), told["state"])
    assert "schema Mirror of ours" in told["database"]
    assert "127.0.0.1" == told["account"]


def test_a_server_that_is_away_is_one_clear_line(home: Home) -> None:
    url = "postgresql+psycopg://somebody:pa55word@127.0.0.1:1/none"
    home.config.write_text(home.config.read_text() + f'[database]\nurl = "{url}"\n')
    done = home.syncd("status").expect(2)
    assert 1 <= len(done.stderr.splitlines()) <= 2
    assert "pa55word" not in done.stderr


def test_a_queued_change_is_told_and_needs_nobody(pulled: Home) -> None:
    pulled.execute("UPDATE live_tasks SET priority = (priority + 1) % 10 WHERE level = 1")
    done = pulled.syncd("status").expect(0)
    assert "on the way to the account" in done.stdout
    assert pulled.syncd("status", "--json").document["counts"]["changes_queued"] > 0


@pytest.mark.parametrize("state", ["held", "conflict", "uncertain", "failed"])
def test_a_change_that_waits_for_a_person_is_told_with_the_command_for_it(
    pulled: Home, state: str
) -> None:
    (task,) = pulled.query("SELECT min(id) FROM tasks WHERE level = 1")[0]
    pulled.execute(f"UPDATE live_tasks SET priority = (priority + 1) % 10 WHERE id = {task}")
    if state == "uncertain":
        pulled.execute("UPDATE outbox SET state = 'sending'")
    pulled.execute(f"UPDATE outbox SET state = '{state}'")
    told = pulled.syncd("status", "--json").expect(3).document["waiting"]
    assert [f"syncd queue list --state {state}"] == [one["do"].split(",")[0] for one in told]


# --- what a daemon noted as wrong


def an_incident(home: Home, kind: str = "clock_skew", *, watched: bool = True) -> None:
    home.execute(
        "INSERT INTO incidents (kind, subject, severity, summary, remedy, opened_at) VALUES"
        f" ('{kind}', '', 'warning', 'The clock is off.', 'timedatectl',"
        " '2026-01-05 09:00:00.000000')"
    )
    if watched:
        home.execute("UPDATE lease SET holder = 'pid 1 on elsewhere'")


def test_an_open_incident_is_told_with_its_remedy(pulled: Home) -> None:
    an_incident(pulled)
    said = pulled.syncd("status").expect(3).stdout
    assert "The clock is off. (clock_skew, since 2026-01-05 09:00:00 UTC)\n  timedatectl\n" in said
    (told,) = pulled.syncd("status", "--json").expect(3).document["incidents"]
    assert {"kind", "subject", "severity", "summary", "remedy", "opened_at"} <= set(told)
    assert "2026-01-05T09:00:00+00:00" == told["opened_at"]
    pulled.execute("UPDATE incidents SET closed_at = '2026-01-05 09:05:00.000000'")
    assert [] == pulled.syncd("status", "--json").expect(0).document["incidents"]


def test_what_nobody_watches_any_more_may_be_over(pulled: Home) -> None:
    an_incident(pulled, watched=False)
    said = pulled.syncd("status").expect(0).stdout
    assert "Noted by a daemon that does not run now:\nThe clock is off." in said


def test_what_the_mirror_shows_itself_is_told_once(pulled: Home) -> None:
    pulled.execute("UPDATE live_tasks SET priority = (priority + 1) % 10 WHERE level = 1")
    pulled.execute("UPDATE outbox SET state = 'conflict'")
    an_incident(pulled, "conflict")
    assert "The clock is off." not in pulled.syncd("status").expect(3).stdout


# --- on the watch


def test_on_a_terminal_it_is_drawn_anew_until_ctrl_c(pulled: Home) -> None:
    look = {"TERM": "xterm-256color"}
    with syncd_at_terminal("status", "--watch", cwd=pulled.folder, env=look) as screen:
        screen.expect("Complete as of")
        an_incident(pulled)
        screen.expect("The clock is off.")
        assert 3 == screen.interrupt()


def test_elsewhere_each_change_is_a_line(pulled: Home, capsys: pytest.CaptureFixture[str]) -> None:
    away = pulled.folder / "away"
    queue = "UPDATE live_tasks SET priority = (priority + 1) % 10 WHERE level = 1"
    happens = iter(
        [
            lambda: None,
            lambda: pulled.execute(queue),
            lambda: pulled.database.rename(away),
            lambda: away.rename(pulled.database),
        ]
    )

    def sleep(_: float) -> None:
        try:
            next(happens)()
        except StopIteration:
            raise KeyboardInterrupt from None

    url = f"sqlite:///{pulled.database}"
    assert 0 == watch(Output(json=False), lambda: read_status(url), sleep=sleep)
    quiet, queued, gone, back = [
        line.partition(" UTC  ")[2] for line in capsys.readouterr().out.splitlines()
    ]
    assert quiet.endswith("; 0 changes queued")
    assert "There is no mirror yet" in gone
    assert quiet != queued == back


def test_a_program_cannot_watch(pulled: Home) -> None:
    assert 2 == pulled.syncd("status", "--watch", "--json").expect(2).document["error"]["exit_code"]


def test_without_a_mirror_there_is_nothing_to_watch(home: Home) -> None:
    assert "There is no mirror yet" in home.syncd("status", "--watch").expect(2).stderr
