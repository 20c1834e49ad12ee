"""What `syncd check` finds in the database: whether it is ours, current, writable and sound."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from os import W_OK, X_OK, access
from pathlib import Path

from syncd.errors import DatabaseUnusable, StorageFailed
from syncd.model.reports import Finding
from syncd.services.findings import note, of_error, ok, problem, warning
from syncd.store import health, moved, upgrade
from syncd.store.engine import Database
from syncd.store.schema import metadata

MB = 1_000_000
SPARE = 50 * MB
"""Room that any SQLite mirror should have; a large one needs its own size twice."""
QUICK_CHECK_S = 5.0


def look_at_database(db: Database, *, monotonic: Callable[[], float]) -> Iterator[Finding]:
    """Look at the database; ends early where it cannot be opened."""
    if db.path is not None and not db.path.exists():
        yield _missing(db.path)
        return
    try:
        yield _opened(db)
        yield _schema(db)
    except (DatabaseUnusable, StorageFailed) as error:
        yield of_error("database.open", error)
        return
    yield _writable(db)
    try:
        yield from _file(db, monotonic) if db.path is not None else _rights(db)
    except StorageFailed as error:
        yield of_error("database.health", error)


def _missing(path: Path) -> Finding:
    if access(path.parent, W_OK | X_OK):
        return note("database.open", f"{path} does not exist yet", "Make the mirror: syncd pull")
    return problem(
        "database.open",
        f"{path} does not exist, and its folder cannot be written",
        f"Let the user of syncd write {path.parent}",
    )


def _opened(db: Database) -> Finding:
    db.probe(write=False)
    with db.read() as tx:
        return ok("database.open", f"{db.label} ({health.version(db, tx)})")


def _schema(db: Database) -> Finding:
    state = upgrade.schema_state(db)
    if state.current:
        moved.refuse_moved(db)
        return ok("database.schema", f"{state.revision}, as this syncd needs it")
    if state.empty:
        return note("database.schema", "the database is empty", "Make the mirror: syncd pull")
    return warning(
        "database.schema",
        f"{state.revision}; this syncd needs {state.head}",
        "Bring it up with: syncd db upgrade",
    )


def _writable(db: Database) -> Finding:
    """Try to begin writing; nothing is written."""
    try:
        db.probe(write=True)
    except DatabaseUnusable as error:
        return of_error("database.write", error)
    return ok("database.write", "it can be written")


def _file(db: Database, monotonic: Callable[[], float]) -> Iterator[Finding]:
    path = db.path
    if path is None:
        return
    yield space_finding(health.space(path), path)
    with db.read() as tx:
        mode = health.journal_mode(db, tx)
    if mode == "wal":
        yield ok("database.journal", "WAL: readers never wait for a pull")
    else:
        yield warning(
            "database.journal",
            f"the journal mode is {mode}, so readers and pulls wait for each other",
            f"With syncd stopped: sqlite3 '{path}' 'PRAGMA journal_mode = WAL'",
        )
    yield _integrity(path, monotonic)


def space_finding(space: health.Space, path: Path) -> Finding:
    """Judge the free disk: a pull needs room for its log, an upgrade for a backup."""
    needed = 2 * space.used + SPARE
    told = f"{_mb(space.free)} free, the database takes {_mb(space.used)}"
    if space.free >= needed:
        return ok("database.space", told)
    return warning(
        "database.space",
        f"{told}: a pull's log and an upgrade's backup together can need {_mb(needed)}",
        f"Make room on the disk of {path.parent}, or move the database to a larger one.",
    )


def _mb(size: int) -> str:
    return f"{size / MB:,.0f} MB" if size >= MB else f"{size / 1000:,.0f} kB"


def _integrity(path: Path, monotonic: Callable[[], float]) -> Finding:
    restore = f"Restore the newest backup beside it ({path.name}.backup-…), then: syncd pull"
    try:
        found = health.quick_check(path, limit_s=QUICK_CHECK_S, monotonic=monotonic)
    except sqlite3.Error as error:
        return problem("database.integrity", f"the file cannot be checked: {error}", restore)
    if found.complaints:
        return problem("database.integrity", f"it is damaged: {found.complaints[0]}", restore)
    if not found.finished:
        return note(
            "database.integrity",
            f"nothing wrong in the first {QUICK_CHECK_S:.0f} s; the file is too large for more",
            f"All of it: sqlite3 '{path}' 'PRAGMA quick_check'",
        )
    return ok("database.integrity", "the file is sound (quick_check)")


def _rights(db: Database) -> Iterator[Finding]:
    state = upgrade.schema_state(db)
    tables = tuple(sorted(table.name for table in metadata.sorted_tables))
    with db.read() as tx:
        lacking = health.lacking_rights(tx, tables if state.current else ())
    if not lacking:
        yield ok("database.rights", "everything that syncd needs in its schema")
        return
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    yield problem(
        "database.rights",
        f"the role lacks {', '.join(lacking[:3])}{more}",
        "Let the role of syncd own its schema: ALTER SCHEMA … OWNER TO …, or grant what is named.",
    )
