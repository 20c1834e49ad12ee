"""What `syncd check` finds in the configuration: the file, the key, and settings that surprise."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from syncd import config
from syncd.errors import ConfigError
from syncd.model.reports import Finding
from syncd.services.findings import note, of_error, ok, warning
from syncd.settings import Settings

SHORT_TIMEOUT_S = 30.0
"""A large get_all_tasks takes many seconds (API sheet, section 3)."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load(explicit: Path | None, environ: Mapping[str, str]) -> Settings | Finding:
    """Return the settings, or the problem that stands in the way of them."""
    try:
        return config.load(config.find(explicit, environ), environ)
    except ConfigError as error:
        return of_error("config.file", error)


def look_at_config(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at settings that were loaded; what cannot be used at all did not come this far."""
    if settings.path is not None:
        yield _file(settings.path)
    yield from _environment(environ)
    yield from _key(settings, environ)
    yield _extra(settings)
    yield from _pace(settings)


def _file(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    told, secret = f"{path}, mode {mode:04o}", config.open_secrets(path)
    if secret and mode & OTHERS:
        return warning(
            "config.file",
            f"{told}: others can read {' and '.join(secret)} in it",
            f"chmod 600 '{path}', or keep it in a file of its own",
        )
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return warning("config.file", f"{told}: others can change it", f"chmod go-w '{path}'")
    return ok("config.file", told)


def _environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    names = config.steering(environ)
    if names:
        yield note("config.environment", f"set over the file: {', '.join(names)}")


def _key(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Tell where the credentials come from; a file that others can read was refused by `load`."""
    account = settings.account
    if account.auth == "oauth2":
        return
    if f"{config.ENV_PREFIX}ACCOUNT__API_KEY" in config.steering(environ):
        yield warning(
            "config.key",
            "the key stands in the environment, which every program started from it inherits",
            "Store it with syncd init, or as the systemd credential api-key.",
        )
    elif settings.path is not None and "account.api_key" in config.open_secrets(settings.path):
        yield note(
            "config.key",
            "the key stands in the configuration file",
            "A file of its own is safer to back up and to show around: syncd init --force",
        )
    elif config.credential(environ) is not None:
        yield ok("config.key", "the systemd credential api-key")
    elif account.api_key_file is not None and settings.path is not None:
        yield ok("config.key", f"{settings.path.parent / account.api_key_file}, closed to others")


def _extra(settings: Settings) -> Finding:
    extra = settings.pull.extra
    told = f"pull.extra: {', '.join(extra) or 'nothing'}"
    if "subtasks" not in extra:
        return warning(
            "config.pull",
            f"{told}: subtasks are not mirrored at all",
            'Add "subtasks" to pull.extra, unless that is meant.',
        )
    missing = [word for word in ("relations", "files") if word not in extra]
    if missing:
        return note("config.pull", f"{told}; not mirrored: {', '.join(missing)}")
    return ok("config.pull", told)


def _pace(settings: Settings) -> Iterator[Finding]:
    pace, timeout_s = settings.limits.requests_per_second, float(settings.limits.timeout)
    if pace < 1:
        yield note("config.pace", f"{pace:g} requests a second; the account allows 1")
    elif pace > 1:
        yield note("config.pace", f"{pace:,.0f} requests a second, for a simulated account")
    else:
        yield ok("config.pace", "1 request a second, as the account allows")
    if timeout_s < SHORT_TIMEOUT_S:
        yield warning(
            "config.timeout",
            f"limits.timeout is {timeout_s:g} s; the list of all tasks can take longer",
            'Set limits.timeout to "120s".',
        )
