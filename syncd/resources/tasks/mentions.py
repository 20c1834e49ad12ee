"""What many tasks name in the same bytes, projects, people and tags: decoded once for all of them.

A part of the short road (`typed`): at what is not as usual it steps aside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from syncd.worksection.scalars import LARGEST_ID

Number = int | str
T = TypeVar("T")


class Unusual(Exception):
    """Something that this road does not take."""


class Named(Struct, frozen=True, gc=False):
    """A project or a member in passing."""

    id: Number
    name: str = ""
    page: str = ""
    email: str = ""


_decode_named: Final = msgspec.json.Decoder(Named).decode
_decode_tags: Final = msgspec.json.Decoder(dict[str, str] | list[str]).decode


def number(value: int | str, most: int = LARGEST_ID) -> int:
    """Return a number that came as one, or as its digits. Raises Unusual at anything else."""
    if isinstance(value, str):
        if not (value.isdecimal() and value.isascii() and len(value) < 20):
            raise Unusual(f"not a number: {value}")
        value = int(value)
    if not 0 <= value <= most:
        raise Unusual(f"not in range: {value}")
    return value


class _Read(dict[bytes, T]):
    """What was read of bytes that come again and again; a lookup costs half of `lru_cache`'s."""

    def __init__(self, read: Callable[[bytes], T]) -> None:
        self._read = read

    def __missing__(self, sent: bytes) -> T:
        if len(sent) > LONGEST:
            raise Unusual("longer than names are")
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        found = self[sent] = self._read(sent)
        return found


MOST_REMEMBERED: Final = 8192
"""Of each: tags come in many combinations. One takes a third of a kilobyte, with ten tags twice
that."""
LONGEST: Final = 2000
"""Bytes that are remembered."""


class Mention(Struct, frozen=True):
    """A project or a member, as it was sent and as it was read."""

    id: int
    sent: bytes
    read: Named


def _named(sent: bytes) -> Mention:
    try:
        one = _decode_named(sent)
    except msgspec.MsgspecError as error:
        raise Unusual(str(error)) from None
    return Mention(number(one.id), sent, one)


named: Final = _Read(_named)
"""Projects and members that tasks name in passing, by how they were sent. Raises Unusual."""


class Tagged(Struct, frozen=True):
    """Tags of a task: sorted ids, each with its name; or names alone, and None for `ids`."""

    sent: bytes
    ids: tuple[int, ...] | None
    named: tuple[tuple[int, str], ...]
    names: list[str]


def _tagged(sent: bytes) -> Tagged:
    try:
        tags = _decode_tags(sent)
    except msgspec.MsgspecError as error:
        raise Unusual(str(error)) from None
    if not tags:
        return Tagged(sent, (), (), [])
    if isinstance(tags, list):
        return Tagged(sent, None, (), tags)
    named = tuple([_tag(id, name) for id, name in tags.items()])
    return Tagged(sent, tuple(sorted({id for id, _ in named})), named, [])


@lru_cache(maxsize=MOST_REMEMBERED)
def _tag(id: str, name: str) -> tuple[int, str]:
    """Return a tag that is shared by all combinations it comes in."""
    return number(id), name


tagged: Final = _Read(_tagged)
"""The tags that tasks show, by how they were sent. Raises Unusual."""
