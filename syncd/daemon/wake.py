"""Waking the push when somebody queues a change, and hearing who knocks: what the database tells.

One editing session is to be one request: nothing is planned before a short settle. A second change
that follows the first within it goes along; nobody waits longer than LONGEST_S for those after it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy.exc import DBAPIError

from syncd.errors import StorageFailed
from syncd.log import get_logger
from syncd.store.calls import Listener, listening, newest_call
from syncd.store.engine import Database
from syncd.store.knock import somebody_knocks

SETTLE_S: Final = 0.4
LONGEST_S: Final = 1.2
TURN_S: Final = 1.0
"""How long the thread listens before it gives a sign of life, and looks whether it is to stop."""
AGAIN_S: Final = 2.0


class Settling:
    """Waits for whoever is queueing. Shared: what one thread has waited for, another need not."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._settled: int | None = None
        self._one_at_a_time = threading.Lock()

    def wait(self, sleep: Callable[[float], object]) -> None:
        """Return once nothing new is queued, or a session lasts too long. Raises StorageFailed."""
        with self._one_at_a_time:
            ends = time.monotonic() + LONGEST_S
            while (newest := newest_call(self._db)) != self._settled and time.monotonic() < ends:
                self._settled = newest
                sleep(SETTLE_S)


class Waker:
    """A thread that listens, and calls `wake`."""

    def __init__(
        self,
        db: Database,
        settling: Settling,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._db = db
        self._settling = settling
        self._clock = clock
        self._wake = wake
        self._stop = threading.Event()
        self._alive_at = time.monotonic()
        self._knocked = False
        self._trouble: StorageFailed | None = None

    @property
    def still_s(self) -> float:
        """Seconds since the last sign of life."""
        return time.monotonic() - self._alive_at

    def knocked(self) -> bool:
        """Tell whether a command waits for its turn. Raises StorageFailed where it was not heard.

        Asks nobody, so that whoever watches cannot hang here.
        """
        if self._trouble is not None:
            raise self._trouble
        return self._knocked

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
        driver = self._db.engine.dialect.loaded_dbapi  # of SQLite, the other is never loaded
        while not self._stop.is_set():
            try:
                with listening(self._db) as listener:
                    self._wake()  # what was queued while nobody listened
                    self._hear(listener)
            except StorageFailed as error:
                self._trouble = error
                return
            except (driver.Error, DBAPIError, OSError) as error:
                get_logger().warning("waker.failed", error=type(error).__name__)
                self._alive_at = time.monotonic()
                self._stop.wait(AGAIN_S)

    def _hear(self, listener: Listener) -> None:
        while not self._stop.is_set():
            self._alive_at = time.monotonic()
            if listener.heard(TURN_S):
                self._settling.wait(self._stop.wait)
                self._wake()
            self._knocked = somebody_knocks(self._db, now=self._clock())
