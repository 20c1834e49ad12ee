"""The part of a pull that is one transaction: plan, brake, apply, remember, and the run's row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from syncd.model.listing import Slice
from syncd.model.plan import Brake, CatalogueChange, Insert, TaskPlan
from syncd.model.reports import PullReport
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.rederive import rederive
from syncd.resources.tasks.table import files, task_relations, task_tags, tasks
from syncd.resources.tasks.writes import Writing, apply, apply_new
from syncd.services import catalogues, garbage, memory, rehearsed
from syncd.services.comparing import Questions
from syncd.services.fetch import Fetched, SliceSource
from syncd.services.overview import Overview
from syncd.services.planning import (
    clock_shift,
    plan_removals,
    plan_slice,
)
from syncd.services.prepare import Prepared, Pulling, rejected_in_words
from syncd.store import audit, checkpoints, outbox, quarantine
from syncd.store.audit import Event
from syncd.store.engine import spills
from syncd.store.indexes import built_after
from syncd.store.outbox import InFlight
from syncd.store.runs import RunRow, next_run, record_run
from syncd.store.state import LAST_SLICE, remember_all
from syncd.sync.met import Filled

AT_ONCE = 4000
"""New tasks that wait to be written together; those of a slice that has as many do not wait."""


@dataclass(slots=True)
class Landing:
    """The transaction of one pull: where it writes, and what it has done so far."""

    work: Pulling
    tx: Connection
    prepared: Prepared
    run_id: int
    observed_at: datetime
    writes: bool
    counts: Counter[str]
    notes: list[str]
    plans: list[TaskPlan]
    brakes: list[Brake]
    catalogues: tuple[CatalogueChange, ...] = ()
    told: list[Event] = field(default_factory=list)
    filled: Filled | None = None
    waiting: list[tuple[Sequence[Insert], Writing]] = field(default_factory=list)

    def take(self, plan: TaskPlan, observed_at: datetime) -> None:
        """Count a plan and apply it, or keep it to be shown."""
        self.counts.update(plan.counts)
        self.brakes += plan.brakes
        if not self.writes:
            self.plans.append(plan)
            return
        where = Writing(self.tx, self.work.derived, self.run_id, observed_at, self.filled)
        if self.filled is not None and len(plan.inserts) == sum(plan.counts.values()):
            self.waiting.append((plan.inserts, where))
            if sum(len(inserts) for inserts, _ in self.waiting) >= AT_ONCE:
                self.write_waiting()
            return
        self.write_waiting()
        apply(plan, where)
        self._audit(plan)

    def write_waiting(self) -> None:
        """Write the new tasks that wait to be written together, which costs fewer trips."""
        apply_new(self.waiting)
        self.waiting.clear()

    def met_before(self, part: Slice) -> Collection[int] | None:
        """Return which tasks of a slice may be in a mirror that was empty; None where it was not.

        They are written when this returns.
        """
        met = None if self.filled is None else self.filled.tasks.again(part.tasks)
        if met:
            self.write_waiting()
        return met

    def _audit(self, plan: TaskPlan) -> None:
        events = [
            Event("task.removed", "task", one.before.record.id, {"reason": one.reason})
            for one in plan.removals
        ]
        events += [Event("task.restored", "task", one.record.id) for one in plan.restores]
        self.audit(events)

    def audit(self, events: list[Event]) -> None:
        """Keep events for the end of the transaction that they tell of."""
        self.told += events

    def write_audit(self) -> None:
        """Append what was told. Whoever appends holds the end of the chain until the commit."""
        at, work = self.work.clock(), self.work
        audit.append(self.tx, self.told, at=at, actor=work.actor, run_id=self.run_id)
        audit.chain_outbox(self.tx, at=at, run_id=self.run_id)


def land(
    work: Pulling,
    tx: Connection,
    prepared: Prepared,
    *,
    started: datetime,
    dry_run: bool,
    allow_removals: bool,
) -> PullReport:
    """Decide and, unless it is a dry run, write; the caller's transaction commits it."""
    run_id, observed_at = next_run(tx, prepared.observed_at)
    landing = Landing(
        work=work,
        tx=tx,
        prepared=prepared,
        run_id=run_id,
        observed_at=observed_at,
        writes=not dry_run,
        counts=Counter(),
        notes=list(prepared.notes),
        plans=[],
        brakes=[],
    )
    if not dry_run and prepared.known.derived not in (None, memory.derived_of(work.derived)):
        rederive(tx, work.derived)
    _land_catalogues(landing)
    if prepared.fetched is not None and prepared.whole is not None:
        _land_tasks(landing, prepared.fetched, prepared.whole, allow_removals=allow_removals)
    report = _report(landing, dry_run=dry_run)
    if not dry_run:
        _remember(landing, report)
        _record(landing, report, started)
    return report


