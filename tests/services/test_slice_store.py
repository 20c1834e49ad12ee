"""Slices wait for each other a little, and are lost to a kill alone; they come back together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, text
from structlog.testing import capture_logs

from syncd.errors import AccountError, LeaseLost, StorageFailed
from syncd.model.listing import Scope
from syncd.services import slice_store
from syncd.services.slice_store import LONGEST_WAIT_S, MOST_BYTES, MOST_WAITING, SliceStore
from syncd.store.checkpoints import Checkpoint, Part, drop
from syncd.store.engine import Database, open_database
from syncd.store.lease import Lease, hold
from syncd.store.schema import pull_slices

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST = 0
SCOPE = Scope(archived=False, extra=("subtasks",), rights="admin")


@pytest.fixture
def db(ready_database_url: str) -> Iterator[Database]:
    database = open_database(ready_database_url)
    yield database
    database.close()


class Watch:
    """Seconds that pass when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lease(db: Database) -> Iterator[Lease]:
    with hold(db, now=NOW) as held:
        yield held


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def another(db: Database, lease: Lease, watch: Watch) -> Callable[..., SliceStore]:
    """Make a store that has not looked yet for what is there."""

    def make(scope: Scope = SCOPE, *, durable: bool = True) -> SliceStore:
        return SliceStore(db, lease, scope, durable=durable, monotonic=watch)

    return make


@pytest.fixture
def store(another: Callable[..., SliceStore]) -> SliceStore:
    """A store in which nothing is, and whose first slice, which does not wait, has been stored."""
    made = another()
    assert {} == made.resume(NOW)
    made.keep(a_slice(FIRST))
    return made


def a_slice(id: int, data: bytes = b"[]") -> Checkpoint:
    return Checkpoint(id, NOW + timedelta(seconds=id), (Part("tree", data),))


def stored(db: Database) -> list[int]:
    with db.read() as tx:
        return sorted(tx.scalars(select(pull_slices.c.project_id)))


def take_over(db: Database) -> None:
    """What another instance does that finds the holder gone."""
    with db.write() as tx:
        tx.execute(text("UPDATE lease SET fencing = fencing + 1"))


def break_table(db: Database) -> None:
    with db.write() as tx:
        tx.execute(text("ALTER TABLE pull_slices RENAME COLUMN parts TO gone"))


def test_a_kill_costs_a_few_answers(db, store):
    for id in range(1, MOST_WAITING):
        store.keep(a_slice(id))
    assert [FIRST] == stored(db)
    store.keep(a_slice(MOST_WAITING))
    assert [FIRST, *range(1, MOST_WAITING + 1)] == stored(db)


def test_at_a_slow_pace_none_waits_for_another(db, store, watch):
    ids = [FIRST]
    for id in range(1, 4):
        watch.now += LONGEST_WAIT_S
        store.keep(a_slice(id))
        assert [*ids, id] == stored(db)
        ids.append(id)
    watch.now += LONGEST_WAIT_S - 0.1
    store.keep(a_slice(4))
    assert ids == stored(db)


def test_what_waits_takes_little_memory(db, store):
    store.keep(a_slice(1, b"x" * (MOST_BYTES - 1)))
    assert [FIRST] == stored(db)
    store.keep(a_slice(2, b"x"))
    assert [FIRST, 1, 2] == stored(db)
    store.keep(a_slice(3, b"x"))  # counted anew
    assert [FIRST, 1, 2] == stored(db)


def test_at_the_end_all_of_it_is_stored(db, store):
    with store.filling():
        store.keep(a_slice(1))
    assert [FIRST, 1] == stored(db)


@pytest.mark.parametrize("error", [AccountError("no network"), KeyboardInterrupt()])
def test_what_was_fetched_outlives_whatever_ends_a_pull(db, store, another, error):
    with pytest.raises(type(error)), store.filling():
        store.keep(a_slice(7))
        raise error
    assert [FIRST, 7] == stored(db)
    assert NOW + timedelta(seconds=7) == another().resume(NOW)[7]


def test_who_lost_the_lease_stores_nothing(db, store, another):
    """What another has landed meanwhile is newer, and would be overwritten by its next pull."""
    take_over(db)
    with pytest.raises(AccountError), store.filling():
        store.keep(a_slice(1))
        raise AccountError("no network")
    with pytest.raises(LeaseLost), store.filling():
        for id in range(2, 2 + MOST_WAITING):
            store.keep(a_slice(id))
    assert [FIRST] == stored(db)
    with pytest.raises(LeaseLost):
        another().resume(NOW + timedelta(days=1))
    assert [FIRST] == stored(db)


def test_why_a_pull_ended_is_said_even_where_nothing_can_be_stored(db, store):
    break_table(db)
    with (
        capture_logs() as told,
        pytest.raises(AccountError, match="no network"),
        store.filling(),
    ):
        store.keep(a_slice(1))
        raise AccountError("no network")
    (lost,) = told
    assert ("pull.slices_lost", 1) == (lost["event"], lost["count"])


def test_a_store_that_fails_is_an_error_and_is_not_tried_again(db, store):
    """Of a file that another program locks, each try takes half a minute."""
    break_table(db)
    tried: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *about: tried.append(about[2]))
    with capture_logs() as told, pytest.raises(StorageFailed), store.filling():
        for id in range(1, MOST_WAITING + 1):
            store.keep(a_slice(id))
    assert ([], 1) == (told, sum("pull_slices" in one for one in tried))
    with pytest.raises(StorageFailed), store.filling():
        pass  # at the end, where it is the first failure


def test_what_was_stored_is_read_again_as_it_was(store):
    slices = {id: a_slice(id, f"[{id}]".encode()) for id in range(1, 20)}
    with store.filling():
        for one in slices.values():
            store.keep(one)
    for id in (1, 2, 2, 19, 3, *slices):
        assert slices[id] == store.load(id)


def test_slices_that_another_holder_took_away_end_the_pull(db, store):
    store.keep(a_slice(1))
    with store.filling():
        pass
    take_over(db)
    with db.write() as tx:
        drop(tx)
    with pytest.raises(LeaseLost, match="took away what this pull had fetched"):
        store.load(1)


def test_slices_come_back_several_at_once(db, another, monkeypatch):
    """In the order in which they were fetched, so many bytes at a time; also after a restart."""
    first = another()
    sizes = {4: 10, 2: 10, 9: 50, 1: 10, 3: 200, 5: 10}
    with first.filling():
        for place, (id, size) in enumerate(sizes.items()):
            noise = bytes((7 * n * n + id) % 251 for n in range(size))
            one = Checkpoint(id, NOW + timedelta(seconds=place), (Part("tree", noise),))
            first.keep(one)
    second = another()
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


def test_a_dry_run_writes_nothing(db, another):
    store = another(durable=False)
    assert {} == store.resume(NOW)
    with store.filling():
        for id in range(1, 3 * MOST_WAITING):
            store.keep(a_slice(id))
    assert [] == stored(db)
    assert a_slice(5) == store.load(5)


@pytest.mark.usefixtures("store")
def test_what_is_old_or_was_asked_otherwise_is_not_taken_up(db, another):
    assert {FIRST} == another().resume(NOW).keys()
    with db.write() as tx:
        kept = list(tx.execute(select(pull_slices)).mappings())
    assert {} == another(Scope(archived=True, extra=("subtasks",), rights="admin")).resume(NOW)
    with db.write() as tx:
        tx.execute(pull_slices.insert(), [dict(row) for row in kept])
    assert {} == another().resume(NOW + slice_store.CHECKPOINTS_LAST + timedelta(seconds=1))
