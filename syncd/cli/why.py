"""`syncd why`: one sentence."""

from __future__ import annotations

from dataclasses import asdict

import click

from syncd.cli.invocation import Invocation


@click.command("why")
@click.argument("named", metavar="[CHANGE|TASK]", required=False)
@click.option("--task", metavar="ID|REF", help="A task, where a change has the same number.")
@click.pass_obj
def why(call: Invocation, *, named: str | None, task: str | None) -> int:
    """Say in one sentence why a change or a task waits.

    Until when, too, or what became of it. A number is that of a change if there is one, else that
    of a task.

    Exit code 2 where there is neither.
    """
    from syncd.services.targets import read_name
    from syncd.services.why import why as explain

    given = task if task is not None else named
    if given is None or (named is not None and task is not None):
        raise click.UsageError("Name a change, or a task.")
    with call.app() as app:
        app.ready(write=False)
        answer = explain(
            app.db,
            read_name(given),
            task=task is not None,
            now=app.clock(),
            max_batch=app.settings.push.max_batch,
        )
    call.out.document(asdict(answer))
    call.out.lines([answer.sentence])
    return 0
