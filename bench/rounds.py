"""One run of the bench: for each size and database, ours, the floor and the peer in turn.

They alternate, so that what else the machine does meets all three; ratios are of each round's own.
The sizes alternate too, and the rounds of small ones are made before, between and after the big
ones: what a figure's rounds were spread over is what its spread can promise, and a machine that
others share is slower for half an hour at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from bench import children, mirrors, peer, singer, starts
from bench.account import Account, serving
from bench.budgets import ORIENTATION
from bench.databases import POSTGRESQL, SQLITE, Databases, opened
from bench.figures import Results
from bench.timing import Sample

BIG = 100_000
"""From here on the account is over the limit of one answer and is pulled by projects, and fewer
runs are made; no daemon is watched while it idles."""
TASKS_OF_A_PROJECT = 5_000
"""Of a big account: a million are then in 200 projects. It is the same at every size, so that what
grows is the account alone."""
TASKS_OF_A_SMALL_ONE = 500
"""Of an account of as many tasks in ten times as many projects, each of which is a request more."""
HUGE = 1_000_000
"""One run of this takes a quarter of an hour."""
RUNS_WHEN_BIG = 3
"""Below that: a single mirror of some seconds meets the machine slow or quick by a fifth."""
PUSHES_WHEN_BIG = 1
"""Times that each number of edits is pushed there: 500 take minutes."""
BESIDE = 6
"""Mirrors of the size that the cost per task is compared with, made before a big one and after it,
as hours may lie between the turns of the two. The first of each six is not timed."""
SCATTERED = 2
"""Mirrors of as many tasks in small projects; again the first is not timed."""
PEERS_UP_TO = 10_000
"""The size that is compared with them: beyond it each load takes them minutes."""
PEERS = (
    (peer, "dlt", (SQLITE, POSTGRESQL)),
    (singer, "Meltano's target", (POSTGRESQL,)),
)

Tell = Callable[[str], object]
"""Says which step is next."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured; `idle_s` 0 and `peers` False leave these out."""

    sizes: tuple[int, ...]
    runs: int
    databases: tuple[str, ...]
    idle_s: float
    starts: int
    peers: bool


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: its plan, where its figures go, whom it tells, and where it works."""

    plan: Plan
    results: Results
    tell: Tell
    root: Path
    databases: Sequence[Databases]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one round happens: an account, an empty mirror of it, a folder.

    `beside` is the small account that a big one is compared with, `scattered` one of as many tasks
    in small projects.
    """

    account: Account
    tasks: int
    databases: Databases
    folder: Path
    database: str
    config: Path
    beside: Account | None = None
    scattered: Account | None = None


def measure(plan: Plan, results: Results, tell: Tell) -> None:
    """Measure all of a plan into `results`, telling each step."""
    for why in filter(None, (module.missing() for module, _, _ in PEERS if plan.peers)):
        results.note(f"A peer is missing: {why}.")
    with opened(plan.databases) as found, tempfile.TemporaryDirectory() as root:
        results.about["databases"] = [one.said for one in found]
        _by_turns(Bench(plan, results, tell, Path(root), found))


def _by_turns(bench: Bench) -> None:
    """Measure the sizes that take seconds, one round of each after the other, and the big ones."""
    runs = bench.plan.runs
    big = [tasks for tasks in bench.plan.sizes if tasks >= BIG]
    with ExitStack() as stack:
        small = {
            tasks: stack.enter_context(serving(tasks)) for tasks in bench.plan.sizes if tasks < BIG
        }
        for part, following in enumerate((*big, None), 1):
            for run, tasks in product(turns(runs, part, len(big) + 1), small):
                _rounds(bench, tasks, [small[tasks]], run=run, runs=runs)
            if following:
                _big(bench, following)


