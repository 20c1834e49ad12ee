"""What a running daemon knows and no database does; shared by its threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from syncd.sync.facts import Facts


@dataclass(slots=True)
class Known:
    """Written by the one who finds out, read by whoever tells: each field is one assignment."""

    role: str = "starting"
    said: str = ""
    """How the last run ended, in a line."""
    progress: str = ""
    """How far what is under way has come."""
    halted: str = ""
    key_refused_at: datetime | None = None
    settings_refused: str = ""
    database: str = ""
    skew_s: float | None = None
    paused_webhooks: tuple[str, ...] | None = None
    backup_error: str | None = None
    audit_broken: str | None = None
    spacing_s: float = 1.0
    _hints: set[int] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @property
    def line(self) -> str:
        """How things stand, for the service manager and for people."""
        trouble = self.database or self.halted or self.settings_refused
        said = "" if trouble and trouble in self.said else self.progress or self.said
        return "; ".join(part for part in (self.role, said, trouble) if part)

    def step(self, what: str, *, done: int, total: int, left_s: float) -> None:
        """Take down how far a piece of work has come (`Progress`)."""
        self.progress = (
            f"{what}, {done} of {total} done, {left_s:.0f} s left" if total > 1 else what
        )

    def facts(self, now: datetime, interval_s: float) -> Facts:
        """Return what is known as the beginning of what troubles are judged by."""
        return Facts(
            now=now,
            interval_s=interval_s,
            key_refused_at=self.key_refused_at,
            halted=self.halted,
            settings_refused=self.settings_refused,
            database=self.database,
            skew_s=self.skew_s,
            paused_webhooks=self.paused_webhooks,
            backup_error=self.backup_error,
            audit_broken=self.audit_broken,
        )

    def hint(self, task_ids: frozenset[int]) -> None:
        """Take down tasks that a webhook named."""
        with self._lock:
            self._hints |= task_ids

    def take_hints(self) -> frozenset[int]:
        """Return the tasks that were named since the last time."""
        with self._lock:
            found, self._hints = frozenset(self._hints), set()
            return found
