"""A configured directory with the small mirror of the gate's tests; commands run in-process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.entry import run
from syncd.store.engine import open_database
from syncd.store.upgrade import upgrade
from tests.live.conftest import MOVES, Gate, fill
from tests.support.records import MONDAY


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Desk:
    """Commands over one mirror; `gate` is plain SQL on the same."""

    gate: Gate
    config: Path
    capture: pytest.CaptureFixture[str]

    def syncd(self, *words: str, code: int = 0) -> Said:
        """Run a command, and insist on its exit code."""
        status = run([*words, "--config", str(self.config)])
        told = self.capture.readouterr()
        assert (code, "") == (status, told.err if status == 1 else ""), told.err
        return Said(status, told.out, told.err)

    def refusal(self, *words: str) -> tuple[str, str]:
        """Run a command that is refused: what happened, and what to do."""
        said = self.syncd(*words, code=2)
        assert said.out == ""
        what, do = said.err.splitlines()
        assert what.startswith("syncd: ")
        return what.removeprefix("syncd: "), do

    def take(self, id: int, state: str, **values: str) -> None:
        """Take a change that was just queued into a state, as a push does."""
        self.gate.move(id, *MOVES[state])
        for name, value in values.items():
            self.gate.run(f"UPDATE outbox SET {name} = '{value}' WHERE id = {id}")

    def states(self) -> list[str]:
        return [change["state"] for change in self.gate.changes()]


def a_mirror(folder: Path) -> Path:
    """Write the small mirror and a configuration that names it; return the latter's path."""
    database = open_database(f"sqlite:///{folder / 'syncd.db'}")
    upgrade(database, now=MONDAY)
    with database.write() as tx:
        fill(tx)
    database.close()
    config = folder / "syncd.toml"
    lines = ['[account]\nurl = "https://acme.worksection.com"\napi_key = "k"', "[push]"]
    config.write_text("\n".join([*lines, "max_batch = 4"]) + "\n")
    config.chmod(0o600)
    return config
