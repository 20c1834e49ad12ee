"""Retention: what the settings no longer keep is deleted, and the audit log says so.

Everything goes in one transaction. The database refuses to delete from the audit log and from the
outbox's trail, save for what the newest audit row seals; that row is the newest only until the
transaction writes its last one, so nobody else's DELETE ever finds the way open.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    text,
)

from syncd.resources.tasks.table import task_history
from syncd.settings import RetentionSettings
from syncd.store import audit, trail
from syncd.store.activity import activity
from syncd.store.audit import Event
from syncd.store.engine import Database
from syncd.store.incidents import incidents
from syncd.store.outbox import UNSETTLED, outbox, outbox_events
from syncd.store.proof import Broken, prove
from syncd.store.runs import found_nothing
from syncd.store.schema import audit_log, sync_runs
from syncd.sync.states import SETTLED

FEED = timedelta(days=31)
"""The account's change feed reaches back 30 days. What it may show again is known by its row, so
that row stays, however short the kept span (API sheet, section 7.1)."""

POLLED = timedelta(days=7)
"""How long a run that found nothing new is kept: with the default intervals 800 come a day."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went. `broken`: the audit log was left as it is, because it is not sound."""

    history: int = 0
    activity: int = 0
    runs: int = 0
    incidents: int = 0
    changes: int = 0
    events: int = 0
    audit: int = 0
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class _Writing:
    """The transaction of one pruning, and who does it when."""

    db: Database
    tx: Connection
    at: datetime
    actor: str

    def append(self, event: str, detail: dict[str, Any]) -> None:
        told = [Event(event, detail=detail)]
        audit.append(self.tx, told, at=self.at, actor=self.actor, run_id=None)


def prune(db: Database, *, now: datetime, keep: RetentionSettings, actor: str = "daemon") -> Pruned:
    """Delete what is older than its kept span; a span of None keeps for ever.

    Runs that found nothing new go after a week, whatever is kept of the others.

    A log that is broken in the part that would go is left alone: a checkpoint over it would hide
    what somebody did. Creations that were confirmed stay, with their trail: their ref is what
    keeps a repeated one from doubling the task.
    """
    with db.write() as tx:
        work = _Writing(db, tx, now, actor)
        history, done_by = _prune_past(tx, now, _before(now, keep.history))
        runs, closed = _prune_runs(work, _before(now, keep.runs))
        changes, events = _prune_outbox(work, _before(now, keep.audit))
        rows, broken = _prune_audit(work, _before(now, keep.audit))
        done = Pruned(history, done_by, runs, closed, changes, events, rows, broken)
        counts = {name: n for name, n in asdict(done).items() if n and name != "broken"}
        if counts:
            work.append("retention.applied", counts)
        return done


def _before(now: datetime, kept_s: float | None) -> datetime | None:
    return now - timedelta(seconds=kept_s) if kept_s is not None else None


def _prune_past(tx: Connection, now: datetime, before: datetime | None) -> tuple[int, int]:
    """Delete old images of tasks, and old rows of who did what."""
    if before is None:
        return 0, 0
    images = tx.execute(delete(task_history).where(task_history.c.valid_to < before)).rowcount
    known = min(before, now - FEED)
    return images, tx.execute(delete(activity).where(activity.c.seen_at < known)).rowcount


def _prune_runs(work: _Writing, before: datetime | None) -> tuple[int, int]:
    """Delete old runs and incidents that are over.

    The newest run of each kind and outcome stays: numbers and status rest on it.
    """
    run, tx = sync_runs.c, work.tx
    newest = select(func.max(run.id)).group_by(run.kind, run.outcome)
    goes = and_(run.finished_at < work.at - POLLED, found_nothing(work.db))
    if before is not None:
        goes = or_(goes, run.finished_at < before)
    runs = tx.execute(delete(sync_runs).where(goes, run.id.not_in(newest))).rowcount
    if before is None:
        return runs, 0
    return runs, tx.execute(delete(incidents).where(incidents.c.closed_at < before)).rowcount


def _prune_outbox(work: _Writing, before: datetime | None) -> tuple[int, int]:
    """Delete settled changes and their trail, once all of it is in the audit log."""
    if before is None:
        return 0, 0
    tx = work.tx
    audit.chain_outbox(tx, at=work.at, run_id=None)
    old = _old_changes(before)
    changes = tx.scalar(select(func.count()).select_from(old.subquery())) or 0
    last = tx.scalar(select(func.max(outbox_events.c.id)).where(_loose(before, old)))
    if last is None:
        return 0, 0
    work.append(trail.PRUNED, {"changes": changes, "last": last})
    tx.execute(delete(outbox).where(outbox.c.id.in_(old)))
    orphans = ~exists().where(outbox.c.id == outbox_events.c.change_id)
    gone = delete(outbox_events).where(outbox_events.c.at < before, orphans)
    return changes, tx.execute(gone).rowcount


def _old_changes(before: datetime) -> Select[Any]:
    """Return the changes that may go: settled, unheard of since, and nothing waits for them."""
    waiting = select(outbox.c.depends_on).where(text(UNSETTLED), outbox.c.depends_on.is_not(None))
    recent = select(outbox_events.c.change_id).where(outbox_events.c.at >= before)
    return select(outbox.c.id).where(
        outbox.c.created_at < before,
        outbox.c.state.in_(SETTLED),
        or_(outbox.c.operation != "create", outbox.c.state != "confirmed"),
        outbox.c.id.not_in(waiting),
        outbox.c.id.not_in(recent),
    )


def _loose(before: datetime, old: Select[Any]) -> ColumnElement[bool]:
    """Say which events go: those of changes that go, and of changes that went before."""
    change = outbox_events.c.change_id
    orphans = change.not_in(select(outbox.c.id))
    return (outbox_events.c.at < before) & or_(change.in_(old), orphans)


def _prune_audit(work: _Writing, before: datetime | None) -> tuple[int, Broken | None]:
    """Seal what is old in a checkpoint, which is itself a row of the chain, and delete it."""
    if before is None:
        return 0, None
    tx, seq = work.tx, audit_log.c.seq
    last = _last_old(tx, before)
    if last is None:
        return 0, None
    proof = prove(tx, upto=last)
    if proof.broken is not None:
        return 0, proof.broken
    sealed = {"last": last, "hash": proof.hash, "count": proof.rows}
    work.append(audit.CHECKPOINT, sealed)
    return tx.execute(delete(audit_log).where(seq <= last)).rowcount, None


def _last_old(tx: Connection, before: datetime) -> int | None:
    """Return the last row before the first that must stay, if there is any.

    The clock may have stepped back: a row that is old, after one that is not, waits with it.
    """
    seq, at = audit_log.c.seq, audit_log.c.at
    first = tx.scalar(select(func.min(seq)))
    kept = tx.scalar(select(func.min(seq)).where(at >= before))
    last = kept - 1 if kept is not None else tx.scalar(select(func.max(seq)))
    return last if first is not None and last >= first else None
