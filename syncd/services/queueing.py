"""Queueing edits: commands and scripts go through `live_tasks`, so that its rules are theirs too.

Nothing here judges a value. What is refused is refused by the gate, in the gate's words; only a
task that is not there is refused here, because an UPDATE of no row says nothing.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, text, update

from syncd.errors import ConfigError
from syncd.services.changes import ListedChange, listed
from syncd.services.given import given
from syncd.services.labels import load_labels
from syncd.services.refusal import gate, refused
from syncd.services.targets import Named, Target, conditions, find_targets, read_name
from syncd.store.enclosures import Enclosure, enclose
from syncd.store.engine import Database
from syncd.store.live import live_tasks
from syncd.store.live.columns import COLUMNS, SETTABLE, WRITE_ONLY
from syncd.store.outbox import STANDING, acting, outbox
from syncd.store.own import newest, queued_since

INSERTED = (
    *("ref", "project_id", "parent_id", "parent_ref", "name", "author_email", "assignee_email"),
    *("priority", "text", "date_start", "date_end", "max_time", "max_money", "tags"),
    *WRITE_ONLY,
)
"""What can be given of a new task."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What came of it: the changes, and the tasks that were so already.

    `new` is false where a creation of that ref stands in the queue, or has been sent, already.
    """

    changes: tuple[ListedChange, ...]
    unchanged: tuple[Named, ...] = ()
    new: bool = True


@dataclass(frozen=True, slots=True)
class Edit:
    """What one task is to become; tags in `plus` and `minus` leave its other tags alone."""

    fields: Mapping[str, Any]
    plus: Sequence[str] = ()
    minus: Sequence[str] = ()


def edit_task(db: Database, task: Named, edit: Edit, *, actor: str) -> Queued:
    """Queue an edit of one task. Raises ChangeRefused."""
    _refuse_fixed(edit.fields)
    with db.write() as tx:
        (target,) = find_targets(tx, [task])
        fields = dict(edit.fields)
        if edit.plus or edit.minus or not isinstance(fields.get("tags") or "", str):
            fields["tags"] = _tags(tx, target, edit)
        return _update(db, tx, [target], given(fields), actor)


def set_status(
    db: Database, tasks: Sequence[Named], status: Literal["active", "done"], *, actor: str
) -> Queued:
    """Queue the completing or reopening of tasks, all of them or none. Raises ChangeRefused."""
    with db.write() as tx:
        return _update(db, tx, find_targets(tx, tasks), {"status": status}, actor)


def add_task(
    db: Database,
    fields: Mapping[str, Any],
    *,
    files: Sequence[Enclosure] = (),
    actor: str,
) -> Queued:
    """Queue the creation of a task; one whose ref stands already queues nothing.

    `files` go along with it. `parent` is the number of a task or the ref of a creation. Raises
    ChangeRefused.
    """
    for name in COLUMNS:
        if name in fields and name not in INSERTED:
            raise refused(f"new_{name}")
    with db.write() as tx:
        values = {name: value for name, value in fields.items() if value is not None}
        if not isinstance(values.get("tags", ""), str):
            values["tags"] = load_labels(tx).joined(values["tags"])
        queued = _insert(db, tx, given(_with_parent(values)), actor)
        if queued.new and files:
            enclose(tx, queued.changes[0].id, files)
        return queued


def read_enclosures(paths: Iterable[str | Path]) -> tuple[Enclosure, ...]:
    """Read files that are to go along. Raises ConfigError for one that cannot be read."""
    return tuple(_read_enclosure(Path(path)) for path in paths)


def _read_enclosure(path: Path) -> Enclosure:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", hint="Nothing was queued."
        ) from error
    kind, _ = mimetypes.guess_type(path.name)
    return Enclosure(path.name, kind or "application/octet-stream", content)


def _refuse_fixed(fields: Mapping[str, Any]) -> None:
    for name in COLUMNS:
        if name in fields and name not in SETTABLE:
            raise refused(f"fixed_{name}")


def _with_parent(values: dict[str, Any]) -> dict[str, Any]:
    parent = values.pop("parent", None)
    if parent is None:
        return values
    named = read_name(parent)
    return {**values, "parent_id" if isinstance(named, int) else "parent_ref": named}


def _tags(tx: Connection, target: Target, edit: Edit) -> str | None:
    """Return the tags that an edit asks for: its own list, or the task's, with its edits."""
    labels, wanted = load_labels(tx), edit.fields.get("tags", target.tags)
    if not isinstance(wanted or "", str):
        wanted = labels.joined(wanted)
    return labels.edited(wanted, edit.plus, edit.minus)


def _update(
    db: Database, tx: Connection, targets: Sequence[Target], values: dict[str, Any], actor: str
) -> Queued:
    before = newest(tx)
    if values:
        with acting(db, tx, actor), gate():
            for condition in conditions(targets):
                tx.execute(update(live_tasks).where(condition).values(values))
    changes = listed(tx, queued_since(db, tx, before))
    return Queued(changes, unchanged=tuple(_unchanged(targets, changes)))


def _unchanged(targets: Sequence[Target], changes: Sequence[ListedChange]) -> Iterable[Named]:
    ids, refs = {change.task_id for change in changes}, {change.ref for change in changes}
    for target in targets:
        if target.id is None and target.ref is not None and target.ref not in refs:
            yield target.ref
        elif target.id is not None and target.id not in ids:
            yield target.id


def _insert(db: Database, tx: Connection, values: dict[str, Any], actor: str) -> Queued:
    before = newest(tx)
    with acting(db, tx, actor), gate():
        tx.execute(insert(live_tasks).values(values))
    rows = queued_since(db, tx, before)
    if rows:
        return Queued(listed(tx, rows))
    standing = select(outbox).where(text(STANDING), outbox.c.ref == values["ref"])
    return Queued(listed(tx, tx.execute(standing).all()), new=False)
