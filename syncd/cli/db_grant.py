"""`syncd db grant`: who may read the mirror, and who may edit through it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.invocation import Invocation
from syncd.cli.output import one_line

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.services.grants import FileAccess, Granted
    from syncd.store.access import Access


@click.command("grant")
@click.option(
    "--reader", metavar="NAME", help="Let a role read the account, its history and reports."
)
@click.option("--editor", metavar="NAME", help="Let a role queue edits through the live views.")
@click.option("--revoke", metavar="NAME", help="Take back what was given to a role here.")
@click.option("--print", "only_print", is_flag=True, help="Print the SQL for psql; run nothing.")
@click.pass_obj
def grant(
    call: Invocation,
    *,
    reader: str | None,
    editor: str | None,
    revoke: str | None,
    only_print: bool,
) -> int:
    """Give a role of the PostgreSQL server exactly what it needs.

    A reader may SELECT from the mirror, its history, the reports and the live views, and write
    nowhere. An editor may use live_tasks and live_conflicts alone; a role that is to read as well
    gets both. Neither sees the queue, the audit log or what syncd remembers.

    Make the role first: CREATE ROLE NAME LOGIN, and in psql \\password NAME. Running this again
    does no harm. An upgrade of syncd lets readers read what it adds. For a SQLite file --reader
    tells how others open it. See docs/access.md.

    Exit code: 0 done; 3 done, but the role may do more than that by other ways, or cannot connect;
    2 no such role, or the mirror is not ours to give.
    """
    chosen = [(name, kind) for name, kind in _asked(reader, editor, revoke) if name is not None]
    if len(chosen) != 1:
        raise click.UsageError("Name one role: --reader NAME, --editor NAME or --revoke NAME")
    ((name, kind),) = chosen
    with call.app() as app:
        call.start_log(app.settings)
        app.ready(write=False)
        if app.db.is_sqlite:
            return _show_file(call, app, kind)
        done = _carry_out(app, name, kind, run=not only_print)
        label = app.db.label
    call.out.document(_document(done, label, kind))
    call.out.lines(_lines(done, kind) if done.ran else _script(done))
    return done.exit_code


def _asked(*names: str | None) -> Iterator[tuple[str | None, Access | None]]:
    return zip(names, ("reader", "editor", None), strict=True)


def _carry_out(app: App, name: str, kind: Access | None, *, run: bool) -> Granted:
    from syncd.services.grants import give, take_back

    return give(app.db, name, kind, run=run) if kind else take_back(app.db, name, run=run)


def _show_file(call: Invocation, app: App, kind: Access | None) -> int:
    from syncd.errors import ConfigError
    from syncd.services.grants import file_access

    if kind != "reader":
        raise ConfigError(
            f"{app.db.label} is a file: who may write it may write all of it, not the live view"
            " alone.",
            hint="For rights of single people move to a server: syncd db move. See docs/access.md",
        )
    found = file_access(app.db)
    call.out.document({"database": app.db.label, "access": kind, **asdict(found)})
    call.out.lines(_file_lines(found))
    return 0


def _file_lines(found: FileAccess) -> Iterator[str]:
    yield "A SQLite file has no roles: who may read the file may read all of it."
    yield "To read it while syncd works; whoever may not write in its folder can do that only then:"
    yield f"  sqlite3 '{found.uri}'"
    yield "To hand out a copy, which nobody writes any more:"
    yield "  syncd db backup --to COPY.db, and then sqlite3 'file:COPY.db?immutable=1'"
    yield "Never immutable=1 on the file that syncd works with: it shows old rows, or broken ones."


def _document(done: Granted, label: str, kind: Access | None) -> dict[str, Any]:
    return {
        "database": label,
        "schema": done.place.schema,
        "role": done.role,
        "asked": kind or "revoke",
        "statements": done.statements,
        "ran": done.ran,
        "role_exists": done.exists,
        "access": done.access,
        "beyond": [{"name": name, "privilege": privilege} for name, privilege in done.beyond],
        "search_path": done.search_path,
        "may_connect": done.connects,
        "may_create": done.creates,
        "exit_code": done.exit_code,
    }


def _script(done: Granted) -> Iterator[str]:
    """Return what psql runs as it is."""
    from syncd.services.grants import making

    yield f"-- To be run in the database {done.place.database}, as {done.place.owner}."
    if not done.exists:
        yield one_line(f"-- The role is not there yet: {making(done.role)}")
    for statement in done.statements:
        yield f"{statement};"


def _lines(done: Granted, kind: Access | None) -> Iterator[str]:
    here = f"schema {done.place.schema} of {done.place.database}"
    if kind is None:
        yield f"{done.role}: nothing that was given to it in {here} is left."
    else:
        yield f"{done.role} is {' and '.join(done.access)} in {here}."
    if kind and done.search_path:
        yield "So that names need no schema, once, as that role:"
        yield f"  {done.search_path};"
    yield from _doubts(done)


def _doubts(done: Granted) -> Iterator[str]:
    if not done.connects:
        yield f"! {done.role} may not connect to {done.place.database}. As the database's owner:"
        yield f"  {done.connecting};"
    if done.creates:
        yield f"! {done.role} may make tables in schema {done.place.schema}."
        yield "  In public of PostgreSQL 14 all may: REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    if done.beyond:
        yield f"! {done.role} may do more, by another role, by PUBLIC or by an earlier GRANT:"
        for privilege, names in _by_privilege(done.beyond).items():
            yield f"    {privilege} on {', '.join(names)}"
        yield "  What was given to the role itself goes with: syncd db grant --revoke"


def _by_privilege(beyond: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for name, privilege in beyond:
        found[privilege].append(name)
    return dict(found)
