"""The account's search language as typed values. API sheet, section 5.4.

    (Field("name").has("report") | (Field("id") == 5)) & (Field("dateend") < date(2026, 2, 1))

What the account does not know is refused here, before it costs a request. There is no known way
to quote a quote, so a text that holds one is refused too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, Literal, NoReturn

from syncd.worksection.scalars import wire_date

Kind = Literal["number", "text", "date"]

TASK_FIELDS: Final[Mapping[str, Kind]] = {
    "id": "number",
    "project": "number",
    "parent": "number",
    "name": "text",
    "dateadd": "date",
    "datestart": "date",
    "dateend": "date",
    "dateclose": "date",
}
COST_FIELDS: Final[Mapping[str, Kind]] = {
    "task": "number",
    "project": "number",
    "comment": "text",
    "dateadd": "date",
}
_OPERATORS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "number": ("=",),
    "text": ("=",),
    "date": ("=", "!=", "<", ">", "<=", ">="),
}
# Quotes of any kind, the backslash, and control characters.
_UNSAFE: Final = re.compile(r"['\"`\\‘’‚′ʼ＇\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Expression:
    """A condition; combine with `&` and `|`. Its text is what the account reads."""

    __slots__ = ("_joined", "_text")

    def __init__(self, text: str, *, joined: bool = False) -> None:
        self._text = text
        self._joined = joined

    def __and__(self, other: Expression) -> Expression:
        return Expression(f"{self._grouped()} and {other._grouped()}", joined=True)

    def __or__(self, other: Expression) -> Expression:
        return Expression(f"{self._grouped()} or {other._grouped()}", joined=True)

    def _grouped(self) -> str:
        """Parentheses around everything joined: which of and/or binds first is not documented."""
        return f"({self._text})" if self._joined else self._text

    def __bool__(self) -> NoReturn:
        raise TypeError("join conditions with & and |, not with `and`, `or` or a chain")

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Expression({self._text!r})"


class Field:
    """A field of a task that the account can filter by. Raises ValueError for any other."""

    __slots__ = ("_kind", "_name")
    __hash__ = None  # type: ignore[assignment]  # == builds a condition

    def __init__(self, name: str, fields: Mapping[str, Kind] = TASK_FIELDS) -> None:
        if name not in fields:
            raise ValueError(f"cannot filter by {name!r}, only by {', '.join(fields)}")
        self._name = name
        self._kind = fields[name]

    def __eq__(self, value: object) -> Expression:  # type: ignore[override]  # no bool
        return self._compared("=", value)

    def __ne__(self, value: object) -> Expression:  # type: ignore[override]  # no bool
        return self._compared("!=", value)

    def __lt__(self, value: date) -> Expression:
        return self._compared("<", value)

    def __gt__(self, value: date) -> Expression:
        return self._compared(">", value)

    def __le__(self, value: date) -> Expression:
        return self._compared("<=", value)

    def __ge__(self, value: date) -> Expression:
        return self._compared(">=", value)

    def has(self, text: str) -> Expression:
        """The field's text contains `text`."""
        self._check("has", self._kind == "text")
        return Expression(f"{self._name} has {_quoted(text)}")

    def is_in(self, numbers: Iterable[int]) -> Expression:
        """The field's number is one of `numbers`. Raises ValueError when there is none."""
        self._check("in", self._kind == "number")
        words = [_number(number) for number in numbers]
        if not words:
            raise ValueError("a list to look in cannot be empty")
        return Expression(f"{self._name} in ({','.join(words)})")

    def _compared(self, operator: str, value: object) -> Expression:
        self._check(operator, operator in _OPERATORS[self._kind])
        return Expression(f"{self._name}{operator}{self._literal(value)}")

    def _literal(self, value: object) -> str:
        match self._kind:
            case "number":
                return _number(value)
            case "text":
                return _quoted(value)
            case "date":
                return _date(value)

    def _check(self, operator: str, known: bool) -> None:
        if not known:
            raise ValueError(f"the account cannot compare {self._name} with {operator}")


def cost_field(name: str) -> Field:
    """Return a field of a cost that the account can filter by."""
    return Field(name, COST_FIELDS)


def can_quote(text: str) -> bool:
    """Return whether `text` can stand in a condition as it is."""
    return bool(text.strip()) and not _UNSAFE.search(text)


def _number(value: object) -> str:
    if type(value) is not int or value < 0:
        raise ValueError(f"not a number to filter by: {value!r}")
    return str(value)


def _quoted(value: object) -> str:
    if not isinstance(value, str) or not can_quote(value):
        raise ValueError(f"cannot be quoted for the account: {value!r}")
    return f"'{value}'"


def _date(value: object) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"not a day to filter by: {value!r}")  # noqa: TRY004 - one kind for all
    return f"'{wire_date(value)}'"
