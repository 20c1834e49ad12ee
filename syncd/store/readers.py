"""Who reads a SQLite file, and what of its log is held by that.

A reader keeps the log from being emptied past what it may still ask (sqlite.org/wal.html). Locks
are read from the system's list: to open `-shm` and close it again would drop this process's own.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from syncd.store.causes import storage_failed

LOCKS: Final = Path("/proc/locks")
READING: Final = range(123, 128)
"""The bytes of `-shm` that readers lock, one of the five (sqlite.org/walformat.html)."""


def held_log(path: Path, *, more_than: int) -> int:
    """Return how many bytes of the log cannot go into the file; 0 for a log of up to `more_than`.

    Moves into it what can go, and keeps nobody waiting for that. Raises StorageFailed.
    """
    log = Path(f"{path}-wal")
    if not log.exists() or log.stat().st_size <= more_than:
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as own:
            _, pages, moved = own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            (size,) = own.execute("PRAGMA page_size").fetchone()
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return 0
        raise storage_failed(error, f"SQLite {path}") from error
    return int((pages - moved) * size)


def names(path: Path) -> tuple[str, ...]:
    """Return the programs other than this that read the file now, as far as the system tells."""
    with suppress(OSError):
        inode = str(Path(f"{path}-shm").stat().st_ino)
        found = {_reader(line.split(), inode) for line in LOCKS.read_text().splitlines()}
        return tuple(_name(pid) for pid in sorted(found - {0, os.getpid()}))
    return ()


def _reader(words: list[str], inode: str) -> int:
    """Return the 4711 of a line `7: POSIX ADVISORY READ 4711 fe:01:1234 124 124`; 0 of others."""
    if len(words) != 8 or words[1] != "POSIX" or words[5].rpartition(":")[2] != inode:
        return 0
    return int(words[4]) if int(words[6]) in READING else 0


def _name(pid: int) -> str:
    with suppress(OSError):
        return f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"
    return f"pid {pid}"
