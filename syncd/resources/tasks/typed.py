"""The short road into records: what is usual is decoded by type, in one pass, with no second look.

It takes a tree of tasks only where every value has the form that the account is known to send. At
anything else it steps aside, and `tree` reads the same bytes with all its patience: an odd value
costs time, never meaning. That both say the same is tested with drawn answers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from syncd.model.records import FileRecord, Relation, RelationType, TaskRecord
from syncd.resources.tasks.wire import DEEPEST_LEVEL, Place, TagIds, tags_by_name
from syncd.worksection.scalars import LARGEST_ID, as_amount, as_date, as_local_datetime, as_time

Number = int | str
Text = str | UnsetType
Nothing = Annotated[list[Any], Meta(max_length=0)]
"""An empty object, as the account writes it."""


class Named(Struct, frozen=True, gc=False):
    """A project or a member in passing."""

    id: Number
    name: str = ""
    page: str = ""
    email: str = ""


class Enclosed(Struct, gc=False):
    """A file of a description."""

    id: Number
    name: str
    page: str
    size: Number | UnsetType = UNSET


class Other(Struct, gc=False):
    """The task at the other end of a relation."""

    id: Number


class Edge(Struct, gc=False):
    """A relation, as one of its tasks reports it."""

    type: RelationType
    task: Other


class Sides(Struct, gc=False):
    """What a task waits for, and what waits for it."""

    inbound: list[Edge] = msgspec.field(name="from", default_factory=list)
    outbound: list[Edge] = msgspec.field(name="to", default_factory=list)


class UsualNode(Struct, forbid_unknown_fields=True, gc=False):
    """A task as it usually comes (API sheet, section 5.3); an unknown key makes it unusual."""

    id: Number
    name: str
    page: Annotated[str, Meta(min_length=1)]
    status: Literal["active", "done"]
    priority: Number
    project: Named | UnsetType = UNSET
    user_from: Named | UnsetType = UNSET
    user_to: Named | UnsetType = UNSET
    text: Text = UNSET
    date_added: Text = UNSET
    date_start: Text = UNSET
    time_start: Text = UNSET
    date_end: Text = UNSET
    time_end: Text = UNSET
    date_closed: Text = UNSET
    max_time: Any = UNSET
    max_money: Any = UNSET
    tags: dict[str, str] | list[str] | UnsetType = UNSET
    files: list[Enclosed] | UnsetType = UNSET
    relations: Sides | Nothing | UnsetType = UNSET
    child: list[UsualNode] | UnsetType = UNSET
    parent: Raw | UnsetType = UNSET


_decode: Final = msgspec.json.Decoder(UsualNode).decode


class Unusual(Exception):
    """Something that this road does not take."""


class Wanted(Struct, frozen=True):
    """Which parts were asked for: an absent key of one of them means none."""

    text: bool
    files: bool
    relations: bool


@lru_cache(maxsize=16)
def _wanted(asked: frozenset[str]) -> Wanted:
    return Wanted(bool(asked & {"text", "html"}), "files" in asked, "relations" in asked)


def read_usual(
    raw: Raw, project_id: int | None, asked: frozenset[str], tag_ids: TagIds
) -> list[tuple[TaskRecord, UsualNode]]:
    """Read a tree of tasks, a parent before its children, each with the node it came from.

    `project_id` is the request's, for nodes that do not name theirs. Raises Unusual where any of
    it is not as expected, in form or in meaning.
    """
    found: list[tuple[TaskRecord, UsualNode]] = []
    try:
        _read(_decode(raw), Place(project_id, None, 1), _wanted(asked), tag_ids, found)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Unusual(str(error)) from None
    return found


def _read(node: UsualNode, place: Place, wanted: Wanted, tag_ids: TagIds, found: list[Any]) -> None:
    if place.level > DEEPEST_LEVEL:
        raise Unusual("nested deeper than three levels")
    record = _record(node, place, wanted, tag_ids)
    found.append((record, node))
    if node.child:
        below = Place(record.project_id, record.id, place.level + 1)
        for child in node.child:
            _read(child, below, wanted, tag_ids, found)


def number(value: int | str, most: int = LARGEST_ID) -> int:
    """Return a number that came as one, or as its digits. Raises Unusual at anything else."""
    if isinstance(value, str):
        if not (value.isdecimal() and value.isascii() and len(value) < 20):
            raise Unusual(f"not a number: {value}")
        value = int(value)
    if not 0 <= value <= most:
        raise Unusual(f"not in range: {value}")
    return value


_frequent: Final = lru_cache(maxsize=8192)(number)
"""The same, for numbers that many tasks share: those of people, projects, tags, and priorities."""


def _record(node: UsualNode, place: Place, wanted: Wanted, tag_ids: TagIds) -> TaskRecord:
    id = number(node.id)
    project = _frequent(node.project.id) if node.project else place.project_id
    if project is None:
        raise Unusual("its project is missing")
    return TaskRecord(
        id=id,
        project_id=project,
        parent_id=place.parent_id,
        level=place.level,
        name=node.name,
        page=node.page,
        status=node.status,
        priority=_frequent(node.priority, 10),
        author_id=_frequent(node.user_from.id) if node.user_from else None,
        assignee_id=_frequent(node.user_to.id) if node.user_to else None,
        text=node.text if wanted.text and node.text is not UNSET else None,
        date_added=as_local_datetime(node.date_added) if node.date_added else None,
        date_start=as_date(node.date_start) if node.date_start else None,
        time_start=as_time(node.time_start) if node.time_start else None,
        date_end=as_date(node.date_end) if node.date_end else None,
        time_end=as_time(node.time_end) if node.time_end else None,
        date_closed=as_local_datetime(node.date_closed) if node.date_closed else None,
        max_time=None if node.max_time is UNSET else as_amount(node.max_time),
        max_money=None if node.max_money is UNSET else as_amount(node.max_money),
        extra=None,
        tags=_tags(node.tags, tag_ids),
        files=_files(node.files) if wanted.files else None,
        relations=_relations(node.relations, id) if wanted.relations else None,
    )


def _tags(tags: Any, tag_ids: TagIds) -> tuple[int, ...] | None:
    if tags is UNSET:
        return None
    if not tags:
        return ()
    if isinstance(tags, list):
        return tags_by_name(tags, tag_ids)
    return tuple(sorted(map(_frequent, tags)))


def _files(files: list[Enclosed] | UnsetType) -> tuple[FileRecord, ...]:
    if not files:
        return ()
    found = [
        FileRecord(
            number(one.id), one.name, None if one.size is UNSET else number(one.size), one.page
        )
        for one in files
    ]
    return tuple(sorted(found))


def _relations(sides: Sides | Nothing | UnsetType, id: int) -> tuple[Relation, ...]:
    if not isinstance(sides, Sides):
        return ()
    found = {Relation(number(edge.task.id), id, edge.type) for edge in sides.inbound}
    found |= {Relation(id, number(edge.task.id), edge.type) for edge in sides.outbound}
    return tuple(sorted(found))
