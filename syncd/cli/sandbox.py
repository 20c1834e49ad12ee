"""`syncd sandbox`: a simulated account over real HTTP, until it is told to stop."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from syncd.cli.invocation import Invocation
from syncd.errors import ConfigError

if TYPE_CHECKING:
    from syncd.sandbox import Sandbox

ZONE = "Europe/Kyiv"
UNPACED = 1_000_000
"""Requests per second from which on a client does not space them at all."""


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option(
    "--tasks",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    metavar="N",
    help="How many tasks the account has.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Equal seeds, equal data.")
@click.option("--key", help="The account's key.  [default: a well-known one]")
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="How the account behaves where the real one is unknown; see syncd/sandbox/switches.py.",
)
@click.option(
    "--requests-per-second",
    type=click.FloatRange(min=0, min_open=True),
    metavar="R",
    help="Answer 429 above this rate.  [default: no limit]",
)
@click.pass_obj
def sandbox(
    call: Invocation,
    *,
    port: int,
    tasks: int,
    seed: int,
    key: str | None,
    switches: tuple[str, ...],
    requests_per_second: float | None,
) -> int:
    """Run a simulated account on this machine, until Ctrl-C.

    Its data is made up and its API behaves like the documented one. Edits by its people, faults
    and switches can be had over HTTP while it runs: see syncd/sandbox/control.py.
    """
    from syncd.sandbox import KEY, Account, Sandbox, serve
    from syncd.sandbox.switches import read_switches

    if requests_per_second is not None:
        switches = (*switches, "rate_limit=429", f"requests_per_second={requests_per_second}")
    try:
        chosen = read_switches(switches)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--switch") from None
    account = Account.seeded(tasks, seed, anchor=datetime.now(UTC).date(), zone=ZONE)
    box = Sandbox(account, key=key or KEY, port=port, switches=chosen)
    try:
        serve(box, announce=_document if call.json else _announce)
    except OSError as error:
        raise ConfigError(f"Port {port} cannot be used: {error.strerror}.") from error
    return 0


def _document(box: Sandbox) -> str:
    told = {"url": box.url, "key": box.key, "tasks": len(box.account.tasks), "timezone": ZONE}
    return json.dumps(told, indent=2)


def _announce(box: Sandbox) -> str:
    rate = box.switches.requests_per_second if box.switches.rate_limit != "off" else UNPACED
    return f"""\
A simulated account with {len(box.account.tasks):,} tasks is at {box.url}; Ctrl-C ends it.

Write this to syncd.toml, in a directory of its own:

[account]
url = "{box.url}"
api_key = "{box.key}"
timezone = "{ZONE}"

[limits]
requests_per_second = {rate}

and there, in another terminal, try:

syncd pull
syncd task list --overdue"""
