"""A database restored from a backup: it waits for a pull, then nothing is sent that was sent."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.errors import StorageFailed
from syncd.sandbox import Account
from syncd.services.push.epoch import epoch_path
from tests.support.mirror import Mirror
from tests.support.postgres import Cluster
from tests.support.pushes import LONG, pushed, states, written


@pytest.fixture
def backed_up(
    a_mirror: Callable[..., Mirror], request: pytest.FixtureRequest, tmp_path, monkeypatch
) -> tuple[Mirror, Callable[[], Callable[[], None]]]:
    """A mirror, and what takes a backup of it: it returns what restores that."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    mirror = a_mirror(Account.seeded(tasks=40))
    mirror.clock.now = datetime.now(
        UTC
    )  # that of the database, which says when a change was queued
    mirror.pull()
    if mirror.app.db.is_sqlite:
        return mirror, lambda: _copy(mirror, tmp_path / "backup.db")
    return mirror, lambda: _template(mirror, request.getfixturevalue("postgres"))


def _copy(mirror: Mirror, backup: Path) -> Callable[[], None]:
    path = mirror.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)

    def restore() -> None:
        mirror.app.db.close()
        for left in ("-wal", "-shm"):
            Path(path + left).unlink(missing_ok=True)
        shutil.copy(backup, path)

    return restore


def _template(mirror: Mirror, postgres: Cluster) -> Callable[[], None]:
    mirror.app.db.close()
    name = mirror.database_url.rpartition("/")[2]
    kept = postgres.create_database(template=name)

    def restore() -> None:
        mirror.app.db.close()
        postgres.drop_database(name)
        with postgres._connect() as admin:
            admin.execute(f'CREATE DATABASE "{name}" OWNER syncd TEMPLATE "{kept}"')
        postgres.drop_database(kept)

    return restore


def queue_some(mirror: Mirror) -> int:
    """Queue two creations, one below the other, and an edit; return the edited task."""
    project, task = (
        mirror.rows(
            "SELECT t.project_id AS n FROM tasks t JOIN projects p ON p.id = t.project_id"
            " WHERE p.status = 'active' ORDER BY t.id LIMIT 1"
        )[0]["n"],
        free_task(mirror),
    )
    mirror.execute(
        f"INSERT INTO live_tasks (ref, project_id, name) VALUES ('above', {project}, 'made here')"
    )
    mirror.execute("INSERT INTO live_tasks (ref, parent_ref, name) VALUES ('b', 'above', 'below')")
    mirror.execute(f"UPDATE live_tasks SET name = 'edited here' WHERE id = {task}")
    return task


def free_task(mirror: Mirror) -> int:
    """A task whose assignee is still there: every edit sends that one along."""
    gone = {member.id for member in mirror.account.members.values() if not member.active}
    return next(
        row["id"]
        for row in mirror.rows(
            "SELECT id, assignee_id FROM tasks WHERE status = 'active' ORDER BY id"
        )
        if row["assignee_id"] not in gone
    )


def names(mirror: Mirror) -> list[str]:
    return [task["name"] for task in mirror.account.snapshot()["tasks"].values()]


def until_quiet(mirror: Mirror) -> None:
    for _ in range(4):
        pushed(mirror, later=LONG)


def epoch_file(mirror: Mirror) -> Path:
    return epoch_path(mirror.app.db, dict(os.environ))


def test_a_restored_database_sends_nothing_before_a_pull_and_nothing_twice(backed_up):
    mirror, back_up = backed_up
    queue_some(mirror)
    restore = back_up()
    assert "complete" == pushed(mirror).outcome
    sent = written(mirror)
    restore()
    report = pushed(mirror)
    assert (3, sent) == (report.exit_code, written(mirror))
    assert "pull first" in report.notes[0]
    mirror.pull()
    until_quiet(mirror)
    assert sent == written(mirror), "what was so already went out again"
    assert ["confirmed"] * 3 == states(mirror)
    assert (1, 1) == (names(mirror).count("made here"), names(mirror).count("below"))


