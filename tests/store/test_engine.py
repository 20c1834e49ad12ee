"""Opening databases, and what is said of those that cannot be used."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from sqlalchemy import text

from syncd.errors import DatabaseUnusable, StorageFailed
from syncd.store import engine, sessions
from syncd.store.engine import open_database
from tests.support.postgres import end_sessions


@pytest.fixture
def db_on_sqlite(sqlite_url):
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as file:
        file.execute("PRAGMA journal_mode = WAL")
    opened = open_database(sqlite_url)
    yield opened
    opened.close()


def test_a_reader_sees_one_state_from_start_to_end(db):
    with db.write() as tx:
        tx.execute(text("CREATE TABLE scratch (n integer)"))
    with db.read() as reader:
        before = reader.scalar(text("SELECT count(*) FROM scratch"))
        with db.write() as writer:
            writer.execute(text("INSERT INTO scratch VALUES (1)"))
        after = reader.scalar(text("SELECT count(*) FROM scratch"))
    assert (before, after) == (0, 0)


def test_a_failed_block_leaves_nothing(db):
    with db.write() as tx:
        tx.execute(text("CREATE TABLE scratch (n integer)"))
    with pytest.raises(ZeroDivisionError), db.write() as tx:
        tx.execute(text("INSERT INTO scratch VALUES (1)"))
        1 / 0  # noqa: B018 - anything that fails
    with db.read() as tx:
        assert tx.scalar(text("SELECT count(*) FROM scratch")) == 0


def test_an_interrupted_block_leaves_nothing_and_the_next_one_works(db):
    with db.write() as tx:
        tx.execute(text("CREATE TABLE scratch (n integer)"))
    with pytest.raises(KeyboardInterrupt), db.write() as tx:
        tx.execute(text("INSERT INTO scratch VALUES (1)"))
        raise KeyboardInterrupt
    with db.write() as tx:
        assert tx.scalar(text("SELECT count(*) FROM scratch")) == 0


@pytest.mark.parametrize("spilling", [False, True])
def test_an_interrupt_leaves_no_lock_on_a_file_however_long_it_is_looked_at(
    db_on_sqlite, monkeypatch, spilling
):
    """Its traceback keeps what was used, be it a statement that was not read to its end."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.1)
    with db_on_sqlite.write() as tx:
        tx.execute(text("CREATE TABLE scratch (n integer)"))
    with pytest.raises(KeyboardInterrupt) as kept, db_on_sqlite.write(spilling=spilling) as tx:
        tx.execute(text("INSERT INTO scratch VALUES (1), (2)"))
        unread = tx.connection.dbapi_connection.execute("SELECT n FROM scratch")
        assert (1,) == next(unread)
        raise KeyboardInterrupt
    with db_on_sqlite.write() as tx:
        assert 0 == tx.scalar(text("SELECT count(*) FROM scratch"))
    assert kept.tb


