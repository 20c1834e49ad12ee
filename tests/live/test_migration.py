"""The migration: up and down with rows in it, its frozen SQL, and the models it must equal."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import syncd.resources.tasks.table
import syncd.store.outbox  # noqa: F401 - the tables hang on the metadata
from syncd import shipped
from syncd.resources.tags import relabel
from syncd.store.engine import open_database
from syncd.store.live import SEPARATOR, statements
from syncd.store.schema import metadata
from syncd.store.upgrade import downgrade, upgrade
from tests.support.mirror import rows
from tests.support.records import MONDAY

LABELS = "SELECT id, label FROM tags ORDER BY id"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_frozen_sql_is_what_the_program_means(dialect):
    """A change of the view or of a trigger needs a new migration with a copy of its own."""
    copies = sorted((shipped.path("migrations") / "sql").glob(f"*.{dialect}.sql"))
    copies = [one for one in copies if "VIEW live_tasks" in one.read_text(encoding="utf-8")]
    frozen = copies[-1].read_text(encoding="utf-8").split(SEPARATOR)
    assert [one.strip() for one in statements(dialect)] == [one.strip() for one in frozen]


def test_models_and_migrations_do_not_differ(gate):
    with gate.db.read() as tx:
        context = MigrationContext.configure(
            tx, opts={"compare_type": True, "compare_server_default": True}
        )
        assert [] == compare_metadata(context, metadata)


def test_up_and_down_with_rows(database_url):
    db = open_database(database_url)
    upgrade(db, now=MONDAY, revision="0001")
    with db.write() as tx:
        for id, name in enumerate(["Plain", "Twin", "Twin", "a,b", "#x", " y", ""], 1):
            tx.execute(
                text("INSERT INTO tags (id, name) VALUES (:id, :name)"), {"id": id, "name": name}
            )
        tx.execute(
            text("INSERT INTO tags (id, name, removed_at) VALUES (9, 'Plain', '2026-01-05 09:00')")
        )
    for _ in range(2):
        upgrade(db, now=MONDAY, revision="0002")
        labels = {row["id"]: row["label"] for row in rows(database_url, LABELS)}
        assert {1: "Plain"} | {id: f"#{id}" for id in (2, 3, 4, 5, 6, 7, 9)} == labels
        with db.write() as tx:
            relabel(tx)  # the program's rule is the migration's
        assert labels == {row["id"]: row["label"] for row in rows(database_url, LABELS)}
        with db.write() as tx:
            tx.execute(text("INSERT INTO projects (id, name, page, url) VALUES (10, 'P', '', '')"))
            tx.execute(text("INSERT INTO live_tasks (project_id, name) VALUES (10, 'x')"))
        downgrade(db, "0001")
        with db.write() as tx:
            tx.execute(text("DELETE FROM projects"))
    assert 8 == len(rows(database_url, "SELECT * FROM tags"))
    downgrade(db, "base")
    assert [] == _left_over(db)
    db.close()


def _left_over(db):
    """What a database still holds besides the version table."""
    query = (
        "SELECT name FROM sqlite_master"
        " WHERE name NOT LIKE '%alembic%' AND name NOT LIKE 'sqlite_%'"
        if db.is_sqlite
        else "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        " UNION ALL SELECT relname FROM pg_class WHERE relnamespace ="
        " current_schema()::regnamespace AND relname NOT LIKE '%alembic%'"
    )
    with db.read() as tx:
        return list(tx.execute(text(query)).scalars())


def test_two_schemas_of_one_server_keep_their_gates_apart(postgres_url):
    one, two = (open_database(postgres_url, schema=name) for name in ("acme", "Büro 2"))
    for db in (one, two):
        upgrade(db, now=MONDAY)
        with db.write() as tx:
            tx.execute(text("INSERT INTO projects (id, name, page, url) VALUES (10, 'P', '', '')"))
    with one.write() as tx:
        # Whatever path the writer has: a gate looks into its own schema.
        tx.execute(text("SET LOCAL search_path TO public"))
        tx.execute(text("INSERT INTO \"Büro 2\".live_tasks (project_id, name) VALUES (10, 'x')"))
    counts = []
    for db in (one, two):
        with db.read() as tx:
            counts.append(tx.scalar(text("SELECT count(*) FROM live_tasks WHERE id IS NULL")))
        db.close()
    assert [0, 1] == counts


def test_every_column_of_the_view_is_described_on_postgresql(pg_gate):
    query = (
        "SELECT count(*) AS n FROM pg_attribute WHERE attrelid = 'live_tasks'::regclass"
        " AND attnum > 0 AND col_description(attrelid, attnum) IS NULL"
    )
    assert [{"n": 0}] == pg_gate.rows(query)


def test_the_frozen_sql_of_postgresql_can_be_run_twice():
    """Later migrations run the same text: nothing in it may presuppose that it is the first."""
    for one in statements("postgresql"):
        assert re.match(r"\s*(CREATE OR REPLACE|COMMENT ON|DO )", one), one[:60]


def test_the_oldest_sqlite_reads_every_word_of_it(sqlite_gate):
    """Nothing newer than 3.35: no arrows into JSON (3.38), no IS DISTINCT FROM (3.39)."""
    with closing(sqlite3.connect(sqlite_gate.db.path)) as own:
        held = "\n".join(row[0] for row in own.execute("SELECT sql FROM sqlite_master") if row[0])
    for newer in (
        "->",
        "DISTINCT FROM",
        "FULL JOIN",
        "RIGHT JOIN",
        "unixepoch",
        "timediff",
        "concat(",
    ):
        assert newer not in held.replace("group_concat(", "").replace("'>'", ""), newer
