"""The epoch: how often we began to send, kept in the database and beside it.

A database that was restored from a backup knows of fewer sendings than happened. What it has as
queued may be in the account already, so it must be looked for and not be sent on a guess.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import Connection

from syncd.errors import StorageFailed
from syncd.store.engine import Database
from syncd.store.state import recall, remember

_NAME = "epoch"


@dataclass(frozen=True, slots=True)
class Epoch:
    """Counts sendings inside the database and in the file at `path`."""

    db: Database
    path: Path

    def restored(self, tx: Connection) -> bool:
        """Tell whether more was sent than the database knows of, or may have been.

        A file that is lost, as on the new machine that a backup is restored on, proves nothing.
        """
        inside, outside = self._inside(tx), self._outside()
        return inside > 0 if outside is None else outside > inside

    def advance(self, tx: Connection) -> int:
        """Count one more sending inside; `publish` it once that is committed, then send."""
        count = max(self._inside(tx), self._outside() or 0) + 1
        remember(tx, _NAME, count)
        return count

    def follow(self) -> None:
        """Keep up with what another host sends, and never count back.

        Whoever takes over without a count of its own would take the database for a restored one;
        with an old count it could not tell that it was. Raises StorageFailed.
        """
        with self.db.read() as tx:
            inside = self._inside(tx)
        outside = self._outside()
        if outside is None or inside > outside:
            self._write(inside, "seen")

    def publish(self, count: int) -> None:
        """Write the count beside the database, whole or not at all. Raises StorageFailed."""
        self._write(count, "new")

    def _write(self, count: int, suffix: str) -> None:
        # Drafts of two names: on one machine the holder and a standby write the same file.
        draft = self.path.with_name(f"{self.path.name}.{suffix}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="ascii") as file:
                file.write(f"{count}\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as error:
            raise StorageFailed(
                f"{self.path} cannot be written: {error.strerror}.",
                hint="Nothing was sent. It tells a restored database from a current one.",
            ) from error

    def carry_to(self, other: Epoch) -> None:
        """Let a copy of this database be judged as this one is. Raises StorageFailed."""
        outside = self._outside()
        if outside is None:
            other.path.unlink(missing_ok=True)
        else:
            other.publish(outside)

    def _inside(self, tx: Connection) -> int:
        return int(recall(tx, _NAME) or 0)

    def _outside(self) -> int | None:
        try:
            return int(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StorageFailed(
                f"{self.path} cannot be read: {error}.",
                hint="It holds one number. If it is lost, remove the file and pull before a push.",
            ) from error


def epoch_path(db: Database, environ: dict[str, str]) -> Path:
    """Return where the outer count is kept: beside a SQLite file, else in the state directory."""
    if db.path is not None:
        return Path(f"{db.path}.epoch")
    home = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    folder = environ.get("STATE_DIRECTORY") or f"{home}/syncd"
    label = db.label.replace(":***@", "@")  # a password may move from the address into ~/.pgpass
    name = blake2b(label.encode(), digest_size=8).hexdigest()
    return Path(folder) / f"{name}.epoch"
