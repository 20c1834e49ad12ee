"""Slices wait for each other a little, and are lost to a kill alone; they come back together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text

from syncd.errors import AccountError, StorageFailed
from syncd.model.listing import Scope
from syncd.services import slice_store
from syncd.services.slice_store import LONGEST_WAIT_S, MOST_BYTES, MOST_WAITING, SliceStore
from syncd.store.checkpoints import Checkpoint, Part
from syncd.store.engine import Database, open_database
from syncd.store.schema import pull_slices

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCOPE = Scope(archived=False, extra=("subtasks",), rights="admin")


@pytest.fixture
def db(ready_database_url: str) -> Iterator[Database]:
    database = open_database(ready_database_url)
    yield database
    database.close()


class Watch:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_store(db: Database, **more: Any) -> SliceStore:
    store = SliceStore(db, SCOPE, durable=True, **more)
    store.resume(NOW)
    return store


def a_slice(id: int, data: bytes = b"[]") -> Checkpoint:
    return Checkpoint(id, NOW + timedelta(seconds=id), (Part("tree", data),))


def stored(db: Database) -> list[int]:
    with db.read() as tx:
        return sorted(tx.scalars(select(pull_slices.c.project_id)))


def break_table(db: Database) -> None:
    with db.write() as tx:
        tx.execute(text("ALTER TABLE pull_slices RENAME COLUMN parts TO gone"))


def test_a_kill_costs_a_few_answers(db):
    store = a_store(db, monotonic=Watch())
    for id in range(1, MOST_WAITING):
        store.keep(a_slice(id))
    assert [] == stored(db)
    store.keep(a_slice(MOST_WAITING))
    assert list(range(1, MOST_WAITING + 1)) == stored(db)


def test_at_a_slow_pace_none_waits_for_long(db):
    watch = Watch()
    store = a_store(db, monotonic=watch)
    store.keep(a_slice(1))
    watch.now += LONGEST_WAIT_S - 0.1
    store.keep(a_slice(2))
    assert [] == stored(db)
    watch.now += 0.1
    store.keep(a_slice(3))
    assert [1, 2, 3] == stored(db)
    store.keep(a_slice(4))  # the wait begins anew
    watch.now += LONGEST_WAIT_S - 0.1
    store.keep(a_slice(5))
    assert [1, 2, 3] == stored(db)


def test_what_waits_takes_little_memory(db):
    store = a_store(db, monotonic=Watch())
    store.keep(a_slice(1, b"x" * (MOST_BYTES - 1)))
    assert [] == stored(db)
    store.keep(a_slice(2, b"x"))
    assert [1, 2] == stored(db)
    store.keep(a_slice(3, b"x"))  # counted anew
    assert [1, 2] == stored(db)


def test_at_the_end_all_of_it_is_stored(db):
    store = a_store(db, monotonic=Watch())
    with store.filling():
        store.keep(a_slice(1))
    assert [1] == stored(db)


@pytest.mark.parametrize("error", [AccountError("no network"), KeyboardInterrupt()])
def test_what_was_fetched_outlives_whatever_ends_a_pull(db, error):
    store = a_store(db, monotonic=Watch())
    with pytest.raises(type(error)), store.filling():
        store.keep(a_slice(7))
        raise error
    assert [7] == stored(db)
    assert {7: NOW + timedelta(seconds=7)} == SliceStore(db, SCOPE, durable=True).resume(NOW)


def test_why_a_pull_ended_is_said_even_where_nothing_can_be_stored(db):
    store = a_store(db, monotonic=Watch())
    break_table(db)
    with pytest.raises(AccountError, match="no network") as caught, store.filling():
        store.keep(a_slice(1))
        raise AccountError("no network")
    (note,) = caught.value.__notes__
    assert note.startswith("1 answers will be asked for again: ")


def test_a_store_that_fails_at_the_end_is_an_error(db):
    store = a_store(db, monotonic=Watch())
    break_table(db)
    with pytest.raises(StorageFailed), store.filling():
        store.keep(a_slice(1))


def test_what_was_stored_is_read_again_as_it_was(db):
    slices = {id: a_slice(id, f"[{id}]".encode()) for id in range(1, 20)}
    store = a_store(db, monotonic=Watch())
    with store.filling():
        for one in slices.values():
            store.keep(one)
    for id in (1, 2, 2, 19, 3, *slices):
        assert slices[id] == store.load(id)


def test_slices_come_back_several_at_once(db, monkeypatch):
    """In the order in which they were fetched, so many bytes at a time; also after a restart."""
    first = a_store(db, monotonic=Watch())
    sizes = {4: 10, 2: 10, 9: 50, 1: 10, 3: 200, 5: 10}
    with first.filling():
        for place, (id, size) in enumerate(sizes.items()):
            noise = bytes((7 * n * n + id) % 251 for n in range(size))
            one = Checkpoint(id, NOW + timedelta(seconds=place), (Part("tree", noise),))
            first.keep(one)
    second = SliceStore(db, SCOPE, durable=True)
    assert list(sizes) == list(second.resume(NOW))
    with db.read() as tx:
        taken = {row.project_id: len(row.parts) for row in tx.execute(select(pull_slices))}
    monkeypatch.setattr(slice_store, "MOST_BYTES", taken[4] + taken[2] + taken[9])
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    for store in (first, second):
        reads = []
        for id in sizes:
            asked.clear()
            assert id == store.load(id).project_id
            reads += [id] * any("pull_slices" in one for one in asked)
        assert [4, 1, 3, 5] == reads  # 4, 2 and 9 at once; 1 before 3, which is large alone


def test_a_dry_run_writes_nothing(db):
    store = SliceStore(db, SCOPE, durable=False)
    assert {} == store.resume(NOW)
    with store.filling():
        for id in range(1, 3 * MOST_WAITING):
            store.keep(a_slice(id))
    assert [] == stored(db)
    assert a_slice(5) == store.load(5)


def test_what_is_old_or_was_asked_otherwise_is_not_taken_up(db):
    store = a_store(db, monotonic=Watch())
    with store.filling():
        store.keep(a_slice(1))
    other = Scope(archived=True, extra=("subtasks",), rights="admin")
    with db.write() as tx:
        kept = list(tx.execute(select(pull_slices)).mappings())
    assert {} == SliceStore(db, other, durable=True).resume(NOW)
    with db.write() as tx:
        tx.execute(delete(pull_slices))
        tx.execute(pull_slices.insert(), [dict(row) for row in kept])
    late = NOW + slice_store.CHECKPOINTS_LAST + timedelta(seconds=2)
    assert {} == SliceStore(db, SCOPE, durable=True).resume(late)
