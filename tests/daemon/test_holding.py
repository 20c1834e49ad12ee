"""One daemon at a time: who holds the lease, who stands by, who takes over (failure 23)."""

from __future__ import annotations

import os
import signal

from syncd.sandbox import Account
from tests.support.daemons import Daemon, Place, until
from tests.support.mirror import assert_mirror_equals
from tests.support.processes import run_syncd

DEEP = os.environ.get("SYNCD_HYPOTHESIS") == "deep"
SOONER = {} if DEEP else {"syncd.store.keeper.STALE_S": 2, "syncd.store.keeper.BEAT_S": 0.4}
"""A holder is given up for frozen sooner than in earnest, where 60 s would be too long a test."""
FROZEN_S = 60.0 if DEEP else 15.0


def test_a_second_run_on_the_same_file_ends_and_names_the_first(a_sqlite_place):
    place = a_sqlite_place()
    first = place.run()
    first.has_pulled()
    second = place.run()
    finished = second.process.wait().expect(5)
    assert f"pid {first.process.pid} on " in finished.stderr
    assert 0 == second.manager.ready
    first.stop()


def test_a_second_run_stands_by_and_takes_over_from_one_that_is_killed(a_postgres_place):
    place = a_postgres_place()
    first, second = both(place)
    first.process.kill()
    tasks = place.leaves()[:3]
    for task in tasks:
        place.edit(task, priority=9)
    assert second.says("holding the lease") < 15
    until(lambda: place.states() == {"confirmed": 3}, what=second.everything)
    assert [1, 1, 1] == [place.updates(task) for task in tasks]
    second.stop()
    assert_mirror_equals(place.mirror)


def test_a_standby_takes_over_from_one_that_is_frozen_which_then_sends_nothing(a_postgres_place):
    """The old one stops between two requests of a pull: the next is due the moment it wakes."""
    place = a_postgres_place(pace=4.0)
    place.mirror.box.set(record_limit=50)
    first = place.run(patched=SOONER)
    until(lambda: len(place.mirror.box.log) == 3, what=first.everything)
    os.kill(first.process.pid, signal.SIGSTOP)
    second = place.run(patched=SOONER)
    second.says("holding the lease", within_s=FROZEN_S)
    second.has_pulled()
    (task, *_) = place.leaves()
    place.edit(task, priority=9)
    until(lambda: place.states() == {"confirmed": 1}, what=second.everything)
    asked = len(place.mirror.box.log)

    os.kill(first.process.pid, signal.SIGCONT)
    first.says(f"standing by: pid {second.process.pid} ")
    assert asked == len(place.mirror.box.log)
    assert 1 == place.updates(task)
    second.stop()
    assert first.says("holding the lease") < 15


def both(place: Place) -> tuple[Daemon, Daemon]:
    """The holder of the lease, and one that stands by and is ready as well."""
    first = place.run()
    first.has_pulled()
    second = place.run()
    second.says(f"standing by: pid {first.process.pid} on ")
    second.is_ready()
    return first, second


def test_a_command_that_waits_gets_its_turn_and_the_daemon_goes_on(any_place):
    place = any_place()
    daemon = place.run()
    daemon.has_pulled()
    pulls = place.pulls()
    refused = run_syncd("--config", place.path, "pull").expect(5)
    assert f"pid {daemon.process.pid} on " in refused.stderr
    run_syncd("--config", place.path, "pull", "--wait").expect(0)
    assert pulls < place.pulls()
    daemon.says("giving way")
    (task, *_) = place.leaves()
    place.edit(task, priority=9)
    until(lambda: place.states() == {"confirmed": 1}, what=daemon.everything)
    assert 1 == place.updates(task)
    daemon.stop()


def test_a_database_that_was_restored_from_a_copy_creates_nothing_again(a_sqlite_place):
    """Failure 19; each way that it can go is in tests/scenario/test_push_restored.py."""
    place = a_sqlite_place()
    project = min(task.project_id for task in place.account.tasks.values())
    author = place.account.members[place.account.owner_id].email
    first = place.run()
    first.has_pulled()
    first.stop()
    place.mirror.execute(
        "INSERT INTO live_tasks (ref, project_id, name, author_email)"
        f" VALUES ('once', {project}, 'created once', '{author}')"
    )
    file = place.path.with_name("syncd.db")
    copy = file.read_bytes()

    second = place.run()
    until(lambda: created(place.account), what=second.everything)
    second.stop()
    for each in (file, file.with_name("syncd.db-wal"), file.with_name("syncd.db-shm")):
        each.unlink(missing_ok=True)
    file.write_bytes(copy)

    third = place.run()
    until(lambda: place.states() == {"uncertain": 1}, what=third.everything)
    third.stop()
    assert 1 == created(place.account)


def created(account: Account) -> int:
    return sum(task.name == "created once" for task in account.tasks.values())
