"""Parameters in the form that the account takes them. API sheet, section 4."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

from syncd.worksection.scalars import wire_date, wire_number


class NotGiven(Enum):
    """A parameter that is left out; None means to clear the value."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN

Value = str | int | Decimal | date | None | NotGiven
Pairs = tuple[tuple[str, str], ...]


def given(**values: Value) -> Pairs:
    """Return the parameters that are given; None goes out empty, which asks to clear."""
    return tuple((key, wire(value)) for key, value in values.items() if value is not NOT_GIVEN)


def filled(**values: Value) -> Pairs:
    """Return the parameters that have a value, for methods where nothing can be cleared."""
    return tuple(
        (key, wire(value)) for key, value in values.items() if value not in (None, NOT_GIVEN, "")
    )


def wire(value: Value) -> str:
    """Return `value` as the account reads it."""
    if value is None or isinstance(value, NotGiven):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, date):
        return wire_date(value)
    return value if isinstance(value, str) else wire_number(value)


def comma_list(items: Iterable[str | int], *, what: str) -> str:
    """Join `items` with commas; the account cannot take one that holds a comma.

    Raises ValueError.
    """
    words = [str(item).strip() for item in items]
    for word in words:
        if "," in word or not word:
            raise ValueError(f"{what} {word!r} cannot be sent in a list; use its id")
    return ",".join(words)


def emails(addresses: Sequence[str], *, what: str = "email") -> str | None:
    """Return a list of emails as sent, or None when there is none."""
    return comma_list(addresses, what=what) if addresses else None


def extras(words: Sequence[str]) -> str | None:
    """Return what is asked for beside the record itself, or None."""
    return comma_list(words, what="extra") if words else None
