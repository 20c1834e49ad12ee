"""Secrets: a value that does not show itself, and the removal of secrets from any text."""

from __future__ import annotations

import re
from typing import NoReturn

MASK = "***"

_PATTERNS = (
    re.compile(
        r"(?i)\b(hash|api_key|access_token|refresh_token|client_secret|token|code)"
        r"(=|%3D|\"?\s*:\s*\"?)[^&\s\"',}]+"
    ),
    re.compile(r"(?i)\b(Authorization\"?'?\s*[:=]\s*\"?'?(?:Admin|Bearer|Basic))\s+[^\s\"',}]+"),
    re.compile(r"(?i)\b((?:Admin|Bearer))\s+[A-Za-z0-9._~+/=-]{16,}"),
)

_known: set[str] = set()


class Secret:
    """A text that prints as ***; `reveal` gives it to whoever signs with it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= 6:  # shorter ones would mask ordinary words
            _known.add(value)

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def redact(text: str) -> str:
    """Return `text` with every known secret value and every signed parameter masked."""
    for value in _known:
        text = text.replace(value, MASK)
    text = _PATTERNS[0].sub(rf"\1\2{MASK}", text)
    for pattern in _PATTERNS[1:]:
        text = pattern.sub(rf"\1 {MASK}", text)
    return text
