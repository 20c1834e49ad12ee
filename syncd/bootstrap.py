"""Builds the application from its settings; nothing is created at import time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from syncd.errors import (
    DatabaseUnusable,
    LeaseHeld,
    NoMirror,
    StorageFailed,
)
from syncd.resources.derived import Derived
from syncd.services.actor import local_actor
from syncd.services.progress import QUIET, Pulse
from syncd.settings import Conflicts, Settings
from syncd.store import lease, moved, upgrade
from syncd.store.engine import Database, open_database
from syncd.store.knock import knock
from syncd.store.revisions import no_mirror, outdated

if TYPE_CHECKING:
    from syncd.services.move import Moving
    from syncd.services.prepare import Pulling
    from syncd.services.progress import Progress
    from syncd.services.push import Pushing
    from syncd.services.push.epoch import Epoch
    from syncd.sync.merge import Policy
    from syncd.worksection.client import Client

WAIT_STEP_S = 0.5


def utc_now() -> datetime:
    """Return this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class App:
    """The application: settings, database, and the clock, random and sleep everything shares."""

    settings: Settings
    db: Database
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    rng: Random

    @property
    def derived(self) -> Derived:
        """What derived columns are made with."""
        account = self.settings.account
        return Derived(account.url.rstrip("/"), account.zone)

    def ready(self, *, write: bool) -> None:
        """Make sure that the database can be used with this code, and was not moved away.

        Raises DatabaseUnusable and SchemaMismatch.
        """
        self.bring_up(write=write)
        moved.refuse_moved(self.db)

    def bring_up(self, *, write: bool) -> None:
        """Make sure that the schema is this code's.

        An empty database gets its schema; an older one is upgraded where the settings allow it.
        Raises DatabaseUnusable and SchemaMismatch.
        """
        if not write and self.db.path is not None and not self.db.path.exists():
            raise no_mirror(f"{self.db.path} does not exist")
        self.db.probe(write=write)
        state = upgrade.schema_state(self.db)
        if state.current:
            return
        if not write and state.empty:
            raise no_mirror(f"{self.db.label} is empty")
        if write and (state.empty or self._may_upgrade):
            upgrade.upgrade(self.db, now=self.clock())
            return
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
        with self.holding(wait=wait) as held, self.talking(held) as client:
            yield held, client

    @contextmanager
    def talking(self, held: lease.Lease, *, pulse: Pulse = QUIET) -> Iterator[Client]:
        """Open the account for the holder of the lease, and leave the pace behind at the end."""
        with self.client(held, pulse=pulse) as client:
            spacing = timedelta(seconds=client.budget.spacing_s)
            client.budget.not_before(_left_of(spacing, held, self.clock()))
            try:
                yield client
            finally:
                self.leave_pace(held, client)

    def leave_pace(self, held: lease.Lease, client: Client) -> None:
        """Note when the account was last asked, and until when it wants to be left alone."""
        now = self.clock()
        wait = timedelta(seconds=client.budget.wait_s())
        asked = now if client.budget.requests else held.last_request_at
        rest = now + wait if wait.total_seconds() > client.budget.spacing_s else None
        lease.note_pace(self.db, held, last_request_at=asked, resume_at=rest)

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
        with self.holding() as held:
            lease.note_pace(self.db, held, last_request_at=self.clock())

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

    @contextmanager
    def moving(self, target: Database, progress: Progress, *, dry_run: bool) -> Iterator[Moving]:
        """Hold the lease for the length of a move, so that nobody talks to the account meanwhile.

        Raises LeaseHeld while another instance holds it. A dry run writes nothing.
        """
        from syncd.services.move import Moving

        with ExitStack() as stack:
            if dry_run:
                held = stack.enter_context(lease.hold_unwritten(self.db))
            else:
                held = stack.enter_context(lease.hold(self.db, now=self.clock()))
                asked = held.last_request_at if held.clean else self.clock()
                lease.note_pace(self.db, held, last_request_at=asked, resume_at=held.resume_at)
                stack.callback(lease.give_back, self.db, held)
            yield Moving(
                source=self.epoch(self.db),
                target=self.epoch(target),
                lease=held,
                clock=self.clock,
                rng=self.rng,
                progress=progress,
                actor=local_actor(),
            )

    def undo_move(self) -> str:
        """Let the old file be the mirror again; returns where it had been moved to."""
        from syncd.services.move import undo_move

        with lease.hold(self.db, now=self.clock()) as held:
            mark = undo_move(self.epoch(self.db), at=self.clock(), actor=local_actor())
            lease.give_back(self.db, held)
        return mark.other

    def epoch(self, db: Database) -> Epoch:
        """Return the count of sendings into the account, in a database and beside it."""
        from syncd.services.push.epoch import Epoch, epoch_path

        return Epoch(db, epoch_path(db, dict(os.environ)))

    @contextmanager
    def rehearsing(self, progress: Progress, *, wait: bool = False) -> Iterator[Pulling]:
        """As `pulling`, for a dry run: nothing at all is written, the lease's row included.

        Where there is no mirror yet, an empty one that is thrown away stands in for it.
        """
        try:
            self.ready(write=False)
        except NoMirror:
            with self._stand_in() as empty, empty.pulling(progress) as work:
                yield work
            return
        unwritten = self._waiting(lambda: lease.hold_unwritten(self.db), wait=wait)
        with unwritten as held, self.client() as client:
            spacing = timedelta(seconds=client.budget.spacing_s)
            client.budget.not_before(_left_of(spacing, held, self.clock()))
            yield self.pulling_with(held, client, progress, local_actor())
            self.sleep(client.budget.wait_s())  # no row tells the next holder when we asked

    @contextmanager
    def _stand_in(self) -> Iterator[App]:
        with TemporaryDirectory(prefix="syncd-") as folder:
            db = open_database(f"sqlite:///{folder}/empty.db")
            try:
                upgrade.upgrade(db, now=self.clock())
                yield replace(self, db=db)
            finally:
                db.close()

    def pulling_with(
        self, held: lease.Lease, client: Client, progress: Progress, actor: str
    ) -> Pulling:
        """Return what a pull works with."""
        from syncd.services.prepare import Pulling

        settings = self.settings
        return Pulling(
            db=self.db,
            client=client,
            lease=held,
            derived=self.derived,
            extra=settings.pull.extra,
            archived=settings.pull.archived,
            max_removals=settings.pull.max_removals,
            auth=settings.account.auth,
            clock=self.clock,
            progress=progress,
            actor=actor,
        )

    def pushing_with(
        self, held: lease.Lease, client: Client, progress: Progress, actor: str
    ) -> Pushing:
        """Return what a push works with."""
        from syncd.services.push import Pushing

        settings = self.settings
        return Pushing(
            db=self.db,
            client=client,
            lease=held,
            derived=self.derived,
            extra=settings.pull.extra,
            policy=policy(settings.push.conflicts),
            max_batch=settings.push.max_batch,
            epoch=self.epoch(self.db),
            clock=self.clock,
            rng=self.rng,
            progress=progress,
            actor=actor,
        )

    @contextmanager
    def holding(self, *, wait: bool = False) -> Iterator[lease.Lease]:
        """Hold the lease. Raises LeaseHeld while another instance does, unless told to `wait`."""
        taken = self._waiting(
            lambda: lease.hold(self.db, now=self.clock()),
            wait=wait,
            ask=lambda: knock(self.db, now=self.clock()),
        )
        with taken as held:
            try:
                yield held
            finally:
                lease.give_back(self.db, held)

    @contextmanager
    def _waiting(
        self,
        hold: Callable[[], AbstractContextManager[lease.Lease]],
        *,
        wait: bool,
        ask: Callable[[], None] = lambda: None,
    ) -> Iterator[lease.Lease]:
        """Hold the lease one way or another; where told to wait, once its holder is done.

        `ask` asks a holder that would never be done, the daemon, to give way.
        """
        with ExitStack() as stack:
            held: lease.Lease | None = None
            while held is None:
                try:
                    held = stack.enter_context(hold())
                except LeaseHeld:
                    if not wait:
                        raise
                    ask()
                    self.sleep(WAIT_STEP_S)
            moved.refuse_moved(self.db)  # whoever had it may have moved the mirror away
            yield held


