"""Who may do what, proved by trying: roles of a real server, and readers of a file in use."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.errors import (
    InsufficientPrivilege,
    IntegrityError,
    ObjectNotInPrerequisiteState,
    WrongObjectType,
)
from sqlalchemy import inspect, make_url, text

from syncd.errors import ConfigError
from syncd.sandbox import Account
from syncd.services import grants
from syncd.services.backup import back_up
from syncd.store.access import INNER, LIVE, MIRROR, QUEUE, RIGHTS
from syncd.store.engine import open_database
from syncd.store.upgrade import upgrade
from tests.live.conftest import Gate
from tests.scenario.conftest import a_mirror_at, a_sqlite_mirror
from tests.support.postgres import Cluster
from tests.support.pushes import pushed
from tests.support.records import MONDAY

__all__ = ["a_mirror_at", "a_sqlite_mirror"]

_numbers = itertools.count(1)

READABLE = tuple(RIGHTS["reader"])
NOBODY = (WrongObjectType, ObjectNotInPrerequisiteState)
"""No view can be truncated, and most cannot be written, whoever tries."""
TRIED = (
    "SELECT * FROM {0} LIMIT 1",
    "INSERT INTO {0} DEFAULT VALUES",
    "UPDATE {0} SET {1} = NULL WHERE false",
    "DELETE FROM {0} WHERE false",
    "TRUNCATE {0}",
)


@pytest.fixture
def named(postgres: Cluster) -> Callable[[], str]:
    """Make a login role that has no rights here."""

    def make(name: str = "role") -> str:
        made = f"{name} {next(_numbers)} of {postgres.port}%"
        postgres.create_role(made)
        return made

    return make


@contextmanager
def as_role(gate: Gate, postgres: Cluster, role: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of that role to the mirror."""
    with psycopg.connect(
        host="127.0.0.1",
        port=postgres.port,
        dbname=gate.url.rpartition("/")[2],
        user=role,
        password=postgres.password,
        autocommit=True,
    ) as own:
        yield own


def may(own: psycopg.Connection[Any], statement: str) -> bool:
    """Whether the rights let a statement through; what is wrong with it otherwise is no refusal."""
    try:
        own.execute(statement)
    except (InsufficientPrivilege, *NOBODY):
        return False
    except IntegrityError:
        return True
    return True


def relations(gate: Gate) -> dict[str, str]:
    """Every table and view, with a column of each."""
    with gate.db.read() as tx:
        seen = inspect(tx)
        names = [*seen.get_table_names(), *seen.get_view_names()]
        return {name: seen.get_columns(name)[0]["name"] for name in names}


def what(own: psycopg.Connection[Any], gate: Gate) -> dict[str, set[str]]:
    """What that role gets through, of every statement on every table and view."""
    found: dict[str, set[str]] = {}
    for name, column in relations(gate).items():
        for each in TRIED:
            if may(own, each.format(name, column)):
                found.setdefault(each.split()[0], set()).add(name)
    return found


def test_every_table_and_view_is_for_somebody(gate: Gate) -> None:
    placed = [*READABLE, *QUEUE, *INNER]
    assert sorted(relations(gate)) == sorted(placed)


def test_a_role_without_a_grant_sees_nothing(pg_gate, postgres, named) -> None:
    with as_role(pg_gate, postgres, named()) as own:
        assert {} == what(own, pg_gate)


def test_a_reader_reads_what_is_meant_for_it_and_writes_nowhere(pg_gate, postgres, named) -> None:
    role = named()
    done = grants.give(pg_gate.db, role, "reader", run=True)
    assert (("reader",), (), 0) == (done.access, done.beyond, done.exit_code)
    with as_role(pg_gate, postgres, role) as own:
        assert {"SELECT": set(READABLE)} == what(own, pg_gate)
        for statement in (
            "CREATE TABLE mine (n int)",
            "CREATE VIEW mine AS SELECT 1",
            "CREATE SCHEMA mine",
            "ALTER TABLE tasks ADD mine int",
            "DROP VIEW live_tasks",
            "CREATE TRIGGER mine BEFORE INSERT ON tasks EXECUTE FUNCTION outbox_refuses()",
            "SELECT live_queue('update', 1000, NULL, '{}', '{}', NULL)",
            "SELECT nextval('sync_runs_id_seq')",
        ):
            assert not may(own, statement), statement


