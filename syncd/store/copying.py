"""A copy of a SQLite database that is in use: whole and checked, or not there at all.

Readers and writers go on meanwhile. Knows nothing of where copies lie and how many are kept.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

PAGES: Final = 2000
"""Pages copied between two looks at whether to go on: a few megabytes."""
STEPS: Final = 20_000
"""Instructions of SQLite's check between two such looks."""
PART: Final = ".part"
"""How the name of a copy ends until it is whole."""

GoOn = Callable[[], bool]


class Damaged(Exception):
    """A copy does not pass SQLite's own check; what it was made of is damaged too, as a rule."""


class Stopped(Exception):
    """The copying was told to stop."""


def copy(source: Path, target: Path, *, go_on: GoOn) -> int:
    """Copy a database to `target`, as of one instant; returns its bytes.

    Raises OSError, sqlite3.Error, Damaged and Stopped; then nothing is left of the copy.
    """
    part = part_of(target)
    with _reserved(part, like=source) as file:
        _copy(source, part, go_on)
        _check(part, go_on)
        os.fsync(file)
        size = os.fstat(file).st_size
        part.rename(target)
    _sync(target.parent)
    return size


def part_of(target: Path) -> Path:
    """Return where a copy lies until it is whole."""
    return target.with_name(f"{target.name}{PART}")


def sweep(parts: Iterable[Path]) -> None:
    """Delete beginnings of copies that nobody goes on with, as a kill leaves them."""
    for part in parts:
        with suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def give_like(what: int | Path, like: Path) -> None:
    """Let a file of root's belong to whom the database belongs, who has to read and drop it."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(what, owner.st_uid, owner.st_gid)


@contextmanager
def _reserved(part: Path, *, like: Path) -> Iterator[int]:
    """Make an empty file for ourselves alone, with the database's mode; it goes if we fail."""
    file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)  # so that `sweep` knows that somebody is at it
        give_like(file, like)
        os.fchmod(file, like.stat().st_mode & 0o777)
        yield file
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


def _copy(source: Path, part: Path, go_on: GoOn) -> None:
    with (
        closing(_opened(source, "mode=rw")) as origin,
        closing(_opened(part, "mode=rw")) as made,
    ):
        made.execute("PRAGMA journal_mode = OFF")  # one that fails is thrown away as a whole
        made.execute("PRAGMA synchronous = OFF")
        if origin.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            # A reader's snapshot: without it, every write of somebody else starts the copy anew.
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(made, pages=PAGES, progress=lambda *_: _ask(go_on))


def _ask(go_on: GoOn) -> None:
    if not go_on():
        raise Stopped


def _check(part: Path, go_on: GoOn) -> None:
    """Let SQLite check the copy's structure; `immutable` leaves no files of a log behind."""
    with closing(_opened(part, "immutable=1")) as made:
        made.set_progress_handler(lambda: not go_on(), STEPS)
        try:
            found = [str(row[0]) for row in made.execute("PRAGMA quick_check(3)")]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise Stopped from error
            found = [str(error)]
    if found != ["ok"]:
        raise Damaged("; ".join(found))


def _opened(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)


def _sync(folder: Path) -> None:
    """Make the new name last, too."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
