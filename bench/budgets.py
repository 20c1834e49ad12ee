"""The budgets, each with what was measured of it: met or not, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench import floor, peer, pulls, starts
from bench.figures import Figure, Results, Stated
from bench.ratios import ratio
from bench.timing import CPU, MB

ORIENTATION = 10_000
"""The size that the budgets of a pull speak of."""
FLAT = 1.2
MEMORY_OVER_ANSWER_MB = 120.0


@dataclass(frozen=True, slots=True)
class Budget:
    """One promise: what, how much is allowed, and what was measured, if it was.

    `made_of` are the figures behind that: a ratio, and the seconds it is made of.
    """

    what: str
    allowed: float
    measured: float | None
    unit: str
    at_least: bool = False
    aside: str = ""
    made_of: tuple[Stated, ...] = ()

    @property
    def met(self) -> bool | None:
        """Whether it is kept; None where it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.allowed if self.at_least else self.measured <= self.allowed

    @property
    def sentence(self) -> str:
        """Say so."""
        limit = f"{'at least' if self.at_least else 'at most'} {self.allowed:g} {self.unit}"
        if self.measured is None:
            return f"{self.what}: {limit}. Not measured in this run."
        verdict = "Met" if self.met else "**Not met**"
        return f"{self.what}: {limit}. {verdict}: {self._by}{self.aside}."

    @property
    def _by(self) -> str:
        assert self.measured is not None  # noqa: S101 - asked only where it was
        away = abs(self.measured / self.allowed - 1)
        side = "above" if self.measured > self.allowed else "below"
        return f"{self.measured:.3g} {self.unit}, {away:.0%} {side} the limit"


def budgets(results: Results) -> Iterator[Budget]:
    """Yield every budget."""
    size = ORIENTATION if ORIENTATION in results.sizes else max(results.sizes)
    for database in results.databases:
        yield from _pulls(results, size, database)
        yield _flat(results, database)
        yield _memory(results, database)
        yield _start(results, size, database, starts.STATUS, 0.4)
    yield _start(results, size, results.databases[0], starts.HELP, 0.2)


def _pulls(results: Results, size: int, database: str) -> Iterator[Budget]:
    first_ahead = 5 if database == "SQLite" else 4
    for what, under, over, ahead in (
        (pulls.FIRST, floor.WRITE, peer.FIRST, first_ahead),
        (pulls.UNCHANGED, floor.HASH, peer.AGAIN, 40),
        ("1 % changed", floor.DECODE, peer.AGAIN, 10),
    ):
        yield _near(results, size, database, _as_warm(results, size, database, what), under)
        yield _ahead(results, size, database, what, over, ahead)


def _as_warm(results: Results, size: int, database: str, what: str) -> str:
    """Return what is held against the floor: of first mirrors the warm one, if it was measured."""
    measured = results.find(size, database, pulls.WARM)
    return pulls.WARM if what == pulls.FIRST and measured else what


def _near(results: Results, size: int, database: str, what: str, under: str) -> Budget:
    wall = ratio(results, size, database, what, under)
    used = ratio(results, size, database, what, under, CPU)
    new = ratio(results, size, database, pulls.FIRST, under) if what == pulls.WARM else None
    beside = [f"of CPU, {used.median:.3g} times"] if used else []
    beside += [f"into a new database {new.median:.3g} times"] if new else []
    return Budget(
        f"{_named(what, size, database)}, against {under}",
        2,
        wall.median if wall else None,
        "times the floor",
        aside=f" ({'; '.join(beside)})" if beside else "",
        made_of=_parts(results, size, database, wall, what, under),
    )


def _ahead(
    results: Results, size: int, database: str, what: str, over: str, allowed: float
) -> Budget:
    faster = ratio(results, size, database, over, what)
    return Budget(
        f"{_named(what, size, database)}, against {over}",
        allowed,
        faster.median if faster else None,
        "times faster",
        at_least=True,
        made_of=_parts(results, size, database, faster, over, what),
    )


