"""Progress of long work, told as it happens; what shows it is somebody else's business."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far a piece of work has come."""

    def step(self, what: str, *, done: int, total: int, left_s: float) -> None:
        """Tell that `done` of `total` requests are made, and the seconds the rest will take."""


class Silent:
    """Tells nobody."""

    def step(self, what: str, *, done: int, total: int, left_s: float) -> None:
        """Do nothing."""


class Pulse(Protocol):
    """Hears every sign that work moves on: what a watchdog is fed by."""

    def asking(self, action: str) -> None:
        """A request is about to leave. What this raises stops it."""

    def moved(self) -> None:
        """Something came in, or was done."""


class Quiet:
    """Nobody listens."""

    def asking(self, action: str) -> None:
        """Do nothing."""

    def moved(self) -> None:
        """Do nothing."""


QUIET = Quiet()
