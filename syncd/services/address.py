"""Understands what a person gives as an address, of the account or of the database. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from syncd.config import is_loopback
from syncd.errors import ConfigError

VENDOR = "worksection.com"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_KEY = re.compile(r"[0-9a-fA-F]{32}")
"""What a key looks like: it must never become a name that is looked up."""
_HOST = re.compile(r"[a-z0-9.:\[\]-]+")
NO_ACCOUNT = frozenset({VENDOR, f"www.{VENDOR}"})
EXAMPLE = f"yourcompany, yourcompany.{VENDOR} or https://yourcompany.{VENDOR}"


def account_url(text: str) -> str:
    """Return the account's address from its name, its host, or any page of it in a browser.

    Path and query are dropped: a pasted API address holds a hash. Raises ConfigError.
    """
    given = text.strip().strip("<>\"'")
    if _KEY.fullmatch(given):
        raise _not_understood()
    if _NAME.fullmatch(given.lower()) and given.lower() != "localhost":
        return f"https://{given.lower()}.{VENDOR}"
    parts = _split(given if "://" in given else f"//{given}")
    if parts is None:
        raise _not_understood()
    if parts.username is not None:
        raise ConfigError(
            "The account's address holds a user name or is an email address.",
            hint=f"Give the account's name or address: {EXAMPLE}",
        )
    return _checked(parts)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.hostname is not None and parts.port != 0  # reading a bad port raises
    except ValueError:
        return None
    return parts if usable else None


def _checked(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if not _HOST.fullmatch(host) or parts.scheme not in {"", "http", "https"}:
        raise _not_understood()
    if host in NO_ACCOUNT:
        raise ConfigError(
            f"{host} is the vendor's own page and names no account.",
            hint=f"Give the account's name or address: {EXAMPLE}",
        )
    shown = f"[{host}]" if ":" in host else host
    netloc = f"{shown}:{parts.port}" if parts.port else shown
    if is_loopback(f"http://{netloc}"):
        return f"{parts.scheme or 'http'}://{netloc}"
    if host.endswith(f".{VENDOR}"):
        return f"https://{host}"
    return f"{parts.scheme or 'https'}://{netloc}"


def _not_understood() -> ConfigError:
    # What was given is not said back: it may be a key in the wrong place.
    return ConfigError(
        "The account's address could not be understood.",
        hint=f"Give the account's name or address: {EXAMPLE}",
    )


def database_url(text: str, *, folder: Path) -> str:
    """Return SQLAlchemy's address of a database from one as people write it.

    A plain path is a SQLite file, relative to `folder`; postgres:// and postgresql:// get our
    driver. What is neither is returned as it is, for the settings' own check to refuse.
    """
    given = text.strip()
    scheme, found, rest = given.partition("://")
    if not found:
        return f"sqlite:///{folder / Path(given).expanduser()}"
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    return given
