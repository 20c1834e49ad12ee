"""The lease: the right to talk to the account, one holder at a time.

A lock of the operating system (SQLite: on a file beside the database) or of the server
(PostgreSQL: an advisory lock, see `keeper`) decides who holds it; the row in `lease` names the
holder and carries the fencing number, which every write checks.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Float, Label, cast, func, literal, select, update

from syncd.errors import DatabaseUnusable, LeaseHeld, LeaseLost
from syncd.store.engine import Database
from syncd.store.keeper import Keeper, lock_server
from syncd.store.schema import lease

NAME = "account"

Check = Callable[[Database, Connection], None]
"""Raises where a database is not to be used, in a transaction of whoever takes its lease."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease. `last_request_at` is when the account was last asked, by whoever held it.

    `resume_at` is the instant before which the account asked not to be asked again. `idle_s` is how
    long ago the last holder gave a sign of life, as it does before each request; by the server's
    clock, for that of another host may be off by hours. A file knows one host.
    """

    fencing: int
    last_request_at: datetime | None
    clean: bool
    resume_at: datetime | None = None
    idle_s: float | None = None
    keeper: Keeper | None = None

    def verify(self, tx: Connection) -> None:
        """Raise LeaseLost unless we are still the holder; in the transaction that it protects.

        Whoever takes over waits for that transaction; the heartbeat does not.
        """
        query = select(lease.c.fencing).where(lease.c.name == NAME)
        if tx.scalar(query.with_for_update(read=True, key_share=True)) != self.fencing:
            raise LeaseLost(
                "Another instance took over the lease meanwhile; nothing of this run was written."
            )

    def prove(self) -> None:
        """Raise LeaseLost unless we still hold it: right before anything leaves for the account.

        A file's lock is the kernel's, and cannot be lost; a server is asked.
        """
        if self.keeper is not None:
            self.keeper.prove(self.fencing)

    @property
    def lost(self) -> bool:
        """Whether a proof has failed already; asks nobody."""
        return self.keeper is not None and self.keeper.lost


@dataclass(frozen=True, slots=True)
class Pace:
    """When the account was last asked, and until when it wants to be left alone."""

    last_request_at: datetime | None
    resume_at: datetime | None = None


def this_process() -> str:
    """Name this process so that a person can find it: command, number and host."""
    return f"pid {os.getpid()} on {socket.gethostname()}"


def whatever_it_is(db: Database, tx: Connection) -> None:
    """Take the lease of any database."""


@contextmanager
def hold(db: Database, *, now: datetime, check: Check = whatever_it_is) -> Iterator[Lease]:
    """Hold the lease for the length of a block. Raises LeaseHeld, naming the holder.

    What `check` raises leaves the lease as it was.
    """
    with _locked(db) as keeper:
        taken = replace(_take(db, now, check), keeper=keeper)
        if keeper is None:
            yield taken
            return
        with keeper.beating(taken.fencing):
            yield taken


@contextmanager
def hold_unwritten(db: Database, *, check: Check = whatever_it_is) -> Iterator[Lease]:
    """Hold the lease without a word in the database, for work that writes nothing.

    The row still names nobody, so a holder must leave the pace behind by waiting for it.
    On a standby the lock would keep nobody away; it is refused there.
    """
    with _locked(db):
        with db.read() as tx:
            db.refuse_standby(tx)
            check(db, tx)
            row = tx.execute(select(lease).where(lease.c.name == NAME)).first()
        if row is None:
            yield Lease(0, None, clean=True)
        else:
            yield Lease(row.fencing, row.last_request_at, row.holder is None, row.resume_at)


@contextmanager
def _locked(db: Database) -> Iterator[Keeper | None]:
    if db.is_sqlite:
        with _lock_file(db):
            yield None
        return
    with lock_server(db) as keeper:
        if keeper is None:
            raise _held(db)
        yield keeper


def give_back(db: Database, taken: Lease, pace: Pace | None = None) -> None:
    """Note that the holder is done, and leave its pace behind; without one the row's stays."""
    left = asdict(pace) if pace is not None else {}
    _write_ours(db, taken, holder=None, acquired_at=None, **left)


def note_pace(db: Database, held: Lease, pace: Pace) -> None:
    """Leave the pace behind for whoever is next."""
    _write_ours(db, held, **asdict(pace))


def _write_ours(db: Database, held: Lease, **values: object) -> None:
    """Write into the row while it is ours; a late old holder changes nothing."""
    ours = (lease.c.name == NAME, lease.c.fencing == held.fencing)
    with db.write() as tx:
        tx.execute(update(lease).where(*ours).values(**values))


def holder(tx: Connection) -> str | None:
    """Return who holds the lease, as far as the row tells."""
    return tx.scalar(select(lease.c.holder).where(lease.c.name == NAME))


def _take(db: Database, now: datetime, check: Check) -> Lease:
    """Write ourselves into the row; an old holder's open transaction is waited for."""
    with db.write() as tx:
        mine = lease.c.name == NAME
        row = tx.execute(select(lease, _idle_s(db)).where(mine).with_for_update()).first()
        check(db, tx)
        taken = Lease(
            fencing=(row.fencing if row else 0) + 1,
            last_request_at=row.last_request_at if row else None,
            clean=row is None or row.holder is None,
            resume_at=row.resume_at if row else None,
            idle_s=row.idle_s if row else None,
        )
        values = {"holder": this_process(), "fencing": taken.fencing, "acquired_at": now}
        if not db.is_sqlite:
            values["heartbeat_at"] = func.clock_timestamp()
        tx.execute(db.upsert(lease, changing=tuple(values)).values(name=NAME, **values))
        return taken


def _idle_s(db: Database) -> Label[float | None]:
    if db.is_sqlite:
        return literal(None, Float).label("idle_s")
    passed = func.clock_timestamp() - lease.c.heartbeat_at
    return cast(func.extract("epoch", passed), Float).label("idle_s")


@contextmanager
def _lock_file(db: Database) -> Iterator[None]:
    path = Path(f"{db.path}.lock")
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise DatabaseUnusable(
            f"{path} cannot be written: {error.strerror}.",
            hint="Let the user of syncd write the folder of the database.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(db) from None
        yield


def _held(db: Database) -> LeaseHeld:
    with db.read() as tx:
        who = holder(tx) or "an unnamed process"
    return LeaseHeld(
        f"Another syncd talks to the account now: {who}.",
        holder=who,
        hint="Wait for it with --wait, or stop it first.",
    )