def _named(what: str, size: int, database: str) -> str:
    return f"{what} of {size:,} tasks, {database}"


def _parts(
    results: Results, size: int, database: str, whole: Stated | None, *works: str
) -> tuple[Stated, ...]:
    """Return a ratio and the two figures it is of."""
    return _stated(whole, *(results.find(size, database, one) for one in works))


def _stated(*found: Stated | Figure | None) -> tuple[Stated, ...]:
    """Return what was measured of these, as a page states it."""
    named = (one.stated if isinstance(one, Figure) else one for one in found)
    return tuple(one for one in named if one)


def _flat(results: Results, database: str) -> Budget:
    """The cost per task at the dearest of the larger sizes against that at 10,000.

    That was measured right before and after, in each round, or else by turns with it.
    """
    what = f"cost per task of a first mirror, {database}, from 10,000 to"
    sizes = [size for size in results.sizes if size >= ORIENTATION]
    grown = {size: found for size in sizes if (found := _grown(results, database, sizes[0], size))}
    if not grown:
        return Budget(f"{what} 1,000,000", FLAT, None, "times")
    dearest = max(grown, key=lambda size: grown[size].median)
    times = grown[dearest]
    whole = Stated(f"{what} {max(grown):,}", "times", times.median, times.values)
    said = [_at(size, each) for size, each in grown.items()]
    said += [
        f"of projects a tenth as large {_at(size, each)}"
        for size in grown
        if (each := _beside_small(results, database, size, pulls.SCATTERED))
    ]
    return Budget(
        whole.what,
        FLAT,
        whole.median,
        "times",
        aside=f" ({'; '.join(said)})",
        made_of=_stated(
            whole,
            results.find(dearest, database, pulls.FIRST),
            results.find(dearest, database, pulls.BESIDE)
            or results.find(sizes[0], database, pulls.FIRST),
        ),
    )


def _grown(results: Results, database: str, small: int, size: int) -> Stated | None:
    """Return how often the cost per task at a size holds that at a small one."""
    if beside := _beside_small(results, database, size, pulls.FIRST):
        return beside
    few = results.find(small, database, pulls.FIRST)
    many = results.find(size, database, pulls.FIRST)
    if size == small or few is None or many is None:
        return None
    # No round has such a ratio of its own, so it has no spread.
    return Stated(many.what, "times", many.median / few.median * small / size, ())


def _beside_small(results: Results, database: str, size: int, what: str) -> Stated | None:
    """Return how often the cost per task of a mirror holds that of those made beside it."""
    beside = ratio(results, size, database, what, pulls.BESIDE)
    if beside is None:
        return None
    share = ORIENTATION / size
    values = tuple(value * share for value in beside.values)
    return Stated(beside.what, "times", beside.median * share, values)


def _at(size: int, found: Stated) -> str:
    said = f"{found.median:.3g} at {size:,}"
    if not found.has_spread:
        return said
    return f"{said}, by round {min(found.values):.3g} to {max(found.values):.3g}"


def _memory(results: Results, database: str) -> Budget:
    size = max(results.sizes)
    peak = results.find(size, database, pulls.MEMORY, MB)
    answer = results.find(size, database, pulls.LARGEST, MB)
    over = max(peak.values) - answer.median if peak and answer else None
    what = f"peak memory over the largest answer, {size:,} tasks, {database}"
    return Budget(what, MEMORY_OVER_ANSWER_MB, over, "MB", made_of=_stated(peak, answer))


def _start(results: Results, size: int, database: str, what: str, allowed: float) -> Budget:
    found = results.find(size, database, what)
    aside = f" (median {found.median:.2g} s)" if found else ""
    tried = f", best of {len(found.values)}" if found else ""
    named = f"`{what}`, {database}{tried}"
    best = found.best if found else None
    return Budget(named, allowed, best, "s", aside=aside, made_of=_stated(found))
