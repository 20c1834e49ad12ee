"""Secrets: a value that does not show itself, and the removal of secrets from any text."""

from __future__ import annotations

import re
from typing import NoReturn

MASK = "***"

_PAIRS = (
    re.compile(
        r"(?i)\b(hash|api_key|access_token|refresh_token|client_secret|token)"
        r"(=|%3D|\"?\s*:\s*\"?)[^&\s\"',}]+"
    ),
    re.compile(r"(?i)\b(code)(=|%3D|\"?\s*:\s*\"?)[^&\s\"',}]{8,}"),  # not an error's number
)
_HEADERS = (
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

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def mask(text: str) -> str:
    """Return `text` with every known secret value masked, and no other word touched.

    This is for what people wrote in the account: "promo code: SPRING" is a title, not a secret.
    """
    for value in _known:
        text = text.replace(value, MASK)
    return text


def redact(text: str) -> str:
    """Return `text` with every known secret value and every signed parameter masked."""
    text = mask(text)
    for pattern in _PAIRS:
        text = pattern.sub(rf"\1\2{MASK}", text)
    for pattern in _HEADERS:
        text = pattern.sub(rf"\1 {MASK}", text)
    return text
