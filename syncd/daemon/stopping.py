"""Being told to stop, to read the configuration again, or to start over: signals as a value."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from syncd.errors import Stopped


class Orders:
    """What was ordered so far. Signal handlers only set flags; the main thread acts on them."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cut = threading.Event()
        self._news = threading.Event()
        self._reload = False

    @property
    def stop(self) -> bool:
        """Whether we were told to end for good."""
        return self._stop.is_set()

    def take_reload(self) -> bool:
        """Tell whether the configuration is to be read again; says so once."""
        wanted, self._reload = self._reload, False
        return wanted

    def wait(self, seconds: float) -> None:
        """Wait for news, at most so long."""
        self._news.wait(seconds)
        self._news.clear()

    def nudge(self) -> None:
        """Wake whoever waits for news."""
        self._news.set()

    def check(self) -> None:
        """Raise Stopped where nothing more may leave."""
        if self._stop.is_set() or self._cut.is_set():
            raise Stopped("syncd was told to stop; this was not sent.")

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise Stopped as soon as nothing more may leave."""
        self._cut.wait(seconds)
        self.check()

    def cut(self) -> None:
        """Let nothing more leave, for as long as the lease is somebody else's."""
        self._cut.set()

    def resume(self) -> None:
        """Let requests leave again, unless we were told to end."""
        if not self.stop:
            self._cut.clear()

    def order_stop(self) -> None:
        """End for good."""
        self._stop.set()
        self._cut.set()
        self._news.set()

    def order_reload(self) -> None:
        """Read the configuration again."""
        self._reload = True
        self._news.set()

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT for the end, SIGHUP for a reload, for the length of a block."""

        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.order_stop()

        def reload(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.order_reload()

        heeded = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
        before = {number: signal.signal(number, act) for number, act in heeded.items()}
        try:
            yield
        finally:
            for number, former in before.items():
                signal.signal(number, former)
