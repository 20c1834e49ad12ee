"""A directory as a user of syncd has it: configuration, key, mirror; commands run there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncd.bootstrap import build
from syncd.config import load
from syncd.sandbox import Sandbox
from syncd.services.progress import Silent
from syncd.services.pull import pull
from tests.support.processes import Finished, run_syncd

UNPACED = 1_000_000


@dataclass(frozen=True, slots=True)
class Home:
    """One directory and the simulated account that its configuration names."""

    folder: Path
    box: Sandbox

    @property
    def database(self) -> Path:
        return self.folder / "syncd.db"

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    def configure(self, *, pace: float = UNPACED, **account: Any) -> None:
        """Write the configuration anew."""
        given = {
            "url": self.box.url,
            "api_key_file": "api-key",
            "timezone": "Europe/Kyiv",
            **account,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
        text = "\n".join(["[account]", *lines, "", "[limits]", f"requests_per_second = {pace}"])
        self.config.write_text(text + "\n")

    def set_key(self, text: str, mode: int = 0o600) -> None:
        """Write the key file."""
        path = self.folder / "api-key"
        path.unlink(missing_ok=True)
        path.touch(mode=mode)
        path.chmod(mode)
        path.write_text(text)

    def syncd(
        self, *words: str, env: Mapping[str, str] | None = None, powerless: bool = False
    ) -> Finished:
        """Run a command there."""
        return run_syncd(*words, cwd=self.folder, env=env, powerless=powerless)

    def pull(self) -> None:
        """Pull without a process of its own, which would take ten times as long."""
        app = build(load(self.config, {}))
        with closing(app.db):
            app.ready(write=True)
            with app.pulling(Silent()) as work:
                assert pull(work).outcome == "complete"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the mirror."""
        with closing(sqlite3.connect(self.database)) as db:
            return db.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        """Change the database, as somebody else would."""
        with closing(sqlite3.connect(self.database)) as db:
            db.execute(sql)
            db.commit()

    def live(self) -> dict[int, str]:
        """The names of the tasks that are not removed."""
        return dict(self.query("SELECT id, name FROM tasks WHERE removed_at IS NULL"))


def a_home(folder: Path, box: Sandbox) -> Home:
    """A configured directory, without a mirror yet."""
    home = Home(folder, box)
    home.set_key(box.key)
    home.configure()
    return home
