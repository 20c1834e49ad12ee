"""The demo's directory: made anew for each run, and nothing removed that is not the demo's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from syncd.errors import ConfigError
from syncd.sandbox import Sandbox

MARK = "# Written by syncd demo, for an account that lives only as long as the demo runs."
LOOPBACK = 'url = "http://127.0.0.1:'
CONFIG, KEY, DATABASE = "syncd.toml", "api-key", "syncd.db"
OWN = (CONFIG, KEY, DATABASE, *(f"{DATABASE}{end}" for end in ("-wal", "-shm", ".lock", ".epoch")))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo keeps its configuration, its key and its database."""

    folder: Path

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / CONFIG

    @property
    def database(self) -> Path:
        """The mirror."""
        return self.folder / DATABASE

    def clear(self) -> None:
        """Remove what an earlier demo left. Raises ConfigError where other things are."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            return
        if any(self.folder.iterdir()) and not self._is_ours():
            raise ConfigError(
                f"{self.folder} holds files that are not the demo's.",
                hint="Name another directory with --dir; nothing was touched.",
            )
        for name in OWN:
            (self.folder / name).unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        """Tell whether a demo wrote the configuration, and nobody made it a real one since."""
        try:
            text = self.config.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        return text.startswith(MARK) and LOOPBACK in text

    def write(self, box: Sandbox) -> None:
        """Write a configuration that leads to the simulated account."""
        self.config.write_text(
            f"{MARK}\n"
            "[account]\n"
            f'url = "{box.url}"\n'
            f'api_key_file = "{KEY}"\n'
            f'timezone = "{box.account.zone.key}"\n\n'
            "[database]\n"
            f'url = "sqlite:///{DATABASE}"\n\n'
            "[limits]\n"
            "requests_per_second = 1000000  # a real account allows 1\n",
            encoding="utf-8",
        )
        key = os.open(self.folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(key, "w", encoding="utf-8") as file:
            file.write(box.key + "\n")