def test_an_editor_uses_the_live_views_alone_and_is_named(pg_gate, postgres, named) -> None:
    role = named()
    done = grants.give(pg_gate.db, role, "editor", run=True)
    assert (("editor",), (), 0) == (done.access, done.beyond, done.exit_code)
    with as_role(pg_gate, postgres, role) as own:
        assert {
            "SELECT": set(LIVE),
            "UPDATE": set(LIVE),
            "INSERT": {"live_tasks"},
        } == what(own, pg_gate)
        before = len(pg_gate.changes())
        own.execute("UPDATE live_tasks SET priority = 9 WHERE id = 1000")
    (change,) = pg_gate.changes()[before:]
    assert (f"sql:{role}", {"priority": 9}) == (change["created_by"], change["fields"])


def test_both_can_be_given_and_taken_back_and_again(pg_gate, postgres, named) -> None:
    role = named()
    for _ in range(2):
        grants.give(pg_gate.db, role, "reader", run=True)
        done = grants.give(pg_gate.db, role, "editor", run=True)
        assert (("reader", "editor"), 0) == (done.access, done.exit_code)
    for _ in range(2):
        done = grants.take_back(pg_gate.db, role, run=True)
        assert ((), (), 0) == (done.access, done.beyond, done.exit_code)
    with as_role(pg_gate, postgres, role) as own:
        assert {} == what(own, pg_gate)


def test_printing_runs_nothing_and_the_printed_does_the_same(pg_gate, named) -> None:
    role = named()
    shown = grants.give(pg_gate.db, role, "reader", run=False)
    with pg_gate.db.read() as tx:
        assert frozenset() == grants.roles.held(tx, role)
    pg_gate.run(*shown.statements)
    assert 0 == grants.give(pg_gate.db, role, "reader", run=True).exit_code


def test_what_a_role_may_do_besides_is_told(pg_gate, named) -> None:
    role = named()
    quoted = f'"{role}"'
    pg_gate.run(f"GRANT SELECT (holder) ON lease TO {quoted}", f"GRANT DELETE ON tasks TO {quoted}")
    done = grants.give(pg_gate.db, role, "reader", run=True)
    assert ((("lease", "SELECT"), ("tasks", "DELETE")), 3) == (done.beyond, done.exit_code)
    assert 0 == grants.take_back(pg_gate.db, role, run=True).exit_code


