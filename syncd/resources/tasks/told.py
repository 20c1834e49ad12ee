"""What trees of tasks came to, column by column: one by one, it costs as much as reading them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence, Set
from functools import reduce
from itertools import accumulate, chain, count, pairwise, repeat
from operator import or_
from typing import Final

from msgspec import Raw, Struct, field

from syncd.model.records import TaskRecord, content_hash
from syncd.resources.tasks.mentions import Mention
from syncd.resources.tasks.typed import BITS, BY_NAME, TAGS, UNNAMED, Usual
from syncd.resources.tasks.wire import OPTIONAL_KEYS


class Names:
    """What trees name in passing, each with its place: thousands name the same few.

    Projects and members as they were sent.
    """

    def __init__(self) -> None:
        self.projects: dict[bytes, int] = {}
        self.members: dict[bytes, int] = {}
        self.tags: dict[tuple[int, str], int] = {}

    def __len__(self) -> int:
        return len(self.projects) + len(self.members) + len(self.tags)


NOBODY: Final = -1
"""The place of what a task does not name."""
AT_ONCE: Final = 1000
"""New tasks that are summed up together: more would only stay in memory."""
ALL: Final = slice(None)


class Told(Struct, array_like=True):
    """What trees came to, their records left aside.

    `digests` and `sizes`, how many tasks it has, have a value for each tree; all others one for
    each task, that at the top of a tree first. `keys` are those of OPTIONAL_KEYS that it shows, as
    bits, and BY_NAME and UNNAMED. `projects`, `authors`, `assignees` and `tags` are places in
    Names.
    """

    digests: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    project_ids: list[int] = field(default_factory=list)
    projects: list[int] = field(default_factory=list)
    authors: list[int] = field(default_factory=list)
    assignees: list[int] = field(default_factory=list)
    tags: list[tuple[int, ...]] = field(default_factory=list)

    def starts(self) -> list[int]:
        """Return where the tasks of each tree begin, and where the last one's end."""
        return [0, *accumulate(self.sizes)]

    def sum_up(self, found: Sequence[Usual], names: Names) -> None:
        """Add tasks that were read. Every new task passes here, so each is looked at once."""
        records = [one.record for one in found]
        self.ids += [record.id for record in records]
        self.hashes += map(content_hash, records)
        self.keys += [one.keys for one in found]
        self.project_ids += [record.project_id for record in records]
        self.projects += _places(names.projects, [one.project for one in found])
        self.authors += _places(names.members, [one.author for one in found])
        self.assignees += _places(names.members, [one.assignee for one in found])
        self.tags += _tag_places(names, found)

    def copy(self, other: Told, trees: slice = ALL, tasks: slice = ALL) -> None:
        """Add trees of another, which are these tasks of it."""
        self.digests += other.digests[trees]
        self.sizes += other.sizes[trees]
        self.ids += other.ids[tasks]
        self.hashes += other.hashes[tasks]
        self.keys += other.keys[tasks]
        self.project_ids += other.project_ids[tasks]
        self.projects += other.projects[tasks]
        self.authors += other.authors[tasks]
        self.assignees += other.assignees[tasks]
        self.tags += other.tags[tasks]

    def lasting(self) -> Told:
        """Return it without the trees that show tags by names: what these mean may change."""
        if not self._all() & BY_NAME:
            return self
        each = enumerate(pairwise(self.starts()))
        return self.only(
            [tree for tree, (at, end) in each if not reduce(or_, self.keys[at:end]) & BY_NAME]
        )

    def only(self, trees: Iterable[int]) -> Told:
        """Return these of the trees."""
        kept, starts = Told(), self.starts()
        for tree in trees:
            kept.copy(self, slice(tree, tree + 1), slice(starts[tree], starts[tree + 1]))
        return kept

    def shown(self) -> frozenset[str]:
        """Return which of OPTIONAL_KEYS any of the tasks shows."""
        bits = self._all()
        return frozenset(key for bit, key in zip(BITS, OPTIONAL_KEYS, strict=True) if bits & bit)

    def subtasks(self) -> set[int]:
        """Return the ids of all that are not at the top of a tree."""
        return set(self.ids).difference([self.ids[start] for start in self.starts()[:-1]])

    def tagless(self) -> Iterable[int]:
        """Return the ids of those that show no tags, not even that there are none."""
        return self._those({keys for keys in set(self.keys) if not keys & TAGS})

    def unnamed(self) -> Iterable[int]:
        """Return the ids of those that show tags by names that cannot be told apart."""
        return self._those({keys for keys in set(self.keys) if keys & UNNAMED})

    def _those(self, wanted: Collection[int]) -> Iterable[int]:
        shown = zip(self.ids, self.keys, strict=True)
        return [id for id, keys in shown if keys in wanted] if wanted else ()

    def _all(self) -> int:
        return reduce(or_, set(self.keys), 0)

    def members(self) -> Iterable[int]:
        """Return the places of authors and assignees, in the order they were named in."""
        return chain.from_iterable(zip(self.authors, self.assignees, strict=True))


