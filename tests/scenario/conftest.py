"""Fixtures of the scenarios: a mirror of an account that is served over HTTP, closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Account, Sandbox
from tests.support.mirror import Mirror, build

MakeMirror = Callable[..., Mirror]


@pytest.fixture
def a_mirror(database_url: str, tmp_path: Path) -> Iterator[MakeMirror]:
    """Makes a mirror of an account, on each of the two databases: `a_mirror(account, extra=…)`."""
    yield from _makes_mirrors(database_url, tmp_path)


@pytest.fixture
def a_sqlite_mirror(sqlite_url: str, tmp_path: Path) -> Iterator[MakeMirror]:
    """As `a_mirror`, on SQLite alone, where the database makes no difference."""
    yield from _makes_mirrors(sqlite_url, tmp_path)


def _makes_mirrors(database_url: str, folder: Path) -> Iterator[MakeMirror]:
    numbers = count(1)
    with ExitStack() as stack:

        def make(account: Account | None = None, **settings: Any) -> Mirror:
            box = stack.enter_context(Sandbox(account or Account.seeded(tasks=120)))
            path = folder / f"syncd{next(numbers)}.toml"
            made = build(box, database_url, path, **settings)
            stack.callback(made.app.db.close)
            return made

        yield make
