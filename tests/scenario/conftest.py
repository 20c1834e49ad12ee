"""Fixtures of the scenarios: a mirror of an account that is served over HTTP, closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Account, Sandbox
from tests.support.mirror import Mirror, build

MakeMirror = Callable[..., Mirror]


@pytest.fixture
def a_mirror(ready_database_url: str, tmp_path: Path) -> Iterator[MakeMirror]:
    """Makes a mirror of an account, on each of the two databases: `a_mirror(account, extra=…)`."""
    yield from _makes_mirrors(ready_database_url, tmp_path)


@pytest.fixture
def a_sqlite_mirror(ready_sqlite_url: str, tmp_path: Path) -> Iterator[MakeMirror]:
    """As `a_mirror`, on SQLite alone: for what is decided before a database is asked."""
    yield from _makes_mirrors(ready_sqlite_url, tmp_path)


@pytest.fixture
def a_postgres_mirror(ready_postgres_url: str, tmp_path: Path) -> Iterator[MakeMirror]:
    """As `a_mirror`, on PostgreSQL alone: for what only its books can show."""
    yield from _makes_mirrors(ready_postgres_url, tmp_path)


@pytest.fixture
def a_mirror_at(tmp_path: Path) -> Iterator[Callable[..., Mirror]]:
    """As `a_mirror`, of a database that the test names: `a_mirror_at(postgres_url, account)`."""
    with ExitStack() as stack:
        yield lambda url, *args, **settings: _made(stack, url, tmp_path, *args, **settings)


def _makes_mirrors(database_url: str, folder: Path) -> Iterator[MakeMirror]:
    with ExitStack() as stack:
        yield lambda *args, **settings: _made(stack, database_url, folder, *args, **settings)


def _made(
    stack: ExitStack,
    database_url: str,
    folder: Path,
    account: Account | None = None,
    **settings: Any,
) -> Mirror:
    box = stack.enter_context(Sandbox(account or Account.seeded(tasks=120)))
    made = build(box, database_url, folder / f"syncd{box.port}.toml", **settings)
    stack.callback(made.app.db.close)
    return made
