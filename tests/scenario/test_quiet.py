"""A pull where nothing changed asks once and writes nothing, by the databases' own books."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from syncd.sandbox import Account
from syncd.services.progress import Silent
from syncd.services.pull import pull
from tests.support.mirror import MIRROR_TABLES, dump

SOON = timedelta(minutes=5)
BOOKS = ("quarantine", "audit_log", "sync_state", "pull_slices")
PAGE = 4096 + 24  # a page of a SQLite file, with its header in the log
FEW_PAGES = 24  # the lease taken and given back, the run's row and its index
FEW_STATEMENTS, FEW_COMMITS = 15, 4
WHOLE = 250  # pages of the whole file, at the least


def _row_versions(mirror) -> dict[str, list[tuple[object, ...]]]:
    """Where each row stands and which transaction wrote it, as PostgreSQL keeps it."""
    return {
        table: sorted(
            tuple(map(str, row.values()))
            for row in mirror.rows(f"SELECT ctid, xmin, xmax FROM {table}")
        )
        for table in (*MIRROR_TABLES, *BOOKS)
    }


@pytest.mark.parametrize("later", [SOON, timedelta(hours=3)], ids=["soon", "catalogues-due"])
def test_a_second_pull_writes_no_row_on_postgresql(a_postgres_mirror, later):
    mirror = a_postgres_mirror(Account.seeded(tasks=300, seed=2))
    mirror.pull()
    mirror.pull(later=SOON)  # what the first pull remembers of itself is settled now
    before = _row_versions(mirror)
    mirror.box.log.clear()
    report = mirror.pull(later=later)
    after = _row_versions(mirror)
    if later != SOON:  # when the catalogues were asked for is the one thing remembered
        before.pop("sync_state")
        after.pop("sync_state")
    assert before == after
    assert "complete" == report.outcome
    wanted = ["get_all_tasks"]
    if later != SOON:
        wanted = ["get_projects", "get_users", "get_task_tags", "get_all_tasks"]
    assert wanted == mirror.box.log.actions()


def test_a_second_pull_asks_a_server_a_few_things(a_postgres_mirror):
    """Each is a trip to the server, and the server may be on another machine."""
    mirror = a_postgres_mirror(Account.seeded(tasks=20, seed=2))
    mirror.pull()
    mirror.pull(later=SOON)
    statements, commits = [], []
    event.listen(
        mirror.app.db.engine, "before_cursor_execute", lambda *of: statements.append(of[2])
    )
    event.listen(mirror.app.db.engine, "commit", commits.append)
    mirror.clock.move(SOON)
    with mirror.app.pulling(Silent()) as work:
        assert "complete" == pull(work).outcome
    assert (FEW_STATEMENTS, FEW_COMMITS) == (len(statements), len(commits)), statements


def test_a_second_pull_writes_a_few_pages_on_sqlite(a_sqlite_mirror):
    mirror = a_sqlite_mirror(Account.seeded(tasks=3000, seed=2))
    mirror.pull()
    before = dump(mirror.database_url, (*MIRROR_TABLES, *BOOKS))
    path = Path(mirror.database_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = fetched_value(reader, "PRAGMA page_count")
        # A reader keeps the log from starting anew, so that all that is written adds up in it.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tasks").fetchone()
        mirror.box.log.clear()
        report = mirror.pull(later=SOON)
        written = path.with_name(f"{path.name}-wal").stat().st_size
    assert pages > WHOLE
    assert 0 < written < FEW_PAGES * PAGE
    assert before == dump(mirror.database_url, (*MIRROR_TABLES, *BOOKS))
    assert (["get_all_tasks"], True) == (mirror.box.log.actions(), report.unchanged)


def fetched_value(connection: sqlite3.Connection, query: str) -> int:
    """The one value that a query gives."""
    ((value,),) = connection.execute(query).fetchall()
    return int(value)


def test_a_first_pull_leaves_the_schema_as_it_was(a_sqlite_mirror):
    """It builds the indexes when the rows are there; somebody's own is none of its business."""
    mirror = a_sqlite_mirror(Account.seeded(tasks=300))
    mirror.execute("CREATE UNIQUE INDEX my_own ON tasks (name, id) WHERE status = 'active'")
    schema = "SELECT name, sql FROM sqlite_master ORDER BY name"
    before = mirror.rows(schema)
    mirror.pull()
    assert before == mirror.rows(schema)
    assert 0 < len(mirror.live())


def test_what_did_not_change_is_not_written_when_something_else_did(a_postgres_mirror):
    mirror = a_postgres_mirror(Account.seeded(tasks=300, seed=2))
    mirror.pull()
    renamed = next(iter(mirror.live()))
    before = _versions_by_id(mirror)
    mirror.account.rename_task(renamed, "The only change")
    report = mirror.pull(later=SOON)
    after = _versions_by_id(mirror)
    assert {renamed} == {id for id in before if before[id] != after[id]}
    assert (1, 0) == (report.counts["updated"], report.counts["inserted"])
    assert 1 == mirror.value("SELECT count(*) AS n FROM task_history")


def _versions_by_id(mirror) -> dict[int, str]:
    rows = mirror.rows("SELECT id, ctid, xmin FROM tasks")
    return {row["id"]: f"{row['ctid']} {row['xmin']}" for row in rows}


def test_an_answer_in_another_order_writes_nothing(a_postgres_mirror):
    mirror = a_postgres_mirror(Account.seeded(tasks=300, seed=2))
    mirror.pull()
    mirror.pull(later=SOON)
    before = _row_versions(mirror)
    with mirror.account.lock:
        for project in mirror.account.projects.values():
            project.roots.reverse()
        mirror.account.projects = dict(reversed(mirror.account.projects.items()))
        mirror.account.touch_all()
    report = mirror.pull(later=SOON)
    after = _row_versions(mirror)
    assert not report.unchanged
    del before["sync_state"], after["sync_state"]  # the hash of the answer
    assert before == after


def test_a_dry_run_writes_nothing_at_all(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=120, seed=2))
    mirror.pull()
    tables = (*MIRROR_TABLES, *BOOKS, "sync_runs")
    for task in list(mirror.account.tasks)[:5]:
        mirror.account.rename_task(task, "Other")
    mirror.account.delete_task(list(mirror.account.tasks)[-1])
    before = dump(mirror.database_url, tables)
    report = mirror.pull(dry_run=True)
    assert before == dump(mirror.database_url, tables)
    shown = mirror.pull()
    names = ("inserted", "updated", "restored", "removed", "suspect", "unchanged")
    assert {n: report.counts[n] for n in names} == {n: shown.counts[n] for n in names}
    assert report.counts["updated"]


def test_a_dry_run_by_projects_leaves_no_checkpoint(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=120, seed=2))
    mirror.pull()
    mirror.box.set(record_limit=60)
    before = dump(mirror.database_url, (*MIRROR_TABLES, *BOOKS, "sync_runs"))
    report = mirror.pull(dry_run=True)
    assert ("projects", None) == (report.how, report.run_id)
    assert before == dump(mirror.database_url, (*MIRROR_TABLES, *BOOKS, "sync_runs"))
