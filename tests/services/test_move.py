"""Moving a mirror to PostgreSQL: everything goes along or nothing does, and work goes on there."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event

from syncd.errors import DatabaseUnusable, LeaseHeld, SchemaMismatch, StorageFailed
from syncd.sandbox import Sandbox
from syncd.services.audit import verify
from syncd.services.move import MoveReport, move, rehearse_move
from syncd.services.progress import Progress, Silent
from syncd.services.status import read_status
from syncd.store import lease
from syncd.store.engine import Database, open_database
from syncd.store.moved import refuse_if_moved
from syncd.store.proof import Proof
from tests.support.lived_in import EXTRA, START, a_world, carry_on, copied
from tests.support.mirror import Mirror, build, rows
from tests.support.postgres import Cluster
from tests.support.pushes import pushed, written

SCHEMA = "worksection"
VIEWS = ("live_tasks", "live_conflicts")
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lived-in")


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[tuple[Sandbox, Mirror]]:
    """An account and its mirror; tests get copies of the file."""
    box, mirror = a_world(home, "one")
    yield box, mirror
    mirror.app.db.close()
    box.close()


@dataclass(frozen=True, slots=True)
class Place:
    """A mirror in a file, and an empty database to go to."""

    mirror: Mirror
    url: str
    folder: Path

    @property
    def db(self) -> Database:
        return self.mirror.app.db

    @contextmanager
    def target(self, schema: str | None = None) -> Iterator[Database]:
        with closing(open_database(self.url, schema=schema)) as target:
            yield target

    def move(
        self, *, schema: str | None = None, dry: bool = False, progress: Progress | None = None
    ) -> MoveReport:
        with (
            self.target(schema) as target,
            self.mirror.app.moving(target, progress or Silent(), dry_run=dry) as work,
        ):
            return rehearse_move(work) if dry else move(work)

    def there(self, schema: str | None = None) -> Mirror:
        """The mirror as the configuration names it after the move."""
        path = self.folder / "moved.toml"
        made = build(self.mirror.box, self.url, path, extra=EXTRA, schema=schema)
        made.app, made.clock = replace(made.app, clock=self.mirror.clock), self.mirror.clock
        return made

    def rows_there(self) -> int:
        """How many rows our tables have there; none where they are not."""
        with psycopg.connect(self.url.replace("+psycopg", "")) as server:
            tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            names = [name for (name,) in tables if name != "alembic_version"]
            counts = [server.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names]
        return sum(count[0] for count in counts if count)

    def sql(self, *statements: str) -> None:
        """Run statements there, as the owner."""
        with psycopg.connect(self.url.replace("+psycopg", "")) as server:
            for statement in statements:
                server.execute(statement)


@pytest.fixture
def place(
    world: tuple[Sandbox, Mirror], ready_postgres_url: str, tmp_path: Path
) -> Iterator[Place]:
    """A copy of the mirror; the database has our schema already, which saves making it."""
    mirror = copied(world[1], tmp_path)
    yield Place(mirror, ready_postgres_url, tmp_path)
    mirror.app.db.close()


@pytest.fixture
def bare(place: Place, postgres_url: str) -> Place:
    """The same, and a database without anything in it."""
    return replace(place, url=postgres_url)


@dataclass(frozen=True, slots=True)
class Moved:
    """A mirror that was moved, for tests that only look; and what was in the file before."""

    place: Place
    report: MoveReport
    before: dict[str, list[str]]
    proof: Proof
    fencing: int


@pytest.fixture(scope="module")
def moved(
    world: tuple[Sandbox, Mirror],
    postgres: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Moved]:
    """A mirror that was moved into a database without anything in it."""
    folder = tmp_path_factory.mktemp("moved")
    mirror = copied(world[1], folder)
    place = Place(mirror, postgres.url_for(postgres.create_database()), folder)
    tables = [row["name"] for row in mirror.rows(TABLES)]
    before = {one: content(mirror.database_url, one) for one in (*tables, *VIEWS)}
    proof, fencing = verify(place.db), mirror.value("SELECT fencing FROM lease")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield Moved(place, place.move(), before, proof, fencing)
    mirror.app.db.close()


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


# --- what goes along


INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?")


def told(value: Any) -> Any:
    """A value in one form, whichever driver it came from."""
    match value:
        case bool() | int() | float() | Decimal():
            return number(str(int(value)) if isinstance(value, bool) else str(value))
        case datetime():
            plain = value.replace(tzinfo=None) - (value.utcoffset() or timedelta())
            return plain.isoformat(" ", "microseconds")
        case date() | time():
            return value.isoformat()
        case dict() | list():
            return document(json.dumps(value))
        case str() if INSTANT.fullmatch(value):
            return datetime.fromisoformat(value).isoformat(" ", "microseconds")
        case str() if value.startswith(("{", "[", '"')):
            return document(value) if value[0] != '"' else json.loads(value)
    return value


def number(said: str) -> str:
    return str(Decimal(said).normalize())


def document(said: str) -> str:
    return json.dumps(json.loads(said, parse_float=number, parse_int=number), sort_keys=True)


def content(url: str, table: str) -> list[str]:
    """The rows of a table by its own driver."""
    found = rows(url, f"SELECT * FROM {table}")
    return sorted(repr({key: told(row[key]) for key in sorted(row)}) for row in found)


def test_every_table_goes_along_with_all_its_rows(moved: Moved) -> None:
    tables = moved.before.keys() - set(VIEWS) - {"alembic_version"}
    assert tables == {one.name for one in moved.report.compared} - set(VIEWS)
    assert all(one.equal and one.rows == one.there for one in moved.report.compared)
    assert [] == [table for table in tables if not moved.before[table]], "a table without a row"
    after = {table: content(moved.place.url, table) for table in tables}
    differ = {table for table in tables if after[table] != moved.before[table]}
    assert {"audit_log", "lease", "sync_state"} == differ
    (added,) = set(after["audit_log"]) - set(moved.before["audit_log"])
    assert "database.moved" in added
    (head,) = set(after["sync_state"]) - set(moved.before["sync_state"])
    assert "audit_head" in head


def test_what_people_read_is_the_same(moved: Moved) -> None:
    assert all(moved.before[view] for view in VIEWS)
    assert {view: moved.before[view] for view in VIEWS} == {
        view: content(moved.place.url, view) for view in VIEWS
    }


def test_the_audit_log_is_proven_there_behind_its_checkpoint(moved: Moved) -> None:
    before = moved.proof
    assert before.holds
    assert before.checkpoint is not None
    with moved.place.target() as target:
        proof = verify(target)
    found = (proof.holds, proof.checkpoint, proof.rows)
    assert (True, before.checkpoint, before.rows + 1) == found


def test_the_guards_are_back_in_their_places(moved: Moved) -> None:
    for statement in (
        "UPDATE audit_log SET event = 'x'",
        "DELETE FROM outbox_events",
        "TRUNCATE outbox",
    ):
        with pytest.raises(psycopg.Error, match=r"append-only|outbox"):
            moved.place.sql(statement)
    disabled = "SELECT count(*) AS n FROM pg_trigger WHERE tgenabled <> 'O' AND NOT tgisinternal"
    assert [{"n": 0}] == rows(moved.place.url, disabled)


def test_the_lease_is_free_there_and_its_number_goes_on(moved: Moved) -> None:
    (row,) = rows(moved.place.url, "SELECT * FROM lease")
    assert (None, None) == (row["holder"], row["acquired_at"])
    assert moved.fencing < row["fencing"]
    assert row["last_request_at"] is not None


def test_no_number_is_given_twice(place: Place) -> None:
    used = {row["name"]: row["seq"] for row in place.mirror.rows("SELECT * FROM sqlite_sequence")}
    place.move()
    there = place.there()
    values = "VALUES (1, 'n', 'c', '') RETURNING id"
    statement = f"INSERT INTO outbox_files (change_id, name, content_type, content) {values}"
    with psycopg.connect(place.url.replace("+psycopg", "")) as server:
        assert (used["outbox_files"] + 1,) == server.execute(statement).fetchone()
    there.execute("UPDATE live_tasks SET priority = 3 WHERE name = 'below'")
    assert used["outbox"] + 1 == there.value("SELECT max(id) AS n FROM outbox")
    assert used["outbox_events"] + 1 == there.value("SELECT max(id) AS n FROM outbox_events")
    there.app.db.close()


# --- work goes on


@pytest.fixture(scope="module")
def twin(home: Path) -> Iterator[tuple[Sandbox, Mirror]]:
    """The same account and mirror once more: with the first it is the control."""
    box, mirror = a_world(home, "two")
    yield box, mirror
    mirror.app.db.close()
    box.close()


def test_pulls_and_pushes_go_on_there_as_if_nothing_had_happened(
    place: Place, twin: tuple[Sandbox, Mirror]
) -> None:
    outbox = "SELECT id, operation, task_id, state, error FROM outbox ORDER BY id"
    place.move(schema=SCHEMA)
    moved, stayed = place.there(SCHEMA), twin[1]
    stayed.clock.now = moved.clock.now
    assert carry_on(stayed) == carry_on(moved)
    assert stayed.rows(outbox) == moved.rows(outbox.replace("outbox", f"{SCHEMA}.outbox"))
    titles = [task["name"] for task in moved.account.snapshot()["tasks"].values()]
    assert 1 == titles.count("lost") == titles.count("with a file")
    assert verify(moved.app.db).holds
    moved.app.db.close()


def test_what_was_sent_is_known_there_and_a_restored_backup_still_shows(place: Place) -> None:
    place.move()
    there = place.there()
    with there.app.db.read() as tx:
        assert not there.app.epoch(there.app.db).restored(tx)
    forget = "UPDATE sync_state SET value = '0' WHERE name = 'epoch'"
    there.execute(forget)  # what an older backup has
    with there.app.db.read() as tx:
        assert there.app.epoch(there.app.db).restored(tx)
    there.app.db.close()


def test_a_backup_that_was_moved_before_its_first_push_is_found_out_there(place: Place) -> None:
    place.mirror.execute("UPDATE sync_state SET value = '0' WHERE name = 'epoch'")
    place.move()
    there = place.there()
    with there.app.db.read() as tx:
        assert there.app.epoch(there.app.db).restored(tx)
    there.app.db.close()


def test_a_password_may_leave_the_address_afterwards(place: Place) -> None:
    bare = re.sub(r":[^:@/]+@", "@", place.url)
    with closing(open_database(bare)) as other, place.target() as target:
        app = place.mirror.app
        assert app.epoch(target).path == app.epoch(other).path


# --- the old file


def test_the_old_file_refuses_to_be_used(moved: Moved) -> None:
    app = moved.place.mirror.app
    for write in (True, False):
        with pytest.raises(DatabaseUnusable, match="was moved to PostgreSQL") as caught:
            app.ready(write=write)
        assert "--undo" in caught.value.hint
        assert not isinstance(caught.value, SchemaMismatch)
    with pytest.raises(DatabaseUnusable, match="was moved"), app.turn():
        pass  # somebody who had waited for the lease
    waited = lease.hold_unwritten(app.db, check=refuse_if_moved)
    with pytest.raises(DatabaseUnusable, match="was moved"), waited:
        pass
    with app.db.read() as tx:
        assert lease.holder(tx) is None
    with pytest.raises(DatabaseUnusable, match="was moved"):
        read_status(moved.place.mirror.database_url, schema=None, max_batch=100)


def test_nobody_can_queue_into_the_old_file(moved: Moved) -> None:
    for statement in (
        "UPDATE live_tasks SET priority = 1",
        "UPDATE live_conflicts SET keep = 'mine'",
        "UPDATE outbox SET state = 'queued' WHERE state = 'held'",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="this mirror was moved to PostgreSQL"):
            moved.place.mirror.execute(statement)


def test_a_second_move_is_refused_wherever_it_goes(moved: Moved, postgres_url: str) -> None:
    place, elsewhere = moved.place, replace(moved.place, url=postgres_url)
    there = place.rows_there()
    for refused in (place, elsewhere):
        for dry in (True, False):
            with pytest.raises(DatabaseUnusable, match="was moved to"):
                refused.move(dry=dry)
    assert (there, 0) == (place.rows_there(), elsewhere.rows_there())


def test_after_going_back_nothing_is_sent_on_a_guess(place: Place) -> None:
    place.move()
    there = place.there()
    place.mirror.app.undo_move()
    assert there.app.db.label.replace(":***@", "@") in str(
        place.mirror.value("SELECT detail FROM audit_log ORDER BY seq DESC LIMIT 1")
    )
    place.mirror.app.ready(write=True)
    place.mirror.execute("UPDATE live_tasks SET priority = 1 WHERE name = 'below'")
    sent = written(place.mirror)
    report = pushed(place.mirror)
    assert "pull first" in report.notes[0]
    assert sent == written(place.mirror)
    assert verify(place.db).holds
    there.app.db.close()


def test_there_is_nothing_to_undo_in_a_file_that_was_not_moved(place: Place) -> None:
    with pytest.raises(Exception, match="was not moved"):
        place.mirror.app.undo_move()


# --- what cannot go


ODD = {
    "a NUL in a text": ("tasks", "name", "'a' || char(0)", "NUL character"),
    "half a character": ("tasks", "text", "CAST(x'ff' AS TEXT)", "half a character"),
    "a NUL in JSON": ("tasks", "extra", """'{"a": ["\\u0000"]}'""", "NUL character"),
    "half a character in JSON": ("tasks", "extra", """'{"\\ud83d": 1}'""", "half a character"),
    "no number in JSON": ("tasks", "extra", """'{"a": NaN}'""", "NaN"),
    "no JSON": ("tasks", "extra", "'{'", "no "),
    "no number": ("tasks", "project_id", "'x'", "no whole number"),
    "no date": ("tasks", "date_end", "'tomorrow'", "no "),
    "too large": ("task_relations", "reported_by_to", "3000000000", "32 bits"),
    "no text": ("tags", "name", "x'00'", "no text"),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_postgresql_cannot_hold_is_named_and_nothing_moves(place: Place, odd: str) -> None:
    table, column, value, why = ODD[odd]
    place.mirror.execute(f"UPDATE {table} SET {column} = {value}")
    named = rf"^{table} .*id \d+.*, column {column}: .*{why}"
    with pytest.raises(StorageFailed, match=named) as caught:
        place.move(dry=True)
    assert "Mend that row" in caught.value.hint
    if odd == "a NUL in JSON":
        with pytest.raises(StorageFailed, match=named):
            place.move()
        assert 0 == place.rows_there()
        place.mirror.app.ready(write=True)


def test_what_only_looks_odd_goes(place: Place) -> None:
    odd = {
        "b": r"\u0000",
        "numbers": [1e16, -0.0, 1.5e-7, 2**70, 1e23, 10],
        "k\u00e9y": "\U0001f41f\u2028",
    }
    place.mirror.execute(
        f"UPDATE tasks SET max_money = 12345678901.55, extra = '{json.dumps(odd)}'"
        " WHERE name = 'below'"
    )
    place.mirror.execute("UPDATE sync_state SET value = 'null' WHERE name = 'epoch'")
    assert all(one.equal for one in place.move().compared)
    found = "SELECT extra->'numbers'->>3 AS big, extra->>'b' AS b, max_money FROM tasks"
    (row,) = rows(place.url, f"{found} WHERE name = 'below'")
    assert (str(2**70), r"\u0000", Decimal("12345678901.55")) == (
        row["big"],
        row["b"],
        row["max_money"],
    )


def test_tables_of_others_in_the_file_are_named_and_left_behind(place: Place) -> None:
    place.mirror.execute("CREATE TABLE mine (a)")
    assert ("not ours, and left behind: mine",) == place.move().notes


def test_an_audit_log_that_was_broken_before_goes_as_it_is_and_is_told_of(place: Place) -> None:
    place.mirror.execute("DROP TRIGGER audit_log_refuses_update")
    place.mirror.execute(
        "UPDATE audit_log SET actor = 'cli:me' WHERE seq = (SELECT max(seq) - 3 FROM audit_log)"
    )
    report = place.move()
    assert report.exit_code == 3
    assert "altered" in str(report.broken)


# --- where it cannot go


def test_a_database_with_rows_is_refused_and_left_as_it_is(place: Place) -> None:
    place.sql("INSERT INTO tags (id, name) VALUES (1, 'theirs')")
    with pytest.raises(DatabaseUnusable, match=r"is not empty: there are rows in tags") as caught:
        place.move()
    assert "--schema" in caught.value.hint
    assert 1 == place.rows_there()
    place.move(schema=SCHEMA)


def test_what_is_left_of_the_move_of_another_mirror_is_not_replaced(
    place: Place, tmp_path: Path
) -> None:
    killed_move(place, "left")
    (tmp_path / "other").mkdir()
    other = replace(place, mirror=copied(place.mirror, tmp_path / "other"))
    there = place.rows_there()
    with pytest.raises(DatabaseUnusable, match="is not empty"):
        other.move()
    assert there == place.rows_there()
    other.db.close()


def test_a_database_of_others_is_refused(bare: Place) -> None:
    bare.sql("CREATE TABLE theirs (a int)")
    with pytest.raises(SchemaMismatch, match="not ours"):
        bare.move()
    assert [{"n": 1}] == rows(
        bare.url, "SELECT count(*) AS n FROM pg_tables WHERE tablename = 'theirs'"
    )
    bare.mirror.app.ready(write=True)


def test_a_copy_that_is_not_the_same_is_taken_back(place: Place) -> None:
    place.sql("DROP VIEW task_versions, task_changes CASCADE")  # they keep columns as they are
    place.sql("ALTER TABLE task_history ALTER COLUMN max_time TYPE numeric(10, 0)")  # it rounds
    with pytest.raises(
        StorageFailed, match=r"is not the same: .*task_history \(6 rows here, 6 there\)"
    ):
        place.move()
    assert 0 == place.rows_there()
    place.mirror.app.ready(write=True)


def test_while_a_syncd_works_nothing_moves(place: Place) -> None:
    with lease.hold(place.db, now=START), pytest.raises(LeaseHeld, match="pid "):
        place.move()


# --- meanwhile, and when it is killed


@dataclass(slots=True)
class Meanwhile:
    """Does something once, in the middle of the copy."""

    act: Callable[[], None]
    done: bool = False

    def step(self, what: str, *, done: int, total: int, left_s: float) -> None:
        assert 0 < done <= total
        assert left_s >= 1
        if what == "copying outbox" and not self.done:
            self.done = True
            self.act()


def test_meanwhile_people_can_read_the_file_and_not_write_it(place: Place) -> None:
    path = place.mirror.database_url.removeprefix("sqlite:///")

    def act() -> None:
        with closing(sqlite3.connect(path, timeout=0)) as somebody:
            assert somebody.execute("SELECT count(*) FROM live_tasks").fetchone()[0] > 10
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                somebody.execute("UPDATE live_tasks SET priority = 1")

    meanwhile = Meanwhile(act)
    place.move(progress=meanwhile)
    assert meanwhile.done


class Killed(BaseException):
    """The end of a process: nothing of ours may catch it."""


@contextmanager
def killed_at(db: Database, nth: int) -> Iterator[None]:
    """End just before the nth commit of what a database's transactions wrote."""
    left = [nth]

    def at_commit(connection: Connection) -> None:
        left[0] -= bool(connection.get_execution_options().get("syncd_write"))
        if left[0] == 0:
            left[0] = -1
            raise Killed

    event.listen(db.engine, "commit", at_commit)
    try:
        with pytest.raises(Killed):
            yield
    finally:
        event.remove(db.engine, "commit", at_commit)


