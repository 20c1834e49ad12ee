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
