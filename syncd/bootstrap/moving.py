"""A move of the mirror: what it works with, the lease held for as long as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from syncd.services.actor import local_actor
from syncd.store import lease
from syncd.store.engine import Database

if TYPE_CHECKING:
    from syncd.bootstrap.app import App
    from syncd.services.move import Moving
    from syncd.services.progress import Progress


@contextmanager
def moving(app: App, target: Database, progress: Progress, *, dry_run: bool) -> Iterator[Moving]:
    """Hold the lease for the length of a move, so that nobody talks to the account meanwhile."""
    from syncd.services.move import Moving

    with ExitStack() as stack:
        held = _held(app, stack, dry_run=dry_run)
        yield Moving(
            source=app.epoch(app.db),
            target=app.epoch(target),
            lease=held,
            clock=app.clock,
            rng=app.rng,
            progress=progress,
            actor=local_actor(),
        )


def _held(app: App, stack: ExitStack, *, dry_run: bool) -> lease.Lease:
    """Take the lease, also of a mirror that was moved away; the pace in its row stays as it is."""
    if dry_run:
        return stack.enter_context(lease.hold_unwritten(app.db))
    held = stack.enter_context(lease.hold(app.db, now=app.clock()))
    asked = held.last_request_at if held.clean else app.clock()
    lease.note_pace(app.db, held, lease.Pace(asked, held.resume_at))
    stack.callback(lease.give_back, app.db, held)
    return held


def undo_move(app: App) -> str:
    """Let the old file be the mirror again; returns where it had been moved to."""
    from syncd.services import move

    with lease.hold(app.db, now=app.clock()) as held:
        mark = move.undo_move(app.epoch(app.db), at=app.clock(), actor=local_actor())
        lease.give_back(app.db, held)
    return mark.other
