"""Who set a value in the account, and when, where the change feed has told of it.

The feed tells nothing of some edits, and stamps are minutes of the account's clock (API sheet,
section 7.1); so nobody is named unless the very value was told, and at a time that fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from syncd.model.activity import Told
from syncd.model.plan import FieldChange, Image
from syncd.resources.activity import told
from syncd.resources.tags import ids_by_name
from syncd.resources.tasks.images import load_images
from syncd.resources.tasks.wire import TagIds
from syncd.services.seen import COLUMNS, Seen
from syncd.store.activity import of_tasks
from syncd.sync.feed import MINUTE

Deed = tuple[Row[Any], Told]


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something; `at` is an instant, or the account's wall clock where no zone is set."""

    name: str
    at: datetime


def theirs_set(
    tx: Connection, seen: Mapping[tuple[int, str], Seen]
) -> dict[tuple[int, str], Author]:
    """Return who set the values that the mirror shows, by task and field of `live_tasks`."""
    ids = {id for id, _ in seen}
    deeds = _deeds(tx, ids)
    images = load_images(tx, deeds.keys()) if deeds else {}
    return {
        (id, name): author
        for (id, name), since in seen.items()
        if id in images and (author := _of_theirs(deeds[id], images[id], name, since))
    }


def _of_theirs(deeds: Sequence[Deed], image: Image, name: str, since: Seen) -> Author | None:
    """Return the author of the last deed on a field, if that is what the account shows now."""
    if image.removed_at is not None:
        last = next((deed for deed in deeds if _deletes(deed)), None)
        return _author(last[0]) if last else None
    column = COLUMNS.get(name, name)
    last = next((deed for deed in deeds if column in deed[1].values), None)
    if last is None or last[1].values[column] != getattr(image.record, column):
        return None
    return _author(last[0]) if _is_after(last[0], since.after) else None


class Past:
    """What was told of one task, to name the authors of its versions."""

    def __init__(self, tx: Connection, task_id: int) -> None:
        self._deeds: Sequence[Deed] = _deeds(tx, [task_id]).get(task_id, ())

    def authors(
        self, changes: Iterable[FieldChange], *, since: datetime, until: datetime
    ) -> tuple[Author, ...]:
        """Return who made these changes between two versions, each once, the first one first."""
        wanted = tuple(changes)
        found = [
            _author(row)
            for row, said in reversed(self._deeds)
            if _fits(row, since, until) and any(_made(row, said, change) for change in wanted)
        ]
        return tuple(dict.fromkeys(each for each in found if each is not None))


def _made(row: Row[Any], said: Told, change: FieldChange) -> bool:
    if change.name == "removed_reason":
        return change.new is not None and _deletes((row, said))
    return change.name in said.values and said.values[change.name] == change.new


def _fits(row: Row[Any], since: datetime, until: datetime) -> bool:
    return _is_after(row, since) and (row.at is None or row.at <= until)


def _is_after(row: Row[Any], since: datetime | None) -> bool:
    """Tell whether it may have happened after an instant, by the end of its minute.

    Without the account's time zone all that is known is when we first heard of it.
    """
    if since is None:
        return True
    latest: datetime = row.at + MINUTE if row.at is not None else row.seen_at
    return latest > since


def _deeds(tx: Connection, ids: Iterable[int]) -> dict[int, list[Deed]]:
    rows = of_tasks(tx, ids)
    tag_ids = ids_by_name(tx) if rows else {}
    return {id: list(_read(each, tag_ids)) for id, each in rows.items()}


def _read(rows: Iterable[Row[Any]], tag_ids: TagIds) -> Iterator[Deed]:
    for row in rows:
        yield row, told(row.action, row.entity, row.date_added, row.new, tag_ids)


def _deletes(deed: Deed) -> bool:
    return bool(deed[0].action == "delete" and deed[0].entity == "task")


def _author(row: Row[Any]) -> Author | None:
    if row.member_name is None and row.member_id is None:
        return None
    return Author(row.member_name or f"member {row.member_id}", row.at or row.date_added)
