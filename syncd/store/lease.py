"""The lease: the right to talk to the account, one holder at a time.

A lock of the operating system (SQLite: on a file beside the database) or of the server
(PostgreSQL: an advisory lock, freed by the server when our connection ends) decides who holds it;
the row in `lease` names the holder and carries the fencing number, which every write checks.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from syncd.errors import DatabaseUnusable, LeaseHeld, LeaseLost
from syncd.store.engine import Database
from syncd.store.mirror import put
from syncd.store.schema import lease

NAME = "account"
_LOCK_KEY = "hashtextextended('syncd lease ' || current_schema(), 0)"


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease. `last_request_at` is when the account was last asked, by whoever held it."""

    fencing: int
    last_request_at: datetime | None
    clean: bool

    def verify(self, tx: Connection) -> None:
        """Raise LeaseLost unless we are still the holder; in the transaction that it protects."""
        query = select(lease.c.fencing).where(lease.c.name == NAME).with_for_update()
        if tx.scalar(query) != self.fencing:
            raise LeaseLost(
                "Another instance took over the lease meanwhile; nothing of this run was written."
            )


def this_process() -> str:
    """Name this process so that a person can find it: command, number and host."""
    return f"pid {os.getpid()} on {socket.gethostname()}"


@contextmanager
def hold(db: Database, *, now: datetime) -> Iterator[Lease]:
    """Hold the lease for the length of a block. Raises LeaseHeld, naming the holder."""
    guard = _lock_file(db) if db.is_sqlite else _lock_server(db)
    with guard:
        taken = _take(db, now)
        yield taken


@contextmanager
def hold_unwritten(db: Database) -> Iterator[Lease]:
    """Hold the lease without a word in the database, for work that writes nothing.

    The row still names nobody, so a holder must leave the pace behind by waiting for it.
    """
    guard = _lock_file(db) if db.is_sqlite else _lock_server(db)
    with guard:
        with db.read() as tx:
            row = tx.execute(select(lease).where(lease.c.name == NAME)).first()
        if row is None:
            yield Lease(0, None, clean=True)
        else:
            yield Lease(row.fencing, row.last_request_at, clean=row.holder is None)


def give_back(db: Database, taken: Lease, *, last_request_at: datetime | None) -> None:
    """Note that the holder is done, and when it last asked the account."""
    with db.write() as tx:
        tx.execute(
            update(lease)
            .where(lease.c.name == NAME, lease.c.fencing == taken.fencing)
            .values(holder=None, acquired_at=None, last_request_at=last_request_at)
        )


def holder(tx: Connection) -> str | None:
    """Return who holds the lease, as far as the row tells."""
    return tx.scalar(select(lease.c.holder).where(lease.c.name == NAME))


def _take(db: Database, now: datetime) -> Lease:
    with db.write() as tx:
        row = tx.execute(select(lease).where(lease.c.name == NAME)).first()
        fencing = (row.fencing if row else 0) + 1
        last = row.last_request_at if row else None
        put(
            db,
            tx,
            lease,
            [{"name": NAME, "holder": this_process(), "fencing": fencing, "acquired_at": now}],
        )
        return Lease(fencing, last, clean=row is None or row.holder is None)


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


@contextmanager
def _lock_server(db: Database) -> Iterator[None]:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK_KEY})")):
            raise _held(db)
        try:
            yield
        finally:
            with suppress(DBAPIError):  # a server that is gone has freed the lock by itself
                connection.scalar(text(f"SELECT pg_advisory_unlock({_LOCK_KEY})"))


def _held(db: Database) -> LeaseHeld:
    with db.read() as tx:
        who = holder(tx) or "an unnamed process"
    return LeaseHeld(
        f"Another syncd talks to the account now: {who}.",
        holder=who,
        hint="Wait for it with --wait, or stop it first.",
    )
