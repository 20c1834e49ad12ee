"""Pull: fetch, look, then one transaction that plans, brakes, applies and writes the run's row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from syncd.errors import Stopped, StorageFailed, SyncdError
from syncd.log import get_logger
from syncd.model.reports import PullReport
from syncd.services.land import land
from syncd.services.prepare import Pulling, prepare
from syncd.store.runs import RunRow, next_run_id, record_run


def pull(work: Pulling, *, dry_run: bool = False, allow_removals: bool = False) -> PullReport:
    """Make the mirror equal to the account, as far as the account's answers prove.

    Raises AccountError where nothing could be pulled at all; then a failed run is on record.
    """
    started, asked = work.clock(), work.client.budget.requests
    try:
        prepared = prepare(work, dry_run=dry_run, allow_removals=allow_removals)
        with work.db.read() if dry_run else work.db.write() as tx:
            if not dry_run:
                work.lease.verify(tx)
            report = land(
                work,
                tx,
                prepared,
                started=started,
                dry_run=dry_run,
                allow_removals=allow_removals,
            )
    except Stopped:
        raise  # no run: it is cut off at a request, and the next one goes on from there
    except SyncdError as error:
        if not dry_run:
            _record_failure(work, started, error)
        raise
    report = replace(
        report,
        requests=work.client.budget.requests - asked,
        seconds=(work.clock() - started).total_seconds(),
    )
    get_logger().info(
        "pull.ended",
        run=report.run_id,
        outcome=report.outcome,
        requests=report.requests,
        seconds=round(report.seconds, 3),
        counts=dict(report.counts),
        notes=list(report.notes),
    )
    return report


def _record_failure(work: Pulling, started: datetime, error: SyncdError) -> None:
    """Put a failed run on record; where the database itself failed, the log alone has it."""
    get_logger().error("pull.failed", error=error.message, kind=type(error).__name__)
    if isinstance(error, StorageFailed):
        return
    row = RunRow(
        kind="pull",
        scope="account",
        started_at=started,
        finished_at=work.clock(),
        outcome="failed",
        detail={"class": type(error).__name__},
        error=error.message,
    )
    with work.db.write() as tx:
        work.lease.verify(tx)
        record_run(tx, next_run_id(tx), row)
