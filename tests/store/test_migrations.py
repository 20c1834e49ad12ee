"""The schema that migrations make: the models', explained, and kept from what is not ours."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import quote

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import syncd.services.pull  # noqa: F401 - imports every table
from syncd import shipped
from syncd.errors import DatabaseUnusable, SchemaMismatch
from syncd.store.engine import open_database
from syncd.store.schema import metadata
from syncd.store.upgrade import schema_state, upgrade

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SCRIPTS = ScriptDirectory(str(shipped.path("migrations")))
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]


def tables(db) -> set[str]:
    with db.read() as tx:
        return set(inspect(tx).get_table_names()) - {"alembic_version"}


def test_models_and_migrations_do_not_differ(db):
    with db.read() as tx:
        context = MigrationContext.configure(
            tx, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_an_older_sqlite_file_is_backed_up_before_it_is_upgraded(sqlite_url, monkeypatch):
    db = open_database(sqlite_url)
    upgrade(db, now=NOW)
    with db.write() as tx:
        tx.execute(text("INSERT INTO sync_state (name) VALUES ('kept')"))
        # An older schema of this version's making: the newest step is undone in the book alone,
        # and the upgrade is kept from running it.
        tx.execute(text("UPDATE alembic_version SET version_num = :older"), {"older": REVISIONS[0]})
    monkeypatch.setattr("syncd.store.upgrade._run", lambda *_: None)
    monkeypatch.setattr("syncd.store.revisions.SchemaState.current", False)
    backup = upgrade(db, now=NOW)
    assert backup is not None
    assert backup.name == f"syncd.db.backup-{REVISIONS[0]}-20260105T120000Z"
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT name FROM sync_state").fetchall() == [("kept",)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert os.stat(backup).st_mode == os.stat(db.path).st_mode  # noqa: PTH116 - both the same way


def test_a_newer_schema_is_refused(db):
    with db.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="9999") as caught:
        schema_state(db)
    assert "pip install --upgrade" in caught.value.hint


def test_somebody_elses_tables_are_refused(database_url):
    db = open_database(database_url)
    with db.write() as tx:
        tx.execute(text("CREATE TABLE invoices (n integer)"))
    with pytest.raises(SchemaMismatch, match="invoices"):
        schema_state(db)
    with pytest.raises(SchemaMismatch):
        upgrade(db, now=NOW)
    assert tables(db) == {"invoices"}


@pytest.mark.parametrize("schema", [None, "Büro 3"])
def test_a_role_that_may_make_no_tables_learns_what_it_needs(postgres, schema):
    """By default it is so since PostgreSQL 15, for everybody who does not own the database."""
    role = f"lodger {schema}"
    postgres.create_role(role)
    name = postgres.create_database()
    with psycopg.connect(postgres.admin_url_for(name).replace("+psycopg", "")) as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")  # before 15 it was not so
        admin.execute('CREATE SCHEMA "Büro 3"')
    db = open_database(postgres.url_for(name, role=quote(role)), schema=schema)
    said = f"may not make tables in the schema {schema or 'public'}"
    with pytest.raises(DatabaseUnusable, match=said) as caught:
        upgrade(db, now=NOW)
    with psycopg.connect(postgres.admin_url_for(name).replace("+psycopg", "")) as admin:
        admin.execute(caught.value.hint.rpartition(": ")[2])
    upgrade(db, now=NOW)
    db.close()


def test_every_table_and_column_is_explained(db):
    assert [table.name for table in metadata.sorted_tables if not table.comment] == []
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    assert [str(column) for column in columns if not column.comment] == []
    if db.is_sqlite:
        return  # keeps no comments
    with db.read() as tx:
        seen = inspect(tx)
        for table in metadata.sorted_tables:
            assert seen.get_table_comment(table.name) == {"text": table.comment}
            kept = {column["name"]: column["comment"] for column in seen.get_columns(table.name)}
            assert kept == {column.name: column.comment for column in table.columns}
