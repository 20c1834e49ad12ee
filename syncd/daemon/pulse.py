"""The pulse: whether work moves on. The watchdog is fed by it, never by a timer.

A hung sync must not look alive: of each thread that works, the main thread has to see something
move between two feeds, a request leaving, a piece of an answer, a statement done, a page copied, or
nothing to be under way at all.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import event

from syncd.log import get_logger
from syncd.store.engine import Database

MINUTE_S = 60
STEPS: Final = 1_000_000
"""Instructions of SQLite, some hundredths of a second, after which a long statement has moved."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What is under way, for how long, and how long ago it last moved, in seconds."""

    what: str
    for_s: float
    still_s: float


class Heartbeat:
    """Counts what moves in a thread that works. What `check` raises lets nothing leave any more."""

    def __init__(
        self, monotonic: Callable[[], float], *, check: Callable[[], None] = lambda: None
    ) -> None:
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

    def moved_here(self) -> None:
        """Something was done in this thread, whichever it is."""
        if threading.get_ident() == self._worker:
            self.moved()

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


@dataclass(frozen=True, slots=True)
class Hearts:
    """The threads that work: one at the account, one at the desk."""

    account: Heartbeat
    desk: Heartbeat

    def listen(self, db: Database) -> None:
        """Take each statement of theirs for a sign of life, and of a long one in SQLite each part.

        The lease's own statements are none: they come from another thread.
        """

        def moved(*_: object) -> None:
            self.account.moved_here()
            self.desk.moved_here()

        event.listen(db.engine, "after_cursor_execute", moved)
        if db.is_sqlite:
            event.listen(db.engine, "connect", lambda made, _: _while_it_works(made, moved))


def _while_it_works(connection: sqlite3.Connection, moved: Callable[[], None]) -> None:
    connection.set_progress_handler(moved, STEPS)


class Watchdog:
    """Feeds the service manager as long as all threads are alive, and tells who is not.

    `silent` names a thread that listens and gives no sign of life; empty where there is none.
    """

    def __init__(
        self,
        hearts: Hearts,
        *,
        silent: Callable[[], str],
        feed: Callable[[], None],
        patience_s: float,
    ) -> None:
        self._hearts = (hearts.account, hearts.desk)
        self._silent = silent
        self._feed = feed
        self._patience_s = patience_s
        self._seen = (-1, -1)
        self._told = False

    def look(self) -> None:
        """Feed it where each thread has moved since the last feed, or has nothing to do."""
        account, desk = self._hearts
        counts, silent = (account.count, desk.count), self._silent()
        if silent or not all(map(self._alive, self._hearts, self._seen)):
            self._warn(silent)
        else:
            self._seen, self._told = counts, False
            self._feed()

    def _alive(self, heart: Heartbeat, seen: int) -> bool:
        return heart.count != seen or heart.doing is None

    def _warn(self, silent: str) -> None:
        """Say once what hangs: the service manager will only say that it ended us."""
        hung = [one for heart in self._hearts if (one := heart.doing) and self._is_late(one)]
        if (hung or silent) and not self._told:
            self._told = True
            doing = [f"{one.what}, {one.still_s:.0f} s" for one in hung]
            get_logger().error("watchdog.starves", silent=silent, doing=doing)

    def _is_late(self, doing: Doing) -> bool:
        return doing.still_s > self._patience_s / 2
