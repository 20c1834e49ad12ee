"""What of a listing is kept until it is written, and what is read again instead."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from syncd.errors import StorageFailed
from syncd.model.listing import Scope, Slice
from syncd.model.records import content_hash
from syncd.resources.tasks import images
from syncd.resources.tasks.table import tasks
from syncd.sandbox import Account
from syncd.services import comparing
from syncd.services.comparing import read_through
from syncd.services.fetch import Fetched, SliceSource
from syncd.store.engine import open_database
from syncd.sync.survey import Index
from tests.support.records import MONDAY, a_task

EVERYTHING = Scope(archived=False, extra=("subtasks", "files", "relations", "text"), rights="admin")


def listing(*texts: str) -> Fetched:
    """Two projects, of which the first has a new task with each of these texts."""
    tasks = [a_task(id=n, project_id=1, text=text) for n, text in enumerate(texts, 10**6)]
    slices = [a_slice(1, *tasks), a_slice(2)]
    return Fetched(
        "projects", MONDAY, [SliceSource(s.project_id, MONDAY, lambda s=s: s) for s in slices]
    )


def a_slice(project_id: int, *tasks) -> Slice:
    return Slice(
        project_id,
        MONDAY,
        {task.id: task for task in tasks},
        {task.id: content_hash(task) for task in tasks},
        keys=frozenset({"tags"}),
        subtasks=frozenset(task.id for task in tasks),
    )


@pytest.mark.parametrize(
    ("texts", "kept"),
    [(["short"] * 4, [1, 2]), (["short"] * 5, [2]), (["short", "long" * 1000], [2])],
    ids=["few", "many", "long"],
)
def test_only_so_much_is_kept(a_sqlite_mirror, monkeypatch, texts, kept):
    monkeypatch.setattr(comparing, "MOST_KEPT", 4)
    mirror = a_sqlite_mirror(Account.seeded(tasks=20))
    mirror.pull()
    db = open_database(mirror.database_url)
    _, questions = read_through(db, listing(*texts), EVERYTHING)
    db.close()
    assert kept == sorted(questions.changed)
    for one in questions.changed.values():
        assert frozenset() == one.part.subtasks  # nothing but what is written of it


@pytest.mark.parametrize("whole", [True, False], ids=["account", "project"])
def test_the_index_is_the_same_however_many_are_removed_or_suspect(a_mirror, monkeypatch, whole):
    mirror = a_mirror(Account.seeded(tasks=120, seed=4))
    mirror.pull()
    project, *_ = mirror.rows(
        "SELECT project_id AS id FROM tasks GROUP BY 1 ORDER BY count(*) DESC"
    )
    own = "" if whole else f" AND project_id = {project['id']}"
    every_third = mirror.rows(f"SELECT id FROM tasks WHERE id % 3 = 0{own}")
    removed, suspect = (",".join(str(r["id"]) for r in every_third[n::2]) for n in (0, 1))
    when = "removed_at = observed_at, removed_reason = 'deleted'"
    mirror.execute(f"UPDATE tasks SET {when} WHERE id IN ({removed})")
    mirror.execute(f"UPDATE tasks SET suspect_at = observed_at WHERE id IN ({suspect})")
    kept = "SELECT id, content_hash AS hash FROM tasks WHERE removed_at IS NULL"
    sound = {r["id"]: r["hash"] for r in mirror.rows(f"{kept} AND suspect_at IS NULL{own}")}
    wanted = Index(sound, *({int(id) for id in ids.split(",")} for ids in (suspect, removed)))
    db = open_database(mirror.database_url)
    for batch in (900, 1):
        monkeypatch.setattr(images, "BATCH", batch)
        with db.read() as tx:
            assert wanted == images.load_index(tx, project_id=None if whole else project["id"])
    db.close()


def test_a_hash_of_another_length_is_no_other_tasks(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=20, seed=4))
    mirror.pull()
    db = open_database(mirror.database_url)
    with db.read() as tx:
        before = images.load_index(tx).hashes
    by_hand = {min(before): bytes(3), max(before): bytes(40)}
    with db.write() as tx:
        for id, hash in by_hand.items():
            tx.execute(update(tasks).where(tasks.c.id == id).values(content_hash=hash))
    with db.read() as tx:
        assert before | by_hand == images.load_index(tx).hashes
    mirror.account.rename_task(sorted(before)[5], "Renamed")
    assert mirror.pull().counts["updated"] == 1
    with db.read() as tx:
        after = images.load_index(tx).hashes
    assert [before[id] for id in by_hand] == [after[id] for id in by_hand]
    db.close()


def test_a_file_that_is_damaged_among_its_tasks_is_said_to_be(a_mirror_at, tmp_path):
    """The driver meets the damage only when it is asked for the rows."""
    path = tmp_path / "mirror.db"
    mirror = a_mirror_at(f"sqlite:///{path}", Account.seeded(tasks=1500, seed=3))
    mirror.pull()
    page = mirror.value("SELECT page FROM tasks ORDER BY id LIMIT 1 OFFSET 800")
    mirror.app.db.close()
    whole = path.read_bytes()
    leaf = whole.index(page.encode()) // 4096 * 4096
    path.write_bytes(whole[:leaf] + b"\xff" * 4096 + whole[leaf + 4096 :])
    mirror.account.rename_task(min(mirror.account.tasks), "Renamed")
    with pytest.raises(StorageFailed, match="damaged"):
        mirror.pull()
