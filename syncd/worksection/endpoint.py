"""The address of the account, and whether a key may be sent there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from syncd.errors import ConfigError


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its address or its one reserved name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_of(url: str) -> str:
    """Return the host that `url` names, or an empty text."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def checked_base_url(url: str, *, setting: str = "account.url") -> str:
    """Return `url` without its path's end, fit to have a key sent to it.

    Raises ConfigError: no http(s) address, plain http to another machine, or a password in it.
    """
    host = host_of(url)
    parts = urlsplit(url) if host else None
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ConfigError(
            f"{setting} is not an address that syncd can use",
            hint="Write it like https://ACCOUNT.worksection.com",
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"{setting} holds a user name or password",
            hint="Remove what stands before the @; the key has a setting of its own.",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"{setting} is plain http: the key would travel unencrypted to {host}",
            hint="Write https://. Plain http is only for an account on this machine.",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
