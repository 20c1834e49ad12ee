"""What may have landed, settled by looking: an edit in its task, a creation in its project.

A lost reply is not "not sent". Only an answer begun after the attempt had ended proves anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from syncd.errors import BadReply, Refused
from syncd.model.change import Change
from syncd.services.push.closing import queue_again, rebase_later
from syncd.services.push.finding import find_created
from syncd.services.push.looking import Eyes
from syncd.services.push.mirroring import mirror
from syncd.services.push.outgoing import Outgoing
from syncd.services.push.pushing import Run
from syncd.store import outbox
from syncd.sync.fold import DEAD, Creations, written
from syncd.sync.names import with_ids
from syncd.sync.settle import GRACE, settle_edit

DIED = "the last syncd ended while this was on its way"


def recover(run: Run) -> None:
    """Take what a dead process left as on its way for uncertain; the lease says that it is dead."""
    with run.writing() as tx:
        ids = outbox.in_state(tx, "sending")
        now = run.work.clock()
        for change in outbox.load(tx, ids).values():
            values = {"attempts": change.attempts + 1, "next_attempt_at": now + GRACE}
            run.move(tx, [change.id], "sending", "uncertain", error=DIED, **values)


def settle(run: Run, out: Outgoing, eyes: Eyes) -> bool:
    """Look for everything uncertain whose time has come; True where something was settled."""
    due = [change for change in out.changes if _due(run, change)]
    edits = _by_lane(out, [change for change in due if change.operation != "create"])
    made = Creations.among(out.changes)
    creations = [c for c in due if c.operation == "create" and not _parent_is_open(made, c)]
    found = [_settle_edit(run, out, eyes, sent) for sent in edits.values()]
    found += [
        find_created(run, out, eyes, project_id, alike)
        for project_id, alike in _by_project(creations).items()
    ]
    return any(found)


def _due(run: Run, change: Change) -> bool:
    """A first look may find it at once; after it, only a later answer can tell more."""
    if change.state != "uncertain":
        return False
    at = change.next_attempt_at
    return change.id not in run.looked or at is None or at <= run.work.clock()


def _parent_is_open(made: Creations, change: Change) -> bool:
    """Tell whether its parent is still to be found or made: only below that can it be looked for.

    After a restore parent and child are both uncertain. Looked for at the top, the child would not
    be found, and would be sent again.
    """
    ref = change.fields.get("parent_ref")
    parent = made.named(ref, change.depends_on) if isinstance(ref, str) else None
    return parent is not None and parent.task_id is None and parent.state not in DEAD


def _by_lane(out: Outgoing, changes: Iterable[Change]) -> dict[str, list[Change]]:
    wanted = {change.id for change in changes}
    return {
        lane: sent
        for lane, every in out.lanes.items()
        if (sent := [change for change in every if change.id in wanted])
    }


def _by_project(creations: Iterable[Change]) -> dict[int, list[Change]]:
    found: dict[int, list[Change]] = {}
    for change in creations:
        project_id = change.fields.get("project_id")
        if isinstance(project_id, int):
            found.setdefault(project_id, []).append(change)
    return found


def _settle_edit(run: Run, out: Outgoing, eyes: Eyes, sent: Sequence[Change]) -> bool:
    task_id = next((change.task_id for change in sent if change.task_id), None)
    if task_id is None:
        return False  # its creation is uncertain itself, and is settled first
    run.looked |= {change.id for change in sent}
    try:
        sight = eyes.look(task_id)
    except (BadReply, Refused) as error:
        run.notes.append(f"task {task_id}: {error.message}")
        return False
    fields, base = (with_ids(each, out.names) for each in written(sent))
    landing = settle_edit(fields, base, sight.fields)
    ids = [change.id for change in sent]
    with run.writing() as tx:
        mirror(run, tx, [sight])
        match landing:
            case "landed":
                run.lost.clear()
                now = run.work.clock()
                settled = {"confirmed_at": now, "error": None, "error_code": None}
                run.move(tx, ids, "uncertain", "confirmed", next_attempt_at=None, **settled)
                rebase_later(tx, ids, fields)
            case "gone":
                words = "the task is gone from the account"
                run.move(tx, ids, "uncertain", "conflict", error_code="removed", error=words)
            case "not landed" | "unclear":  # the next look merges what is left
                queue_again(run, tx, sent)
            case _ as never:
                assert_never(never)
    return True
