"""Whether figures reproduce: what a first run stated, against what a second one measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.budgets import budgets
from bench.figures import Results, Stated

PROMISE = "Each figure within its stated spread when run again"


@dataclass(frozen=True, slots=True)
class Again:
    """A figure as a first run stated it, and as a second one did, if it measured it."""

    first: Stated
    second: Stated | None

    @property
    def within(self) -> bool | None:
        """Whether the second median lies in the first spread; None where that cannot be said."""
        if self.second is None or not self.first.has_spread:
            return None
        return min(self.first.values) <= self.second.median <= max(self.first.values)

    @property
    def verdict(self) -> str:
        """Say so, and by how much it lies outside."""
        if self.second is None:
            return "not measured again"
        if not self.first.has_spread:
            return "no spread was stated"
        if self.within:
            return "yes"
        return f"**no**, {_outside(self.second.median, self.first.values)}"


def _outside(value: float, values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    if value > high:
        return f"{value / high - 1:.2%} above the highest"
    return f"{1 - value / low:.2%} below the lowest"


def compared(first: Results, second: Results) -> list[Again]:
    """Return every figure of the first run's budgets, in their order, beside the second's.

    What only one of them measured because the other left its size out is left aside.
    """
    found = _stated(second.only(first.sizes))
    return [Again(one, found.get(what)) for what, one in _stated(first.only(second.sizes)).items()]


def _stated(results: Results) -> dict[str, Stated]:
    return {one.what: one for budget in budgets(results) for one in budget.made_of}


def kept(figures: Sequence[Again]) -> bool:
    """Tell whether the promise is kept: all that can be judged lie within, and nothing is left."""
    left = any(one.second is None for one in figures)
    judged = [one.within for one in figures if one.within is not None]
    return bool(judged) and all(judged) and not left


def sentence(figures: Sequence[Again]) -> str:
    """Return the promise, and how many figures keep it."""
    judged = [one.within for one in figures if one.within is not None]
    verdict = "Met" if kept(figures) else "**Not met**"
    parts = [f"{PROMISE}: {verdict}: {sum(judged)} of {len(judged)} do"]
    if bare := sum(one.second is not None and not one.first.has_spread for one in figures):
        parts.append(f"{bare} more stated no spread")
    if gone := sum(one.second is None for one in figures):
        parts.append(f"{gone} were not measured again")
    return "; ".join(parts) + "."


def differences(
    other: Results, *, sizes: Sequence[int], databases: Sequence[str], machine: str
) -> Iterator[str]:
    """Yield why a run like this cannot be compared with another one; a common size is enough."""
    common = set(other.sizes) & set(sizes)
    for what, there, here in (
        ("machine", other.about["machine"], machine),
        ("tasks", _listed(other.sizes), _listed(other.sizes if common else sorted(sizes))),
        ("databases", ", ".join(sorted(other.databases)), ", ".join(sorted(databases))),
    ):
        if there != here:
            yield f"{what}: {there} in the other run, {here} in this one"


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(f"{size:,}" for size in sizes)
