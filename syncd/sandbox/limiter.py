"""The rate limit: so many requests in any window, by the clock that is given (API sheet, 3)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class RateLimiter:
    """A sliding window for each key; a refused request does not count."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._starts: dict[str, deque[float]] = {}

    def admits(self, key: str, per_second: float) -> bool:
        """Whether one more request is within the rate, which it then counts towards."""
        allowed = max(1, int(per_second))
        with self._lock:
            now = self._monotonic()
            starts = self._starts.setdefault(key, deque())
            while starts and now - starts[0] >= allowed / per_second:
                starts.popleft()
            if len(starts) >= allowed:
                return False
            starts.append(now)
            return True
