"""An answer's tree of tasks, flattened into a slice of a listing.

A record that does not fit is set aside with its reason, its children are read all the same, and
the rest of the answer goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from msgspec import Raw

from syncd.errors import BadReply
from syncd.model.listing import Slice
from syncd.model.records import Rejected, Stub, TaskRecord, content_hash
from syncd.resources.answers import Sent, may_hold_nul, node_of, raw_text, raws_of, refuse_nul
from syncd.resources.tasks.known import Records, Trees, digest_of
from syncd.resources.tasks.mentions import Unusual, named
from syncd.resources.tasks.told import NOBODY, Batch, Before, Names, Told
from syncd.resources.tasks.typed import read_usual
from syncd.resources.tasks.wire import OPTIONAL_KEYS, Node, Place, TagIds, read_task
from syncd.sync.removal import brake_limit
from syncd.worksection.scalars import as_id, as_text


@dataclass(slots=True)
class Reading:
    """What has been read so far of one answer."""

    asked: frozenset[str]
    tag_ids: TagIds
    check_nul: bool = False
    tasks: Records = field(default_factory=Records)
    hashes: dict[int, bytes] = field(default_factory=dict)
    subtasks: set[int] = field(default_factory=set)
    project_ids: set[int] = field(default_factory=set)
    rejected: list[Rejected] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    clashing: set[int] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    tagless: set[int] = field(default_factory=set)
    unnamed: set[int] = field(default_factory=set)
    projects: dict[int, Stub] = field(default_factory=dict)
    members: dict[int, Stub] = field(default_factory=dict)
    tags: dict[int, Stub] = field(default_factory=dict)


def read_listing(
    data: Sent | None,
    *,
    asked: frozenset[str],
    observed_at: datetime,
    project_id: int | None = None,
    tag_ids: TagIds | None = None,
    short: str = "",
    trees: Trees | None = None,
) -> Slice:
    """Read the `data` of get_all_tasks or get_tasks; None, a missing key, is an empty list.

    `trees` are those of the answers before, and are replaced by this one's. Raises BadReply where
    it is no list, or where so many records make no sense that it is the
    answer and not the records that is wrong.
    """
    reading = Reading(asked, tag_ids or {}, check_nul=may_hold_nul(data))
    read_trees(data, project_id, reading, trees)
    return finish(reading, project_id=project_id, observed_at=observed_at, short=short)


def finish(reading: Reading, *, project_id: int | None, observed_at: datetime, short: str) -> Slice:
    """Return what was read as a slice. Raises BadReply where most of it made no sense."""
    for id in reading.clashing:
        reading.tasks.pop(id, None)
        reading.hashes.pop(id, None)
    _refuse_nonsense(reading)
    return Slice(
        project_id=project_id,
        observed_at=observed_at,
        tasks=reading.tasks.settled(),
        hashes=reading.hashes,
        keys=frozenset(reading.keys),
        projects=tuple(reading.projects.values()),
        members=tuple(reading.members.values()),
        tags=tuple(reading.tags.values()),
        rejected=tuple(reading.rejected),
        repeated=tuple(reading.repeated),
        short=short,
        tagless=frozenset(reading.tagless),
        unnamed=frozenset(reading.unnamed),
        subtasks=frozenset(reading.subtasks),
        project_ids=frozenset(reading.project_ids),
    )


def read_trees(
    data: Sent | None, project_id: int | None, reading: Reading, trees: Trees | None = None
) -> None:
    """Read each tree of an answer: not again, or by the short road, or with all patience."""
    key = (reading.asked, project_id)
    if trees is not None and not trees.takes(key):
        trees = None
    before = trees.last(key) if trees is not None else Before(Told(), Names())
    kept, batch = Told(), Batch(before)
    top = Place(project_id, None, 1)
    reading.tasks.read = partial(
        read_usual, project_id=project_id, asked=reading.asked, tag_ids=reading.tag_ids
    )
    for raw in raws_of(data, "tasks"):
        digest = digest_of(raw) if trees is not None else b""
        if reading.check_nul or not _take(raw, digest, batch, reading.tasks):
            _fold_in(batch, kept, top, reading)
            batch = Batch(before)
            read_tree(node_of(raw, "tasks"), top, reading)
    _fold_in(batch, kept, top, reading)
    if trees is not None:
        trees.keep(key, kept, before.names)


def _take(raw: Raw, digest: bytes, batch: Batch, tasks: Records) -> bool:
    """Take a tree by the short road; False where it is not as usual."""
    place = batch.before.place.get(digest)
    if place is not None:
        batch.again(raw, place)
        return True
    try:
        found = tasks.read(raw)
    except Unusual:
        return False
    batch.add(raw, digest, found)
    return True


def _fold_in(batch: Batch, kept: Told, top: Place, reading: Reading) -> None:
    """Add what a batch came to, and to `kept` what stays so.

    A tree with a task that the answer holds twice is read with patience instead.
    """
    if not batch.raws:
        return
    batch.settle()
    again = batch.take_out(reading.tasks.keys())
    told, ids, names = batch.told, batch.told.ids, batch.before.names
    reading.tasks.update(zip(ids, batch.records, strict=True))
    reading.hashes.update(zip(ids, told.hashes, strict=True))
    reading.subtasks |= told.subtasks()
    reading.project_ids.update(told.project_ids)
    reading.tagless.update(told.tagless())
    reading.unnamed.update(told.unnamed())
    reading.keys |= told.shown()
    for stubs, sent, places in (
        (reading.projects, names.projects, told.projects),
        (reading.members, names.members, told.members()),
    ):
        for mention in map(named.__getitem__, _at(sent, places)):
            read = mention.read
            stubs.setdefault(mention.id, Stub(mention.id, read.name, read.page, read.email))
    for id, name in _at(names.tags, chain.from_iterable(told.tags)):
        reading.tags.setdefault(id, Stub(id, name))
    kept.copy(told.lasting())
    for raw in again:
        read_tree(node_of(raw, "tasks"), top, reading)


T = TypeVar("T")


def _at(named: Mapping[T, int], places: Iterable[int]) -> Iterable[T]:
    by_place = list(named)
    return [by_place[place] for place in dict.fromkeys(places) if place != NOBODY]


def read_tree(node: object, place: Place, reading: Reading) -> None:
    """Read a task and, below it, its children."""
    if not isinstance(node, dict):
        _reject(reading, None, "it is not an object", node)
        return
    try:
        if reading.check_nul:
            refuse_nul(_without_children(node))
        record = read_task(node, place, reading.asked, reading.tag_ids)
        _collect_stubs(node, reading)
    except (ValueError, TypeError) as error:
        id = _id_of(node)
        _reject(reading, id, str(error), _without_children(node))
        if id is not None and place.level < 3:
            _read_children(node, Place(place.project_id, id, place.level + 1), reading)
        return
    _add(record, node, reading)
    _read_children(node, Place(record.project_id, record.id, place.level + 1), reading)


def _read_children(node: Node, place: Place, reading: Reading) -> None:
    children = node.get("child")
    if not children:
        return
    if not isinstance(children, list):
        _reject(reading, None, "child is not a list", children)
        return
    for child in children:
        read_tree(child, place, reading)


def _add(record: TaskRecord, node: Node, reading: Reading) -> None:
    known = reading.tasks.get(record.id)
    if known is not None:
        reading.repeated.append(record.id)
        if known != record:
            reading.clashing.add(record.id)
            _reject(
                reading,
                record.id,
                "the answer holds it twice, differently",
                _without_children(node),
            )
        return
    reading.tasks[record.id] = record
    reading.hashes[record.id] = content_hash(record)
    reading.project_ids.add(record.project_id)
    if record.level > 1:
        reading.subtasks.add(record.id)
    if record.tags is None:
        (reading.unnamed if node.get("tags") else reading.tagless).add(record.id)
    reading.keys.update(OPTIONAL_KEYS.keys() & node.keys())


def _collect_stubs(node: Node, reading: Reading) -> None:
    project = node.get("project")
    if isinstance(project, dict):
        _collect(reading.projects, project)
    for key in ("user_from", "user_to"):
        user = node.get(key)
        if isinstance(user, dict):
            _collect(reading.members, user)
    tags = node.get("tags")
    if isinstance(tags, dict):
        for key, name in tags.items():
            _collect(reading.tags, {"id": key, "name": name})


def _collect(into: dict[int, Stub], node: Node) -> None:
    id = as_id(node.get("id"))
    if id is not None and id not in into:
        into[id] = Stub(
            id,
            as_text(node.get("name")) or "",
            as_text(node.get("page")) or "",
            as_text(node.get("email")) or "",
        )


def _reject(reading: Reading, id: int | None, reason: str, raw: object) -> None:
    reading.rejected.append(Rejected("task", id, reason, raw_text(raw)))


def _without_children(node: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key != "child"}


def _id_of(node: Node) -> int | None:
    try:
        return as_id(node.get("id"))
    except ValueError:
        return None


def _refuse_nonsense(reading: Reading) -> None:
    bad, total = len(reading.rejected), len(reading.rejected) + len(reading.tasks)
    if bad > max(brake_limit(total, None), total // 2 if total <= 20 else 0):
        first = reading.rejected[0]
        raise BadReply(
            f"{bad} of {total} records of the answer make no sense; the first: {first.reason}.",
            body=first.raw[:2048],
            hint="Nothing was written. If it stays so, the account's API has changed: see the log.",
        )
