"""How far work over rows has come, and by the pace so far, how long the rest takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from syncd.services.progress import Progress


class Stride:
    """Counts rows of a known total and tells a Progress."""

    def __init__(self, progress: Progress, total: int, clock: Callable[[], datetime]) -> None:
        self._progress = progress
        self._total = total
        self._clock = clock
        self._began = clock()
        self._done = 0

    def go(self, what: str, rows: int) -> None:
        """Tell that so many more are done."""
        self._done = min(self._done + rows, self._total)
        if self._done:
            took_s = (self._clock() - self._began).total_seconds()
            left_s = max(1.0, took_s * (self._total - self._done) / self._done)
            self._progress.step(what, done=self._done, total=self._total, left_s=left_s)
