"""Pulls beside pulls, beside readers, beside clocks that step back, beside whoever took over."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncd.errors import LeaseHeld, LeaseLost
from syncd.sandbox import Account, Fault
from syncd.services.progress import Silent
from tests.support.mirror import (
    MIRROR_TABLES,
    assert_mirror_equals,
    connected,
    dump,
    fetched,
)

SOON = timedelta(minutes=5)


class Told:
    """Progress that is told to a function."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener

    def step(self, what: str, **_: float) -> None:
        self.listener(what)


def rename_all(account: Account, to: str) -> None:
    for task in account.tasks:
        account.rename_task(task, to)


# --- two pulls


def test_a_second_pull_is_refused_and_told_who_holds_the_lease(a_mirror):
    import os

    mirror = a_mirror(Account.seeded(tasks=30, seed=1))
    other = mirror.again()
    mirror.app.ready(write=True)
    with mirror.app.pulling(Silent()):
        with pytest.raises(LeaseHeld) as caught:
            other.pull()
        mirror.box.log.clear()
    assert 5 == caught.value.exit_code
    assert caught.value.holder.startswith(f"pid {os.getpid()} on ")
    assert caught.value.holder in caught.value.message
    assert [] == mirror.box.log.actions()
    assert "complete" == other.pull().outcome


def test_a_pull_that_waits_comes_after_the_other_and_both_complete(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    other = mirror.again()
    waited = threading.Event()
    other.app = replace(other.app, sleep=lambda _: waited.set())
    reports: list[Any] = []
    behind = threading.Thread(target=lambda: reports.append(other.pull(wait=True, later=SOON)))

    def on_step(what: str) -> None:
        if what == "all tasks" and not behind.ident:
            behind.start()
            assert waited.wait(20), "the other pull did not wait"

    reports.append(mirror.pull(progress=Told(on_step)))
    behind.join(20)
    assert ["complete", "complete"] == [report.outcome for report in reports]
    assert [1, 2] == [report.run_id for report in reports]
    assert_mirror_equals(mirror)


def test_two_accounts_in_two_schemas_of_one_server_do_not_wait_for_each_other(
    postgres_url, a_mirror_at
):
    one = a_mirror_at(postgres_url, Account.seeded(tasks=30, seed=1), schema="one")
    other = a_mirror_at(postgres_url, Account.seeded(tasks=40, seed=2), schema="other")
    one.app.ready(write=True)
    with one.app.pulling(Silent()):
        assert "complete" == other.pull().outcome
    assert "complete" == one.pull().outcome
    for name, mirror in (("one", one), ("other", other)):
        (row,) = one.rows(f"SELECT count(*) AS n FROM {name}.tasks WHERE removed_at IS NULL")
        shown = sum(task["listed"] for task in mirror.account.snapshot()["tasks"].values())
        assert shown == row["n"]


# --- whoever took over


@pytest.mark.parametrize("moment", ["all tasks", "projects"])
def test_a_lease_that_was_taken_over_drops_the_whole_result(a_mirror, moment):
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    rename_all(mirror.account, "Renamed meanwhile")
    tables = (*MIRROR_TABLES, "audit_log", "sync_runs", "sync_state", "quarantine")
    before = dump(mirror.database_url, tables)

    def take_over(what: str) -> None:
        if what == moment:
            mirror.execute("UPDATE lease SET fencing = fencing + 1, holder = 'somebody else'")

    with pytest.raises(LeaseLost) as caught:
        mirror.pull(progress=Told(take_over))
    assert 5 == caught.value.exit_code
    assert before == dump(mirror.database_url, tables)
    assert "somebody else" == mirror.value("SELECT holder FROM lease")
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)


# --- readers


def test_a_reader_sees_the_account_before_or_after_and_never_a_half(a_mirror):
    """Read at every look at the clock, which the pull takes within its transaction as well."""
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    before = dump(mirror.database_url)
    rename_all(mirror.account, "After")
    mirror.account.delete_task(max(mirror.account.tasks))
    seen: list[dict[str, list[str]]] = []

    def clock_that_reads() -> datetime:
        seen.append(dump(mirror.database_url))
        return mirror.clock()

    reading = mirror.again()
    reading.app = replace(reading.app, clock=clock_that_reads)
    assert "complete" == reading.pull().outcome
    after = dump(mirror.database_url)
    assert before != after
    switch = next(number for number, state in enumerate(seen) if state != before)
    assert [before] * switch + [after] * (len(seen) - switch) == seen
    assert len(seen) - switch < switch


