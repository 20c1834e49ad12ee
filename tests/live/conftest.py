"""A small mirror, and a script author's way to it: plain SQL over the databases' own drivers."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, insert

from syncd.resources.members import members
from syncd.resources.projects import projects
from syncd.resources.tags import relabel, tags
from syncd.resources.tasks.table import task_tags, tasks
from syncd.store.engine import Database, open_database
from syncd.store.live.texts import TEXTS
from syncd.store.upgrade import upgrade
from tests.support.mirror import connected, rows
from tests.support.postgres import Cluster
from tests.support.records import MONDAY

Row = dict[str, Any]


# How a change that was just queued gets into a state.
MOVES = {
    "queued": (),
    "held": ("held",),
    "sending": ("sending",),
    "applied": ("sending", "applied"),
    "uncertain": ("sending", "uncertain"),
    "conflict": ("conflict",),
    "failed": ("failed",),
    "confirmed": ("confirmed",),
    "cancelled": ("cancelled",),
}


@dataclass(slots=True)
class Gate:
    """The mirror under test and its outbox; statements go through the driver alone."""

    db: Database
    url: str

    @property
    def sqlite(self) -> bool:
        return self.db.is_sqlite

    def run(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with connected(self.url) as own:
            for statement in statements:
                own.execute(statement)
            own.commit()

    def refusal(self, *statements: str) -> str:
        """What the database says when it refuses, without what the driver adds."""
        with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)) as caught:
            self.run(*statements)
        error = caught.value
        return error.diag.message_primary if isinstance(error, psycopg.Error) else str(error)

    def refused(self, key: str, *statements: str) -> None:
        """Check that statements are refused with that text, and queue nothing."""
        before = self.rows("SELECT count(*) AS n FROM outbox")
        assert self.refusal(*statements) == TEXTS[key]
        assert self.rows("SELECT count(*) AS n FROM outbox") == before

    def rows(self, query: str) -> list[Row]:
        return rows(self.url, query)

    def task(self, where: str) -> Row:
        """One row of live_tasks, by Python's types."""
        (row,) = self.rows(f"SELECT * FROM live_tasks WHERE {where}")
        return {name: plain(name, value) for name, value in row.items()}

    def changes(self) -> list[Row]:
        """Every change in the order of its number, documents decoded."""
        found = self.rows("SELECT * FROM outbox ORDER BY id")
        return [row | {key: document(row[key]) for key in ("fields", "base")} for row in found]

    def said(self) -> list[tuple[str, Row, Row]]:
        """What was queued: operation, fields, base."""
        return [(row["operation"], row["fields"], row["base"]) for row in self.changes()]

    def events(self) -> list[tuple[int, str | None, str, str]]:
        """The trail without its instants."""
        return [
            (row["change_id"], row["from_state"], row["to_state"], row["actor"])
            for row in self.rows("SELECT * FROM outbox_events ORDER BY id")
        ]

    def move(self, id: int, *states: str) -> None:
        """Take a change through states, as syncd does."""
        self.run(*(f"UPDATE outbox SET state = '{state}' WHERE id = {id}" for state in states))


def document(value: Any) -> Any:
    """A JSON column, whichever driver it came from."""
    return json.loads(value) if isinstance(value, str) else value