def _land_catalogues(landing: Landing) -> None:
    prepared, work = landing.prepared, landing.work
    stubs = prepared.whole.stubs if prepared.whole else {}
    planned = catalogues.plan(landing.tx, work.derived, prepared.gathered, stubs)
    landing.notes += planned.notes
    landing.counts.update(planned.counts)
    if not landing.writes:
        landing.catalogues = rehearsed.catalogue_changes(planned)
    else:
        catalogues.apply(
            landing.tx,
            planned,
            prepared.gathered,
            at=landing.observed_at,
            run_id=landing.run_id,
        )


def _land_tasks(
    landing: Landing, fetched: Fetched, whole: Overview, *, allow_removals: bool
) -> None:
    prepared = landing.prepared
    shift = clock_shift(fetched, landing.observed_at)
    flying = outbox.in_flight(landing.tx)
    is_first = prepared.known.account is None and mirror.is_empty(landing.tx)
    landing.filled = Filled() if is_first and landing.writes else None
    with _indexed_last(landing, fetched):
        for source in fetched.slices:
            with garbage.left_alone():
                _land_slice(landing, source, shift, flying)
        landing.write_waiting()
    removals = plan_removals(
        landing.tx,
        prepared.questions,
        prepared.answers,
        scope=prepared.scope,
        previous=prepared.known.previous,
        listed=whole.listed,
        max_removals=landing.work.max_removals,
        allow_removals=allow_removals,
        answer_lies=prepared.answer_lies,
    )
    landing.take(removals, landing.observed_at)
    landing.counts["listed"] = whole.listed
    landing.notes += _notes(whole, prepared, removals)
    if masked := landing.counts["in_flight"]:
        landing.notes.append(f"{masked} tasks have a change in flight: they were left as they were")
    _set_aside(landing, whole)


def _land_slice(landing: Landing, source: SliceSource, shift: timedelta, flying: InFlight) -> None:
    """Decide about one slice and take it; at its end nothing of it is in memory any more."""
    prepared = landing.prepared
    differing = prepared.questions.changed.get(source.project_id)
    part = source.load() if differing is None else differing.part
    plan = plan_slice(
        landing.tx,
        part,
        prepared.answers,
        prepared.scope,
        shift=shift,
        flying=flying,
        held=landing.met_before(part),
        differs=differing is not None,
    )
    landing.take(plan, part.observed_at + shift)
    landing.counts["unchanged"] += differing.unchanged if differing is not None else 0


def _indexed_last(landing: Landing, fetched: Fetched) -> AbstractContextManager[None]:
    """Leave the indexes of a file's empty tables for the end: row by row, they cost far more.

    Of a big account the sorting would take memory without end, were there no place but memory.
    """
    if landing.filled is None or not landing.work.db.is_sqlite:
        return nullcontext()
    if not (fetched.how == "account" or spills(landing.tx)):
        return nullcontext()
    return built_after(landing.tx, (tasks, task_tags, task_relations, files))


def _notes(whole: Overview, prepared: Prepared, removals: TaskPlan) -> list[str]:
    """Say what this listing did not cover; an empty list is what complete means."""
    notes = list(whole.short)
    if whole.rejected:
        notes.append(rejected_in_words(whole.rejected))
    if whole.unnamed:
        notes.append(
            f"{whole.unnamed} tasks have tags by a name that several tags or none have:"
            " they were left as they were"
        )
    if whole.repeated:
        notes.append(f"the answer holds {whole.repeated} tasks twice")
    notes += _missing_in_words(prepared.questions, prepared, removals)
    return notes


