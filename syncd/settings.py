"""Settings as values: everything the program can be told, with its defaults. Reads nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from syncd.secrets import Secret

AuthName = Literal["md5", "md5-page", "hmac", "oauth2"]
Extra = Literal["subtasks", "relations", "files", "text", "html", "comments", "subscribers"]
Policy = Literal["ask", "mine", "theirs"]
Conflicts = Policy | dict[str, Policy]


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


class Duration(float):
    """Seconds, written "90s", "5m", "1h", "2d"."""

    @classmethod
    def parse(cls, text: object) -> Duration:
        """Read a duration. Raises ValueError where the text is none."""
        match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f'{text!r} is not a duration: write "90s", "5m", "1h" or "30d"')
        return cls(float(match[1]) * _UNITS[match[2]])


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of the configuration file; a key it does not have is an error."""


class AccountSettings(Section, frozen=True):
    """Which account, and how to prove who we are."""

    url: str = ""
    auth: AuthName = "md5"
    api_key: Secret | None = None
    api_key_file: Path | None = None
    timezone: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: Secret | None = None
    oauth_client_secret_file: Path | None = None
    oauth_token_file: Path | None = None
    oauth_url: str = "https://worksection.com"

    @property
    def zone(self) -> ZoneInfo | None:
        """The account's time zone, or None where it is not known."""
        return ZoneInfo(self.timezone) if self.timezone else None


class DatabaseSettings(Section, frozen=True):
    """Where the mirror lives."""

    url: str = ""
    schema: str | None = None
    auto_upgrade: bool | None = None


class PullSettings(Section, frozen=True):
    """What is pulled, and when a pull must ask."""

    interval: Duration = Duration(300)
    events_interval: Duration = Duration(60)
    extra: tuple[Extra, ...] = ("subtasks", "relations", "files")
    archived: bool = False
    max_removals: Annotated[int, Meta(ge=0)] | None = None


class PushSettings(Section, frozen=True):
    """How queued changes go out."""

    interval: Duration = Duration(60)
    conflicts: Conflicts = "ask"
    max_batch: Annotated[int, Meta(ge=1)] = 100


class LimitSettings(Section, frozen=True):
    """What the account is asked to bear."""

    requests_per_second: Annotated[float, Meta(gt=0)] = 1.0
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    timeout: Duration = Duration(120)


class ServerSettings(Section, frozen=True):
    """The local health, metrics and webhook port of the daemon; an empty `listen` opens none."""

    listen: str = "127.0.0.1:9187"
    hook_user: str = ""
    hook_password: Secret | None = None
    hook_password_file: Path | None = None


class LogSettings(Section, frozen=True):
    """What is logged, and in what form."""

    format: Literal["json", "console"] | None = None
    level: Literal["debug", "info", "warning", "error"] = "info"


class RetentionSettings(Section, frozen=True):
    """How long history, audit and runs are kept; None: for ever."""

    history: Duration | None = None
    audit: Duration | None = None
    runs: Duration | None = None


class VerifySettings(Section, frozen=True):
    """How often the daemon compares a sample of the mirror with the account, and how many tasks."""

    interval: Duration = Duration(3600)
    sample: Annotated[int, Meta(ge=0)] = 5


class BackupSettings(Section, frozen=True):
    """Copies of a SQLite database; `keep` 0 makes none. A server has its own tools."""

    folder: Path | None = None
    interval: Duration = Duration(86400)
    keep: Annotated[int, Meta(ge=0)] = 7


class AlertSettings(Section, frozen=True):
    """Who hears of an incident, when it opens and when it closes; and the dead-man ping."""

    command: tuple[str, ...] = ()
    apprise: tuple[Secret, ...] = ()
    ping_url: Secret | None = None


class Settings(Section, frozen=True):
    """Everything the program can be told, checked."""

    account: AccountSettings = AccountSettings()
    database: DatabaseSettings = DatabaseSettings()
    pull: PullSettings = PullSettings()
    push: PushSettings = PushSettings()
    limits: LimitSettings = LimitSettings()
    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    verify: VerifySettings = VerifySettings()
    backup: BackupSettings = BackupSettings()
    alerts: AlertSettings = AlertSettings()
    path: Path | None = None

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL; a relative SQLite file is beside the configuration."""
        prefix, found, name = (self.database.url or "sqlite:///syncd.db").partition(":///")
        if not found or prefix != "sqlite" or not name or name == ":memory:":
            return self.database.url
        folder = self.path.parent if self.path else Path()
        return f"sqlite:///{folder / name}"
