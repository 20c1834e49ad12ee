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
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from syncd.errors import ConfigError
from syncd.secrets import Secret
from syncd.settings import (
    AccountSettings,
    BackupSettings,
    DatabaseSettings,
    Duration,
    Section,
    ServerSettings,
    Settings,
)

CONFIG_NAME = "syncd.toml"
ENV_FILE = "SYNCD_CONFIG"
ENV_PREFIX = "SYNCD_"
CREDENTIAL = "api-key"
MAX_PORT = 65_535
LISTS = frozenset({"extra", "command", "apprise"})
"""Keys that hold a list; in the environment, its parts are separated by commas."""

T = TypeVar("T")


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
    return complete(msgspec.structs.replace(settings, path=path.absolute()), environ)


def complete(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Lay the environment over settings, then check them. Raises ConfigError naming the key."""
    overlay = _from_environment(environ)
    return check(_overlay(settings, overlay) if overlay else settings, environ)


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
        if not isinstance(current, Section):
            raise ConfigError(f"{ENV_PREFIX}{section.upper()}__…: unknown section {section}.")
        settings = msgspec.structs.replace(
            settings, **{section: _overlay_section(section, current, values)}
        )
    return settings


def _overlay_section(section: str, current: Section, values: dict[str, str]) -> Section:
    for key, text in values.items():
        current = _overlay_key(section, current, key, text)
    return current


def _overlay_key(section: str, current: Section, key: str, text: str) -> Section:
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
    check_zone(account.timezone)
    if "text" in settings.pull.extra and "html" in settings.pull.extra:
        raise ConfigError('pull.extra: "text" and "html" give one field; choose one of them.')
    if settings.limits.requests_per_second > 1 and not is_loopback(account.url):
        raise ConfigError(
            "limits.requests_per_second: the account allows 1 request per second.",
            hint="More is for a simulated account on this machine only.",
        )
    return msgspec.structs.replace(
        settings,
        account=_with_secrets(settings, environ),
        server=_with_hook(settings),
        backup=_beside_us(settings),
    )


def _with_hook(settings: Settings) -> ServerSettings:
    """Check the daemon's port, and read the password of the webhook that may come in by it."""
    server = settings.server
    if server.listen:
        _check_listen(server)
    password = server.hook_password
    if password is None and server.hook_password_file is not None:
        path = _beside(server.hook_password_file, settings.path)
        password = read_secret_file("server.hook_password_file", path)
    if bool(server.hook_user) != (password is not None):
        _fail("server.hook_user", "and server.hook_password_file go together")
    return msgspec.structs.replace(server, hook_password=password)


def _check_listen(server: ServerSettings) -> None:
    host, _, port = server.listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > MAX_PORT:
        _fail("server.listen", f'{server.listen!r} is not an address such as "127.0.0.1:9187"')
    if not is_loopback(f"http://{host}"):
        raise ConfigError(
            f"server.listen: {host} is open to other machines, and this port has no TLS.",
            hint="Listen on 127.0.0.1, and put a web server before it that others may ask.",
        )


def _beside_us(settings: Settings) -> BackupSettings:
    backup = settings.backup
    if backup.folder is None:
        return backup
    return msgspec.structs.replace(backup, folder=_beside(backup.folder, settings.path))


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


def check_zone(name: str | None) -> None:
    """Raise ConfigError unless `name` is an IANA time zone, or None."""
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


def credential(environ: Mapping[str, str]) -> Path | None:
    """Return the key that systemd hands to its service, if it does (systemd.exec(5))."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder) / CREDENTIAL if folder else None
    # Ours is blank where there is no key to hand over, as with OAuth2 (systemd/syncd.service).
    return path if path is not None and path.is_file() and path.read_bytes().strip() else None


def _key_from_file(
    account: AccountSettings, config: Path | None, environ: Mapping[str, str]
) -> Secret | None:
    """Read the key. What systemd hands over goes first: a service may not read root's file."""
    handed = credential(environ)
    if handed is not None:
        # systemd guards the folder; the mode of a file in it may show a group for an ACL's sake.
        return _read_secret_text("the credential api-key", handed)
    if account.api_key_file is not None:
        return read_secret_file("account.api_key_file", _beside(account.api_key_file, config))
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


def open_secrets(path: Path) -> list[str]:
    """Return the keys of a configuration that hold a secret themselves, instead of a file's name.

    Expects a file that `load` accepts.
    """
    tree = tomllib.loads(path.read_text(encoding="utf-8"))
    account = tree.get("account", {})
    found = [f"account.{key}" for key in ("api_key", "oauth_client_secret") if key in account]
    found += ["server.hook_password"] if "hook_password" in tree.get("server", {}) else []
    alerts = tree.get("alerts", {})
    found += [f"alerts.{key}" for key in ("apprise", "ping_url") if key in alerts]
    if urlsplit(tree.get("database", {}).get("url", "")).password:
        found.append("database.url")
    return found


def steering(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the environment's variables that stand over the file."""
    found = _from_environment(environ)
    names = (f"{ENV_PREFIX}{part}__{key}" for part, keys in found.items() for key in keys)
    return sorted(name.upper() for name in names)
