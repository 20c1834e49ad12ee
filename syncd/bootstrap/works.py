"""What a pull and a push work with, put together from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.settings import Conflicts

if TYPE_CHECKING:
    from syncd.bootstrap.app import App
    from syncd.services.prepare import Pulling
    from syncd.services.progress import Progress
    from syncd.services.push import Pushing
    from syncd.store.lease import Lease
    from syncd.sync.merge import Policy
    from syncd.worksection.client import Client


def pulling(app: App, held: Lease, client: Client, progress: Progress, actor: str) -> Pulling:
    """Return what a pull works with."""
    from syncd.resources.tasks.known import Trees
    from syncd.services.prepare import Pulling

    settings = app.settings
    return Pulling(
        db=app.db,
        client=client,
        lease=held,
        derived=app.derived,
        extra=settings.pull.extra,
        archived=settings.pull.archived,
        max_removals=settings.pull.max_removals,
        auth=settings.account.auth,
        clock=app.clock,
        progress=progress,
        actor=actor,
        trees=app.kept.setdefault("trees", Trees()),
    )


def pushing(app: App, held: Lease, client: Client, progress: Progress, actor: str) -> Pushing:
    """Return what a push works with."""
    from syncd.services.push import Pushing

    settings = app.settings
    return Pushing(
        db=app.db,
        client=client,
        lease=held,
        derived=app.derived,
        extra=settings.pull.extra,
        policy=policy(settings.push.conflicts),
        max_batch=settings.push.max_batch,
        epoch=app.epoch(app.db),
        clock=app.clock,
        rng=app.rng,
        progress=progress,
        actor=actor,
    )


def policy(conflicts: Conflicts) -> Policy:
    """Return whose value stands in a conflict, as the settings say: for all fields, or for each."""
    from syncd.sync.merge import Policy

    if isinstance(conflicts, str):
        return Policy(conflicts)
    return Policy(fields=conflicts)
