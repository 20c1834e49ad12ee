"""The request budget of one account: one request at a time, starts spaced. API sheet, section 3.

Knows nothing of HTTP. Time comes in as a monotonic clock in seconds, and a sleep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Final

from syncd.errors import ConfigError
from syncd.worksection.endpoint import is_loopback

MARGIN: Final = 1.05  # the account counts arrivals, and the way there takes uneven time
UNPACED: Final = 1_000_000.0  # at so many requests per second there is no spacing at all
GROWTH: Final = 2.0
DECAY: Final = 0.9
FIRST_BACKOFF_S: Final = 0.05  # doubled for an account without spacing
MAX_SPACING_S: Final = 64.0
MAX_HOLD_S: Final = 3600.0  # a longer Retry-After is asked for again


class Budget:
    """Every request to the account takes a turn here; turns never overlap.

    `sleep` may return early, then it is called again; it may raise to give up the turn.
    """

    def __init__(
        self,
        requests_per_second: float = 1.0,
        *,
        host: str,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._base_s = _spacing_s(requests_per_second, host)
        self._spacing_s = self._base_s
        self._clock = clock
        self._sleep = sleep
        self._turn = threading.Lock()
        self._state = threading.Lock()
        self._next_start = clock()
        self._left = clock()
        self._quickest_s = inf
        self._requests = 0

    @property
    def requests(self) -> int:
        """How many requests were started."""
        return self._requests

    @property
    def spacing_s(self) -> float:
        """Seconds between two starts at present; more than configured after a refusal."""
        return self._spacing_s

    def now(self) -> float:
        """Return the monotonic time that the spacing is measured on."""
        return self._clock()

    def wait_s(self) -> float:
        """Return the seconds until the next request may start; asks, does not wait."""
        with self._state:
            return max(0.0, self._next_start - self._clock())

    def estimate_s(self, requests: int) -> float:
        """Return the seconds until the last of so many requests may start."""
        if requests <= 0:
            return 0.0
        return self.wait_s() + (requests - 1) * self._spacing_s

    def not_before(self, seconds: float) -> None:
        """Start nothing for so long: a Retry-After, or what a former process has used up."""
        with self._state:
            held_until = self._clock() + min(max(0.0, seconds), MAX_HOLD_S)
            self._next_start = max(self._next_start, held_until)

    def throttled(self, retry_after_s: float | None = None) -> None:
        """Slow down: the account said that we are too fast."""
        with self._state:
            slower = max(self._spacing_s, FIRST_BACKOFF_S) * GROWTH
            self._spacing_s = max(self._spacing_s, min(slower, MAX_SPACING_S))
        self.not_before(max(retry_after_s or 0.0, self._spacing_s))

    def succeeded(self) -> None:
        """Return slowly to the configured pace."""
        with self._state:
            self._spacing_s = max(self._base_s, self._spacing_s * DECAY)
            if self._spacing_s < FIRST_BACKOFF_S:
                self._spacing_s = self._base_s

    @contextmanager
    def turn(self) -> Iterator[Callable[[], None]]:
        """Wait for the turn and hold it; call what it yields before and after bytes leave.

        Connecting takes time before them. The account sees the bytes, so the next start is counted
        from there: neither a slow handshake nor a process that was stopped for a moment, or a
        machine that slept, must bring the next request too close.
        """
        with self._turn:
            self._wait()
            self._start()
            yield self._started

    def answered(self) -> None:
        """Take the head of an answer for the latest at which its request can have arrived.

        One that was long on its way arrives closer to the next than they were sent. How long cannot
        be told from how long the account worked, so whatever the quickest answer did not take
        counts as the way.
        """
        with self._state:
            took_s = self._clock() - self._left
            self._quickest_s = min(self._quickest_s, took_s)
            late_s = took_s - self._quickest_s
            self._next_start = max(self._next_start, self._left + late_s + self._spacing_s)

    def _wait(self) -> None:
        while (seconds := self.wait_s()) > 0:
            self._sleep(seconds)

    def _start(self) -> None:
        self._requests += 1
        self._started()

    def _started(self) -> None:
        with self._state:
            self._left = self._clock()
            self._next_start = max(self._next_start, self._left + self._spacing_s)


def _spacing_s(requests_per_second: float, host: str) -> float:
    if not requests_per_second > 0:  # NaN too
        raise ConfigError("limits.requests_per_second must be more than 0")
    if requests_per_second > 1 and not is_loopback(host):
        raise ConfigError(
            f"limits.requests_per_second is {requests_per_second:g}, but the account allows 1",
            hint="Set 1 or less; more is only for a simulated account on this machine.",
        )
    return MARGIN / requests_per_second if requests_per_second < UNPACED else 0.0
