"""`syncd audit`: what was decided, by whom and why; and the proof that nobody changed the log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.invocation import Invocation
from syncd.cli.output import one_line
from syncd.cli.words import counted, moment
from syncd.secrets import mask

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.services.audit import AuditRow
    from syncd.store.proof import Proof


@click.group("audit")
def audit() -> None:
    """Read the audit log, and prove that nobody changed it.

    It tells every decision, who caused it, and why. Asks the database alone, never the account, and
    works beside a running syncd.
    """


@audit.command("tail")
@click.option(
    "-n",
    "count",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="How many rows.",
)
@click.option("--follow", is_flag=True, help="Go on with new rows as they come, until Ctrl-C.")
@click.pass_obj
def tail(call: Invocation, *, count: int, follow: bool) -> int:
    """Show the newest rows, the newest last.

    With --json one document, {"rows": [...]}; with --follow as well, one line of JSON for each row.
    """
    from syncd.services.audit import tail as newest

    with call.app() as app:
        app.ready(write=False)
        rows = newest(app.db, count)
        _show(call, rows, as_lines=follow)
        if follow:
            _follow(call, app, rows[-1].seq if rows else 0)
    return 0


def _follow(call: Invocation, app: App, last: int) -> None:
    from syncd.services.audit import follow

    with suppress(KeyboardInterrupt):  # the way to end it
        for row in follow(app.db, last, sleep=app.sleep):
            _show(call, [row], as_lines=True)


@audit.command("search")
@click.argument("text", required=False)
@click.option("--event", metavar="EVENT", help="Only this event; or all of a noun: change, task.")
@click.option(
    "--task", type=click.IntRange(min=1), metavar="ID", help="Only this task and its changes."
)
@click.option("--change", type=click.IntRange(min=1), metavar="ID", help="Only this change.")
@click.option(
    "--actor", metavar="ACTOR", help="Only whom: daemon, account, cli:USER, sql:USER, USER."
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="From this day.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="To the end of this day."
)
@click.pass_obj
def search(
    call: Invocation, /, since: datetime | None, until: datetime | None, **options: Any
) -> int:
    """Show the rows that match, the oldest first; TEXT may be anywhere in a row.

    Days are the account's where account.timezone is set, else this machine's. With --json one
    document, {"rows": [...]}.
    """
    from syncd.services.audit import Wanted
    from syncd.services.audit import search as find

    with call.app() as app:
        app.ready(write=False)
        zone = app.settings.account.zone
        start = _midnight(since.date(), zone) if since else None
        end = _midnight(until.date() + timedelta(days=1), zone) if until else None
        _show(call, find(app.db, Wanted(since=start, until=end, **options)))
    return 0


def _midnight(day: date, zone: Any) -> datetime:
    """Return when a day begins in the account, or here where its time zone is not known."""
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    return begins.astimezone(UTC)


@audit.command("verify")
@click.pass_obj
def verify(call: Invocation) -> int:
    """Prove that the log is as it was written.

    Every row holds the hash of the row before it. Where old rows were pruned, the proof begins at
    the newest checkpoint, which seals them.

    Exit code: 0 it holds; 1 it does not: the first bad row is named, and what is wrong with it.
    """
    from syncd.services.audit import verify as prove

    with call.app() as app:
        app.ready(write=False)
        proof = prove(app.db)
    code = 0 if proof.holds else 1
    call.out.document({"holds": proof.holds, **asdict(proof), "exit_code": code})
    call.out.lines(_verdict(proof))
    return code


def _verdict(proof: Proof) -> list[str]:
    if proof.broken is not None:
        bad = proof.broken
        return [
            f"The audit log is broken at row {bad.seq}: {bad.kind}: {one_line(bad.why)}.",
            "Compare it with a backup, and with the log lines, which hold each row's hash.",
        ]
    if proof.hash is None:
        return ["The audit log is empty."]
    lines = [f"The audit log holds: {counted(proof.rows, 'row')}, {proof.first} to {proof.last}."]
    if proof.checkpoint is not None:
        lines.append(f"What was pruned before is sealed by row {proof.checkpoint}.")
    return [*lines, f"Hash of row {proof.last}: {proof.hash}"]


def _show(call: Invocation, rows: Iterable[AuditRow], *, as_lines: bool = False) -> None:
    """Show rows to a person a line each; to a program as one document, or as lines of JSON."""
    if not call.json:
        call.out.lines(_line(row) for row in rows)
    elif as_lines:
        for row in rows:
            print(mask(json.dumps(asdict(row) | {"at": row.at.isoformat()})))
    else:
        call.out.document({"rows": [asdict(row) for row in rows]})
    sys.stdout.flush()


def _line(row: AuditRow) -> str:
    about = f"{row.entity} {row.entity_id or ''}".strip() if row.entity else "-"
    detail = json.dumps(row.detail, ensure_ascii=False) if row.detail else ""
    parts = (str(row.seq), moment(row.at), row.actor, row.event, about, detail)
    return "  ".join(map(one_line, parts)).rstrip()
