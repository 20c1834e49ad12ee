"""Settings checked for what one field alone cannot tell, with the secrets of files in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from syncd.config.secret_files import beside, key_from_file, read_secret_file
from syncd.errors import ConfigError
from syncd.secrets import Secret
from syncd.settings import (
    AccountSettings,
    BackupSettings,
    DatabaseSettings,
    ServerSettings,
    Settings,
)

MAX_PORT = 65_535


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
        path = beside(server.hook_password_file, settings.path)
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
    return msgspec.structs.replace(backup, folder=beside(backup.folder, settings.path))


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
        key = key_from_file(account, settings.path, environ)
    secret = account.oauth_client_secret
    if secret is None and account.oauth_client_secret_file is not None:
        secret = read_secret_file(
            "account.oauth_client_secret_file",
            beside(account.oauth_client_secret_file, settings.path),
        )
    _check_complete(account, key, secret)
    tokens = account.oauth_token_file
    return msgspec.structs.replace(
        account,
        api_key=key,
        oauth_client_secret=secret,
        oauth_token_file=beside(tokens, settings.path) if tokens else None,
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
