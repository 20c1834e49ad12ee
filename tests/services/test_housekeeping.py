"""Housekeeping: what is not kept goes, the database stays quick, and nobody waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

from syncd.errors import StorageFailed
from syncd.services.housekeeping import keep_house
from syncd.services.status import read_status
from syncd.settings import Duration, RetentionSettings, Settings
from syncd.store import audit
from syncd.store.activity import activity
from syncd.store.audit import Event
from syncd.store.engine import Database, open_database
from syncd.store.incidents import incidents
from syncd.store.runs import RunRow, last_run, next_run_id, record_run
from syncd.store.schema import audit_log, sync_runs
from syncd.store.upkeep import upkeep
from tests.support.records import MONDAY

DAY = timedelta(days=1)
NOW = MONDAY + 400 * DAY


@pytest.fixture
def db(ready_database_url: str) -> Iterator[Database]:
    """An empty mirror, on each of the two databases."""
    with closing(open_database(ready_database_url)) as database:
        yield database


@pytest.fixture
def file(ready_sqlite_url: str) -> Iterator[Database]:
    """An empty mirror in a SQLite file."""
    with closing(open_database(ready_sqlite_url)) as database:
        yield database


def keeping(days: float) -> Settings:
    span = Duration(days * 86400)
    return Settings(retention=RetentionSettings(history=span, audit=span, runs=span))


def kept(db: Database, settings: Settings = keeping(30)):  # noqa: B008 - a frozen value
    return keep_house(db, settings, at=NOW, actor="daemon")


def count(db: Database, table) -> int:
    with db.read() as tx:
        return tx.scalar(select(func.count()).select_from(table))


def saw(db: Database, *days: float) -> None:
    """Note that somebody did something, seen so many days ago."""
    rows = [
        {
            "fingerprint": f"event {day}",
            "action": "update",
            "entity": "task",
            "entity_id": 1,
            "date_added": (NOW - day * DAY).replace(tzinfo=None),
            "seen_at": NOW - day * DAY,
        }
        for day in days
    ]
    with db.write() as tx:
        tx.execute(insert(activity), rows)


def went_wrong(db: Database, kind: str, *, closed: float | None) -> None:
    with db.write() as tx:
        row = {
            "kind": kind,
            "subject": "",
            "severity": "warning",
            "summary": "",
            "remedy": "",
            "opened_at": MONDAY,
            "closed_at": None if closed is None else NOW - closed * DAY,
        }
        tx.execute(insert(incidents).values(row))


# --- retention


def test_old_activity_goes_but_never_what_the_feed_may_show_again(db):
    saw(db, 1, 20, 30, 45, 90)
    assert 1 == kept(db, keeping(60)).pruned.activity
    assert 1 == kept(db, keeping(7)).pruned.activity
    assert 3 == count(db, activity)
    assert 0 == kept(db, Settings()).pruned.activity


def test_incidents_that_are_over_go_and_open_ones_stay(db):
    went_wrong(db, "old", closed=100)
    went_wrong(db, "recent", closed=3)
    went_wrong(db, "open", closed=None)
    assert 1 == kept(db).pruned.incidents
    assert 2 == count(db, incidents)


def test_the_run_is_on_record_and_nobody_takes_it_for_a_pull(db, ready_database_url):
    before = read_status(ready_database_url)
    saw(db, 90)
    report = kept(db)
    with db.read() as tx:
        run = last_run(tx, "housekeeping")
    assert (report.run_id, "complete", None) == (run.id, run.outcome, run.observed_at)
    assert 1 == run.counts["activity"] == report.counts["activity"]
    assert run.finished_at >= run.started_at == NOW
    after = read_status(ready_database_url)
    assert (before.state, before.last_run) == (after.state, after.last_run)


def test_the_newest_housekeeping_outlives_the_kept_span(db):
    with db.write() as tx:
        for day in (0, 1):
            at = MONDAY + day * DAY
            record_run(tx, next_run_id(tx), RunRow("housekeeping", "database", at, at, "complete"))
    assert 1 == kept(db).pruned.runs
    assert 2 == count(db, sync_runs)


def ran(db: Database, kind: str, day: float, outcome="complete", **counts: int) -> int:
    """A run that ended so many days ago."""
    at = NOW - day * DAY
    with db.write() as tx:
        id = next_run_id(tx)
        record_run(tx, id, RunRow(kind, "account", at, at, outcome, counts=counts))
    return id


def test_runs_that_found_nothing_go_after_a_week_and_all_others_stay(db):
    quiet = {"requests": 1, "listed": 60, "unchanged": 60, "inserted": 0, "updated": 0}
    stays = [
        ran(db, "pull", 300, requests=4, inserted=60),
        ran(db, "events", 200, requests=2, events=1),
        *(ran(db, "events", 200, "partial", requests=1) for _ in range(2)),
        ran(db, "pull", 200, "failed"),
        ran(db, "push", 200),
    ]
    goes = [ran(db, "events", 100 - n, requests=1) for n in range(20)]
    goes += [ran(db, "pull", 100, **quiet), ran(db, "pull", 8, **quiet)]
    stays += [ran(db, "events", 6, requests=1), ran(db, "pull", 6, **quiet)]
    report = kept(db, Settings())
    assert len(goes) == report.pruned.runs
    with db.read() as tx:
        left = set(tx.scalars(select(sync_runs.c.id)))
    assert {*stays, report.run_id} == left


def test_the_newest_complete_run_of_a_kind_stays_however_little_it_found(db):
    last = [ran(db, kind, 50, requests=1) for kind in ("pull", "events")]
    ran(db, "pull", 1, "failed")
    assert 0 == kept(db, Settings()).pruned.runs
    with db.read() as tx:
        found = [last_run(tx, kind, "complete") for kind in ("pull", "events")]
    assert last == [run.id for run in found]


def test_an_audit_log_that_is_not_sound_makes_it_partial_and_is_left_alone(db):
    with db.write() as tx:
        told = [Event("task.removed", "task", 1)]
        audit.append(tx, told, at=MONDAY, actor="daemon", run_id=None)
    with db.write() as tx:
        if db.is_sqlite:
            tx.execute(text("DROP TRIGGER audit_log_refuses_update"))
        else:
            tx.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
        tx.execute(update(audit_log).values(event="task.restored"))
    report = kept(db)
    assert ("partial", 1) == (report.outcome, count(db, audit_log))
    assert "syncd audit verify" in report.notes[0]


# --- a SQLite file


def log_of(db: Database) -> Path:
    return Path(f"{db.path}-wal")


def fill(db: Database, size: int) -> None:
    with closing(sqlite3.connect(str(db.path))) as own:
        own.execute("CREATE TABLE IF NOT EXISTS filler (x)")
        own.execute("INSERT INTO filler VALUES (randomblob(?))", (size,))
        own.commit()


def test_the_log_is_moved_into_the_file_and_emptied(file):
    saw(file, 1)
    with file.read():  # somebody has it open, as a daemon does, so the log stays
        fill(file, 3_000_000)
    assert log_of(file).stat().st_size > 3_000_000
    report = kept(file)
    assert (0, 0) == (report.upkeep.log_left, kept(file).upkeep.log_left)
    assert report.upkeep.analysed >= 1


def test_a_reader_is_not_waited_for_and_keeps_what_it_sees(file):
    fill(file, 100)
    with closing(sqlite3.connect(str(file.path), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert (1,) == reader.execute("SELECT count(*) FROM filler").fetchone()
        fill(file, 1_000_000)
        report = kept(file)
        assert report.upkeep.log_left > 0
        assert (1,) == reader.execute("SELECT count(*) FROM filler").fetchone()
        reader.execute("COMMIT")
    assert ("complete", 0) == (report.outcome, kept(file).upkeep.log_left)


def test_a_file_made_for_it_gives_room_back(file):
    with closing(sqlite3.connect(str(file.path))) as own:
        own.execute("PRAGMA auto_vacuum = 2")
        own.execute("VACUUM")
    fill(file, 10_000_000)
    with closing(sqlite3.connect(str(file.path))) as own:
        own.execute("DELETE FROM filler")
        own.commit()
    report = kept(file)
    assert report.upkeep.given_back > 9_000_000
    assert file.path.stat().st_size < 3_000_000
    assert 0 == kept(file).upkeep.given_back


def test_a_damaged_file_is_told(file):
    kept(file)
    file.close()
    with file.path.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\x55" * 200_000)
    with pytest.raises(StorageFailed, match="damaged"):
        kept(file)


# --- a server


def test_statistics_are_made_of_our_own_tables_alone(ready_postgres_url):
    with closing(open_database(ready_postgres_url)) as owner:
        with owner.write() as tx:
            tx.execute(text("CREATE TABLE theirs AS SELECT 1 AS x"))
        report = kept(owner)
        assert report.upkeep.analysed > 10
        with owner.read() as tx:
            made = set(tx.scalars(text("SELECT DISTINCT tablename FROM pg_stats")))
    assert "theirs" not in made
    assert "alembic_version" not in made


def test_who_may_write_the_tables_without_owning_them_leaves_statistics_to_the_server(
    ready_postgres_url, postgres
):
    postgres.create_role("housekeeper")
    url = postgres.url_for(ready_postgres_url.rpartition("/")[2], role="housekeeper")
    with closing(open_database(url)) as lesser:
        assert 0 == upkeep(lesser).analysed
