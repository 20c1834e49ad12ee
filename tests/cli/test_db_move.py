"""`syncd db move`: what a person is told, and what is left when it cannot be done or is killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.desk import a_mirror
from tests.support.mirror import rows
from tests.support.postgres import Cluster
from tests.support.processes import Finished, Running, run_syncd, start_syncd

UNDER_WAY = 77
"""The advisory lock at which a copy waits, where a test lets it."""
WAITERS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@dataclass(frozen=True, slots=True)
class Desk:
    """A directory with a small mirror in a file, and the address of an empty database."""

    folder: Path
    url: str

    @property
    def database(self) -> Path:
        return self.folder / "syncd.db"

    @property
    def password(self) -> str:
        return self.url.partition("://")[2].partition("@")[0].partition(":")[2]

    @property
    def shown(self) -> str:
        return self.url.replace(f":{self.password}@", "@")

    def syncd(self, *words: str) -> Finished:
        return run_syncd(*words, cwd=self.folder)

    def refused(self, *words: str) -> list[str]:
        """What is said where it cannot be done: what happened, and what to do."""
        said = self.syncd("db", "move", *words).expect(2)
        assert said.stdout == ""
        lines = said.stderr.splitlines()
        assert len(lines) == 2, said.stderr
        assert lines[0].startswith("syncd: ")
        self.syncd("status").expect(3)  # a mirror that can be used, and has no run yet
        return lines

    def tables_there(self) -> list[dict[str, Any]]:
        return rows(self.url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


@pytest.fixture
def desk(tmp_path: Path, postgres_url: str) -> Desk:
    a_mirror(tmp_path)
    return Desk(tmp_path, postgres_url)


def test_it_moves_says_what_to_do_next_and_shows_no_password(desk: Desk) -> None:
    given = desk.url.replace("+psycopg", "")  # as people write it
    done = desk.syncd("db", "move", given, "--schema", "ws", "-v").expect(0)
    assert desk.password not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "tasks\t6\tthe same" in lines
    assert f'  url = "{desk.shown}"' in lines
    assert '  schema = "ws"' in lines
    assert ":PASSWORD" in done.stdout
    config = (desk.folder / "syncd.toml").read_text()
    new = f'[database]\nurl = "{desk.url}"\nschema = "ws"\n'
    (desk.folder / "syncd.toml").write_text(config + new)
    assert desk.syncd("task", "list", "--json").expect(0).document["tasks"]


def test_the_old_file_is_refused_afterwards_until_that_is_undone(desk: Desk) -> None:
    told = desk.syncd("db", "move", desk.url, "--json").expect(0).document
    assert {"url": desk.shown, "schema": None} == told["config"]
    found = {one["name"]: (one["rows"], one["equal"]) for one in told["tables"]}
    assert ((6, True), (5, True)) == (found["tasks"], found["live_tasks"])
    for words in (["status"], ["pull"], ["push"], ["task", "list"], ["db", "move", desk.url]):
        said = desk.syncd(*words).expect(2).stderr.splitlines()
        assert 2 == len(said)
        assert "was moved to PostgreSQL" in said[0]
        assert "database.url" in said[1]
    assert "was moved" in desk.syncd("check", "--offline").expect(2).stdout
    assert "is the mirror again" in desk.syncd("db", "move", "--undo").expect(0).stdout
    desk.syncd("task", "list").expect(0)


def test_a_dry_run_writes_nothing_on_either_side(desk: Desk) -> None:
    before = desk.database.read_bytes()
    told = desk.syncd("db", "move", desk.url, "--dry-run").expect(0).stdout
    assert "Nothing was written." in told
    assert "tasks\t6\t" in told
    assert ([], before) == (desk.tables_there(), desk.database.read_bytes())


# --- where it cannot go


def test_a_server_that_does_not_answer(desk: Desk) -> None:
    said = desk.refused("postgresql://syncd@127.0.0.1:1/mirror")
    assert "127.0.0.1" in said[0]
    assert "Nothing was moved" in said[1]


def test_a_wrong_password(desk: Desk) -> None:
    wrong = desk.url.replace(desk.password, "not-this-one")
    said = desk.refused(wrong)
    assert "password authentication failed" in said[0]
    assert ".pgpass" in said[1]
    traced = desk.syncd("db", "move", wrong, "-v").expect(2).stderr
    assert "Traceback" in traced
    assert "not-this-one" not in traced + "".join(said)


def test_a_database_that_can_only_be_read(desk: Desk, postgres: Cluster) -> None:
    name = desk.url.rpartition("/")[2]
    postgres._execute(
        psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
            psycopg.sql.Identifier(name)
        )
    )
    assert "is read-only" in desk.refused(desk.url)[0]


def test_a_role_that_may_not_create_anything(desk: Desk, postgres: Cluster) -> None:
    postgres.create_role("lesser")
    url = postgres.url_for(desk.url.rpartition("/")[2], role="lesser")
    said = desk.refused(url, "--schema", "own")
    assert "lacks CREATE on the database" in said[0]
    assert "CREATE SCHEMA" in said[1]


def test_a_database_that_cannot_hold_every_letter(desk: Desk, postgres: Cluster) -> None:
    postgres._execute(
        psycopg.sql.SQL(
            "CREATE DATABASE latin OWNER syncd TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        )
    )
    said = desk.refused(postgres.url_for("latin"))
    postgres.drop_database("latin")
    assert "LATIN1" in said[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Where to?"),
        (["other.db"], "PostgreSQL only"),
        (["postgresql://h/d?password=geheim1"], "question mark"),
        (["postgresql://h:x/d"], "cannot be understood"),
    ],
)
def test_an_address_that_is_none(desk: Desk, words: list[str], said: str) -> None:
    lines = desk.refused(*words)
    assert said in lines[0]
    assert "geheim1" not in "".join(lines)


def test_a_mirror_that_is_on_postgresql_already(desk: Desk) -> None:
    env = {"SYNCD_DATABASE__URL": desk.url}
    done = run_syncd("db", "move", desk.url, cwd=desk.folder, env=env).expect(2)
    assert "is on PostgreSQL already" in done.stderr


# --- killed in the middle


@contextmanager
def a_move_under_way(desk: Desk) -> Iterator[tuple[Running, psycopg.Connection]]:
    """A process that is in the middle of the copy, and waits there for a lock of ours."""
    desk.syncd("db", "upgrade").expect(0)
    env = {"SYNCD_DATABASE__URL": desk.url}
    run_syncd("db", "upgrade", cwd=desk.folder, env=env).expect(0)
    with psycopg.connect(desk.url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(
            "CREATE FUNCTION a_moment() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
            f" PERFORM pg_advisory_xact_lock_shared({UNDER_WAY}); RETURN true; END $$"
        )
        server.execute("ALTER TABLE tasks ADD CHECK (a_moment())")
        server.execute(f"SELECT pg_advisory_lock({UNDER_WAY})")
        moving = start_syncd("db", "move", desk.url, output=desk.folder / "move", cwd=desk.folder)
        with moving as running:
            running.wait_until(lambda _: server.execute(WAITERS).fetchone() == (1,))
            yield running, server


def test_a_connection_that_breaks_in_the_middle_leaves_the_file_the_mirror(desk: Desk) -> None:
    with a_move_under_way(desk) as (running, server):
        server.execute(WAITERS.replace("count(*)", "pg_terminate_backend(pid)"))
        said = running.wait().expect(1).stderr.splitlines()
    assert len(said) == 2
    assert "Run it again" in said[1]
    desk.syncd("status").expect(3)
    assert [{"n": 0}] == rows(desk.url, "SELECT count(*) AS n FROM tasks")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_everything_is_as_before_and_again_it_moves(
    desk: Desk, number: signal.Signals
) -> None:
    with a_move_under_way(desk) as (running, server):
        done = running.end(number)
        assert done.status == (130 if number == signal.SIGINT else -number)
        server.execute(f"SELECT pg_advisory_unlock({UNDER_WAY})")
    desk.syncd("status").expect(3)
    for table in ("projects", "tasks", "sync_state", "lease"):  # waits until the server noticed
        assert [{"n": 0}] == rows(desk.url, f"SELECT count(*) AS n FROM {table}")
    desk.syncd("db", "move", desk.url).expect(0)
    assert [{"n": 6}] == rows(desk.url, "SELECT count(*) AS n FROM tasks")
