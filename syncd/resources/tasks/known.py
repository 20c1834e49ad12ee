"""Trees of tasks that were read before: an answer in which little has changed is read in little.

What a tree came to follows from its bytes and from what was asked for, so bytes that are equal need
no second reading. Records are read again when somebody asks for one: the mirror may have moved on
since. Kept in memory, for the process that pulls time and again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from secrets import randbits
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec import Raw
from xxhash import xxh3_128_digest

from syncd.model.records import TaskRecord
from syncd.resources.tasks.told import Before, Names, Told
from syncd.resources.tasks.typed import Usual

Key = tuple[frozenset[str], int | None]
"""What the meaning of the bytes depends on: the extras asked for, and the request's project."""


class Trees:
    """The trees of the last answers, by the hash of their bytes, and what they name.

    Kept packed: thousands of small objects take ten times as much, and hold the memory between
    them for as long as they live. What would take more than MOST_BYTES is not kept, and is read
    anew each time: an account of any size is pulled in the memory of its largest project.
    """

    def __init__(self) -> None:
        self._asked: frozenset[str] = frozenset()
        self._kept: dict[Key, _Kept] = {}
        self._bytes = 0
        self._is_full = False

    def takes(self, key: Key) -> bool:
        """Tell whether there may be room for the trees of an answer to this question."""
        return key in self._kept or not self._is_full or key[0] != self._asked

    def last(self, key: Key) -> Before:
        """Return what the trees of the last answer to the same question came to."""
        kept = self._kept.get(key)
        if kept is None or len(kept.names) > 2 * kept.began_with + ROOM:
            return Before(Told(), Names())
        return Before(_unpack(kept.packed), kept.names)

    def keep(self, key: Key, told: Told, names: Names) -> None:
        """Keep the trees of an answer instead of those before it."""
        if key[0] != self._asked:
            self._kept.clear()  # nobody asks that any more
            self._asked, self._bytes = key[0], 0
            self._is_full = False
        before = self._kept.pop(key, None)
        grown = before is not None and before.names is names
        began_with = before.began_with if before is not None and grown else len(names)
        kept = _Kept(msgspec.msgpack.encode(told), names, began_with)
        self._bytes -= len(before.packed) if before is not None else 0
        self._is_full = self._bytes + len(kept.packed) > MOST_BYTES
        if not self._is_full:
            self._kept[key] = kept
            self._bytes += len(kept.packed)


class _Kept(NamedTuple):
    packed: bytes
    names: Names
    began_with: int
    """How many names there were when all of them were in use."""


MOST_BYTES: Final = 10_000_000
"""What 190,000 tasks take."""
ROOM: Final = 1000
"""Names only grow in number. Once there are twice as many, and so many more, an answer is read
anew, which leaves those behind that nothing has any more."""
_SEED: Final = randbits(64)
_unpack: Final = msgspec.msgpack.Decoder(Told).decode


def digest_of(raw: Raw) -> bytes:
    """Return what tells the bytes of one tree from those of every other, in this process.

    Nobody outside knows the seed, and could make two trees that are taken for one.
    """
    return xxh3_128_digest(raw, _SEED)


class Records(dict[int, Any]):
    """Records by id; in the place of one that was not read yet are the bytes of its tree."""

    read: Callable[[Raw], Sequence[Usual]]

    def __getitem__(self, id: int) -> TaskRecord:
        found: TaskRecord | Raw = super().__getitem__(id)
        if isinstance(found, Raw):
            self.update((one.record.id, one.record) for one in self.read(found))
            found = super().__getitem__(id)
        return cast("TaskRecord", found)

    def settled(self) -> Mapping[int, TaskRecord]:
        """Return the same, which is a plain dictionary where all were read: ten times as quick."""
        return self if Raw in set(map(type, super().values())) else dict(self)

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
