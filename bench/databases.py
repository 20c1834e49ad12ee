"""Where the bench's databases come from: a file for SQLite, a server for PostgreSQL.

The server is the one that SYNCD_BENCH_PG names, by the URL of a role that may create databases, or
the tests' own, which does not wait for its disk.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.support.postgres import Cluster

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


class Databases(Protocol):
    """One kind of database, handed out empty."""

    name: str
    said: str
    """Which server it is, for the report."""

    def new(self, folder: Path) -> str:
        """Return the URL of an empty database."""


class Sqlite:
    """Files."""

    name = SQLITE

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        with closing(sqlite3.connect(":memory:")):
            self.said = f"SQLite {sqlite3.sqlite_version}"

    def new(self, folder: Path) -> str:
        """Return the URL of a file that is not there yet."""
        return f"sqlite:///{folder / f'bench{next(self._numbers)}.db'}"


class Postgres:
    """Databases of one server, removed at the end."""

    name = POSTGRESQL

    def __init__(self, url: str, origin: str) -> None:
        self._url = make_url(url)
        self._numbers = itertools.count(1)
        self._made: list[str] = []
        self.said = f"PostgreSQL {self._version()} ({origin})"

    def new(self, folder: Path) -> str:  # noqa: ARG002 - a server has its own place
        """Return the URL of a new database."""
        name = f"syncd_bench_{os.getpid()}_{next(self._numbers)}"
        self._tell(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def close(self) -> None:
        """Remove what was made."""
        for name in self._made:
            self._tell(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _connect(self) -> psycopg.Connection:
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)

    def _tell(self, statement: sql.Composed) -> None:
        with self._connect() as server:
            server.execute(statement)

    def _version(self) -> str:
        with self._connect() as server:
            return str(server.info.parameter_status("server_version"))


@contextmanager
def opened(wanted: Sequence[str]) -> Iterator[list[Databases]]:
    """Open the kinds of database that are wanted, and take them away at the end."""
    with ExitStack() as stack:
        found: list[Databases] = [Sqlite()] if SQLITE in wanted else []
        if POSTGRESQL in wanted:
            found.append(stack.enter_context(_server()))
        yield found


@contextmanager
def _server() -> Iterator[Postgres]:
    if url := os.environ.get("SYNCD_BENCH_PG"):
        with closing(Postgres(url, "the one named")) as named:
            yield named
        return
    with closing(Cluster()) as cluster:
        yield Postgres(cluster.admin_url_for("postgres"), "the tests' own, fsync off")
