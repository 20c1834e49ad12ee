"""Setting up: where the files go, what stands in them, and writing them all or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from syncd import config
from syncd.errors import ConfigError
from syncd.model.reports import Finding
from syncd.secrets import Secret
from syncd.services.findings import note
from syncd.settings import (
    AccountSettings,
    AuthName,
    DatabaseSettings,
    Extra,
    PullSettings,
    Settings,
)

SYSTEM = Path("/etc/syncd")
SYSTEM_DATA = Path("/var/lib/syncd")
LOCALTIME = Path("/etc/localtime")


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one set-up: all beside the configuration and named after it."""

    config: Path

    @property
    def folder(self) -> Path:
        """Where they all are."""
        return self.config.parent

    @property
    def key(self) -> Path:
        """The account's key."""
        return self.config.with_suffix(".key")

    @property
    def client_secret(self) -> Path:
        """The secret of the OAuth2 application."""
        return self.config.with_suffix(".oauth-secret")

    @property
    def tokens(self) -> Path:
        """The OAuth2 tokens, which syncd renews."""
        return self.config.with_suffix(".tokens.json")

    @property
    def database(self) -> str:
        """The database's address where none is given; the system's data is not kept in /etc.

        Each further account has a folder of its own, which systemd gives to its service alone.
        """
        name = self.config.with_suffix(".db").name
        if self.folder != SYSTEM:
            return f"sqlite:///{name}"
        usual = self.config.name == config.CONFIG_NAME
        return f"sqlite:///{(SYSTEM_DATA if usual else SYSTEM_DATA / self.config.stem) / name}"

    def written(self, auth: AuthName) -> tuple[Path, ...]:
        """Return the files that a set-up with `auth` writes, the configuration last."""
        if auth == "oauth2":
            return (self.client_secret, self.tokens, self.config)
        return (self.key, self.config)

    def config_mode(self, answers: Answers) -> int:
        """Return who may read the configuration: in /etc all, if no password is in it."""
        closed = self.folder != SYSTEM or urlsplit(answers.database).password is not None
        return 0o600 if closed else 0o644


def places(explicit: Path | None, environ: Mapping[str, str], *, is_root: bool) -> Places:
    """Return where to set up: the named file, else the one that is found, else the usual place.

    The usual place is ~/.config/syncd for a person and /etc/syncd for root, who sets up a service.
    """
    named = explicit or (Path(environ[config.ENV_FILE]) if environ.get(config.ENV_FILE) else None)
    if named is not None:
        return Places(named.expanduser().absolute())
    with suppress(ConfigError):
        return Places(config.find(None, environ).absolute())
    if is_root:
        return Places(SYSTEM / config.CONFIG_NAME)
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '~')}/.config"
    return Places(Path(home).expanduser().absolute() / "syncd" / config.CONFIG_NAME)


def refuse_to_overwrite(where: Places) -> None:
    """Raise ConfigError where a set-up is there already."""
    for path in (where.config, where.key, where.client_secret, where.tokens):
        if path.exists():
            raise ConfigError(
                f"{path} exists already, and init never overwrites it unasked.",
                hint="Replace it with --force, or set up elsewhere with --config PATH",
            )


@dataclass(frozen=True, slots=True)
class Application:
    """The OAuth2 application that the account's owner registered for syncd."""

    client_id: str
    client_secret: Secret
    redirect_uri: str
    oauth_url: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything that was asked."""

    url: str
    auth: AuthName
    database: str
    key: Secret | None = None
    application: Application | None = None
    timezone: str | None = None
    schema: str | None = None
    text: bool = False
    archived: bool = False

    @property
    def extra(self) -> tuple[Extra, ...]:
        """What a pull asks for."""
        usual: tuple[Extra, ...] = PullSettings().extra
        return (*usual, "text") if self.text else usual


def settings_of(
    answers: Answers, where: Places, environ: Mapping[str, str], tokens: Path | None = None
) -> Settings:
    """Return the settings as the written files and the environment will give them.

    Raises ConfigError.

    `tokens` is where the tokens are for now, before the set-up is complete.
    """
    app = answers.application
    settings = Settings(
        account=AccountSettings(
            url=answers.url,
            auth=answers.auth,
            api_key=answers.key,
            timezone=answers.timezone,
            oauth_client_id=app.client_id if app else None,
            oauth_client_secret=app.client_secret if app else None,
            oauth_token_file=(tokens or where.tokens) if app else None,
            oauth_url=app.oauth_url if app else AccountSettings().oauth_url,
        ),
        database=DatabaseSettings(url=answers.database, schema=answers.schema),
        pull=PullSettings(extra=answers.extra, archived=answers.archived),
    )
    return config.complete(replace(settings, path=where.config), environ)


class Stage:
    """A folder that only we can enter, where the files wait until the set-up is known to work."""

    def __init__(self, folder: Path, where: Places) -> None:
        self._folder = folder
        self._where = where

    def path(self, target: Path) -> Path:
        """Return where a file waits."""
        return self._folder / target.name

    def put(self, target: Path, text: str, *, mode: int = 0o600) -> None:
        """Write a file, never readable for others on the way to its mode."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(self.path(target), flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())

    def commit(self, auth: AuthName) -> None:
        """Move the files to their places, the configuration last: without it nothing is set up."""
        for target in self._where.written(auth):
            if self.path(target).exists():
                self.path(target).replace(target)


@contextmanager
def staged(where: Places) -> Iterator[Stage]:
    """Give a stage beside the target; unless it is committed, nothing of it stays behind."""
    made = _make_folder(where.folder)
    try:
        folder = Path(tempfile.mkdtemp(prefix=".syncd-init-", dir=where.folder))
    except OSError as error:
        raise _unwritable(where.folder, error) from error
    try:
        yield Stage(folder, where)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for empty in made:
            with suppress(OSError):
                empty.rmdir()


def _make_folder(folder: Path) -> list[Path]:
    """Make the folder; returns those that were missing, the innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(mode=0o755 if folder == SYSTEM else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return missing


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder} cannot be written: {error.strerror}.",
        hint="Set up where you may write: syncd init --config PATH",
    )


def other_configuration(
    where: Places, environ: Mapping[str, str], *, named: bool
) -> Iterator[Finding]:
    """Say when commands would read another configuration than the one just written."""
    with suppress(ConfigError):
        first = config.find(None, environ).absolute()
        if first != where.config:
            yield note("config.file", f"without --config, commands here read {first}")
        return
    if named:
        yield note("config.file", f"commands find it only with --config {where.config}")


def make_database_folder(settings: Settings) -> None:
    """Make the system's folder of data; any other folder is its owner's business."""
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    if path.is_relative_to(SYSTEM_DATA):
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def machine_zone(environ: Mapping[str, str], localtime: Path = LOCALTIME) -> str | None:
    """Return this machine's own time zone by name, where it has one that is not UTC."""
    name = environ.get("TZ", "").lstrip(":")
    if not name:
        _, _, name = str(localtime.resolve()).rpartition("zoneinfo/")
    try:
        known = name not in {"UTC", "Etc/UTC", "localtime"} and ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return name if known else None
