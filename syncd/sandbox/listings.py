"""The two big answers, get_all_tasks and get_tasks, encoded once and kept.

The bytes of every task tree are kept until the tree changes, and a whole answer until anything
does; so equal requests get equal bytes, and a change costs the encoding of one tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from syncd.sandbox.records import Project
from syncd.sandbox.tasks_wire import TaskWriter
from syncd.sandbox.zipping import Zipper

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.switches import Switches

KEPT_ANSWERS = 8
KEPT_VARIANTS = 4
KEPT_TREES = 1_000_000
HEAD, TAIL = b'{"status":"ok","data":[', b"]}"


@dataclass(frozen=True, slots=True)
class Variant:
    """What decides the form of a tree besides the tree itself."""

    extras: frozenset[str]
    active: bool
    switches: Switches


class Body:
    """An encoded answer, its records and those at the top, and its gzip form once it was taken."""

    def __init__(
        self, segments: list[tuple[int, bytes]], records: int, tops: int, zipper: Zipper
    ) -> None:
        self.raw = b"".join(segment for _, segment in segments)
        self.records = records
        self.tops = tops
        self._segments = segments
        self._zipper = zipper
        self._zipped = b""

    def zipped(self) -> bytes:
        """The same bytes compressed, always into the same bytes."""
        if not self._zipped:
            self._zipped = self._zipper.zipped(self._segments)
        return self._zipped


@dataclass(frozen=True, slots=True)
class Tree:
    """The bytes of one task tree, as of a mark; none when the filter leaves nothing of it."""

    mark: tuple[int, int]
    encoded: bytes
    records: int


@dataclass(slots=True)
class Kept:
    """What is kept for one variant: trees by their top task, and compressed projects."""

    trees: dict[int, Tree] = field(default_factory=dict)
    zipper: Zipper = field(default_factory=Zipper)


class Listings:
    """Encoded answers by what was asked; used only under the account's lock."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._kept: dict[Variant, Kept] = {}
        self._answers: dict[tuple[Variant, tuple[int, ...]], tuple[int, Body]] = {}

    def body(self, projects: list[Project], variant: Variant) -> Body:
        """The answer that holds the trees of these projects."""
        key = (variant, tuple(project.id for project in projects))
        version, body = self._answers.pop(key, (-1, None))
        if body is None or version != self.account.version:
            version, body = self.account.version, self._encode(projects, variant)
        self._answers[key] = (version, body)
        if len(self._answers) > KEPT_ANSWERS:
            del self._answers[next(iter(self._answers))]
        return body

    def _encode(self, projects: list[Project], variant: Variant) -> Body:
        kept = self._kept.setdefault(variant, Kept())
        if len(self._kept) > KEPT_VARIANTS:
            del self._kept[next(iter(self._kept))]
        if len(kept.trees) > KEPT_TREES:
            kept.trees.clear()
        writer = TaskWriter(self.account, variant.switches, variant.extras, active=variant.active)
        segments, records, tops = [(0, HEAD)], 0, 0
        for project in projects:
            trees = [self._tree(kept.trees, root, writer) for root in project.roots]
            encoded = [tree.encoded for tree in trees if tree.records]
            if encoded:
                comma = b"," if tops else b""
                segments.append((project.id, comma + b",".join(encoded)))
            records += sum(tree.records for tree in trees)
            tops += len(encoded)
        return Body([*segments, (-1, TAIL)], records, tops, kept.zipper)

    def _tree(self, trees: dict[int, Tree], root_id: int, writer: TaskWriter) -> Tree:
        mark = (self.account.stamps.get(root_id, 0), self.account.epoch)
        kept = trees.get(root_id)
        if kept and kept.mark == mark:
            return kept
        trees[root_id] = tree = self._write(root_id, mark, writer)
        return tree

    def _write(self, root_id: int, mark: tuple[int, int], writer: TaskWriter) -> Tree:
        root = self.account.tasks[root_id]
        if root.delayed or not writer.passes(root):
            return Tree(mark, b"", 0)
        form, records = writer.tree(root)
        return Tree(mark, msgspec.json.encode(form), records)
