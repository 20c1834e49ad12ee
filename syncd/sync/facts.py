"""What is known about one account and its mirror at an instant, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Facts:
    """What troubles are judged by: the first part a running daemon knows, the rest the database.

    None says "not known yet", as after a restart: what it would tell is neither opened nor closed.
    An empty text or tuple says that all is well.
    """

    now: datetime
    interval_s: float
    """How often a pull is to be made."""
    key_refused_at: datetime | None = None
    """When the account refused our key, by whatever request; the runs on record tell it too."""
    halted: str = ""
    """Why nothing is asked or sent until a person acts."""
    settings_refused: str = ""
    """Why a configuration that was to be read again was not taken."""
    database: str = ""
    """Why the database cannot be used."""
    skew_s: float | None = None
    """How far this machine's clock is before the account's."""
    paused_webhooks: tuple[str, ...] | None = None
    backup_error: str | None = None
    audit_broken: str | None = None

    landed_at: datetime | None = None
    """As of when the mirror shows the account: as the last pull that did not fail saw it."""
    landing_took_s: float = 0.0
    pull_outcome: Literal["complete", "partial", "failed"] | None = None
    """How the last pull ended."""
    pull_error: str = ""
    pull_notes: tuple[str, ...] = ()
    """What the last pull that landed left out, without what a brake holds."""
    partial_pulls: int = 0
    """How many of the last pulls that landed left something out, one after the other."""
    suspects: int = 0
    brakes: tuple[str, ...] = ()
    account_error: str = ""
    """The class of the error that the last run met in the account; empty: it answered."""
    account_said: str = ""
    account_failures: int = 0
    """How many runs failed by the account, one after the other, the last one among them."""
    account_failing_since: datetime | None = None
    paused_until: datetime | None = None
    """Not before then, the account said, is it to be asked again."""
    changes: Mapping[str, int] = field(default_factory=dict)
    due_since: datetime | None = None
    """Since when the change that could have gone the longest time ago has not."""
    uncertain_since: datetime | None = None
    drift: int | None = None
    """How many tasks of the last sample differ from the account, and nothing explains it."""
    free_bytes: int | None = None
    """Room on the disk of a SQLite database; None where a server has its own."""
    database_bytes: int = 0
    held_log_bytes: int = 0
    """What of a SQLite database's log cannot go into the file, because somebody still reads it."""
    readers: tuple[str, ...] = ()
    """The programs that read the SQLite file just then, where the log is held."""
