"""Fixtures of the daemon's tests: an account over HTTP, a database, and daemons between them.

Each test of a failure that systems like ours have names its number: 3, 10 and 27 in test_run, 4 and
11 in test_hanging, 19 and 23 in test_holding, 5, 6, 12, 28 and 30 in test_trouble.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Account, Sandbox
from tests.support.daemons import Place
from tests.support.mirror import build

MakePlace = Callable[..., Place]
DEEP = os.environ.get("SYNCD_HYPOTHESIS") == "deep"
SLOW = {
    "pull": {"interval": "1h", "events_interval": "1h"},
    "push": {"interval": "1h"},
    "verify": {"interval": "1h", "sample": 0},
    "backup": {"keep": 0},
}
"""Nothing comes by itself while a test looks, but what it asked for."""


def make(
    stack: ExitStack, url: str, folder: Path, *, tasks: int = 60, pace: float = 1000, **more: Any
) -> Place:
    """A place with an account of so many tasks; `more` are sections of its configuration."""
    box = stack.enter_context(
        Sandbox(Account.seeded(tasks=tasks, archived=0, pending=0, delayed=0))
    )
    mirror = build(box, url, folder / "mirror.toml", pace=pace)
    stack.callback(mirror.app.db.close)
    place = Place(mirror, folder / "syncd.toml", stack)
    names = SLOW.keys() | more.keys()
    place.configure(**{name: SLOW.get(name, {}) | more.get(name, {}) for name in names})
    return place


def _makes(url: str, folder: Path) -> Iterator[MakePlace]:
    with ExitStack() as stack:
        yield lambda **more: make(stack, url, folder, **more)


@pytest.fixture
def a_place(ready_database_url: str, tmp_path: Path) -> Iterator[MakePlace]:
    """Makes a place, on each of the two databases: `a_place(pull={"interval": "1s"})`."""
    yield from _makes(ready_database_url, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"] if DEEP else ["sqlite"])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePlace]:
    """As `a_place`, on PostgreSQL in the deep profile alone: for what no database decides."""
    name = {"sqlite": "ready_sqlite_url", "postgresql": "ready_postgres_url"}[request.param]
    yield from _makes(request.getfixturevalue(name), tmp_path)


@pytest.fixture
def a_sqlite_place(ready_sqlite_url: str, tmp_path: Path) -> Iterator[MakePlace]:
    """As `a_place`, on SQLite alone."""
    yield from _makes(ready_sqlite_url, tmp_path)


@pytest.fixture
def a_postgres_place(ready_postgres_url: str, tmp_path: Path) -> Iterator[MakePlace]:
    """As `a_place`, on PostgreSQL alone."""
    yield from _makes(ready_postgres_url, tmp_path)
