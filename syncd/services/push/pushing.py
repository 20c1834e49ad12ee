"""What a push works with, what it has done so far, and the transactions in which it writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import Connection

from syncd.errors import AccountError
from syncd.resources.derived import Derived
from syncd.services.progress import Progress
from syncd.services.push.epoch import Epoch
from syncd.store import audit, outbox
from syncd.store.audit import Event
from syncd.store.engine import Database
from syncd.store.lease import Lease
from syncd.sync.merge import Policy
from syncd.sync.states import State
from syncd.worksection.client import Client


@dataclass(frozen=True, slots=True)
class Pushing:
    """Everything a push works with; `extra` is what pulls ask for, so that looks see the same.

    `pause` is called before each plan: it may wait for whoever is queueing just now.
    """

    db: Database
    client: Client
    lease: Lease
    derived: Derived
    extra: tuple[str, ...]
    policy: Policy
    max_batch: int
    epoch: Epoch
    clock: Callable[[], datetime]
    rng: Random
    progress: Progress
    actor: str
    pause: Callable[[], None] = field(default=lambda: None)


@dataclass(slots=True)
class Run:
    """One push under way.

    `apart` are lanes whose folded request was refused: there each change goes by itself, so that
    only the wrong one fails. `looked` are uncertain changes that this run has looked for already.
    `lost` are the answers that were lost in a row.
    """

    work: Pushing
    id: int
    started_at: datetime
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    apart: set[str] = field(default_factory=set)
    looked: set[int] = field(default_factory=set)
    told: list[Event] = field(default_factory=list)
    lost: list[AccountError] = field(default_factory=list)
    trouble: AccountError | None = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is ours alone to write: the lease is checked inside it.

        Raises LeaseLost; then nothing of the transaction stays.
        """
        work = self.work
        with work.db.write() as tx, outbox.acting(work.db, tx, work.actor):
            work.lease.verify(tx)
            self.told.clear()
            yield tx
            # Last: whoever appends holds the end of the chain until the commit, and a person's
            # command takes the outbox first and the chain after it.
            at = work.clock()
            audit.append(tx, self.told, at=at, actor=work.actor, run_id=self.id)
            audit.chain_outbox(tx, at=at, run_id=self.id)

    def move(
        self, tx: Connection, ids: Sequence[int], before: State, after: State, **values: Any
    ) -> tuple[int, ...]:
        """Move changes, and return those that were still in `before`."""
        moved = tuple(id for id in ids if outbox.move(tx, id, before, after, **values))
        self.counts[after] += len(moved)
        return moved

    def audit(self, event: str, entity_id: int, detail: Mapping[str, Any]) -> None:
        """Tell what the trail of a change has no words for, in the transaction that is open."""
        self.told.append(Event(event, "change", entity_id, dict(detail)))

    @property
    def breaks_off(self) -> bool:
        """Whether answers were lost in a row: before more is sent, a look has to find them."""
        return len(self.lost) > 1
