"""One unit sent: look, merge, intent, commit, request, outcome, commit.

The API has no precondition: an edit made between the look and the request is overwritten unseen.
That is why the look is taken right before, and why docs/push.md says so.
"""

from __future__ import annotations

from syncd.errors import AccountError, BadReply, Refused, StorageFailed
from syncd.log import get_logger
from syncd.model.outbound import Step
from syncd.operations import Unsendable
from syncd.services.push.closing import (
    NOT_SENT,
    OURS,
    close,
    created_id,
    did_not_go,
    tell_decided,
)
from syncd.services.push.looking import Sight
from syncd.services.push.mirroring import mirror
from syncd.services.push.outgoing import Outgoing
from syncd.services.push.pushing import Run
from syncd.services.push.ready import Ready, prepare
from syncd.services.push.sights import Sights
from syncd.services.push.units import Unit
from syncd.store import outbox
from syncd.sync.retry import Applied, Outcome, after, wait
from syncd.worksection.answer import Answer
from syncd.worksection.request import Request


def send(run: Run, out: Outgoing, unit: Unit, sights: Sights) -> bool:
    """Take one unit as far as it goes; False where what needs it has to wait.

    Raises the AccountError that every other request would meet too: it ends the run.
    """
    try:
        ready = prepare(run, out, unit, sights)
    except (BadReply, Refused) as error:
        _put_off(run, out, unit, error)
        return False
    if ready.refused is not None:
        return _refuse(run, ready, ready.refused)
    if not ready.requests:
        return _settle(run, out, ready)
    return _send(run, out, ready, sights)


def _send(run: Run, out: Outgoing, ready: Ready, sights: Sights) -> bool:
    claimed = _claim(run, ready)
    if not claimed:
        return False  # somebody has cancelled or altered it since the plan was made
    attempts = max(out.by_id[id].attempts for id in claimed)
    error, answer = None, None
    for step, request in ready.requests:
        answer, error = _attempt(run, step, request)
        outcome = after(
            step.verb, error, attempts=attempts, now=run.work.clock(), jitter=run.work.rng.random()
        )
        _log(run, ready, step, answer if error is None else error, outcome)
        if not isinstance(outcome, Applied):
            did_not_go(run, ready, outcome, error)
            return False
    if ready.sight is not None:
        sights.forget(ready.sight.task_id)
    after_it = _seen_after(sights, ready)
    with run.writing() as tx:
        close(run, tx, out, ready, "sending", attempts=attempts + 1, answer=answer)
        mirror(run, tx, after_it)
    return not ready.conflicts


def _seen_after(sights: Sights, ready: Ready) -> tuple[Sight, ...]:
    """Look once more where a part went out and a part is in conflict.

    A conflict is told by what the mirror shows, which then has to show the part that went, too.
    """
    if not ready.conflicts or ready.sight is None:
        return ()
    try:
        return (sights.closely(ready.sight.task_id),)
    except AccountError as error:
        get_logger().warning("push.not_seen", task=ready.sight.task_id, error=error.message)
        return (ready.sight,)


def _claim(run: Run, ready: Ready) -> tuple[int, ...]:
    """Commit the intent before anything goes out: what dies from here on may have landed.

    All of the unit or nothing: a change that a person has just cancelled must not go along.
    Raises StorageFailed where the epoch cannot be kept; then it is as if nothing was claimed.
    """
    ids = ready.unit.changes
    with run.writing() as tx:
        if not outbox.all_in(tx, ids, "queued"):
            return ()
        epoch = run.work.epoch.advance(tx)
        moved = run.move(tx, ids, "queued", "sending", sent_at=run.work.clock())
        tell_decided(run, ready)
    try:
        run.work.epoch.publish(epoch)
    except StorageFailed:
        with run.writing() as tx:
            run.move(tx, ids, "sending", "queued")
        raise
    return moved


def _log(
    run: Run, ready: Ready, step: Step, got: Answer | AccountError | None, outcome: Outcome
) -> None:
    """Write the one line of a request: what it was about and how it ended, and no value of it."""
    created = created_id(got) if step.verb == "create" and isinstance(got, Answer) else None
    get_logger().info(
        "request.ended",
        run=run.id,
        changes=list(step.changes),
        task=ready.sight.task_id if ready.sight is not None else created,
        operation=step.verb,
        outcome=type(outcome).__name__.lower(),
        error=type(got).__name__ if isinstance(got, AccountError) else None,
    )


def _attempt(run: Run, step: Step, request: Request) -> tuple[Answer | None, AccountError | None]:
    get_logger().debug("change.sent", changes=list(step.changes), action=request.action)
    try:
        answer = run.work.client.call(request)
        if step.verb == "create":
            created_id(answer)
    except AccountError as error:
        run.counts["requests_written"] += not isinstance(error, NOT_SENT)
        return None, error
    run.counts["requests_written"] += 1
    run.lost.clear()
    return answer, None


def _put_off(run: Run, out: Outgoing, unit: Unit, error: AccountError) -> None:
    """A look that failed: nothing went out. It stays queued, and is tried a little later."""
    attempts = max(out.by_id[id].attempts for id in unit.changes)
    at = run.work.clock() + wait(attempts + 1, run.work.rng.random())
    with run.writing() as tx:
        for id in unit.changes:
            outbox.put_off(tx, id, at, error.message)


def _refuse(run: Run, ready: Ready, why: Unsendable) -> bool:
    words = f"{why.field}: {why.why}" if why.field else why.why
    with run.writing() as tx:
        run.move(tx, ready.unit.changes, "queued", "failed", error_code=OURS, error=words)
    return False


def _settle(run: Run, out: Outgoing, ready: Ready) -> bool:
    """Nothing is left to send: the account shows it already, or a person has to decide."""
    with run.writing() as tx:
        close(run, tx, out, ready, "queued")
        if ready.sight is not None:
            mirror(run, tx, [ready.sight])
    return not ready.conflicts
