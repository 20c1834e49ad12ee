"""What services report to whoever asked: values for a screen, for JSON and for an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from syncd.model.incidents import Incident
from syncd.model.plan import Brake, CatalogueChange, TaskPlan

EXIT_PARTIAL = 3

Names = Mapping[str, Mapping[int, str]]
"""What the ids of each kind are called, for whoever reads a plan."""

Severity = Literal["ok", "note", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class PullReport:
    """The result of a pull: complete only where nothing at all was left out.

    A dry run carries what it would have written: `plans`, `catalogues`, and the `names` to read
    them with.
    """

    outcome: Literal["complete", "partial"]
    observed_at: datetime
    run_id: int | None
    how: str
    counts: Mapping[str, int]
    requests: int
    seconds: float
    notes: tuple[str, ...] = ()
    brakes: tuple[Brake, ...] = ()
    plans: tuple[TaskPlan, ...] = ()
    catalogues: tuple[CatalogueChange, ...] = ()
    names: Names = field(default_factory=dict)
    unchanged: bool = False
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """0 for a complete pull, 3 for one that is partial or waits for a person."""
        return 0 if self.outcome == "complete" else EXIT_PARTIAL


@dataclass(frozen=True, slots=True)
class PushReport:
    """The result of a push. `counts` are the moves it made, `waiting` what is open after it.

    Complete only where nothing is left: nothing queued, nothing for a person to decide.
    """

    outcome: Literal["complete", "partial", "failed"]
    run_id: int
    counts: Mapping[str, int]
    waiting: Mapping[str, int]
    requests: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 where nothing is left open, 3 where something waits."""
        return 0 if self.outcome == "complete" else EXIT_PARTIAL


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked, what was found, and what to do about it."""

    check: str
    severity: Severity
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that is not as it should be, and what a person can do about it."""

    what: str
    do: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """How fresh and how complete the mirror is; `incidents` is what a daemon noted as wrong."""

    account: str | None
    database: str
    schema: str
    state: Literal["green", "partial", "failed", "empty"]
    as_of: datetime | None
    last_run: Mapping[str, Any] | None
    last_complete_at: datetime | None
    counts: Mapping[str, int]
    waiting: tuple[Waiting, ...] = ()
    under_way: str | None = None
    incidents: tuple[Incident, ...] = ()

    @property
    def watched(self) -> bool:
        """Whether somebody is there who closes an incident once it is over."""
        return self.under_way is not None

    @property
    def exit_code(self) -> int:
        """0 where the mirror is complete and nothing waits for a person, else 3."""
        waits = self.waiting or (self.watched and self.incidents)
        return 0 if self.state == "green" and not waits else EXIT_PARTIAL