def test_older_advice_gave_default_privileges_and_they_go_too(pg_gate, postgres, named) -> None:
    role = named()
    pg_gate.run(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "{role}"')
    grants.take_back(pg_gate.db, role, run=True)
    pg_gate.run("CREATE TABLE later (n int)")
    with as_role(pg_gate, postgres, role) as own:
        assert not may(own, "SELECT * FROM later")


@pytest.mark.parametrize("name", ["public", "PUBLIC", "none", ""])
def test_everybody_is_no_role(shut_pg_gate, name) -> None:
    with pytest.raises(ConfigError, match="everybody"):
        grants.give(shut_pg_gate.db, name, "reader", run=False)


def test_a_role_that_is_not_there_is_told_how_to_be_made(shut_pg_gate) -> None:
    with pytest.raises(ConfigError, match="no role ann") as caught:
        grants.give(shut_pg_gate.db, "ann", "reader", run=True)
    assert "CREATE ROLE ann LOGIN" in caught.value.hint
    assert not grants.give(shut_pg_gate.db, "ann", "reader", run=False).exists


@pytest.mark.parametrize("name", ["postgres", "syncd"])
def test_a_role_above_all_rights_is_refused(shut_pg_gate, name) -> None:
    for run in (True, False):
        with pytest.raises(ConfigError, match="no right bounds it"):
            grants.give(shut_pg_gate.db, name, "reader", run=run)
    with pytest.raises(ConfigError, match="no right bounds it"):
        grants.take_back(shut_pg_gate.db, name, run=True)


def test_who_does_not_own_the_mirror_is_sent_to_its_owner(pg_gate, postgres, named) -> None:
    role, other = named(), named()
    grants.give(pg_gate.db, role, "reader", run=True)
    url = pg_gate.db.engine.url.set(username=role, password=postgres.password)
    with closing(open_database(url.render_as_string(hide_password=False))) as theirs:
        with pytest.raises(ConfigError, match="belongs to syncd"):
            grants.give(theirs, other, "reader", run=True)
        assert grants.give(theirs, other, "reader", run=False).statements


def test_an_upgrade_lets_readers_read_what_it_adds_and_nobody_else(
    postgres_url, postgres, named
) -> None:
    """Default privileges would give the new inner tables away as well."""
    reader, other = named(), named()
    with closing(open_database(postgres_url)) as db:
        upgrade(db, now=MONDAY, revision="0004")
        with db.write() as tx:
            grants.roles.renew(tx, [reader])
            tx.execute(text(f'GRANT SELECT ON tasks TO "{other}"'))
        upgrade(db, now=MONDAY)
        gate = Gate(db, postgres_url)
        with as_role(gate, postgres, reader) as own:
            assert {"SELECT": set(READABLE)} == what(own, gate)
        with as_role(gate, postgres, other) as own:
            assert {"SELECT": {"tasks"}} == what(own, gate)


# --- a file


def test_a_file_is_read_only_for_its_readers_while_a_pull_runs(a_sqlite_mirror) -> None:
    mirror = a_sqlite_mirror(Account.seeded(tasks=60))
    mirror.pull()
    found = grants.file_access(mirror.app.db)
    with closing(sqlite3.connect(found.uri, uri=True, isolation_level=None)) as own:

        class Trying:
            """Writes, or tries to, whenever the pull has come a step further."""

            refused = 0

            def step(self, what: str, *, done: int, total: int, left_s: float) -> None:
                del what, done, total, left_s
                for name in (*MIRROR, *LIVE, *QUEUE, *INNER):
                    with pytest.raises(sqlite3.OperationalError, match="readonly"):
                        own.execute(f"DELETE FROM {name}")
                    self.refused += 1

        own.execute("BEGIN")
        seen = own.execute("SELECT count(*) FROM sync_runs").fetchone()
        assert "complete" == mirror.pull(progress=(trying := Trying())).outcome
        assert trying.refused
        assert seen == own.execute("SELECT count(*) FROM sync_runs").fetchone()
        own.execute("COMMIT")
        assert seen != own.execute("SELECT count(*) FROM sync_runs").fetchone()


def test_a_backup_is_a_copy_that_can_be_read_where_nothing_may_be_written(
    a_sqlite_mirror, tmp_path
) -> None:
    mirror = a_sqlite_mirror(Account.seeded(tasks=60))
    mirror.pull()
    made = back_up(mirror.app.db, mirror.app.settings, at=MONDAY, to=tmp_path / "copy.db")
    assert made is not None
    with closing(sqlite3.connect(f"{made.path.as_uri()}?immutable=1", uri=True)) as own:
        assert [(len(mirror.live()),)] == own.execute("SELECT count(*) FROM live_tasks").fetchall()
    assert ["copy.db"] == [path.name for path in tmp_path.glob("copy.db*")]


# --- the daemon itself


def test_the_daemon_needs_a_schema_of_its_own_and_nothing_else(
    postgres, postgres_url, named, a_mirror_at
) -> None:
    role, name = named("daemon"), postgres_url.rpartition("/")[2]
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        owner.execute(f'GRANT CONNECT ON DATABASE {name} TO "{role}"')
    with psycopg.connect(
        postgres.admin_url_for(name).replace("+psycopg", ""), autocommit=True
    ) as admin:
        admin.execute(f'CREATE SCHEMA worksection AUTHORIZATION "{role}"')
    url = make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    mirror = a_mirror_at(url, Account.seeded(tasks=60), schema="worksection")
    assert "complete" == mirror.pull().outcome
    mirror.app.db.engine.dispose()
    with mirror.app.db.write() as tx:
        tx.execute(
            text("UPDATE live_tasks SET priority = 10 WHERE id = (SELECT min(id) FROM tasks)")
        )
    assert "complete" == pushed(mirror).outcome
    assert "complete" == mirror.pull().outcome
    with mirror.app.db.read() as tx:
        owned = (
            "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class"
            " WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
            " AND relnamespace::regnamespace::text <> 'pg_toast'"
        )
        assert ["worksection"] == list(tx.scalars(text(owned)))
