"""`syncd push`, `syncd sync` and `syncd plan`: the outbox sent, or what would be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.bootstrap import App
    from syncd.model.reports import PullReport, PushReport
    from syncd.services.push.rehearsing import Rehearsal

WAIT = click.option("--wait", is_flag=True, help="Wait while another syncd talks to the account.")


@click.command("push")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; ask and send nothing.")
@WAIT
@click.pass_obj
def push(call: Invocation, *, dry_run: bool, wait: bool) -> int:
    """Send the queued changes.

    Each task is looked at right before it is changed, and merged field by field: what somebody
    else changed meanwhile is never overwritten without a word. What may have landed is looked
    for and never sent again on a guess.

    Exit code: 0 all is sent and confirmed; 3 something is left, or waits for a person; 4 the
    account refused us, cannot be reached or makes no sense; 5 another syncd talks to it.
    """
    from syncd.cli.push_report import document, lines

    if dry_run:
        return _show_plan(call)
    report = _push(call, wait=wait)
    call.out.document(document(report))
    call.out.lines(lines(report, call.out))
    return report.exit_code


@click.command("plan")
@click.pass_obj
def plan(call: Invocation) -> int:
    """Show what the next push would send, and what it costs.

    Request by request, with the seconds that they take at the account's pace. Asks the database
    alone: the mirror stands for the account, and nothing is sent.

    Exit code: 0; 3 when something waits for a person.
    """
    return _show_plan(call)


@click.command("sync")
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Release the brake on removals. A task that the account still answers for stays.",
)
@WAIT
@click.pass_obj
def sync(call: Invocation, *, allow_removals: bool, wait: bool) -> int:
    """Run one cycle: a pull, then a push.

    Exit code: as of pull and push; 3 when either of them left something.
    """
    from syncd.cli import pull_report, push_report

    pulled, pushed = _sync(call, allow_removals=allow_removals, wait=wait)
    code = max(pulled.exit_code, pushed.exit_code)
    call.out.document(
        {
            "pull": pull_report.document(pulled),
            "push": push_report.document(pushed),
            "exit_code": code,
        }
    )
    call.out.lines(pull_report.lines(pulled, call.out))
    call.out.lines(push_report.lines(pushed, call.out))
    return code


def _push(call: Invocation, *, wait: bool) -> PushReport:
    from syncd.cli.progress import shown_progress
    from syncd.services.push import push as send

    with call.app() as app, shown_progress(call.out) as progress:
        call.start_log(app.settings)
        app.ready(write=True)
        with app.pushing(progress, wait=wait) as work:
            return send(work)


def _sync(call: Invocation, *, allow_removals: bool, wait: bool) -> tuple[PullReport, PushReport]:
    from syncd.cli.progress import shown_progress
    from syncd.services.cycle import cycle

    with call.app() as app, shown_progress(call.out) as progress:
        call.start_log(app.settings)
        app.ready(write=True)
        with app.syncing(progress, wait=wait) as (pulling, pushing):
            return cycle(pulling, pushing, allow_removals=allow_removals)


def _show_plan(call: Invocation) -> int:
    from syncd.cli.push_plan_text import document, lines

    with call.app() as app:
        app.ready(write=False)
        found = _rehearse(app)
    code = 3 if found.asks else 0
    call.out.document(document(found) | {"exit_code": code})
    call.out.lines(lines(found, call.out))
    return code


def _rehearse(app: App) -> Rehearsal:
    from syncd.bootstrap import policy
    from syncd.services.push.rehearsing import rehearse_push

    settings = app.settings
    return rehearse_push(
        app.db,
        now=app.clock(),
        policy=policy(settings.push.conflicts),
        max_batch=settings.push.max_batch,
        spacing_s=1 / settings.limits.requests_per_second,
    )
