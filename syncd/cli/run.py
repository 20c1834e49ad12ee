"""`syncd run`: the daemon."""

from __future__ import annotations

import os

import click

from syncd.cli.invocation import Invocation


@click.command("run")
@click.option(
    "--shadow",
    is_flag=True,
    help="Pull, and log what would be sent; send nothing.",
)
@click.pass_obj
def run(call: Invocation, *, shadow: bool) -> int:
    """Keep both sides the same, until it is stopped.

    Pulls and pushes on intervals, sends what is queued within two seconds, follows what others do
    in the account, and tells how things stand at its local port, in its log and to systemd.
    SIGTERM ends it, SIGHUP reads the configuration again. Where another syncd holds a server's
    lease it stands by, and takes over when that one is gone.

    Exit code: 0 it was told to stop; 2 the configuration or the database cannot be used; 5 another
    syncd works with the same SQLite file.
    """
    from syncd.daemon.run import run as live

    return live(call.settings, shadow=shadow, environ=os.environ)
