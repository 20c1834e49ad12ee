"""The application: what its parts share, and the ways in which a command may hold the account.

Whoever talks to the account holds the lease; a method that opens the one takes the other first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from syncd.bootstrap import moving, rehearsing, works
from syncd.bootstrap.pace import one_turn, pace_kept
from syncd.bootstrap.waiting import taken
from syncd.errors import DatabaseUnusable, StorageFailed
from syncd.resources.derived import Derived
from syncd.services.actor import local_actor
from syncd.services.progress import QUIET, Pulse
from syncd.settings import Settings
from syncd.store import lease, moved, upgrade
from syncd.store.engine import Database
from syncd.store.knock import knock
from syncd.store.revisions import no_mirror, outdated

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from syncd.services.move import Moving
    from syncd.services.prepare import Pulling
    from syncd.services.progress import Progress
    from syncd.services.push import Pushing
    from syncd.services.push.epoch import Epoch
    from syncd.worksection.client import Client


@dataclass(frozen=True, slots=True)
class App:
    """The application: settings, database, and the clock, random and sleep everything shares."""

    settings: Settings
    db: Database
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    rng: Random
    kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What one pull leaves in memory for the next one of this process."""

    @property
    def derived(self) -> Derived:
        """What derived columns are made with."""
        account = self.settings.account
        return Derived(account.url.rstrip("/"), account.zone)

    def ready(self, *, write: bool) -> bool:
        """Make sure that the database can be used with this code, and was not moved away.

        Returns whether it had to be upgraded. Raises DatabaseUnusable and SchemaMismatch.
        """
        upgraded = self.bring_up(write=write)
        moved.refuse_moved(self.db)
        return upgraded

    def bring_up(self, *, write: bool) -> bool:
        """Make sure that the schema is this code's; returns whether that took an upgrade.

        An empty database gets its schema; an older one is upgraded where the settings allow it.
        Raises DatabaseUnusable and SchemaMismatch.
        """
        if not write and self.db.path is not None and not self.db.path.exists():
            raise no_mirror(f"{self.db.path} does not exist")
        self.db.probe(write=write)
        state = upgrade.schema_state(self.db)
        if state.current:
            return False
        if not write and state.empty:
            raise no_mirror(f"{self.db.label} is empty")
        if write and (state.empty or self._may_upgrade):
            upgrade.upgrade(self.db, now=self.clock())
            return True
        raise outdated(self.db.label, state)

    @property
    def _may_upgrade(self) -> bool:
        """A SQLite file is backed up and upgraded at once; a server waits for the word."""
        chosen = self.settings.database.auto_upgrade
        return self.db.is_sqlite if chosen is None else chosen

    @contextmanager
    def client(self, held: lease.Lease | None = None, *, pulse: Pulse = QUIET) -> Iterator[Client]:
        """Open the way to the account. Nothing is sent before the first call.

        With a lease nothing leaves unless we still hold it at that moment.
        """
        from syncd.services.opening import open_client

        with open_client(
            self.settings,
            clock=self.clock,
            sleep=self.sleep,
            rng=self.rng,
            before=held.prove if held else None,
            pulse=pulse,
        ) as client:
            yield client

    @contextmanager
    def turn(self, *, wait: bool = False) -> Iterator[tuple[lease.Lease, Client]]:
        """Hold the lease and open the account, at the pace that the last holder has left.

        Raises LeaseHeld while another instance holds it, unless told to `wait`.
        """
        with self._taken(wait=wait) as held, one_turn(self, held) as client:
            yield held, client

    @contextmanager
    def talking(self, held: lease.Lease, *, pulse: Pulse = QUIET) -> Iterator[Client]:
        """Open the account for the holder of the lease, and leave the pace behind at the end."""
        with self.client(held, pulse=pulse) as client, pace_kept(self, held, client):
            yield client

    @contextmanager
    def asking(self, *, wait: bool = False) -> Iterator[Client]:
        """Open the account for a look: in a turn of its own where the mirror can give one.

        Raises LeaseHeld as `turn` does. Without a mirror nobody else can be talking for it.
        """
        with ExitStack() as stack:
            client: Client | None = None
            if self._has_lease:
                try:
                    _, client = stack.enter_context(self.turn(wait=wait))
                except (DatabaseUnusable, StorageFailed):
                    client = None  # we may read this mirror and not write it
            yield client or stack.enter_context(self.client())

    @property
    def _has_lease(self) -> bool:
        if self.db.path is not None and not self.db.path.exists():
            return False
        try:
            return upgrade.schema_state(self.db).current
        except (DatabaseUnusable, StorageFailed):
            return False

    def note_asked(self) -> None:
        """Leave behind that the account was asked just now, for the pace of whoever is next."""
        with self._taken(wait=False) as held:
            lease.give_back(self.db, held, lease.Pace(self.clock()))

    @contextmanager
    def pulling(
        self, progress: Progress, *, actor: str | None = None, wait: bool = False
    ) -> Iterator[Pulling]:
        """Hold the lease and open the account, for the length of a pull.

        Raises LeaseHeld while another instance holds it, unless told to `wait`.
        """
        with self.turn(wait=wait) as (held, client):
            yield self.pulling_with(held, client, progress, actor or local_actor())

    @contextmanager
    def pushing(
        self, progress: Progress, *, actor: str | None = None, wait: bool = False
    ) -> Iterator[Pushing]:
        """Hold the lease and open the account, for the length of a push.

        Raises LeaseHeld while another instance holds it, unless told to `wait`.
        """
        with self.turn(wait=wait) as (held, client):
            yield self.pushing_with(held, client, progress, actor or local_actor())

    @contextmanager
    def syncing(
        self, progress: Progress, *, actor: str | None = None, wait: bool = False
    ) -> Iterator[tuple[Pulling, Pushing]]:
        """Hold the lease and open the account, for the length of one cycle: a pull and a push."""
        with self.turn(wait=wait) as (held, client):
            who = actor or local_actor()
            yield (
                self.pulling_with(held, client, progress, who),
                self.pushing_with(held, client, progress, who),
            )

    def moving(
        self, target: Database, progress: Progress, *, dry_run: bool
    ) -> AbstractContextManager[Moving]:
        """Hold the lease for the length of a move, so that nobody talks to the account meanwhile.

        Raises LeaseHeld while another instance holds it. A dry run writes nothing.
        """
        return moving.moving(self, target, progress, dry_run=dry_run)

    def undo_move(self) -> str:
        """Let the old file be the mirror again; returns where it had been moved to."""
        return moving.undo_move(self)

    def epoch(self, db: Database) -> Epoch:
        """Return the count of sendings into the account, in a database and beside it."""
        from syncd.services.push.epoch import Epoch, epoch_path

        return Epoch(db, epoch_path(db, dict(os.environ)))

    def rehearsing(
        self, progress: Progress, *, wait: bool = False
    ) -> AbstractContextManager[Pulling]:
        """As `pulling`, for a dry run: nothing at all is written, the lease's row included.

        Where there is no mirror yet, an empty one that is thrown away stands in for it.
        """
        return rehearsing.rehearsing(self, progress, wait=wait)

    def pulling_with(
        self, held: lease.Lease, client: Client, progress: Progress, actor: str
    ) -> Pulling:
        """Return what a pull works with."""
        return works.pulling(self, held, client, progress, actor)

    def pushing_with(
        self, held: lease.Lease, client: Client, progress: Progress, actor: str
    ) -> Pushing:
        """Return what a push works with."""
        return works.pushing(self, held, client, progress, actor)

    @contextmanager
    def holding(self, *, wait: bool = False) -> Iterator[lease.Lease]:
        """Hold the lease. Raises LeaseHeld while another instance does, unless told to `wait`."""
        with self._taken(wait=wait) as held:
            try:
                yield held
            finally:
                lease.give_back(self.db, held)

    def _taken(self, *, wait: bool) -> AbstractContextManager[lease.Lease]:
        return taken(
            self,
            # Whoever had it may have moved the mirror away.
            lambda: lease.hold(self.db, now=self.clock(), check=moved.refuse_if_moved),
            wait=wait,
            ask=lambda: knock(self.db, now=self.clock()),
        )
