"""Trees of tasks that were read before: an answer in which little has changed is read in little.

What a tree came to follows from its bytes and from what was asked for, so bytes that are equal need
no second reading. Records are read again when somebody asks for one: the mirror may have moved on
since. Kept in memory, for the process that pulls time and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from syncd.model.records import Stub, TaskRecord, content_hash
from syncd.resources.tasks.typed import Named, UsualNode, number
from syncd.resources.tasks.wire import OPTIONAL_KEYS

Found = Sequence[tuple[TaskRecord, UsualNode]]

Key = tuple[frozenset[str], int | None]
"""What the meaning of the bytes depends on: the extras asked for, and the request's project."""


class Tree(Struct, frozen=True, array_like=True):
    """What a tree came to, its records left aside; the task at its top is the first of `ids`.

    `keys` counts each of OPTIONAL_KEYS. One that is not `lasting` shows tags by names, and what
    these mean may change.
    """

    ids: tuple[int, ...]
    hashes: tuple[bytes, ...]
    tagless: tuple[int, ...]
    unnamed: tuple[int, ...]
    lasting: bool
    keys: tuple[int, ...]
    project_ids: frozenset[int]
    projects: tuple[Stub, ...]
    members: tuple[Stub, ...]
    tags: tuple[Stub, ...]


class Trees:
    """The trees of the last answer, by the hash of their bytes.

    Kept packed: thousands of small objects take ten times as much, and hold the memory between
    them for as long as they live.
    """

    def __init__(self) -> None:
        self._key: Key | None = None
        self._packed = b""

    def last(self, key: Key) -> Mapping[bytes, Tree]:
        """Return the trees of the last answer to the same question."""
        return _unpack(self._packed) if key == self._key else {}

    def keep(self, key: Key, trees: Mapping[bytes, Tree]) -> None:
        """Keep the trees of an answer instead of those before it."""
        self._key, self._packed = key, msgspec.msgpack.encode(trees)


_unpack: Final = msgspec.msgpack.Decoder(dict[bytes, Tree]).decode


def summary(found: Found) -> Tree:
    """Sum up a tree that was read. Every new tree passes here: lists are built at once."""
    records, nodes = zip(*found, strict=True)
    untagged = [(record.id, node.tags) for record, node in found if record.tags is None]
    tagged = [node.tags for node in nodes if isinstance(node.tags, dict)]
    people = [one for node in nodes for one in (node.user_from, node.user_to)]
    return Tree(
        ids=tuple([record.id for record in records]),
        hashes=tuple([content_hash(record) for record in records]),
        tagless=tuple([id for id, tags in untagged if not tags]),
        unnamed=tuple([id for id, tags in untagged if tags]),
        lasting=not any(isinstance(node.tags, list) and node.tags for node in nodes),
        keys=tuple(map(sum, zip(*map(_presence, nodes), strict=True))),
        project_ids=frozenset([record.project_id for record in records]),
        projects=_stubs([node.project for node in nodes]),
        members=_stubs(people),
        tags=tuple([Stub(number(key), name) for tags in tagged for key, name in tags.items()]),
    )


_values = attrgetter(*OPTIONAL_KEYS)


def _presence(node: UsualNode) -> list[bool]:
    return [value is not UNSET for value in _values(node)]


def _stubs(named: Iterable[Named | UnsetType]) -> tuple[Stub, ...]:
    return tuple(
        [Stub(number(one.id), one.name, one.page, one.email) for one in named if one is not UNSET]
    )


def digest_of(raw: Raw) -> bytes:
    """Return what tells the bytes of one tree from those of every other."""
    return blake2b(raw, digest_size=16).digest()


class Unread:
    """The records of one known tree, read when one of them is asked for."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Found]) -> None:
        self._read = read

    def records(self) -> list[TaskRecord]:
        """Read them."""
        return [record for record, _ in self._read()]


class Records(dict[int, Any]):
    """Records by id, some of which are read only when they are asked for."""

    def __getitem__(self, id: int) -> TaskRecord:
        found: TaskRecord | Unread = super().__getitem__(id)
        if isinstance(found, Unread):
            self.update((record.id, record) for record in found.records())
            found = super().__getitem__(id)
        return cast("TaskRecord", found)

    def get(self, id: int, default: Any = None) -> Any:
        """Return one, or `default`."""
        if id not in self:
            return default
        return self[id]

    def pop(self, id: int, default: Any = None) -> Any:
        """Take one out."""
        return super().pop(id, default)

    def items(self) -> Any:
        """Give all of them, each read."""
        return ((id, self[id]) for id in tuple(self))

    def values(self) -> Any:
        """Give all of them, each read."""
        return (self[id] for id in tuple(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())
