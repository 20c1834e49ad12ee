"""`syncd demo`: the whole of it against a simulated account. It is the installation test, too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from syncd.cli.invocation import Invocation

SEED = 7
ZONE = "Europe/Kyiv"


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("syncd-demo"),
    show_default=True,
    help="Where the database stays, to be queried.",
)
@click.option(
    "--tasks",
    type=click.IntRange(100, 9000),
    default=300,
    show_default=True,
    metavar="N",
    help="How many tasks the account has.",
)
@click.pass_obj
def demo(call: Invocation, *, folder: Path, tasks: int) -> int:
    """See it all work, against a simulated account.

    Starts an account on this machine, mirrors it into SQLite, lets its people work, pulls again,
    and lets the account lie. Every command it shows is really run, and what it says is checked.
    A second run starts anew; nothing that is not the demo's own is removed.

    Exit code 0 only if everything went as told.
    """
    from syncd.cli.demo_place import Place
    from syncd.cli.demo_story import Story
    from syncd.sandbox import Account, Sandbox

    place = Place(folder)
    place.clear()
    account = Account.seeded(tasks, SEED, anchor=datetime.now(UTC).date(), zone=ZONE)
    with Sandbox(account) as box:
        place.write(box)
        story = Story(call.out, box, place)
        story.tell()
    call.out.document(story.document)
    return 0
