"""Settings read: the file's, with the environment's over them.

TOML, then `SYNCD_SECTION__KEY` from the environment over it. An unknown key or a bad value is an
error that names the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from syncd.config.checking import check
from syncd.errors import ConfigError
from syncd.secrets import Secret
from syncd.settings import Duration, Section, Settings

CONFIG_NAME = "syncd.toml"
ENV_FILE = "SYNCD_CONFIG"
ENV_PREFIX = "SYNCD_"
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
        return msgspec.convert(tree, Settings, strict=strict, dec_hook=read_custom)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {_in_words(error)}") from None


def read_custom(kind: type[T], value: object) -> T:
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
        given = msgspec.convert(tree, type(current), strict=False, dec_hook=read_custom)
    except msgspec.ValidationError as error:
        name = f"{ENV_PREFIX}{section.upper()}__{key.upper()}"
        raise ConfigError(f"{name} in the environment: {_in_words(error, section)}") from None
    return msgspec.structs.replace(current, **{key: getattr(given, key)})


def steering(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the environment's variables that stand over the file."""
    found = _from_environment(environ)
    names = (f"{ENV_PREFIX}{part}__{key}" for part, keys in found.items() for key in keys)
    return sorted(name.upper() for name in names)
