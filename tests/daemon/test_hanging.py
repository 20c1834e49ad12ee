"""The watchdog: a hung sync does not look alive, a slow one does (failures 4 and 11)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from syncd.sandbox import Fault
from tests.daemon.conftest import make
from tests.support.daemons import LISTING, Daemon, Place, free_port, stopped, until
from tests.support.postgres import Cluster

WATCHDOG_S = 2.0
SLOW_S = 3.0
SOON_S = WATCHDOG_S + 4
"""Until the service manager would end it: the last feed, its patience, and a busy machine."""
HUNG_WAKER = """
import threading
from syncd.daemon.wake import Waker
Waker._settle = lambda *_: threading.Event().wait()
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
    "code", [HUNG_WAKER, HUNG_TURN, HUNG_SCHEDULE], ids=["waker", "turn", "schedule"]
)
def test_a_thread_that_hangs_starves_the_watchdog(a_sqlite_place, code):
    place = a_sqlite_place(pull={"interval": "1s"} if code == HUNG_SCHEDULE else {})
    sooner = {"syncd.daemon.run.HUNG_S": 10.0}  # a fifth of it, for the threads that only listen
    daemon = place.run(watchdog_s=WATCHDOG_S, patched=sooner, more=code)
    if code == HUNG_WAKER:
        daemon.has_pulled()
        place.edit(place.leaves()[0], priority=9)
    until(lambda: daemon.manager.feeds, what=daemon.everything)
    until(lambda: daemon.manager.hungry_s() > WATCHDOG_S, 2 * SOON_S, what=daemon.everything)
    daemon.process.kill()


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
