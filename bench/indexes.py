"""What the indexes of tasks, versions and changes cost a pull: processor time with and without.

    python -m bench.indexes [--tasks 10000] [--rounds 5]

Each round makes a first pull, renames every tenth task and pulls again, once into a mirror as it
is and once into one whose indexes of TABLES other than the keys were dropped; which of the two is
first changes from round to round. Seconds are those of this process and, on PostgreSQL, of all of
the server's; the median of the rounds is shown.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.account import Account, serving
from bench.mirrors import configured, opened, pulled
from bench.pulls import change
from syncd.bootstrap import App
from syncd.store.schema import metadata
from tests.support.postgres import Cluster

TABLES = ("tasks", "task_history", "task_history_fields")
ONE_IN = 10
PULLS = ("first pull", "10 % changed")
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """The tests' own server, and how much processor time it has taken."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.pid = int((self.cluster.data / "postmaster.pid").read_text("ascii").split()[0])

    def new(self, _: Path) -> str:
        """Return the URL of an empty database."""
        return self.cluster.url_for(self.cluster.create_database())

    def seconds(self) -> float:
        """Return what the server and its processes, ended ones too, have taken so far."""
        fields = [_stat(path) for path in Path("/proc").glob("[0-9]*/stat")]
        ours = [one for one in fields if one and self.pid in (int(one[0]), int(one[3]))]
        ended = sum(int(tick) for one in ours if int(one[0]) == self.pid for tick in one[15:17])
        return (ended + sum(int(tick) for one in ours for tick in one[13:15])) / _TICKS


class Files:
    """SQLite: what it takes is this process's own."""

    def new(self, folder: Path) -> str:
        """Return the URL of a file that is not there yet."""
        return f"sqlite:///{Path(tempfile.mkdtemp(dir=folder)) / 'syncd.db'}"

    def seconds(self) -> float:
        """Return nothing: there is no server."""
        return 0.0


def _stat(path: Path) -> list[str]:
    """Return the fields of a process, the name in one piece, or none if it has ended."""
    try:
        text = path.read_text("ascii", "replace")
    except OSError:
        return []
    before, _, after = text.rpartition(") ")
    return [before.split(" ")[0], "name", *after.split()]


def dropped(app: App) -> None:
    """Take away every index of the tables but the keys'."""
    with app.db.write() as tx:
        for table in TABLES:
            for index in metadata.tables[table].indexes:
                index.drop(tx)


def round_of(
    account: Account, databases: Server | Files, folder: Path, *, bare: bool
) -> list[float]:
    """Return the processor seconds of each of PULLS into a new mirror."""
    own = Path(tempfile.mkdtemp(dir=folder))
    app = opened(configured(own, account.url, databases.new(own)))
    if bare:
        dropped(app)
    first = _taken(databases, lambda: pulled(app))
    change(app, account, ONE_IN)
    second = _taken(databases, lambda: pulled(app))
    app.db.close()
    return [first, second]


def _taken(databases: Server | Files, work: Callable[[], object]) -> float:
    gc.collect()
    before = time.process_time() + databases.seconds()
    work()
    return time.process_time() + databases.seconds() - before


def measure(account: Account, databases: Server | Files, rounds: int) -> None:
    """Print the medians, and by how much the mirror with its indexes takes longer."""
    print(f"{'seconds':22}{'indexes':>8}{'without':>10}{'more':>10}{'of best':>10}", flush=True)
    taken: dict[bool, list[list[float]]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        round_of(account, databases, Path(folder), bare=False)  # what is imported once
        for number in range(rounds):
            for bare in (False, True) if number % 2 else (True, False):
                taken[bare].append(round_of(account, databases, Path(folder), bare=bare))
    for n, name in enumerate(PULLS):
        pairs = [
            tuple(find(one[n] for one in taken[bare]) for bare in (False, True))
            for find in (statistics.median, min)
        ]
        more, of_best = ((whole / without - 1) * 100 for whole, without in pairs)
        whole, without = pairs[0]
        shown = f"{whole:8.2f}{without:10.2f}{more:8.1f} %{of_best:8.1f} %"
        print(f"{type(databases).__name__:8}{name:14}{shown}")


def main() -> None:
    """Measure both databases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with serving(given.tasks) as account:
        measure(account, Files(), given.rounds)
        server = Server()
        try:
            measure(account, server, given.rounds)
        finally:
            server.cluster.close()


if __name__ == "__main__":
    main()
