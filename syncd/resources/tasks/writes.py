"""A plan about tasks, written: present images, past images, tags, files and relations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import Connection, and_, delete, or_, update

from syncd.model.plan import Insert, Remove, Restore, TaskPlan, Update
from syncd.model.records import FileRecord, Relation, TaskRecord
from syncd.resources.derived import Derived
from syncd.resources.tasks.changes import write_changes
from syncd.resources.tasks.table import (
    IMAGE_COLUMNS,
    files,
    task_history,
    task_relations,
    task_tags,
    tasks,
)
from syncd.store.bulk import CHUNK, Columns, insert_columns, insert_parts, upsert_columns
from syncd.store.mirror import among, batches, change, change_each, drop_links
from syncd.sync.met import Filled

_ENDS = ("reported_by_from", "reported_by_to")
_REMOVED = ("removed_at", "removed_reason")
_NOT_YET = ("suspect_at", *_REMOVED)
"""What a present image has none of; of a new row they are left to the table."""
_DERIVED = ("url", "added_at", "closed_at")
_SHOWN = tuple(name for name in IMAGE_COLUMNS if name in TaskRecord.__struct_fields__)


@dataclass(frozen=True, slots=True)
class Writing:
    """The transaction a plan is applied in, and what marks its rows.

    `filled` is what of tables that were empty has been written; None where they were not empty.
    """

    tx: Connection
    derived: Derived
    run_id: int
    observed_at: datetime
    filled: Filled | None = None


Changed = Insert | Update | Restore


def apply(plan: TaskPlan, to: Writing) -> None:
    """Write a plan; the caller's transaction makes it all or nothing."""
    again: tuple[Update | Restore, ...] = (*plan.updates, *plan.restores)
    ends: tuple[Update | Restore | Remove, ...] = (*again, *plan.removals)
    if ends:
        insert_columns(to.tx, task_history, _past(ends, to))
        write_changes(to.tx, ends, at=to.observed_at, run_id=to.run_id)
    links = _Links()
    if plan.inserts:
        _insert([(plan.inserts, to)], links)
    if again:
        present = {**_present(again, to), **dict.fromkeys(_NOT_YET, [None] * len(again))}
        upsert_columns(to.tx, tasks, present, changing=[name for name in present if name != "id"])
        for one in again:
            # A removed task holds no links, unless somebody wrote its tombstone by hand.
            links.change(one.record, one.before.record)
    _write_links(links, to)
    _write_removals(plan.removals, to)
    change_each(
        to.tx,
        tasks,
        [
            {"id": touch.id, "content_hash": touch.content_hash, "suspect_at": None}
            for touch in plan.touches
        ],
    )
    change(to.tx, tasks, plan.suspects, {"suspect_at": to.observed_at})


def apply_new(plans: Sequence[tuple[Sequence[Insert], Writing]]) -> None:
    """Write tasks that the mirror never held, of several plans at once."""
    if plans:
        links = _Links()
        _insert(plans, links)
        _write_links(links, plans[0][1])


def _insert(plans: Sequence[tuple[Sequence[Insert], Writing]], links: _Links) -> None:
    """Write new tasks; their links are gathered while a server still takes in the last of them."""

    def parts() -> Iterator[Columns]:
        for inserts, to in plans:
            for start in range(0, len(inserts), CHUNK):
                yield _present(inserts[start : start + CHUNK], to)
        for inserts, _ in plans:
            for one in inserts:
                links.add(one.record)

    insert_parts(plans[0][1].tx, tasks, _PRESENT, parts())


def _image(records: Sequence[TaskRecord], derived: Derived) -> dict[str, Sequence[Any]]:
    """Return the image columns of records, their validity aside."""
    values = zip(*map(astuple, records), strict=True)
    shown = dict(zip(TaskRecord.__struct_fields__, values, strict=True))
    columns: dict[str, Sequence[Any]] = {name: shown[name] for name in _SHOWN}
    columns["url"] = list(map(derived.url, columns["page"]))
    columns["added_at"] = list(map(derived.instant, columns["date_added"]))
    columns["closed_at"] = list(map(derived.instant, columns["date_closed"]))
    return columns