def test_a_reader_in_a_long_transaction_keeps_its_view_and_stops_nobody(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    query = "SELECT id, name FROM tasks ORDER BY id"
    with connected(mirror.database_url) as reader:
        begin = (
            "BEGIN"
            if "sqlite" in mirror.database_url
            else ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        )
        reader.execute(begin)
        before = fetched(reader, query)
        for name in ("One", "Two"):
            rename_all(mirror.account, name)
            assert "complete" == mirror.pull().outcome
            assert before == fetched(reader, query)
        reader.rollback()
        assert {"Two"} == {row["name"] for row in fetched(reader, query)}
    assert_mirror_equals(mirror)


def test_no_transaction_is_open_while_the_account_is_asked(a_mirror):
    """A writer that waits for nobody gets through while an answer is under way."""
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    rename_all(mirror.account, "Renamed meanwhile")
    written: list[str] = []

    def write(what: str) -> None:
        mirror.execute("UPDATE members SET title = 'written meanwhile' WHERE id = 1")
        written.append(what)

    assert "complete" == mirror.pull(progress=Told(write)).outcome
    assert "all tasks" in written


# --- clocks


def test_a_clock_that_stepped_back_does_not_stop_the_mirror(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    seen = [mirror.pull().observed_at]
    for number, step in enumerate((timedelta(hours=-5), timedelta(days=-400), SOON, SOON)):
        rename_all(mirror.account, f"Renamed {number}")
        mirror.account.delete_task(max(mirror.account.tasks))
        report = mirror.pull(later=step)
        assert "complete" == report.outcome
        assert_mirror_equals(mirror)
        seen.append(report.observed_at)
    assert sorted(seen) == seen
    assert len(set(seen)) == len(seen)
    spans = mirror.rows("SELECT valid_from, valid_to FROM task_history")
    assert all(row["valid_from"] < row["valid_to"] for row in spans)


def test_by_projects_a_clock_that_stepped_back_does_not_stop_the_mirror(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=200, seed=1))
    mirror.box.set(record_limit=150)
    mirror.pull()
    for number, step in enumerate((timedelta(hours=-5), timedelta(days=-400), SOON)):
        rename_all(mirror.account, f"Renamed {number}")
        report = mirror.pull(later=step)
        assert ("complete", "projects") == (report.outcome, report.how)
        assert_mirror_equals(mirror)


def test_a_clock_that_steps_back_during_a_pull(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    rename_all(mirror.account, "Renamed")
    mirror.pull(progress=Told(lambda _: mirror.clock.move(timedelta(days=-1))))
    assert_mirror_equals(mirror)
    rename_all(mirror.account, "Renamed again")
    mirror.pull(later=SOON)
    assert_mirror_equals(mirror)


def test_an_answer_that_is_older_than_what_was_stored_meanwhile_changes_nothing(a_mirror):
    """No mirror row is ever written from an older observation than its own."""
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    task = min(mirror.live())
    mirror.account.rename_task(task, "As the answer has it")
    newer = "2027-01-01 00:00:00.000000"

    def store_newer(what: str) -> None:
        if what == "all tasks":
            mirror.execute(
                f"UPDATE tasks SET name = 'Newer', observed_at = '{newer}' WHERE id = {task}"
            )

    mirror.pull(progress=Told(store_newer))
    assert "Newer" == mirror.value(f"SELECT name FROM tasks WHERE id = {task}")


def test_a_server_that_stops_in_the_middle_is_told_and_nothing_is_lost(own_postgres, a_mirror_at):
    from syncd.errors import SyncdError

    name = own_postgres.create_database()
    mirror = a_mirror_at(own_postgres.url_for(name), Account.seeded(tasks=60, seed=1))
    mirror.pull()
    before = dump(mirror.database_url)
    rename_all(mirror.account, "Renamed meanwhile")

    def stop(what: str) -> None:
        if what == "all tasks":
            own_postgres.stop()

    with ExitStack() as stack:
        stack.callback(own_postgres.start)
        with pytest.raises(SyncdError) as caught:
            mirror.pull(progress=Told(stop))
    assert 1 == caught.value.exit_code
    assert before == dump(mirror.database_url)
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)


def test_faults_of_the_first_tries_are_no_faults_of_the_pull(a_sqlite_mirror):
    mirror = a_sqlite_mirror(Account.seeded(tasks=60, seed=1))
    mirror.box.faults.add(
        Fault("drop", "*", nth=2), Fault("http_status", "*", nth=4), Fault("cut_body", "*", nth=6)
    )
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)
