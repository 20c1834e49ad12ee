"""Figures: what was measured, of how many tasks, on which database, time and again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.timing import WALL, Sample


@dataclass(frozen=True, slots=True)
class Stated:
    """A figure as a page states it: a value, and the single ones, if it tells its spread."""

    what: str
    unit: str
    median: float
    values: tuple[float, ...]

    @property
    def has_spread(self) -> bool:
        """Whether it was measured more than once."""
        return len(self.values) > 1


@dataclass(frozen=True, slots=True)
class Figure:
    """The values of one measure of one piece of work."""

    tasks: int
    database: str
    what: str
    measure: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return median(self.values)

    @property
    def best(self) -> float:
        """The lowest value."""
        return min(self.values)

    @property
    def stated(self) -> Stated:
        """The figure under its full name."""
        named = f"{self.what}, {self.tasks:,} tasks, {self.database}"
        return Stated(named, self.measure, self.median, self.values)


@dataclass(slots=True)
class Results:
    """All figures of one run of the bench, how it was run, and what there is to say about it."""

    about: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _values: dict[tuple[int, str, str, str], list[float]] = field(default_factory=dict)

    def add(self, tasks: int, database: str, samples: Iterable[Sample]) -> None:
        """Keep what was measured."""
        for what, measure, value in samples:
            self._values.setdefault((tasks, database, what, measure), []).append(value)

    def note(self, said: str) -> None:
        """Keep a remark, once."""
        if said not in self.notes:
            self.notes.append(said)

    def __iter__(self) -> Iterator[Figure]:
        for key, values in self._values.items():
            yield Figure(*key, tuple(values))

    def find(self, tasks: int, database: str, what: str, measure: str = WALL) -> Figure | None:
        """Return one figure, or None where it was not measured."""
        values = self._values.get((tasks, database, what, measure))
        return Figure(tasks, database, what, measure, tuple(values)) if values else None

    @property
    def sizes(self) -> list[int]:
        """The numbers of tasks, ascending."""
        return sorted({key[0] for key in self._values})

    @property
    def databases(self) -> list[str]:
        """The databases, in the order they were measured."""
        return list(dict.fromkeys(key[1] for key in self._values))

    def only(self, sizes: Collection[int]) -> Results:
        """Return the figures of these sizes."""
        values = {key: found for key, found in self._values.items() if key[0] in sizes}
        return Results(self.about, self.notes, values)

    def save(self, path: Path) -> None:
        """Write a file that `load` reads."""
        rows = [
            {
                "tasks": one.tasks,
                "database": one.database,
                "what": one.what,
                "measure": one.measure,
                "values": [float(f"{value:.6g}") for value in one.values],
            }
            for one in self
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {"about": self.about, "notes": self.notes, "figures": rows}
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def load(path: Path) -> Results:
    """Read the results of a run."""
    document = json.loads(path.read_text("utf-8"))
    found = Results(about=document["about"], notes=document["notes"])
    for row in document["figures"]:
        samples = [(row["what"], row["measure"], value) for value in row["values"]]
        found.add(row["tasks"], row["database"], samples)
    return found
