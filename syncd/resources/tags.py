"""Task tags: id and name from the tasks' answer, the group from `get_task_tags`.

Source: API sheet, section 8, get_task_tags. Names can repeat across groups, so the id is the key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, Table, Text, false, select

from syncd.model.records import Stub
from syncd.resources.catalogue import Catalogue, Node
from syncd.store.mirror import Values, change_each
from syncd.store.schema import metadata, removal_columns
from syncd.store.types import Id
from syncd.worksection.methods.tags import get_task_tags
from syncd.worksection.scalars import as_id, as_text

tags = Table(
    "tags",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="the account's number"),
    Column("name", Text, nullable=False, comment="name; not unique"),
    Column("group_id", Id, comment="its group; NULL until known"),
    Column("group_name", Text, comment="name of its group"),
    Column("type", Text, comment="status or label, as its group says"),
    Column("access", Text, comment="public or private, as its group says"),
    Column(
        "in_catalogue",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="whether get_task_tags showed it",
    ),
    *removal_columns(),
    Column("label", Text, comment="what live_tasks.tags calls it: its name, or #ID"),
    Index(None, "label"),
    comment="Task tags, which is also how the account keeps its statuses.",
)


def catalogue() -> Catalogue:
    """Return the catalogue of task tags."""
    return Catalogue("tag", tags, get_task_tags, _read, _from_stub, "not_in_tags", relabel)


def _from_stub(stub: Stub) -> Values:
    # A tag that a task shows is there, whatever the catalogue said before.
    return {"id": stub.id, "name": stub.name, "removed_at": None, "removed_reason": None}


def _read(node: Node) -> dict[str, Any]:
    id, group = as_id(node.get("id")), node.get("group") or {}
    if id is None:
        raise ValueError("id is missing")
    return {
        "id": id,
        "name": as_text(node.get("title")) or "",
        "group_id": as_id(group.get("id")),
        "group_name": as_text(group.get("title")),
        "type": as_text(group.get("type")),
        "access": as_text(group.get("access")),
        "in_catalogue": True,
        "removed_at": None,
        "removed_reason": None,
    }


def ids_by_name(tx: Connection) -> dict[str, tuple[int, ...]]:
    """Map each live tag's name to its ids, for answers that give tags by name."""
    query = select(tags.c.id, tags.c.name).where(tags.c.removed_at.is_(None)).order_by(tags.c.id)
    return _grouped((row.name, row.id) for row in tx.execute(query))


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for name, id in pairs:
        found[name] = (*found.get(name, ()), id)
    return found


def relabel(tx: Connection) -> None:
    """Keep every label in step: one name's change can make another name unique, or no longer so."""
    rows = tx.execute(select(tags.c.id, tags.c.name, tags.c.label, tags.c.removed_at)).all()
    names = Counter(row.name for row in rows if row.removed_at is None)
    labels = {
        row.id: row.name
        if row.removed_at is None and names[row.name] == 1 and _speaks_for_itself(row.name)
        else f"#{row.id}"
        for row in rows
    }
    stale = [{"id": r.id, "label": labels[r.id]} for r in rows if r.label != labels[r.id]]
    change_each(tx, tags, stale)


def _speaks_for_itself(name: str) -> bool:
    """Tell whether a name can stand in a list that is joined by commas and trimmed."""
    return bool(name) and name == name.strip() and "," not in name and not name.startswith("#")
