"""A push from start to end: what is open is settled first, then round after round is sent.

A round plans anew from the database, so that what a round has brought about (a parent's id, a
free lane) is what the next one starts from. It ends when a round changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from syncd.errors import AccountError, NoMirror, SyncdError, Unauthorized
from syncd.log import get_logger
from syncd.model.outbound import PushPlan
from syncd.model.reports import PushReport
from syncd.services import memory
from syncd.services.choices import apply_choices
from syncd.services.push.closing import OURS
from syncd.services.push.confirming import confirm
from syncd.services.push.looking import Eyes
from syncd.services.push.outgoing import Outgoing, load
from syncd.services.push.pushing import Pushing, Run
from syncd.services.push.restored import after_restore
from syncd.services.push.sending import send
from syncd.services.push.settling import recover, settle
from syncd.services.push.sights import Sights
from syncd.services.push.units import Unit, units
from syncd.services.recording import log_end, log_failure
from syncd.store.outbox import count_open
from syncd.store.runs import RunRow, next_run_id, record_run

MOST_ROUNDS = 100
"""Far more than a tree of three levels needs; a mistake of ours must not ask without end."""


def push(work: Pushing) -> PushReport:
    """Send what is queued, as far as it can go now.

    Raises AccountError where nothing could be sent at all or the key is refused, NoMirror before
    the first pull, LeaseLost and StorageFailed; a run is on record for all but the last three.
    """
    started, asked = work.clock(), work.client.budget.requests
    run = _begin(work, started)
    try:
        _push(run)
    except AccountError as error:
        run.trouble = error
    except SyncdError as error:
        log_failure("push", error)
        raise
    report = _end(run, requests=work.client.budget.requests - asked)
    if run.trouble is not None and report.outcome == "failed":
        raise run.trouble
    return report


def settle_open(work: Pushing) -> None:
    """Look for what may have landed, and send nothing; what is next meets the same trouble."""
    try:
        run = _begin(work, work.clock())
    except NoMirror:
        return
    recover(run)
    out, eyes = _looked_up(run)
    try:
        settle(run, out, eyes)
    except AccountError as error:
        get_logger().warning("push.not_settled", error=error.message)


def _begin(work: Pushing, started: datetime) -> Run:
    with work.db.read() as tx:
        known = memory.load(tx)
        run_id = next_run_id(tx)
    if known.account is None:
        raise NoMirror("Nothing was pulled yet, so there is nothing to change.", hint="syncd pull")
    memory.check_account(known, work.client.base_url)
    return Run(work, run_id, started)


def _push(run: Run) -> None:
    recover(run)
    apply_choices(run.work.db, at=run.work.clock())
    if after_restore(run):
        return
    for _ in range(MOST_ROUNDS):
        if not _round(run):
            return
    run.notes.append(f"stopped after {MOST_ROUNDS} rounds")


def _round(run: Run) -> bool:
    """Settle, plan, send, confirm; True while something still moves."""
    run.work.pause()
    out, eyes = _looked_up(run)
    settled = settle(run, out, eyes)
    if run.breaks_off:
        raise run.lost[-1]  # the account is in trouble: nothing of it has landed, or can be seen
    if settled:
        out, eyes = _looked_up(run)
    plan = out.plan(now=run.work.clock(), max_batch=run.work.max_batch, apart=run.apart)
    decided = _write_decisions(run, out, plan)
    sent = _send(run, out, eyes, plan)
    out, eyes = _looked_up(run)
    confirmed = confirm(run, out, eyes)
    return settled or decided or sent or confirmed


def _looked_up(run: Run) -> tuple[Outgoing, Eyes]:
    work = run.work
    with work.db.read() as tx:
        out = load(tx)
    return out, Eyes(work.client, work.clock, work.extra, out.names, out.tag_ids)


def _write_decisions(run: Run, out: Outgoing, plan: PushPlan) -> bool:
    """Write what the plan decides without asking anybody: held, came to nothing, unreadable."""
    broken = [each for each in out.unreadable if each.state == "queued"]
    if not (plan.holds or plan.settled or broken):
        return False
    with run.writing() as tx:
        for hold in plan.holds:
            run.move(tx, hold.changes, "queued", "held", error_code="brake", error=str(hold))
            detail = {"changes": len(hold.changes), "counted": hold.counted, "limit": hold.limit}
            run.audit("brake.tripped", hold.changes[0], detail)
        now = run.work.clock()
        run.move(tx, plan.settled, "queued", "confirmed", confirmed_at=now, error=None)
        for each in broken:
            run.move(tx, [each.id], "queued", "failed", error_code=OURS, error=each.why)
    return True


def _send(run: Run, out: Outgoing, eyes: Eyes, plan: PushPlan) -> bool:
    """Send the steps in order; what needs one that did not go waits for the next round."""
    going = units(plan.steps)
    sights = Sights(eyes, going, out.places)
    blocked: set[int] = set()
    before = run.counts.copy()
    for done, unit in enumerate(going):
        if run.breaks_off:
            break
        left_s = run.work.client.budget.estimate_s(len(going) - done)
        run.work.progress.step("changes", done=done, total=len(going), left_s=left_s)
        if _waits(unit, blocked) or not send(run, out, unit, sights):
            blocked |= set(unit.changes)
    return run.counts != before


def _waits(unit: Unit, blocked: set[int]) -> bool:
    return any(wait.change in blocked for wait in unit.after)


def _end(run: Run, *, requests: int) -> PushReport:
    work = run.work
    waiting = _still_open(run)
    trouble = run.trouble
    notes = (*run.notes, *([trouble.message] if trouble else []))
    asks = any(waiting.get(state) for state in ("held", "conflict", "failed", "uncertain"))
    outcome: Literal["complete", "partial", "failed"] = "complete"
    if asks or notes or waiting.get("queued"):
        outcome = "partial"
    if isinstance(trouble, Unauthorized) or (trouble and not run.counts["requests_written"]):
        outcome = "failed"
    report = PushReport(
        outcome=outcome,
        run_id=run.id,
        counts=dict(+run.counts),
        waiting=waiting,
        requests=requests,
        seconds=(work.clock() - run.started_at).total_seconds(),
        notes=notes,
    )
    _record(run, report)
    return report


def _still_open(run: Run) -> dict[str, int]:
    with run.work.db.read() as tx:
        return count_open(tx)


def _record(run: Run, report: PushReport) -> None:
    detail: dict[str, Any] = {"notes": list(report.notes), "waiting": dict(report.waiting)}
    if run.trouble is not None:
        detail["class"] = type(run.trouble).__name__
    with run.writing() as tx:
        row = RunRow(
            kind="push",
            scope="outbox",
            started_at=run.started_at,
            finished_at=run.work.clock(),
            outcome=report.outcome,
            counts=dict(report.counts) | {"requests": report.requests},
            detail=detail,
            error=run.trouble.message if run.trouble else None,
        )
        record_run(tx, run.id, row)
    log_end("push", report)
