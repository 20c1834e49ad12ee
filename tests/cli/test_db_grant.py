"""`syncd db grant`: what it says and prints; tests/services/test_grants.py tries the rights."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.cli.desk import Desk, a_mirror
from tests.live.conftest import Gate, pg_gate, prepared_postgres
from tests.support.postgres import Cluster

__all__ = ["pg_gate", "prepared_postgres"]

MakeRole = Callable[[str], str]


def a_config(folder: Path, url: str) -> Path:
    config = folder / "syncd.toml"
    lines = ['[account]\nurl = "https://acme.worksection.com"\napi_key = "k"']
    config.write_text("\n".join([*lines, f'[database]\nurl = "{url}"']) + "\n")
    config.chmod(0o600)
    return config


@pytest.fixture
def desk(pg_gate: Gate, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(pg_gate, a_config(tmp_path, pg_gate.url), capsys)


@pytest.fixture
def role(postgres: Cluster, pg_gate: Gate) -> MakeRole:
    """Make a role whose name no other test has."""

    def make(kind: str) -> str:
        name = f"{kind}_{pg_gate.url.rpartition('/')[2]}"
        postgres.create_role(name)
        return name

    return make


@pytest.fixture
def file_desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A mirror in a file whose path needs care in an address."""
    folder = tmp_path / "a b?c#d%20"
    folder.mkdir()
    return Desk(None, a_mirror(folder), capsys)  # type: ignore[arg-type] # no SQL beside it here


def test_a_reader_and_an_editor_are_told_apart(desk: Desk, role: MakeRole) -> None:
    ann = role("ann")
    assert f"{ann} is reader in schema public of" in desk.syncd("db", "grant", "--reader", ann).out
    assert f"{ann} is reader and editor in" in desk.syncd("db", "grant", "--editor", ann).out
    assert "is left" in desk.syncd("db", "grant", "--revoke", ann).out


def test_the_document_has_what_the_lines_say(desk: Desk, role: MakeRole) -> None:
    ann = role("ann")
    told = desk.syncd("db", "grant", "--reader", ann, "--json").document
    assert (ann, "public", "reader", True, ["reader"], [], 0) == tuple(
        told[key] for key in ("role", "schema", "asked", "ran", "access", "beyond", "exit_code")
    )
    assert told["statements"][0] == f"GRANT USAGE ON SCHEMA public TO {ann}"


def test_what_is_printed_is_sql_that_does_it(desk: Desk, role: MakeRole) -> None:
    ann = role("ann")
    script = desk.syncd("db", "grant", "--editor", ann, "--print").out
    before = desk.syncd("db", "grant", "--revoke", ann, "--json").document
    assert [] == before["access"]
    with psycopg.connect(desk.gate.url.replace("+psycopg", ""), autocommit=True) as own:
        own.execute(script)
    after = desk.syncd("db", "grant", "--reader", ann, "--json").document
    assert ["reader", "editor"] == after["access"]


def test_a_role_that_is_not_there_is_printed_for_all_the_same(desk: Desk) -> None:
    script = desk.syncd("db", "grant", "--reader", "not there", "--print").out
    assert 'CREATE ROLE "not there" LOGIN' in script
    what, do = desk.refusal("db", "grant", "--reader", "not there")
    assert what == "The server has no role not there."
    assert "\\password" in do


def test_more_than_was_meant_is_told_and_ends_with_3(desk: Desk, role: MakeRole) -> None:
    ann = role("ann")
    desk.gate.run(f"GRANT DELETE ON tasks TO {ann}", f"GRANT CREATE ON SCHEMA public TO {ann}")
    said = desk.syncd("db", "grant", "--reader", ann, code=3).out
    assert "DELETE on tasks" in said
    assert "may make tables in schema public" in said


@pytest.mark.parametrize("words", [(), ("--reader", "a", "--editor", "b"), ("--print",)])
def test_one_role_is_named_at_a_time(desk: Desk, words: tuple[str, ...]) -> None:
    assert "Name one role" in desk.syncd("db", "grant", *words, code=2).err


def test_of_a_file_it_says_how_others_read_it(file_desk: Desk) -> None:
    told = file_desk.syncd("db", "grant", "--reader", "ann", "--json").document
    with closing(sqlite3.connect(told["uri"], uri=True)) as own:
        assert own.execute("SELECT count(*) FROM live_tasks").fetchone()[0] > 0
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            own.execute("UPDATE live_tasks SET priority = 1")
    assert told["uri"] in file_desk.syncd("db", "grant", "--reader", "ann").out


def test_of_a_file_nobody_gets_the_live_view_alone(file_desk: Desk) -> None:
    for word in ("--editor", "--revoke"):
        assert "syncd db move" in file_desk.refusal("db", "grant", word, "ann")[1]


def test_a_schema_of_its_own_is_named_and_so_is_a_closed_door(
    postgres: Cluster, postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = postgres_url.rpartition("/")[2]
    ann = f"Ann {name}"
    postgres.create_role(ann)
    config = a_config(tmp_path, postgres_url)
    with config.open("a") as lines:
        lines.write('schema = "Büro 2"\n')
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    desk = Desk(Gate(None, postgres_url), config, capsys)  # type: ignore[arg-type] # not asked here
    desk.syncd("db", "upgrade")
    said = desk.syncd("db", "grant", "--reader", ann, code=3).out
    opened = f'GRANT CONNECT ON DATABASE {name} TO "{ann}";'
    assert opened in said
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(opened)
    assert opened not in desk.syncd("db", "grant", "--reader", ann).out
    (path,) = (line for line in said.splitlines() if "search_path" in line)
    theirs = postgres.url_for(name).replace("+psycopg", "")
    for statement in (path, "SELECT count(*) FROM report_tasks"):  # a setting is for new sessions
        with psycopg.connect(theirs, user=ann, autocommit=True) as own:
            own.execute(statement)