def turns(runs: int, part: int, parts: int) -> range:
    """Return which runs are made in one of so many parts; the last one holds the last run."""
    return range(runs * (part - 1) // parts + 1, runs * part // parts + 1)


def _big(bench: Bench, tasks: int) -> None:
    """Measure a size that takes minutes, beside the accounts that it is compared with."""
    runs = min(bench.plan.runs, RUNS_WHEN_BIG) if tasks < HUGE else 1
    with ExitStack() as stack:
        whole, *scattered = (stack.enter_context(serving(tasks, n)) for n in layouts(tasks))
        beside = stack.enter_context(serving(ORIENTATION))
        for run in range(1, runs + 1):
            _rounds(bench, tasks, [whole, beside, *scattered], run=run, runs=runs)


def layouts(tasks: int) -> list[int]:
    """Return over how many projects a big account is spread: the one measured, and others."""
    small = [tasks // TASKS_OF_A_SMALL_ONE] if tasks < HUGE else []
    return [tasks // TASKS_OF_A_PROJECT, *small]


def _rounds(bench: Bench, tasks: int, accounts: Sequence[Account], *, run: int, runs: int) -> None:
    """Make one round on each database."""
    for one in bench.databases:
        bench.tell(f"{tasks:,} tasks, {one.name}, run {run} of {runs}")
        place = _place(bench.root, one, tasks, *accounts)
        _round(bench.plan, bench.results, place, run=run, runs=runs)


def _place(
    root: Path, databases: Databases, tasks: int, account: Account, *others: Account
) -> Place:
    folder = Path(tempfile.mkdtemp(dir=root))
    database = databases.new(folder)
    config = mirrors.configured(folder, account.url, database)
    return Place(account, tasks, databases, folder, database, config, *others)


def _round(plan: Plan, results: Results, place: Place, *, run: int, runs: int) -> None:
    pulls = children.ask(
        "bench.pulls",
        url=place.account.url,
        config=str(place.config),
        warm_up=_spare(place, "spare", place.account),
        before=_spares(place, "before", place.beside, BESIDE),
        after=_spares(place, "after", place.beside, BESIDE),
        scattered=_spares(place, "scattered", place.scattered, SCATTERED),
        warm=place.tasks < BIG,
    )
    floor = children.ask(
        "bench.floor",
        url=place.account.url,
        database=place.database,
        folder=str(place.folder),
        reads=pulls["reads"],
        indexed=place.tasks < BIG,
    )
    samples = pulls["samples"] + floor["samples"]
    if plan.peers and place.tasks <= PEERS_UP_TO:
        samples += _peers(results, place, pulls["reads"])
    samples += starts.starts(place.config, _share(plan.starts, run, runs))
    if run == runs:
        samples += _once(plan, place)
    results.add(place.tasks, place.databases.name, samples)


def _share(whole: int, run: int, runs: int) -> int:
    """Return this run's part of a number, so that all parts together are the number."""
    return len(turns(whole, run, runs))


def _spares(place: Place, name: str, account: Account | None, times: int) -> list[str]:
    """Return the configurations of so many mirrors of another account, if there is one."""
    if account is None:
        return []
    return [_spare(place, f"{name}-{number}", account) for number in range(times)]


def _spare(place: Place, name: str, account: Account) -> str:
    """Return the configuration of a mirror that is thrown away."""
    folder = place.folder / name
    folder.mkdir()
    return str(mirrors.configured(folder, account.url, place.databases.new(folder)))


def _peers(results: Results, place: Place, reads: list[dict[str, str]]) -> list[Sample]:
    """Measure each peer that is here and knows this database; one that fails is named."""
    samples: list[Sample] = []
    for module, named, databases in PEERS:
        if place.databases.name in databases and not module.missing():
            try:
                found = _peer(module.__name__, place, reads)
            except children.ChildFailed as error:
                results.note(f"{named} failed on {place.databases.name}: {error}")
                continue
            results.about.setdefault("peers", {})[named] = found["version"]
            samples += found["samples"]
    return samples


def _peer(module: str, place: Place, reads: list[dict[str, str]]) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(dir=place.folder))
    return children.ask(
        module,
        url=place.account.url,
        database=place.databases.new(folder),
        warm_up=place.databases.new(folder),
        reads=reads,
        environ=peer.environ(str(folder)),
    )


def _once(plan: Plan, place: Place) -> list[Sample]:
    """Measure what needs a mirror and is repeated by itself."""
    pushes = children.ask(
        "bench.pushes",
        url=place.account.url,
        config=str(place.config),
        tasks=place.tasks,
        runs=plan.runs if place.tasks < BIG else min(plan.runs, PUSHES_WHEN_BIG),
    )
    samples: list[Sample] = pushes["samples"]
    if plan.idle_s and place.tasks < BIG:
        samples += starts.idle(place.config, place.database, plan.idle_s)
    return samples
