"""`python -m syncd.sandbox --port 0 --tasks 200 --seed 7`: the simulated account by itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, date, datetime

from syncd.sandbox.account import Account
from syncd.sandbox.sandbox import KEY, Sandbox
from syncd.sandbox.serving import serve
from syncd.sandbox.switches import read_switches


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(prog="python -m syncd.sandbox", description=__doc__)
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options.add_argument("--tasks", type=int, default=200)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--members", type=int)
    options.add_argument("--archived", type=float, default=0.08, help="share of the projects")
    options.add_argument("--pending", type=float, default=0.05, help="share of the projects")
    options.add_argument("--delayed", type=float, default=0.01, help="share of the tasks")
    options.add_argument("--anchor", type=date.fromisoformat, help="day of the data; today")
    options.add_argument("--zone", default="Europe/Kyiv", help="IANA name")
    options.add_argument("--key", default=KEY, help="the administrative key")
    options.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Seed an account and serve it."""
    chosen = parser().parse_args(arguments)
    account = Account.seeded(
        chosen.tasks,
        chosen.seed,
        members=chosen.members,
        archived=chosen.archived,
        pending=chosen.pending,
        delayed=chosen.delayed,
        anchor=chosen.anchor or datetime.now(UTC).date(),
        zone=chosen.zone,
    )
    try:
        switches = read_switches(chosen.switch)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    serve(Sandbox(account, key=chosen.key, port=chosen.port, switches=switches))


if __name__ == "__main__":
    main()
