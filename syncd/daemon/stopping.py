"""Being told to stop, to read the configuration again, or to start over: signals as a value.

The interpreter runs signal handlers in the main thread alone, which may be what hangs, and in the
middle of whatever it does. So signals are read here by a thread of their own.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from syncd.errors import Stopped
from syncd.log import get_logger

STOP_S: Final = 40.0
"""How long the end may take, whatever hangs; the unit allows a minute (TimeoutStopSec)."""
LAST_WORD_S: Final = 1.0
ENDING: Final = frozenset({signal.SIGTERM, signal.SIGINT})


class Orders:
    """What was ordered so far; the main thread acts on it."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cut = threading.Event()
        self._news = threading.Event()
        self._over = threading.Event()
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
        """Take SIGTERM and SIGINT for the end, SIGHUP for a reload, for the length of a block.

        A process that was told to end is over after STOP_S: what hangs in it cannot be ended, and
        is as safe to leave as by kill -9.
        """
        with ExitStack() as stack:
            heard, told = socket.socketpair()
            stack.enter_context(heard)
            told.setblocking(False)
            reader = threading.Thread(target=self._heed, args=(heard,), name="orders", daemon=True)
            reader.start()
            stack.callback(reader.join)
            stack.callback(self._over.set)
            stack.enter_context(told)  # its end is the reader's
            stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(told.fileno()))
            for number in (*ENDING, signal.SIGHUP):
                stack.callback(signal.signal, number, signal.signal(number, _noted))
            yield

    def _heed(self, heard: socket.socket) -> None:
        while numbers := heard.recv(64):
            if signal.SIGHUP in numbers:
                self.order_reload()
            if ENDING.intersection(numbers):
                self.order_stop()
                self._end_in_time()
                return

    def _end_in_time(self) -> None:
        if not self._over.wait(STOP_S):
            leave("stop.forced", after_s=STOP_S)


def leave(event: str, **words: object) -> None:
    """End the process at once, with a last word in the log unless that hangs as well."""
    log = get_logger()
    last = threading.Thread(target=lambda: log.warning(event, **words), daemon=True)
    last.start()
    last.join(LAST_WORD_S)
    os._exit(0)  # a thread that waits for an answer cannot be ended; kill -9 is safe


def _noted(*_: object) -> None:
    """The signal's number is on its way to the reader: see `signal.set_wakeup_fd`."""
