"""How often one piece of work holds another, round by round.

Both are measured by turns, so each round has a ratio of its own, of the medians of its own values:
what else the machine does meets both. A round adds equally many values of each kind of work, in its
order, and makes one first mirror. Where the values do not divide so, as after a peer that failed in
some round, none are paired: that ratio is of the medians of all, and has no spread.
"""

from __future__ import annotations

from statistics import median

from bench.figures import Figure, Results, Stated
from bench.pulls import FIRST
from bench.timing import WALL


def ratio(
    results: Results, tasks: int, database: str, what: str, to: str, measure: str = WALL
) -> Stated | None:
    """Return how often one piece of work holds another, in the middle and by round."""
    ours = results.find(tasks, database, what, measure)
    theirs = results.find(tasks, database, to, measure)
    if not ours or not theirs or not theirs.median:
        return None
    named = f"{what} / {to}, {tasks:,} tasks, {database}"
    rounds = results.find(tasks, database, FIRST)
    values = _of_rounds(ours, theirs, len(rounds.values)) if rounds else ()
    return Stated(named, "times", median(values or [ours.median / theirs.median]), values)


def _of_rounds(ours: Figure, theirs: Figure, rounds: int) -> tuple[float, ...]:
    mine, other = _by_round(ours, rounds), _by_round(theirs, rounds)
    if len(mine) != len(other) or not all(other):
        return ()
    return tuple(one / to for one, to in zip(mine, other, strict=True))


def _by_round(figure: Figure, rounds: int) -> list[float]:
    """Return the median of each round, or nothing where the values do not divide into rounds."""
    each, rest = divmod(len(figure.values), rounds)
    if rest or not each:
        return []
    starts = range(0, len(figure.values), each)
    return [median(figure.values[start : start + each]) for start in starts]
