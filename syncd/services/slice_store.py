"""Where the slices of a pull project by project wait until they are applied together.

In the database they outlive a crash. Those that come quickly go there several at once, and come
back so: one by one, the transactions of a small slice cost a fifth of what its tasks do. A process
that is killed loses the last few answers, which are asked for again; one that ends in any other way
stores them first, as long as it holds the lease: what a late old holder has is older than what
another may have landed meanwhile.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from syncd import __version__
from syncd.errors import LeaseLost, SyncdError
from syncd.log import get_logger
from syncd.model.listing import Scope
from syncd.resources.tasks.packed import FORM
from syncd.store import checkpoints
from syncd.store.checkpoints import Checkpoint
from syncd.store.engine import Database
from syncd.store.lease import Lease
from syncd.store.mirror import BATCH

CHECKPOINTS_LAST: Final = timedelta(hours=6)
MOST_WAITING: Final = 16
"""Slices that are stored together: so many requests a kill can cost."""
LONGEST_WAIT_S: Final = 1.0
"""Since the last were stored: at the account's own pace, of a request in a second or so, none waits
for another."""
MOST_BYTES: Final = 2_000_000
"""Answers that wait in memory, and stored slices that are fetched together."""


class SliceStore:
    """The slices of one pull. A dry run, which writes nothing, keeps them in memory."""

    def __init__(
        self,
        db: Database,
        lease: Lease,
        scope: Scope,
        *,
        durable: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._lease = lease
        self._scope = f"{scope.fingerprint} {__version__} {FORM}"
        self._durable = durable
        self._monotonic = monotonic
        self._memory: dict[int, Checkpoint] = {}
        self._bytes = 0
        self._stored_at = -math.inf
        self._failure: SyncdError | None = None
        self._stored: dict[int, int] = {}
        """How many bytes each takes, in the order in which they were fetched."""
        self._ahead: dict[int, checkpoints.Stored] = {}

    def resume(self, now: datetime) -> dict[int, datetime]:
        """Return which projects an interrupted pull has fetched already."""
        if not self._durable:
            return {}
        with self._db.write() as tx:
            self._lease.verify(tx)
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
            if error is not self._failure:
                self._save()
            raise
        self._store()

    def keep(self, checkpoint: Checkpoint) -> None:
        """Take one slice, and store what waits if it is enough, or was not for a while.

        Raises LeaseLost and StorageFailed.
        """
        self._memory[checkpoint.project_id] = checkpoint
        self._bytes += sum(len(part.data or b"") for part in checkpoint.parts)
        if (
            len(self._memory) >= MOST_WAITING
            or self._bytes >= MOST_BYTES
            or self._monotonic() - self._stored_at >= LONGEST_WAIT_S
        ):
            self._store()

    def _store(self) -> None:
        """Store what waits, as the holder of the lease. Raises LeaseLost and StorageFailed."""
        if not (self._durable and self._memory):
            return
        try:
            with self._db.write() as tx:
                self._lease.verify(tx)
                sizes = checkpoints.keep(self._db, tx, self._scope, self._memory.values())
        except SyncdError as failure:
            self._failure = failure
            raise
        self._stored |= sizes
        self._memory.clear()
        self._bytes, self._stored_at = 0, self._monotonic()

    def _save(self) -> None:
        """Store what waits where a pull ends by an error, which is what is told of it."""
        try:
            self._store()
        except SyncdError as failure:
            get_logger().warning("pull.slices_lost", count=len(self._memory), error=str(failure))

    def load(self, project_id: int) -> Checkpoint:
        """Return one slice; those after it come along, as far as they are small.

        Raises LeaseLost where it is gone: only who holds the lease takes slices away.
        """
        if project_id in self._memory:
            return self._memory[project_id]
        if project_id not in self._ahead:
            with self._db.read() as tx:
                self._ahead = checkpoints.load(tx, self._next(project_id))
        if project_id not in self._ahead:
            raise LeaseLost(
                "Another instance took away what this pull had fetched; nothing of it was written."
            )
        return checkpoints.opened(self._ahead.pop(project_id))

    def _next(self, project_id: int) -> list[int]:
        """Return this one and those that were fetched after it, up to so many bytes."""
        order = list(self._stored)
        ids: list[int] = []
        total = 0
        for id in order[order.index(project_id) :]:
            total += self._stored[id]
            if ids and (total > MOST_BYTES or len(ids) == BATCH):
                break
            ids.append(id)
        return ids
