"""systemd's unit files: the shipped ones with this machine's paths, put in place, never over a
person's own lines.

Starts nothing: what is left to do is told, and a person does it.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from syncd import __version__, shipped
from syncd.errors import ConfigError

FOLDER = Path("etc/systemd/system")
"""Where an administrator's units are, below the root of a system."""
CONFIG = Path("/etc/syncd/syncd.toml")
PROGRAM = "/usr/local/bin/syncd"
"""The path that stands in the shipped units."""
USER = "syncd"
ADD_USER = (
    f"useradd --system --home-dir /var/lib/{USER} --no-create-home --shell /usr/sbin/nologin {USER}"
)
UNSEEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - named
"""What the units hide from the service."""

Done = Literal["written", "replaced", "as it was"]

_INSTANCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_STAMP = re.compile(r"# Written by syncd \S+, sum ([0-9a-f]{16})\..*\n")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of one account: the plain one, or an instance of the template."""

    program: str
    config: Path = CONFIG
    instance: str | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError for a name that systemd would read otherwise."""
        if self.instance is not None and not _INSTANCE.fullmatch(self.instance):
            raise ConfigError(
                f"{self.instance!r} is no name of an instance.",
                hint="Letters, digits, dots and dashes make one, as in: --instance acme",
            )

    @property
    def file(self) -> str:
        """The name of the unit's file."""
        return "syncd.service" if self.instance is None else "syncd@.service"

    @property
    def name(self) -> str:
        """What `systemctl` knows the service by."""
        return "syncd" if self.instance is None else f"syncd@{self.instance}"

    @property
    def own_config(self) -> Path:
        """The configuration that the service reads."""
        return self.config if self.instance is None else CONFIG.with_name(f"{self.instance}.toml")

    def text(self) -> str:
        """Return the unit as it is installed."""
        shipped_text = (shipped.path("systemd") / self.file).read_text(encoding="utf-8")
        text = shipped_text.replace(f"ExecStart={PROGRAM} ", f"ExecStart={self.program} ")
        if self.instance is None:
            text = text.replace(f"--config {CONFIG}", f"--config {as_word(self.config)}")
            # What follows the colon is one path to the end of the line, and never quoted.
            text = text.replace(f":{_key(CONFIG)}", f":{_literal(_key(self.config))}")
        return _stamped(text, self.file)


def _key(config: Path) -> Path:
    return config.with_suffix(".key")


def as_word(path: Path) -> str:
    """Return a path as systemd reads one word of a line. Raises ConfigError where it cannot."""
    text = _literal(path)
    return f'"{text}"' if re.search(r"[\s;#]", text) else text


def _literal(path: Path) -> str:
    text = str(path)
    if any(mark in text for mark in "\n\"'\\$"):
        raise ConfigError(f"{text!r} cannot stand in a unit.", hint="Choose a plainer path.")
    return text.replace("%", "%%")


def this_program() -> str:
    """Return how a unit starts this very installation: its own command, else its interpreter."""
    command = Path(sysconfig.get_path("scripts")) / "syncd"
    if command.is_file():
        return as_word(command)
    return f"{as_word(Path(sys.executable).absolute())} -m syncd"


def hidden(program: str) -> bool:
    """Tell whether the service could not see its own program: it lives in somebody's home."""
    path = Path(program.strip('"'))
    return any(path.is_relative_to(folder) for folder in UNSEEN)


def _stamped(body: str, file: str) -> str:
    """Say on top who wrote this, so that a person's own lines can be told from ours."""
    note = f"Your own lines go into: systemctl edit {file}"
    return f"# Written by syncd {__version__}, sum {_sum(body)}. {note}\n{body}"


def _sum(body: str) -> str:
    return sha256(body.encode()).hexdigest()[:16]


def ours(text: str) -> bool:
    """Tell whether a unit is as some syncd wrote it, and no person changed it since."""
    stamp = _STAMP.match(text)
    return stamp is not None and stamp[1] == _sum(text[stamp.end() :])


def install(service: Service, root: Path, *, force: bool) -> tuple[Path, Done]:
    """Write the unit below `root`. Raises ConfigError where a person's own would be lost."""
    path, text = root / FOLDER / service.file, service.text()
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before == text:
            return path, "as it was"
        if before is not None and not (force or ours(before)):
            raise ConfigError(
                f"{path} was changed by hand, and is left as it is.",
                hint=f"Keep your lines in: systemctl edit {service.file}; then install --force",
            )
        _write(path, text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
    return path, "written" if before is None else "replaced"


def _write(path: Path, text: str) -> None:
    """Put a file in its place, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as draft:
        draft.write(text)
        os.fchmod(draft.fileno(), 0o644)
    Path(draft.name).replace(path)


def next_steps(service: Service, root: Path) -> Iterator[str]:
    """Give the commands that are left to a person, as far as `root` shows which."""
    if not _has_user(root):
        yield ADD_USER
    config = service.own_config
    if not (root / config.relative_to("/")).exists():
        plain = config == CONFIG
        yield "syncd init" if plain else f"syncd init --config {as_word(config)}"
    yield "systemctl daemon-reload"
    yield f"systemctl enable --now {service.name}"
    yield f"systemctl status {service.name}"


def _has_user(root: Path) -> bool:
    try:
        known = (root / "etc/passwd").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.startswith(f"{USER}:") for line in known.splitlines())
