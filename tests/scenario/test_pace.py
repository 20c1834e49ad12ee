"""The account is never asked faster than it allows, by its own log: not by us, nor by our next."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from syncd.sandbox import Account, Fault
from tests.support.mirror import Mirror, assert_mirror_equals
from tests.support.processes import TIMEOUT_S
from tests.support.pulls import begun, whole

PACE = 5.0  # requests in a second
APART_S = 1 / PACE
# The log notes when the sandbox took a request up, which on a busy machine is later than when it
# was sent, now more and now less; the client leaves 5 % of its own on top.
NOISE_S = 0.06


def real(mirror: Mirror) -> Mirror:
    """The mirror with our real clock and sleep: here it is time that is tested."""
    mirror.app = replace(mirror.app, clock=lambda: datetime.now(UTC), sleep=time.sleep)
    return mirror


def starts(mirror: Mirror) -> list[float]:
    return sorted(entry.started for entry in mirror.box.log.entries())


def assert_paced(mirror: Mirror, at_least: int) -> None:
    """No two requests closer than allowed, and over any stretch no more than allowed."""
    seen = starts(mirror)
    assert at_least <= len(seen)
    gaps = [round(later - earlier, 4) for earlier, later in pairwise(seen)]
    assert [gap for gap in gaps if gap < APART_S - NOISE_S] == [], gaps
    for first in range(len(seen)):
        for last in range(first + 2, len(seen)):
            wanted = (last - first) * APART_S - NOISE_S
            assert seen[last] - seen[first] >= wanted, (first, last, gaps)


def test_a_pull_by_projects_keeps_the_pace(a_sqlite_mirror):
    mirror = real(a_sqlite_mirror(Account.seeded(tasks=300, seed=2), pace=PACE))
    mirror.box.set(record_limit=250)
    assert "complete" == mirror.pull(later=timedelta()).outcome
    assert_paced(mirror, at_least=8)
    assert_mirror_equals(mirror)


def test_retries_and_looks_keep_the_pace(a_sqlite_mirror):
    account = Account.seeded(tasks=60, seed=2, archived=0, pending=0, delayed=0)
    mirror = a_sqlite_mirror(account, pace=PACE)
    mirror.pull()
    mirror = real(mirror)
    leaves = [t.id for t in account.tasks.values() if not t.child_ids][:3]
    for task in leaves:
        account.delete_task(task)
    mirror.box.faults.add(
        Fault("drop", "*", nth=1), Fault("http_status", "*", nth=3), Fault("cut_body", "*", nth=5)
    )
    mirror.box.log.clear()
    assert "complete" == mirror.pull(later=timedelta()).outcome
    assert_paced(mirror, at_least=7)


def test_one_pull_after_another_keeps_the_pace(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=20, seed=2), pace=PACE)
    for _ in range(3):  # each in a process of its own
        assert 0 == whole(mirror.path)[0]
    assert_paced(mirror, at_least=6)


def test_a_pull_after_one_that_was_killed_keeps_the_pace(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=20, seed=2), pace=PACE)
    for number in range(1, 4):
        child = begun(mirror.path)
        deadline = time.monotonic() + 30
        while len(mirror.box.log) < number:  # as soon as its one request was answered
            assert time.monotonic() < deadline
        child.kill()
        assert -signal.SIGKILL == child.wait(TIMEOUT_S)
        _wait_for_the_lease(mirror)
    assert 0 == whole(mirror.path)[0]
    assert_paced(mirror, at_least=7)


def _wait_for_the_lease(mirror: Mirror) -> None:
    """A server takes a moment to notice that its client is gone."""
    if mirror.app.db.is_sqlite:
        return
    query = "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'"
    deadline = time.monotonic() + 15
    while mirror.value(query):
        assert time.monotonic() < deadline


def test_a_pull_after_one_that_failed_keeps_the_pace(a_sqlite_mirror):
    mirror = a_sqlite_mirror(Account.seeded(tasks=20, seed=2), pace=PACE)
    mirror.box.faults.add(Fault("html_login", "get_projects", count=3))
    for _ in range(3):
        assert 4 == whole(mirror.path)[0]
    assert 0 == whole(mirror.path)[0]
    assert_paced(mirror, at_least=7)


def test_dry_runs_keep_the_pace_too(a_sqlite_mirror):
    mirror = real(a_sqlite_mirror(Account.seeded(tasks=20, seed=2), pace=PACE))
    mirror.pull(later=timedelta())
    for _ in range(2):
        mirror.pull(later=timedelta(), dry_run=True)
    mirror.pull(later=timedelta())
    assert_paced(mirror, at_least=7)


def test_an_account_that_says_slower_is_asked_slower(a_sqlite_mirror):
    mirror = a_sqlite_mirror(Account.seeded(tasks=60, seed=2), pace=20)
    mirror.box.set(rate_limit="429", requests_per_second=2.0)
    mirror = real(mirror)
    assert "complete" == mirror.pull(later=timedelta()).outcome
    refused = [e for e in mirror.box.log.entries() if e.outcome == "too many requests"]
    assert 1 <= len(refused) <= 4
    assert_mirror_equals(mirror)
