"""`syncd status`: the state of the mirror in a few lines. Loads nothing it does not need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from syncd.cli.invocation import Invocation
from syncd.cli.output import Output
from syncd.cli.words import counted, moment, span
from syncd.model.reports import StatusReport

HEADLINES = {
    "green": ("green", "Complete"),
    "partial": ("yellow", "Partial"),
    "failed": ("red", "The last pull failed"),
    "empty": ("yellow", "Empty"),
}


@click.command("status")
@click.pass_obj
def status(call: Invocation) -> int:
    """Tell how fresh and how complete the mirror is.

    Asks the database alone, never the account. Complete means: as of the stated time, the mirror
    held all that the account shows.

    Exit code: 0 complete; 3 not complete, or something waits for a person; 2 no mirror.
    """
    from syncd.services.status import read_status

    settings = call.settings()
    report = read_status(
        settings.database_url,
        schema=settings.database.schema,
        max_batch=settings.push.max_batch,
    )
    call.out.document(asdict(report) | {"exit_code": report.exit_code})
    call.out.lines(_lines(report, call.out))
    return report.exit_code


def _lines(report: StatusReport, out: Output) -> Iterator[str]:
    colour, headline = HEADLINES[report.state]
    since = f" as of {_when(report.as_of)}" if report.as_of else ""
    if report.state == "failed" and report.as_of:
        since = f"; the mirror is as of {_when(report.as_of)}"
    yield out.paint(headline, fg=colour, bold=True) + since
    if report.state != "green" and report.last_complete_at:
        yield f"Last complete as of {_when(report.last_complete_at)}"
    if report.under_way:
        yield f"A command talks to the account now: {report.under_way}"
    yield ""
    yield f"  account   {report.account or 'none yet'}"
    yield f"  database  {report.database}, schema {report.schema}"
    yield from _counts(report)
    yield from _last_run(report)
    if report.waiting:
        yield ""
    for one in report.waiting:
        yield one.what
        yield f"  {one.do}"


def _counts(report: StatusReport) -> Iterator[str]:
    count = report.counts
    doubtful = f", {count['tasks_suspect']:,} of these suspect" if count["tasks_suspect"] else ""
    yield (
        f"  tasks     {count['tasks_active']:,} active, {count['tasks_done']:,} done{doubtful};"
        f" {count['tasks_removed']:,} removed, {counted(count['past_versions'], 'past version')}"
    )
    yield (
        f"  also      {counted(count['projects'], 'project')},"
        f" {counted(count['members'], 'person', 'people')}, {counted(count['tags'], 'tag')},"
        f" {counted(count['files'], 'file')}, {counted(count['relations'], 'relation')}"
    )
    if count["changes_queued"]:
        yield f"  queued    {counted(count['changes_queued'], 'change')} on the way to the account"
    if count["quarantine"]:
        yield f"  set aside {counted(count['quarantine'], 'record')} that could not be understood"


def _last_run(report: StatusReport) -> Iterator[str]:
    run = report.last_run
    if run is None:
        return
    took: timedelta = run["finished_at"] - run["started_at"]
    yield (
        f"  last run  number {run['id']}, {run['outcome']},"
        f" {moment(run['finished_at'])}, took {span(took.total_seconds())}"
    )


def _when(at: datetime) -> str:
    age_s = (datetime.now(UTC) - at).total_seconds()
    return f"{moment(at)} ({span(max(0.0, age_s))} ago)"
