"""`syncd queue`: the changes on their way to the account, and what a person can do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.invocation import Invocation
from syncd.model.change import FINAL

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.services.handling import Chosen, Handled
    from syncd.services.resolve import Winner

STATES = (
    *("queued", "held", "sending", "applied", "uncertain", "conflict"),
    *sorted(FINAL),
)
NUMBERS = click.IntRange(min=1)


@click.group("queue")
def queue() -> None:
    """Look at what is queued, and decide what waits for you. The account is not asked."""


@queue.command("list")
@click.option(
    "--state", "states", type=click.Choice(STATES), multiple=True, help="Only these. Repeatable."
)
@click.option("--task", metavar="ID|REF", help="Only the changes of this task.")
@click.option("--all", "settled", is_flag=True, help="Also what is confirmed or cancelled.")
@click.pass_obj
def list_(call: Invocation, *, states: tuple[str, ...], task: str | None, settled: bool) -> int:
    """List the changes that are not settled, the oldest first, and why each waits."""
    from syncd.cli.queue_text import list_document, show_list
    from syncd.services.queue import Sought, list_queue
    from syncd.services.targets import read_name

    sought = Sought(states, read_name(task) if task is not None else None, settled)
    with call.app() as app:
        app.ready(write=False)
        found = list_queue(app.db, sought, now=app.clock(), max_batch=app.settings.push.max_batch)
    call.out.document(list_document(found))
    show_list(call.out, found)
    return 0


@queue.command("show")
@click.argument("id", type=NUMBERS)
@click.pass_obj
def show(call: Invocation, *, id: int) -> int:
    """Show one change: its fields on all three sides, why it waits, and its trail.

    Base is what a field was when the edit was queued, mine what was asked for, theirs what the
    account shows.
    """
    from syncd.cli.queue_text import detail_document, detail_lines
    from syncd.services.queue import show_change

    with call.app() as app:
        app.ready(write=False)
        found = show_change(app.db, id, now=app.clock(), max_batch=app.settings.push.max_batch)
    call.out.document(detail_document(found))
    call.out.lines(detail_lines(call.out, found))
    return 0


@queue.command("retry")
@click.argument("ids", metavar="ID...", type=NUMBERS, nargs=-1, required=True)
@click.pass_obj
def retry(call: Invocation, *, ids: tuple[int, ...]) -> int:
    """Try failed changes again; let those that wait for their next try go at once."""
    from syncd.services import handling

    return _handle(
        call,
        "Retrying",
        lambda app, actor: handling.retry(app.db, ids, actor=actor, at=app.clock()),
    )


def _choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the three ways to say which changes are meant."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="Everything that can be."),
        click.option("--batch", metavar="B", help="What was queued together."),
        click.argument("ids", metavar="[ID]...", type=NUMBERS, nargs=-1),
    ):
        command = option(command)
    return command


@queue.command("cancel")
@_choosing
@click.pass_obj
def cancel(call: Invocation, *, ids: tuple[int, ...], batch: str | None, everything: bool) -> int:
    """Drop changes that were not sent, and with a creation what depends on it.

    What may have landed cannot be cancelled: look first, with syncd queue show, and undo it with
    syncd queue revert once it is in the account.
    """
    from syncd.services import handling

    chosen = _chosen(ids, batch, everything=everything)
    return _handle(
        call,
        "Cancelled",
        lambda app, actor: handling.cancel(app.db, chosen, actor=actor, at=app.clock()),
    )


@queue.command("release")
@_choosing
@click.pass_obj
def release(call: Invocation, *, ids: tuple[int, ...], batch: str | None, everything: bool) -> int:
    """Let changes go that the brake holds because too many were queued at once.

    The next push sends them.
    """
    from syncd.services import handling

    chosen = _chosen(ids, batch, everything=everything)
    return _handle(
        call,
        "Released",
        lambda app, actor: handling.release(
            app.db,
            chosen,
            max_batch=app.settings.push.max_batch,
            actor=actor,
            at=app.clock(),
        ),
    )


@queue.command("resolve")
@click.argument("id", type=NUMBERS)
@click.option("--keep", type=click.Choice(["mine", "theirs"]), help="Whose values stand.")
@click.option(
    "--field",
    "fields",
    metavar="NAME=mine|theirs",
    multiple=True,
    help="Whose value of this field stands. Repeatable.",
)
@click.option("--task", type=NUMBERS, metavar="ID", help="The task that a creation has become.")
@click.pass_obj
def resolve(
    call: Invocation, *, id: int, keep: Winner | None, fields: tuple[str, ...], task: int | None
) -> int:
    """Decide a conflict: keep your values, or the account's, for each field if you want.

    All changes of the task that wait in the conflict are decided together. What you keep is sent
    with the next push, over the value that you see now as theirs. The other values stay to be read
    in the audit log.
    """
    from syncd.services.resolve import Choice
    from syncd.services.resolve import resolve as resolve_conflict

    if (task is not None and (keep or fields)) or not (task or keep or fields):
        raise click.UsageError("Say --keep or --field, or of a creation --task.")
    choice = Choice(keep, dict(_winner(given) for given in fields), task)
    return _handle(
        call,
        "Resolved",
        lambda app, actor: resolve_conflict(app.db, id, choice, actor=actor, at=app.clock()),
    )


@queue.command("revert")
@click.argument("ids", metavar="[ID]...", type=NUMBERS, nargs=-1)
@click.option("--batch", metavar="B", help="All that was queued together.")
@click.option("--force", is_flag=True, help="Also where somebody has changed the field since.")
@click.pass_obj
def revert(call: Invocation, *, ids: tuple[int, ...], batch: str | None, force: bool) -> int:
    """Queue the inverse of changes that are in the account.

    Each field goes back to what it was. A field that was changed since is left as it is, and
    named. A creation cannot be undone: the account's API deletes no task.

    Exit code 2 where nothing can be undone.
    """
    from syncd.cli.queue_text import reverted_document, show_next, show_reverted
    from syncd.cli.writing import writable
    from syncd.services.actor import local_actor
    from syncd.services.queue import explain_changes
    from syncd.services.revert import Undoing
    from syncd.services.revert import revert as revert_changes

    if bool(ids) == bool(batch):
        raise click.UsageError("Say which changes: their numbers, or --batch.")
    with writable(call) as app:
        done = revert_changes(
            app.db, Undoing(ids, batch, force), actor=local_actor(), at=app.clock()
        )
        told = explain_changes(
            app.db, done.changes, now=app.clock(), max_batch=app.settings.push.max_batch
        )
    call.out.document(reverted_document(done, told))
    show_reverted(call.out, done)
    show_next(call.out, told)
    return 0


def _chosen(ids: tuple[int, ...], batch: str | None, *, everything: bool) -> Chosen:
    from syncd.services.handling import Chosen

    if [bool(ids), batch is not None, everything].count(True) != 1:
        raise click.UsageError("Say which changes: their numbers, or --batch, or --all.")
    return Chosen(ids, batch)


def _winner(given: str) -> tuple[str, Winner]:
    name, _, winner = given.partition("=")
    if winner == "mine":
        return name, "mine"
    if winner == "theirs":
        return name, "theirs"
    raise click.BadParameter(f"{given!r} is not NAME=mine or NAME=theirs.", param_hint="--field")


def _handle(call: Invocation, deed: str, handle: Callable[[App, str], Handled]) -> int:
    from syncd.cli.queue_text import handled_document, show_handled, show_next
    from syncd.cli.writing import writable
    from syncd.services.actor import local_actor
    from syncd.services.queue import explain_changes

    with writable(call) as app:
        handled = handle(app, local_actor())
        told = explain_changes(
            app.db, handled.changes, now=app.clock(), max_batch=app.settings.push.max_batch
        )
    call.out.document(handled_document(handled, told))
    show_handled(call.out, deed, handled)
    show_next(call.out, told)
    return 0
