"""The result of a push, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncd.cli.output import Output
from syncd.cli.words import counted, span
from syncd.model.reports import PushReport

COLOURS = {"complete": "green", "partial": "yellow", "failed": "red"}
WAITING = {
    "queued": ("{} to go", "syncd why CHANGE tells until when it waits"),
    "uncertain": ("{} that may have landed", "the next push looks; syncd queue list"),
    "sending": ("{} on the way", "syncd queue list"),
    "applied": ("{} to be confirmed by a later read", "syncd queue list"),
    "held": (
        "{} held by the brake",
        "syncd queue list --state held, then syncd queue release --all or syncd queue cancel --all",
    ),
    "conflict": ("{} in conflict", "syncd queue list --state conflict, then syncd queue resolve"),
    "failed": ("{} failed", "syncd queue list --state failed, then syncd queue retry or cancel"),
}
"""What is left in each state, and what a person can do about it."""


def document(report: PushReport) -> dict[str, Any]:
    """Return the report as `--json` shows it."""
    return {
        "outcome": report.outcome,
        "run_id": report.run_id,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "counts": report.counts,
        "waiting": report.waiting,
        "notes": report.notes,
        "exit_code": report.exit_code,
    }


def lines(report: PushReport, out: Output) -> Iterator[str]:
    """Return the report for a person."""
    outcome = out.paint(report.outcome.capitalize(), fg=COLOURS[report.outcome], bold=True)
    cost = f"{counted(report.requests, 'request')}, {span(report.seconds)}, run {report.run_id}"
    yield f"{outcome}: {_done(report.counts)} ({cost})"
    for note in report.notes:
        yield f"  {out.paint('!', fg='yellow', bold=True)} {note}"
    yield from waiting_lines(report.waiting)


def waiting_lines(waiting: Mapping[str, int]) -> Iterator[str]:
    """Return what is left in the outbox, with what to do about it."""
    for state, (what, do) in WAITING.items():
        if number := waiting.get(state, 0):
            yield f"  {what.format(counted(number, 'change'))}: {do}"


def _done(counts: Mapping[str, int]) -> str:
    confirmed, written = counts.get("confirmed", 0), counts.get("requests_written", 0)
    if not confirmed and not written:
        return "nothing was sent"
    sent = f" with {counted(written, 'writing request')}" if written else ", nothing had to be sent"
    return f"{counted(confirmed, 'change')} confirmed{sent}"