@pytest.fixture
def interrupt():
    """Interrupt this process half a second after it is started, whatever the runner of the tests
    made of SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    yield timer
    timer.cancel()
    timer.join()
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_heard_while_another_program_keeps_the_file_locked(db_on_sqlite, interrupt):
    with closing(sqlite3.connect(db_on_sqlite.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            interrupt.start()
            with db_on_sqlite.write():
                pytest.fail("two write at once")
    assert time.monotonic() - began < engine.BUSY_TIMEOUT_S / 3
    with db_on_sqlite.write() as tx:
        assert 30_000 == tx.exec_driver_sql("PRAGMA busy_timeout").scalar()


def test_a_file_is_waited_for_that_another_program_keeps_locked_for_long(db_on_sqlite):
    other = sqlite3.connect(db_on_sqlite.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = Timer(5 * engine.DEAF_S, other.close)
    timer.start()
    with db_on_sqlite.write() as tx:
        assert tx.scalar(text("SELECT 1"))
    timer.join()


def test_an_interrupt_in_the_middle_of_a_command_of_the_server_is_one(postgres_url):
    """Ctrl-C can come before the driver knows that its COPY has begun: a rollback is refused."""
    db = open_database(postgres_url)
    with pytest.raises(KeyboardInterrupt), db.write() as tx:
        tx.execute(text("SELECT 1"))
        driver: Any = tx.connection.driver_connection
        driver.pgconn.send_query(b"SELECT pg_sleep(20)")
        raise KeyboardInterrupt
    with db.read() as tx:
        assert tx.scalar(text("SELECT 1")) == 1


def test_a_reader_cannot_write_on_postgresql(postgres_url):
    db = open_database(postgres_url)
    with pytest.raises(StorageFailed, match="read-only"), db.read() as tx:
        tx.execute(text("CREATE TABLE scratch (n integer)"))


def test_a_writer_after_a_reader_can_write_and_sees_what_others_commit(postgres_url):
    """Both are transactions of the same connection, one after the other."""
    db = open_database(postgres_url)
    with db.read() as tx:
        assert "repeatable read" == tx.scalar(text("SHOW transaction_isolation"))
    with db.write() as tx:
        assert "read committed" == tx.scalar(text("SHOW transaction_isolation"))
        assert "off" == tx.scalar(text("SHOW transaction_read_only"))


def test_a_session_that_ended_while_nobody_used_it_is_followed_by_a_new_one(
    postgres_url, monkeypatch
):
    """A server that was restarted over night is no failure of the next pull."""
    monkeypatch.setattr(sessions, "TRUSTED_S", 0.0)
    db = open_database(postgres_url)
    with db.read() as tx:
        tx.scalar(text("SELECT 1"))
    assert 1 == end_sessions(postgres_url)
    with db.write() as tx:
        assert 1 == tx.scalar(text("SELECT 1"))


def test_a_session_that_ended_just_after_its_last_use_fails_once_and_leaves_nothing(
    postgres_url, monkeypatch
):
    monkeypatch.setattr(sessions, "TRUSTED_S", 60.0)
    db = open_database(postgres_url)
    with db.write() as tx:
        tx.execute(text("CREATE TABLE scratch (n integer)"))
    assert 1 == end_sessions(postgres_url)
    with pytest.raises(StorageFailed, match="terminating connection"), db.write() as tx:
        tx.execute(text("INSERT INTO scratch VALUES (1)"))
    with db.write() as tx:
        assert 0 == tx.scalar(text("SELECT count(*) FROM scratch"))


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(DatabaseUnusable, match="nowhere"):
        open_database(f"sqlite:///{tmp_path}/nowhere/syncd.db")


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    file = tmp_path / "syncd.db"
    file.write_text("this is a letter to my aunt, not a database\n" * 100)
    with pytest.raises(DatabaseUnusable, match="not a SQLite database"):
        open_database(f"sqlite:///{file}").probe(write=True)


def test_a_server_that_is_not_there_is_unusable():
    db = open_database("postgresql+psycopg://nobody:hidden-password@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnusable) as caught:
        db.probe(write=False)
    assert "hidden-password" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_the_label_hides_the_password():
    db = open_database("postgresql+psycopg://u:hidden-password@h/d", schema="acme")
    assert db.label == "PostgreSQL u:***@h/d, schema acme"


def test_a_full_database_is_a_failure_in_the_middle(sqlite_url):
    db = open_database(sqlite_url)
    with db.write() as tx:
        tx.execute(text("CREATE TABLE scratch (body text)"))
    with pytest.raises(StorageFailed, match="the disk is full"), db.write() as tx:
        tx.execute(text("PRAGMA max_page_count = 10"))
        tx.execute(text("INSERT INTO scratch VALUES (zeroblob(1000000))"))


def test_a_schema_of_its_own_keeps_accounts_apart(postgres_url):
    from datetime import UTC, datetime

    from syncd.store.upgrade import schema_state, upgrade

    one, two = (open_database(postgres_url, schema=name) for name in ("acme", "Büro 2"))
    for db in (one, two):
        upgrade(db, now=datetime(2026, 1, 5, tzinfo=UTC))
        assert schema_state(db).current
    with one.write() as tx:
        tx.execute(text("INSERT INTO sync_state (name) VALUES ('mine')"))
    with two.read() as tx:
        assert tx.scalar(text("SELECT count(*) FROM sync_state")) == 0


def test_the_write_ahead_log_is_on(sqlite_url, db):  # noqa: ARG001 - the fixture makes the file
    if db.is_sqlite:
        with sqlite3.connect(db.path) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


STORED = "PRAGMA temp_store"
IN_FILES, IN_MEMORY = 1, 2


@pytest.mark.parametrize("fails", [False, True])
def test_only_the_transaction_that_asks_for_it_sorts_in_files(db_on_sqlite, fails):
    db = db_on_sqlite
    with db.write() as tx:
        assert (IN_MEMORY, False) == (tx.exec_driver_sql(STORED).scalar(), engine.spills(tx))
    with (
        pytest.raises(ZeroDivisionError) if fails else nullcontext(),
        db.write(spilling=True) as tx,
    ):
        assert (IN_FILES, True) == (tx.exec_driver_sql(STORED).scalar(), engine.spills(tx))
        tx.execute(text("CREATE TABLE scratch (n integer)"))
        1 / (not fails)
    with db.write() as tx:
        assert IN_MEMORY == tx.exec_driver_sql(STORED).scalar()
        there = tx.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'scratch'"))
        assert (not fails) == bool(there)


def test_without_a_folder_for_them_or_room_it_sorts_in_memory(db_on_sqlite, monkeypatch, tmp_path):
    """SQLite would fail where it finds none or too little, at every first mirror anew."""
    monkeypatch.setattr(engine, "TEMPORARY_FOLDERS", (str(tmp_path / "none"),))
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    with db_on_sqlite.write(spilling=True) as tx:
        assert (IN_MEMORY, False) == (tx.exec_driver_sql(STORED).scalar(), engine.spills(tx))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with db_on_sqlite.write(spilling=True) as tx:
        assert engine.spills(tx)
    monkeypatch.setattr(engine, "ROOM_BYTES", 2**62)
    with db_on_sqlite.write(spilling=True) as tx:
        assert not engine.spills(tx)


def test_a_server_sorts_where_it_likes(postgres_url):
    db = open_database(postgres_url)
    with db.write(spilling=True) as tx:
        assert not engine.spills(tx)
    db.close()
