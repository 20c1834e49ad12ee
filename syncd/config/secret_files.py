"""Secrets in files of their own, as only their owner may read them; and those that are not."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from syncd.errors import ConfigError
from syncd.secrets import Secret
from syncd.settings import AccountSettings

CREDENTIAL = "api-key"


def credential(environ: Mapping[str, str]) -> Path | None:
    """Return the key that systemd hands to its service, if it does (systemd.exec(5))."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder) / CREDENTIAL if folder else None
    # Ours is blank where there is no key to hand over, as with OAuth2 (systemd/syncd.service).
    return path if path is not None and path.is_file() and path.read_bytes().strip() else None


def key_from_file(
    account: AccountSettings, config: Path | None, environ: Mapping[str, str]
) -> Secret | None:
    """Read the key. What systemd hands over goes first: a service may not read root's file."""
    handed = credential(environ)
    if handed is not None:
        # systemd guards the folder; the mode of a file in it may show a group for an ACL's sake.
        return _read_secret_text("the credential api-key", handed)
    if account.api_key_file is not None:
        return read_secret_file("account.api_key_file", beside(account.api_key_file, config))
    return None


def beside(path: Path, config: Path | None) -> Path:
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
