"""Settings: the only reader of configuration files and of the environment.

TOML, then `SYNCD_SECTION__KEY` from the environment over it. An unknown key or a bad value is an
error that names the key. Nothing here talks to the account or to a database.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from syncd.errors import ConfigError
from syncd.secrets import Secret

CONFIG_NAME = "syncd.toml"
ENV_FILE = "SYNCD_CONFIG"
ENV_PREFIX = "SYNCD_"
CREDENTIAL = "api-key"
LISTS = frozenset({"extra"})
"""Keys that hold a list; in the environment, its parts are separated by commas."""

T = TypeVar("T")

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


class _Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class AccountSettings(_Section, frozen=True):
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


class DatabaseSettings(_Section, frozen=True):
    """Where the mirror lives."""

    url: str = ""
    schema: str | None = None
    auto_upgrade: bool | None = None


class PullSettings(_Section, frozen=True):
    """What is pulled, and when a pull must ask."""

    interval: Duration = Duration(300)
    events_interval: Duration = Duration(60)
    extra: tuple[Extra, ...] = ("subtasks", "relations", "files")
    archived: bool = False
    max_removals: Annotated[int, Meta(ge=0)] | None = None


class PushSettings(_Section, frozen=True):
    """How queued changes go out."""

    interval: Duration = Duration(60)
    conflicts: Conflicts = "ask"
    max_batch: Annotated[int, Meta(ge=1)] = 100


class LimitSettings(_Section, frozen=True):
    """What the account is asked to bear."""

    requests_per_second: Annotated[float, Meta(gt=0)] = 1.0
    timeout: Duration = Duration(120)


class ServerSettings(_Section, frozen=True):
    """The local health and metrics port of the daemon."""

    listen: str = "127.0.0.1:9187"


class LogSettings(_Section, frozen=True):
    """What is logged, and in what form."""

    format: Literal["json", "console"] | None = None
    level: Literal["debug", "info", "warning", "error"] = "info"


class RetentionSettings(_Section, frozen=True):
    """How long history, audit and runs are kept; None: for ever."""

    history: Duration | None = None
    audit: Duration | None = None
    runs: Duration | None = None


class Settings(_Section, frozen=True):
    """Everything the program can be told, checked."""

    account: AccountSettings = AccountSettings()
    database: DatabaseSettings = DatabaseSettings()
    pull: PullSettings = PullSettings()
    push: PushSettings = PushSettings()
    limits: LimitSettings = LimitSettings()
    server: ServerSettings = ServerSettings()
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    path: Path | None = None

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL; a relative SQLite file is beside the configuration."""
        prefix, found, name = (self.database.url or "sqlite:///syncd.db").partition(":///")
        if not found or prefix != "sqlite" or not name or name == ":memory:":
            return self.database.url
        folder = self.path.parent if self.path else Path()
        return f"sqlite:///{folder / name}"


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the configuration file to read. Raises ConfigError where there is none."""
    named = explicit or (Path(environ[ENV_FILE]) if environ.get(ENV_FILE) else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(
                f"The configuration file {named} does not exist.",
                hint="Name another with --config, or make one with: syncd init",
            )
        return named
    for candidate in _places(environ):
        if candidate.is_file():
            return candidate
    raise ConfigError(
        "There is no configuration: looked for "
        + ", ".join(str(place) for place in _places(environ))
        + ".",
        hint="Make one with: syncd init  (or see the whole thing work first: syncd demo)",
    )


def _places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '~')}/.config"
    return (
        Path(CONFIG_NAME),
        Path(home).expanduser() / "syncd" / CONFIG_NAME,
        Path("/etc/syncd") / CONFIG_NAME,
    )


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read and check the settings in `path`, with the environment's over them.

    Raises ConfigError, naming the file and the key, for anything that is not as it should be.
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    if "path" in tree:
        raise ConfigError(f"{path}: path is not a key.")
    settings = _convert(tree, origin=str(path), strict=True)
    overlay = _from_environment(environ)
    if overlay:
        settings = _overlay(settings, overlay)
    return check(msgspec.structs.replace(settings, path=path.absolute()), environ)


def _convert(tree: dict[str, Any], *, origin: str, strict: bool) -> Settings:
    try:
        return msgspec.convert(tree, Settings, strict=strict, dec_hook=_read_custom)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {_in_words(error)}") from None


def _read_custom(kind: type[T], value: object) -> T:
    """Build the types msgspec does not know."""
    readers: dict[object, Callable[[object], object]] = {
        Duration: Duration.parse,
        Secret: _read_secret,
        Path: _read_path,
    }
    return readers[kind](value)  # type: ignore[return-value]  # each reader builds its own key


def _read_secret(value: object) -> Secret:
    if not isinstance(value, str) or not value:
        raise ValueError("a non-empty text is expected")
    return Secret(value)


def _read_path(value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("a path is expected")
    return Path(value).expanduser()


def _in_words(error: msgspec.ValidationError, parent: str = "") -> str:
    """Turn msgspec's message into one that names the key as the file does."""
    text = str(error)
    said, _, where = text.partition(" - at `$")
    section = f"{parent}{where.rstrip('`')}".lstrip(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.+)`", said)
    if unknown:
        return f"unknown key {'.'.join(filter(None, (section, unknown[1])))}."
    return f"{section or 'the file'}: {said}."


def _from_environment(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Collect `SYNCD_SECTION__KEY` variables into a tree of texts."""
    tree: dict[str, dict[str, str]] = {}
    for name, value in environ.items():
        section, found, key = name.removeprefix(ENV_PREFIX).partition("__")
        if name.startswith(ENV_PREFIX) and found:
            tree.setdefault(section.lower(), {})[key.lower()] = value
    return tree


def _overlay(settings: Settings, overlay: dict[str, dict[str, str]]) -> Settings:
    for section, values in overlay.items():
        current = getattr(settings, section, None)
        if not isinstance(current, _Section):
            raise ConfigError(f"{ENV_PREFIX}{section.upper()}__…: unknown section {section}.")
        settings = msgspec.structs.replace(
            settings, **{section: _overlay_section(section, current, values)}
        )
    return settings


def _overlay_section(section: str, current: _Section, values: dict[str, str]) -> _Section:
    for key, text in values.items():
        current = _overlay_key(section, current, key, text)
    return current


def _overlay_key(section: str, current: _Section, key: str, text: str) -> _Section:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    tree = {key: parts if key in LISTS else text}
    try:
        given = msgspec.convert(tree, type(current), strict=False, dec_hook=_read_custom)
    except msgspec.ValidationError as error:
        name = f"{ENV_PREFIX}{section.upper()}__{key.upper()}"
        raise ConfigError(f"{name} in the environment: {_in_words(error, section)}") from None
    return msgspec.structs.replace(current, **{key: getattr(given, key)})


def check(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Check what one field alone cannot tell, and read the secrets that stand in files.

    Raises ConfigError naming the key.
    """
    account = settings.account
    _check_url("account.url", account.url)
    _check_url("account.oauth_url", account.oauth_url)
    _check_database(settings.database)
    _check_zone(account.timezone)
    if "text" in settings.pull.extra and "html" in settings.pull.extra:
        raise ConfigError('pull.extra: "text" and "html" give one field; choose one of them.')
    if settings.limits.requests_per_second > 1 and not is_loopback(account.url):
        raise ConfigError(
            "limits.requests_per_second: the account allows 1 request per second.",
            hint="More is for a simulated account on this machine only.",
        )
    return msgspec.structs.replace(settings, account=_with_secrets(settings, environ))


def _check_url(key: str, url: str) -> None:
    if not url:
        _fail(key, 'is missing; it looks like "https://YOURCOMPANY.worksection.com"')
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        _fail(key, f"{url!r} is not an address such as https://YOURCOMPANY.worksection.com")
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigError(
            f"{key}: plain http would show the key to everyone on the way to {parts.hostname}.",
            hint=f"Write https://{parts.netloc}",
        )


def is_loopback(url: str) -> bool:
    """Tell whether the address can only be this machine."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def _check_database(database: DatabaseSettings) -> None:
    kinds = ("sqlite:///", "postgresql+psycopg://")
    if database.url and not database.url.startswith(kinds):
        raise ConfigError(
            "database.url: syncd keeps its mirror in SQLite or PostgreSQL.",
            hint="Write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
        )
    password = urlsplit(database.url).password
    if password:
        Secret(unquote(password))  # known from here on, so that no message shows it
        Secret(password)


def _check_zone(name: str | None) -> None:
    if name is None:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _fail("account.timezone", f'{name!r} is not an IANA time zone such as "Europe/Kyiv"')


def _fail(key: str, problem: str) -> NoReturn:
    raise ConfigError(f"{key}: {problem}.")


def _with_secrets(settings: Settings, environ: Mapping[str, str]) -> AccountSettings:
    account = settings.account
    key = account.api_key
    if key is None and account.auth != "oauth2":
        key = _key_from_file(account, settings.path, environ)
    secret = account.oauth_client_secret
    if secret is None and account.oauth_client_secret_file is not None:
        secret = read_secret_file(
            "account.oauth_client_secret_file",
            _beside(account.oauth_client_secret_file, settings.path),
        )
    _check_complete(account, key, secret)
    tokens = account.oauth_token_file
    return msgspec.structs.replace(
        account,
        api_key=key,
        oauth_client_secret=secret,
        oauth_token_file=_beside(tokens, settings.path) if tokens else None,
    )


def _check_complete(account: AccountSettings, key: Secret | None, secret: Secret | None) -> None:
    if account.auth != "oauth2":
        if key is None:
            raise ConfigError(
                "account.api_key_file: no key was found.",
                hint="Store it with: syncd init  (or name a file that holds it, mode 0600)",
            )
        return
    for name, value in (
        ("oauth_client_id", account.oauth_client_id),
        ("oauth_client_secret_file", secret),
        ("oauth_token_file", account.oauth_token_file),
    ):
        if value is None:
            _fail(f"account.{name}", 'is needed with auth = "oauth2"')


def _key_from_file(
    account: AccountSettings, config: Path | None, environ: Mapping[str, str]
) -> Secret | None:
    if account.api_key_file is not None:
        return read_secret_file("account.api_key_file", _beside(account.api_key_file, config))
    folder = environ.get("CREDENTIALS_DIRECTORY")  # systemd.exec(5), LoadCredential=
    if folder and (Path(folder) / CREDENTIAL).is_file():
        # systemd guards the folder; the mode of a file in it may show a group for an ACL's sake.
        return _read_secret_text("the credential api-key", Path(folder) / CREDENTIAL)
    return None


def _beside(path: Path, config: Path | None) -> Path:
    """Read a relative path as beside the configuration file, not the working directory."""
    return path if path.is_absolute() or config is None else config.parent / path


def read_secret_file(key: str, path: Path) -> Secret:
    """Read a secret from a file that only its owner may read.

    Raises ConfigError naming `key` where the file is missing, empty or open to others.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{key}: others can read {path} (mode {stat.S_IMODE(mode):04o}).",
            hint=f"Close it: chmod 600 '{path}'",
        )
    return _read_secret_text(key, path)


def _read_secret_text(key: str, path: Path) -> Secret:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not text.") from None
    if not text:
        raise ConfigError(f"{key}: {path} is empty.")
    return Secret(text)
