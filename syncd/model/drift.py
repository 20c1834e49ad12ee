"""What a verification found: where the mirror and the account differ, and whether that is drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from syncd.model.reports import EXIT_PARTIAL

Verdict = Literal["drift", "lag"]

WHOLE = "task"
"""The field of a difference that is about the whole task: one side has it and the other has not."""
LIVE, GONE = "live", "gone"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one task in which the mirror and the account differ."""

    task_id: int
    field: str
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Found:
    """A difference, and what it is.

    Lag: the task was edited after the mirror last saw it, and the next pull brings it. Drift:
    nothing explains it. `mark` is the same in the next verification, if the difference is.
    """

    difference: Difference
    verdict: Verdict
    mark: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """A rule that the mirror breaks by itself: how many rows do, and the tasks of the first."""

    rule: str
    count: int
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of a verification. Complete only where every chosen task could be compared.

    `counts`: `sampled` tasks were asked for themselves, `listed` were compared with a listing,
    `differing` are drift, `lagging` are lag, `unreadable` could not be judged, `in_flight` were
    left out, `flaws` are rows that break a rule of the mirror.
    """

    outcome: Literal["complete", "partial"]
    run_id: int
    counts: Mapping[str, int]
    found: tuple[Found, ...]
    flaws: tuple[Flaw, ...]
    requests: int
    seconds: float
    notes: tuple[str, ...] = ()
    repaired: int = 0

    @property
    def drift(self) -> int:
        """How many tasks differ although nothing explains it."""
        return self.counts["differing"]

    @property
    def exit_code(self) -> int:
        """0 where all was compared and nothing is wrong, else 3."""
        sound = self.outcome == "complete" and not self.drift and not self.flaws
        return 0 if sound else EXIT_PARTIAL
