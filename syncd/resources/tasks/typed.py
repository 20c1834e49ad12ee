"""The short road into records: what is usual is decoded by type, in one pass, with no second look.

It takes a tree of tasks only where every value has the form that the account is known to send. At
anything else it steps aside, and `tree` reads the same bytes with all its patience: an odd value
costs time, never meaning. That both say the same is tested with drawn answers.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache, partial
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from syncd.model.records import FileRecord, Relation, RelationType, TaskRecord
from syncd.resources.tasks.mentions import (
    Mention,
    Number,
    Tagged,
    Unusual,
    named,
    number,
    tagged,
)
from syncd.resources.tasks.wire import DEEPEST_LEVEL, OPTIONAL_KEYS, Place, TagIds, tags_by_name
from syncd.worksection.scalars import as_amount, as_date, as_local_datetime, as_time

Text = str | UnsetType
Nothing = Annotated[list[Any], Meta(max_length=0)]
"""An empty object, as the account writes it."""


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
    """A task as it usually comes (API sheet, section 5.3); an unknown key makes it unusual.

    What thousands of tasks show in the same bytes stays bytes, and is decoded once for all of them.
    """

    id: Number
    name: str
    page: Annotated[str, Meta(min_length=1)]
    status: Literal["active", "done"]
    priority: Number
    project: Raw | UnsetType = UNSET
    user_from: Raw | UnsetType = UNSET
    user_to: Raw | UnsetType = UNSET
    text: Text = UNSET
    date_added: Text = UNSET
    date_start: Text = UNSET
    time_start: Text = UNSET
    date_end: Text = UNSET
    time_end: Text = UNSET
    date_closed: Text = UNSET
    max_time: Any = UNSET
    max_money: Any = UNSET
    tags: Raw | UnsetType = UNSET
    files: list[Enclosed] | UnsetType = UNSET
    relations: Sides | Nothing | UnsetType = UNSET
    child: list[UsualNode] | UnsetType = UNSET
    parent: Raw | UnsetType = UNSET


_decode: Final = msgspec.json.Decoder(UsualNode).decode


class Wanted(Struct, frozen=True):
    """Which parts were asked for: an absent key of one of them means none."""

    text: bool
    files: bool
    relations: bool


@lru_cache(maxsize=16)
def _wanted(asked: frozenset[str]) -> Wanted:
    return Wanted(bool(asked & {"text", "html"}), "files" in asked, "relations" in asked)


class Usual(Struct, gc=False):
    """A task that was read; which of OPTIONAL_KEYS it shows, as bits; and what it names.

    What it names is shared by all tasks that name it in the same bytes.
    """

    record: TaskRecord
    keys: int
    project: Mention | None
    author: Mention | None
    assignee: Mention | None
    tags: Tagged | None


def read_usual(
    raw: Raw, project_id: int | None, asked: frozenset[str], tag_ids: TagIds
) -> list[Usual]:
    """Read a tree of tasks, a parent before its children.

    `project_id` is the request's, for nodes that do not name theirs. Raises Unusual where any of
    it is not as expected, in form or in meaning.
    """
    found: list[Usual] = []
    try:
        _read(_decode(raw), Place(project_id, None, 1), _wanted(asked), tag_ids, found)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise Unusual(str(error)) from None
    return found


def _read(
    node: UsualNode, place: Place, wanted: Wanted, tag_ids: TagIds, found: list[Usual]
) -> None:
    if place.level > DEEPEST_LEVEL:
        raise Unusual("nested deeper than three levels")
    usual = _usual(node, place, wanted, tag_ids)
    found.append(usual)
    if node.child:
        below = Place(usual.record.project_id, usual.record.id, place.level + 1)
        for child in node.child:
            _read(child, below, wanted, tag_ids, found)


_priority: Final = lru_cache(maxsize=64)(partial(number, most=10))


(
    _TEXT,
    _USER_TO,
    _USER_FROM,
    _DATE_ADDED,
    _DATE_START,
    _TIME_START,
    _DATE_END,
    _TIME_END,
    _DATE_CLOSED,
    _MAX_TIME,
    _MAX_MONEY,
    TAGS,
    _FILES,
    _RELATIONS,
) = BITS = tuple(1 << place for place in range(len(OPTIONAL_KEYS)))
"""The bit of each of OPTIONAL_KEYS, in their order."""
BY_NAME: Final = 1 << len(OPTIONAL_KEYS)
"""One bit more: of a task that shows tags by names, which may mean others the next time."""
UNNAMED: Final = BY_NAME << 1
"""And one where such a name is that of several tags, or of none."""


def _usual(node: UsualNode, place: Place, wanted: Wanted, tag_ids: TagIds) -> Usual:
    """Read one task, and which of the keys that may be absent it shows."""
    id = number(node.id)
    named_keys, project, author, assignee = _named_by(node)
    project_id = place.project_id if project is None else project.id
    if project_id is None:
        raise Unusual("its project is missing")
    timed_keys, added, start, start_time, end, end_time, closed = _times(node)
    keys, text, max_time, max_money, files, relations = _parts(node, id, wanted)
    keys |= named_keys | timed_keys
    shown = tags = None
    if node.tags is not UNSET:
        shown = tagged[bytes(node.tags)]
        keys |= TAGS
        tags = shown.ids
        if tags is None:
            keys |= BY_NAME
            tags = tags_by_name(shown.names, tag_ids)
            keys |= UNNAMED if tags is None else 0
    record = TaskRecord(
        id,
        project_id,
        place.parent_id,
        place.level,
        node.name,
        node.page,
        node.status,
        _priority(node.priority),
        None if author is None else author.id,
        None if assignee is None else assignee.id,
        text,
        added,
        start,
        start_time,
        end,
        end_time,
        closed,
        max_time,
        max_money,
        None,  # what it shows beside that would make it unusual
        tags,
        files,
        relations,
    )
    return Usual(record, keys, project, author, assignee, shown)


def _named_by(node: UsualNode) -> tuple[int, Mention | None, Mention | None, Mention | None]:
    """Read the project, the author and the assignee of a task."""
    keys = 0
    project = author = assignee = None
    if node.project is not UNSET:
        project = named[bytes(node.project)]
    if node.user_from is not UNSET:
        keys = _USER_FROM
        author = named[bytes(node.user_from)]
    if node.user_to is not UNSET:
        keys |= _USER_TO
        assignee = named[bytes(node.user_to)]
    return keys, project, author, assignee


def _times(
    node: UsualNode,
) -> tuple[
    int, datetime | None, date | None, time | None, date | None, time | None, datetime | None
]:
    """Read when a task was created, starts, is due and was closed, each a branch of its own."""
    keys = 0
    added = start = start_time = end = end_time = closed = None
    if node.date_added is not UNSET:
        keys = _DATE_ADDED
        added = as_local_datetime(node.date_added)
    if node.date_start is not UNSET:
        keys |= _DATE_START
        start = as_date(node.date_start)
    if node.time_start is not UNSET:
        keys |= _TIME_START
        start_time = as_time(node.time_start)
    if node.date_end is not UNSET:
        keys |= _DATE_END
        end = as_date(node.date_end)
    if node.time_end is not UNSET:
        keys |= _TIME_END
        end_time = as_time(node.time_end)
    if node.date_closed is not UNSET:
        keys |= _DATE_CLOSED
        closed = as_local_datetime(node.date_closed)
    return keys, added, start, start_time, end, end_time, closed


def _parts(
    node: UsualNode, id: int, wanted: Wanted
) -> tuple[
    int,
    str | None,
    Decimal | None,
    Decimal | None,
    tuple[FileRecord, ...] | None,
    tuple[Relation, ...] | None,
]:
    """Read the description, both amounts, files and relations of a task."""
    keys = 0
    text = max_time = max_money = None
    files: tuple[FileRecord, ...] | None = () if wanted.files else None
    relations: tuple[Relation, ...] | None = () if wanted.relations else None
    if node.text is not UNSET:
        keys = _TEXT
        text = node.text if wanted.text else None
    if node.max_time is not UNSET:
        keys |= _MAX_TIME
        max_time = as_amount(node.max_time)
    if node.max_money is not UNSET:
        keys |= _MAX_MONEY
        max_money = as_amount(node.max_money)
    if node.files is not UNSET:
        keys |= _FILES
        files = _files(node.files) if wanted.files else None
    if node.relations is not UNSET:
        keys |= _RELATIONS
        relations = _relations(node.relations, id) if wanted.relations else None
    return keys, text, max_time, max_money, files, relations


def _files(files: list[Enclosed]) -> tuple[FileRecord, ...]:
    if not files:
        return ()
    found = [
        FileRecord(
            number(one.id), one.name, None if one.size is UNSET else number(one.size), one.page
        )
        for one in files
    ]
    return tuple(sorted(found))


def _relations(sides: Sides | Nothing, id: int) -> tuple[Relation, ...]:
    if not isinstance(sides, Sides):
        return ()
    found = {Relation(number(edge.task.id), id, edge.type) for edge in sides.inbound}
    found |= {Relation(id, number(edge.task.id), edge.type) for edge in sides.outbound}
    return tuple(sorted(found))
