"""docs/performance.md, written from the results of a run: tables, budgets, the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench import again, floor, peer, pulls, pushes, singer, starts
from bench.again import Again, compared
from bench.budgets import budgets
from bench.figures import Figure, Results, Stated
from bench.ratios import ratio
from bench.timing import CPU, MB, MS, REQUESTS, WALL

PULLS = (
    (pulls.FIRST, floor.WRITE),
    (pulls.WARM, floor.WRITE),
    (pulls.UNCHANGED, floor.HASH),
    ("1 % changed", floor.DECODE),
    ("10 % changed", floor.DECODE),
)
"""Each kind of pull, and the floor under it."""
PEERS = {"dlt": peer, "Meltano": singer}
"""Modules that name their first load and every later one."""
NOT_HAD = "-"
INTRODUCTION = """\
# Performance

Written by `make bench`; not by hand. Figures are medians with their spread, (lowest..highest).
A ratio is taken in each round of this one run, where both are measured by turns; seconds are this
machine's and mean little elsewhere.

- The **floor** is the same work with nothing around it: the same requests, their answers decoded
  by msgspec, and the rows of the finished mirror, all columns of its seven tables, written by
  `executemany` in one transaction or by binary COPY, into tables with the same columns and keys
  but without checks and further indexes; what it takes with them stands beside the figures of the
  smaller sizes. For an unchanged pull it is to fetch and hash the listing, for a changed one to
  fetch and decode it. It fetches by requests, which unzips by the standard library; syncd unzips
  by zlib-ng, so a pull may come close to the floor or below it. What the two take for the listings
  stands there too. It hands SQLite's driver None for NULL, as anybody does; syncd hands it what
  the driver takes twice as quickly.
- The **peers** are dlt, with its REST client and `write_disposition="merge"` by id, and Meltano's
  target for PostgreSQL, fed by a tap of our own in the same process; the same account, the same
  kind of database. They load everything each time, keep no history of tasks and look for no
  removals.
- The simulated account is a process of its own, warm and without a pace. Each kind of work runs in
  a process of its own, warm too: start-up is not counted. Before the later
  ones are timed, a peer has loaded twice, and syncd has pulled unchanged and changed once.
- A **first mirror** goes into a new database: in its time connections are opened and statements
  compiled, as in that of a peer's first load. The floor writes its tables over one connection,
  empties them and writes them again. What is held against it is the **warm first mirror**, for
  which the mirror was emptied in the same way, after five others: from then on the driver has its
  statements prepared. Nothing that a pull remembers is left then, in the database or in memory.
- Sizes under 100,000 tasks are measured by turns, in rounds before, between and after the larger
  ones; 1,000,000 is measured once. From 100,000 on an account is over the limit of one answer: it
  is pulled by projects, of 5,000 tasks each whatever the size, so that what grows is the account
  alone. The **cost per task** is held, in each round, against first mirrors of 10,000 that the same
  process makes right before and after. Each project is a request more: what as many tasks in
  projects of 500 cost stands beside it.
"""


def performance(results: Results, *, plot: str | None = None, other: Results | None = None) -> str:
    """Return the page; with another run, also what became of the earlier's figures in the later."""
    first, second = sorted((other or results, results), key=_date)
    figures = compared(first, second) if other else []
    parts = [INTRODUCTION, *_remarks(results), "## Budgets\n", *_budgets(results, figures)]
    parts += [f"![pulls against their floor and dlt]({plot})\n"] if plot else []
    parts += _again(first, second, figures, page=results) if other else []
    for size in results.sizes:
        for database in results.databases:
            if results.find(size, database, pulls.FIRST):
                parts += _section(results, size, database)
    return "\n".join([*parts, "## The run\n", *_about(results)]) + "\n"


