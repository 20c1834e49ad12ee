"""One task of the mirror: everything that is known about it, its past versions included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from syncd.errors import ConfigError
from syncd.model.plan import FieldChange
from syncd.model.records import FileRecord, Relation, TaskRecord
from syncd.model.reports import Names
from syncd.resources.members import members
from syncd.resources.projects import projects
from syncd.resources.tags import tags
from syncd.resources.tasks.images import load_images
from syncd.resources.tasks.table import task_history, task_relations, tasks
from syncd.services.authors import Author, Past
from syncd.services.tasks import ListedTask, listed, tag_names, task_query
from syncd.store.engine import Database
from syncd.sync.reconcile import FIELDS

COMPARED = (*(name for name in FIELDS if name != "files"), "removed_at", "removed_reason")
"""What past images keep; files they do not."""

Image = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another task, as far as it is known: a relation may lead to one we cannot see."""

    id: int
    name: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class RelatedTask:
    """A relation: the other task comes `before` this one, or `after` it."""

    side: str
    type: str
    task: Neighbour


@dataclass(frozen=True, slots=True)
class Version:
    """One image of a task: from when until when it stood, and how it differed from the last.

    `by` are those who made it so, as far as the change feed tells.
    """

    valid_from: datetime
    valid_to: datetime | None
    changes: tuple[FieldChange, ...]
    by: tuple[Author, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """A task with everything around it; `names` says what the ids in its versions are called."""

    task: ListedTask
    author: str | None
    author_email: str | None
    text: str | None
    time_start: time | None
    time_end: time | None
    date_added: datetime | None
    added_at: datetime | None
    closed_at: datetime | None
    extra: dict[str, Any] | None
    parents: tuple[Neighbour, ...]
    subtasks: tuple[Neighbour, ...]
    files: tuple[FileRecord, ...]
    relations: tuple[RelatedTask, ...]
    versions: tuple[Version, ...]
    names: Names


def show_task(db: Database, id: int, *, today: date) -> TaskDetail:
    """Return all about one task. Raises ConfigError where the mirror has never held it."""
    with db.read() as tx:
        row = tx.execute(task_query().where(tasks.c.id == id)).first()
        if row is None:
            raise ConfigError(
                f"There is no task {id} in the mirror.", hint="Find it with: syncd task list"
            )
        record = load_images(tx, [id])[id].record
        author = tx.execute(select(members).where(members.c.id == row.author_id)).first()
        return TaskDetail(
            task=listed(row, tag_names(tx, [id]).get(id, ()), today),
            author=author.name if author is not None else None,
            author_email=author.email if author is not None else None,
            text=row.text,
            time_start=row.time_start,
            time_end=row.time_end,
            date_added=row.date_added,
            added_at=row.added_at,
            closed_at=row.closed_at,
            extra=row.extra,
            parents=tuple(_parents(tx, row.parent_id)),
            subtasks=_subtasks(tx, id),
            files=record.files or (),
            relations=tuple(_relations(tx, id)),
            versions=tuple(_versions(tx, row, record)),
            names=_names(tx),
        )


def _parents(tx: Connection, parent_id: int | None) -> Iterator[Neighbour]:
    """Yield the tasks above, the nearest last."""
    if parent_id is None:
        return
    row = tx.execute(select(tasks).where(tasks.c.id == parent_id)).first()
    if row is None:
        yield Neighbour(parent_id, None, None)
        return
    yield from _parents(tx, row.parent_id)
    yield Neighbour(row.id, row.name, row.status)


def _subtasks(tx: Connection, id: int) -> tuple[Neighbour, ...]:
    below = select(tasks).where(tasks.c.parent_id == id, tasks.c.removed_at.is_(None))
    rows = tx.execute(below.order_by(tasks.c.id))
    return tuple(Neighbour(row.id, row.name, row.status) for row in rows)


def _relations(tx: Connection, id: int) -> Iterator[RelatedTask]:
    edge = task_relations.c
    query = select(task_relations).where(or_(edge.from_task_id == id, edge.to_task_id == id))
    for row in tx.execute(query.order_by(edge.from_task_id, edge.to_task_id)).all():
        before = row.to_task_id == id
        other_id = row.from_task_id if before else row.to_task_id
        other = tx.execute(select(tasks).where(tasks.c.id == other_id)).first()
        known = (other.name, other.status) if other is not None else (None, None)
        yield RelatedTask("before" if before else "after", row.type, Neighbour(other_id, *known))


def _versions(tx: Connection, row: Row[Any], record: TaskRecord) -> Iterator[Version]:
    """Yield every image, the oldest first, with what each changed of the one before."""
    past = task_history.c
    query = select(task_history).where(past.task_id == row.id).order_by(past.valid_from)
    images = [_past(found) for found in tx.execute(query)]
    images.append({**row._mapping, **_links(record), "valid_to": None})
    told, before = Past(tx, row.id), None
    for image in images:
        changes = _changes(before, image)
        since, until = (before or image)["valid_from"], image["valid_from"]
        by = told.authors(changes, since=since, until=until)
        yield Version(image["valid_from"], image["valid_to"], changes, by)
        before = image


def _past(row: Row[Any]) -> Image:
    edges = tuple(Relation(one["from"], one["to"], one["type"]) for one in row.relations)
    return {**row._mapping, "tags": tuple(row.tags), "relations": edges}


def _links(record: TaskRecord) -> Image:
    return {"tags": record.tags or (), "relations": record.relations or ()}


def _changes(before: Image | None, image: Image) -> tuple[FieldChange, ...]:
    if before is None:
        return ()
    return tuple(
        FieldChange(name, before[name], image[name])
        for name in COMPARED
        if before[name] != image[name]
    )


def _names(tx: Connection) -> Names:
    return {
        kind: {row.id: row.name for row in tx.execute(select(table.c.id, table.c.name))}
        for kind, table in (("project", projects), ("member", members), ("tag", tags))
    }