def policy(conflicts: Conflicts) -> Policy:
    """Return whose value stands in a conflict, as the settings say: for all fields, or for each."""
    from syncd.sync.merge import Policy

    if isinstance(conflicts, str):
        return Policy(conflicts)
    return Policy(fields=conflicts)


def _left_of(spacing: timedelta, held: lease.Lease, now: datetime) -> float:
    """Return the seconds until the account may be asked again, whoever asked it last.

    A holder that died did not leave a time behind, so a whole spacing is waited then. What the
    account itself asked for is waited for as long as a budget ever holds back.
    """
    last = held.last_request_at if held.clean else now
    left = timedelta() if last is None else min(max(last + spacing - now, timedelta()), spacing)
    asked = timedelta() if held.resume_at is None else held.resume_at - now
    return max(left, asked).total_seconds()


@contextmanager
def asking_for(settings: Settings, *, wait: bool = False) -> Iterator[Client]:
    """Open the account as `App.asking` does, also where there can be no database at all."""
    from syncd.services.opening import open_client

    try:
        app = build(settings)
    except DatabaseUnusable:
        with open_client(settings, clock=utc_now, sleep=time.sleep, rng=_random()) as client:
            yield client
        return
    with closing(app.db), app.asking(wait=wait) as client:
        yield client


def _random() -> Random:
    return Random()  # noqa: S311 - it spreads retries, it guards nothing


def build(settings: Settings) -> App:
    """Build the application. Raises DatabaseUnusable where the database's address cannot be one."""
    return App(
        settings=settings,
        db=open_database(settings.database_url, schema=settings.database.schema),
        clock=utc_now,
        sleep=time.sleep,
        rng=_random(),
    )
