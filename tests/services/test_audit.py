"""Reading the audit log: its end, its newest rows, and a search."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from syncd.sandbox import Account, Sandbox
from syncd.services.audit import Wanted, follow, search, tail, verify
from syncd.store import audit
from syncd.store.audit import Event
from syncd.store.engine import Database, open_database
from syncd.store.upgrade import upgrade
from tests.support.mirror import build
from tests.support.records import MONDAY

DAY = timedelta(days=1)
WRITTEN = (
    ("cli:olena", Event("task.removed", "task", 7, {"reason": "deleted"})),
    ("daemon", Event("task.restored", "task", 8)),
    ("sql:olena", Event("change.queued", "change", 1, {"task_id": 7, "fields": {"name": "Друк"}})),
    ("daemon", Event("change.confirmed", "change", 1, {"task_id": 7})),
    ("daemon", Event("change.queued", "change", 7, {"task_id": 8})),
    ("account", Event("tasks_are.odd", detail={"100%": "a_b"})),
)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    upgrade(database, now=MONDAY)
    for day, (actor, event) in enumerate(WRITTEN):
        with database.write() as tx:
            audit.append(tx, [event], at=MONDAY + day * DAY, actor=actor, run_id=None)
    yield database
    database.close()


def found(db, **wanted):
    return [row.seq for row in search(db, Wanted(**wanted))]


def test_the_tail_is_the_newest_rows_the_newest_last(db):
    assert [5, 6] == [row.seq for row in tail(db, 2)]
    assert [1, 2, 3, 4, 5, 6] == [row.seq for row in tail(db, 100)]


def test_a_search_narrows_by_everything_it_is_given(db):
    wanted = {
        "event": ({"event": "task.removed"}, [1]),
        "noun": ({"event": "change"}, [3, 4, 5]),
        "noun as it stands": ({"event": "tasks%are"}, []),
        "task": ({"task": 7}, [1, 3, 4]),
        "change": ({"change": 7}, [5]),
        "whole actor": ({"actor": "sql:olena"}, [3]),
        "user": ({"actor": "olena"}, [1, 3]),
        "since": ({"since": MONDAY + 4 * DAY}, [5, 6]),
        "until": ({"until": MONDAY + DAY}, [1]),
        "text": ({"text": "ДРУК"}, [3]),
        "text of an event": ({"text": "restored"}, [2]),
        "no pattern": ({"text": "a%b"}, []),
        "together": ({"event": "change", "actor": "daemon", "task": 7}, [4]),
        "nothing": ({}, [1, 2, 3, 4, 5, 6]),
    }
    assert {name: ids for name, (_, ids) in wanted.items()} == {
        name: found(db, **given) for name, (given, _) in wanted.items()
    }


def test_whoever_follows_gets_every_row_once_in_order(db):
    waits = []

    def sleep(_: float) -> None:
        waits.append(1)
        with db.write() as tx:
            told = [Event("note.made"), Event("note.made")]
            audit.append(tx, told, at=MONDAY, actor="daemon", run_id=None)

    rows = follow(db, 4, sleep=sleep)
    assert [5, 6, 7, 8, 9, 10] == [next(rows).seq for _ in range(6)]
    assert 2 == len(waits)


def test_the_proof_writes_nothing_and_holds(db):
    proof = verify(db)
    assert (True, 6, None) == (proof.holds, proof.rows, proof.checkpoint)
    assert 6 == len(tail(db, 100))


def test_a_pull_chains_what_was_queued_by_sql(database_url, tmp_path):
    with Sandbox(Account.seeded(tasks=12, seed=1)) as box:
        mirror = build(box, database_url, tmp_path / "syncd.toml")
        mirror.pull()
        mirror.execute("UPDATE live_tasks SET priority = 9 WHERE priority <> 9")
        queued = mirror.value("SELECT count(*) FROM outbox")
        report = mirror.pull()
        rows = list(search(mirror.app.db, Wanted(event="change.queued")))
        assert 0 < queued == len(rows)
        assert {report.run_id} == {row.run_id for row in rows}
        assert {9} == {row.detail["fields"]["priority"] for row in rows}
        assert verify(mirror.app.db).holds
        mirror.app.db.close()
