"""Texts made from secrets, and keeping both out of every message.

A key or token is a `syncd.secrets.Secret`, known to every log from then on. What is derived for
one request (the hash, the signature, the address that holds it) is `Hidden`: masked as well, but
forgotten with the request, or a daemon would remember one for every request it ever sent.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from syncd import secrets
from syncd.secrets import MASK, Secret

_NAMES = r"hash|api_?key|(?:access|refresh)_token|client_secret|code|http_pass|password"
_QUOTED = re.compile(rf"(?i)([\"'])({_NAMES})\1(\s*[:,=]\s*)([\"'])(?:(?!\4).)*\4")
_HEADER = re.compile(
    r"(?i)(authorization[\"']?\s*[:=,]\s*[\"']?)(?:(?:admin|bearer|basic)\s+)?[^\s\"',]+"
)
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]+")


class Hidden:
    """A text that shows as `***` wherever it is printed; only `reveal` hands it out."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself, for sending it."""
        return self.__text

    def __repr__(self) -> str:
        return f"Hidden({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a hidden text is not pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a hidden text is not pickled")


def redact(text: str, *known: Secret | Hidden) -> str:
    """Return `text` with everything that looks like a secret, and the given ones, masked."""
    for each in known:
        text = _without(text, each.reveal())
    text = _HEADER.sub(rf"\g<1>{MASK}", text)
    text = _QUOTED.sub(rf"\g<1>\g<2>\g<1>\g<3>\g<4>{MASK}\g<4>", text)
    return secrets.redact(_JWT.sub(MASK, text))


def _without(text: str, known: str) -> str:
    """Mask a known value in each form it can take in a URL, a log or a JSON text."""
    if len(known) < 4:  # masking "1" would eat the text and protect nothing
        return text
    for form in {known, quote(known, safe=""), quote_plus(known), repr(known)[1:-1]}:
        text = text.replace(form, MASK)
    return text