def _remarks(results: Results) -> Iterator[str]:
    """Say what a reader has to know before the figures."""
    if "load" not in results.about:
        yield "**The run was broken off.** Here is what it had measured by then.\n"
    before, after = results.about.get("load", (0.0, 0.0))
    cores = results.about["cores"]
    if max(before, after) > cores:
        yield (
            "**The machine was under load** from other work: on average"
            f" {before:.1f} processes wanted to run at the start and {after:.1f} at the end, the"
            f" bench's own included, on {cores} cores. Take the ratios with caution, and the"
            " seconds with more.\n"
        )
    for note in results.notes:
        yield f"{note}\n"


def _budgets(results: Results, figures: Sequence[Again]) -> Iterator[str]:
    found = list(budgets(results))
    known = [one.met for one in found if one.met is not None]
    known += [again.kept(figures)] if figures else []
    yield f"{sum(known)} of {len(known)} that were measured are met.\n"
    for one in found:
        yield f"- {one.sentence[0].upper()}{one.sentence[1:]}"
    last = again.sentence(figures) if figures else f"{again.PROMISE}: one run cannot tell."
    yield f"- {last}\n"


def _date(results: Results) -> str:
    return str(results.about["date"])


def _again(
    first: Results, second: Results, figures: Sequence[Again], *, page: Results
) -> Iterator[str]:
    yield "## Measured again\n"
    yield (
        "The figures behind the budgets, of the sizes that both runs measured: what a first run"
        " stated, and the median that a second one measured after it. A figure reproduces where"
        " that lies in the first's spread.\n"
    )
    for which, one in (("first", first), ("again", second)):
        yield f"- {which}{', the run of this page' if one is page else ''}: {_run(one)}"
        if _versions(first) != _versions(second):
            yield f"  - {_versions(one)}"
    yield ""
    yield from _table(
        ("figure", "unit", "first", "again", "within"),
        ((one.first.what, one.first.unit, *_both(one), one.verdict) for one in figures),
    )


def _both(one: Again) -> tuple[str, str]:
    """Return a figure as first stated, and its median of the second run."""
    return exact(one.first), NOT_HAD if one.second is None else f"{one.second.median:.4g}"


def _section(results: Results, size: int, database: str) -> Iterator[str]:
    yield f"## {size:,} tasks, {database}\n"
    peers = [name for name, one in PEERS.items() if results.find(size, database, one.FIRST)]
    yield from _table(
        (
            *("pull", "syncd, s", "CPU, s", "floor, s", "times the floor"),
            *(head for name in peers for head in (f"{name}, s", f"{name} / syncd")),
        ),
        (
            _pull(results, size, database, peers, what, under)
            for what, under in PULLS
            if what != pulls.WARM or results.find(size, database, what)
        ),
    )
    edits = [per for n in pushes.EDITS if results.find(size, database, per := pushes.per_edit(n))]
    yield from _table(
        ("push", "requests", "CPU, ms", "wall, ms"),
        (_push(results, size, database, what) for what in edits),
    )
    yield from _table(("besides", ""), _besides(results, size, database))


def instead(name: str, what: str) -> str:
    """Return what a peer does in the place of this pull; nothing is as warm as the floor."""
    first: str = PEERS[name].FIRST
    again: str = PEERS[name].AGAIN
    return {pulls.FIRST: first, pulls.WARM: ""}.get(what, again)


def _pull(
    results: Results, size: int, database: str, peers: Sequence[str], what: str, under: str
) -> Sequence[str]:
    def shown(name: str, measure: str = WALL) -> str:
        return spread(results.find(size, database, name, measure))

    ours = (shown(what), shown(what, CPU), shown(under))
    others = [instead(name, what) for name in peers]
    return (
        *(what, *ours, times(ratio(results, size, database, what, under))),
        *(
            cell
            for one in others
            for cell in (shown(one), times(ratio(results, size, database, one, what)))
        ),
    )


