"""Where the slices of a pull project by project wait until they are applied together.

In the database they outlive a crash. They go there several at once, and come back so: one by one,
the transactions of a slice cost as much as its tasks. A process that is killed loses the last few
answers, which are asked for again; one that ends in any other way loses none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from syncd import __version__
from syncd.errors import SyncdError
from syncd.model.listing import Scope
from syncd.resources.tasks.packed import FORM
from syncd.store import checkpoints
from syncd.store.checkpoints import Checkpoint
from syncd.store.engine import Database

CHECKPOINTS_LAST: Final = timedelta(hours=6)
MOST_WAITING: Final = 8
"""Slices that are stored together: so many requests a kill can cost."""
LONGEST_WAIT_S: Final = 1.0
"""At the account's pace of a request in a second or so, hardly any waits for another."""
MOST_BYTES: Final = 1_000_000
"""Answers that wait in memory, and stored slices that are fetched together."""


class SliceStore:
    """The slices of one pull. A dry run, which writes nothing, keeps them in memory."""

    def __init__(
        self,
        db: Database,
        scope: Scope,
        *,
        durable: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._scope = f"{scope.fingerprint} {__version__} {FORM}"
        self._durable = durable
        self._monotonic = monotonic
        self._memory: dict[int, Checkpoint] = {}
        self._bytes = 0
        self._waiting_since = 0.0
        self._stored: dict[int, int] = {}
        """How many bytes each takes, in the order in which they were fetched."""
        self._ahead: dict[int, checkpoints.Stored] = {}

    def resume(self, now: datetime) -> dict[int, datetime]:
        """Return which projects an interrupted pull has fetched already."""
        if not self._durable:
            return {}
        with self._db.write() as tx:
            checkpoints.drop_stale(tx, scope=self._scope, before=now - CHECKPOINTS_LAST)
            kept = checkpoints.kept(tx)
        self._stored = {one.project_id: one.size for one in kept}
        return {one.project_id: one.observed_at for one in kept}

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Store at the end what still waits, however it ends."""
        try:
            yield
        except BaseException as error:
            try:
                self._store()
            except SyncdError as failure:
                error.add_note(f"{len(self._memory)} answers will be asked for again: {failure}")
            raise
        self._store()

    def keep(self, checkpoint: Checkpoint) -> None:
        """Take one slice, and store what waits if it is enough, or has waited long enough."""
        if not self._memory:
            self._waiting_since, self._bytes = self._monotonic(), 0
        self._memory[checkpoint.project_id] = checkpoint
        self._bytes += sum(len(part.data or b"") for part in checkpoint.parts)
        if (
            len(self._memory) >= MOST_WAITING
            or self._bytes >= MOST_BYTES
            or self._monotonic() - self._waiting_since >= LONGEST_WAIT_S
        ):
            self._store()

    def _store(self) -> None:
        if not (self._durable and self._memory):
            return
        with self._db.write() as tx:
            sizes = checkpoints.keep(self._db, tx, self._scope, self._memory.values())
        self._stored |= sizes
        self._memory.clear()

    def load(self, project_id: int) -> Checkpoint:
        """Return one slice; those after it come along, as far as they are small."""
        if project_id in self._memory:
            return self._memory[project_id]
        if project_id not in self._ahead:
            with self._db.read() as tx:
                self._ahead = checkpoints.load(tx, self._next(project_id))
        return checkpoints.opened(self._ahead.pop(project_id))

    def _next(self, project_id: int) -> list[int]:
        """Return this one and those that were fetched after it, up to so many bytes."""
        order = list(self._stored)
        ids: list[int] = []
        total = 0
        for id in order[order.index(project_id) :]:
            total += self._stored[id]
            if ids and total > MOST_BYTES:
                break
            ids.append(id)
        return ids
