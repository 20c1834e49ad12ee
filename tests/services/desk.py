"""A person at work with the queue: the services as commands call them, over a small mirror."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from syncd.services import handling, queue, queueing, resolve, revert, why
from syncd.services.handling import Chosen, Handled
from syncd.services.queueing import Edit, Queued
from syncd.services.resolve import Choice
from syncd.services.revert import Reverted, Undoing
from tests.live.conftest import MOVES, Gate, document
from tests.support.records import MONDAY

ACTOR = "cli:olena"
NOW = MONDAY + timedelta(days=10_000)
"""Later than whatever the database's own clock says, so that everything is due."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Commands over one mirror; `gate` is plain SQL on the same."""

    gate: Gate
    max_batch: int = 100

    def edit(self, task: int | str = 1000, /, **fields: Any) -> Queued:
        plus, minus = fields.pop("plus", ()), fields.pop("minus", ())
        return queueing.edit_task(self.gate.db, task, Edit(fields, plus, minus), actor=ACTOR)

    def add(self, **fields: Any) -> Queued:
        values = {"project_id": 10, "name": "x"} if "parent" not in fields else {"name": "x"}
        return queueing.add_task(self.gate.db, values | fields, actor=ACTOR)

    def status(self, status: Literal["active", "done"], *tasks: int | str) -> Queued:
        return queueing.set_status(self.gate.db, tasks, status, actor=ACTOR)

    def retry(self, *ids: int) -> Handled:
        return handling.retry(self.gate.db, ids, actor=ACTOR, at=NOW)

    def cancel(self, *ids: int, batch: str | None = None) -> Handled:
        return handling.cancel(self.gate.db, Chosen(ids, batch), actor=ACTOR, at=NOW)

    def release(self, *ids: int, batch: str | None = None) -> Handled:
        chosen = Chosen(ids, batch)
        return handling.release(self.gate.db, chosen, max_batch=self.max_batch, actor=ACTOR, at=NOW)

    def resolve(self, id: int, keep: Any = None, task: int | None = None, **fields: Any) -> Handled:
        choice = Choice(keep, fields, task)
        return resolve.resolve(self.gate.db, id, choice, actor=ACTOR, at=NOW)

    def revert(self, *ids: int, batch: str | None = None, force: bool = False) -> Reverted:
        return revert.revert(self.gate.db, Undoing(ids, batch, force), actor=ACTOR, at=NOW)

    def why(self, named: int | str, *, task: bool = False) -> str:
        found = why.why(self.gate.db, named, task=task, now=NOW, max_batch=self.max_batch)
        return found.sentence

    def show(self, id: int) -> queue.ChangeDetail:
        return queue.show_change(self.gate.db, id, now=NOW, max_batch=self.max_batch)

    def list(self, **sought: Any) -> queue.QueueList:
        chosen = queue.Sought(**sought)
        return queue.list_queue(self.gate.db, chosen, now=NOW, max_batch=self.max_batch)

    def take(self, id: int, state: str, **values: Any) -> None:
        """Take a change that was just queued into a state, as a push does."""
        self.gate.move(id, *MOVES[state])
        for name, value in values.items():
            said = "NULL" if value is None else f"'{value}'"
            self.gate.run(f"UPDATE outbox SET {name} = {said} WHERE id = {id}")

    def land(self, id: int, **columns: Any) -> None:
        """Let an edit of task 1000 be in the account, and in the mirror."""
        for name, value in columns.items():
            said = "NULL" if value is None else f"'{value}'"
            self.gate.run(f"UPDATE tasks SET {name} = {said} WHERE id = 1000")
        self.take(id, "confirmed")

    def conflict(self, id: int, *, why: str = "both", **theirs: Any) -> None:
        """Let the account show other values of task 1000, and a push find that out."""
        for name, value in theirs.items():
            said = "NULL" if value is None else f"'{value}'"
            self.gate.run(f"UPDATE tasks SET {name} = {said} WHERE id = 1000")
        self.take(id, "conflict", error_code=why, error="both sides changed it")

    def states(self) -> list[str]:
        return [change["state"] for change in self.gate.changes()]

    def audit(self) -> list[tuple[str, int, dict[str, Any]]]:
        """What the audit log tells that this person has done."""
        rows = self.gate.rows(f"SELECT * FROM audit_log WHERE actor = '{ACTOR}' ORDER BY seq")
        return [(row["event"], row["entity_id"], document(row["detail"])) for row in rows]