def _push(results: Results, size: int, database: str, what: str) -> Sequence[str]:
    def found(measure: str) -> Figure | None:
        return results.find(size, database, what, measure)

    return (
        what,
        spread(found(REQUESTS), digits=2),
        spread(found(CPU), scale=1000, digits=1),
        spread(found(WALL), scale=1000, digits=1),
    )


def _besides(results: Results, size: int, database: str) -> Iterator[Sequence[str]]:
    for query in pulls.QUERIES:
        view, table = (f"{query} of {name}" for name in ("live_tasks", "tasks"))
        held = times(ratio(results, size, database, view, table, MS))
        both = [spread(results.find(size, database, one, MS), digits=1) for one in (view, table)]
        yield (
            f"`{query}` of `live_tasks` against `tasks`",
            f"{held}: {both[0]} ms and {both[1]} ms",
        )
    for what in (starts.HELP, starts.STATUS):
        yield f"`{what}`, start to end", f"{spread(results.find(size, database, what))} s"
    for what in (pulls.BESIDE, pulls.SCATTERED):
        if other := results.find(size, database, what):
            yield what, f"{spread(other)} s"
    if indexed := results.find(size, database, floor.INDEXED):
        held = times(ratio(results, size, database, pulls.FIRST, floor.INDEXED))
        yield f"{pulls.FIRST} against {floor.INDEXED}", f"{held}: {spread(indexed)} s"
    for what in (pulls.MEMORY, pulls.LARGEST):
        yield what, f"{spread(results.find(size, database, what, MB), digits=1)} MB"
    yield (
        f"requests of a {pulls.FIRST}",
        spread(results.find(size, database, pulls.FIRST, REQUESTS), digits=0),
    )
    zips = [results.find(size, database, one) for one in (floor.UNZIP, floor.UNZIP_NG)]
    yield (
        "unzipping the listings by zlib, as the floor does, and by zlib-ng, as syncd does",
        " and ".join(f"{spread(one, scale=1000, digits=1)} ms" for one in zips),
    )
    used, lasted = (results.find(size, database, starts.IDLE, one) for one in (CPU, WALL))
    if used and lasted:
        said = f"{used.median:.2f} CPU s in {lasted.median:.0f} s at the default intervals"
        yield f"`syncd run`, {starts.IDLE}", said


def spread(figure: Figure | None, *, scale: float = 1, digits: int = 3) -> str:
    """Return a median with its spread, or a dash."""
    if figure is None:
        return NOT_HAD
    low, high = min(figure.values) * scale, max(figure.values) * scale
    middle = f"{figure.median * scale:.{digits}f}"
    return middle if low == high else f"{middle} ({low:.{digits}f}..{high:.{digits}f})"


def times(found: Stated | None) -> str:
    """Return a ratio with its spread, or a dash."""
    return NOT_HAD if found is None else _ranged(found, _times)


def exact(found: Stated) -> str:
    """Return a figure with its spread, to four digits."""
    return _ranged(found, "{:.4g}".format)


def _times(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _ranged(found: Stated, shown: Callable[[float], str]) -> str:
    if not found.has_spread:
        return shown(found.median)
    return f"{shown(found.median)} ({shown(min(found.values))}..{shown(max(found.values))})"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _about(results: Results) -> Iterator[str]:
    yield f"- {_run(results)}"
    yield f"- {results.about['machine']}"
    yield f"- {_versions(results)}"


def _versions(results: Results) -> str:
    about = results.about
    peers = [f"{name} {version}" for name, version in about.get("peers", {}).items()]
    return ", ".join([about["versions"], *about["databases"], *peers])


def _run(results: Results) -> str:
    """Say which run this was: when, of what code, how, and beside what else."""
    about = results.about
    load = "{:.1f} before and {:.1f} after".format(*about["load"]) if "load" in about else None
    return (
        f"{about['date']}, {about.get('commit', 'commit not known')}, `{about['command']}`,"
        f" {about['runs']} runs, {f'load {load}' if load else 'broken off'}"
    )
