"""Asking the daemon for a turn: a command with --wait knocks, and the daemon gives way for it.

The daemon holds the lease for as long as it runs, so whoever waits for it would wait for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from syncd.store.engine import Database
from syncd.store.state import recall, remember

NAME: Final = "knock"
HEARD: Final = timedelta(seconds=3)
"""A knock that is older is of somebody who does not wait any more."""


def knock(db: Database, *, now: datetime) -> None:
    """Say that somebody waits for the lease, and waits still."""
    with db.write() as tx:
        remember(tx, NAME, now.isoformat())


def somebody_knocks(db: Database, *, now: datetime) -> bool:
    """Tell whether somebody waits for the lease now."""
    with db.read() as tx:
        at = recall(tx, NAME)
    return bool(at) and abs(now - datetime.fromisoformat(at)) <= HEARD
