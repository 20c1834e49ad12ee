"""What following the feed came to, in one transaction: its events, tasks read again, the run's row.

It restores what it sees and marks what is denied as suspect, and removes nothing: an event is a
hint, and evidence is a pull's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from syncd.model.plan import Image, TaskPlan
from syncd.model.records import TaskRecord
from syncd.resources.projects import projects
from syncd.resources.tasks import images as mirror
from syncd.services import catalogues
from syncd.services.catalogues import Gathered
from syncd.services.events.choosing import Heard
from syncd.services.events.rereading import Reread
from syncd.services.prepare import Pulling
from syncd.services.push.mirroring import Mirroring, Observed, reflect
from syncd.store import activity, audit, outbox
from syncd.store.audit import Event
from syncd.store.mirror import rows_by
from syncd.store.outbox import InFlight
from syncd.sync.canonical import canonical_text
from syncd.sync.removal import ARCHIVED


@dataclass(slots=True)
class Sifted:
    """The tasks that were seen: those to write, those left to a pull, and why; others do not fit.

    `masked` have a change in flight; `outside` are of what no pull asks for.
    """

    fit: dict[int, Observed] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)
    masked: int = 0
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Landed:
    """What was written, counted, and what is left to a pull, with the reason."""

    counts: Mapping[str, int]
    left: Mapping[int, str]


def land(work: Pulling, tx: Connection, heard: Heard, found: Reread, *, run_id: int) -> Landed:
    """Write it all; the caller's transaction commits it."""
    stored = activity.keep(
        tx, heard.feed.events, instant=work.derived.instant, seen_at=heard.observed_at
    )
    flying = outbox.in_flight(tx)
    sifted = _Sifting(tx, work, flying).sift(found.seen)
    gone = {id: at for id, at in found.gone.items() if id not in flying.tasks}
    if sifted.fit:
        _write_names(work, tx, found, run_id)
    on = Mirroring(tx, work.derived, work.extra, run_id)
    plan = reflect(on, sifted.fit.values(), gone)
    counts = _counts(stored, found, sifted, plan)
    _audit(work, tx, plan, counts, run_id)
    return Landed(counts, {**found.left, **sifted.left})


class _Sifting:
    """Tells what of the seen can be written, by what the database holds now."""

    def __init__(self, tx: Connection, work: Pulling, flying: InFlight) -> None:
        self._tx, self._work, self._flying = tx, work, flying

    def sift(self, seen: Mapping[int, Observed]) -> Sifted:
        """Sift what was seen, parents first: a new task needs the one above it."""
        images = mirror.load_images(self._tx, seen.keys())
        above = mirror.load_places(self._tx, {one.record.parent_id or 0 for one in seen.values()})
        status = self._project_status({one.record.project_id for one in seen.values()})
        found = Sifted()
        for id, one in sorted(seen.items(), key=lambda item: item[1].record.level):
            image = images.get(id)
            if self._in_flight(one.record, image):
                found.masked += 1
            elif self._is_outside(one.record, image, status):
                found.outside += 1
            elif why := _why_left(one, image, status, above.keys() | found.fit.keys()):
                found.left[id] = why
            else:
                found.fit[id] = one
        return found

    def _project_status(self, ids: set[int]) -> dict[int, str | None]:
        columns = (projects.c.id, projects.c.status, projects.c.removed_at)
        rows = rows_by(self._tx, columns, projects.c.id, ids)
        return {row.id: "removed" if row.removed_at else row.status for row in rows}

    def _in_flight(self, record: TaskRecord, image: Image | None) -> bool:
        """Mask as a pull does: an answer may show it before or after that change."""
        if image is not None:
            return record.id in self._flying.tasks
        return (record.project_id, canonical_text(record.name)) in self._flying.creations

    def _is_outside(
        self, record: TaskRecord, image: Image | None, status: Mapping[int, str | None]
    ) -> bool:
        """Tell whether no pull would list a new task: it would go again with the next one."""
        if image is not None:
            return False
        archived = status.get(record.project_id) == ARCHIVED and not self._work.archived
        return archived or (record.level > 1 and "subtasks" not in self._work.extra)


def _why_left(
    one: Observed, image: Image | None, status: Mapping[int, str | None], there: set[int]
) -> str:
    """Say why a task has to be written by a pull; nothing where it can be written now."""
    record = one.record
    if image is None or image.removed_at is not None:
        if not one.placed:
            return "its answer does not tell where it stands"
        if status.get(record.project_id) in {"pending", "removed"}:
            return "its project is not an active one"
        return "" if record.parent_id in there | {None} else "the task above it is not known"
    moved = one.placed and _place(record) != _place(image.record)
    return "it has moved, and what is below it too" if moved else ""


def _place(record: TaskRecord) -> tuple[int, int | None, int]:
    return record.project_id, record.parent_id, record.level


def _write_names(work: Pulling, tx: Connection, found: Reread, run_id: int) -> None:
    """Write the projects, members and tags that the answers name, as a pull does."""
    named = catalogues.plan(tx, work.derived, Gathered(), found.stubs)
    catalogues.apply(tx, named, Gathered(), at=work.clock(), run_id=run_id)


def _counts(stored: int, found: Reread, sifted: Sifted, plan: TaskPlan) -> dict[str, int]:
    counts = {
        "events": stored,
        "read": len(found.seen) + len(found.gone),
        "inserted": len(plan.inserts),
        "updated": len(plan.updates),
        "restored": len(plan.restores),
        "suspect": len(plan.suspects),
        "in_flight": sifted.masked,
        "outside": sifted.outside,
    }
    return {name: number for name, number in counts.items() if number}


def _audit(
    work: Pulling, tx: Connection, plan: TaskPlan, counts: dict[str, int], run_id: int
) -> None:
    told = [Event("task.restored", "task", one.record.id) for one in plan.restores]
    detail: dict[str, Any] = dict(counts)
    told += [Event("activity.seen", detail=detail)] if counts else []
    at = work.clock()
    audit.append(tx, told, at=at, actor=work.actor, run_id=run_id)
    audit.chain_outbox(tx, at=at, run_id=run_id)
