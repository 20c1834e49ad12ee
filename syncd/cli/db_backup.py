"""`syncd db backup`: a copy of a SQLite database, made while it is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncd.cli.invocation import Invocation
from syncd.cli.words import counted, span

if TYPE_CHECKING:
    from syncd.services.backup import Backup


@click.command("backup")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A new file, or a folder, instead of the folder of backups.",
)
@click.pass_obj
def backup(call: Invocation, *, to: Path | None) -> int:
    """Copy a SQLite database while it is used.

    The copy goes to backup.folder, by default `backups` beside the database, and is checked before
    the oldest beyond backup.keep is deleted. The daemon does the same once a day. To restore one,
    see docs/backup.md. A PostgreSQL database is backed up with pg_dump.
    """
    from syncd.services.backup import back_up

    with call.app() as app:
        call.start_log(app.settings)
        made = back_up(app.db, app.settings, at=app.clock(), to=to)
        if made is None:  # only who may stop it half-way sees this
            return 1
        told = {"database": app.db.label, "backup": made.path, "bytes": made.size}
    call.out.document(
        told | {"seconds": round(made.seconds, 3), "dropped": [str(path) for path in made.dropped]}
    )
    call.out.lines(_lines(made))
    return 0


def _lines(made: Backup) -> Iterator[str]:
    yield f"{made.path}: {made.size / 1e6:,.1f} MB in {span(made.seconds)}, checked"
    if made.dropped:
        yield f"  {counted(len(made.dropped), 'older backup')} deleted (backup.keep)"
