"""The content of a table as one number, the same on both databases and in whatever order.

Values are compared as our column types give them, not as the databases keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, FromClause, LargeBinary, select

PAGE = 500
_MODULUS = 2**256
_EXACT = 2**63
"""Below it a whole number is an integer for everybody; above it, and for fractions, text."""
_NUMBER = 1


@dataclass(slots=True)
class Content:
    """How many rows, and the sum of their hashes: rows that are there twice count twice."""

    rows: int = 0
    sum: int = 0

    def add(self, row: Sequence[Any]) -> None:
        """Take one more row in."""
        packed = msgspec.msgpack.encode([_plain(value) for value in row], order="sorted")
        number = int.from_bytes(blake2b(packed, digest_size=32).digest(), "big")
        self.rows, self.sum = self.rows + 1, (self.sum + number) % _MODULUS


def content_of(
    tx: Connection, source: FromClause, *, passed: Callable[[int], None] = lambda _: None
) -> Content:
    """Read a table or a view to its end; `passed` hears of every page, and how many rows it had."""
    found = Content()
    rows = tx.execute(select(source), execution_options={"yield_per": page_of(source)})
    for page in rows.partitions():
        for row in page:
            found.add(row)
        passed(len(page))
    return found


def page_of(source: FromClause) -> int:
    """Return how many rows to have in memory at once: of those that hold whole files, one."""
    unbounded = (
        isinstance(column.type, LargeBinary) and column.type.length is None
        for column in source.columns
    )
    return 1 if any(unbounded) else PAGE


def _plain(value: Any) -> Any:
    """Return a value in the one form that it has, whichever database it was in.

    jsonb keeps numbers as decimals: 1e16 comes back as a whole number, and -0.0 without its sign.
    """
    match value:
        case bool() | None | str() | bytes():
            return value
        case int():
            return value if abs(value) < _EXACT else _number(Decimal(value))
        case float():
            return _number(Decimal(repr(value)))
        case Decimal():
            return _number(value)
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
    return value


def _number(value: Decimal) -> Any:
    if value == value.to_integral_value() and abs(value) < _EXACT:
        return int(value)
    return msgspec.msgpack.Ext(_NUMBER, format(value.normalize(), "f").encode())
