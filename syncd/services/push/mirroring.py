"""What a look showed, written into the mirror, beside the outcome that it explains."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from syncd.model.plan import Insert, Restore, TaskPlan, Update
from syncd.resources.tasks.images import load_images
from syncd.resources.tasks.writes import Writing, apply
from syncd.services.planning import ASK_AGAIN
from syncd.services.push.looking import Sight
from syncd.services.push.pushing import Run
from syncd.store import checkpoints
from syncd.store.state import LAST_SLICE, next_instant, remember
from syncd.sync.reconcile import reconcile


def mirror(run: Run, tx: Connection, sights: Iterable[Sight]) -> None:
    """Write looked-at tasks into the mirror; one that is gone is for a pull to judge.

    The next pull compares these tasks field by field, and compares its whole answer too: it may
    be equal to the one before our edit, if somebody has taken that edit back.
    """
    newest = {one.task_id: one for one in sights if one.record is not None}
    if not newest:
        return
    images = load_images(tx, newest.keys())
    at = next_instant(tx, max(one.observed_at for one in newest.values()))
    actions = [
        reconcile(one.record, ASK_AGAIN, images.get(id), observed_at=at, undecided=one.undecided)
        for id, one in sorted(newest.items())
        if one.record is not None and (one.how == "task" or id in images)
    ]
    plan = TaskPlan(
        inserts=tuple(action for action in actions if isinstance(action, Insert)),
        updates=tuple(action for action in actions if isinstance(action, Update)),
        restores=tuple(action for action in actions if isinstance(action, Restore)),
    )
    if plan == TaskPlan():
        return
    apply(plan, Writing(run.work.db, tx, run.work.derived, run.id, at))
    run.counts["mirrored"] += len(actions)
    remember(run.work.db, tx, "digest", None)
    remember(run.work.db, tx, LAST_SLICE, at.isoformat())
    checkpoints.drop(tx)
