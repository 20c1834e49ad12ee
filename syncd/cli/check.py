"""`syncd check`: findings as they are made, each with its fix. `syncd init` shows its own alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from syncd.cli.invocation import Invocation
from syncd.cli.output import Output, one_line
from syncd.model.reports import Finding

if TYPE_CHECKING:
    from syncd.settings import Settings

MARKS = {
    "ok": ("ok", "green"),
    "note": ("note", "cyan"),
    "warning": ("WARN", "yellow"),
    "problem": ("FAIL", "red"),
}
MARK_WIDTH, NAME_WIDTH = 4, 20


@click.command("check")
@click.option("--wait", is_flag=True, help="Wait until nobody else talks to the account.")
@click.option("--offline", is_flag=True, help="Leave the account alone.")
@click.pass_obj
def check(call: Invocation, wait: bool, offline: bool) -> int:
    """Check configuration, database and account; each finding comes with its fix.

    Asks the account about ten times, and changes nothing anywhere.

    Exit code: 0 all is well, 3 warnings only, 2 a problem of the configuration or the database,
    4 a problem of the account, 5 the account was not asked, because another syncd talks to it.
    """
    from syncd.services.findings import exit_code

    found = list(show(call.out, _findings(call, wait=wait, offline=offline)))
    status = exit_code(found)
    call.out.document({"findings": [asdict(one) for one in found], "exit_code": status})
    call.out.lines(["", summary(found)])
    return status


def _findings(call: Invocation, *, wait: bool, offline: bool) -> Iterator[Finding]:
    from syncd.services.check_config import load

    loaded = load(call.config, os.environ)
    if isinstance(loaded, Finding):
        yield loaded
        return
    call.start_log(loaded)
    yield from _look(loaded, wait=wait, offline=offline)


def _look(settings: Settings, *, wait: bool, offline: bool) -> Iterator[Finding]:
    from syncd.bootstrap import asking_for, utc_now
    from syncd.errors import DatabaseUnusable
    from syncd.services.check import Checking
    from syncd.services.setup import machine_zone
    from syncd.store.engine import open_database

    work = Checking(
        settings,
        os.environ,
        asking=lambda: asking_for(settings, wait=wait),
        clock=utc_now,
        machine_zone=machine_zone(os.environ),
    )
    try:
        db = open_database(settings.database_url, schema=settings.database.schema)
    except DatabaseUnusable as error:
        yield from work.findings(error, offline=offline)
        return
    with closing(db):
        yield from work.findings(db, offline=offline)


def show(out: Output, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Pass findings on, each shown as soon as it is made."""
    for finding in findings:
        out.lines(_lines(out, finding))
        yield finding


def _lines(out: Output, finding: Finding) -> Iterator[str]:
    word, colour = MARKS[finding.severity]
    mark = out.paint(word.ljust(MARK_WIDTH), fg=colour, bold=finding.severity == "problem")
    yield f"{mark}  {finding.check:{NAME_WIDTH}}{one_line(finding.found)}"
    if finding.fix:
        yield f"{'':{MARK_WIDTH + 2 + NAME_WIDTH}}-> {one_line(finding.fix)}"


def summary(findings: Iterable[Finding]) -> str:
    """Say in a line how it stands."""
    severities = [one.severity for one in findings]
    told = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for noun, count in (
            ("problem", severities.count("problem")),
            ("warning", severities.count("warning")),
        )
        if count
    ]
    return f"{' and '.join(told)}; what to do stands below each." if told else "All is well."
