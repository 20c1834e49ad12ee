"""One unit sent: look, merge, intent, commit, request, outcome, commit.

The API has no precondition: an edit made between the look and the request is overwritten unseen.
That is why the look is taken right before, and why docs/push.md says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Connection

from syncd.errors import (
    AccountError,
    BadReply,
    Refused,
    StorageFailed,
    Throttled,
    Unauthorized,
    Unreachable,
)
from syncd.log import get_logger
from syncd.model.change import Change, Fields
from syncd.model.outbound import Conflict, Merge, Step
from syncd.operations import Sending, Unsendable, draft
from syncd.operations.rehearsal import merged
from syncd.services.push.looking import Sight
from syncd.services.push.mirroring import mirror
from syncd.services.push.outgoing import Outgoing, waiting_after
from syncd.services.push.pushing import Run
from syncd.services.push.sights import Sights
from syncd.services.push.units import Unit
from syncd.services.push.words import conflict_as_json, conflicts_in_words
from syncd.store import enclosures, outbox
from syncd.sync.fold import rebased, written
from syncd.sync.retry import Again, Applied, Failed, Halt, Uncertain, after, wait
from syncd.sync.settle import GRACE
from syncd.sync.states import State
from syncd.worksection.answer import Answer
from syncd.worksection.request import Attachment, Request
from syncd.worksection.scalars import as_id

NONSENSE = "nonsense"
"""`error_code` of an attempt whose answer made no sense."""
CODE_EMAIL = 11
NOT_SENT = (Unauthorized, Throttled, Unreachable)
"""What every other request would meet too, before the account does anything: it ends the run."""
OURS = "ours"
"""`error_code` of what we refuse to send, or say about what the account did."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A unit as it is to go out: what was seen, what the merge made of it, which requests."""

    unit: Unit
    sight: Sight | None
    merges: tuple[tuple[Step, Merge], ...]
    requests: tuple[tuple[Step, Request], ...] = ()
    refused: Unsendable | None = None

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What waits for a person, of all its steps."""
        return tuple(each for _, merge in self.merges for each in merge.conflicts)

    @property
    def clean(self) -> bool:
        """Whether all of it goes out: then a search was enough of a look."""
        untouched = all(
            merge.to_send.keys() == step.fields.keys() and not merge.decided
            for step, merge in self.merges
        )
        return untouched and self.refused is None


def send(run: Run, out: Outgoing, unit: Unit, sights: Sights) -> bool:
    """Take one unit as far as it goes; False where what needs it has to wait.

    Raises the AccountError that every other request would meet too: it ends the run.
    """
    try:
        ready = _prepare(run, out, unit, sights)
    except (BadReply, Refused) as error:
        _put_off(run, out, unit, error)
        return False
    if ready.refused is not None:
        return _refuse(run, ready, ready.refused)
    if not ready.requests:
        return _settle(run, out, ready)
    return _send(run, out, ready, sights)


def _prepare(run: Run, out: Outgoing, unit: Unit, sights: Sights) -> Ready:
    if unit.creates:
        return _ready(run, out, unit, None)
    task_id = _task_id(run, unit)
    ready = _ready(run, out, unit, sights.of(unit, task_id), task_id)
    if ready.sight is not None and ready.sight.how == "search" and not ready.clean:
        ready = _ready(run, out, unit, sights.closely(task_id), task_id)
    return ready


def _task_id(run: Run, unit: Unit) -> int:
    """Return the task of a unit; one that this run has created is known to the database by now."""
    if unit.task_id is not None:
        return unit.task_id
    with run.work.db.read() as tx:
        now = outbox.load(tx, unit.changes)
    found = next((change.task_id for change in now.values() if change.task_id), None)
    if found is None:
        raise BadReply(f"{unit.lane} has no id yet.")
    return found


def _ready(
    run: Run, out: Outgoing, unit: Unit, sight: Sight | None, task_id: int | None = None
) -> Ready:
    theirs = sight.fields if sight is not None else None
    policy = run.work.policy
    merges = tuple(
        (step, merged(step, theirs, out.names, policy=policy, flips=out.flips(step)))
        for step in unit.steps
    )
    parent_id = _parent_id(run, out, unit) if unit.creates else None
    files = _files(run, unit) if unit.creates else ()
    requests: list[tuple[Step, Request]] = []
    for step, merge in merges:
        sending = Sending(
            step, out.names, merge.to_send, theirs or {}, task_id, parent_id, attach=files
        )
        made = draft(sending)
        if isinstance(made, Unsendable):
            return Ready(unit, sight, merges, refused=made)
        if made is not None:
            requests.append((step, made))
    return Ready(unit, sight, merges, tuple(requests))


def _parent_id(run: Run, out: Outgoing, unit: Unit) -> int | None:
    """Return the id that a creation's parent has by now, where it is named by its ref."""
    ref = unit.steps[0].fields.get("parent_ref")
    if not isinstance(ref, str):
        return None
    with run.work.db.read() as tx:
        return outbox.task_of(tx, ref, out.by_id[unit.changes[0]].depends_on)


def _files(run: Run, unit: Unit) -> tuple[Attachment, ...]:
    with run.work.db.read() as tx:
        found = enclosures.enclosed(tx, unit.changes)
    return tuple(
        Attachment(file.name, file.content, file.content_type)
        for id in unit.changes
        for file in found.get(id, ())
    )


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
        _close(run, tx, out, ready, "queued")
        if ready.sight is not None:
            mirror(run, tx, [ready.sight])
    return not ready.conflicts


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
        if not isinstance(outcome, Applied):
            return _did_not_go(run, ready, outcome, error)
    if ready.sight is not None:
        sights.forget(ready.sight.task_id)
    after_it = _seen_after(sights, ready)
    with run.writing() as tx:
        _close(run, tx, out, ready, "sending", attempts=attempts + 1, answer=answer)
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
        _tell_decided(run, ready)
    try:
        run.work.epoch.publish(epoch)
    except StorageFailed:
        with run.writing() as tx:
            run.move(tx, ids, "sending", "queued")
        raise
    return moved


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


def created_id(answer: Answer) -> int:
    """Return the id of the task that a creation's answer tells of. Raises BadReply."""
    node = answer.decode(dict[str, Any]) or {}
    id = as_id(node.get("id"))
    if id is None:
        raise BadReply("The account said that it created a task, and not which.")
    return id


def _did_not_go(
    run: Run,
    ready: Ready,
    outcome: Again | Uncertain | Failed | Halt,
    error: AccountError | None,
) -> bool:
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
    return False


def _sent_along(ready: Ready, error: AccountError | None) -> str:
    """Explain a refusal of the assignee whom nobody named: an edit without one may reset it."""
    named = any("assignee_email" in step.fields for step in ready.unit.steps)
    if named or not isinstance(error, Refused) or error.code != CODE_EMAIL:
        return ""
    return "; the assignee goes along with every edit, so set another one with it"


def _close(
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
        _tell_decided(run, ready)
    else:
        fields, _ = written([out.by_id[id] for id in unit.changes])
        rebase_later(tx, unit.changes, fields)


def _tell_decided(run: Run, ready: Ready) -> None:
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