def _present(actions: Sequence[Changed], to: Writing) -> dict[str, Sequence[Any]]:
    records = [action.record for action in actions]
    count = len(records)
    return {
        "id": [record.id for record in records],
        **_image(records, to.derived),
        "valid_from": [to.observed_at] * count,
        "observed_at": [to.observed_at] * count,
        "content_hash": [action.content_hash for action in actions],
    }


_PRESENT = ("id", *_SHOWN, *_DERIVED, "valid_from", "observed_at", "content_hash")


def _past(actions: Sequence[Update | Restore | Remove], to: Writing) -> dict[str, Sequence[Any]]:
    images = [action.before for action in actions]
    records = [image.record for image in images]
    return {
        "task_id": [record.id for record in records],
        **_image(records, to.derived),
        "valid_from": [image.valid_from for image in images],
        "removed_at": [image.removed_at for image in images],
        "removed_reason": [image.removed_reason for image in images],
        "tags": [list(record.tags or ()) for record in records],
        "relations": [_edges(record) for record in records],
        "valid_to": [to.observed_at] * len(images),
        "run_id": [to.run_id] * len(images),
    }


def _edges(record: TaskRecord) -> list[dict[str, Any]]:
    return [
        {"from": edge.from_task_id, "to": edge.to_task_id, "type": edge.type}
        for edge in record.relations or ()
    ]


class _Links:
    """What is to be written of the tags, files and relations of tasks, and what of them goes."""

    def __init__(self) -> None:
        self.untagged: list[int] = []
        self.tagged: list[int] = []
        self.tags: list[int] = []
        self.gone: set[int] = set()
        self.files: dict[int, tuple[int, FileRecord]] = {}
        self.unrelated: list[int] = []
        self.edges: list[tuple[int, Relation]] = []

    def add(self, record: TaskRecord) -> None:
        """Take the links of a task that has none in the mirror."""
        if record.tags:
            self._tag(record.id, record.tags)
        for file in record.files or ():
            self.files[file.id] = record.id, file
        for edge in record.relations or ():
            self.edges.append((record.id, edge))

    def change(self, record: TaskRecord, known: TaskRecord) -> None:
        """Take what is different in the links of a task that the mirror holds as `known`."""
        id = record.id
        if (record.tags or ()) != (known.tags or ()):
            self.untagged += [id] if known.tags else []
            self._tag(id, record.tags or ())
        shown, old = record.files or (), known.files or ()
        if shown != old:
            self.gone |= {file.id for file in old} - {file.id for file in shown}
            self.files |= {file.id: (id, file) for file in shown if file not in old}
        if (record.relations or ()) != (known.relations or ()):
            self.unrelated += [id] if known.relations else []
            self.edges += [(id, edge) for edge in record.relations or ()]

    def _tag(self, id: int, tags: Sequence[int]) -> None:
        self.tagged += [id] * len(tags)
        self.tags += tags


def _write_links(links: _Links, to: Writing) -> None:
    """Write them, what was held before first: one file or relation may go and come at once."""
    drop_links(to.tx, task_tags.c.task_id, links.untagged)
    if links.tags:
        insert_columns(to.tx, task_tags, {"task_id": links.tagged, "tag_id": links.tags})
    change(
        to.tx, files, links.gone, {"removed_at": to.observed_at, "removed_reason": "not_in_task"}
    )
    if links.files:
        _write_files(links.files, to)
    _withdraw(links.unrelated, to.tx)
    _report(links.edges, to)
    _drop_unreported(links.unrelated, to.tx)


def _write_files(attached: Mapping[int, tuple[int, FileRecord]], to: Writing) -> None:
    known = set(attached if to.filled is None else to.filled.files.again(attached))
    new = [one for id, one in attached.items() if id not in known]
    if new:
        insert_columns(to.tx, files, _file_columns(new, to.derived))
    if known:
        columns = _file_columns([attached[id] for id in known], to.derived)
        columns |= dict.fromkeys(_REMOVED, [None] * len(known))
        changing = [name for name in columns if name != "id"]
        upsert_columns(to.tx, files, columns, changing=changing)


