"""The schema's version: what the database has, what the code needs, and the way up and down."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table, text

from syncd import shipped
from syncd.errors import DatabaseUnusable, StorageFailed
from syncd.store.engine import Database
from syncd.store.revisions import VERSION_TABLE, SchemaState, schema_state_of

_UPGRADE_LOCK = "hashtextextended('syncd upgrade ' || current_schema(), 0)"


def schema_state(db: Database) -> SchemaState:
    """Read the database's schema version.

    Raises SchemaMismatch where the tables are another program's, or of a version this code does
    not know.
    """
    with db.read() as tx:
        tables = inspect(tx).get_table_names()
        revision = None
        if VERSION_TABLE in tables:
            revision = tx.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    return schema_state_of(db.label, set(tables) - {VERSION_TABLE}, revision)


def upgrade(db: Database, *, now: datetime, revision: str = "head") -> Path | None:
    """Bring the schema up; returns the backup that was made of a SQLite file first, if any."""
    before = schema_state(db)
    backup = None
    if db.path is not None and not before.empty and not before.current:
        backup = back_up(db.path, before.revision or "empty", now)
    if db.is_sqlite and before.empty:
        _prepare_file(db)
    _run(db, "upgrade", revision)
    return backup


def downgrade(db: Database, revision: str) -> None:
    """Take the schema back down; "base" empties the database."""
    _run(db, "downgrade", revision)


def _run(db: Database, verb: str, revision: str) -> None:
    from alembic import command  # here, because only an upgrade can wait for it to load
    from alembic.config import Config

    from syncd.store import roles

    config = Config()
    config.set_main_option("script_location", str(shipped.path("migrations")).replace("%", "%%"))
    with db.write() as tx:
        if not db.is_sqlite:
            _prepare_schema(db, tx)
        config.attributes["connection"] = tx
        readers = roles.readers(tx)
        getattr(command, verb)(config, revision)
        roles.renew(tx, readers)


def _prepare_schema(db: Database, tx: Connection) -> None:
    """Make the schema we were told to live in, and let one upgrade at a time through."""
    tx.execute(text("SET LOCAL lock_timeout = '30s'"))
    # Asked first: IF NOT EXISTS is refused to a role that may make none, also where it exists.
    if db.schema and not inspect(tx).has_schema(db.schema):
        quoted = db.engine.dialect.identifier_preparer.quote(db.schema)
        tx.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))
    _refuse_closed_schema(db, tx)
    tx.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))


def _refuse_closed_schema(db: Database, tx: Connection) -> None:
    """Say it plainly where we may not make tables: since PostgreSQL 15 `public` is its owner's."""
    query = """SELECT current_user, s.name, has_schema_privilege(s.name, 'USAGE')
        AND has_schema_privilege(s.name, 'CREATE')
      FROM (SELECT coalesce(:schema, current_schema(), 'public') AS name) s"""
    role, schema, open_to_us = tx.execute(text(query), {"schema": db.schema}).one()
    if not open_to_us:
        quote = db.engine.dialect.identifier_preparer.quote
        raise DatabaseUnusable(
            f"{db.label}: {role} may not make tables in the schema {schema}.",
            hint="As its owner or an administrator:"
            f" GRANT USAGE, CREATE ON SCHEMA {quote(schema)} TO {quote(role)};",
        )


def _prepare_file(db: Database) -> None:
    """Set what a SQLite file keeps for itself: the write-ahead log, so that readers never wait."""
    with closing(sqlite3.connect(str(db.path))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def back_up(path: Path, revision: str, now: datetime) -> Path:
    """Copy a SQLite database, consistent even while others read and write it.

    Raises StorageFailed where the copy cannot be made: without it nothing is upgraded.
    """
    target = path.with_name(f"{path.name}.backup-{revision}-{now:%Y%m%dT%H%M%SZ}")
    try:
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
        target.chmod(path.stat().st_mode & 0o777)
    except (sqlite3.Error, OSError) as error:
        raise StorageFailed(
            f"The backup {target} could not be written: {error}.",
            hint="Make room; the database was not touched.",
        ) from error
    return target
