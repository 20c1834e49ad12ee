"""A streaming standby for reports, while pulls go on at its primary."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction, SerializationFailure

from syncd.sandbox import Account, Sandbox
from syncd.services.grants import give
from tests.scale.conftest import DEEP
from tests.support.daemons import until
from tests.support.mirror import Mirror, assert_mirror_equals, build, config_text
from tests.support.postgres import Cluster
from tests.support.processes import Finished, run_syncd

PULLS = 40 if DEEP else 4
REFUSED = (("pull",), ("pull", "--dry-run"), *((("sync",), ("run",), ("verify",)) if DEEP else ()))
BOOKS = """
SELECT (SELECT count(*) FROM tasks), (SELECT max(id) FROM sync_runs),
  (SELECT min(name) FROM tasks WHERE removed_at IS NULL),
  (SELECT count(DISTINCT name) FROM live_tasks), (SELECT count(*) FROM live_tasks),
  (SELECT count(*) FROM report_tasks), (SELECT count(*) FROM task_versions),
  (SELECT sum(added) FROM report_daily), (SELECT count(*) FROM task_history)
"""
"""What the reports say, in one statement: the state of one commit, or it is half a pull."""
Books = tuple[Any, ...]
NOBODY_KNOWS = "SELECT backend_xmin IS NOT NULL FROM pg_stat_replication"


@dataclass(slots=True)
class Pair:
    """A mirror on the primary, and the way to the same database on the standby."""

    mirror: Mirror
    primary: Cluster
    standby: Cluster
    database: str
    path: Path
    turns: int = 0

    @property
    def account(self) -> Account:
        return self.mirror.account

    @property
    def standby_url(self) -> str:
        return self.standby.url_for(self.database)

    @contextmanager
    def reading(self, *, role: str | None = None) -> Iterator[psycopg.Connection]:
        """A session of a BI tool on the standby."""
        url = self.standby.url_for(self.database, role=role) if role else self.standby_url
        with psycopg.connect(url.replace("+psycopg", "")) as session:
            yield session

    @property
    def state(self) -> str:
        """What every task is called since the last turn."""
        return f"State {self.turns:03}"

    def turn(self) -> None:
        """Change every task of the account, one is gone and two are new; pull that."""
        self.turns += 1
        for task in self.account.tasks:
            self.account.rename_task(task, self.state)
        self.account.delete_task(max(self.account.tasks))
        for _ in range(2):
            self.account.create_task(max(self.account.projects), self.state)
        assert "complete" == self.mirror.pull().outcome

    def vacuum(self) -> None:
        """Give back what no session of the primary can see any more, as autovacuum does."""
        url = self.primary.admin_url_for(self.database).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("VACUUM tasks")

    def syncd(self, *words: str) -> Finished:
        """Run a command whose configuration names the standby by mistake."""
        self.path.write_text(config_text(self.mirror.box, self.standby_url))
        return run_syncd("--config", self.path, *words)


@pytest.fixture(scope="module")
def world(
    postgres: Cluster, standby: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """A mirror that both servers have."""
    name = postgres.create_database()
    folder = tmp_path_factory.mktemp("standby")
    with Sandbox(Account.seeded(tasks=60, seed=1)) as box:
        mirror = build(box, postgres.url_for(name), folder / "syncd.toml")
        assert "complete" == mirror.pull().outcome
        yield Pair(mirror, postgres, standby, name, folder / "standby.toml")
        mirror.app.db.close()
    postgres.drop_database(name)


@pytest.fixture
def pair(world: Pair) -> Iterator[Pair]:
    """The mirror on both, current; the standby with the delays and the feedback of a new one."""
    world.standby.catch_up_with(world.primary)
    yield world
    world.standby.change(max_standby_streaming_delay="30s", hot_standby_feedback="off")


def books(session: psycopg.Connection) -> Books:
    """The state of the mirror as a report shows it."""
    found = session.execute(BOOKS).fetchone()
    session.commit()
    assert found is not None
    return found


# --- what a report sees


def test_no_report_on_a_standby_sees_half_a_pull(pair: Pair):
    seen: list[Books] = []
    done = threading.Event()

    def read() -> None:
        with pair.reading() as session:
            while not done.is_set():
                seen.append(books(session))

    reader = threading.Thread(target=read)
    reader.start()
    committed = []
    with psycopg.connect(pair.mirror.database_url.replace("+psycopg", "")) as session:
        committed.append(books(session))
        for _ in range(PULLS):
            pair.turn()
            committed.append(books(session))
    pair.standby.catch_up_with(pair.primary)
    until(lambda: seen[-1] == committed[-1], what=lambda: (seen[-1], committed[-1]))
    done.set()
    reader.join()
    at = [committed.index(state) for state in dict.fromkeys(seen)]
    assert sorted(at) == at
    assert len(at) > 2
    assert_mirror_equals(pair.mirror)


def test_a_reader_of_the_primary_reads_the_same_on_the_standby_and_nothing_more(pair: Pair):
    role = f"analyst_{pair.database}"
    pair.primary.create_role(role)
    give(pair.mirror.app.db, role, "reader", run=True)
    pair.standby.catch_up_with(pair.primary)
    with pair.reading(role=role) as session:
        assert pair.mirror.value("SELECT count(*) FROM report_tasks") == books(session)[5]
        with pytest.raises(InsufficientPrivilege):
            session.execute("SELECT * FROM outbox")
    with pair.reading() as session, pytest.raises(ReadOnlySqlTransaction):
        session.execute("UPDATE live_tasks SET priority = 3")


# --- long queries


def test_no_pull_waits_for_a_query_on_the_standby(pair: Pair):
    """It is the standby that waits: everybody there reads what was before the query."""
    pair.standby.change(max_standby_streaming_delay="-1")
    before = pair.mirror.value("SELECT max(id) FROM sync_runs")
    with pair.reading() as long, pair.reading() as short:
        long.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        long.execute(BOOKS)
        pair.turn()
        pair.vacuum()
        pair.turn()
        assert before + 2 == pair.mirror.value("SELECT max(id) FROM sync_runs")
        until(lambda: books(short)[1] == before + 1)
        assert before == long.execute("SELECT max(id) FROM sync_runs").fetchall()[0][0]
        assert before + 1 == books(short)[1]
        long.rollback()
        pair.standby.catch_up_with(pair.primary)
        assert before + 2 == books(short)[1]


def test_a_query_that_delays_the_standby_too_long_is_cancelled_and_may_be_repeated(pair: Pair):
    pair.standby.change(max_standby_streaming_delay="0")
    with pair.reading() as long:
        long.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        long.execute(BOOKS)
        pair.turn()
        pair.vacuum()
        pair.standby.catch_up_with(pair.primary)
        with pytest.raises(SerializationFailure, match="due to conflict with recovery"):
            long.execute(BOOKS)
    with pair.reading() as again:
        assert pair.state == books(again)[2]


def test_with_feedback_no_query_is_cancelled_and_the_standby_keeps_up(pair: Pair):
    pair.standby.change(
        max_standby_streaming_delay="0", hot_standby_feedback="on", wal_receiver_status_interval="1"
    )
    with pair.reading() as long:
        long.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        before = long.execute(BOOKS).fetchone()
        until(lambda: pair.primary.value(NOBODY_KNOWS))
        for _ in range(2):
            pair.turn()
            pair.vacuum()
        pair.standby.catch_up_with(pair.primary)
        assert before == long.execute(BOOKS).fetchone()
        with pair.reading() as short:
            assert pair.state == books(short)[2]


# --- syncd, by mistake


def test_syncd_on_a_standby_is_refused_and_asks_the_account_nothing(pair: Pair):
    """A dry run too: the lease's lock on a standby keeps nobody away from the account."""
    pair.mirror.box.log.clear()
    for words in REFUSED:
        said = pair.syncd(*words).expect(2).stderr
        assert "is read-only." in said
        assert "Name the primary server, not a standby." in said
    assert [] == pair.mirror.box.log.actions()


def test_what_only_reads_works_on_a_standby(pair: Pair):
    shown = pair.syncd("status", "--json").expect(0).document
    assert pair.mirror.value("SELECT max(id) FROM sync_runs") == shown["last_run"]["id"]
