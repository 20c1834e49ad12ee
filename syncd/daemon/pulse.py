"""The pulse: whether work moves on. The watchdog is fed by it, never by a timer.

A hung sync must not look alive: the main thread has to see something move between two feeds, a
request leaving, a piece of an answer, a statement done, or nothing to be under way at all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import event

from syncd.store.engine import Database

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Doing:
    """What is under way, for how long, and how long ago it last moved, in seconds."""

    what: str
    for_s: float
    still_s: float


class Heartbeat:
    """Counts what moves. `stopped` is raised by `asking`, so that nothing leaves any more."""

    def __init__(self, monotonic: Callable[[], float], *, check: Callable[[], None]) -> None:
        self._monotonic = monotonic
        self._check = check
        self._worker: int | None = None
        self._what = ""
        self._since = self._at = monotonic()
        self._asked: deque[float] = deque(maxlen=MINUTE_S)
        self.count = 0

    def asking(self, action: str) -> None:
        """A request is about to leave. Raises Stopped once we were told to end."""
        self._check()
        self._what = f"{self._what.partition(':')[0]}: {action}"
        self.moved()
        self._asked.append(self._at)

    @property
    def asked_last_minute(self) -> int:
        """How many requests left within the last minute; more than one a second are not counted."""
        since = self._monotonic() - MINUTE_S
        return sum(at > since for at in list(self._asked))

    def moved(self) -> None:
        """Something came in, or was done."""
        self.count += 1
        self._at = self._monotonic()

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Say what is under way in this thread, for the length of a block."""
        self._what, self._since, self._worker = what, self._monotonic(), threading.get_ident()
        self.moved()
        try:
            yield
        finally:
            self._worker = None
            self.moved()

    @property
    def doing(self) -> Doing | None:
        """What is under way now."""
        if self._worker is None:
            return None
        now = self._monotonic()
        return Doing(self._what, now - self._since, now - self._at)

    def listen(self, db: Database) -> None:
        """Take each statement of the working thread for a sign of life; the lease's own is none."""

        @event.listens_for(db.engine, "after_cursor_execute")
        def after(*_: object) -> None:
            if threading.get_ident() == self._worker:
                self.moved()


class Watchdog:
    """Decides whether the service manager may hear that we are alive."""

    def __init__(self, heart: Heartbeat, *, others: Callable[[], bool]) -> None:
        self._heart = heart
        self._others = others
        self._seen = -1

    def may_feed(self) -> bool:
        """Tell whether something moved since the last feed, or nothing has to."""
        if not self._others():
            return False
        count, idle = self._heart.count, self._heart.doing is None
        moved, self._seen = count != self._seen, count
        return moved or idle
