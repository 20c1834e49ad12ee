"""The database behind one interface: transactions, and what differs between SQLite and PostgreSQL.

On SQLite the standard library's implicit transactions are off (`isolation_level=None`) and every
transaction begins by an explicit statement: BEGIN IMMEDIATE for a writer, so that it waits for the
lock at its start and not in its middle, BEGIN for a reader (sqlite.org/lang_transaction.html).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.exc import DBAPIError, OperationalError

from syncd.errors import DatabaseUnusable, StorageFailed, SyncdError
from syncd.store import sessions
from syncd.store.causes import storage_failed

BUSY_TIMEOUT_S = 30
DEAF_S = 0.25
"""How long SQLite waits for the lock within one call, in which the interpreter hears no signal."""
LOG_KEPT_BYTES = 4 * 1024 * 1024
"""What a SQLite log is cut to once it is empty again: it grows while a reader holds it, and would
keep that size for ever. Emptying begins at 1,000 pages, so a usual pull never grows past this."""
OLDEST_SQLITE = (3, 35, 0)
OLDEST_POSTGRESQL = 14
_COMMITTED = "syncd_committed"
_SPILLS = "syncd_spills"
ROOM_BYTES = 256 * 2**20
"""Free space to sort in: the largest index takes 20 MB of it for a million tasks."""
TEMPORARY_FOLDERS = ("/var/tmp", "/usr/tmp", "/tmp", ".")  # noqa: S108 - SQLite's own list
"""Where SQLite looks for a folder for temporary files, in its order; nothing is written by us."""


class Database:
    """One database: transactions for readers and writers, and what differs between dialects."""

    def __init__(self, engine: Engine, *, schema: str | None = None) -> None:
        self.engine = engine
        self.schema = schema

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @property
    def label(self) -> str:
        """The database as a person knows it, without a password."""
        if self.path is not None:
            return f"SQLite {self.path}"
        shown = self.engine.url.render_as_string(hide_password=True)
        return f"PostgreSQL {shown.partition('://')[2]}" + (
            f", schema {self.schema}" if self.schema else ""
        )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database from start to end."""
        with self._transaction(write=False) as tx:
            yield tx

    @contextmanager
    def write(self, *, spilling: bool = False) -> Iterator[Connection]:
        """Open a transaction that is committed at the end, or leaves nothing.

        `spilling` lets SQLite sort in temporary files what is large: see `spills`.
        """
        with self._transaction(write=True, spilling=spilling) as tx:
            yield tx

    @contextmanager
    def _transaction(self, *, write: bool, spilling: bool = False) -> Iterator[Connection]:
        committed: list[Callable[[], None]] = []
        spilled = spilling and self.is_sqlite and _has_temporary_folder()
        options: dict[str, Any] = {"syncd_write": write, _COMMITTED: committed, _SPILLS: spilled}
        try:
            with self.engine.connect().execution_options(**options) as tx:
                if spilled:
                    tx.detach()  # nobody else inherits the setting
                with _begun(tx):
                    yield tx
        except DBAPIError as error:
            raise storage_failed(error.orig, self.label) from error
        for do in committed:
            do()

    def probe(self, *, write: bool) -> None:
        """Open the database once. Raises DatabaseUnusable where it cannot be read or written."""
        try:
            with self._transaction(write=write) as tx:
                self._check_version(tx)
                if write:
                    self._refuse_read_only(tx)
        except StorageFailed as error:
            raise DatabaseUnusable(error.message, hint=error.hint) from error

    def _refuse_read_only(self, tx: Connection) -> None:
        if self.is_sqlite:
            _try_to_write(tx)
        elif tx.scalar(text("SHOW transaction_read_only")) == "on":
            raise self._read_only()

    def refuse_standby(self, tx: Connection) -> None:
        """Raise DatabaseUnusable on a standby, whose locks are none of the primary's."""
        if not self.is_sqlite and tx.scalar(text("SELECT pg_is_in_recovery()")):
            raise self._read_only()

    def _read_only(self) -> DatabaseUnusable:
        return DatabaseUnusable(
            f"{self.label} is read-only.", hint="Name the primary server, not a standby."
        )

    def _check_version(self, tx: Connection) -> None:
        if self.is_sqlite:
            if sqlite3.sqlite_version_info < OLDEST_SQLITE:
                raise DatabaseUnusable(f"SQLite {sqlite3.sqlite_version} is older than 3.35.")
        elif int(str(tx.scalar(text("SHOW server_version_num")))) < OLDEST_POSTGRESQL * 10_000:
            raise DatabaseUnusable(f"{self.label}: PostgreSQL older than {OLDEST_POSTGRESQL}.")

    def upsert(self, table: Table, *, changing: tuple[str, ...]) -> PostgresInsert | SqliteInsert:
        """Return an insert that overwrites the `changing` columns of a row that exists."""
        insert: Any = sqlite.insert if self.is_sqlite else postgresql.insert
        statement = insert(table)
        keys = list(table.primary_key.columns)
        written = {name: statement.excluded[name] for name in changing}
        made: PostgresInsert | SqliteInsert
        made = statement.on_conflict_do_update(index_elements=keys, set_=written)
        return made

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


LASTING = ("password", "does not exist", "pg_hba.conf", "not permitted", "permission denied")
"""What a server says, while a connection is made, that no waiting changes."""


