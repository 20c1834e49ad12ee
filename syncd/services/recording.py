"""How a run is told of at its end: one line in the log, and a row also where it failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from logging import DEBUG, INFO
from typing import Final, Protocol

from syncd.errors import NoMirror, Stopped, StorageFailed, SyncdError
from syncd.log import get_logger
from syncd.services.prepare import Pulling
from syncd.store.runs import RunRow, next_run_id, record_run

POLLS: Final = frozenset({"events"})
"""Kinds of runs that come every minute, as a rule for nothing."""


class Report(Protocol):
    """What the report of every kind of run says."""

    @property
    def run_id(self) -> int | None:
        """The number of its row."""

    @property
    def outcome(self) -> str:
        """Complete, partial or failed."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What was done, counted."""

    @property
    def requests(self) -> int:
        """What it has asked the account."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""


def log_end(kind: str, report: Report) -> None:
    """Write the one line of a run that came to its end; a poll that heard of nothing is no news."""
    quiet = kind in POLLS and report.outcome == "complete" and not report.counts
    get_logger().log(
        DEBUG if quiet else INFO,
        f"{kind}.ended",
        run=report.run_id,
        outcome=report.outcome,
        requests=report.requests,
        seconds=round(report.seconds, 3),
        counts=dict(report.counts),
        notes=list(report.notes),
    )


def log_failure(kind: str, error: SyncdError) -> None:
    """Write the one line of a run that failed."""
    get_logger().error(f"{kind}.failed", error=error.message, kind=type(error).__name__)


def record_failure(
    work: Pulling, kind: str, scope: str, started: datetime, error: SyncdError
) -> None:
    """Put a run that failed on record; where there is no database to write to, the log has it.

    One that was told to stop did not fail: it was cut off at a request, and the next one asks
    for all of it again.
    """
    if isinstance(error, Stopped):
        return
    log_failure(kind, error)
    if isinstance(error, StorageFailed | NoMirror):
        return
    row = RunRow(
        kind=kind,
        scope=scope,
        started_at=started,
        finished_at=work.clock(),
        outcome="failed",
        detail={"class": type(error).__name__},
        error=error.message,
    )
    with work.db.write() as tx:
        work.lease.verify(tx)
        record_run(tx, next_run_id(tx), row)
