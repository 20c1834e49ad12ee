"""What the account's change feed tells, and what following it came to: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from syncd.model.reports import EXIT_PARTIAL


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of the feed: who did what, on the account's clock, to the minute.

    `new` and `old` are the changed fields as sent. The feed has no ids: `fingerprint` is a hash of
    all that it told.
    """

    fingerprint: str
    action: str
    entity: str
    entity_id: int
    task_id: int | None
    project_id: int | None
    member_id: int | None
    member_name: str | None
    date_added: datetime
    new: Mapping[str, Any] | None = None
    old: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What an event tells of its task: values by column of `tasks`, tags as sorted ids.

    `doubtful` where more may have changed than is told in a form that can be compared.
    """

    at: datetime
    values: Mapping[str, Any]
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class EventsReport:
    """What following the feed came to. It never says that the mirror is complete.

    `gap` where the feed does not reach back to the last time it was followed: pull before any
    push. `wants_pull` where something was left for a full pull, and one is due at once.
    """

    outcome: Literal["complete", "partial"]
    run_id: int
    observed_at: datetime
    period: str
    gap: bool
    wants_pull: bool
    counts: Mapping[str, int]
    requests: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 where all that was told of was settled, 3 where a full pull has to settle something."""
        return 0 if self.outcome == "complete" else EXIT_PARTIAL
