"""Lost creations looked for in their project: adopted, sent again, or left to a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection, func, select

from syncd.errors import BadReply, Refused, TooManyRecords
from syncd.model.change import Change
from syncd.model.listing import Slice
from syncd.model.outbound import Step
from syncd.operations.create import lost
from syncd.resources.derived import Derived
from syncd.resources.tasks.table import task_history, tasks
from syncd.resources.tasks.tree import read_listing
from syncd.services.push.closing import queue_again
from syncd.services.push.looking import Eyes
from syncd.services.push.outgoing import Outgoing
from syncd.services.push.pushing import Run
from syncd.store import outbox
from syncd.store.mirror import batches
from syncd.store.outbox import Attempts
from syncd.sync.fold import CARRIED, written
from syncd.sync.names import shown, with_ids
from syncd.sync.settle import (
    GRACE,
    Adopt,
    AskPerson,
    Candidate,
    Found,
    LookLater,
    Lost,
    SendAgain,
    Sighting,
    settle_creations,
)
from syncd.worksection.answer import Answer
from syncd.worksection.methods.tasks import get_tasks

NOWHERE = 0
"""The parent of what was to be made below a task that never came to be: nothing is there."""


def find_created(
    run: Run, out: Outgoing, eyes: Eyes, project_id: int, alike: Sequence[Change]
) -> bool:
    """Look for the lost creations of one project in one answer; True where one was settled."""
    run.looked |= {change.id for change in alike}
    try:
        answer, whole = _listing(eyes, project_id)
        part = _read(eyes, answer, project_id)
    except (BadReply, Refused) as error:
        run.notes.append(f"project {project_id}: {error.message}")
        return False
    with run.writing() as tx:
        candidates = _candidates(eyes, part, run.work.derived)
        sent = outbox.attempts_of(tx, [change.id for change in alike])
        short = whole and _falls_short(tx, part)
        whole = whole and (short or not part.rejected)
        gone = [_lost(tx, out, change, sent[change.id], whole=whole) for change in alike]
        if short:  # it ended too late for this answer to prove anything
            gone = [replace(each, ended_at=answer.observed_at) for each in gone]
        first = min(each.first for each in sent.values())
        ids = [candidate.task_id for candidate in candidates]
        sighting = Sighting(
            began_at=answer.observed_at,
            candidates=candidates,
            known=known_before(tx, ids, first),
            claimed=outbox.claimed(tx, ids),
        )
        verdicts = settle_creations(gone, sighting)
        for change in alike:
            _found(run, tx, out, change, verdicts[change.id])
    return any(not isinstance(verdict, LookLater) for verdict in verdicts.values())


def _listing(eyes: Eyes, project_id: int) -> tuple[Answer, bool]:
    """Return a project's tasks, and whether they are all of them: else absence proves nothing."""
    extra = ("subtasks", "text", "tags")
    try:
        return eyes.client.call(get_tasks(project_id, extra=extra)), True
    except TooManyRecords:
        return eyes.client.call(get_tasks(project_id, extra=extra, active_only=True)), False


def _read(eyes: Eyes, answer: Answer, project_id: int) -> Slice:
    return read_listing(
        answer.raw,
        asked=frozenset({"subtasks", "text"}),
        observed_at=answer.observed_at,
        project_id=project_id,
        tag_ids=eyes.tag_ids,
    )


def _falls_short(tx: Connection, part: Slice) -> bool:
    """Tell whether tasks are missing that the mirror has: then a new one may be missing just so.

    An answer cut short finds what it shows, and proves no absence. A pull settles what is missing.
    """
    ours = (tasks.c.project_id == part.project_id, tasks.c.removed_at.is_(None))
    return not set(tx.scalars(select(tasks.c.id).where(*ours))) <= part.tasks.keys()


def _candidates(eyes: Eyes, part: Slice, derived: Derived) -> list[Candidate]:
    return [
        Candidate(
            record.id,
            record.project_id,
            record.parent_id,
            shown(record, eyes.names),
            derived.instant(record.date_added),
        )
        for record in part.tasks.values()
    ]


def _lost(tx: Connection, out: Outgoing, change: Change, sent: Attempts, *, whole: bool) -> Lost:
    """Return what was asked for: the creation, with the edits that went along with it."""
    fields, _ = written([change, *_folded_with(out, change)])
    asked = {name: value for name, value in fields.items() if name in CARRIED}
    ref, parent_id = change.fields.get("parent_ref"), change.fields.get("parent_id")
    if isinstance(ref, str):
        parent_id = outbox.task_of(tx, ref, change.depends_on) or NOWHERE
    return lost(
        Step("create", out.lane_of(change), with_ids(asked, out.names), (change.id,), sent.last),
        parent_id=parent_id if isinstance(parent_id, int) else None,
        sent_at=sent.last,
        ended_at=(change.next_attempt_at or sent.last) - GRACE,
        sees_hidden=out.sees_hidden,
        whole=whole,
    )


def known_before(tx: Connection, ids: Collection[int], before: datetime) -> frozenset[int]:
    """Return those tasks that the mirror held already then: what was there is not what we made."""
    found: set[int] = set()
    for batch in batches(sorted(ids)):
        began = select(tasks.c.id, tasks.c.valid_from.label("at")).where(tasks.c.id.in_(batch))
        past = (
            select(task_history.c.task_id, func.min(task_history.c.valid_from))
            .where(task_history.c.task_id.in_(batch))
            .group_by(task_history.c.task_id)
        )
        for query in (began, past):
            found |= {id for id, at in tx.execute(query) if at < before}
    return frozenset(found)


def _found(run: Run, tx: Connection, out: Outgoing, change: Change, verdict: Found) -> None:
    ids = [change.id]
    match verdict:
        case Adopt(task_id=task_id):
            run.lost.clear()
            now = run.work.clock()
            run.move(
                tx,
                ids,
                "uncertain",
                "applied",
                task_id=task_id,
                applied_at=now,
                error=None,
                error_code=None,
                next_attempt_at=None,
            )
            run.audit("creation.adopted", change.id, {"task": task_id})
            _others_again(run, tx, out, change)
        case SendAgain():
            queue_again(run, tx, [change, *_folded_with(out, change)])
        case LookLater(at=at):
            outbox.look_again(tx, change.id, at)
        case AskPerson(tasks=might_be):
            words = _ambiguous(might_be)
            run.move(tx, ids, "uncertain", "conflict", error_code="ambiguous", error=words)
            _others_again(run, tx, out, change)
        case _ as never:
            assert_never(never)


def _folded_with(out: Outgoing, creation: Change) -> list[Change]:
    """The edits that went along with a creation, and are as uncertain as it is."""
    lane = out.lanes[out.lane_of(creation)]
    return [c for c in lane if c.state == "uncertain" and c is not creation]


def _others_again(run: Run, tx: Connection, out: Outgoing, creation: Change) -> None:
    """Edits that went along with a creation are looked at, each field, before they go again."""
    ids = [change.id for change in _folded_with(out, creation)]
    run.move(tx, ids, "uncertain", "queued", next_attempt_at=None)


def _ambiguous(might_be: Sequence[int]) -> str:
    if not might_be:
        return "it may be there where we cannot see it; say what became of it"
    named = ", ".join(f"#{id}" for id in might_be)
    return f"it may have become one of the tasks {named}; say which"
