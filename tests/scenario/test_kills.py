"""kill -9 at any instant of a pull: the mirror stays as it was, and the next pull completes."""

from __future__ import annotations

import signal
import time
from collections import Counter
from random import Random

from syncd.sandbox import Account, Fault
from syncd.sandbox.locking import ImpossibleError
from syncd.services.slice_store import MOST_WAITING
from tests.support.mirror import (
    MIRROR_TABLES,
    Mirror,
    assert_mirror_equals,
    differences,
    dump,
    expected,
    held,
    rows,
)
from tests.support.processes import TIMEOUT_S
from tests.support.pulls import begun, killed_after, whole

KILLS = 50
TASKS = 60
LAST_MOMENT = 1.1  # of the time that a whole pull takes
# What tasks themselves tell; the catalogues are asked for once an hour of the real clock.
EDITS = (
    "create",
    "rename",
    "edit_text",
    "edit_field",
    "complete",
    "tag",
    "untag",
    "relate",
    "attach",
)
ONLY_TASKS = ("tasks", "task_tags", "task_relations", "files")


def change_much(account: Account, rng: Random) -> None:
    """Change every task, and some of them in every other way, so that much is to be written."""
    mark = rng.randrange(10**6)
    for task in list(account.tasks.values()):
        account.rename_task(task.id, f"{task.name.partition(' #')[0]} #{mark}")
    for _ in range(25):
        try:
            account.random_edit(rng, kinds=EDITS)
        except ImpossibleError:
            continue


def test_fifty_deaths_at_any_moment_lose_nothing(a_mirror, seed):
    rng = Random(seed)
    print(f"seed {seed}")
    mirror: Mirror = a_mirror(
        Account.seeded(tasks=TASKS, seed=3), extra=("subtasks", "relations", "files", "text")
    )
    assert 0 == whole(mirror.path)[0]
    change_much(mirror.account, rng)
    status, answered_s, whole_s = _measured(mirror)
    assert 0 == status
    before = _content(mirror)
    found: Counter[str] = Counter()
    for number in range(KILLS):
        change_much(mirror.account, rng)
        moment_s = _moment(number, rng, answered_s, whole_s)
        killed = killed_after(mirror.path, moment_s) == -signal.SIGKILL
        after = _content(mirror)
        if after == before:
            found["as before" if killed else "never began"] += 1
        else:  # it had committed; then all of it is there
            lines = differences(held(mirror.database_url), _truth(mirror), ONLY_TASKS)
            assert [] == lines, f"killed after {moment_s:.4f} s: half of a pull"
            found["committed" if killed else "ended by itself"] += 1
        status, answered_s, whole_s = _measured(mirror)  # how long a pull takes just now
        assert 0 == status, f"after a kill at {moment_s:.4f} s"
        assert_mirror_equals(mirror, kinds=ONLY_TASKS)
        before = _content(mirror)
    print(f"{whole_s:.3f} s a pull: {dict(found)}")
    assert found["as before"] > KILLS / 3, found
    _assert_books_are_in_order(mirror)


def _measured(mirror: Mirror) -> tuple[int, float, float]:
    """Let a pull come to its end; its status, and when it had its answer and when it was over."""
    began = time.monotonic()
    status, whole_s = whole(mirror.path)
    last = mirror.box.log.entries("get_all_tasks")[-1]
    return status, last.started + last.seconds - began, whole_s


def _moment(number: int, rng: Random, answered_s: float, whole_s: float) -> float:
    """A moment of its own for each death: a third of them before the answer, the rest after it."""
    if number < KILLS // 3:
        return answered_s * (number + rng.random()) / (KILLS // 3)
    share = (number - KILLS // 3 + rng.random()) / (KILLS - KILLS // 3)
    return answered_s + (LAST_MOMENT * whole_s - answered_s) * share


def _truth(mirror: Mirror) -> dict:
    return expected(mirror.account.snapshot(), mirror.view)


def _content(mirror: Mirror) -> dict[str, list[str]]:
    """All that the mirror shows; of what only ever grows, how far it has grown."""
    grows = ("task_history", "audit_log")
    shown = dump(mirror.database_url, [table for table in MIRROR_TABLES if table not in grows])
    return shown | {
        table: [str(mirror.value(f"SELECT count(*) AS n FROM {table}"))] for table in grows
    }


def _assert_books_are_in_order(mirror: Mirror) -> None:
    """No image, run or audit row is there twice, and the chain of the audit holds."""
    from syncd.store.audit import GENESIS

    ids = [row["id"] for row in rows(mirror.database_url, "SELECT id FROM sync_runs ORDER BY id")]
    assert list(range(1, len(ids) + 1)) == ids
    chain = rows(mirror.database_url, "SELECT seq, prev_hash, hash FROM audit_log ORDER BY seq")
    assert list(range(1, len(chain) + 1)) == [row["seq"] for row in chain]
    assert [GENESIS, *(row["hash"] for row in chain[:-1])] == [row["prev_hash"] for row in chain]


def test_a_pull_by_projects_that_was_killed_goes_on_where_it_stopped(a_mirror):
    """It asks again for the few that waited to be stored, and for no other that it had."""
    mirror: Mirror = a_mirror(Account.seeded(tasks=600, seed=6))
    for number in range(MOST_WAITING):
        mirror.account.create_project(f"Project {number}")
    mirror.box.set(record_limit=300)
    fetched = MOST_WAITING + 3
    mirror.box.faults.add(Fault("delay", "get_tasks", skip=fetched, count=1, seconds=20))
    wanted = {id for id, p in mirror.account.projects.items() if p.status != "archive"}
    child = begun(mirror.path)
    deadline = time.monotonic() + 30
    while mirror.box.faults.struck() == 0:
        assert time.monotonic() < deadline, "it was never asked for so many"
    child.kill()
    assert -signal.SIGKILL == child.wait(TIMEOUT_S)
    done = {row["id"] for row in mirror.rows("SELECT project_id AS id FROM pull_slices")}
    assert fetched - MOST_WAITING < len(done) <= fetched
    assert set() == mirror.live()
    mirror.box.faults.clear()
    mirror.box.log.clear()
    assert 0 == whole(mirror.path)[0]
    asked = {
        int(e.parameters["id_project"])
        for e in mirror.box.log.entries("get_tasks")
        if "delay" not in e.faults
    }
    assert wanted - done == asked
    assert_mirror_equals(mirror, kinds=ONLY_TASKS)


def test_the_lease_of_a_holder_that_was_killed_is_free_at_once(a_mirror):
    mirror: Mirror = a_mirror(Account.seeded(tasks=30, seed=6))
    mirror.box.faults.add(Fault("delay", "get_all_tasks", count=1, seconds=20))
    child = begun(mirror.path)
    deadline = time.monotonic() + 30
    while mirror.box.faults.struck() == 0:
        assert time.monotonic() < deadline
    assert f"pid {child.pid} on " in mirror.value("SELECT holder FROM lease")
    fencing = mirror.value("SELECT fencing FROM lease")
    assert 5 == whole(mirror.path)[0]  # it lives, and holds the lease
    child.kill()
    child.wait(TIMEOUT_S)
    deadline = time.monotonic() + 15  # a server takes a moment to notice that its client is gone
    while (status := whole(mirror.path)[0]) == 5:
        assert time.monotonic() < deadline
    assert (0, None) == (status, mirror.value("SELECT holder FROM lease"))
    assert mirror.value("SELECT fencing FROM lease") > fencing
