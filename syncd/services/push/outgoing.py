"""What the database says before a push: changes, names, places, and what came before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection, select, text

from syncd.model.change import Change, Fields, Value
from syncd.model.outbound import Place, PushPlan, Step
from syncd.resources.members import members
from syncd.resources.tags import ids_by_name, tags
from syncd.resources.tasks.table import tasks
from syncd.resources.tasks.wire import TagIds
from syncd.services import memory
from syncd.store import outbox
from syncd.store.mirror import rows_by
from syncd.store.outbox import UNSETTLED, Unreadable
from syncd.store.state import recall
from syncd.sync.fold import lanes
from syncd.sync.merge import count_flips
from syncd.sync.names import Names
from syncd.sync.push_plan import plan_push
from syncd.sync.states import EDITABLE


@dataclass(frozen=True)
class Outgoing:
    """The outbox and what is needed to read it, as one transaction showed them.

    `past` are a task's confirmed edits in order, as (base, fields); `decided` are changes that a
    person has resolved, to which no counting of flips applies.
    """

    changes: tuple[Change, ...]
    unreadable: tuple[Unreadable, ...]
    names: Names
    tag_ids: TagIds
    places: Mapping[int, Place]
    released: frozenset[int]
    decided: frozenset[int]
    past: Mapping[int, tuple[tuple[Fields, Fields], ...]]
    sees_hidden: bool

    @cached_property
    def by_id(self) -> Mapping[int, Change]:
        """Every change by its number."""
        return {change.id: change for change in self.changes}

    @cached_property
    def lanes(self) -> Mapping[str, tuple[Change, ...]]:
        """Every lane, its changes in order."""
        return lanes(self.changes)

    def lane_of(self, change: Change) -> str:
        """Name the lane of one of the changes."""
        return next(lane for lane, every in self.lanes.items() if change in every)

    def plan(self, *, now: datetime, max_batch: int, apart: Collection[str] = ()) -> PushPlan:
        """Plan a push; in the lanes `apart` one change at a time."""
        left_out = {change.id for lane in apart for change in self._queued(lane)[1:]}
        return plan_push(
            (change for change in self.changes if change.id not in left_out),
            places=self.places,
            now=now,
            max_batch=max_batch,
            released=self.released,
        )

    def flips(self, step: Step) -> dict[str, int]:
        """Count for each field how often they have put back what we had set."""
        if step.task_id is None or not self.decided.isdisjoint(step.changes):
            return {}
        past = self.past.get(step.task_id, ())
        return {
            name: count_flips(name, _edits(name, (*past, (step.base, step.fields))))
            for name in step.fields
        }

    def _queued(self, lane: str) -> tuple[Change, ...]:
        return tuple(each for each in self.lanes.get(lane, ()) if each.state == "queued")


def load(tx: Connection) -> Outgoing:
    """Read everything a plan is made of."""
    waiting = outbox.load_waiting(tx)
    ids = {change.id for change in waiting.changes}
    task_ids = {change.task_id for change in waiting.changes if change.task_id}
    parents = {change.fields.get("parent_id") for change in waiting.changes}
    task_ids |= {id for id in parents if isinstance(id, int)}
    return Outgoing(
        changes=waiting.changes,
        unreadable=waiting.unreadable,
        names=load_names(tx),
        tag_ids=ids_by_name(tx),
        places=_places(tx, task_ids),
        released=outbox.released(tx, ids),
        decided=outbox.decided(tx, ids),
        past=_past(tx, task_ids),
        sees_hidden=(recall(tx, "rights") or memory.ADMIN) == memory.ADMIN,
    )


def waiting_after(tx: Connection, ids: Collection[int]) -> list[Change]:
    """Return the changes of the same task that were queued after these and did not go yet."""
    each = outbox.outbox.c
    task = select(each.task_id).where(each.id.in_(ids), each.task_id.is_not(None)).limit(1)
    later = (each.task_id == task.scalar_subquery(), each.id > max(ids))
    query = select(outbox.outbox).where(text(UNSETTLED), *later, each.state.in_(EDITABLE))
    found = []
    for row in tx.execute(query.order_by(each.id)):
        with suppress(ValueError):  # what means nothing is told of when its turn comes
            found.append(outbox.as_change(row))
    return found


def load_names(tx: Connection) -> Names:
    """Read what people call members and tags; members that are gone still have their address."""
    people = tx.execute(select(members.c.id, members.c.email))
    live = tx.execute(select(tags.c.id, tags.c.name).where(tags.c.removed_at.is_(None)))
    return Names(
        {row.id: row.email for row in people if row.email}, {row.id: row.name for row in live}
    )


def _places(tx: Connection, ids: Iterable[int]) -> dict[int, Place]:
    """Read where tasks stand, and the tasks above them."""
    found: dict[int, Place] = {}
    wanted = set(ids)
    columns = (tasks.c.id, tasks.c.project_id, tasks.c.parent_id, tasks.c.status)
    while wanted:
        rows = list(rows_by(tx, columns, tasks.c.id, wanted))
        found |= {row.id: Place(row.project_id, row.parent_id, row.status) for row in rows}
        wanted = {row.parent_id for row in rows if row.parent_id} - found.keys()
    return found


def _past(tx: Connection, ids: Iterable[int]) -> dict[int, tuple[tuple[Fields, Fields], ...]]:
    found: dict[int, list[tuple[Fields, Fields]]] = {}
    for change in outbox.confirmed_edits(tx, ids):
        found.setdefault(change.task_id or 0, []).append((change.base, change.fields))
    return {id: tuple(edits) for id, edits in found.items()}


def _edits(name: str, edits: Iterable[tuple[Fields, Fields]]) -> list[tuple[Value, Value]]:
    return [(base[name], fields[name]) for base, fields in edits if name in base and name in fields]