INSTANTS = {"copied": ("target", 3), "left": ("source", 1), "ended": ("target", 4)}
"""Before that come the probe of the target, and its upgrade."""


def killed_move(place: Place, instant: str) -> None:
    side, nth = INSTANTS[instant]
    with (
        place.target() as target,
        place.mirror.app.moving(target, Silent(), dry_run=False) as work,
        killed_at(target if side == "target" else place.db, nth),
    ):
        move(work)


def usable(mirror: Mirror) -> bool:
    try:
        mirror.app.ready(write=False)
    except DatabaseUnusable:
        return False
    finally:
        mirror.app.db.close()
    return True


@pytest.mark.parametrize("instant", INSTANTS)
def test_killed_at_a_commit_one_mirror_at_most_can_be_used_and_again_ends_it(
    place: Place, instant: str
) -> None:
    killed_move(place, instant)
    filled = {"copied": False, "left": True, "ended": True}[instant]
    old = usable(place.mirror)
    assert (instant != "ended", filled) == (old, place.rows_there() > 0)
    assert not (old and filled and usable(place.there()))
    report = place.move()
    assert report.finished is (instant == "ended")
    assert (False, True) == (usable(place.mirror), usable(place.there()))
    assert verify(place.there().app.db).holds
    (row,) = rows(place.url, "SELECT count(*) AS n FROM tasks")
    assert row["n"] == 16
