"""Images of tasks out of the mirror: the index of a scope, and whole images of a few tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)

from syncd.model.plan import Image
from syncd.model.records import FileRecord, Relation, TaskRecord
from syncd.resources.tasks.table import files, task_relations, task_tags, tasks
from syncd.resources.tasks.wire import Place
from syncd.store.mirror import BATCH, among, batches, rows_by
from syncd.store.pairs import read_pairs
from syncd.sync.survey import Index, Indexed

_IS_LIVE = tasks.c.removed_at.is_(None)
_IS_SOUND = tasks.c.suspect_at.is_(None)
_HASHES = select(
    tasks.c.id, case((and_(_IS_LIVE, _IS_SOUND), tasks.c.content_hash)).label("content_hash")
)
"""What tells whether a task is as it was; NULL of one that is removed or suspect."""
_HASHES_OF_PROJECT = _HASHES.where(tasks.c.project_id == bindparam("project_id"))
_IS_ANYTHING = select(
    or_(*[exists().select_from(table) for table in (tasks, files, task_relations, task_tags)])
)
_INDEXED = (tasks.c.id, tasks.c.project_id, tasks.c.level, tasks.c.suspect_at)
_SCALARS = TaskRecord.__struct_fields__[: -len(("tags", "files", "relations"))]
_ABOUT = tuple(name for name in Image.__dataclass_fields__ if name != "record")
_IMAGE = tuple(tasks.c[name] for name in (*_SCALARS, *_ABOUT))


def load_index(
    tx: Connection, *, project_id: int | None = None, ids: Collection[int] = ()
) -> Index:
    """Load the index of all tasks, or of one project's, and of the tasks in `ids` besides."""
    if project_id is None:
        return _index(tx, read_pairs(tx, _HASHES))
    own = tasks.c.project_id == project_id
    index = _index(tx, read_pairs(tx, _HASHES_OF_PROJECT, project_id=project_id), own)
    return index | load_index_of(tx, [id for id in ids if id not in index])


def _index(tx: Connection, hashes: dict[int, Any], *own: ColumnElement[bool]) -> Index:
    """Put the index of tasks together whose hashes were read; `own` are its conditions."""
    odd = [id for id, hash in hashes.items() if hash is None]
    for id in odd:
        del hashes[id]
    index = Index(hashes)
    for id, removed_at in _removals(tx, odd, own):
        (index.suspects if removed_at is None else index.removed).add(id)
    return index


def _removals(
    tx: Connection, odd: Collection[int], own: tuple[ColumnElement[bool], ...]
) -> Iterable[Any]:
    """Read when these were removed; where they are many, by a look at all."""
    columns = (tasks.c.id, tasks.c.removed_at)
    if len(odd) <= BATCH:
        return rows_by(tx, columns, tasks.c.id, odd)
    return tx.execute(select(*columns).where(or_(not_(_IS_LIVE), not_(_IS_SOUND)), *own))


def load_index_of(tx: Connection, ids: Collection[int]) -> Index:
    """Load the index of these tasks."""
    columns = (tasks.c.id, tasks.c.content_hash, tasks.c.removed_at, tasks.c.suspect_at)
    return _index_of((row.id, row) for row in rows_by(tx, columns, tasks.c.id, ids))


def index_of(images: Mapping[int, Image]) -> Index:
    """Return the index of tasks whose images are at hand."""
    return _index_of(images.items())


def _index_of(known: Iterable[tuple[int, Any]]) -> Index:
    """Put an index together from rows or images, whatever tells these three of a task."""
    index = Index()
    for id, one in known:
        if one.removed_at is not None:
            index.removed.add(id)
        elif one.suspect_at is not None:
            index.suspects.add(id)
        else:
            index.hashes[id] = one.content_hash
    return index


def load_indexed(tx: Connection, ids: Collection[int]) -> dict[int, Indexed]:
    """Load what is known of live tasks that are missing."""
    return _indexed(rows_by(tx, _INDEXED, tasks.c.id, ids))


def load_project(tx: Connection, project_id: int) -> dict[int, Indexed]:
    """Load what is known of a project's live tasks."""
    query = select(*_INDEXED).where(tasks.c.project_id == project_id, _IS_LIVE)
    return _indexed(tx.execute(query))


def _indexed(rows: Iterable[Any]) -> dict[int, Indexed]:
    return {id: Indexed(project, level, at is not None) for id, project, level, at in rows}


def has_live(tx: Connection) -> bool:
    """Tell whether the mirror has any live task."""
    return tx.scalar(select(tasks.c.id).where(_IS_LIVE).limit(1)) is not None


def is_empty(tx: Connection) -> bool:
    """Tell whether no task was ever mirrored, and nothing that hangs on one."""
    return not tx.scalar(_IS_ANYTHING)


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
        .where(_IS_LIVE)
        .group_by(tasks.c.project_id)
    )
    return {row.project_id: row.tasks for row in tx.execute(query)}


def load_images(tx: Connection, ids: Collection[int]) -> dict[int, Image]:
    """Load whole images, with tags, files and the relations each task itself reports."""
    rows = {row[0]: row for row in rows_by(tx, _IMAGE, tasks.c.id, ids)}
    tags = load_tags(tx, rows)
    attached = _load_files(tx, rows)
    edges = _load_relations(tx, rows)
    return {
        id: _image(row, tags.get(id, ()), attached.get(id, ()), edges.get(id, ()))
        for id, row in rows.items()
    }


def _image(
    row: Row[Any],
    tags: tuple[int, ...],
    attached: tuple[FileRecord, ...],
    edges: tuple[Relation, ...],
) -> Image:
    """Put an image together from a row of _IMAGE; its first column is the id."""
    about = dict(zip(_ABOUT, row[len(_SCALARS) :], strict=True))
    values: tuple[Any, ...] = (*row[: len(_SCALARS)], tags, attached, edges)
    record = TaskRecord(*values)
    return Image(record=record, **about)


def load_tags(tx: Connection, ids: Collection[int]) -> Mapping[int, tuple[int, ...]]:
    """Load the tags of tasks, sorted; a task without any is left out."""
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
            or_(among(tx, edge.from_task_id, batch), among(tx, edge.to_task_id, batch))
        )
        for row in tx.execute(query):
            relation = Relation(row.from_task_id, row.to_task_id, row.type)
            if row.reported_by_from and row.from_task_id in wanted:
                found[row.from_task_id].add(relation)
            if row.reported_by_to and row.to_task_id in wanted:
                found[row.to_task_id].add(relation)
    return {id: tuple(sorted(edges)) for id, edges in found.items()}
