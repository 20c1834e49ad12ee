"""`syncd db upgrade` and `syncd db current`: the schema of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from syncd.cli.db_backup import backup
from syncd.cli.db_dictionary import dictionary
from syncd.cli.db_grant import grant
from syncd.cli.db_move import move
from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.store.revisions import SchemaState


@click.group("db")
def db() -> None:
    """Look after the database: schema, backup, rights, dictionary."""


db.add_command(backup)
db.add_command(dictionary)
db.add_command(grant)
db.add_command(move)


@db.command("current")
@click.pass_obj
def current(call: Invocation) -> int:
    """Tell which schema the database has, and which this syncd needs.

    Exit code 2 where the database is not ours, or newer than this syncd.
    """
    with call.app() as app:
        state = _state(app)
        told = _document(app, state)
    call.out.document(told)
    verdict = "as needed" if state.current else f"this syncd needs {state.head}"
    call.out.lines([f"{told['database']}: schema {state.revision or 'none yet'}, {verdict}"])
    return 0


@db.command("upgrade")
@click.pass_obj
def upgrade(call: Invocation) -> int:
    """Bring the schema up to what this syncd needs.

    A SQLite database is first copied to FILE.backup-REVISION-TIME beside it; to go back, put that
    copy in the place of the database while no syncd runs. Before the upgrade of a PostgreSQL
    database make a backup with pg_dump.
    """
    from syncd.store.upgrade import upgrade as upgrade_schema

    with call.app() as app:
        app.db.probe(write=True)
        before = _state(app)
        backup = None if before.current else upgrade_schema(app.db, now=app.clock())
        after = _state(app)
        told = _document(app, after) | {"from": before.revision, "backup": backup}
    call.out.document(told)
    call.out.lines(_lines(told))
    return 0


def _state(app: App) -> SchemaState:
    """Read the schema's version; a SQLite file that does not exist is not made for it."""
    from syncd.store.revisions import schema_state_of
    from syncd.store.upgrade import schema_state

    if app.db.path is not None and not app.db.path.exists():
        return schema_state_of(app.db.label, (), None)
    return schema_state(app.db)


def _document(app: App, state: SchemaState) -> dict[str, Any]:
    return {
        "database": app.db.label,
        "revision": state.revision,
        "head": state.head,
        "current": state.current,
    }


def _lines(told: dict[str, Any]) -> list[str]:
    if told["from"] == told["revision"]:
        return [f"{told['database']}: schema {told['revision']} already"]
    lines = [f"{told['database']}: schema {told['from'] or 'none'} → {told['revision']}"]
    return [*lines, f"The database as it was: {told['backup']}"] if told["backup"] else lines
