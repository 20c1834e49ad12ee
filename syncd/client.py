"""The Python API: `from syncd import Client`. Edits of tasks, queued through the same gate as SQL.

Nothing is sent from here and the account is not asked: a push does that. Every call is one
transaction of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TypedDict, Unpack

from syncd.bootstrap import build
from syncd.config import find, load
from syncd.errors import ConfigError, SchemaMismatch
from syncd.model.change import ChangeState
from syncd.services import queue, queueing
from syncd.services import why as reasons
from syncd.services.actor import local_actor
from syncd.services.changes import ListedChange
from syncd.services.queueing import Edit
from syncd.services.refusal import ChangeRefused
from syncd.services.targets import read_name

__all__ = ["ChangeRefused", "Client", "Edits", "ListedChange", "NewTask"]

Amount = Decimal | int | float | str


class Edits(TypedDict, total=False):
    """What an edit can set, by the columns of `live_tasks`; None clears a field.

    `tags` replaces all tags; `add_tags` and `remove_tags` leave the others alone.
    """

    name: str
    priority: int
    assignee_email: str | None
    date_start: date | str | None
    date_end: date | str | None
    date_closed: date | str | None
    max_time: Amount | None
    max_money: Amount | None
    tags: Iterable[str] | None
    add_tags: Iterable[str]
    remove_tags: Iterable[str]


class NewTask(TypedDict, total=False):
    """What can be given of a new task, by the columns of `live_tasks`."""

    ref: str
    project: int
    parent: int | str
    text: str
    priority: int
    author_email: str
    assignee_email: str
    date_start: date | str
    date_end: date | str
    max_time: Amount
    max_money: Amount
    tags: Iterable[str]
    checklist: Iterable[str]
    subscribers: Iterable[str]
    hidden: Iterable[str]
    mentions: Iterable[str]


class Client:
    """A mirror that scripts queue edits in. A task is named by its number, or by its ref.

    Raises ChangeRefused, in the words that SQL gets, where a rule forbids an edit; nothing is
    queued then.
    """

    def __init__(self, config: str | Path | None = None) -> None:
        path = find(Path(config) if config is not None else None, os.environ)
        self._app = build(load(path, os.environ))
        try:
            with suppress(SchemaMismatch):  # an older one is upgraded, or refused, on the next line
                self._app.ready(write=False)
            self._app.ready(write=True)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back every connection to the database."""
        self._app.db.close()

    def edit(self, task: int | str, /, **fields: Unpack[Edits]) -> ListedChange | None:
        """Queue an edit of a task; None where it is so already."""
        given = dict(fields)
        plus, minus = _words(given.pop("add_tags", ())), _words(given.pop("remove_tags", ()))
        if "status" in given:
            raise ConfigError("edit does not set the status.", hint="Use done or reopen.")
        edit = Edit(given, plus, minus)
        return _first(queueing.edit_task(self._app.db, task, edit, actor=local_actor()).changes)

    def add(
        self, *, name: str, attach: Iterable[str | Path] = (), **fields: Unpack[NewTask]
    ) -> ListedChange:
        """Queue a new task, in a project or under a parent; `attach` are files that go along.

        With a `ref` it can be repeated: one that stands already is returned as it is now.
        """
        given = {"name": name, **fields}
        if "project" in given:
            given["project_id"] = given.pop("project")
        files = queueing.read_enclosures(attach)
        queued = queueing.add_task(self._app.db, given, files=files, actor=local_actor())
        return queued.changes[0]

    def done(self, task: int | str, /) -> ListedChange | None:
        """Queue the completing of a task; None where it is done already."""
        queued = queueing.set_status(self._app.db, [task], "done", actor=local_actor())
        return _first(queued.changes)

    def reopen(self, task: int | str, /) -> ListedChange | None:
        """Queue the reopening of a task; None where it is active already."""
        queued = queueing.set_status(self._app.db, [task], "active", actor=local_actor())
        return _first(queued.changes)

    def changes(
        self,
        *,
        task: int | str | None = None,
        states: Iterable[ChangeState] = (),
        settled: bool = False,
    ) -> tuple[ListedChange, ...]:
        """Return the changes that are not settled, or those in `states`; of one task if named."""
        named = read_name(task) if task is not None else None
        return queue.list_changes(self._app.db, queue.Sought(tuple(states), named, settled))

    def why(self, *, change: int | None = None, task: int | str | None = None) -> str:
        """Say in one sentence why a change, or a task, waits, or what became of it."""
        if (change is None) == (task is None):
            raise ConfigError("why needs a change or a task.")
        answer = reasons.why(
            self._app.db,
            read_name(task) if task is not None else change or 0,
            task=task is not None,
            now=self._app.clock(),
            max_batch=self._app.settings.push.max_batch,
        )
        return answer.sentence


def _first(changes: tuple[ListedChange, ...]) -> ListedChange | None:
    return changes[0] if changes else None


def _words(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    return tuple(given) if isinstance(given, Iterable) else ()
