"""Answers as lists of nodes; what no database can hold is told apart before it gets there."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from syncd.errors import BadReply

Sent = bytes | msgspec.Raw
"""A part of an answer as it was sent. As Raw it is no copy: one of megabytes costs milliseconds."""
_NUL: Final = re.compile(rb"\\u0000")
"""How JSON writes the character that PostgreSQL's text and jsonb refuse; no byte of it is raw."""
_NUL_CHARACTER = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""The same, but not a text that spells it out: there the backslash itself is escaped."""


def nodes_of(data: Sent | None, what: str) -> list[Any]:
    """Decode the `data` of a list answer; a missing one is empty (API sheet, section 1).

    Raises BadReply where it is no list of `what`.
    """
    if data is None:
        return []
    value = node_of(data, what)
    if not value:
        return []
    if not isinstance(value, list):
        raise BadReply(f"A list of {what} was expected, not {type(value).__name__}.")
    return value


def raws_of(data: Sent | None, what: str) -> list[msgspec.Raw]:
    """Cut the `data` of a list answer into its nodes, each still as it was sent.

    What is inside of them was only skimmed: `node_of` says whether one can be decoded. Raises
    BadReply where it is no list of `what`.
    """
    try:
        return _cut(data) if data is not None else []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [msgspec.Raw(msgspec.json.encode(node)) for node in nodes_of(data, what)]


def node_of(data: Sent, what: str) -> Any:
    """Decode one value. Raises BadReply where it cannot be."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadReply(f"The list of {what} cannot be decoded: {error}.") from None


_cut = msgspec.json.Decoder(list[msgspec.Raw]).decode


def may_hold_nul(data: Sent | None) -> bool:
    """Tell whether a look at each record is worth its time."""
    return data is not None and _NUL.search(memoryview(data)) is not None


def refuse_nul(node: object) -> None:
    """Raise ValueError for a record with a NUL character anywhere in it."""
    if _NUL_CHARACTER.search(raw_text(node)):
        raise ValueError("it holds a NUL character, which a database cannot")


def raw_text(node: object) -> str:
    """Return a node as JSON again, whatever numbers it holds."""
    try:
        return msgspec.json.encode(node, order="sorted").decode()
    except OverflowError:  # a whole number past 64 bits
        return json.dumps(node, sort_keys=True, ensure_ascii=False)