def _file_columns(
    attached: Collection[tuple[int, FileRecord]], derived: Derived
) -> dict[str, Sequence[Any]]:
    return {
        "id": [file.id for _, file in attached],
        "task_id": [task_id for task_id, _ in attached],
        "name": [file.name for _, file in attached],
        "size": [file.size for _, file in attached],
        "page": [file.page for _, file in attached],
        "url": [derived.url(file.page) for _, file in attached],
    }


def _withdraw(ids: Iterable[int], tx: Connection) -> None:
    """Take back what these tasks reported; the other end's word stands."""
    edge = task_relations.c
    for batch in batches(ids):
        reported = among(tx, edge.from_task_id, batch), among(tx, edge.to_task_id, batch)
        tx.execute(update(task_relations).where(reported[0]).values(reported_by_from=0))
        tx.execute(update(task_relations).where(reported[1]).values(reported_by_to=0))


def _report(edges: Sequence[tuple[int, Relation]], to: Writing) -> None:
    """Write that these ends report these edges; what the other end says of one stays."""
    said: dict[Relation, tuple[bool, bool]] = {}
    for reporter, edge in edges:
        first, second = said.get(edge, (False, False))
        said[edge] = first or edge.from_task_id == reporter, second or edge.to_task_id == reporter
    new = _first_told(said, to)
    if new:
        insert_columns(to.tx, task_relations, _edge_columns(new, said))
    known = [edge for edge in said if edge not in new]
    for ends in {said[edge] for edge in known}:
        reported = [edge for edge in known if said[edge] == ends]
        changing = [name for name, its in zip(_ENDS, ends, strict=True) if its]
        columns = _edge_columns(reported, said)
        upsert_columns(to.tx, task_relations, columns, changing=changing)


def _first_told(edges: Collection[Relation], to: Writing) -> Collection[Relation]:
    """Return which edges are certainly not in the mirror."""
    if to.filled is None:
        return ()
    known = set(to.filled.edges.again({edge.from_task_id for edge in edges}))
    return {edge: None for edge in edges if edge.from_task_id not in known}


def _edge_columns(
    edges: Collection[Relation], said: Mapping[Relation, tuple[bool, bool]]
) -> dict[str, Sequence[Any]]:
    return {
        "from_task_id": [edge.from_task_id for edge in edges],
        "to_task_id": [edge.to_task_id for edge in edges],
        "type": [edge.type for edge in edges],
        "reported_by_from": [int(said[edge][0]) for edge in edges],
        "reported_by_to": [int(said[edge][1]) for edge in edges],
    }


def _drop_unreported(ids: Iterable[int], tx: Connection) -> None:
    edge = task_relations.c
    for batch in batches(ids):
        tx.execute(
            delete(task_relations).where(
                and_(
                    or_(among(tx, edge.from_task_id, batch), among(tx, edge.to_task_id, batch)),
                    edge.reported_by_from == 0,
                    edge.reported_by_to == 0,
                )
            )
        )


def _write_removals(removals: Sequence[Remove], to: Writing) -> None:
    ids = [removal.before.record.id for removal in removals]
    change_each(to.tx, tasks, list(_tombstones(removals, to)))
    drop_links(to.tx, task_tags.c.task_id, ids)
    _withdraw(ids, to.tx)
    _drop_unreported(ids, to.tx)
    attached = [file.id for removal in removals for file in removal.before.record.files or ()]
    change(to.tx, files, attached, {"removed_at": to.observed_at, "removed_reason": "with_task"})


def _tombstones(removals: Sequence[Remove], to: Writing) -> Iterator[dict[str, Any]]:
    for removal in removals:
        yield {
            "id": removal.before.record.id,
            "valid_from": to.observed_at,
            "observed_at": to.observed_at,
            "removed_at": to.observed_at,
            "removed_reason": removal.reason,
            "suspect_at": None,
        }
