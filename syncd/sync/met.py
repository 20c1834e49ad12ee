"""Numbers that came before, in little memory: what tells new rows from those met already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from mmap import mmap
from typing import Final

SIZE: Final = 2**22
"""Numbers that are told apart, at a byte each; those of an account follow each other closely."""


class Met:
    """Which numbers may have come before. A yes can be wrong; a no never is."""

    def __init__(self) -> None:
        self._table = mmap(-1, SIZE)  # zeros, which take no memory before they are written

    def again(self, numbers: Collection[int]) -> list[int]:
        """Return those that may have come before, and remember all of them."""
        table = self._table
        places = [number % SIZE for number in numbers]
        again = [number for number, place in zip(numbers, places, strict=True) if table[place]]
        for place in places:
            table[place] = 1
        return again


@dataclass(frozen=True, slots=True)
class Filled:
    """What a pull has written into tables that were empty: nothing else in them is looked up.

    `edges` go by the task that comes first.
    """

    tasks: Met = field(default_factory=Met)
    files: Met = field(default_factory=Met)
    edges: Met = field(default_factory=Met)