def is_passing(error: SyncdError) -> bool:
    """Tell whether a database is merely not there yet: its server is down, starting or full."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, DBAPIError):
        cause = cause.__cause__
    said = str(cause.orig) if cause is not None else ""
    away = isinstance(cause, OperationalError) and type(cause.orig).__module__.startswith("psycopg")
    return away and not any(word in said for word in LASTING)


def after_commit(tx: Connection, do: Callable[[], None]) -> None:
    """Call `do` once what `tx` writes is committed; where it is rolled back, never."""
    tx.get_execution_options()[_COMMITTED].append(do)


def alone(tx: Connection, what: str) -> None:
    """Wait until no other transaction writes `what`; others wait until this one ends.

    SQLite has one writer at a time anyway. A holder that hangs is not waited for longer here than
    there: StorageFailed then.
    """
    if tx.dialect.name == "postgresql":
        query = (
            "SELECT set_config('lock_timeout', :limit, true), pg_advisory_xact_lock("
            "hashtextextended('syncd ' || :what || ' ' || current_schema(), 0))"
        )
        tx.execute(text(query), {"limit": f"{BUSY_TIMEOUT_S}s", "what": what})


def horizon(tx: Connection) -> tuple[int, int]:
    """Return the number of the oldest writer that has not ended, and that of the next to come.

    On SQLite no other writer can be under way: both are 0.
    """
    if tx.dialect.name != "postgresql":
        return 0, 0
    query = (
        "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint"
        " FROM pg_current_snapshot() s"
    )
    oldest, following = tx.execute(text(query)).one()
    return int(oldest), int(following)


def open_database(url: str, *, schema: str | None = None) -> Database:
    """Prepare a database; nothing is opened before its first transaction.

    Raises DatabaseUnusable where the URL cannot be one.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        folder = Path(parsed.database or "").parent
        if not folder.is_dir():
            raise DatabaseUnusable(
                f"The folder {folder} of the database does not exist.", hint=f"mkdir -p '{folder}'"
            )
        engine = create_engine(
            parsed,
            connect_args={"timeout": BUSY_TIMEOUT_S},
            hide_parameters=True,
        )
        _prepare_sqlite(engine)
    else:
        engine = create_engine(
            parsed,
            pool_size=2,
            max_overflow=2,
            hide_parameters=True,
            connect_args=sessions.options(),
        )
        sessions.prepare(engine, schema)
    return Database(engine, schema=schema)


@contextmanager
def _begun(tx: Connection) -> Iterator[None]:
    with tx.begin():
        own: Any = tx.connection.dbapi_connection
        try:
            yield
        except (KeyboardInterrupt, SystemExit) as interrupt:
            # The driver may be in the middle of something. A rollback it refuses would take the
            # interrupt's place; closing ends the transaction as well. SQLite's does not refuse,
            # and a connection that still reads or is detached is closed by nobody else in time.
            if isinstance(own, sqlite3.Connection):
                with suppress(sqlite3.Error):
                    own.rollback()
                    own.close()
            tx.invalidate(interrupt)
            raise


def spills(tx: Connection) -> bool:
    """Tell whether SQLite sorts in a temporary file what would take more than two megabytes."""
    return bool(tx.get_execution_options().get(_SPILLS))


def _has_temporary_folder() -> bool:
    """Tell whether SQLite finds one (sqlite.org/tempfiles.html, section 5), and room in it."""
    named = [os.environ[name] for name in ("SQLITE_TMPDIR", "TMPDIR") if name in os.environ]
    for folder in (*named, *TEMPORARY_FOLDERS):
        if Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return shutil.disk_usage(folder).free >= ROOM_BYTES
    return False


def _try_to_write(tx: Connection) -> None:
    """Write a number over itself, and take it back: the file, and its log, stay as they are.

    BEGIN IMMEDIATE says nothing: on a file that may only be read, SQLite begins a read instead.
    """
    version = int(tx.exec_driver_sql("PRAGMA user_version").scalar_one())
    tx.exec_driver_sql(f"PRAGMA user_version = {version}")
    tx.rollback()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, record: object) -> None:
        del record
        connection.isolation_level = None
        for pragma in ("foreign_keys = ON", "synchronous = FULL", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_KEPT_BYTES}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(_SPILLS):  # within a transaction it could not be changed any more
            connection.exec_driver_sql("PRAGMA temp_store = FILE")
        if options.get("syncd_write", True):
            _begin_to_write(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_to_write(tx: Connection) -> None:
    """Wait until no other writes, call by call, so that Ctrl-C is heard meanwhile.

    Raises OperationalError where that takes too long.
    """
    own: Any = tx.connection.dbapi_connection
    until = time.monotonic() + BUSY_TIMEOUT_S
    own.execute(f"PRAGMA busy_timeout = {_ms(min(DEAF_S, BUSY_TIMEOUT_S))}")
    try:
        while not _could_begin(tx, last=time.monotonic() >= until):
            pass
    finally:
        own.execute(f"PRAGMA busy_timeout = {_ms(BUSY_TIMEOUT_S)}")


def _could_begin(tx: Connection, *, last: bool) -> bool:
    try:
        tx.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        # The lowest byte: why it is busy stands in the others (sqlite.org/rescode.html).
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if last or code & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
