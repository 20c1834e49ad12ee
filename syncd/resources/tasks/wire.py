"""A task as the account sends it, read into a record. Nonsense is a ValueError with the reason.

Source: API sheet, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from syncd.model.records import FileRecord, Relation, RelationType, TaskRecord, TaskStatus
from syncd.worksection.scalars import (
    as_amount,
    as_date,
    as_id,
    as_int,
    as_local_datetime,
    as_text,
    as_time,
)

Node = dict[str, Any]

OPTIONAL_KEYS = {
    "text": "text",
    "user_to": "assignee_id",
    "user_from": "author_id",
    "date_added": "date_added",
    "date_start": "date_start",
    "time_start": "time_start",
    "date_end": "date_end",
    "time_end": "time_end",
    "date_closed": "date_closed",
    "max_time": "max_time",
    "max_money": "max_money",
    "tags": "tags",
    "files": "files",
    "relations": "relations",
}
"""Keys that are absent where unset, and the field each fills."""

KNOWN_KEYS = frozenset(
    {"id", "name", "page", "status", "priority", "project", "child", "parent", *OPTIONAL_KEYS}
)
RELATION_TYPES = frozenset({"finish-to-start", "start-to-start"})
DEEPEST_LEVEL = 3

TagIds = Mapping[str, tuple[int, ...]]


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where in the tree a record stands: what its own keys do not tell in a list."""

    project_id: int | None
    parent_id: int | None
    level: int


def read_task(node: Node, place: Place, asked: frozenset[str], tag_ids: TagIds) -> TaskRecord:
    """Read one task, its children left aside.

    `asked` are the extras of the request: an absent key of a part that was asked for means none.
    `tag_ids` resolves tags that come as names. Raises ValueError with the reason.
    """
    id = _required(as_id(node.get("id")), "id")
    if place.level > DEEPEST_LEVEL:
        raise ValueError("it is nested deeper than three levels")
    return TaskRecord(
        id=id,
        project_id=read_project_id(node, place),
        parent_id=place.parent_id,
        level=place.level,
        name=_name(node),
        page=_required(as_text(node.get("page")), "page"),
        status=_status(node.get("status")),
        priority=_priority(node.get("priority")),
        author_id=read_user_id(node.get("user_from")),
        assignee_id=read_user_id(node.get("user_to")),
        text=read_text(node, asked),
        date_added=as_local_datetime(node.get("date_added")),
        date_start=as_date(node.get("date_start")),
        time_start=as_time(node.get("time_start")),
        date_end=as_date(node.get("date_end")),
        time_end=as_time(node.get("time_end")),
        date_closed=as_local_datetime(node.get("date_closed")),
        max_time=as_amount(node.get("max_time")),
        max_money=as_amount(node.get("max_money")),
        extra=read_extra(node),
        tags=read_tags(node, tag_ids),
        files=read_files(node, asked),
        relations=read_relations(node, id, asked),
    )


def _required(value: Any, key: str, *, allow_empty: bool = False) -> Any:
    if value is None:
        if allow_empty:
            return ""
        raise ValueError(f"{key} is missing")
    return value


def _name(node: Node) -> str:
    """Return the name, which may be empty and is always there (API sheet, section 5.3)."""
    if "name" not in node:
        raise ValueError("name is missing")
    return as_text(node["name"]) or ""


def _status(value: object) -> TaskStatus:
    if value not in ("active", "done"):
        raise ValueError(f"status {value!r} is neither active nor done")
    return value


def _priority(value: object) -> int:
    priority = as_int(value)
    if priority is None or not 0 <= priority <= 10:
        raise ValueError(f"priority {value!r} is not a number from 0 to 10")
    return priority


def read_project_id(node: Node, place: Place) -> int:
    """Return the task's project: its own key, else its parent's or the request's."""
    project = node.get("project")
    found = as_id(project.get("id")) if isinstance(project, dict) else place.project_id
    if found is None:
        raise ValueError("its project is missing")
    return found


def read_user_id(value: object) -> int | None:
    """Return the id of a user object; the account's ANY and NOONE are users as well."""
    if not value:
        return None
    if not isinstance(value, dict):
        raise TypeError(f"a user was expected, not {value!r}")
    return as_id(value.get("id"))


