"""The outbox itself: which moves are possible, what cannot be altered, and the trail of it all."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time

import psycopg
import pytest
from sqlalchemy import select, text

from syncd.errors import StorageFailed
from syncd.store.live.texts import TEXTS
from syncd.store.outbox import acting, move, outbox
from syncd.sync.states import (
    EDITABLE,
    FINAL,
    INITIAL,
    PENDING,
    SETTLED,
    STATES,
    TELLING,
    TRANSITIONS,
    may_follow,
)
from tests.live.conftest import MOVES, document
from tests.support.mirror import connected

EDIT = "UPDATE live_tasks SET name = 'new' WHERE id = 1000"


def test_the_states_make_sense_together():
    assert set(STATES) == {after for afters in TRANSITIONS.values() for after in afters}
    assert set(STATES) == {*TELLING, *SETTLED}
    assert set(PENDING) == set(TELLING) - {"failed"}
    assert set(FINAL) == {*SETTLED, "failed"}
    assert all(may_follow(state, after) for state in INITIAL for after in INITIAL if state != after)


def test_every_change_can_come_to_an_end():
    ends = set(FINAL)
    while True:
        more = {state for state in STATES if ends & set(TRANSITIONS[state])} - ends
        if not more:
            break
        ends |= more
    assert set(STATES) == ends


def test_what_was_sent_is_never_cancelled_without_a_look():
    assert not may_follow("sending", "cancelled")
    assert not may_follow("uncertain", "cancelled")
    assert not may_follow("applied", "queued")


def test_the_database_allows_what_the_table_of_states_allows_and_nothing_else(gate):
    gate.run(EDIT)
    with connected(gate.url) as own:
        for before, after in itertools.permutations(STATES, 2):
            own.execute("SAVEPOINT pair")
            for state in MOVES[before]:
                own.execute(f"UPDATE outbox SET state = '{state}'")
            assert may_follow(before, after) == _moves(own, after), (before, after)
            own.execute("ROLLBACK TO pair")


def _moves(own, state):
    try:
        own.execute(f"UPDATE outbox SET state = '{state}'")
    except (sqlite3.IntegrityError, psycopg.IntegrityError) as error:
        if TEXTS["outbox_state"] not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("state", [state for state in STATES if state not in INITIAL])
def test_no_change_begins_in_its_middle(shut_gate, state):
    columns = "operation, task_id, fields, base, state, attempts, created_at, created_by, batch"
    values = f"'update', 1000, '{{}}', '{{}}', '{state}', 0, '2026-01-05 09:00:00', 'x', 'b'"
    shut_gate.refused("outbox_born", f"INSERT INTO outbox ({columns}) VALUES ({values})")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("column", ["fields", "base"])
def test_what_a_change_says_can_be_altered_only_before_it_is_sent(gate, state, column):
    gate.run(EDIT)
    gate.move(1, *MOVES[state])
    statement = f"""UPDATE outbox SET {column} = '{{"name": "other"}}' WHERE id = 1"""
    if state not in EDITABLE:
        gate.refused("outbox_fields", statement)
        return
    before = gate.changes()[0][column]
    gate.run(statement)
    assert {"name": "other"} == gate.changes()[0][column]
    last = gate.rows("SELECT detail FROM outbox_events ORDER BY id DESC LIMIT 1")[0]["detail"]
    assert before == document(last)[column]


def test_it_cannot_be_altered_on_its_way_out_either(gate):
    gate.run(EDIT)
    gate.refused("outbox_fields", """UPDATE outbox SET fields = '{}', state = 'sending'""")


@pytest.mark.parametrize(
    "assignment",
    [
        "operation = 'complete'",
        "ref = 'x'",
        "task_id = 1001",
        "created_by = 'x'",
        "created_at = '2000-01-01 00:00:00'",
        "id = 50",
    ],
)
def test_what_a_change_is_about_cannot_be_altered(gate, assignment):
    gate.run(EDIT)
    gate.refused("outbox_identity", f"UPDATE outbox SET {assignment} WHERE id = 1")


def test_a_change_that_is_not_settled_cannot_be_deleted(gate):
    gate.run(EDIT)
    for state in ("queued", "sending", "failed"):
        gate.refused("outbox_kept", "DELETE FROM outbox WHERE id = 1")
        gate.move(1, *{"queued": ["sending"], "sending": ["failed"]}.get(state, ["cancelled"]))
    gate.run("DELETE FROM outbox WHERE id = 1")
    assert [] == gate.changes()


def test_a_creation_that_another_change_waits_for_cannot_be_deleted(gate):
    gate.run("INSERT INTO live_tasks (ref, project_id, name) VALUES ('r', 10, 'x')")
    gate.run("UPDATE live_tasks SET name = 'y' WHERE ref = 'r'")
    gate.move(1, "cancelled")
    gate.refused("outbox_kept", "DELETE FROM outbox WHERE id = 1")
    gate.move(2, "cancelled")
    gate.run("DELETE FROM outbox")


def test_a_number_is_never_used_again(gate):
    gate.run(EDIT)
    gate.move(1, "cancelled")
    gate.run("DELETE FROM outbox WHERE id = 1")
    gate.run(EDIT)
    assert [2] == [change["id"] for change in gate.changes()]


def test_the_trail_tells_everything(gate):
    gate.run(EDIT)
    gate.run("UPDATE outbox SET state = 'sending', attempts = 1 WHERE id = 1")
    gate.run("UPDATE outbox SET state = 'failed', error = 'no', error_code = '16' WHERE id = 1")
    gate.run("UPDATE outbox SET next_attempt_at = created_at WHERE id = 1")
    who = "sql:local" if gate.sqlite else "sql:syncd"
    assert [
        (1, None, "queued", who),
        (1, "queued", "sending", who),
        (1, "sending", "failed", who),
    ] == gate.events()
    details = gate.rows("SELECT detail FROM outbox_events ORDER BY id")
    assert [
        {},
        {"attempts": 1, "task_id": 1000},
        {"attempts": 1, "task_id": 1000, "error": "no", "error_code": "16"},
    ] == [document(row["detail"]) for row in details]


@pytest.mark.parametrize(
    "statement", ["UPDATE outbox_events SET actor = 'x'", "DELETE FROM outbox_events"]
)
def test_the_trail_cannot_be_changed(gate, statement):
    gate.run(EDIT)
    gate.refused("outbox_events", statement)


@pytest.mark.parametrize("table", ["outbox", "outbox_events"])
def test_postgresql_refuses_to_truncate(pg_gate, table):
    pg_gate.run(EDIT)
    pg_gate.refusal(f"TRUNCATE {table}")


def test_who_acts_is_named_inside_the_block_and_forgotten_after_it(gate):
    with gate.db.write() as tx:
        with acting(gate.db, tx, "cli:olena"):
            tx.execute(text(EDIT))
            with acting(gate.db, tx, "daemon"):
                assert move(tx, 1, "queued", "sending", attempts=1)
            assert move(tx, 1, "sending", "uncertain")
        tx.execute(text(EDIT.replace("1000", "1001")))
    who = "sql:local" if gate.sqlite else "sql:syncd"
    assert [
        (1, None, "queued", "cli:olena"),
        (1, "queued", "sending", "daemon"),
        (1, "sending", "uncertain", "cli:olena"),
        (2, None, "queued", who),
    ] == gate.events()
    assert ["cli:olena", who] == [change["created_by"] for change in gate.changes()]
    assert [] == gate.rows("SELECT * FROM sync_state WHERE name = 'actor'")


def test_a_refused_statement_does_not_leave_a_name_behind(gate):
    with pytest.raises(StorageFailed), gate.db.write() as tx, acting(gate.db, tx, "cli:olena"):
        tx.execute(text(EDIT.replace("'new'", "NULL")))
    gate.run(EDIT)
    assert "cli:olena" != gate.changes()[0]["created_by"]


def test_a_move_that_came_too_late_moves_nothing(gate):
    gate.run(EDIT)
    with gate.db.write() as tx:
        assert move(tx, 1, "queued", "cancelled")
        assert not move(tx, 1, "queued", "sending")
    with pytest.raises(ValueError, match="from cancelled to queued"), gate.db.write() as tx:
        move(tx, 1, "cancelled", "queued")


def test_instants_read_the_same_whoever_wrote_them(gate):
    gate.run(EDIT)
    with gate.db.read() as tx:
        at = tx.scalar(select(outbox.c.created_at))
    assert at.tzinfo is not None
    if gate.sqlite:
        stored = gate.rows("SELECT created_at FROM outbox")[0]["created_at"]
        assert at.strftime("%Y-%m-%d %H:%M:%S.%f") == stored


def test_postgresql_tells_a_listener_at_once(pg_gate):
    plain = pg_gate.url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as listener:
        listener.execute("LISTEN syncd_outbox")
        pg_gate.run("UPDATE live_tasks SET priority = 1")
        (told,) = listener.notifies(timeout=5, stop_after=1)
        assert ("syncd_outbox", "public") == (told.channel, told.payload)
        pg_gate.run("UPDATE outbox SET state = 'held' WHERE id = 1")
        pg_gate.run("UPDATE outbox SET state = 'queued' WHERE id = 1")
        assert ["public"] == [one.payload for one in listener.notifies(timeout=5, stop_after=1)]


def test_two_writers_of_one_ref_queue_one_creation_on_postgresql(pg_gate):
    insert = "INSERT INTO live_tasks (ref, project_id, name) VALUES ('r', 10, 'x')"
    with connected(pg_gate.url) as one, connected(pg_gate.url) as other:
        one.execute(insert)
        other.execute("SET statement_timeout = '20s'")
        waiting = threading.Thread(target=lambda: (other.execute(insert), other.commit()))
        waiting.start()
        one.commit()
        waiting.join(20)
    assert 1 == len(pg_gate.changes())


def test_a_base_is_what_the_statement_saw_though_a_pull_landed_meanwhile(pg_gate):
    held = "(SELECT pg_advisory_xact_lock(7)) s"
    statement = f"UPDATE live_tasks SET name = 'mine' FROM {held} WHERE id = 1000"
    begun = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"
    with connected(pg_gate.url) as own, connected(pg_gate.url) as other:
        other.execute("SELECT pg_advisory_lock(7)")
        editing = threading.Thread(target=lambda: (own.execute(statement), own.commit()))
        editing.start()
        deadline = time.monotonic() + 20
        while not other.execute(begun).fetchall():
            assert time.monotonic() < deadline
        pg_gate.run("UPDATE tasks SET name = 'theirs' WHERE id = 1000")
        other.execute("SELECT pg_advisory_unlock(7)")
        editing.join(20)
    assert [("update", {"name": "mine"}, {"name": "Task 1000"})] == pg_gate.said()


def test_sqlite_refuses_a_change_that_is_about_nothing(sqlite_gate):
    columns = "operation, fields, base, state, attempts, created_at, created_by, batch"
    with pytest.raises(sqlite3.IntegrityError, match="target"):
        sqlite_gate.run(
            f"INSERT INTO outbox ({columns}) VALUES ('update', '{{}}', '{{}}', 'queued', 0,"
            " '2026-01-05 09:00:00', 'x', 'b')"
        )
