"""`syncd db move`: the mirror goes from a SQLite file to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.invocation import Invocation
from syncd.cli.table import Cell, Column, show_table
from syncd.cli.words import counted

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.cli.output import Output
    from syncd.services.move import MoveReport
    from syncd.services.move_address import Address

COLUMNS = (Column("table", share=1), Column("rows", right=True), Column("there"))


@click.command("move")
@click.argument("target_url", required=False)
@click.option("--schema", metavar="NAME", help="A schema of its own there; made where it is not.")
@click.option("--dry-run", is_flag=True, help="Read and check everything; write nothing.")
@click.option("--undo", is_flag=True, help="Let the old file be the mirror again.")
@click.pass_obj
def move(
    call: Invocation, target_url: str | None, schema: str | None, *, dry_run: bool, undo: bool
) -> int:
    """Move the mirror from a SQLite file to an empty PostgreSQL database.

    TARGET_URL: postgresql://USER@HOST/DATABASE; the password is best in ~/.pgpass. Everything goes
    along, history, queued changes and audit log included, and is compared row by row before it
    counts. The file stays as it is, but syncd does not work with it any more.

    Stop syncd first. Nobody can queue changes meanwhile; they are told that the file is locked.

    Exit code: 0 moved; 3 moved, and the audit log was broken before; 1 a value cannot go, or the
    copy is not the same, nothing was moved; 2 the target cannot be used; 5 a syncd is at work.
    """
    if undo:
        return _undo(call)
    if target_url is None:
        raise click.UsageError("Where to? Give TARGET_URL: postgresql://USER@HOST/DATABASE")
    from syncd.services.move_address import read_address

    address = read_address(target_url, schema)
    with call.app() as app:
        call.start_log(app.settings)
        report = _moved(call, app, address, dry_run=dry_run)
    call.out.document(_document(report, address))
    _show(call.out, report, address)
    return report.exit_code


def _moved(call: Invocation, app: App, address: Address, *, dry_run: bool) -> MoveReport:
    from syncd.cli.progress import shown_progress
    from syncd.services.move import move as move_mirror
    from syncd.services.move import rehearse_move
    from syncd.services.move_address import refuse_source
    from syncd.store.engine import open_database

    refuse_source(app.db)
    app.bring_up(write=not dry_run)
    target = open_database(address.given, schema=address.schema)
    with (
        closing(target),
        shown_progress(call.out) as progress,
        app.moving(target, progress, dry_run=dry_run) as work,
    ):
        return rehearse_move(work) if dry_run else move_mirror(work)


def _undo(call: Invocation) -> int:
    from syncd.services.move_address import refuse_source

    with call.app() as app:
        call.start_log(app.settings)
        refuse_source(app.db)
        app.bring_up(write=True)
        other, label = app.undo_move(), app.db.label
    call.out.document({"database": label, "was_moved_to": other, "exit_code": 0})
    call.out.lines(
        [
            f"{label} is the mirror again. What was done in {other} since stays there.",
            f"Let no syncd work with {other} any more. Then: syncd pull, and syncd push, which",
            "looks for what may have been sent from there before it sends anything.",
        ]
    )
    return 0


def _document(report: MoveReport, address: Address) -> dict[str, Any]:
    return {
        "from": report.source,
        "to": report.target,
        "dry_run": report.dry_run,
        "finished_earlier": report.finished,
        "tables": [asdict(one) for one in report.compared],
        "notes": list(report.notes),
        "audit_broken": report.broken,
        "config": {"url": address.shown, "schema": address.schema},
        "exit_code": report.exit_code,
    }


def _show(out: Output, report: MoveReport, address: Address) -> None:
    if report.compared:
        show_table(out, COLUMNS, [_line(report, one) for one in report.compared])
        out.lines([""])
    out.lines(_headline(report))
    out.lines(f"Note: {note}." for note in report.notes)
    if report.broken:
        out.lines([f"The audit log was broken before: {report.broken}. See: syncd audit verify"])
    if not report.dry_run:
        out.lines(_next(address))


def _line(report: MoveReport, one: Any) -> list[Cell]:
    there = "" if report.dry_run else "the same"
    return [Cell(one.name), Cell(f"{one.rows:,}"), Cell(there)]


def _headline(report: MoveReport) -> Iterator[str]:
    rows = counted(report.rows, "row")
    if report.dry_run:
        yield f"Nothing was written. {rows} can go from {report.source} to {report.target}."
    elif report.finished:
        yield f"The earlier move of {report.source} to {report.target} is finished now."
    else:
        yield f"Moved {report.source} to {report.target}: {rows}, all the same there."


def _next(address: Address) -> Iterator[str]:
    yield "Now, in syncd.toml:"
    yield "  [database]"
    yield f'  url = "{address.shown}"'
    if address.schema:
        yield f'  schema = "{address.schema}"'
    if address.password:
        yield f"and in ~/.pgpass, mode 0600: {address.pgpass}"
    yield "Rights of other roles do not come along: give them with syncd db grant."
    yield "The file stays and refuses to be used; to go back to it: syncd db move --undo"
