"""The watchdog: a hung sync does not look alive, a slow one does (failures 4 and 11)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from syncd.daemon.run import LAST_REQUEST_S
from syncd.daemon.stopping import STOP_S
from syncd.sandbox import Fault
from tests.daemon.conftest import make
from tests.support.daemons import LISTING, ROOT, Daemon, Place, free_port, stopped, until
from tests.support.postgres import Cluster

WATCHDOG_S = 2.0
SLOW_S = 3.0
ASKED_S = 3.0
SOON = {"syncd.daemon.run.LOOK_S": 1.0}
SOON_S = WATCHDOG_S + 6
"""Until the service manager would end it: a thread's silence, the last feed, its patience, and a
busy machine."""
HUNG_WAKER = """
import threading
from syncd.daemon.wake import Waker
Waker._hear = lambda *_: threading.Event().wait()
"""
HUNG_DESK = """
import threading
from syncd.daemon import looking
looking.gather = lambda *_, **__: threading.Event().wait()
"""
SLOW_BACKUP = """
import time
from syncd.store import copying
ask, copying.PAGES = copying._ask, 1
copying._ask = lambda go_on: (time.sleep(0.06), ask(go_on))
"""
HUNG_TURN = """
import threading
from syncd.daemon import turns
turns.pull = lambda _: threading.Event().wait()
"""
HUNG_SCHEDULE = """
import threading
from apscheduler.schedulers.background import BackgroundScheduler
process, rounds = BackgroundScheduler._process_jobs, iter(range(2))
def hang(self):
    if next(rounds, None) is None:
        threading.Event().wait()
    return process(self)
BackgroundScheduler._process_jobs = hang
"""


def fires(daemon: Daemon) -> None:
    """The service manager would end it now."""
    until(lambda: daemon.manager.hungry_s() > WATCHDOG_S, SOON_S, what=daemon.everything)


def longest_hunger_s(daemon: Daemon) -> float:
    return max(later - earlier for earlier, later in pairwise(daemon.manager.feeds))


def test_the_watchdog_is_fed_during_a_slow_first_pull_and_at_rest(a_sqlite_place):
    place = a_sqlite_place()
    place.mirror.box.set(record_limit=50)
    place.mirror.box.faults.add(Fault("delay", "*", seconds=0.6))
    daemon = place.run(watchdog_s=SLOW_S)
    daemon.is_ready()
    began = daemon.manager.told[-1][0]
    daemon.has_pulled()
    pulled = daemon.manager.told[-1][0]
    assert pulled - began > 1.2 * SLOW_S
    until(lambda: daemon.manager.feeds[-1] > pulled + SLOW_S, what=daemon.everything)
    assert longest_hunger_s(daemon) < SLOW_S
    daemon.stop()


def test_a_request_that_hangs_starves_the_watchdog(a_sqlite_place):
    place = a_sqlite_place()
    port = free_port()
    place.mirror.box.faults.add(Fault("delay", LISTING, seconds=60.0))
    daemon = place.run(watchdog_s=WATCHDOG_S, port=port)
    until(lambda: daemon.manager.feeds, what=daemon.everything)
    fires(daemon)
    status, said = daemon.page("healthz")
    assert 503 == status
    assert LISTING in said
    daemon.process.kill()


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (HUNG_WAKER, "waker"),
        (HUNG_TURN, "pull"),
        (HUNG_SCHEDULE, "schedule"),
        (HUNG_DESK, "look"),
    ],
    ids=["waker", "turn", "schedule", "desk"],
)
def test_a_thread_that_hangs_starves_the_watchdog_and_is_named(a_sqlite_place, code, named):
    place = a_sqlite_place(pull={"interval": "1s"} if code == HUNG_SCHEDULE else {})
    daemon = place.run(watchdog_s=WATCHDOG_S, port=free_port(), patched=SOON, more=code)
    until(lambda: daemon.manager.feeds, what=daemon.everything)
    until(lambda: daemon.manager.hungry_s() > WATCHDOG_S, 2 * SOON_S, what=daemon.everything)
    assert 503 == daemon.page("healthz")[0]
    (told,) = [line for line in daemon.process.stderr.splitlines() if "watchdog.starves" in line]
    assert named in told
    daemon.process.kill()


def test_a_long_backup_that_moves_keeps_the_watchdog_fed(a_sqlite_place):
    place = a_sqlite_place(backup={"keep": 1})
    soon = {"syncd.daemon.run.HOUSE_S": 6.0}
    daemon = place.run(watchdog_s=SLOW_S, patched=soon, more=SLOW_BACKUP)
    folder = place.path.with_name("backups")
    until(lambda: list(folder.glob("*.part")), what=daemon.everything)
    began = time.monotonic()
    until(lambda: list(folder.glob("*.backup")), what=daemon.everything)
    assert time.monotonic() - began > 1.2 * SLOW_S
    assert longest_hunger_s(daemon) < SLOW_S
    daemon.stop()


@pytest.fixture
def server_place(own_postgres: Cluster, tmp_path: Path) -> Iterator[Place]:
    """A place on a server that may be stopped."""
    with ExitStack() as stack:
        url = own_postgres.url_for(own_postgres.create_database())
        yield make(stack, url, tmp_path)


def test_a_database_that_hangs_starves_the_watchdog_and_one_that_restarts_is_found_again(
    own_postgres, server_place
):
    place = server_place
    daemon = place.run(watchdog_s=WATCHDOG_S, port=free_port())
    daemon.has_pulled()
    with stopped(int((own_postgres.data / "postmaster.pid").read_text().split()[0])):
        fires(daemon)
    fed = len(daemon.manager.feeds)
    until(lambda: len(daemon.manager.feeds) > fed, what=daemon.everything)

    own_postgres.kill()
    daemon.says("waiting for the database")
    fed = len(daemon.manager.feeds)
    until(lambda: len(daemon.manager.feeds) > fed, what=daemon.everything)
    assert 503 == daemon.page("readyz")[0]
    own_postgres.start()
    daemon.says("holding the lease")
    (task, *_) = place.leaves()
    place.edit(task, priority=9)
    until(lambda: place.states() == {"confirmed": 1}, what=daemon.everything)
    daemon.stop()


def test_a_stop_is_heeded_while_the_database_hangs(own_postgres, server_place):
    place = server_place
    daemon = place.run(patched={"syncd.daemon.stopping.STOP_S": 1.0})
    daemon.has_pulled()
    with stopped(int((own_postgres.data / "postmaster.pid").read_text().split()[0])):
        time.sleep(ASKED_S)  # for the daemon to ask the database something
        finished = daemon.stop(within_s=SOON_S)
    assert "stop.forced" in finished.stderr


def test_a_stop_takes_less_than_the_service_manager_allows():
    unit = (ROOT / "systemd" / "syncd.service").read_text()
    (allowed_s,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert LAST_REQUEST_S < STOP_S < int(allowed_s) - 10


def test_a_database_that_is_away_at_the_start_is_waited_for(own_postgres, server_place):
    """Failure 10: the service starts before what it needs."""
    own_postgres.stop()
    daemon = server_place.run(watchdog_s=WATCHDOG_S)
    daemon.says("waiting for the database")
    assert 0 == daemon.manager.ready
    assert "EXTEND_TIMEOUT_USEC=30000000" in daemon.manager.words
    own_postgres.start()
    daemon.has_pulled()
    assert 1 == daemon.manager.ready
    daemon.stop()
