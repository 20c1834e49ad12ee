"""`syncd pull`: the account into the mirror, and what that did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.model.reports import PullReport


@click.command("pull")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing at all.")
@click.option(
    "--allow-removals",
    is_flag=True,
    help="Release the brake on removals. A task that the account still answers for stays.",
)
@click.option("--wait", is_flag=True, help="Wait while another syncd talks to the account.")
@click.pass_obj
def pull(call: Invocation, *, dry_run: bool, allow_removals: bool, wait: bool) -> int:
    """Make the mirror equal to the account.

    Everything lands in one transaction: a reader sees the account as before or as after. A task
    that is missing is marked as removed only on evidence, and many at once only after your word:
    look at them with --dry-run --allow-removals, then leave out --dry-run.

    Exit code: 0 complete; 3 partial, or something waits for a decision; 4 the account refused us,
    cannot be reached or makes no sense; 5 another syncd talks to it.
    """
    from syncd.cli.pull_report import document, lines

    report = _pull(call, dry_run=dry_run, allow_removals=allow_removals, wait=wait)
    call.out.document(document(report))
    call.out.lines(lines(report, call.out))
    return report.exit_code


def _pull(call: Invocation, *, dry_run: bool, allow_removals: bool, wait: bool) -> PullReport:
    from syncd.cli.progress import shown_progress
    from syncd.services.pull import pull as pull_account

    with call.app() as app, shown_progress(call.out) as progress:
        call.start_log(app.settings)
        if not dry_run:
            app.ready(write=True)
        opened = app.rehearsing if dry_run else app.pulling
        with opened(progress, wait=wait) as work:
            return pull_account(work, dry_run=dry_run, allow_removals=allow_removals)
