"""The schema's version: what the database has, what the code needs, and the way up and down."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, inspect, text

from syncd import shipped
from syncd.errors import SchemaMismatch, StorageFailed
from syncd.store.engine import Database

_UPGRADE_LOCK = "hashtextextended('syncd upgrade ' || current_schema(), 0)"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The database's schema against the code's: revisions, and whether there is anything at all."""

    revision: str | None
    head: str
    empty: bool

    @property
    def current(self) -> bool:
        """Whether the code can work with the database as it is."""
        return self.revision == self.head


def script_directory() -> ScriptDirectory:
    """Return the migrations that came with this program."""
    return ScriptDirectory(str(shipped.path("migrations")))


def schema_state(db: Database) -> SchemaState:
    """Read the database's schema version.

    Raises SchemaMismatch where the tables are another program's, or of a version this code does
    not know.
    """
    scripts = script_directory()
    with db.read() as tx:
        tables = inspect(tx).get_table_names()
        revision = MigrationContext.configure(tx).get_current_revision()
    head = str(scripts.get_current_head())
    if revision is None and tables:
        shown = ", ".join(sorted(tables)[:3])
        raise SchemaMismatch(
            f"{db.label} is not ours: it holds other tables ({shown}).",
            hint="Name an empty database in database.url, or on PostgreSQL a schema of its own.",
        )
    if revision is not None and not _known(scripts, revision):
        raise SchemaMismatch(
            f"{db.label} has schema {revision}, which this syncd does not know: it is newer.",
            hint="Upgrade syncd: pip install --upgrade worksection-syncd",
        )
    return SchemaState(revision, head, empty=revision is None)


def _known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False


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
    config = Config()
    config.set_main_option("script_location", str(shipped.path("migrations")).replace("%", "%%"))
    with db.write() as tx:
        if not db.is_sqlite:
            _prepare_schema(db, tx)
        config.attributes["connection"] = tx
        getattr(command, verb)(config, revision)


def _prepare_schema(db: Database, tx: Connection) -> None:
    """Let one upgrade at a time through, and make the schema we were told to live in."""
    tx.execute(text("SET LOCAL lock_timeout = '30s'"))
    tx.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
    if db.schema:
        quoted = db.engine.dialect.identifier_preparer.quote(db.schema)
        tx.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))


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
