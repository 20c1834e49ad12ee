"""Numbers that came before, in little memory: what tells new tasks from those met already."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

SIZE: Final = 2**22
"""Numbers that are told apart, at a byte each; those of an account follow each other closely."""


class Met:
    """Which numbers may have come before. A yes can be wrong; a no never is."""

    def __init__(self) -> None:
        self._table = bytearray(SIZE)

    def again(self, numbers: Collection[int]) -> list[int]:
        """Return those that may have come before, and remember all of them."""
        table = self._table
        places = [number % SIZE for number in numbers]
        again = [number for number, place in zip(numbers, places, strict=True) if table[place]]
        for place in places:
            table[place] = 1
        return again