def _places(known: dict[bytes, int], named: Iterable[Mention | None]) -> list[int]:
    place = known.setdefault
    return [NOBODY if one is None else place(one.sent, len(known)) for one in named]


def _tag_places(names: Names, found: Iterable[Usual]) -> list[tuple[int, ...]]:
    known, place = names.tags, names.tags.setdefault
    read: dict[bytes, tuple[int, ...]] = {}
    places: list[tuple[int, ...]] = []
    for tags in [one.tags for one in found]:
        if tags is None:
            places.append(())
            continue
        if tags.sent not in read:
            read[tags.sent] = tuple([place(name, len(known)) for name in tags.named])
        places.append(read[tags.sent])
    return places


class Before:
    """What the trees of the answer before came to, where each of them is told of, and the names."""

    def __init__(self, told: Told, names: Names) -> None:
        self.told, self.names = told, names
        self.place = dict(zip(told.digests, count()))
        self.starts = told.starts()


class Batch:
    """Trees of one answer as they come: those that were told of before, and new ones.

    After `settle`, `told` and `records` hold all of them, in their order; in the place of a record
    of a known tree are that tree's bytes.
    """

    def __init__(self, before: Before) -> None:
        self.raws: list[Raw] = []
        self.told = Told()
        self.records: list[TaskRecord | Raw] = []
        self.before = before
        self._found: list[Usual] = []  # of new ones, not yet summed up
        self._first = self._next = 0  # known ones after these, in the order they had before

    def again(self, raw: Raw, place: int) -> None:
        """Take a tree that stands at a place of those before."""
        if place != self._next:
            self.settle()
            self._first = place
        self._next = place + 1
        self.raws.append(raw)

    def add(self, raw: Raw, digest: bytes, found: Sequence[Usual]) -> None:
        """Take a tree that was read."""
        if self._first != self._next or len(self._found) >= AT_ONCE:
            self.settle()
        self.told.digests.append(digest)
        self.told.sizes.append(len(found))
        self._found += found
        self.raws.append(raw)

    def settle(self) -> None:
        """Add what was taken since the last time."""
        if self._found:
            self.told.sum_up(self._found, self.before.names)
            self.records += [one.record for one in self._found]
            self._found.clear()
        if self._first != self._next:
            trees, before = slice(self._first, self._next), self.before
            tasks = slice(before.starts[trees.start], before.starts[trees.stop])
            self.told.copy(before.told, trees, tasks)
            raws = self.raws[trees.start - trees.stop :]
            self.records += chain.from_iterable(map(repeat, raws, before.told.sizes[trees]))
            self._first = self._next

    def take_out(self, met: Set[int]) -> list[Raw]:
        """Take out the trees with a task that was met before, there or in another of them."""
        told = self.told
        if len(set(told.ids)) == len(told.ids) and met.isdisjoint(told.ids):
            return []
        seen, starts = set(met), told.starts()
        once: list[int] = []
        for tree, (start, end) in enumerate(pairwise(starts)):
            ids = set(told.ids[start:end])
            if len(ids) == end - start and seen.isdisjoint(ids):
                once.append(tree)
            seen |= ids
        self.told = told.only(once)
        self.records = [
            one for tree in once for one in self.records[starts[tree] : starts[tree + 1]]
        ]
        others = set(range(len(self.raws))).difference(once)
        return [self.raws[tree] for tree in sorted(others)]