def test_what_was_queued_after_the_backup_and_lost_with_it_is_not_missed_by_what_was_in_it(
    backed_up,
):
    mirror, back_up = backed_up
    pushed(mirror)
    task = free_task(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 2 WHERE id = {task}")
    restore = back_up()
    mirror.execute(f"UPDATE live_tasks SET priority = 7 WHERE id = {task}")
    pushed(mirror)
    restore()
    mirror.pull()
    pushed(mirror)
    mirror.pull()
    until_quiet(mirror)
    assert ["conflict"] == states(mirror), "a later edit was overwritten by an older one"
    assert 7 == mirror.account.snapshot()["tasks"][task]["priority"]


def test_a_creation_held_in_the_backup_and_sent_after_it_is_looked_for_when_released_again(
    backed_up,
):
    mirror, back_up = backed_up
    queue_some(mirror)
    mirror.execute("UPDATE outbox SET state = 'held'")
    restore = back_up()
    release = "UPDATE outbox SET state = 'queued' WHERE state = 'held'"
    mirror.execute(release)
    assert "complete" == pushed(mirror).outcome
    sent = written(mirror)
    restore()
    pushed(mirror)
    mirror.pull()
    until_quiet(mirror)
    mirror.execute(release)
    until_quiet(mirror)
    assert sent == written(mirror)
    assert ["confirmed"] * 3 == states(mirror)


def test_a_creation_that_the_backup_has_and_nobody_sent_goes_out_once(backed_up):
    mirror, back_up = backed_up
    task = queue_some(mirror)
    restore = back_up()
    mirror.execute("UPDATE outbox SET state = 'cancelled' WHERE operation = 'create'")
    pushed(mirror)
    assert ["update_task"] == written(mirror)
    restore()
    pushed(mirror)
    mirror.pull()
    until_quiet(mirror)
    assert ["confirmed"] * 3 == states(mirror)
    assert (1, 1) == (names(mirror).count("made here"), names(mirror).count("below"))
    assert 1 == names(mirror).count("edited here"), task


def test_a_lost_count_of_sendings_is_taken_for_a_restore(backed_up):
    mirror, back_up = backed_up
    queue_some(mirror)
    mirror.execute("UPDATE outbox SET state = 'held' WHERE operation = 'create'")
    pushed(mirror)
    mirror.execute("UPDATE outbox SET state = 'queued' WHERE state = 'held'")
    restore = back_up()
    pushed(mirror)
    sent = written(mirror)
    restore()
    epoch_file(mirror).unlink()
    assert "pull first" in pushed(mirror).notes[0]
    mirror.pull()
    until_quiet(mirror)
    assert sent == written(mirror)
    assert ["confirmed"] * 3 == states(mirror)


def test_a_lost_count_of_sendings_is_written_anew(backed_up):
    mirror, _ = backed_up
    queue_some(mirror)
    pushed(mirror)
    epoch_file(mirror).unlink()
    pushed(mirror)
    mirror.pull()
    mirror.execute(f"UPDATE live_tasks SET priority = 2 WHERE id = {free_task(mirror)}")
    assert "complete" == pushed(mirror).outcome
    assert int(epoch_file(mirror).read_text()) > 0


@pytest.mark.parametrize("content", [b"", b"\xff"])
def test_an_unreadable_count_of_sendings_stops_the_push_and_says_so(backed_up, content):
    mirror, _ = backed_up
    queue_some(mirror)
    epoch_file(mirror).parent.mkdir(parents=True, exist_ok=True)
    epoch_file(mirror).write_bytes(content)
    with pytest.raises(StorageFailed, match="cannot be read"):
        pushed(mirror)
    assert ([], ["queued"] * 3) == (written(mirror), states(mirror))
    epoch_file(mirror).unlink()
    assert "complete" == pushed(mirror).outcome


def test_where_the_count_of_sendings_cannot_be_written_nothing_is_sent_nor_stuck(backed_up):
    mirror, _ = backed_up
    mirror.execute(f"UPDATE live_tasks SET priority = 2 WHERE id = {free_task(mirror)}")
    pushed(mirror)
    before = written(mirror)
    queue_some(mirror)
    in_the_way = epoch_file(mirror).with_name(f"{epoch_file(mirror).name}.new")
    in_the_way.mkdir()
    with pytest.raises(StorageFailed, match="cannot be written"):
        pushed(mirror)
    assert before == written(mirror)
    assert ["confirmed", *["queued"] * 3] == states(mirror)
    in_the_way.rmdir()
    assert "complete" == pushed(mirror).outcome
