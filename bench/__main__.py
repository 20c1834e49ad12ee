"""What syncd costs against its floor and its peer, measured and written to docs/performance.md.

    python -m bench [--tasks 1000,10000] [--runs 5] [--deep] [--databases SQLite PostgreSQL]
    python -m bench --again build/first.json
    python -m bench --report build/bench.json [--again build/other.json]

--deep adds 100,000 tasks in 20 projects and 1,000,000 in 200, at most three times and once, without
the peers.
The small sizes are measured before, between and after these.
SYNCD_BENCH_PG names a PostgreSQL of one's own. --again says of each figure behind a budget, of the
sizes that both runs measured on the same machine, whether it lies in the spread that the earlier
run stated. --report only writes the page again, from the results of a run, of either of the two.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from bench import plot
from bench.again import differences
from bench.children import ROOT
from bench.databases import POSTGRESQL, SQLITE
from bench.figures import Results, load
from bench.machine import commit, machine, versions
from bench.report import performance
from bench.rounds import Plan, measure

DEEP = (100_000, 1_000_000)
KINDS = (SQLITE, POSTGRESQL)


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--tasks", default="1000,10000", help="sizes, comma separated")
    options.add_argument("--deep", action="store_true", help="100,000 and 1,000,000 tasks too")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument(
        "--databases", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help=" ".join(KINDS)
    )
    options.add_argument("--idle", type=float, default=30.0, help="seconds; 0 leaves it out")
    options.add_argument("--starts", type=int, default=9, help="times a start is tried")
    options.add_argument("--no-peers", action="store_true", help="leave other tools out")
    options.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    options.add_argument("--page", type=Path, default=ROOT / "docs" / "performance.md")
    options.add_argument(
        "--again", type=Path, help="another run: do the first's figures reproduce?"
    )
    options.add_argument("--report", type=Path, help="write the page from these results only")
    return options


def planned(given: argparse.Namespace) -> Plan:
    """Return what the options ask for."""
    sizes = [int(size) for size in given.tasks.split(",")]
    return Plan(
        sizes=(*sizes, *(DEEP if given.deep else ())),
        runs=given.runs,
        databases=tuple(given.databases),
        idle_s=given.idle,
        starts=given.starts,
        peers=not given.no_peers,
    )


def repeatable(words: Sequence[str]) -> str:
    """Return the command without the places it wrote and read, which are nobody else's."""
    places = ("--out", "--page", "--again")
    kept = [
        word
        for before, word in pairwise(["", *words])
        if before not in places and not word.startswith(places)
    ]
    return " ".join(["python -m bench", *kept])


def run(plan: Plan, command: str, out: Path) -> Results:
    """Measure a plan, and note where, when and how; save what is there before each next step."""

    def tell(said: str) -> None:
        results.save(out)
        print(said, file=sys.stderr, flush=True)

    results = Results()
    before = os.getloadavg()[0]
    results.about.update(
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        commit=commit(),
        command=command,
        runs=plan.runs,
        machine=machine(),
        cores=os.cpu_count() or 1,
        versions=versions(),
    )
    measure(plan, results, tell)
    results.about["load"] = [round(before, 1), round(os.getloadavg()[0], 1)]
    return results


def other_run(given: argparse.Namespace, measured: Results | None) -> Results | None:
    """Return the run to compare with, if one is given; end where it cannot be."""
    if not given.again:
        return None
    other, plan = load(given.again), planned(given)
    if measured and list(measured) == list(other):
        sys.exit("--again: these are the results of one and the same run")
    if not measured and given.again.resolve() == given.out.resolve():
        sys.exit(f"--again: {given.out} would be overwritten; name another --out")
    found = differences(
        other,
        sizes=measured.sizes if measured else plan.sizes,
        databases=measured.databases if measured else plan.databases,
        machine=measured.about["machine"] if measured else machine(),
    )
    if why := list(found):
        sys.exit(f"--again: the runs cannot be compared: {'; '.join(why)}")
    return other


def write_page(results: Results, page: Path, other: Results | None) -> None:
    """Write the page, and the plot beside it where it can be drawn."""
    picture = page.with_suffix(".svg")
    why = plot.missing()
    if why is None:
        plot.draw(results, picture)
    else:
        print(why, file=sys.stderr)
    shown = picture.name if why is None else None
    page.write_text(performance(results, plot=shown, other=other), "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write, or only write."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    given = parser().parse_args(words)
    results = load(given.report) if given.report else None
    other = other_run(given, results)
    if results is None:
        run(planned(given), repeatable(words), given.out).save(given.out)
        results = load(given.out)  # as --report would, whose figures have six digits
    write_page(results, given.page, other)
    print(f"written: {given.page.name}", file=sys.stderr)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the account ends too
    main()
