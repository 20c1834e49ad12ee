"""Why a change waits, or how a task stands: one sentence, from the database alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from syncd.errors import ConfigError
from syncd.resources.tasks.table import tasks
from syncd.services.changes import ListedChange, events_of, listed, rows_of
from syncd.services.given import LARGEST_ID
from syncd.services.moments import instant
from syncd.services.outlook import look_ahead
from syncd.services.queue import Sought, explain, find_changes
from syncd.services.sentences import why_change
from syncd.store.engine import Database
from syncd.sync.states import SETTLED, TELLING


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: one sentence, what it is about, and the changes behind it."""

    about: Literal["change", "task"]
    id: int | str
    sentence: str
    changes: tuple[ListedChange, ...]


def why(db: Database, named: int | str, *, task: bool, now: datetime, max_batch: int) -> Why:
    """Answer for a change if there is one of that number, else for the task of that id or ref.

    Raises ConfigError where there is neither.
    """
    with db.read() as tx:
        rows = rows_of(tx, [named]) if isinstance(named, int) and not task else []
        if not rows:
            return _why_task(tx, named, task=task, now=now, max_batch=max_batch)
        (change,) = listed(tx, rows)
        sentence = _sentence(tx, change, now=now, max_batch=max_batch)
        return Why("change", change.id, sentence, (change,))


def _sentence(tx: Connection, change: ListedChange, *, now: datetime, max_batch: int) -> str:
    ahead = look_ahead(tx, now=now, max_batch=max_batch)
    if change.state in SETTLED:
        return why_change(change, ahead, last=events_of(tx, change.id)[-1])
    return explain(tx, [change], ahead)[change.id]


def _why_task(
    tx: Connection, named: int | str, *, task: bool, now: datetime, max_batch: int
) -> Why:
    changes = find_changes(tx, Sought(task=named))
    if not changes:
        return Why("task", named, _nothing_queued(tx, named, task=task), ())
    telling = min(changes, key=lambda change: (TELLING.index(change.state), change.id))
    sentence = _sentence(tx, telling, now=now, max_batch=max_batch)
    if len(changes) > 1:
        others = f"{len(changes) - 1} more of this task: syncd queue list --task {named}"
        sentence = f"{sentence.removesuffix('.')}; {others}."
    return Why("task", named, sentence, changes)


def _nothing_queued(tx: Connection, named: int | str, *, task: bool) -> str:
    row = None
    if isinstance(named, int) and named <= LARGEST_ID:
        row = tx.execute(select(tasks).where(tasks.c.id == named)).first()
    past = find_changes(tx, Sought(task=named, settled=True))
    if row is None and not past:
        raise _neither(named, task=task)
    if row is None:
        return f"Nothing of {named} waits: its last change is {past[-1].id}, {past[-1].state}."
    if row.removed_at is not None:
        gone = f"it is gone from the account ({row.removed_reason}) since {instant(row.removed_at)}"
        return f"Nothing of task {named} waits, and {gone}."
    last = f"; its last change is {past[-1].id}, {past[-1].state}" if past else ""
    return f"Nothing of task {named} waits: live_tasks shows what the mirror has{last}."


def _neither(named: int | str, *, task: bool) -> ConfigError:
    if isinstance(named, str):
        return ConfigError(
            f"There is no task with the ref {named!r}.", hint="See: syncd queue list --all"
        )
    words = f"There is no task {named}" if task else f"There is neither a change nor a task {named}"
    return ConfigError(
        f"{words} in the mirror." if task else f"{words}.",
        hint="See: syncd queue list --all, and: syncd task list",
    )
