"""What the account answered about single tasks, written into the mirror.

A push writes what it looked at beside the outcome that it explains; the fast lane writes what it
read again. A task that is gone is for a pull to judge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from syncd.model.listing import Scope
from syncd.model.plan import Image, Insert, Restore, TaskPlan, Update
from syncd.model.records import Stub, TaskRecord
from syncd.resources.derived import Derived
from syncd.resources.members import members
from syncd.resources.tasks.images import load_images
from syncd.resources.tasks.writes import Writing, apply
from syncd.services import catalogues
from syncd.services.catalogues import Gathered
from syncd.services.memory import ADMIN
from syncd.services.planning import ASK_AGAIN
from syncd.services.push.looking import Sight
from syncd.services.push.pushing import Run
from syncd.store import checkpoints
from syncd.store.mirror import rows_by
from syncd.store.state import LAST_SLICE, next_instant, remember
from syncd.sync.reconcile import reconcile


@dataclass(frozen=True, slots=True)
class Observed:
    """A task as an answer showed it, and the fields that this answer does not decide.

    `placed` where the answer tells where the task stands, so that a new one can be written.
    """

    record: TaskRecord
    observed_at: datetime
    undecided: frozenset[str]
    placed: bool = True


@dataclass(frozen=True, slots=True)
class Mirroring:
    """The transaction and the run that write; `extra` is what pulls ask for."""

    tx: Connection
    derived: Derived
    extra: tuple[str, ...]
    run_id: int

    @property
    def unasked(self) -> frozenset[str]:
        """Parts that no pull asks for: they stay as they were last seen."""
        return Scope(archived=False, extra=self.extra, rights=ADMIN).undecided


def mirror(run: Run, tx: Connection, sights: Iterable[Sight]) -> None:
    """Write looked-at tasks into the mirror; one that is gone is for a pull to judge."""
    sights = tuple(sights)
    newest = {
        one.task_id: Observed(one.record, one.observed_at, one.undecided, placed=one.how == "task")
        for one in sights
        if one.record is not None
    }
    work = run.work
    _name_strangers(run, tx, (stub for one in sights for stub in one.people))
    on = Mirroring(tx, work.derived, work.extra, run.id)
    written = reflect(on, newest.values())
    run.counts["mirrored"] += len(written.inserts + written.updates + written.restores)


def _name_strangers(run: Run, tx: Connection, people: Iterable[Stub]) -> None:
    """Write the members that no answer named before: a task's assignee has an address then."""
    named = {stub.id: stub for stub in people}
    known = {row.id for row in rows_by(tx, (members.c.id,), members.c.id, named)}
    strangers = {id: stub for id, stub in named.items() if id not in known}
    if strangers:
        work, nothing = run.work, Gathered()
        planned = catalogues.plan(tx, work.derived, nothing, {"member": strangers})
        catalogues.apply(tx, planned, nothing, at=work.clock(), run_id=run.id)


def reflect(
    on: Mirroring, seen: Collection[Observed], gone: Mapping[int, datetime] | None = None
) -> TaskPlan:
    """Write tasks as they were seen, and as suspects those that were denied; return what it was.

    `gone` says when each was denied. The next pull compares these tasks field by field, and
    compares its whole answer too: it may be equal to the one before an edit, if somebody has
    taken that edit back.
    """
    denied = gone or {}
    if not (seen or denied):
        return TaskPlan()
    at = next_instant(on.tx, max([*(one.observed_at for one in seen), *denied.values()]))
    plan = _plan(on, seen, denied, at)
    if plan != TaskPlan():
        apply(plan, Writing(on.tx, on.derived, on.run_id, at))
        remember(on.tx, "digest", None)
        remember(on.tx, LAST_SLICE, at.isoformat())
        checkpoints.drop(on.tx)
    return plan


def _plan(
    on: Mirroring, seen: Collection[Observed], denied: Collection[int], at: datetime
) -> TaskPlan:
    images = load_images(on.tx, {one.record.id for one in seen} | set(denied))
    actions = [
        reconcile(
            one.record,
            ASK_AGAIN,
            images.get(one.record.id),
            observed_at=at,
            undecided=one.undecided | on.unasked,
        )
        for one in sorted(seen, key=lambda one: one.record.id)
        if one.placed or one.record.id in images
    ]
    return TaskPlan(
        inserts=tuple(action for action in actions if isinstance(action, Insert)),
        updates=tuple(action for action in actions if isinstance(action, Update)),
        restores=tuple(action for action in actions if isinstance(action, Restore)),
        suspects=tuple(id for id in sorted(denied) if _is_trusted(images.get(id))),
    )


def _is_trusted(image: Image | None) -> bool:
    return image is not None and image.removed_at is None and image.suspect_at is None