def plain(name: str, value: Any) -> Any:
    """A value of the view, equal on both databases."""
    if name in {"max_time", "max_money"} and value is not None:
        return Decimal(str(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value


def a_row(id: int, **values: Any) -> Row:
    """A task of project 10 as the mirror stores it."""
    page = f"/project/10/{id}/"
    return {
        "id": id,
        "project_id": 10,
        "parent_id": None,
        "level": 1,
        "name": f"Task {id}",
        "page": page,
        "url": f"https://acme.example{page}",
        "status": "active",
        "priority": 5,
        "author_id": 100,
        "assignee_id": 101,
        "text": "a text",
        "date_added": datetime(2021, 1, 7, 10, 1),
        "date_start": None,
        "date_end": date(2026, 2, 1),
        "date_closed": None,
        "max_time": Decimal("352"),
        "max_money": None,
        "removed_at": None,
        "removed_reason": None,
        "valid_from": MONDAY,
        "observed_at": MONDAY,
        "content_hash": b"0" * 16,
    } | values


def fill(tx: Connection) -> None:
    """Write the small mirror: three levels, a done task, a removed one; twins among the tags."""
    people = [
        (0, "NOONE", "nobody", None),
        (2, "ANY", "anyone", None),
        (100, "olena@acme.example", "person", None),
        (101, "petro@acme.example", "person", None),
        (102, "left@acme.example", "person", MONDAY),
    ]
    tx.execute(
        insert(members),
        [{"id": i, "email": e, "name": e, "kind": k, "removed_at": r} for i, e, k, r in people],
    )
    tx.execute(
        insert(projects),
        [
            {"id": i, "name": f"P {i}", "page": f"/project/{i}/", "url": "u", "removed_at": r}
            for i, r in ((10, None), (11, None), (12, MONDAY))
        ],
    )
    named = [(1, "To-do"), (2, "Done"), (3, "a,b"), (4, "Twin"), (5, "Twin"), (7, "#x"), (8, "éa")]
    tx.execute(
        insert(tags),
        [{"id": i, "name": name, "removed_at": None} for i, name in named]
        + [{"id": 6, "name": "Old", "removed_at": MONDAY}],
    )
    relabel(tx)
    tx.execute(
        insert(tasks),
        [
            a_row(1000),
            a_row(1001, parent_id=1000, level=2),
            a_row(1002, parent_id=1001, level=3),
            a_row(1003, removed_at=MONDAY, removed_reason="deleted"),
            a_row(1004, project_id=11, status="done", date_closed=datetime(2021, 2, 3, 10, 15)),
            a_row(1005, assignee_id=None, text=None, date_end=None, max_time=None),
        ],
    )
    tx.execute(
        insert(task_tags),
        [{"task_id": 1000, "tag_id": tag} for tag in (1, 2)]
        + [{"task_id": 1001, "tag_id": tag} for tag in (3, 5, 6, 8)],
    )


def _prepare(url: str) -> None:
    database = open_database(url)
    upgrade(database, now=MONDAY)
    with database.write() as tx:
        fill(tx)
    database.close()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the small mirror; the tests get copies of it."""
    path = tmp_path_factory.mktemp("prepared") / "syncd.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def prepared_postgres(postgres: Cluster) -> str:
    """A database with the small mirror; the tests get copies of it."""
    name = postgres.create_database()
    _prepare(postgres.url_for(name))
    return name


def _on_sqlite(prepared: Path, folder: Path) -> Iterator[Gate]:
    path = folder / "gate.db"
    shutil.copy(prepared, path)
    yield from _opened(f"sqlite:///{path}")


def _on_postgres(cluster: Cluster, prepared: str) -> Iterator[Gate]:
    name = cluster.create_database(template=prepared)
    yield from _opened(cluster.url_for(name))
    cluster.drop_database(name)


def _opened(url: str) -> Iterator[Gate]:
    database = open_database(url)
    yield Gate(database, url)
    database.close()


@pytest.fixture
def sqlite_gate(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Gate]:
    """The gate on SQLite, for what only it has."""
    yield from _on_sqlite(prepared_sqlite, tmp_path)


@pytest.fixture
def pg_gate(postgres: Cluster, prepared_postgres: str) -> Iterator[Gate]:
    """The gate on PostgreSQL, for what only it has."""
    yield from _on_postgres(postgres, prepared_postgres)


@pytest.fixture(scope="module")
def shut_sqlite_gate(
    prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    """A gate on SQLite that nothing gets through: tests of refusals share it."""
    yield from _on_sqlite(prepared_sqlite, tmp_path_factory.mktemp("shut"))


@pytest.fixture(scope="module")
def shut_pg_gate(postgres: Cluster, prepared_postgres: str) -> Iterator[Gate]:
    """A gate on PostgreSQL that nothing gets through: tests of refusals share it."""
    yield from _on_postgres(postgres, prepared_postgres)


def _either(request: pytest.FixtureRequest, kind: str) -> Gate:
    gate: Gate = request.getfixturevalue(kind.replace("gate", f"{request.param}_gate"))
    return gate


@pytest.fixture(params=["sqlite", "pg"])
def gate(request: pytest.FixtureRequest) -> Gate:
    """The gate on each of the two databases, over a small mirror of its own."""
    return _either(request, "gate")


@pytest.fixture(params=["sqlite", "pg"])
def shut_gate(request: pytest.FixtureRequest) -> Gate:
    """A gate that nothing gets through, on each of the two databases."""
    return _either(request, "shut_gate")
