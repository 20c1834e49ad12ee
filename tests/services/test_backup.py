"""Backups: whole, checked, ours alone are dropped, and a restored one doubles nothing."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from syncd.errors import ConfigError, NoMirror, StorageFailed
from syncd.sandbox import Account, Sandbox
from syncd.services import backup
from syncd.services.backup import back_up, due, folder_of, newest
from syncd.settings import BackupSettings, Duration, Settings
from syncd.store.engine import Database, open_database
from tests.support.home import Home, a_home

NIGHT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def db(ready_sqlite_url: str) -> Iterator[Database]:
    """An empty mirror, with a few megabytes in it."""
    with closing(open_database(ready_sqlite_url)) as database:
        with closing(sqlite3.connect(str(database.path))) as own:
            own.execute("CREATE TABLE filler (x)")
            own.execute("INSERT INTO filler VALUES (randomblob(3000000))")
            own.commit()
        yield database


def settings(**backup: object) -> Settings:
    return Settings(backup=replace(BackupSettings(), **backup))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as own:
        return list(own.iterdump())


def folder(db: Database) -> Path:
    assert db.path is not None
    return folder_of(db.path, Settings())


# --- one backup


def test_a_backup_holds_what_the_database_held_and_nothing_is_left_beside_it(db):
    made = back_up(db, settings(), at=NIGHT)
    assert made is not None
    assert ["syncd.db.20260302T030000Z.backup"] == names(folder(db))
    assert content(db.path) == content(made.path)
    assert (made.path.stat().st_size, ()) == (made.size, made.dropped)


def test_it_is_as_private_as_the_database(db):
    db.path.chmod(0o640)
    made = back_up(db, settings(), at=NIGHT)
    assert 0o640 == stat.S_IMODE(made.path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(folder(db).stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of somebody else's")
def test_a_backup_that_root_makes_belongs_to_whom_the_database_belongs(db):
    os.chown(db.path, 65534, 65534)
    made = back_up(db, settings(), at=NIGHT)
    assert {65534} == {made.path.stat().st_uid, folder(db).stat().st_uid}


def test_writers_go_on_meanwhile_and_the_copy_is_of_one_instant(db):
    """A writer commits between the steps of the copy, which does not wait nor start anew."""
    looks = []

    def somebody_writes() -> bool:
        with closing(sqlite3.connect(str(db.path), timeout=0)) as own:
            own.execute("INSERT INTO filler VALUES ('later')")
            own.commit()
        looks.append(len(looks))
        return len(looks) < 50

    with closing(sqlite3.connect(str(db.path))) as own:
        own.execute("INSERT INTO filler VALUES (randomblob(15000000))")
        own.commit()
    made = back_up(db, settings(), at=NIGHT, go_on=somebody_writes)
    assert made is not None
    assert 2 <= len(looks) < 50
    with closing(sqlite3.connect(made.path)) as copy:
        assert [(2,)] == copy.execute("SELECT count(*) FROM filler").fetchall()


def test_told_to_stop_it_leaves_nothing(db):
    assert back_up(db, settings(), at=NIGHT, go_on=lambda: False) is None
    assert [] == names(folder(db))


def test_a_server_is_backed_up_by_its_own_tools():
    with closing(open_database("postgresql+psycopg://syncd:pw@127.0.0.1:1/mirror")) as server:
        with pytest.raises(ConfigError, match="its own tools") as said:
            back_up(server, settings(), at=NIGHT)
        assert "pg_dump --format=custom --file=syncd.dump mirror" == said.value.hint
        assert not due(server, settings(), NIGHT)


def test_without_a_database_nothing_is_made(tmp_path):
    with closing(open_database(f"sqlite:///{tmp_path / 'syncd.db'}")) as none:
        with pytest.raises(NoMirror):
            back_up(none, settings(), at=NIGHT)
        assert (False, []) == (due(none, settings(), NIGHT), names(tmp_path))


# --- which are kept


def test_the_newest_of_ours_are_kept_and_nothing_else_is_touched(db):
    mine = folder(db)
    mine.mkdir()
    others = (
        "notes.txt",
        "syncd.db.20200101T000000Z.backup.gz",
        "other.db.20200101T000000Z.backup",
    )
    for name in others:
        (mine / name).write_text("somebody else's")
    for day in range(4):
        made = back_up(db, settings(keep=2), at=NIGHT + day * DAY)
    assert ["syncd.db.20260303T030000Z.backup"] == [path.name for path in made.dropped]
    kept = ["syncd.db.20260304T030000Z.backup", "syncd.db.20260305T030000Z.backup"]
    assert sorted([*others, *kept]) == names(mine)


def test_none_is_dropped_where_none_are_kept_by_us(db):
    for day in range(3):
        back_up(db, settings(keep=0), at=NIGHT + day * DAY)
    assert 3 == len(names(folder(db)))


def test_one_that_a_wrong_clock_has_named_is_neither_newest_nor_kept_for_ever(db):
    back_up(db, settings(), at=NIGHT + 1000 * DAY)
    assert due(db, settings(), NIGHT)
    assert newest(db, settings(), NIGHT) is None
    for day in range(2):
        back_up(db, settings(keep=2), at=NIGHT + day * DAY)
    assert ["syncd.db.20260302T030000Z.backup", "syncd.db.20260303T030000Z.backup"] == names(
        folder(db)
    )


def test_two_within_a_second_are_two(db):
    assert [1, 2] == [
        len([back_up(db, settings(), at=NIGHT), *names(folder(db))]) - 1 for _ in range(2)
    ]


def test_two_databases_of_one_name_share_a_folder_without_harm(db, tmp_path):
    shared = tmp_path / "shared"
    second = tmp_path / "b" / "syncd.db"
    second.parent.mkdir()
    shutil.copy(db.path, second)
    with closing(open_database(f"sqlite:///{second}")) as other:
        for one in (db, other, db):
            back_up(one, settings(folder=shared, keep=1), at=NIGHT)
            back_up(one, settings(folder=shared, keep=1), at=NIGHT + DAY)
    assert 2 == len(names(shared))


def test_a_backup_is_due_an_interval_after_the_newest(db):
    daily = settings(interval=Duration(86400))
    assert due(db, daily, NIGHT)
    back_up(db, daily, at=NIGHT)
    assert NIGHT == newest(db, daily, NIGHT + DAY)
    assert [False, True] == [due(db, daily, NIGHT + span) for span in (DAY / 2, DAY)]
    assert not due(db, settings(keep=0), NIGHT + 9 * DAY)


# --- what goes wrong


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Let no file of this process grow over a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_leaves_the_older_backup_and_no_beginning(db):
    back_up(db, settings(keep=1), at=NIGHT)
    with no_file_over(1_000_000), pytest.raises(StorageFailed) as said:
        back_up(db, settings(keep=1), at=NIGHT + DAY)
    assert "The older backups are untouched" in said.value.hint
    assert ["syncd.db.20260302T030000Z.backup"] == names(folder(db))


def test_a_disk_with_too_little_room_is_not_filled(db, monkeypatch):
    back_up(db, settings(keep=1), at=NIGHT)
    monkeypatch.setattr(backup, "SPARE", shutil.disk_usage(db.path.parent).total)
    with pytest.raises(StorageFailed, match="the disk is full"):
        back_up(db, settings(keep=1), at=NIGHT + DAY)
    assert ["syncd.db.20260302T030000Z.backup"] == names(folder(db))


def test_a_damaged_database_is_told_and_the_older_backup_stays(db):
    back_up(db, settings(keep=1), at=NIGHT)
    with closing(sqlite3.connect(str(db.path))) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = own.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tasks'").fetchone()[0]
    db.close()
    with db.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\x55" * 4096)
    with pytest.raises(StorageFailed, match="does not pass SQLite's check"):
        back_up(db, settings(keep=1), at=NIGHT + DAY)
    assert ["syncd.db.20260302T030000Z.backup"] == names(folder(db))


def test_what_a_kill_has_left_is_cleared_and_what_is_being_written_is_not(db):
    mine = folder(db)
    mine.mkdir()
    left = mine / "syncd.db.20260101T000000Z.backup.part"
    left.write_bytes(b"a beginning")
    seen: list[list[str]] = []

    def look() -> bool:
        if not seen:
            seen.append([])
            back_up(db, settings(), at=NIGHT + DAY)
            seen.append(names(mine))
        return True

    back_up(db, settings(), at=NIGHT, go_on=look)
    assert ["syncd.db.20260302T030000Z.backup.part", "syncd.db.20260303T030000Z.backup"] == seen[1]
    assert ["syncd.db.20260302T030000Z.backup", "syncd.db.20260303T030000Z.backup"] == names(mine)


def test_a_file_that_is_there_is_never_replaced(db, tmp_path):
    there = tmp_path / "mine.db"
    there.write_text("precious")
    with pytest.raises(ConfigError, match="exists already"):
        back_up(db, settings(), at=NIGHT, to=there)
    assert "precious" == there.read_text()
    with pytest.raises(ConfigError, match="does not exist"):
        back_up(db, settings(), at=NIGHT, to=tmp_path / "nowhere" / "mine.db")
    made = back_up(db, settings(), at=NIGHT, to=tmp_path)
    assert tmp_path / "syncd.db.20260302T030000Z.backup" == made.path
    assert () == made.dropped


# --- the command, and a restore


@pytest.fixture
def pulled(tmp_path: Path) -> Iterator[Home]:
    with Sandbox(Account.seeded(60)) as box:
        home = a_home(tmp_path, box)
        home.pull()
        yield home


def test_the_command_makes_one_and_tells_where(pulled):
    told = pulled.syncd("db", "backup", "--json").expect(0).document
    assert {"database", "backup", "bytes", "seconds", "dropped"} == set(told)
    assert pulled.folder / "backups" == Path(told["backup"]).parent
    (pulled.folder / "copy.db").touch()
    assert "exists already" in pulled.syncd("db", "backup", "--to", "copy.db").expect(2).stderr


def test_a_folder_that_cannot_be_written_is_told_in_two_lines(pulled):
    shut = pulled.folder / "backups"
    shut.mkdir(mode=0o500)
    said = pulled.syncd("db", "backup", powerless=True).expect(1).stderr.splitlines()
    assert 2 == len(said)
    assert "Permission denied" in said[0]


def test_a_server_is_told_to_use_pg_dump(pulled):
    env = {"SYNCD_DATABASE__URL": "postgresql+psycopg://syncd@127.0.0.1:1/mirror"}
    said = pulled.syncd("db", "backup", env=env).expect(2).stderr
    assert "pg_dump" in said


def test_a_backup_put_back_sends_nothing_twice(pulled):
    """As docs/backup.md has it: the files aside, the copy in their place, a pull, a push."""
    account = pulled.box.account
    project = min(id for id, one in account.projects.items() if one.status == "active")
    task = account.create_task(project, "Theirs")
    pulled.pull()
    pulled.execute(f"INSERT INTO live_tasks (ref, project_id, name) VALUES ('a', {project}, 'New')")
    pulled.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    backup = pulled.syncd("db", "backup", "--json").expect(0).document["backup"]
    pulled.syncd("push").expect(0)
    sent = writes(pulled)
    for name in ("syncd.db", "syncd.db-wal", "syncd.db-shm"):
        (pulled.folder / name).unlink(missing_ok=True)
    shutil.copy(backup, pulled.database)
    assert "pull first" in pulled.syncd("push").expect(3).stdout
    pulled.syncd("sync").expect(0)  # the creation is looked for and found
    assert sent == writes(pulled)
    assert 1 == [one.name for one in account.tasks.values()].count("New")
    assert [("confirmed",)] * 2 == pulled.query("SELECT state FROM outbox")


def writes(home: Home) -> list[str]:
    return [entry.action for entry in home.box.log.entries() if entry.effect]
