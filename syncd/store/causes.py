"""What a database driver's error means to a person: what is wrong, and what to do about it.

Needs no database library, so that a command which must answer at once can use it too.
"""

from __future__ import annotations

from syncd.errors import StorageFailed

_SQLITE_CAUSES = {
    "SQLITE_FULL": ("the disk is full", "Make room and run it again; nothing was half-written."),
    "SQLITE_READONLY": ("it is read-only", "Let the user of syncd write the file and its folder."),
    "SQLITE_CANTOPEN": (
        "it cannot be opened",
        "Check that its folder exists and that the user of syncd may write there.",
    ),
    "SQLITE_NOTADB": ("it is not a SQLite database", "Name another file in database.url."),
    "SQLITE_CORRUPT": ("it is damaged", "Restore the last backup; see docs/backup.md."),
    "SQLITE_BUSY": ("another program keeps it locked", "Close the program that writes to it."),
    "SQLITE_IOERR": ("it cannot be written or read", "Check the disk: is it full or failing?"),
    "SQLITE_PERM": ("permission was denied", "Let the user of syncd write the file."),
}


def storage_failed(cause: BaseException | None, label: str) -> StorageFailed:
    """Return our error for the driver's, by the driver's own code where it gives one."""
    name = getattr(cause, "sqlite_errorname", "") or ""
    for prefix, (problem, remedy) in _SQLITE_CAUSES.items():
        if name.startswith(prefix):
            return StorageFailed(f"{label}: {problem}.", hint=remedy)
    first = (str(cause).strip().splitlines() or ["no reason given"])[0].rstrip(".")
    return StorageFailed(f"{label}: {first}.")
