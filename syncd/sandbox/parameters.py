"""The parameters of one call, whichever way they came: query, form, multipart or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from syncd.sandbox.replies import RefusedError, required

INDEXED = re.compile(r"^(\w+)\[\d*\]$")
DATE = re.compile(r"^\d{1,2}\.\d{1,2}\.\d{4}$")
SECRETS = frozenset({"hash", "access_token", "refresh_token", "client_secret", "http_pass", "code"})


class Parameters:
    """Values by name; `todo[]` and `todo[0]` are values of `todo`."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        self._values: dict[str, list[Any]] = {}
        for key, value in pairs:
            indexed = INDEXED.match(key)
            name = indexed[1] if indexed else key
            values = value if isinstance(value, list) else [value]
            self._values.setdefault(name, []).extend(values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def pairs(self) -> list[tuple[str, Any]]:
        """Every value with its name."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def loggable(self) -> dict[str, Any]:
        """The parameters without those that must not be written down."""
        return {
            name: values[0] if len(values) == 1 else values
            for name, values in self._values.items()
            if name not in SECRETS
        }

    def text(self, name: str) -> str | None:
        """The last value as text, or None when the parameter was not sent."""
        values = self._values.get(name)
        return None if not values or values[-1] is None else str(values[-1])

    def required(self, name: str) -> str:
        """A value that must be there and not empty; code 10 otherwise."""
        if not (value := self.text(name)):
            raise required(name)
        return value

    def number(self, name: str) -> int | None:
        """An id; -1, which nothing has, when it is no number."""
        value = self.text(name)
        if value is None:
            return None
        return int(value) if value.strip().isdecimal() else -1

    def flag(self, name: str) -> bool:
        """A boolean, written 1 or true."""
        return (self.text(name) or "").lower() in ("1", "true")

    def listed(self, name: str) -> list[str]:
        """A comma list or an array, blanks trimmed, empty items dropped."""
        parts = [part for value in self._values.get(name, ()) for part in str(value).split(",")]
        return [part.strip() for part in parts if part.strip()]

    def many(self, name: str) -> list[Any]:
        """All values of a repeated parameter."""
        return list(self._values.get(name, ()))

    def extras(self) -> frozenset[str]:
        """What `extra` asks for."""
        return frozenset(self.listed("extra"))


def wire_date(value: str) -> date | None:
    """A date as it is written to the API, DD.MM.YYYY; None for any other form."""
    if not DATE.match(value):
        return None
    try:
        return datetime.strptime(value, "%d.%m.%Y").date()  # noqa: DTZ007 - dates have no zone
    except ValueError:
        return None


def amount(name: str, value: str) -> Decimal:
    """A decimal number, with a dot or a comma."""
    try:
        parsed = Decimal(value.replace(",", ".").strip())
    except InvalidOperation:
        raise RefusedError(10, "Field is required", name) from None
    if not parsed.is_finite() or parsed < 0:
        raise RefusedError(10, "Field is required", name)
    return parsed
