"""Housekeeping: what is no longer kept is deleted, and the database is kept quick. Once a day."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from syncd.log import get_logger
from syncd.services.retention import Pruned, prune
from syncd.settings import Settings
from syncd.store.engine import Database
from syncd.store.runs import Outcome, RunRow, next_run_id, record_run
from syncd.store.upkeep import Upkeep, upkeep

KIND: Final = "housekeeping"
BROKEN: Final = "the audit log is not sound, so nothing of it was deleted: syncd audit verify"


@dataclass(frozen=True, slots=True)
class HousekeepingReport:
    """The result of one housekeeping: rows deleted, what was done for speed, what was left."""

    outcome: Outcome
    run_id: int
    pruned: Pruned
    upkeep: Upkeep
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """What was done, in numbers."""
        rows = {name: n for name, n in asdict(self.pruned).items() if name != "broken"}
        done = self.upkeep
        return rows | {"analysed": done.analysed, "bytes_given_back": done.given_back}


def keep_house(
    db: Database,
    settings: Settings,
    *,
    at: datetime,
    actor: str,
    monotonic: Callable[[], float] = time.monotonic,
    moved: Callable[[], None] = lambda: None,
) -> HousekeepingReport:
    """Apply retention, then keep the database quick; whoever calls it holds the lease.

    Asks the account nothing, and keeps no reader waiting. `moved` is called again and again while
    what takes long goes on. Raises StorageFailed.
    """
    began = monotonic()
    pruned = prune(db, now=at, keep=settings.retention, actor=actor)
    done = upkeep(db, moved=moved)
    notes = (*done.notes, *((BROKEN,) if pruned.broken is not None else ()))
    outcome: Outcome = "partial" if notes else "complete"
    with db.write() as tx:
        run_id = next_run_id(tx)
        report = HousekeepingReport(outcome, run_id, pruned, done, monotonic() - began, notes)
        record_run(tx, run_id, _row(report, at))
    get_logger().info(
        "housekeeping.ended",
        run=run_id,
        outcome=outcome,
        seconds=round(report.seconds, 3),
        counts=report.counts,
        notes=list(notes),
    )
    return report


def _row(report: HousekeepingReport, at: datetime) -> RunRow:
    """Return the run's row; its observed_at stays empty, for the account was not asked."""
    return RunRow(
        kind=KIND,
        scope="database",
        started_at=at,
        finished_at=at + timedelta(seconds=report.seconds),
        outcome=report.outcome,
        counts=report.counts,
        detail={"notes": list(report.notes)},
    )
