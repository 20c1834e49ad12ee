"""Our pulls, in one process as a daemon makes them: first, unchanged, 1 % and 10 % changed.

Process and server are warm: one mirror is made and thrown away before, since its imports are
start-up, and an unchanged and a changed pull go before those that are timed, since statements are
compiled and prepared when they are first needed, once in the life of a daemon. What the account
encodes anew after an edit is asked for once before we are timed.

A first mirror is timed in two ways. Into a database that is new, it opens its connections and
compiles its statements, as a peer's first load does. The floor writes three times into the tables
of one connection, emptied in between; held against it is the mirror that is made in the same way.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

from bench import mirrors
from bench.account import Account, fetch, listings
from bench.children import answer
from bench.timing import MB, MS, REQUESTS, Sample, peak_mb, timed
from syncd.bootstrap import App

FIRST, WARM, UNCHANGED = "first mirror", "warm first mirror", "unchanged pull"
BESIDE = "first mirror of 10,000 tasks beside that of all"
SCATTERED = "first mirror of as many tasks in small projects"
CHANGED = {"1 % changed": 100, "10 % changed": 10}
"""One task in so many is renamed before the pull."""
MEMORY, LARGEST = "peak memory of a first mirror", "largest answer"
QUERIES = ("SELECT *", "COUNT(*)")
TIMES = 3
"""How often a warm first mirror and an unchanged pull are made in one run; they are short."""
PREPARED_AFTER = 5
"""Executions after which PostgreSQL's driver lets the server prepare a statement
(psycopg.org/psycopg3/docs/advanced/prepare.html); so many mirrors are made before one is warm."""


def warm(account: Account, reads: list[dict[str, str]]) -> int:
    """Ask for all of this once; returns the bytes of the largest answer."""
    with requests.Session() as session:
        return max(len(fetch(session, account.signed(read))) for read in reads)


def change(app: App, account: Account, one_in: int) -> None:
    """Rename one task in so many, evenly spread over the account."""
    with app.db.read() as tx:
        ids = list(tx.scalars(text("SELECT id FROM tasks WHERE removed_at IS NULL ORDER BY id")))
    account.rename(ids[one_in // 2 :: one_in], f"Renamed {app.clock():%X.%f}")


def measured(order: dict[str, Any]) -> dict[str, Any]:
    """Make one run of pulls into an empty database; `warm_up` is the one that is thrown away.

    `before` and `after` are mirrors of a small account, to be made right before and right after the
    first one that is timed: what the machine does in these minutes meets both. `scattered` are
    mirrors of an account of as many tasks in small projects. `warm` asks for warm first mirrors.
    """
    account = Account(order["url"])
    reads, samples = _first_of_all(account, mirrors.opened(Path(order["warm_up"])))
    app = mirrors.opened(Path(order["config"]))
    samples += _others(BESIDE, order["before"])
    samples += timed(FIRST, partial(mirrors.pulled, app))
    samples += _others(BESIDE, order["after"])
    samples += _others(SCATTERED, order["scattered"])
    samples += _warm_ones(app, len(reads)) if order["warm"] else []
    mirrors.pulled(app)  # not timed, like the first change below
    for _ in range(TIMES):
        samples += timed(UNCHANGED, partial(mirrors.pulled, app))
    _changed(app, account, reads, max(CHANGED.values()))
    for what, one_in in CHANGED.items():
        samples += _changed(app, account, reads, one_in, what)
    return {"samples": samples + _reading(app), "reads": reads}


def _warm_ones(app: App, requests: int) -> list[Sample]:
    """Empty the mirror and make it again, time after time.

    Raises RuntimeError where one asked less than the first mirror did: it remembered something.
    """
    samples: list[Sample] = []
    asked: list[int] = []
    for number in range(PREPARED_AFTER + TIMES):
        mirrors.emptied(app)
        found = timed(WARM, lambda: asked.append(mirrors.pulled(app)))
        samples += found if number >= PREPARED_AFTER else []
    if set(asked) != {requests}:
        raise RuntimeError(f"first mirrors asked {asked} times, and the very first {requests}")
    return samples


def _others(what: str, configs: list[str]) -> list[Sample]:
    """Make these mirrors of another account; the first is not timed, like that of any size."""
    samples: list[Sample] = []
    for number, config in enumerate(configs):
        app = mirrors.opened(Path(config))
        found = timed(what, partial(mirrors.pulled, app))
        samples += found if number else []
        app.db.close()
    return samples


def _changed(
    app: App, account: Account, reads: list[dict[str, str]], one_in: int, what: str = ""
) -> list[Sample]:
    """Let one task in so many change, and pull that."""
    change(app, account, one_in)
    warm(account, listings(reads))
    return timed(what, partial(mirrors.pulled, app))


def _first_of_all(account: Account, app: App) -> tuple[list[dict[str, str]], list[Sample]]:
    """Make the first mirror of this process; returns what it asked for, and its memory.

    The account is not asked before what it has answered: hours of that take memory of their own.
    """
    count = mirrors.pulled(app)
    peak = peak_mb()
    app.db.close()
    reads = account.asked(count)
    largest = warm(account, reads) / 1e6
    return reads, [
        (MEMORY, MB, peak),
        (LARGEST, MB, largest),
        (FIRST, REQUESTS, count),
    ]


def _reading(app: App) -> list[Sample]:
    """Read the table and the view over it whole."""
    from bench import live_tasks  # late: psycopg comes with it, which a file needs not

    live_tasks.analyze(app.db)
    return [
        (f"{query} of {name}", MS, cost)
        for query in QUERIES
        for name, cost in live_tasks.whole(app.db, query).items()
    ]


if __name__ == "__main__":
    answer(measured)
