"""Fixtures of the scenarios: a mirror of an account that is served over HTTP, closed afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Account, Sandbox
from syncd.store import upgrade
from syncd.store.engine import open_database
from tests.support.mirror import Mirror, build
from tests.support.postgres import Cluster

MakeMirror = Callable[..., Mirror]


def _upgraded(url: str) -> str:
    with closing(open_database(url)) as db:
        upgrade.upgrade(db, now=datetime.now(UTC))
    return url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "syncd.db"
    _upgraded(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgres_template(postgres: Cluster) -> str:
    name = postgres.create_database()
    _upgraded(postgres.url_for(name))
    return name


@pytest.fixture
def ready_sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A SQLite database that has its schema and nothing else: a copy, which is quicker made."""
    return f"sqlite:///{shutil.copy(_sqlite_template, tmp_path / 'syncd.db')}"


@pytest.fixture
def ready_postgres_url(postgres: Cluster, _postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database that has its schema and nothing else."""
    name = postgres.create_database(template=_postgres_template)
    yield postgres.url_for(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def ready_database_url(request: pytest.FixtureRequest) -> str:
    """A database that has its schema, once on each of the two engines."""
    kind = {"sqlite": "ready_sqlite_url", "postgresql": "ready_postgres_url"}[request.param]
    url: str = request.getfixturevalue(kind)
    return url


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
