"""`syncd verify`: a sample of the mirror against the account, and the drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.model.drift import VerifyReport


@click.command("verify")
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many tasks to ask for themselves, instead of verify.sample.",
)
@click.option("--all", "every", is_flag=True, help="Compare every task with a listing besides.")
@click.option(
    "--repair",
    is_flag=True,
    help="Let the next pull compare the tasks that drifted anew, field by field.",
)
@click.option("--wait", is_flag=True, help="Wait while another syncd talks to the account.")
@click.pass_obj
def verify(call: Invocation, *, sample: int | None, every: bool, repair: bool, wait: bool) -> int:
    """Compare tasks of the mirror with the account, field by field.

    Asks for a sample of the tasks, a few of every sort, one request each. Drift is what differs
    although nothing explains it; what was edited after the last pull is only behind, and the next
    pull brings it. The tables are checked for what cannot be, too. Nothing of the mirror is
    written, save by --repair what makes the next pull look closer.

    Exit code: 0 no drift; 3 drift, or something could not be compared; 4 the account refused us,
    cannot be reached or makes no sense; 5 another syncd talks to it.
    """
    from syncd.cli.verify_report import document, lines

    report = _verify(call, sample=sample, every=every, repair=repair, wait=wait)
    call.out.document(document(report))
    call.out.lines(lines(report, call.out))
    return report.exit_code


def _verify(
    call: Invocation, *, sample: int | None, every: bool, repair: bool, wait: bool
) -> VerifyReport:
    from syncd.cli.progress import shown_progress
    from syncd.services.verify import verify as compare

    with call.app() as app, shown_progress(call.out) as progress:
        call.start_log(app.settings)
        app.ready(write=False)
        app.db.probe(write=True)  # the lease and the run's row are written
        size = app.settings.verify.sample if sample is None else sample
        with app.pulling(progress, wait=wait) as work:
            return compare(work, sample=size, rng=app.rng, every=every, repair=repair)
