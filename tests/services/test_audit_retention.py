"""Retention: old rows go, the audit log seals what went, and nobody else gets through."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text

from syncd.errors import StorageFailed
from syncd.resources.tasks.table import IMAGE_COLUMNS, task_history
from syncd.services.retention import Pruned, prune
from syncd.settings import Duration, RetentionSettings
from syncd.store import audit
from syncd.store.audit import Event, chain_hash
from syncd.store.engine import Database, open_database
from syncd.store.outbox import outbox, outbox_events
from syncd.store.proof import prove
from syncd.store.runs import RunRow, next_run_id, record_run
from syncd.store.schema import audit_log, sync_runs
from syncd.store.upgrade import upgrade
from tests.support.records import MONDAY, a_task

DAY = timedelta(days=1)
NOW = MONDAY + 400 * DAY
A_MONTH = Duration(30 * 86400)
KEEP = RetentionSettings(history=A_MONTH, audit=A_MONTH, runs=A_MONTH)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    upgrade(database, now=MONDAY)
    yield database
    database.close()


def write(db, *days, event="task.removed"):
    """Append a row for each of those days after Monday."""
    for day in days:
        with db.write() as tx:
            told = [Event(event, "task", day + 1)]
            audit.append(tx, told, at=MONDAY + day * DAY, actor="daemon", run_id=None)


def log(db):
    with db.read() as tx:
        return tx.execute(select(audit_log).order_by("seq")).all()


def count(db, table):
    with db.read() as tx:
        return tx.scalar(select(func.count()).select_from(table))


def proven(db):
    with db.read() as tx:
        return prove(tx)


def refused(db, statement):
    with pytest.raises(StorageFailed, match="append-only"), db.write() as tx:
        tx.execute(text(statement))


def unguarded(db, *statements):
    """Do what only the owner of the tables can."""
    with db.write() as tx:
        if db.is_sqlite:
            for verb in ("update", "delete"):
                tx.execute(text(f"DROP TRIGGER audit_log_refuses_{verb}"))
        else:
            tx.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
        for statement in statements:
            tx.execute(
                text(statement.replace(":", "\\:")) if isinstance(statement, str) else statement
            )


# --- the audit log


def test_what_is_old_goes_and_a_checkpoint_of_the_chain_seals_it(db):
    write(db, 0, 1, 2, 390, 395)
    third = log(db)[2]
    done = prune(db, now=NOW, keep=KEEP)
    assert Pruned(audit=3) == done
    rows = log(db)
    assert [4, 5, 6, 7] == [row.seq for row in rows]
    assert ("audit.pruned", {"last": 3, "hash": third.hash, "count": 3}) == (
        rows[2].event,
        rows[2].detail,
    )
    assert ("retention.applied", {"audit": 3}) == (rows[3].event, rows[3].detail)
    proof = proven(db)
    assert (True, 4, 7, 6) == (proof.holds, proof.first, proof.last, proof.checkpoint)


def test_pruning_again_begins_at_the_newest_checkpoint(db):
    write(db, 0, 1, 390)
    prune(db, now=NOW, keep=KEEP)
    write(db, 500)
    assert 3 == prune(db, now=NOW + 100 * DAY, keep=KEEP).audit
    assert [("task.removed", 6), ("audit.pruned", 7), ("retention.applied", 8)] == [
        (row.event, row.seq) for row in log(db)
    ]
    assert (True, 6) == (proven(db).holds, proven(db).first)


def test_a_log_that_is_old_as_a_whole_goes_on_from_its_checkpoint(db):
    write(db, 0, 1)
    assert 2 == prune(db, now=NOW, keep=KEEP).audit
    assert ["audit.pruned", "retention.applied"] == [row.event for row in log(db)]
    write(db, 401)
    assert (True, 3) == (proven(db).holds, proven(db).rows)


def test_where_nothing_is_old_nothing_is_written(db):
    write(db, 390)
    assert Pruned() == prune(db, now=NOW, keep=KEEP)
    assert 1 == len(log(db))


def test_what_is_kept_for_ever_stays(db):
    write(db, 0)
    assert Pruned() == prune(db, now=NOW, keep=RetentionSettings())
    assert 1 == len(log(db))


def test_an_old_row_after_a_newer_one_waits_with_it(db):
    write(db, 0, 390, 1)
    assert 1 == prune(db, now=NOW, keep=KEEP).audit
    assert proven(db).holds


def test_nobody_else_can_delete_before_or_after_a_pruning(db):
    write(db, 0, 1, 390)
    refused(db, "DELETE FROM audit_log WHERE seq = 1")
    prune(db, now=NOW, keep=KEEP)
    for statement in (
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE seq = 3",
        "UPDATE audit_log SET seq = 1 WHERE seq = 3",
    ):
        refused(db, statement)
    assert proven(db).holds


def test_a_checkpoint_reaches_no_further_than_it_says(db):
    write(db, 0, 1, 390)
    with pytest.raises(StorageFailed, match="append-only"), db.write() as tx:
        sealed = Event(audit.CHECKPOINT, detail={"last": 1, "hash": log(db)[0].hash, "count": 1})
        audit.append(tx, [sealed], at=NOW, actor="daemon", run_id=None)
        tx.execute(text("DELETE FROM audit_log WHERE seq <= 2"))
    assert 3 == len(log(db))


def test_the_way_is_open_only_while_the_checkpoint_is_the_newest_row(db):
    write(db, 0, 1, 390)
    with db.write() as tx:
        sealed = Event(audit.CHECKPOINT, detail={"last": 2, "hash": log(db)[1].hash, "count": 2})
        audit.append(tx, [sealed], at=NOW, actor="daemon", run_id=None)
    write(db, 391)
    refused(db, "DELETE FROM audit_log WHERE seq = 1")


def test_a_broken_part_is_not_sealed(db):
    write(db, 0, 1, 2, 390)
    unguarded(db, "UPDATE audit_log SET actor = 'account' WHERE seq = 2")
    done = prune(db, now=NOW, keep=KEEP)
    assert (0, 2, "altered") == (done.audit, done.broken.seq, done.broken.kind)
    assert 4 == len(log(db))


SEALED = {
    "a pruned row is there again": (
        "INSERT INTO audit_log SELECT 2, at, run_id, actor, event, entity, entity_id, detail,"
        " prev_hash, hash FROM audit_log WHERE seq = 4",
        (6, "checkpoint"),
    ),
    "more is gone than was sealed": ("DELETE FROM audit_log WHERE seq = 4", (4, "missing")),
    "the checkpoint is gone": ("DELETE FROM audit_log WHERE seq = 6", (1, "missing")),
    "the checkpoint says nothing": (
        "UPDATE audit_log SET detail = '{}' WHERE seq = 6",
        (6, "checkpoint"),
    ),
    "the checkpoint seals another hash": (
        """UPDATE audit_log SET detail = '{"last": 3, "hash": "x", "count": 3}' WHERE seq = 6""",
        (6, "checkpoint"),
    ),
}


@pytest.mark.parametrize("name", SEALED)
def test_a_checkpoint_that_does_not_match_is_named(db, name):
    statement, expected = SEALED[name]
    write(db, 0, 1, 2, 390, 395)
    prune(db, now=NOW, keep=KEEP)
    unguarded(db, statement)
    broken = proven(db).broken
    assert expected == (broken.seq, broken.kind)


def test_a_checkpoint_is_proven_as_every_other_row(db):
    write(db, 0, 1, 2, 390, 395)
    prune(db, now=NOW, keep=KEEP)
    sealed = log(db)[2].detail | {"count": 2}
    unguarded(db, audit_log.update().where(audit_log.c.seq == 6).values(detail=sealed))
    broken = proven(db).broken
    assert (6, "altered") == (broken.seq, broken.kind)


def test_a_first_row_made_by_hand_does_not_follow_the_checkpoint(db):
    write(db, 0, 390)
    prune(db, now=NOW, keep=KEEP)
    row = dict(log(db)[0]._mapping) | {"prev_hash": "0" * 64}
    made = chain_hash(row)
    unguarded(db, f"UPDATE audit_log SET prev_hash = '{'0' * 64}', hash = '{made}' WHERE seq = 2")
    broken = proven(db).broken
    assert (3, "checkpoint") == (broken.seq, broken.kind)


# --- history and runs


def test_past_images_go_by_their_end(db):
    task = a_task()
    plain = {
        name: getattr(task, name, None) for name in IMAGE_COLUMNS if name in task.__struct_fields__
    }
    row = plain | {"task_id": 7, "url": "u", "tags": [], "relations": [], "run_id": 1}
    row |= {"valid_from": MONDAY}
    ends = [
        {"valid_from": MONDAY + n * DAY, "valid_to": MONDAY + day * DAY}
        for n, day in enumerate((10, 369, 371, 399))
    ]
    with db.write() as tx:
        tx.execute(insert(task_history), [row | end for end in ends])
    assert Pruned(history=2) == prune(db, now=NOW, keep=RetentionSettings(history=A_MONTH))
    assert 2 == count(db, task_history)
    assert {"history": 2} == log(db)[0].detail


def run(db, day, outcome="complete", kind="pull"):
    at = MONDAY + day * DAY
    with db.write() as tx:
        row = RunRow(kind=kind, scope="account", started_at=at, finished_at=at, outcome=outcome)
        record_run(tx, next_run_id(tx), row)


def test_runs_go_save_the_newest_of_each_kind_and_outcome(db):
    for day, outcome in ((0, "complete"), (1, "complete"), (2, "partial"), (3, "failed")):
        run(db, day, outcome)
    run(db, 4, "failed")
    run(db, 5, kind="push")
    assert Pruned(runs=2) == prune(db, now=NOW, keep=RetentionSettings(runs=A_MONTH))
    with db.read() as tx:
        assert [2, 3, 5, 6] == list(tx.scalars(select(sync_runs.c.id).order_by("id")))
        assert 7 == next_run_id(tx)


# --- the outbox


# The database's own clock dates the trail, so the days here are counted from today.
TODAY = datetime.now(UTC)
THEN = TODAY + 400 * DAY


def change(db, day, *states, operation="update", depends_on=None):
    """Queue a change on that day from today, and take it through states, today."""
    values = {
        "operation": operation,
        "task_id": None if operation == "create" else 7,
        "ref": f"r{day}" if operation == "create" else None,
        "fields": {"name": "x"},
        "base": {},
        "state": "queued",
        "attempts": 0,
        "created_at": TODAY + day * DAY,
        "created_by": "sql:olena",
        "batch": "b",
        "depends_on": depends_on,
    }
    with db.write() as tx:
        id = tx.execute(insert(outbox).values(**values)).inserted_primary_key[0]
        for state in states:
            tx.execute(outbox.update().where(outbox.c.id == id).values(state=state))
    return id


AUDIT_ONLY = RetentionSettings(audit=A_MONTH)


def left(db):
    with db.read() as tx:
        return (
            sorted(tx.scalars(select(outbox.c.id))),
            sorted(set(tx.scalars(select(outbox_events.c.change_id)))),
        )


def test_settled_changes_go_with_their_trail_which_is_in_the_audit_log(db):
    old = [change(db, 0, "confirmed"), change(db, 1, "cancelled")]
    kept = [
        change(db, 2),
        change(db, 3, "failed"),
        change(db, 390, "confirmed"),
    ]
    done = prune(db, now=THEN, keep=AUDIT_ONLY)
    assert Pruned(changes=2, events=4) == done
    assert (kept, kept) == left(db)
    told = [row for row in log(db) if row.entity_id in old]
    assert ["change.queued", "change.confirmed", "change.queued", "change.cancelled"] == [
        row.event for row in told
    ]
    assert {"name": "x"} == told[0].detail["fields"]
    assert ["outbox.pruned", "retention.applied"] == [row.event for row in log(db)[-2:]]
    assert proven(db).holds


def test_what_a_waiting_change_depends_on_stays_and_so_does_what_holds_a_ref(db):
    kept = [
        change(db, 0, "confirmed", operation="create"),
        change(db, 1, "cancelled", operation="create"),
    ]
    kept.append(change(db, 2, depends_on=kept[1]))
    change(db, 3, "cancelled", operation="create")
    assert 1 == prune(db, now=THEN, keep=AUDIT_ONLY).changes
    assert (kept, kept) == left(db)


def test_the_trail_of_a_change_that_somebody_deleted_goes_with_the_rest(db):
    id = change(db, 0, "cancelled")
    with db.write() as tx:
        tx.execute(outbox.delete().where(outbox.c.id == id))
    refused(db, "DELETE FROM outbox_events")
    assert Pruned(events=2) == prune(db, now=THEN, keep=AUDIT_ONLY)
    assert ([], []) == left(db)


def test_nobody_else_can_delete_from_the_trail_before_or_after_a_pruning(db):
    change(db, 390, "confirmed")  # it stays, and its numbers lie below those that go
    old = change(db, 0, "confirmed")
    refused(db, f"DELETE FROM outbox_events WHERE change_id = {old}")
    prune(db, now=THEN, keep=AUDIT_ONLY)
    with db.write() as tx:
        tx.execute(outbox.delete())
    refused(db, "DELETE FROM outbox_events")


def test_a_seal_does_not_let_the_trail_of_a_standing_change_go(db):
    change(db, 0, "confirmed")
    with pytest.raises(StorageFailed, match="append-only"), db.write() as tx:
        told = [Event("outbox.pruned", detail={"last": 100})]
        audit.append(tx, told, at=THEN, actor="daemon", run_id=None)
        tx.execute(text("DELETE FROM outbox_events"))


def test_a_change_that_was_heard_of_lately_stays_however_old_it_is(db):
    kept = [change(db, -400, "confirmed")]
    assert Pruned() == prune(db, now=TODAY + DAY, keep=AUDIT_ONLY)
    assert (kept, kept) == left(db)
