"""A plan about tasks, written: present images, past images, tags, files and relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from syncd.store.bulk import insert_columns, upsert_columns
from syncd.store.mirror import Values, among, batches, change, change_each, drop_links, put

_ENDS = ("reported_by_from", "reported_by_to")
_NEW_IMAGE = ("suspect_at", "removed_at", "removed_reason")
_SHOWN = tuple(name for name in IMAGE_COLUMNS if name in TaskRecord.__struct_fields__)


@dataclass(frozen=True, slots=True)
class Writing:
    """The transaction a plan is applied in, and what marks its rows."""

    tx: Connection
    derived: Derived
    run_id: int
    observed_at: datetime


Changed = Insert | Update | Restore


def apply(plan: TaskPlan, to: Writing) -> None:
    """Write a plan; the caller's transaction makes it all or nothing."""
    changed: tuple[Changed, ...] = (*plan.inserts, *plan.updates, *plan.restores)
    again: tuple[Update | Restore, ...] = (*plan.updates, *plan.restores)
    ends: tuple[Update | Restore | Remove, ...] = (*again, *plan.removals)
    if ends:
        insert_columns(to.tx, task_history, _past(ends, to))
        write_changes(to.tx, ends, at=to.observed_at, run_id=to.run_id)
    if plan.inserts:
        insert_columns(to.tx, tasks, _present(plan.inserts, to))
    if again:
        present = _present(again, to)
        upsert_columns(to.tx, tasks, present, changing=[name for name in present if name != "id"])
    _write_tags(changed, to)
    _write_files(changed, to)
    _write_relations(changed, to)
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
        **dict.fromkeys(_NEW_IMAGE, [None] * count),
        "valid_from": [to.observed_at] * count,
        "observed_at": [to.observed_at] * count,
        "content_hash": [action.content_hash for action in actions],
    }


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


def _before(action: Changed) -> TaskRecord | None:
    """Return the record whose links the mirror holds now.

    A removed task has none, unless somebody wrote its tombstone by hand.
    """
    return None if isinstance(action, Insert) else action.before.record


def _write_tags(changed: Sequence[Changed], to: Writing) -> None:
    stale, ids, tags = [], list[int](), list[int]()
    for action in changed:
        known, shown = _before(action), action.record.tags or ()
        if known is None or (known.tags or ()) != shown:
            if known is not None and known.tags:
                stale.append(action.record.id)
            ids += [action.record.id] * len(shown)
            tags += shown
    drop_links(to.tx, task_tags.c.task_id, stale)
    if ids:
        insert_columns(to.tx, task_tags, {"task_id": ids, "tag_id": tags})


def _write_files(changed: Sequence[Changed], to: Writing) -> None:
    rows: list[Values] = []
    gone: set[int] = set()
    for action in changed:
        known = _before(action)
        shown = action.record.files or ()
        old = (known.files or ()) if known is not None else ()
        if shown == old:
            continue
        gone |= {file.id for file in old} - {file.id for file in shown}
        rows += [_file_row(action.record.id, file, to) for file in shown if file not in old]
    change(to.tx, files, gone, {"removed_at": to.observed_at, "removed_reason": "not_in_task"})
    put(to.tx, files, rows)


def _file_row(task_id: int, file: FileRecord, to: Writing) -> dict[str, Any]:
    return {
        "id": file.id,
        "task_id": task_id,
        "name": file.name,
        "size": file.size,
        "page": file.page,
        "url": to.derived.url(file.page),
        "removed_at": None,
        "removed_reason": None,
    }


def _write_relations(changed: Sequence[Changed], to: Writing) -> None:
    stale, edges = [], []
    for action in changed:
        known, shown = _before(action), action.record.relations or ()
        if (known.relations or () if known is not None else ()) != shown:
            if known is not None and known.relations:
                stale.append(action.record.id)
            edges += [(action.record.id, edge) for edge in shown]
    _withdraw(stale, to.tx)
    _report(edges, to)
    _drop_unreported(stale, to.tx)


def _withdraw(ids: Iterable[int], tx: Connection) -> None:
    """Take back what these tasks reported; the other end's word stands."""
    edge = task_relations.c
    for batch in batches(ids):
        reported = among(tx, edge.from_task_id, batch), among(tx, edge.to_task_id, batch)
        tx.execute(update(task_relations).where(reported[0]).values(reported_by_from=0))
        tx.execute(update(task_relations).where(reported[1]).values(reported_by_to=0))


def _report(edges: Sequence[tuple[int, Relation]], to: Writing) -> None:
    """Write that these ends report these edges; what the other end says of one stays."""
    said: dict[tuple[int, int, str], set[str]] = {}
    for reporter, edge in edges:
        ends = said.setdefault((edge.from_task_id, edge.to_task_id, edge.type), set())
        ends |= {
            name
            for name, end in zip(_ENDS, (edge.from_task_id, edge.to_task_id), strict=True)
            if end == reporter
        }
    rows: dict[tuple[str, ...], list[Values]] = {}
    for (first, second, kind), ends in said.items():
        row = {"from_task_id": first, "to_task_id": second, "type": kind}
        own = {name: int(name in ends) for name in _ENDS}
        rows.setdefault(tuple(sorted(ends)), []).append(row | own)
    for changing, those in rows.items():
        put(to.tx, task_relations, those, changing=changing)


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