def read_text(node: Node, asked: frozenset[str]) -> str | None:
    """Return the description as sent, or None where it was not asked for."""
    if not asked & {"text", "html"}:
        return None
    value = node.get("text")
    if value is None or isinstance(value, str):
        return value
    raise ValueError("text is not a text")


def read_extra(node: Node) -> dict[str, Any] | None:
    """Return what has no column: unknown keys, and relations of an unknown type."""
    if node.keys() <= KNOWN_KEYS and "relations" not in node:
        return None
    extra = {key: value for key, value in node.items() if key not in KNOWN_KEYS}
    strange = [
        edge
        for edges in _sides(node).values()
        for edge in edges
        if edge.get("type") not in RELATION_TYPES
    ]
    if strange:
        extra["relations"] = strange
    return _checked(extra) if extra else None


def _checked(extra: dict[str, Any]) -> dict[str, Any]:
    """Refuse numbers past 64 bits: what cannot be encoded cannot be compared."""
    try:
        msgspec.msgpack.encode(extra)
    except OverflowError:
        raise ValueError("it holds a whole number past 64 bits") from None
    return extra


def read_tags(node: Node, tag_ids: TagIds) -> tuple[int, ...] | None:
    """Return tag ids, sorted; None where the answer does not decide them.

    A missing key decides nothing: lists may leave tags out (API sheet, section 5.3, tags).
    """
    if "tags" not in node:
        return None
    value = node["tags"]
    if not value:
        return ()
    if isinstance(value, dict):
        return tuple(sorted({_required(as_id(key), "a tag's id") for key in value}))
    if isinstance(value, list):
        return tags_by_name(value, tag_ids)
    raise ValueError("tags are neither a map nor a list")


def tags_by_name(names: list[Any], tag_ids: TagIds) -> tuple[int, ...] | None:
    """Return the ids that these names mean; None where one of them means no tag or several."""
    found = [tag_ids.get(name, ()) if isinstance(name, str) else () for name in names]
    if any(len(ids) != 1 for ids in found):
        return None  # a name of no tag or of several: the mirror keeps what it knew
    return tuple(sorted({ids[0] for ids in found}))


def read_files(node: Node, asked: frozenset[str]) -> tuple[FileRecord, ...] | None:
    """Return the description's files by id, or None where they were not asked for."""
    if "files" not in asked:
        return None
    value = node.get("files")
    if not value:
        return ()
    if not isinstance(value, list):
        raise TypeError("files are not a list")
    return tuple(sorted(_read_file(entry) for entry in value))


def _read_file(entry: object) -> FileRecord:
    if not isinstance(entry, dict):
        raise TypeError("a file is not an object")
    return FileRecord(
        id=_required(as_id(entry.get("id")), "a file's id"),
        name=_required(as_text(entry.get("name")), "a file's name", allow_empty=True),
        size=as_int(entry.get("size")),
        page=_required(as_text(entry.get("page")), "a file's page", allow_empty=True),
    )


def read_relations(node: Node, id: int, asked: frozenset[str]) -> tuple[Relation, ...] | None:
    """Return the directed edges a task reports, sorted, or None where they were not asked for."""
    if "relations" not in asked:
        return None
    if not node.get("relations"):
        return ()
    edges = set()
    for side, entries in _sides(node).items():
        for entry in entries:
            if entry.get("type") in RELATION_TYPES:
                edges.add(_read_edge(entry, id, inbound=side == "from"))
    return tuple(sorted(edges))


def _sides(node: Node) -> dict[str, list[Node]]:
    value = node.get("relations")
    if not value:
        return {}
    if not isinstance(value, dict):
        raise TypeError("relations are not an object")
    sides = {side: value.get(side) or [] for side in ("from", "to")}
    if not all(_are_objects(edges) for edges in sides.values()):
        raise TypeError("relations are not lists of objects")
    return sides


def _are_objects(edges: object) -> bool:
    return isinstance(edges, list) and all(isinstance(edge, dict) for edge in edges)


def _read_edge(entry: Node, id: int, *, inbound: bool) -> Relation:
    other = entry.get("task")
    other_id = _required(as_id(other.get("id") if isinstance(other, dict) else None), "a relation")
    first, waiting = (other_id, id) if inbound else (id, other_id)
    return Relation(first, waiting, cast("RelationType", entry["type"]))
