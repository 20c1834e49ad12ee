"""`syncd task add|edit|done|reopen`: queue edits through the gate, `live_tasks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.services.queueing import Queued

COLUMNS = {
    "title": "name",
    "assignee": "assignee_email",
    "author": "author_email",
    "start": "date_start",
    "due": "date_end",
    "closed": "date_closed",
    "estimate_hours": "max_time",
    "estimate_money": "max_money",
    "subscribe": "subscribers",
    "mention": "mentions",
    "tag": "tags",
    "project": "project_id",
}
"""What `live_tasks` calls an option, where it calls it otherwise."""
CLEARED = {
    "start": "date_start",
    "due": "date_end",
    "closed": "date_closed",
    "estimate-hours": "max_time",
    "estimate-money": "max_money",
    "assignee": "assignee_email",
    "tags": "tags",
}
SENTINELS = {"anyone": "ANY", "nobody": "NOONE"}

Command = Callable[..., Any]


def _scalars(command: Command) -> Command:
    """Add the options that creating and editing share."""
    options = (
        click.option("--title", metavar="TEXT", help="The title."),
        click.option("--assignee", metavar="EMAIL|anyone|nobody", help="Who is to do it."),
        click.option("--priority", metavar="N", help="From 0 to 10."),
        click.option("--start", metavar="DATE", help="Start date, as 2026-02-01."),
        click.option("--due", metavar="DATE", help="Due date, as 2026-02-01."),
        click.option("--estimate-hours", metavar="N", help="Estimate in hours."),
        click.option("--estimate-money", metavar="N", help="Estimate in the account's currency."),
        click.option("--tag", metavar="NAME", multiple=True, help="Put this tag on. Repeatable."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("add")
@_scalars
@click.option("--project", metavar="ID", help="Its project; not needed under a parent.")
@click.option("--parent", metavar="ID|REF", help="The task above it: its number, or a ref.")
@click.option("--text", metavar="TEXT", help="The description. It cannot be changed later.")
@click.option("--checklist", metavar="TEXT", multiple=True, help="A line of it. Repeatable.")
@click.option("--author", metavar="EMAIL", help="Who creates it.  [default: the key's owner]")
@click.option("--subscribe", metavar="EMAIL", multiple=True, help="Who follows it. Repeatable.")
@click.option("--hidden", metavar="EMAIL", multiple=True, help="Who alone sees it. Repeatable.")
@click.option("--mention", metavar="EMAIL", multiple=True, help="Whom to mention. Repeatable.")
@click.option(
    "--attach",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True),
    help="A file that goes along, as it is now. Repeatable.",
)
@click.option("--ref", metavar="REF", help="A name of yours: the same ref makes no second task.")
@click.pass_obj
def add(call: Invocation, /, attach: tuple[str, ...], **options: Any) -> int:
    """Queue a new task. The next push creates it.

    Give it a --ref where the command may run again: a ref that is queued, or was created, already
    queues nothing. A ref of digits alone cannot be told from a task's number.

    Exit code 2 where a rule forbids it; nothing is queued then.
    """
    from syncd.services.actor import local_actor
    from syncd.services.queueing import add_task, read_enclosures

    fields = _fields({name: value for name, value in options.items() if value not in (None, ())})
    files = read_enclosures(attach)
    return _queue(call, lambda app: add_task(app.db, fields, files=files, actor=local_actor()))


@click.command("edit")
@click.argument("task", metavar="ID|REF")
@_scalars
@click.option("--untag", metavar="NAME", multiple=True, help="Take this tag off. Repeatable.")
@click.option("--closed", metavar="DATE", help="The day it was completed.")
@click.option(
    "--clear",
    metavar="FIELD",
    type=click.Choice(list(CLEARED)),
    multiple=True,
    help=f"Set to nothing: {', '.join(CLEARED)}. Repeatable.",
)
@click.pass_obj
def edit(
    call: Invocation,
    /,
    task: str,
    tag: tuple[str, ...],
    untag: tuple[str, ...],
    clear: tuple[str, ...],
    **options: Any,
) -> int:
    """Queue an edit of a task, by its number or the ref it was created with.

    Only what is named changes; tags that are not named stay. An empty text clears nothing, so that
    an empty shell variable does no harm: say --clear.

    Exit code 2 where a rule forbids it; nothing is queued then.
    """
    from syncd.services.actor import local_actor
    from syncd.services.queueing import Edit, edit_task

    fields = _fields({name: value for name, value in options.items() if value is not None})
    cleared = dict.fromkeys((CLEARED[name] for name in clear), None)
    twice = sorted(fields.keys() & cleared.keys())
    if twice:
        raise click.UsageError(f"{twice[0]} cannot be both set and cleared.")
    if not (fields or cleared or tag or untag):
        raise click.UsageError("Say what is to change.")
    wanted = Edit(fields | cleared, tag, untag)
    return _queue(call, lambda app: edit_task(app.db, task, wanted, actor=local_actor()))


@click.command("done")
@click.argument("tasks", metavar="ID|REF...", nargs=-1, required=True)
@click.pass_obj
def done(call: Invocation, *, tasks: tuple[str, ...]) -> int:
    """Queue the completing of tasks, all of them or none.

    Exit code 2 where one of them is not there; nothing is queued then.
    """
    from syncd.services.actor import local_actor
    from syncd.services.queueing import set_status

    return _queue(call, lambda app: set_status(app.db, tasks, "done", actor=local_actor()))


@click.command("reopen")
@click.argument("tasks", metavar="ID|REF...", nargs=-1, required=True)
@click.pass_obj
def reopen(call: Invocation, *, tasks: tuple[str, ...]) -> int:
    """Queue the reopening of completed tasks, all of them or none.

    Exit code 2 where one of them is not there; nothing is queued then.
    """
    from syncd.services.actor import local_actor
    from syncd.services.queueing import set_status

    return _queue(call, lambda app: set_status(app.db, tasks, "active", actor=local_actor()))


def _fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options under the names of the columns, people as the account calls them."""
    fields = {COLUMNS.get(name, name): value for name, value in options.items()}
    assignee = fields.get("assignee_email")
    if assignee is not None:
        fields["assignee_email"] = SENTINELS.get(assignee.lower(), assignee)
    return fields


def _queue(call: Invocation, queue: Callable[[App], Queued]) -> int:
    from syncd.cli.queue_text import queued_document, show_queued
    from syncd.cli.writing import writable
    from syncd.services.queue import explain_changes

    with writable(call) as app:
        queued = queue(app)
        told = explain_changes(
            app.db, queued.changes, now=app.clock(), max_batch=app.settings.push.max_batch
        )
    call.out.document(queued_document(queued, told))
    show_queued(call.out, queued, told)
    return 0