def _missing_in_words(questions: Questions, prepared: Prepared, removals: TaskPlan) -> list[str]:
    alive = len(prepared.answers.evidence.alive.keys() & questions.missing.keys())
    held = sum(brake.missing for brake in removals.brakes)
    removed = {one.before.record.id for one in removals.removals}
    waiting = len(questions.missing.keys() - removed)
    notes = [
        f"brake: {brake.missing} tasks are missing ({brake.why}); they stay until you decide"
        for brake in removals.brakes
    ]
    if prepared.answer_lies:
        notes.append(
            f"the answer leaves out {waiting} tasks; of those asked for, the account has {alive}"
        )
    elif waiting > held:
        notes.append(f"{waiting - held} missing tasks stay, as suspects: nothing proves them gone")
    return notes


def _set_aside(landing: Landing, whole: Overview) -> None:
    if not landing.writes:
        return
    quarantine.settle(
        landing.tx,
        "task",
        whole.rejected,
        at=landing.observed_at,
        run_id=landing.run_id,
        heal=whole.complete,
    )
    if landing.prepared.answers.undecided:
        fields = sorted(landing.prepared.answers.undecided)
        landing.audit([Event("field.left_undecided", detail={"fields": fields})])


def _report(landing: Landing, *, dry_run: bool) -> PullReport:
    prepared = landing.prepared
    outcome: Literal["complete", "partial"] = "partial" if landing.notes else "complete"
    return PullReport(
        outcome=outcome,
        observed_at=landing.observed_at,
        run_id=None if dry_run else landing.run_id,
        how="projects" if prepared.over_limit_at else "account",
        counts=dict(landing.counts),
        requests=0,
        seconds=0.0,
        notes=tuple(landing.notes),
        brakes=tuple(landing.brakes),
        plans=tuple(landing.plans),
        catalogues=landing.catalogues,
        names=rehearsed.names(landing.tx, landing.plans, landing.catalogues) if dry_run else {},
        unchanged=prepared.fetched is None,
        dry_run=dry_run,
    )


def _remember(landing: Landing, report: PullReport) -> None:
    work, prepared, tx = landing.work, landing.prepared, landing.tx
    kept = memory.to_remember(
        base_url=work.client.base_url,
        scope=prepared.scope,
        digest=prepared.digest,
        complete=report.outcome == "complete",
        derived=work.derived,
        at=landing.observed_at,
    )
    if prepared.gathered.fetched:
        at = prepared.known.catalogues_at if prepared.gathered.notes else work.clock()
        kept["catalogues_at"] = at.isoformat() if at else None
    over_limit_at = prepared.over_limit_at
    kept["over_limit_at"] = over_limit_at.isoformat() if over_limit_at else None
    if prepared.fetched is not None and prepared.fetched.how == "projects":
        shift = clock_shift(prepared.fetched, landing.observed_at)
        last = max((one.observed_at for one in prepared.fetched.slices), default=None)
        kept[LAST_SLICE] = (last + shift).isoformat() if last else None
    if prepared.fetched is not None:
        kept["hidden"] = prepared.hidden.remembered
    tripped = _brakes(landing)
    kept["brakes"] = tripped or None
    before = remember_all(tx, kept)
    _audit_brakes(landing, tripped, before.get("brakes") or [])
    # Whatever way this pull went: a slice fetched before it must never be applied after it.
    checkpoints.drop(tx)


def _brakes(landing: Landing) -> list[dict[str, Any]]:
    return [
        {"missing": one.missing, "limit": one.limit, "projects": list(one.projects), "why": one.why}
        for one in landing.brakes
    ]


def _audit_brakes(
    landing: Landing, tripped: list[dict[str, Any]], before: list[dict[str, Any]]
) -> None:
    """Audit a brake when it trips and when it is gone, not at every pull in between."""
    if tripped != before:
        new = [one for one in tripped if one not in before]
        landing.audit([Event("brake.tripped", detail=one) for one in new])
        if not tripped:
            landing.audit([Event("brake.released")])


def _record(landing: Landing, report: PullReport, started: datetime) -> None:
    detail: dict[str, Any] = {"how": report.how, "notes": list(report.notes)}
    written = sum(landing.counts[name] for name in ("inserted", "updated", "restored", "removed"))
    if written:
        landing.audit([Event("mirror.written", detail=dict(landing.counts))])
    record_run(
        landing.tx,
        landing.run_id,
        RunRow(
            kind="pull",
            scope=report.how,
            started_at=started,
            finished_at=landing.work.clock(),
            outcome=report.outcome,
            observed_at=landing.observed_at,
            counts=dict(landing.counts),
            detail=detail,
        ),
    )
    landing.write_audit()
