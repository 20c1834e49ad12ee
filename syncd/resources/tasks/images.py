"""Images of tasks out of the mirror: the index of a scope, and whole images of a few tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, case, func, or_, select

from syncd.model.plan import Image
from syncd.model.records import FileRecord, Relation, TaskRecord
from syncd.resources.tasks.table import files, task_relations, task_tags, tasks
from syncd.resources.tasks.wire import Place
from syncd.store.mirror import batches, rows_by
from syncd.sync.survey import Indexed

_INDEX = (
    tasks.c.id,
    tasks.c.project_id,
    tasks.c.level,
    tasks.c.content_hash,
    case((tasks.c.removed_at.is_(None), 0), else_=1),
    case((tasks.c.suspect_at.is_(None), 0), else_=1),
)
_SCALARS = tuple(
    name for name in TaskRecord.__struct_fields__ if name not in {"tags", "files", "relations"}
)


def load_index(
    tx: Connection, *, project_id: int | None = None, ids: Collection[int] = ()
) -> dict[int, Indexed]:
    """Load the index of all tasks, or of one project's, and of the tasks in `ids` besides."""
    query = select(*_INDEX)
    if project_id is not None:
        query = query.where(tasks.c.project_id == project_id)
    index = {row[0]: Indexed._make(row[1:]) for row in tx.execute(query).all()}
    if project_id is not None:
        others = [id for id in ids if id not in index]
        found = rows_by(tx, _INDEX, tasks.c.id, others)
        index |= {row[0]: Indexed._make(row[1:]) for row in found}
    return index


def load_places(tx: Connection, ids: Collection[int]) -> dict[int, Place]:
    """Load where in the tree live tasks stand."""
    columns = (tasks.c.id, tasks.c.project_id, tasks.c.parent_id, tasks.c.level, tasks.c.removed_at)
    return {
        row.id: Place(row.project_id, row.parent_id, row.level)
        for row in rows_by(tx, columns, tasks.c.id, ids)
        if row.removed_at is None
    }


def count_live(tx: Connection) -> dict[int, int]:
    """Count the live tasks of each project."""
    query = (
        select(tasks.c.project_id, func.count().label("tasks"))
        .where(tasks.c.removed_at.is_(None))
        .group_by(tasks.c.project_id)
    )
    return {row.project_id: row.tasks for row in tx.execute(query)}


def load_images(tx: Connection, ids: Collection[int]) -> dict[int, Image]:
    """Load whole images, with tags, files and the relations each task itself reports."""
    tags = _load_tags(tx, ids)
    attached = _load_files(tx, ids)
    edges = _load_relations(tx, ids)
    return {
        row.id: _image(row, tags.get(row.id, ()), attached.get(row.id, ()), edges.get(row.id, ()))
        for row in rows_by(tx, tuple(tasks.c), tasks.c.id, ids)
    }


def _image(
    row: Row[Any],
    tags: tuple[int, ...],
    attached: tuple[FileRecord, ...],
    edges: tuple[Relation, ...],
) -> Image:
    values = row._mapping
    record = TaskRecord(
        **{name: values[name] for name in _SCALARS}, tags=tags, files=attached, relations=edges
    )
    return Image(
        record=record,
        content_hash=row.content_hash,
        observed_at=row.observed_at,
        valid_from=row.valid_from,
        suspect_at=row.suspect_at,
        removed_at=row.removed_at,
        removed_reason=row.removed_reason,
    )


def _load_tags(tx: Connection, ids: Collection[int]) -> Mapping[int, tuple[int, ...]]:
    found: dict[int, list[int]] = defaultdict(list)
    for row in rows_by(tx, tuple(task_tags.c), task_tags.c.task_id, ids):
        found[row.task_id].append(row.tag_id)
    return {id: tuple(sorted(tags)) for id, tags in found.items()}


def _load_files(tx: Connection, ids: Collection[int]) -> Mapping[int, tuple[FileRecord, ...]]:
    found: dict[int, list[FileRecord]] = defaultdict(list)
    for row in rows_by(tx, tuple(files.c), files.c.task_id, ids):
        if row.removed_at is None:
            found[row.task_id].append(FileRecord(row.id, row.name, row.size, row.page))
    return {id: tuple(sorted(attached)) for id, attached in found.items()}


def _load_relations(tx: Connection, ids: Collection[int]) -> Mapping[int, tuple[Relation, ...]]:
    """Read the edges by the end that reports them: the other end's word is the other's image."""
    found: dict[int, set[Relation]] = defaultdict(set)
    edge = task_relations.c
    for batch in batches(sorted(ids)):
        wanted = set(batch)
        query = select(task_relations).where(
            or_(edge.from_task_id.in_(batch), edge.to_task_id.in_(batch))
        )
        for row in tx.execute(query):
            relation = Relation(row.from_task_id, row.to_task_id, row.type)
            if row.reported_by_from and row.from_task_id in wanted:
                found[row.from_task_id].add(relation)
            if row.reported_by_to and row.to_task_id in wanted:
                found[row.to_task_id].add(relation)
    return {id: tuple(sorted(edges)) for id, edges in found.items()}
