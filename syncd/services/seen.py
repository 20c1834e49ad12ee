"""Since when the account shows what it shows: what the past images of a task can tell.

That is when a run first saw a value, not when somebody set it, nor who: see
`syncd.services.authors`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from syncd.model.fields import EDITABLE
from syncd.model.plan import Image
from syncd.resources.tasks.images import load_images
from syncd.resources.tasks.table import task_history
from syncd.store.mirror import batches

COLUMNS: Final[Mapping[str, str]] = {"assignee_email": "assignee_id"}
"""The fields of `live_tasks` whose column in the mirror has another name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """When a value was first seen; `run_id` is None where it was there from the beginning.

    `after` is when the mirror had just begun to show another one.
    """

    at: datetime
    run_id: int | None
    after: datetime | None = None


def theirs_seen(tx: Connection, task_ids: Collection[int]) -> dict[tuple[int, str], Seen]:
    """Return by task and field since when each value that the mirror shows is known."""
    past: dict[int, list[Row[Any]]] = {}
    for batch in batches(sorted(task_ids)):
        query = select(task_history).where(task_history.c.task_id.in_(batch))
        for row in tx.execute(query.order_by(task_history.c.valid_from.desc())):
            past.setdefault(row.task_id, []).append(row)
    return {
        (id, name): seen
        for id, image in (load_images(tx, task_ids) if task_ids else {}).items()
        for name, seen in _of_task(image, past.get(id, ()))
    }


def _of_task(image: Image, past: Sequence[Row[Any]]) -> Iterator[tuple[str, Seen]]:
    for name in EDITABLE:
        if image.removed_at is not None:
            yield name, Seen(image.removed_at, None)
        else:
            yield name, _since(image, past, COLUMNS.get(name, name))


def _since(image: Image, past: Sequence[Row[Any]], column: str) -> Seen:
    """Go back while the value was the same; the run that ended another value saw this one first."""
    value, at = _plain(getattr(image.record, column)), image.valid_from
    for row in past:
        if _plain(row._mapping[column]) != value:
            return Seen(at, row.run_id, row.valid_from)
        at = row.valid_from
    return Seen(at, None)


def _plain(value: Any) -> Any:
    """Tags are a tuple in an image and a list in the past."""
    return list(value) if isinstance(value, tuple) else value
