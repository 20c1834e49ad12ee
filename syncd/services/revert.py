"""Undoing: the inverse of changes that the account took, queued through the same gate.

A field that somebody has changed since is left alone and named: undoing ours would undo theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from syncd.model.change import Change, Fields, Missing, Value
from syncd.services.changes import ListedChange, listed, rows_of, worded
from syncd.services.given import given
from syncd.services.handling import named
from syncd.services.labels import Labels, load_labels
from syncd.services.refusal import ChangeRefused, gate
from syncd.services.sentences import said
from syncd.store import audit, mirror
from syncd.store.engine import Database
from syncd.store.live import live_tasks
from syncd.store.live.columns import SETTABLE
from syncd.store.outbox import acting, as_change, outbox
from syncd.store.own import newest, queued_since
from syncd.sync.canonical import same
from syncd.sync.fold import Net, net

_TAKEN: Final = ("applied", "confirmed")
_NEVER_SENT: Final = ("queued", "held", "conflict", "failed")


@dataclass(frozen=True, slots=True)
class Undoing:
    """Which changes are to be undone: some by number or one batch; by `force` over later edits."""

    ids: tuple[int, ...] = ()
    batch: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """What is not undone, of which change, and why."""

    change: int
    field: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Reverted:
    """What was queued to undo, in one batch, and what was left as it is."""

    changes: tuple[ListedChange, ...]
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True)
class Inverse:
    """What takes one task back: its fields as they are to be, and the fields that are left."""

    fields: Fields
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stays:
    why: str


def revert(db: Database, undoing: Undoing, *, actor: str, at: datetime) -> Reverted:
    """Queue the inverse of changes, or of those of a batch that the account took.

    Raises ChangeRefused where nothing of it can be undone, or a rule forbids it.
    """
    with db.write() as tx, acting(db, tx, actor):
        rows, labels = _rows(tx, undoing), load_labels(tx)
        before, left = newest(tx), list(_creations(rows))
        for task_id, changes in _by_task(rows).items():
            shown = _shown(tx, task_id, labels)
            if shown is None:
                left += [Left(one.id, None, f"task {task_id} is gone") for one in changes]
                continue
            inverse = invert(changes, shown, force=undoing.force)
            left += inverse.left
            _queue(tx, changes, inverse.fields, labels)
        queued = queued_since(db, tx, before)
        if not queued:
            raise _nothing(left)
        ids = [row.id for row in queued]
        mirror.change(tx, outbox, ids, {"batch": queued[0].batch})
        audit.append(tx, list(_events(rows, queued)), at=at, actor=actor, run_id=None)
        return Reverted(listed(tx, rows_of(tx, ids)), tuple(left))


def invert(changes: Sequence[Change], shown: Fields, *, force: bool = False) -> Inverse:
    """Decide what takes a task back to before these changes of it, from what it shows now."""
    backs = {name: _back(name, e, shown.get(name), force=force) for name, e in net(changes).items()}
    if backs.get("status") == "active":
        backs.pop("date_closed", None)  # a task that is reopened has none
    return Inverse(
        {name: back for name, back in backs.items() if not isinstance(back, _Stays)},
        tuple(
            Left(changes[-1].id, name, back.why)
            for name, back in backs.items()
            if isinstance(back, _Stays)
        ),
    )


def _back(name: str, each: Net, now: Value, *, force: bool) -> Value | _Stays:
    if isinstance(each.base, Missing):
        return _Stays("what it was before is not known")
    if isinstance(each.value, frozenset) and isinstance(each.base, frozenset):
        tags = now if isinstance(now, frozenset) else frozenset()
        back = tags - (each.value - each.base) | (each.base - each.value)
        return _Stays("it is as it was before already") if back == tags else back
    if same(name, now, each.base):
        return _Stays("it is as it was before already")
    if not force and not same(name, now, each.value):
        return _Stays(f"it was changed since, to {said(now)}")
    return each.base


def _rows(tx: Connection, undoing: Undoing) -> list[Row[Any]]:
    if undoing.batch is None:
        rows = named(tx, undoing.ids)
        for row in rows:
            _refuse_what_was_not_taken(row)
        return rows
    query = select(outbox).where(outbox.c.batch == undoing.batch, outbox.c.state.in_(_TAKEN))
    rows = list(tx.execute(query.order_by(outbox.c.id).with_for_update()))
    if not rows:
        raise ChangeRefused(
            f"Nothing of a batch {undoing.batch!r} is in the account.",
            hint="See: syncd queue list --all",
        )
    return rows


def _refuse_what_was_not_taken(row: Row[Any]) -> None:
    if row.state in _TAKEN:
        return
    if row.state in _NEVER_SENT:
        raise ChangeRefused(
            f"Change {row.id} is {row.state}: there is nothing in the account to undo.",
            hint=f"Drop it: syncd queue cancel {row.id}",
        )
    raise ChangeRefused(
        f"Change {row.id} is {row.state}: it is not known to be in the account.",
        hint=f"See: syncd why {row.id}",
    )


def _creations(rows: Iterable[Row[Any]]) -> Iterator[Left]:
    for row in rows:
        if row.operation == "create":
            yield Left(
                row.id,
                None,
                f"the account's API deletes no task; complete it: syncd task done {row.task_id}",
            )


def _by_task(rows: Iterable[Row[Any]]) -> Mapping[int, list[Change]]:
    found: dict[int, list[Change]] = {}
    for row in rows:
        if row.operation != "create":
            found.setdefault(row.task_id, []).append(as_change(row))
    return found


def _shown(tx: Connection, task_id: int, labels: Labels) -> dict[str, Value] | None:
    """Return what `live_tasks` shows, pending edits included; tags as ids."""
    row = tx.execute(select(live_tasks).where(live_tasks.c.id == task_id)).first()
    if row is None:
        return None
    values: dict[str, Value] = {name: row._mapping[name] for name in SETTABLE}
    shown = (row.tags or "").split(",")
    return values | {"tags": frozenset(labels.by_word.get(one, one) for one in shown if one)}


def _queue(tx: Connection, changes: Sequence[Change], fields: Fields, labels: Labels) -> None:
    if not fields:
        return
    values = given({name: worded(value, labels.by_id) for name, value in fields.items()})
    numbers = ", ".join(str(change.id) for change in changes)
    with gate(hint=f"That is what undoing change {numbers} comes to; nothing was queued."):
        task = live_tasks.c.id == changes[0].task_id
        tx.execute(update(live_tasks).where(task).values(values))


def _nothing(left: Sequence[Left]) -> ChangeRefused:
    reasons = "; ".join(f"change {one.change}{_of(one)}: {one.why}" for one in left)
    changed = any("changed since" in one.why for one in left)
    hint = "To undo it over what came later: --force" if changed else "See: syncd queue list --all"
    return ChangeRefused(f"Nothing can be undone: {reasons}.", hint=hint)


def _of(one: Left) -> str:
    return f", {one.field}" if one.field else ""


def _events(rows: Sequence[Row[Any]], queued: Sequence[Row[Any]]) -> Iterator[audit.Event]:
    for row in rows:
        by = [one.id for one in queued if one.task_id == row.task_id]
        if by and row.operation != "create":
            yield audit.Event("change.reverted", "change", row.id, {"by": by})
