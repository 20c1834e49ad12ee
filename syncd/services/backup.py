"""Backups of a SQLite database, made while it is used. A PostgreSQL server has its own tools.

A copy is written under another name, checked, and only then in its place; only after that older
ones are dropped, and only such as we have made.
"""

from __future__ import annotations

import errno
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Final

from syncd.errors import ConfigError, StorageFailed
from syncd.log import get_logger
from syncd.settings import Settings
from syncd.store import copying, health
from syncd.store.copying import Damaged, Stopped
from syncd.store.engine import Database
from syncd.store.revisions import no_mirror

FOLDER: Final = "backups"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_UNTOUCHED: Final = "The older backups are untouched."
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SPARE: Final = 10_000_000
"""Bytes that a backup leaves free: what fills the disk up stops the mirror as well."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made: where, how big, and which older ones went for it."""

    path: Path
    size: int
    seconds: float
    dropped: tuple[Path, ...] = ()


def back_up(
    db: Database,
    settings: Settings,
    *,
    at: datetime,
    to: Path | None = None,
    go_on: Callable[[], bool] = lambda: True,
    monotonic: Callable[[], float] = time.monotonic,
) -> Backup | None:
    """Copy the database into the folder of backups, or `to` a file; None where told to stop.

    In the folder, `backup.keep` of ours stay. Raises ConfigError for a database that is no file,
    NoMirror, and StorageFailed; then the older ones are all there.
    """
    source, began = _source(db), monotonic()
    with _explained(db, settings):
        target = _free(to, source, at) if to else _place(source, settings, at)
        _check_room(source, target.parent)
        try:
            size = copying.copy(source, target, go_on=go_on)
        except Stopped:
            return None
    dropped = () if to else tuple(_drop(source, settings, at, spare=target))
    done = Backup(target, size, monotonic() - began, dropped)
    get_logger().info("backup.made", path=str(target), bytes=size, dropped=len(dropped))
    return done


def newest(db: Database, settings: Settings, at: datetime) -> datetime | None:
    """Return when the newest backup of ours was made; None where there is none.

    One that seems to come from the future was named by a clock that was wrong.
    """
    if db.path is None:
        return None
    made = (when for when in _ours(db.path, settings).values() if when <= at)
    return max(made, default=None)


def due(db: Database, settings: Settings, at: datetime) -> bool:
    """Tell whether it is time for another backup."""
    if not settings.backup.keep or db.path is None or not db.path.exists():
        return False
    last = newest(db, settings, at)
    return last is None or (at - last).total_seconds() >= settings.backup.interval


def folder_of(path: Path, settings: Settings) -> Path:
    """Return where the backups of a database lie."""
    return settings.backup.folder or path.parent / FOLDER


def _source(db: Database) -> Path:
    if db.path is None:
        schema = f" --schema={db.schema}" if db.schema else ""
        raise ConfigError(
            f"{db.label} is a server's: its own tools make the backup.",
            hint=f"pg_dump --format=custom{schema} --file=syncd.dump {db.engine.url.database}",
        )
    if not db.path.exists():
        raise no_mirror(f"{db.path} does not exist")
    return db.path


def _place(source: Path, settings: Settings, at: datetime) -> Path:
    """Return where the next backup goes; makes the folder, and clears what a kill has left."""
    folder = folder_of(source, settings)
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)
        copying.give_like(folder, source)
    stem = _stem(source, folder)
    copying.sweep(folder.glob(f"{_escaped(stem)}.*.backup{copying.PART}"))
    while (target := folder / f"{stem}.{at:{_STAMP}}.backup").exists():
        at += timedelta(seconds=1)
    return target


def _free(to: Path, source: Path, at: datetime) -> Path:
    """Return the file that a person has named; in a folder, one of a name of ours."""
    target = to / f"{source.name}.{at:{_STAMP}}.backup" if to.is_dir() else to
    if target.exists():
        raise ConfigError(f"{target} exists already.", hint="Name a file that does not exist.")
    if not target.parent.is_dir():
        raise ConfigError(
            f"The folder {target.parent} does not exist.", hint=f"mkdir -p '{target.parent}'"
        )
    return target


def _stem(source: Path, folder: Path) -> str:
    """Return how the names of a database's backups begin.

    In a folder elsewhere lie those of other databases too, which may have the same name as ours.
    """
    if folder.absolute().parent == source.absolute().parent:
        return source.name
    where = blake2b(str(source.absolute()).encode(), digest_size=4).hexdigest()
    return f"{source.name}.{where}"


def _escaped(stem: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", stem)


def _ours(source: Path, settings: Settings) -> dict[Path, datetime]:
    """Return the backups of this database that we have made, and when."""
    folder = folder_of(source, settings)
    pattern = re.compile(rf"{re.escape(_stem(source, folder))}\.(\d{{8}}T\d{{6}}Z)\.backup")
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        match = pattern.fullmatch(path.name)
        if match is not None and path.is_file():
            found[path] = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
    return found


def _check_room(source: Path, folder: Path) -> None:
    needed, free = health.space(source).used + SPARE, shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed and {free:,} are free")


def _drop(source: Path, settings: Settings, at: datetime, *, spare: Path) -> Iterator[Path]:
    """Delete the older backups beyond `backup.keep`; 0 keeps what somebody made by hand."""
    keep = settings.backup.keep
    made = {path: when for path, when in _ours(source, settings).items() if path != spare}
    # One from the future was named by a wrong clock: it is older than any that is named right.
    by_age = sorted(made, key=lambda path: (made[path] <= at, made[path]), reverse=True)
    for path in by_age[keep - 1 :] if keep else ():
        try:
            path.unlink()
        except OSError as error:
            get_logger().warning("backup.not_dropped", path=str(path), error=error.strerror)
        else:
            yield path


@contextmanager
def _explained(db: Database, settings: Settings) -> Iterator[None]:
    """Turn what can go wrong into words for a person."""
    hint = f"{_UNTOUCHED} See backup.folder in {settings.path or 'the configuration'}."
    try:
        yield
    except Damaged as error:
        raise StorageFailed(
            f"A backup of {db.label} does not pass SQLite's check: {error}.",
            hint=f"{_UNTOUCHED} The database itself may be damaged: syncd check",
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise StorageFailed(f"No backup of {db.label}: {_why(error)}.", hint=hint) from error


def _why(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        full = "the disk is full: " if error.errno in _FULL else ""
        return f"{full}{error.strerror}{where}"
    return str(error)
