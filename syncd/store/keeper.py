"""The session of a PostgreSQL server that holds the lease's lock, and its heartbeat.

The lock decides who holds the lease; the server frees it when the session ends, so a holder that
was killed is followed at once. A holder that is frozen or cut off keeps its session: when its
heartbeat, by the server's clock, is older than STALE, whoever wants the lease ends all of the
holder's sessions, its open transaction included. No clock but the server's is asked.

Right before each request the holder proves itself over this very session: a late old holder
can send nothing. Between that proof and the first byte lie microseconds; a request that leaves in
them is what a kill -9 leaves behind too, and is looked for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from syncd.errors import LeaseLost, StorageFailed, SyncdError
from syncd.store.causes import storage_failed
from syncd.store.engine import Database

BEAT_S = 5.0
STALE_S = 40
ANSWER_MS = 10_000
"""How long the server may take to answer a heartbeat."""

_KEY = "hashtextextended('syncd lease ' || current_schema(), 0)"
_LIMIT = f"set_config('statement_timeout', '{ANSWER_MS}', false)"
_NO_LIMIT = "set_config('statement_timeout', NULL, false)"  # what the server has for everybody
_TRY = f"SELECT pg_try_advisory_lock({_KEY}), {_LIMIT}"
_UNLOCK = f"SELECT pg_advisory_unlock({_KEY}), {_NO_LIMIT}"
_PROVE = (
    "UPDATE lease SET heartbeat_at = clock_timestamp()"
    " WHERE name = 'account' AND fencing = %(fencing)s RETURNING 1"
)  # for the driver as it is: it goes before every request
# state_change beside the row: a holder that has the lock and no row yet must not look stale.
_END_STALE = f"""
SELECT pg_terminate_backend(other.pid)
FROM pg_locks l
JOIN pg_stat_activity mine ON mine.pid = l.pid
JOIN pg_stat_activity other ON other.application_name = mine.application_name
  AND other.usename = mine.usename
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ((l.classid::bigint << 32) | l.objid::bigint) = {_KEY}
  AND mine.usename = current_user AND mine.application_name LIKE 'syncd %'
  AND mine.state_change < clock_timestamp() - make_interval(secs => :stale)
  AND coalesce((SELECT heartbeat_at FROM lease WHERE name = 'account'), '-infinity')
    < clock_timestamp() - make_interval(secs => :stale)
"""  # noqa: S608 - our own words


class Keeper:
    """The session that holds the lock. Safe to share between threads."""

    def __init__(self, connection: Connection, label: str) -> None:
        self._connection = connection
        self._label = label
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self._lost: SyncdError | None = None

    @property
    def lost(self) -> bool:
        """Whether a proof has failed: nothing may be sent or written any more."""
        return self._lost is not None

    def prove(self, fencing: int) -> None:
        """Show a sign of life.

        Raises LeaseLost where another holder has come, StorageFailed where the session is gone, and
        the lock with it; and again at every call after that.
        """
        with self._one_at_a_time:
            self._lost = self._lost or self._asked(fencing)
            if self._lost is not None:
                raise self._lost

    def _asked(self, fencing: int) -> SyncdError | None:
        try:
            found = self._connection.exec_driver_sql(_PROVE, {"fencing": fencing}).scalar()
        except DBAPIError as error:
            return storage_failed(error.orig, self._label)
        return LeaseLost("Another instance took over the lease.") if found is None else None

    @contextmanager
    def beating(self, fencing: int) -> Iterator[None]:
        """Prove it again and again, for the length of a block."""
        thread = threading.Thread(
            target=self._beat, args=(fencing,), name="lease heartbeat", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(ANSWER_MS / 1000)

    def _beat(self, fencing: int) -> None:
        # A failed proof is kept, and whoever works meets it at the next request.
        with suppress(LeaseLost, StorageFailed):
            while not self._stop.wait(BEAT_S):
                self.prove(fencing)


@contextmanager
def lock_server(db: Database) -> Iterator[Keeper | None]:
    """Hold the lock for the length of a block; None where another session has it.

    Raises StorageFailed where the server cannot be asked.
    """
    try:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield from _lock(connection, db.label)
    except DBAPIError as error:
        raise storage_failed(error.orig, db.label) from error


def _lock(connection: Connection, label: str) -> Iterator[Keeper | None]:
    locked = False
    try:
        locked = _locked(connection)
        yield Keeper(connection, label) if locked else None
    finally:
        with suppress(SQLAlchemyError):  # a server that is gone has freed the lock by itself
            connection.execute(text(_UNLOCK if locked else f"SELECT {_NO_LIMIT}"))


def _locked(connection: Connection) -> bool:
    """Take the lock, from a holder that gives no sign of life too."""
    if connection.scalar(text(_TRY)):
        return True
    if not connection.execute(text(_END_STALE), {"stale": STALE_S}).all():
        return False
    return bool(connection.scalar(text(_TRY)))
