"""Changes as people and scripts see them: rows of the outbox in the words of `live_tasks`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from syncd.errors import ConfigError
from syncd.model.change import ChangeState, Fields, Operation, Value
from syncd.model.fields import read_fields
from syncd.resources.tags import tags
from syncd.resources.tasks.table import tasks
from syncd.services.given import LARGEST_ID
from syncd.store.mirror import batches
from syncd.store.outbox import outbox, outbox_events

Labels = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class ListedChange:
    """One queued edit, in any state. `fields` and `base` are in the words of `live_tasks`.

    `task` is the title of its task; `task_id` is None while a creation has none.
    """

    id: int
    operation: Operation
    task_id: int | None
    ref: str | None
    task: str | None
    state: ChangeState
    fields: Fields
    base: Fields
    attempts: int
    next_attempt_at: datetime | None
    error_code: str | None
    error: str | None
    created_at: datetime
    created_by: str
    batch: str
    sent_at: datetime | None
    applied_at: datetime | None
    confirmed_at: datetime | None
    depends_on: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a change; `from_state` is None where it was queued."""

    at: datetime
    from_state: str | None
    to_state: str
    actor: str
    detail: Mapping[str, Any]


def get_change(tx: Connection, id: int) -> ListedChange:
    """Return one change. Raises ConfigError where there is none of that number."""
    found = listed(tx, rows_of(tx, [id]))
    if not found:
        raise no_change(id)
    return found[0]


def no_change(id: int) -> ConfigError:
    """Return the error for a number that no change has."""
    return ConfigError(f"There is no change {id}.", hint="See: syncd queue list --all")


def rows_of(tx: Connection, ids: Iterable[int], *, lock: bool = False) -> list[Row[Any]]:
    """Return the rows of changes, in order; with `lock` nobody moves them before the commit."""
    known = (id for id in sorted(set(ids)) if 0 < id <= LARGEST_ID)
    query = select(outbox).order_by(outbox.c.id)
    query = query.with_for_update() if lock else query
    return [
        row for batch in batches(known) for row in tx.execute(query.where(outbox.c.id.in_(batch)))
    ]


def listed(tx: Connection, rows: Sequence[Row[Any]]) -> tuple[ListedChange, ...]:
    """Return rows of the outbox as they are listed."""
    labels = label_names(tx) if rows else {}
    titles = _titles(tx, {row.task_id for row in rows if row.task_id is not None})
    return tuple(_listed(row, labels, titles) for row in rows)


def label_names(tx: Connection) -> Labels:
    """Return what `live_tasks` calls each tag."""
    return {row.id: row.label for row in tx.execute(select(tags.c.id, tags.c.label)) if row.label}


def worded(value: Value, labels: Labels) -> Value:
    """Return a value as `live_tasks` shows it: tags as labels, sorted and joined by commas."""
    if not isinstance(value, frozenset):
        return value
    said = sorted(labels.get(tag, f"#{tag}") if isinstance(tag, int) else tag for tag in value)
    return ",".join(said) or None


def events_of(tx: Connection, id: int) -> tuple[Event, ...]:
    """Return what happened to a change, in order."""
    query = select(outbox_events).where(outbox_events.c.change_id == id)
    rows = tx.execute(query.order_by(outbox_events.c.id))
    return tuple(Event(r.at, r.from_state, r.to_state, r.actor, r.detail) for r in rows)


def _titles(tx: Connection, ids: Collection[int]) -> dict[int, str]:
    query = select(tasks.c.id, tasks.c.name)
    return {
        row.id: row.name
        for batch in batches(sorted(ids))
        for row in tx.execute(query.where(tasks.c.id.in_(batch)))
    }


def _listed(row: Row[Any], labels: Labels, titles: Mapping[int, str]) -> ListedChange:
    fields, base = _said(row.fields, labels), _said(row.base, labels)
    title = titles.get(row.task_id)
    if title is None and row.operation == "create":
        title = str(fields.get("name"))
    plain = {"id", *ListedChange.__slots__} - {"fields", "base", "task"}
    values = {name: row._mapping[name] for name in plain}
    return ListedChange(**values, fields=fields, base=base, task=title)


def _said(raw: Mapping[str, Any], labels: Labels) -> Fields:
    """Return fields in words; as they are where somebody wrote them by hand, and wrongly."""
    try:
        return {name: worded(value, labels) for name, value in read_fields(raw).items()}
    except ValueError:
        return raw
