"""The result of a pull, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from syncd.cli.output import Output
from syncd.cli.plan_text import plan_document, plan_lines
from syncd.cli.words import counted, moment, span
from syncd.model.reports import PullReport

CHANGED = (
    ("inserted", "new"),
    ("updated", "changed"),
    ("restored", "back again"),
    ("removed", "removed"),
    ("suspect", "missing without evidence"),
)
CATALOGUES = ("project", "member", "tag")


def document(report: PullReport) -> dict[str, Any]:
    """Return the report as `--json` shows it; a dry run has its plan in it."""
    told: dict[str, Any] = {
        "outcome": report.outcome,
        "observed_at": report.observed_at,
        "run_id": report.run_id,
        "how": report.how,
        "unchanged": report.unchanged,
        "dry_run": report.dry_run,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "counts": report.counts,
        "notes": report.notes,
        "brakes": [asdict(brake) for brake in report.brakes],
        "exit_code": report.exit_code,
    }
    return told | {"plan": plan_document(report)} if report.dry_run else told


def lines(report: PullReport, out: Output) -> Iterator[str]:
    """Return the report for a person."""
    if report.dry_run:
        yield from plan_lines(report, out)
    yield _headline(report, out)
    yield f"  {_tasks(report)}"
    catalogues = _catalogues(report)
    if catalogues:
        yield f"  {catalogues}"
    for note in report.notes:
        yield f"  {out.paint('!', fg='yellow', bold=True)} {note}"
    if report.brakes:
        yield from _what_to_do(report)


def _headline(report: PullReport, out: Output) -> str:
    colour = "green" if report.outcome == "complete" else "yellow"
    outcome = out.paint(report.outcome.capitalize(), fg=colour, bold=True)
    cost = f"{counted(report.requests, 'request')}, {span(report.seconds)}"
    if report.dry_run:
        return f"Dry run, nothing was written. The pull would be {report.outcome} ({cost})."
    return f"{outcome} as of {moment(report.observed_at)} ({cost}, run {report.run_id})"


def _tasks(report: PullReport) -> str:
    counts = report.counts
    if report.unchanged:
        return "Nothing changed: the account's answer is the same, byte for byte."
    done = [f"{counts[name]:,} {word}" for name, word in CHANGED if counts.get(name)]
    if counts.get("unchanged"):
        done.append(f"{counts['unchanged']:,} as they were")
    listed = f"{counted(counts.get('listed', 0), 'task')} listed"
    return f"{listed}: {', '.join(done)}" if done else listed


def _catalogues(report: PullReport) -> str:
    """Say what becomes of projects, members and tags, listed or named in passing."""
    counts = report.counts
    written = {
        kind: sum(counts.get(f"{kind}s_{how}", 0) for how in ("written", "named"))
        for kind in CATALOGUES
    }
    removed = {kind: counts.get(f"{kind}s_removed", 0) for kind in CATALOGUES}
    told = [
        ", ".join(counted(number, kind) for kind, number in group.items() if number) + f" {what}"
        for group, what in ((written, "new or changed"), (removed, "removed"))
        if any(group.values())
    ]
    return "; ".join(told)


def _what_to_do(report: PullReport) -> Iterator[str]:
    missing = sum(brake.missing for brake in report.brakes)
    yield ""
    yield f"{counted(missing, 'task')} will stay in the mirror until you decide."
    yield "  Look at them:     syncd pull --dry-run --allow-removals"
    yield "  Let them go:      syncd pull --allow-removals"
