"""A daemon's life: ready when it is, told what to do, ended; and what it does meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from syncd.sandbox import Fault
from tests.support.daemons import Daemon, free_port, until
from tests.support.mirror import assert_mirror_equals, connected, rows

OFTEN = {"interval": "1s", "events_interval": "1h"}


def test_a_queued_edit_is_sent_within_two_seconds_and_a_session_of_edits_at_once(a_place):
    place = a_place()
    daemon = place.run(port=free_port())
    daemon.has_pulled()
    first, second, third = place.leaves()[:3]
    took = []
    for task in (first, second):
        place.edit(task, priority=9, name=f"edited {task}")
        took.append(until(lambda task=task: place.updates(task), what=daemon.everything))
    assert min(took) < 2, took  # of two: a busy machine is no failure of ours

    until(lambda: place.states() == {"confirmed": 2} and daemon.rests, what=daemon.everything)
    with connected(place.mirror.database_url) as session:
        for priority in range(1, 6):
            session.execute(f"UPDATE live_tasks SET priority = {priority} WHERE id = {third}")
            session.commit()
    until(lambda: place.account.tasks[third].priority == 5, what=daemon.everything)
    until(lambda: {"confirmed"} == place.states().keys(), what=place.states)
    assert [1, 1, 1] == [place.updates(task) for task in (first, second, third)]
    daemon.stop()
    assert_mirror_equals(place.mirror)


def test_a_session_that_begins_while_a_push_is_under_way_is_one_request_too(a_place):
    """The push under way ends in the middle of it, and must not take the half that it finds."""
    place = a_place()
    daemon = place.run()
    daemon.has_pulled()
    place.mirror.box.faults.add(Fault("delay", "update_task", count=1, seconds=1.0, when="after"))
    first, second = place.leaves()[:2]
    place.edit(first, priority=9)
    until(lambda: place.account.tasks[first].priority == 9, what=daemon.everything)
    with connected(place.mirror.database_url) as session:
        for priority in range(1, 9):
            session.execute(f"UPDATE live_tasks SET priority = {priority} WHERE id = {second}")
            session.commit()
            time.sleep(0.2)  # as somebody works
    until(lambda: place.account.tasks[second].priority == 8, what=daemon.everything)
    until(lambda: {"confirmed"} == place.states().keys(), what=daemon.everything)
    assert [1, 1] == [place.updates(task) for task in (first, second)]
    daemon.stop()
    ended = logged(daemon, "request.ended")
    assert [first, second] == [line["task"] for line in ended]
    last = place.states()["confirmed"]
    assert [[1], [*range(2, last + 1)]] == [line["changes"] for line in ended]
    told = {"operation": "update", "outcome": "applied", "error": None, "level": "info"}
    assert all(told.items() <= line.items() for line in ended)
    (run,) = {line["run"] for line in ended}
    assert run in [line["run"] for line in logged(daemon, "push.ended")]


def logged(daemon: Daemon, event: str) -> list[dict[str, Any]]:
    """The lines of the log about one kind of event."""
    lines = map(json.loads, daemon.process.stderr.splitlines())
    return [line for line in lines if line["event"] == event]


def test_a_daemon_that_finds_nothing_new_is_silent(any_place):
    place = any_place(pull={"events_interval": "1s"})
    daemon = place.run()
    daemon.has_pulled()
    until(lambda: len(place.mirror.box.log.entries("get_events")) >= 2, what=daemon.everything)
    said = len(daemon.process.stderr)
    until(lambda: len(place.mirror.box.log.entries("get_events")) >= 4, what=daemon.everything)
    assert "" == daemon.process.stderr[said:]
    daemon.stop()


def test_what_others_do_arrives_by_itself_and_so_does_a_removal(a_place):
    """Failure 3: nothing tells of a removal; the schedule finds it."""
    place = a_place(pull=OFTEN)
    daemon = place.run()
    daemon.has_pulled()
    changed, gone = place.leaves()[:2]
    place.account.edit_task(changed, priority=8)
    place.account.delete_task(gone)
    query = f"SELECT priority FROM tasks WHERE id = {changed}"
    until(lambda: place.mirror.value(query) == 8, what=daemon.everything)
    until(lambda: place.mirror.removed() == {gone: "deleted"}, what=place.mirror.removed)
    daemon.stop()


def test_ready_is_said_once_and_after_what_went_before(a_place):
    """Failure 10: a service that looks active, and is not."""
    place = a_place()
    daemon = place.run()
    daemon.is_ready()
    assert place.mirror.value("SELECT holder FROM lease").startswith(f"pid {daemon.process.pid} ")
    daemon.has_pulled()
    told = daemon.manager.words
    assert 1 == told.count("READY=1")
    assert "holding the lease; last pull complete" in daemon.manager.status
    daemon.stop()
    assert "STOPPING=1" in daemon.manager.words
    assert place.mirror.value("SELECT holder FROM lease") is None


def test_a_start_that_makes_the_database_begins_anew_in_the_same_process(a_sqlite_place):
    """What an upgrade needs would stay in memory for good: Alembic and Mako, some ten MB."""
    place = a_sqlite_place()
    new = place.path.with_name("new.db")
    place.configure(database={"url": f"sqlite:///{new}"})
    daemon = place.run()
    daemon.has_pulled()
    assert 2 == daemon.process.stderr.count("daemon.started")
    assert 1 == daemon.manager.ready
    (row,) = rows(f"sqlite:///{new}", "SELECT holder FROM lease")
    assert row["holder"].startswith(f"pid {daemon.process.pid} ")
    daemon.stop()


def test_a_bad_configuration_is_no_start_and_never_ready(a_sqlite_place):
    place = a_sqlite_place()
    place.configure(pull={"interval": "soon"})
    daemon = place.run()
    finished = daemon.process.wait().expect(2)
    assert "pull.interval" in finished.stderr
    assert [] == daemon.manager.words


def test_a_newer_schema_is_refused_and_never_ready(a_place):
    """Failure 27."""
    place = a_place()
    place.mirror.execute("UPDATE alembic_version SET version_num = '9999'")
    daemon = place.run()
    daemon.process.wait().expect(2)
    assert 0 == daemon.manager.ready
    assert 0 == len(place.mirror.box.log)


def test_sighup_brings_new_settings_in_force_and_a_bad_one_changes_nothing(a_sqlite_place):
    place = a_sqlite_place()
    daemon = place.run()
    daemon.has_pulled()

    place.configure(pull={"interval": "1s"})
    daemon.reload()
    words = daemon.manager.words
    assert words.index("RELOADING=1") < len(words) - 1 - words[::-1].index("READY=1")
    assert any(word.startswith("MONOTONIC_USEC=") for word in words)
    seen = place.pulls()
    until(lambda: place.pulls() >= seen + 3, what=daemon.everything)

    place.configure(pull={"interval": "soon"})
    daemon.reload()
    daemon.says("pull.interval")
    seen = place.pulls()
    until(lambda: place.pulls() >= seen + 2, what=daemon.everything)

    place.configure(pull={"interval": "1h"}, account={"url": "http://127.0.0.1:1"})
    daemon.reload()
    daemon.says("account.url cannot change while syncd runs")

    place.configure(pull={"interval": "1h"}, account={"url": place.mirror.box.url})
    daemon.reload()
    until(lambda: "cannot change" not in daemon.manager.status, what=daemon.everything)
    daemon.stop()


def test_sigterm_ends_a_pull_that_waits_for_its_turn(a_sqlite_place):
    place = a_sqlite_place(pace=0.05)
    daemon = place.run()
    until(lambda: len(place.mirror.box.log) == 1, what=daemon.everything)
    daemon.stop(within_s=5)
    assert 1 == len(place.mirror.box.log)


def test_sigterm_lets_the_request_in_flight_end(any_place):
    place = any_place()
    daemon = place.run()
    daemon.has_pulled()
    place.mirror.box.faults.add(Fault("delay", "update_task", seconds=1.0, when="after"))
    (task, *_) = place.leaves()
    place.edit(task, priority=9)
    until(lambda: place.account.tasks[task].priority == 9, what=daemon.everything)
    daemon.stop()
    assert place.states().keys() <= {"applied", "confirmed"}
    assert 1 == place.updates(task)


def test_a_request_that_never_ends_is_left_and_looked_for_by_the_next(any_place):
    """The account took it, and its answer never came: not lost, and not sent again."""
    place = any_place()
    daemon = place.run(patched={"syncd.daemon.run.LAST_REQUEST_S": 0.5})
    daemon.has_pulled()
    place.mirror.box.faults.add(Fault("delay", "update_task", seconds=60.0, when="after"))
    (task, *_) = place.leaves()
    place.edit(task, priority=9)
    until(lambda: place.account.tasks[task].priority == 9, what=daemon.everything)
    daemon.stop()
    assert {"sending": 1} == place.states()
    place.mirror.box.faults.clear()

    second = place.run()
    until(lambda: place.states() == {"confirmed": 1}, what=second.everything)
    sent = [e for e in place.mirror.box.log.entries("update_task") if e.effect]
    assert len(sent) <= 1  # the one that hangs is written down at its end
    second.stop()


def test_sigint_and_sigterm_twice_end_it_as_well(a_sqlite_place):
    place = a_sqlite_place()
    daemon = place.run()
    daemon.has_pulled()
    os.kill(daemon.process.pid, signal.SIGINT)
    os.kill(daemon.process.pid, signal.SIGTERM)
    began = time.monotonic()
    daemon.process.wait().expect(0)
    assert time.monotonic() - began < 5
