"""The sessions of a PostgreSQL server: how they are made and begin, and whether they still live."""

from __future__ import annotations

import os
import secrets
import socket
import time
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_TIMEOUT_S = 10
TRUSTED_S = 1.0
"""For how long after its last use a connection is taken to be alive, without a ping."""
_USED = "syncd_used"
BINARY = "syncd_binary"
"""The execution option of a statement whose answer is wanted in binary: long arrays, mostly."""


def options() -> dict[str, str | int]:
    """Return what every session of this program has in common on a server.

    All carry one name, which no other program has: the lease of a frozen holder is taken by ending
    them (`keeper`). A server that went without a word is given up after half a minute.
    """
    name = f"syncd {os.getpid()}@{socket.gethostname()[:30]} {secrets.token_hex(4)}"
    return {
        "application_name": name,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,
    }


def prepare(engine: Engine, schema: str | None) -> None:
    """Let the engine's connections begin as ours do, and hand out none that has died."""
    _when_made(engine, schema)
    _when_begun(engine)
    _when_asked(engine)
    _when_lent(engine)


def _when_made(engine: Engine, schema: str | None) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: object) -> None:
        del record
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
            if schema:
                quoted = engine.dialect.identifier_preparer.quote(schema)
                cursor.execute(f"SET search_path TO {quoted}")
        connection.commit()


def _when_begun(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # The driver puts it into its BEGIN: a statement of its own would be one more round trip.
        write = connection.get_execution_options().get("syncd_write", True)
        driver: Any = connection.connection.driver_connection
        dbapi: Any = connection.dialect.loaded_dbapi
        try:
            driver.isolation_level = None if write else dbapi.IsolationLevel.REPEATABLE_READ
            driver.read_only = None if write else True
        except dbapi.Error as error:  # a connection that is broken; here nobody else wraps it
            raise DBAPIError("BEGIN", None, error) from error


def _when_asked(engine: Engine) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def on_execute(
        connection: Connection, cursor: Any, statement: str, values: Any, context: Any, many: bool
    ) -> None:
        del statement, values, many
        if context is not None and context.execution_options.get(BINARY):
            dbapi: Any = connection.dialect.loaded_dbapi
            cursor.format = dbapi.pq.Format.BINARY


def _when_lent(engine: Engine) -> None:
    @event.listens_for(engine, "checkin")
    def on_checkin(connection: Any, record: ConnectionPoolEntry) -> None:
        del connection
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: ConnectionPoolEntry, proxy: object) -> None:
        del proxy
        used = record.info.get(_USED)  # a new connection was not used yet
        if used is not None and time.monotonic() - used > TRUSTED_S:
            _ping(engine, connection)


def _ping(engine: Engine, connection: Any) -> None:
    """Raise InvalidatePoolError where the server is not there any more: the pool connects anew."""
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error
