"""Waking the push when somebody queues a change, after a short settle.

One editing session is to be one request: a second change that follows the first within the settle
goes along. The oldest change never waits longer than LONGEST_S for those after it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError

from syncd.log import get_logger
from syncd.store.calls import Listener, listening
from syncd.store.engine import Database

SETTLE_S: Final = 0.4
LONGEST_S: Final = 1.2
TURN_S: Final = 1.0
"""How long the thread listens before it gives a sign of life, and looks whether it is to stop."""
AGAIN_S: Final = 2.0
FAILURES: Final = (sqlite3.Error, psycopg.Error, DBAPIError, OSError)


class Waker:
    """A thread that listens, and calls `wake`."""

    def __init__(self, db: Database, wake: Callable[[], None]) -> None:
        self._db = db
        self._wake = wake
        self._stop = threading.Event()
        self._alive_at = time.monotonic()

    @property
    def still_s(self) -> float:
        """Seconds since the last sign of life."""
        return time.monotonic() - self._alive_at

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Listen for the length of a block."""
        thread = threading.Thread(target=self._listen, name="waker", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.stop()
            thread.join(TURN_S + LONGEST_S)

    def stop(self) -> None:
        """Listen no more; returns at once."""
        self._stop.set()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with listening(self._db) as listener:
                    self._wake()  # what was queued while nobody listened
                    self._hear(listener)
            except FAILURES as error:
                get_logger().warning("waker.failed", error=type(error).__name__)
                self._alive_at = time.monotonic()
                self._stop.wait(AGAIN_S)

    def _hear(self, listener: Listener) -> None:
        while not self._stop.is_set():
            self._alive_at = time.monotonic()
            if listener.heard(TURN_S):
                self._settle(listener)
                self._wake()

    def _settle(self, listener: Listener) -> None:
        ends = time.monotonic() + LONGEST_S
        while listener.heard(SETTLE_S) and time.monotonic() < ends:
            pass
