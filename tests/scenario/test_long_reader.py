"""A report that takes long: no pull waits for it, and it sees one state from start to end.

On SQLite it keeps the log from being emptied: that is told while it lasts, and over with it. The
deep profile holds the query open for a minute; else it is open while the pulls land, however long.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import psycopg
import pytest

from syncd.sandbox import Account
from syncd.services.facts import gather
from syncd.store import readers
from syncd.store.engine import LOG_KEPT_BYTES
from syncd.sync.facts import Facts
from syncd.sync.troubles import troubles
from tests.support.mirror import Mirror, assert_mirror_equals
from tests.support.records import MONDAY

MINUTE_S = 60 if os.environ.get("SYNCD_HYPOTHESIS") == "deep" else 0
TASKS = 100
PULLS = 3
LONG = "Звіт " * 2000
"""Ten thousand letters for each task: a few pulls of them are more log than is kept."""
QUERY = "SELECT id, name, path, valid_from FROM report_tasks ORDER BY id"
REPEATABLE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
READER = """
import sqlite3, sys
own = sqlite3.connect(sys.argv[1], uri=True, isolation_level=None)
own.execute("BEGIN")
own.execute("SELECT count(*) FROM report_tasks").fetchone()
print("reading", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def mirror(a_mirror) -> Mirror:
    return pulled(a_mirror)


def pulled(make) -> Mirror:
    made = make(Account.seeded(tasks=TASKS), extra=("subtasks", "text"))
    made.pull()
    return made


@contextmanager
def opened(url: str) -> Iterator[Any]:
    """A BI tool's connection."""
    if url.startswith("sqlite"):
        uri = f"file:{url.removeprefix('sqlite:///')}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as own:
            yield own
    else:
        with psycopg.connect(url.replace("+psycopg", "")) as server:
            yield server


@contextmanager
def a_cursor(url: str) -> Iterator[Any]:
    """A cursor for one query that gives its rows as they are asked for."""
    with opened(url) as own:
        yield own.cursor() if url.startswith("sqlite") else own.cursor("report")


@contextmanager
def a_transaction(url: str) -> Iterator[Any]:
    """A transaction for several queries, as docs/bi/README.md begins it."""
    with opened(url) as own:
        own.execute("BEGIN" if url.startswith("sqlite") else REPEATABLE)
        yield own


@contextmanager
def another_program_reading(path: Path) -> Iterator[int]:
    """A program that began a transaction, read, and went away for a coffee; its process id."""
    command = [sys.executable, "-c", READER, f"file:{path}?mode=ro"]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as other:
        assert "reading\n" == other.stdout.readline()
        yield other.pid
        other.stdin.close()


def pull_changes(mirror: Mirror, pulls: int = PULLS, *, for_s: float = 0) -> None:
    """Change every task and pull that, so many times and for so long.

    A pull that waited for the test's own reader would never end, but for a time-out that fails it.
    """
    began, pulled = time.monotonic(), 0
    while pulled < pulls or time.monotonic() - began < for_s:
        pulled += 1
        for id in mirror.live():
            mirror.account.edit_task(id, name=f"{pulled}: {id}", text=f"{mirror.clock()} {LONG}")
        report = mirror.pull()
        assert ("complete", len(mirror.live())) == (report.outcome, report.counts["updated"])


def log_bytes(path: Path) -> int:
    return Path(f"{path}-wal").stat().st_size


def test_pulls_land_while_a_query_is_under_way_and_it_sees_none_of_them(mirror: Mirror) -> None:
    before = [tuple(row.values()) for row in mirror.rows(QUERY)]
    with a_cursor(mirror.database_url) as cursor:
        cursor.execute(QUERY)
        seen = cursor.fetchmany(10)
        pull_changes(mirror, for_s=MINUTE_S)  # the query goes on only when these have ended
        seen += cursor.fetchall()
    assert before == seen
    assert_mirror_equals(mirror)


def test_a_transaction_of_several_queries_sees_one_state(mirror: Mirror) -> None:
    with a_transaction(mirror.database_url) as report:
        before = report.execute("SELECT count(*), max(valid_from) FROM report_tasks").fetchone()
        mirror.account.create_task(8562, "Later")
        mirror.pull()
        after = report.execute("SELECT count(*), max(valid_from) FROM task_versions").fetchone()
    assert before == after
    assert before[0] + 1 == len(mirror.live())


def test_a_log_that_a_query_holds_is_told_of_and_is_short_again_once_it_has_ended(
    a_sqlite_mirror, monkeypatch
) -> None:
    for place in ("services.facts", "sync.troubles"):  # 64 MB would take half a minute to write
        monkeypatch.setattr(f"syncd.{place}.LONG_LOG", LOG_KEPT_BYTES)
    mirror = pulled(a_sqlite_mirror)
    path = mirror.app.db.path
    with another_program_reading(path) as pid:
        assert [] == said(mirror)
        pull_changes(mirror, 6)
        (found,) = said(mirror)
        assert f"(pid {pid})" in found or not readers.LOCKS.exists()
        assert log_bytes(path) > LOG_KEPT_BYTES
    assert [] == said(mirror)  # by this look all of the log went into the file
    pull_changes(mirror, 1)
    assert log_bytes(path) <= LOG_KEPT_BYTES
    assert () == readers.names(path)


def said(mirror: Mirror) -> list[str]:
    facts = gather(mirror.app.db, Facts(now=MONDAY, interval_s=300), max_batch=100)
    return [one.summary for one in troubles(facts) if one.kind == "log_held"]
