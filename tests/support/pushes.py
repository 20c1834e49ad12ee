"""A push under test: SQL people write, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from syncd.model.reports import PushReport
from syncd.services.progress import Silent
from syncd.services.push import push
from syncd.worksection.request import READS
from tests.support.mirror import Mirror

MOMENT = timedelta(seconds=1)
LONG = timedelta(days=1)
"""Longer than any change waits by itself."""


def pushed(mirror: Mirror, *, later: timedelta = MOMENT) -> PushReport:
    """Push once, some time after whatever was before."""
    mirror.clock.move(later)
    with mirror.app.pushing(Silent()) as work:
        return push(work)


def states(mirror: Mirror) -> list[str]:
    """The state of every change, in the order of queueing."""
    return [row["state"] for row in mirror.rows("SELECT state FROM outbox ORDER BY id")]


def written(mirror: Mirror) -> list[str]:
    """The writing requests that the account got, by action, in order."""
    entries = mirror.box.log.entries()
    return [entry.action for entry in entries if entry.action not in READS]


def shown(mirror: Mirror, id: int) -> dict[str, Any]:
    """A task as the account has it."""
    task: dict[str, Any] = mirror.account.snapshot()["tasks"][id]
    return task
