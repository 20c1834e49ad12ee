"""The two big answers, get_all_tasks and get_tasks, encoded once and kept.

The bytes of every task tree are kept until the tree changes, and a whole answer until anything
does; so equal requests get equal bytes, and a change costs the encoding of one tree.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from syncd.sandbox.records import Project
from syncd.sandbox.tasks_wire import TaskWriter

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.switches import Switches

KEPT_ANSWERS = 8
KEPT_VARIANTS = 4
GZIP_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Variant:
    """What decides the form of a tree besides the tree itself."""

    extras: frozenset[str]
    active: bool
    switches: Switches


@dataclass(slots=True)
class Body:
    """An encoded answer, its records and those at the top, and its gzip form once it was taken."""

    raw: bytes
    records: int = 0
    tops: int = 0
    _zipped: bytes = field(default=b"")

    def zipped(self) -> bytes:
        """The same bytes compressed, always into the same bytes."""
        if not self._zipped:
            self._zipped = gzip.compress(self.raw, GZIP_LEVEL, mtime=0)
        return self._zipped


@dataclass(frozen=True, slots=True)
class Tree:
    """The bytes of one task tree, as of a stamp; none when the filter leaves nothing of it."""

    mark: tuple[int, int]
    encoded: bytes
    records: int


class Listings:
    """Encoded answers by what was asked; used only under the account's lock."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._trees: dict[Variant, dict[int, Tree]] = {}
        self._answers: dict[tuple[Variant, tuple[int, ...]], tuple[int, Body]] = {}

    def body(self, projects: list[Project], variant: Variant) -> Body:
        """The answer that holds the trees of these projects."""
        key = (variant, tuple(project.id for project in projects))
        version, body = self._answers.pop(key, (-1, Body(b"")))
        if version != self.account.version:
            version, body = self.account.version, self._encode(projects, variant)
        self._answers[key] = (version, body)
        if len(self._answers) > KEPT_ANSWERS:
            del self._answers[next(iter(self._answers))]
        return body

    def _encode(self, projects: list[Project], variant: Variant) -> Body:
        trees = self._trees.setdefault(variant, {})
        if len(self._trees) > KEPT_VARIANTS:
            del self._trees[next(iter(self._trees))]
        writer = TaskWriter(self.account, variant.switches, variant.extras, active=variant.active)
        found = [self._tree(trees, root, writer) for p in projects for root in p.roots]
        parts = [tree for tree in found if tree.records]
        raw = b'{"status":"ok","data":[' + b",".join(tree.encoded for tree in parts) + b"]}"
        return Body(raw, sum(tree.records for tree in parts), len(parts))

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
