"""`syncd status`: the state of the mirror in a few lines. Loads nothing it does not need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial

import click

from syncd.cli.invocation import Invocation
from syncd.cli.output import Output, one_line
from syncd.cli.words import counted, moment, span
from syncd.model.incidents import Incident
from syncd.model.reports import StatusReport

HEADLINES = {
    "green": ("green", "Complete"),
    "partial": ("yellow", "Partial"),
    "failed": ("red", "The last pull failed"),
    "empty": ("yellow", "Empty"),
}


TOLD_ANYWAY = frozenset({"mirror_partial", "brake", "conflict", "held", "failed"})
"""Kinds of incidents that the mirror itself shows: what waits is told once, as it is now."""


@click.command("status")
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
@click.pass_obj
def status(call: Invocation, watch: bool) -> int:
    """Tell how fresh and how complete the mirror is.

    Asks the database alone, never the account. Complete means: as of the stated time, the mirror
    held all that the account shows.

    Exit code: 0 complete; 3 not complete, or something waits for a person; 2 no mirror.
    """
    from syncd.services.status import read_status

    settings = call.settings()
    read = partial(
        read_status,
        settings.database_url,
        schema=settings.database.schema,
        max_batch=settings.push.max_batch,
    )
    if watch:
        return _watch(call.out, read)
    report = read()
    call.out.document(asdict(report) | {"exit_code": report.exit_code})
    call.out.lines(status_lines(report, call.out))
    return report.exit_code


def _watch(out: Output, read: Callable[[], StatusReport]) -> int:
    from syncd.cli.status_watch import watch

    if out.json:
        raise click.UsageError("--watch is for people; a program asks as often as it likes.")
    return watch(out, read)


def status_lines(report: StatusReport, out: Output) -> Iterator[str]:
    """Return what is told of a state, line by line."""
    yield headline(report, out)
    if report.state != "green" and report.last_complete_at:
        yield f"Last complete as of {_when(report.last_complete_at)}"
    if report.under_way:
        yield f"The right to talk to the account is held by {report.under_way}"
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
    yield from _incidents(report)


def headline(report: StatusReport, out: Output) -> str:
    """Return the first line: how complete the mirror is, and as of when."""
    colour, words = HEADLINES[report.state]
    since = f" as of {_when(report.as_of)}" if report.as_of else ""
    if report.state == "failed" and report.as_of:
        since = f"; the mirror is as of {_when(report.as_of)}"
    return out.paint(words, fg=colour, bold=True) + since


def noted(report: StatusReport) -> list[Incident]:
    """Return the open incidents that what waits does not tell of already."""
    return [one for one in report.incidents if one.kind not in TOLD_ANYWAY]


def _incidents(report: StatusReport) -> Iterator[str]:
    """Yield what the daemon noted; without one, nobody closes what may be over by now."""
    shown = noted(report)
    if shown:
        yield ""
    if shown and not report.watched:
        yield "Noted by a daemon that does not run now:"
    for one in shown:
        yield f"{one_line(one.summary)} ({one.kind}, since {moment(one.opened_at)})"
        yield f"  {one.remedy}"


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
