"""The result of a verification, for a person and for a program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from syncd.cli.output import Output, one_line
from syncd.cli.words import counted, span
from syncd.model.drift import WHOLE, Flaw, Found, VerifyReport

SHOWN = 20
LONGEST = 60


def document(report: VerifyReport) -> dict[str, Any]:
    """Return the report as `--json` shows it."""
    return {
        "outcome": report.outcome,
        "run_id": report.run_id,
        "drift": report.drift,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "counts": report.counts,
        "differences": [
            {
                "task_id": one.difference.task_id,
                "field": one.difference.field,
                "mirror": one.difference.ours,
                "account": one.difference.theirs,
                "verdict": one.verdict,
            }
            for one in report.found
        ],
        "flaws": [
            {"rule": one.rule, "count": one.count, "task_ids": one.task_ids} for one in report.flaws
        ],
        "notes": report.notes,
        "repaired": report.repaired,
        "exit_code": report.exit_code,
    }


def lines(report: VerifyReport, out: Output) -> Iterator[str]:
    """Return the report for a person."""
    yield _headline(report, out)
    drift = [one for one in report.found if one.verdict == "drift"]
    for one in drift[:SHOWN]:
        yield f"  {_difference(one)}"
    if len(drift) > SHOWN:
        yield f"  ... and {len(drift) - SHOWN:,} more: syncd verify --json"
    yield from _beside(report, out)
    if report.drift:
        yield ""
        yield from _what_to_do(report)


def _headline(report: VerifyReport, out: Output) -> str:
    counts = report.counts
    compared = max(counts["sampled"], counts["listed"])
    cost = f"({counted(report.requests, 'request')}, {span(report.seconds)}, run {report.run_id})"
    if report.drift:
        words = f"{report.drift:,} of {counted(compared, 'task')} compared differ from the account"
        return f"{out.paint('Drift', fg='red', bold=True)}: {words} {cost}"
    if not compared:
        return f"{out.paint('Nothing compared', fg='yellow', bold=True)} {cost}"
    verdict = out.paint("No drift", fg="green", bold=True)
    return f"{verdict}: {counted(compared, 'task')} compared {cost}"


def _difference(one: Found) -> str:
    found = one.difference
    if found.field == WHOLE:
        return f"task {found.task_id}: {found.ours} in the mirror, {found.theirs} in the account"
    ours, theirs = _value(found.ours), _value(found.theirs)
    return f"task {found.task_id}, {found.field}: {ours} in the mirror, {theirs} in the account"


def _value(value: Any) -> str:
    """Return a value on one line, and not too much of it."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        text = json.dumps(one_line(value), ensure_ascii=False)
    else:
        text = one_line(str(value)) if value != () else "none"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _beside(report: VerifyReport, out: Output) -> Iterator[str]:
    """Say what is no drift, and what could not be told."""
    counts = report.counts
    if counts["lagging"]:
        yield f"  {counted(counts['lagging'], 'task')} changed after the last pull: no drift"
    if counts["in_flight"]:
        yield f"  {counted(counts['in_flight'], 'task')} left out: a change is on its way"
    bang = out.paint("!", fg="yellow", bold=True)
    for flaw in report.flaws:
        yield f"  {bang} {_flaw(flaw)}"
    for note in report.notes:
        yield f"  {bang} {one_line(note)}"


def _flaw(flaw: Flaw) -> str:
    few = ", ".join(str(id) for id in flaw.task_ids)
    more = ", ..." if flaw.count > len(flaw.task_ids) else ""
    return f"{counted(flaw.count, 'task')} of the mirror cannot be so, {flaw.rule}: {few}{more}"


def _what_to_do(report: VerifyReport) -> Iterator[str]:
    if report.repaired:
        yield f"The next pull compares {counted(report.repaired, 'task')} anew: syncd pull"
        return
    yield "Let the next pull compare them anew: syncd verify --repair, then: syncd pull"
