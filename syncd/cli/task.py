"""`syncd task`: the tasks of the mirror, listed and shown; edits of them stand in `task_write`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.invocation import Invocation
from syncd.cli.task_write import add, done, edit, reopen

if TYPE_CHECKING:
    from syncd.services.tasks import Status
    from syncd.settings import Settings


@click.group("task")
def task() -> None:
    """Look at the tasks in the mirror, and queue edits of them. The account is not asked."""


for command in (add, edit, done, reopen):
    task.add_command(command)


@task.command("list")
@click.option("--project", metavar="ID|NAME", help="Only this project; part of its name will do.")
@click.option(
    "--status",
    type=click.Choice(["active", "done", "all"]),
    help="Which tasks.  [default: active; with --removed: all]",
)
@click.option("--assignee", metavar="EMAIL|anyone|nobody", help="Only what this person is to do.")
@click.option("--overdue", is_flag=True, help="Only active tasks due before today.")
@click.option("--search", metavar="TEXT", help="Only with this text in the name or description.")
@click.option("--removed", is_flag=True, help="The tasks that are gone from the account instead.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.pass_obj
def list_(call: Invocation, /, status: Status | None, **options: Any) -> int:
    """List tasks, each above its subtasks.

    Today is the account's day where account.timezone is set, else this machine's. Where the
    output is not a terminal, the columns are separated by tabs.
    """
    from syncd.cli.task_text import show_list
    from syncd.services.tasks import Wanted, list_tasks

    with call.app() as app:
        app.ready(write=False)
        shown = status or ("all" if options["removed"] else "active")
        wanted = Wanted(today=_today(app.settings), status=shown, **options)
        found = list_tasks(app.db, wanted)
    call.out.document(asdict(found))
    show_list(call.out, found, removed=wanted.removed)
    return 0


@task.command("show")
@click.argument("id", type=click.IntRange(min=1))
@click.pass_obj
def show(call: Invocation, *, id: int) -> int:
    """Show all about one task, its past versions included.

    Exit code 2 where the mirror has never held a task of that ID.
    """
    from syncd.cli.task_text import detail_lines
    from syncd.services.task_detail import show_task

    with call.app() as app:
        app.ready(write=False)
        found = show_task(app.db, id, today=_today(app.settings))
    told = asdict(found)
    del told["names"]
    call.out.document(told)
    call.out.lines(detail_lines(call.out, found))
    return 0


def _today(settings: Settings) -> date:
    """Return the day it is in the account, or here where its time zone is not known."""
    return datetime.now(UTC).astimezone(settings.account.zone).date()
