"""The schedule: what is done when, one thing at a time. The only importer of APScheduler.

Its traps, and how they are met: a job that queued behind a long one is dropped after a second
(`misfire_grace_time` is off here), missed runs pile up (they are one here), an exception ends
nothing (a job of ours catches its own, and reports it), and it goes by the wall clock: set back by
hours, that stops everything for as long (`heed_clock`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from syncd.log import get_logger

JITTER = 0.1
"""Part of an interval by which a run may come earlier or later, so that daemons spread out."""
JUMP_S = 5.0
"""A clock that was set, not one that is being drawn right."""
ACCOUNT, DESK = "account", "desk"


@dataclass(frozen=True, slots=True)
class Job:
    """One thing that is done again and again; `after_s` is when it is done first.

    Whatever talks to the account waits for each other; what is done at the desk waits for nothing
    but itself.
    """

    name: str
    do: Callable[[], None]
    every_s: float
    after_s: float
    where: str = ACCOUNT


class Schedule:
    """The jobs of one holder of the lease."""

    def __init__(self) -> None:
        self._ahead_s = _ahead_s()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={ACCOUNT: ThreadPoolExecutor(1), DESK: ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run for the length of a block; what is under way then is waited for."""
        self._scheduler.start()
        try:
            yield
        finally:
            self._scheduler.shutdown(wait=True)

    def put(self, job: Job) -> None:
        """Add a job, or give it another interval; when it comes next stays as it was."""
        known = self._scheduler.get_job(job.name)
        trigger = IntervalTrigger(
            seconds=max(1, job.every_s), jitter=job.every_s * JITTER, timezone=UTC
        )
        first = known.next_run_time if known else _in(job.after_s)
        self._scheduler.add_job(
            job.do,
            trigger,
            id=job.name,
            name=job.name,
            executor=job.where,
            next_run_time=first,
            replace_existing=True,
        )

    def now(self, name: str) -> None:
        """Do it as soon as nothing else is under way."""
        self.later(name, 0)

    def later(self, name: str, seconds: float) -> None:
        """Do it next in so many seconds."""
        try:
            self._scheduler.modify_job(name, next_run_time=_in(seconds))
        except JobLookupError:
            return  # the schedule has not begun, or is over: its first run does it all

    def heed_clock(self) -> None:
        """Plan anew where the wall clock was set; to be called every second or so.

        Set back, each run comes after the seconds that were left. Set forward, what that makes due
        comes now: the scheduler, which sleeps until its next run, may be first to see it, and a
        second shift would put off what it has planned since.
        """
        before, self._ahead_s = self._ahead_s, _ahead_s()
        jumped_s = self._ahead_s - before
        if abs(jumped_s) < JUMP_S:
            return
        get_logger().warning("clock.jumped", seconds=round(jumped_s))
        back = timedelta(seconds=min(0.0, jumped_s))
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=max(job.next_run_time + back, _in(0)))

    @property
    def overdue_s(self) -> float:
        """How long the schedule itself is behind: a job handed out late is no reason, a stop is."""
        due = [job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time]
        return (datetime.now(UTC) - min(due)).total_seconds() if due else 0.0


def _ahead_s() -> float:
    """Return how far the wall clock is ahead of the one that nobody sets."""
    return datetime.now(UTC).timestamp() - time.monotonic()


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
