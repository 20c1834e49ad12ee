"""What the database says of the mirror and the queue, for metrics: instants and numbers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from syncd.errors import SyncdError
from syncd.log import get_logger
from syncd.resources.tasks.table import tasks
from syncd.store import incidents
from syncd.store.engine import Database
from syncd.store.outbox import UNSETTLED, count_open, outbox
from syncd.store.schema import sync_runs

FRESH_S: Final = 5.0
PATIENCE_S: Final = 2.0
"""A scrape is not kept waiting for longer: what asks gives up after ten seconds as a rule."""
SHARE: Final = 200
LONGEST_S: Final = 300.0
"""Reading takes one part of `SHARE` of the time, so a large mirror is read less often."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """One reading. Ages are told from instants, so that they are right at every scrape."""

    observed_at: datetime | None = None
    """As of when the mirror was last complete."""
    ended_at: datetime | None = None
    """When the last complete pull ended."""
    queued_at: datetime | None = None
    """When the change that is queued for the longest time was."""
    changes: Mapping[str, int] = field(default_factory=dict)
    incidents: Mapping[str, int] = field(default_factory=dict)
    drift: int | None = None
    tasks: int = 0


def read_gauges(db: Database) -> Gauges:
    """Read them. Raises StorageFailed."""
    runs, queued = sync_runs.c, (text(UNSETTLED), outbox.c.state == "queued")
    ended = select(sync_runs).order_by(runs.finished_at.desc()).limit(1)
    with db.read() as tx:
        pulled = tx.execute(ended.where(runs.kind == "pull", runs.outcome == "complete")).first()
        checked = tx.execute(ended.where(runs.kind == "verify", runs.outcome != "failed")).first()
        live = select(func.count()).select_from(tasks).where(tasks.c.removed_at.is_(None))
        return Gauges(
            observed_at=pulled.observed_at if pulled else None,
            ended_at=pulled.finished_at if pulled else None,
            queued_at=tx.scalar(select(func.min(outbox.c.created_at)).where(*queued)),
            changes=count_open(tx),
            incidents=Counter(one.kind for one in incidents.load_open(tx)),
            drift=int(checked.counts.get("differing", 0)) if checked else None,
            tasks=tx.scalar(live) or 0,
        )


class Reading:
    """The last reading, for scrapes that come at any time and in any number.

    One thread reads at a time, and nobody waits for it for long: a database that hangs costs a
    scrape its gauges and never its answer.
    """

    def __init__(
        self,
        read: Callable[[], Gauges],
        *,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._read = read
        self._clock = clock
        self._patience_s = patience_s
        self._lock = Lock()
        self._gauges: Gauges | None = None
        self._good_until = clock()
        self._ended: Event | None = None

    def gauges(self) -> Gauges | None:
        """Return a reading that is fresh; None where the database does not give one."""
        with self._lock:
            if self._ended is None:
                if self._clock() < self._good_until:
                    return self._gauges
                self._ended = Event()
                Thread(target=self._renew, args=(self._ended,), name="gauges", daemon=True).start()
            ended = self._ended
        return self._gauges if ended.wait(self._patience_s) else None

    def _renew(self, ended: Event) -> None:
        started, found = self._clock(), None
        try:
            found = self._read()
        except (SyncdError, SQLAlchemyError) as error:
            get_logger().warning("metrics.not_read", error=str(error))
        finally:
            now = self._clock()
            rest = min(LONGEST_S, SHARE * (now - started)) if found else 0.0
            with self._lock:
                self._gauges, self._ended = found, None
                self._good_until = now + max(FRESH_S, rest)
            ended.set()
