"""A project over the record limit: one slice made of a tree, of searches, and of single looks.

A search shows tasks flat, without relations, and names only the top task of a subtask (API sheet,
sections 5.1 and 5.3, page); the place of the others comes from the mirror or from a look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from syncd.model.listing import Slice
from syncd.resources.answers import may_hold_nul, nodes_of
from syncd.resources.tasks.known import Trees
from syncd.resources.tasks.packed import unpacked
from syncd.resources.tasks.tree import Reading, finish, read_tree, read_trees
from syncd.resources.tasks.wire import Node, Place, TagIds
from syncd.store.checkpoints import Checkpoint, Part
from syncd.worksection.scalars import as_id, as_text

Places = Mapping[int, Place]

_NESTED = re.compile(r"/project/\d+/\d+/\d+/?")


def read_slice(
    checkpoint: Checkpoint,
    *,
    asked: frozenset[str],
    tag_ids: TagIds,
    known: Callable[[Collection[int]], Places],
    trees: Trees | None = None,
) -> Slice:
    """Read the answers of one project into a slice; what cannot be placed is left out."""
    if (read := unpacked(checkpoint.parts)) is not None:
        return read
    suspicious = any(may_hold_nul(part.data) for part in checkpoint.parts)
    reading = Reading(asked, tag_ids, check_nul=suspicious)
    project_id = checkpoint.project_id
    for part in checkpoint.parts:
        if part.how == "tree":
            read_trees(part.data, project_id, reading, trees)
    flat = list(_flat_nodes(checkpoint.parts))
    if flat:
        _read_flat(flat, _places(checkpoint, flat, known), reading)
    return finish(
        reading,
        project_id=project_id,
        observed_at=checkpoint.observed_at,
        short=checkpoint.short,
    )


def _flat_nodes(parts: Iterable[Part]) -> Iterable[Node]:
    for part in parts:
        if part.how == "search":
            yield from (node for node in nodes_of(part.data, "tasks") if isinstance(node, dict))


def _places(
    checkpoint: Checkpoint, flat: Iterable[Node], known: Callable[[Collection[int]], Places]
) -> Places:
    nested = unplaced(flat)
    looked_at: dict[int, Place] = {}
    for part in checkpoint.parts:
        if part.how == "place" and part.data is not None:
            node = msgspec.json.decode(part.data)
            looked_at[int(node["id"])] = place_of(node, checkpoint.project_id)
    return {**known([id for id in nested if id not in looked_at]), **looked_at}


def unplaced(flat: Iterable[Node]) -> list[int]:
    """Return the subtasks among search results whose parent the result itself does not name."""
    return [
        int(str(node["id"]))
        for node in flat
        if _NESTED.fullmatch(as_text(node.get("page")) or "") and not node.get("parent")
    ]


def place_of(node: Node, project_id: int) -> Place:
    """Read a task's place from its chain of `parent` objects (API sheet, section 5.3, parent)."""
    chain: list[int] = []
    parent: Any = node.get("parent")
    while isinstance(parent, dict) and (id := as_id(parent.get("id"))) is not None:
        chain.append(id)
        parent = parent.get("parent")
    return Place(project_id, chain[0] if chain else None, len(chain) + 1)


def _read_flat(flat: Iterable[Node], places: Places, reading: Reading) -> None:
    searched = Reading(reading.asked - {"relations"}, reading.tag_ids, check_nul=reading.check_nul)
    nested = set(unplaced(flat))
    for node in flat:
        id = as_id(node.get("id"))
        project = as_id((node.get("project") or {}).get("id"))
        if id in nested:
            place = places.get(id) if id is not None else None
        else:
            place = place_of(node, project or 0)
        if place is not None:
            read_tree({**node, "child": None}, place, searched)
    _take_over(searched, reading)


def _take_over(searched: Reading, reading: Reading) -> None:
    """Add what the searches found; where the tree shows a task too, the tree knows more."""
    for id in [id for id in searched.tasks if id not in reading.tasks]:
        record = reading.tasks[id] = searched.tasks[id]
        reading.hashes[id] = searched.hashes[id]
        reading.project_ids.add(record.project_id)
        if record.level > 1:
            reading.subtasks.add(id)
    reading.rejected += searched.rejected
    reading.keys.update(searched.keys)
    for kind in ("projects", "members", "tags"):
        known, found = getattr(reading, kind), getattr(searched, kind)
        for id, stub in found.items():
            known.setdefault(id, stub)
