"""How a unit ended, written: gone through, in conflict, refused, lost, or queued again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Connection

from syncd.errors import AccountError, BadReply, Refused, Throttled, Unauthorized, Unreachable
from syncd.model.change import Change, Fields
from syncd.model.outbound import Conflict, Step
from syncd.services.push.outgoing import Outgoing, waiting_after
from syncd.services.push.pushing import Run
from syncd.services.push.ready import Ready
from syncd.services.push.units import Unit
from syncd.services.push.words import conflict_as_json, conflicts_in_words
from syncd.store import outbox
from syncd.sync.fold import rebased, written
from syncd.sync.retry import Again, Failed, Halt, Uncertain, not_landed
from syncd.sync.settle import GRACE
from syncd.sync.states import State
from syncd.worksection.answer import Answer
from syncd.worksection.scalars import as_id

NONSENSE = "nonsense"
"""`error_code` of an attempt whose answer made no sense."""
CODE_EMAIL = 11
NOT_SENT = (Unauthorized, Throttled, Unreachable)
"""What every other request would meet too, before the account does anything: it ends the run."""
OURS = "ours"
"""`error_code` of what we refuse to send, or say about what the account did."""


def close(
    run: Run,
    tx: Connection,
    out: Outgoing,
    ready: Ready,
    before: State,
    *,
    attempts: int | None = None,
    answer: Answer | None = None,
) -> None:
    """Write how a unit ended that went all the way, or did not need to go."""
    now, unit = run.work.clock(), ready.unit
    stuck = _stuck(ready, out)
    free = [id for id in unit.changes if id not in stuck]
    values: dict[str, Any] = {"error": None, "error_code": None, "next_attempt_at": None}
    if attempts is not None:
        values["attempts"] = attempts
    if before == "queued":
        run.move(tx, free, "queued", "confirmed", confirmed_at=now, **values)
    elif unit.creates:
        _created(run, tx, out, unit, answer, values, now)
    else:
        run.move(tx, free, "sending", "applied", applied_at=now, **values)
    if stuck:
        why, words = conflicts_in_words(ready.conflicts)
        values |= {"error_code": why, "error": words}
        run.move(tx, sorted(stuck), before, "conflict", **values)
        _drop_superseded(tx, out, ready, stuck)
        run.audit("conflict.found", min(stuck), _told(ready.conflicts))
    if before == "queued":
        tell_decided(run, ready)
    else:
        fields, _ = written([out.by_id[id] for id in unit.changes])
        rebase_later(tx, unit.changes, fields)


def tell_decided(run: Run, ready: Ready) -> None:
    """Keep the value that the policy lets lose before it goes: the answer may be lost."""
    for _, merge in ready.merges:
        for each in merge.decided:
            told = {"winner": each.winner, **_told([each.conflict])}
            run.audit("conflict.decided", ready.unit.changes[0], told)


def _stuck(ready: Ready, out: Outgoing) -> set[int]:
    """The changes that set a field in conflict: they wait together, for one decision."""
    fields = {conflict.field for conflict in ready.conflicts}
    return {id for id in ready.unit.changes if fields & out.by_id[id].patch.keys()}


def _drop_superseded(tx: Connection, out: Outgoing, ready: Ready, stuck: Collection[int]) -> None:
    """Take out of what stays behind what a later change of its lane has set by now.

    It went with the later one. Kept, it would be shown over that value, and a decision about
    another field would send it again: an older edit over a newer one. The trail keeps it.
    """
    contested = {conflict.field for conflict in ready.conflicts}
    for id in stuck:
        later = [out.by_id[other].patch for other in ready.unit.changes if other > id]
        gone = {name for patch in later for name in patch} - contested
        outbox.drop_fields(tx, out.by_id[id], gone)


def _created(
    run: Run,
    tx: Connection,
    out: Outgoing,
    unit: Unit,
    answer: Answer | None,
    values: dict[str, Any],
    now: datetime,
) -> None:
    """The task is there. What its creation could not carry goes as an edit of it, in its turn."""
    if answer is None:
        raise BadReply("A creation has no answer.")  # none is sent without one
    creation, *others = unit.changes
    done = [id for id in others if not _left(out.by_id[id], unit.steps[0])]
    rest = [id for id in others if id not in done]
    run.move(
        tx, [creation], "sending", "applied", task_id=created_id(answer), applied_at=now, **values
    )
    run.move(tx, done, "sending", "applied", applied_at=now, **values)
    run.move(tx, rest, "sending", "queued", **values)


def _left(change: Change, step: Step) -> bool:
    return not change.patch.keys() <= step.fields.keys()


def rebase_later(tx: Connection, ids: Sequence[int], fields: Fields) -> None:
    """Put the task's waiting changes over what these have just written.

    Whoever queued one while these were on their way saw that value and not the mirror's; such a
    change is newer than the plan, so the database is asked.
    """
    for later in waiting_after(tx, ids):
        moved = rebased(later, fields)
        if moved is not later:
            outbox.rebase(tx, moved)


def _told(conflicts: Sequence[Conflict]) -> dict[str, Any]:
    return {"fields": {each.field: conflict_as_json(each) for each in conflicts}}


def did_not_go(
    run: Run,
    ready: Ready,
    outcome: Again | Uncertain | Failed | Halt,
    error: AccountError | None,
) -> None:
    """Write how a unit ended that did not go through.

    Raises the AccountError that every other request would meet too.
    """
    ids, words = ready.unit.changes, error.message if error is not None else ""
    now = run.work.clock()
    with run.writing() as tx:
        match outcome:
            case Again(at=at, attempts=attempts):
                values = {"next_attempt_at": at, "attempts": attempts, "error": words}
                run.move(tx, ids, "sending", "queued", **values)
            case Uncertain(attempts=attempts, nonsense=nonsense):
                code = NONSENSE if nonsense else None
                values = {"next_attempt_at": now + GRACE, "attempts": attempts, "error": words}
                run.move(tx, ids, "sending", "uncertain", error_code=code, **values)
            case Failed() if len(ids) > 1 and isinstance(error, Refused):
                run.apart.add(ready.unit.lane)  # it said no to all of it because of a part
                run.move(tx, ids, "sending", "queued")
            case Failed(code=code, words=said):
                told = str(code) if code is not None else OURS
                said += _sent_along(ready, error)
                run.move(tx, ids, "sending", "failed", error_code=told, error=said)
            case Halt():
                run.move(tx, ids, "sending", "queued", error=words)
            case _ as never:
                assert_never(never)
    if isinstance(error, NOT_SENT):
        raise error
    if error is not None and isinstance(outcome, Uncertain):
        run.lost.append(error)


def _sent_along(ready: Ready, error: AccountError | None) -> str:
    """Explain a refusal of the assignee whom nobody named: an edit without one may reset it."""
    named = any("assignee_email" in step.fields for step in ready.unit.steps)
    if named or not isinstance(error, Refused) or error.code != CODE_EMAIL:
        return ""
    return "; the assignee goes along with every edit, so set another one with it"


def queue_again(run: Run, tx: Connection, sent: Sequence[Change]) -> None:
    """Queue again what showed no effect, or leave it to a person after many attempts."""
    attempts = max(change.attempts for change in sent)
    ids = [change.id for change in sent]
    outcome = not_landed(
        attempts=attempts,
        now=run.work.clock(),
        jitter=run.work.rng.random(),
        nonsense=NONSENSE in outbox.error_codes(tx, ids),
    )
    match outcome:
        case Again(at=at, attempts=tried):
            values = {"next_attempt_at": at, "attempts": tried}
            run.move(tx, ids, "uncertain", "queued", **values)
        case Failed(words=words):
            run.move(tx, ids, "uncertain", "failed", error_code=OURS, error=words)
        case _ as never:
            assert_never(never)


def created_id(answer: Answer) -> int:
    """Return the id of the task that a creation's answer tells of. Raises BadReply."""
    node = answer.decode(dict[str, Any]) or {}
    id = as_id(node.get("id"))
    if id is None:
        raise BadReply("The account said that it created a task, and not which.")
    return id
