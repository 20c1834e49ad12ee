"""Pull: fetch, look, then one transaction that plans, brakes, applies and writes the run's row."""

from __future__ import annotations

from dataclasses import replace

from syncd.errors import SyncdError
from syncd.model.reports import PullReport
from syncd.services.land import land
from syncd.services.prepare import Pulling, prepare
from syncd.services.recording import log_end, record_failure


def pull(work: Pulling, *, dry_run: bool = False, allow_removals: bool = False) -> PullReport:
    """Make the mirror equal to the account, as far as the account's answers prove.

    Raises AccountError where nothing could be pulled at all; then a failed run is on record.
    """
    started, asked = work.clock(), work.client.budget.requests
    try:
        prepared = prepare(work, dry_run=dry_run, allow_removals=allow_removals)
        by_projects = prepared.fetched is not None and prepared.fetched.how == "projects"
        large = by_projects and prepared.known.account is None
        with work.db.read() if dry_run else work.db.write(spilling=large) as tx:
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
    except SyncdError as error:
        if not dry_run:
            record_failure(work, "pull", "account", started, error)
        raise
    report = replace(
        report,
        requests=work.client.budget.requests - asked,
        seconds=(work.clock() - started).total_seconds(),
    )
    log_end("pull", report)
    return report
