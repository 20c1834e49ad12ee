"""The schema goes up and down with rows in it, and databases that are not ours are left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint

from syncd import shipped
from syncd.errors import SchemaMismatch
from syncd.resources.tasks.table import tasks
from syncd.sandbox import Account
from syncd.store import upgrade
from syncd.store.revisions import schema_state_of
from tests.support.mirror import (
    MIRROR_TABLES,
    Mirror,
    assert_mirror_equals,
    connected,
    dump,
    fetched,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NEWER = "9999"


@pytest.fixture
def filled(a_mirror_at, ready_database_url) -> Mirror:
    """A mirror in a database that our own migrations made, with rows in every table."""
    return fill(a_mirror_at, ready_database_url)


def fill(a_mirror_at: Any, database_url: str) -> Mirror:
    account = Account.seeded(tasks=60, seed=1)
    mirror: Mirror = a_mirror_at(database_url, account)
    mirror.pull()
    account.rename_task(min(account.tasks), "Renamed")
    for _ in range(2):
        account.delete_task(max(account.tasks))
    mirror.pull()
    for table in MIRROR_TABLES:
        assert mirror.value(f"SELECT count(*) AS n FROM {table}") > 0, table
    return mirror


def objects(mirror: Mirror) -> set[str]:
    """Every table, view, index, trigger, sequence and function that is not the database's own."""
    if mirror.app.db.is_sqlite:
        query = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    else:
        query = """
            SELECT 'relation' AS type, c.relname AS name FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'
            UNION ALL SELECT 'function', p.proname FROM pg_proc p
              JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
            UNION ALL SELECT 'type', t.typname FROM pg_type t
              JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'public'
        """
    return {f"{row['type']} {row['name']}" for row in mirror.rows(query)}


def test_down_leaves_nothing_of_ours_and_up_again_mirrors_anew(filled):
    before = objects(filled)
    upgrade.downgrade(filled.app.db, "base")
    left = {name for name in objects(filled) if "alembic_version" not in name}
    assert set() == left
    assert upgrade.schema_state(filled.app.db).empty
    upgrade.upgrade(filled.app.db, now=NOW)
    assert before == objects(filled)
    assert "complete" == filled.pull().outcome
    assert_mirror_equals(filled)


def test_every_single_step_goes_down_and_up_with_rows_in_it(filled):
    """What the first revision holds survives the way down to it and back up."""
    scripts = ScriptDirectory(str(shipped.path("migrations")))
    revisions = [script.revision for script in scripts.walk_revisions()]  # newest first
    tables = (*MIRROR_TABLES, "audit_log", "sync_runs", "sync_state")
    before = dump(filled.database_url, tables)
    for revision in revisions[1:]:
        upgrade.downgrade(filled.app.db, revision)
    for revision in reversed(revisions):
        upgrade.upgrade(filled.app.db, now=NOW, revision=revision)
    assert before == dump(filled.database_url, tables)
    assert upgrade.schema_state(filled.app.db).current
    assert_mirror_equals(filled)
    assert "complete" == filled.pull().outcome


def test_every_table_and_column_says_what_it_is(postgres_url, a_mirror_at):
    mirror = a_mirror_at(postgres_url)
    mirror.app.ready(write=True)
    silent = mirror.rows("""
        SELECT c.relname AS relation, a.attname AS attribute
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'v') AND c.relname <> 'alembic_version'
          AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)
    """)
    assert [] == silent
    assert 10 < mirror.value("SELECT count(*) AS n FROM pg_class WHERE obj_description(oid) > ''")


def test_a_reason_is_checked_as_before_once_its_list_is_looked_at_less(tmp_path, a_mirror_at):
    """The text of a constraint is changed in place, under somebody who has the file open."""
    url = f"sqlite:///{tmp_path / 'mirror.db'}"
    mirror = fill(a_mirror_at, url)
    with closing(sqlite3.connect(tmp_path / "mirror.db", isolation_level=None)) as other:

        def refused(reason: str | None) -> bool:
            try:
                other.execute(
                    "UPDATE tasks SET removed_reason = ? WHERE removed_at > ''", (reason,)
                )
            except sqlite3.IntegrityError:
                return True
            return False

        for revision, asks_first in (("0012", True), ("0011", False), ("0012", True)):
            if revision == "0012":
                upgrade.upgrade(mirror.app.db, now=NOW)
            else:
                upgrade.downgrade(mirror.app.db, revision)
            made = other.execute("SELECT sql FROM sqlite_master WHERE name = 'tasks'").fetchone()[0]
            assert asks_first == ("removed_reason IS NULL OR removed_reason IN (" in made)
            assert refused("nonsense")
            assert not any(map(refused, ("deleted", "unknown", None)))
            assert [("ok",)] == other.execute("PRAGMA integrity_check").fetchall()
    for check in (one for one in tasks.constraints if isinstance(one, CheckConstraint)):
        assert f"CHECK ({check.sqltext})" in made


def test_an_upgrade_leaves_a_view_of_somebody_else_in_place(ready_postgres_url, a_mirror_at):
    mirror = a_mirror_at(ready_postgres_url)
    mirror.pull()
    mirror.execute("CREATE VIEW of_a_dashboard AS SELECT id, name, status FROM tasks")
    upgrade.upgrade(mirror.app.db, now=NOW)
    mirror.pull()
    assert len(mirror.live()) == mirror.value("SELECT count(*) AS n FROM of_a_dashboard")


# --- a backup before an upgrade


@pytest.fixture
def one_more_migration(tmp_path, monkeypatch):
    """A newer release of ours: the shipped migrations, and one that adds a column."""
    import shutil

    folder = tmp_path / "newer" / "migrations"
    shutil.copytree(shipped.path("migrations"), folder)
    head = schema_state_of("", set(), None).head
    (folder / "versions" / f"{NEWER}_one_more.py").write_text(
        f'''"""One more."""

import sqlalchemy as sa
from alembic import op

revision = "{NEWER}"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("projects", sa.Column("one_more", sa.Text()))


def downgrade() -> None:
    op.drop_column("projects", "one_more")
''',
        encoding="utf-8",
    )
    real = shipped.path
    monkeypatch.setattr(
        shipped, "path", lambda name: folder if name == "migrations" else real(name)
    )
    return folder


def test_an_older_file_is_backed_up_and_upgraded_by_itself(a_mirror_at, sqlite_url, request):
    mirror = a_mirror_at(sqlite_url, Account.seeded(tasks=60, seed=1))
    mirror.pull()
    before = dump(sqlite_url)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    assert [] == list(folder.glob("*backup*"))
    request.getfixturevalue("one_more_migration")
    assert "complete" == mirror.pull().outcome  # reads and writes go on with the new column there
    (backup,) = folder.glob("*backup*")
    assert before == dump(f"sqlite:///{backup}")
    with closing(sqlite3.connect(backup)) as copy:
        assert [("ok",)] == copy.execute("PRAGMA integrity_check").fetchall()
        ((version,),) = copy.execute("SELECT version_num FROM alembic_version").fetchall()
    assert NEWER == mirror.value("SELECT version_num FROM alembic_version") != version
    assert oct(backup.stat().st_mode) == oct(
        Path(sqlite_url.removeprefix("sqlite:///")).stat().st_mode
    )
    assert_mirror_equals(mirror)
    mirror.pull()
    assert 1 == len(list(folder.glob("*backup*")))


def test_an_older_server_waits_for_the_word(a_mirror_at, ready_postgres_url, request):
    mirror = a_mirror_at(ready_postgres_url)
    mirror.pull()
    request.getfixturevalue("one_more_migration")
    mirror.box.log.clear()
    with pytest.raises(SchemaMismatch) as caught:
        mirror.pull()
    assert 2 == caught.value.exit_code
    assert "syncd db upgrade" in caught.value.hint
    assert [] == mirror.box.log.actions()
    upgrade.upgrade(mirror.app.db, now=NOW)
    assert "complete" == mirror.pull().outcome


# --- what is not ours


def test_a_newer_schema_is_refused_and_untouched(filled):
    before = dump(filled.database_url)
    filled.execute(f"UPDATE alembic_version SET version_num = '{NEWER}'")
    for write in (True, False):
        with pytest.raises(SchemaMismatch) as caught:
            filled.app.ready(write=write)
        assert 2 == caught.value.exit_code
        assert NEWER in caught.value.message
        assert caught.value.hint
    with pytest.raises(SchemaMismatch):
        upgrade.upgrade(filled.app.db, now=NOW)
    assert before == dump(filled.database_url)


@pytest.mark.parametrize(
    "tables",
    [
        ("CREATE TABLE customers (id integer)",),
        ("CREATE TABLE tasks (id integer)", "CREATE TABLE projects (id integer)"),
        (
            "CREATE TABLE customers (id integer)",
            "CREATE TABLE alembic_version (version_num varchar(32))",
            "INSERT INTO alembic_version VALUES ('0001')",
        ),
    ],
    ids=["a table", "tables of our names", "a version of our name"],
)
def test_the_tables_of_another_program_are_refused_and_untouched(a_mirror_at, database_url, tables):
    mirror = a_mirror_at(database_url)
    for statement in tables:
        mirror.execute(statement)
    before = objects(mirror)
    with pytest.raises(SchemaMismatch) as caught:
        mirror.pull()
    assert 2 == caught.value.exit_code
    assert "not ours" in caught.value.message
    assert before == objects(mirror)
    assert [] == mirror.box.log.actions()


def test_a_schema_of_its_own_lives_beside_the_tables_of_another_program(postgres_url, a_mirror_at):
    mirror = a_mirror_at(postgres_url, schema="work section")
    mirror.execute("CREATE TABLE customers (id integer)")
    assert "complete" == mirror.pull().outcome
    (row,) = mirror.rows('SELECT count(*) AS n FROM "work section".tasks')
    assert row["n"]
    assert 1 == mirror.value("SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'")


# --- the audit log


def test_the_audit_log_refuses_to_be_changed(filled):
    for statement in (
        "UPDATE audit_log SET actor = 'somebody else'",
        "UPDATE audit_log SET seq = seq + 100",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE seq = 1",
    ):
        assert_refused(filled, statement)


def assert_refused(mirror: Mirror, statement: str) -> None:
    before = dump(mirror.database_url, ["audit_log"])
    assert before["audit_log"]
    with (
        connected(mirror.database_url) as connection,
        pytest.raises(Exception, match="append-only"),
    ):
        connection.execute(statement)
    assert before == dump(mirror.database_url, ["audit_log"])


def test_the_audit_log_refuses_a_replacement_on_sqlite(a_mirror_at, ready_sqlite_url):
    same = "SELECT * FROM audit_log WHERE seq = 1"
    assert_refused(fill(a_mirror_at, ready_sqlite_url), f"INSERT OR REPLACE INTO audit_log {same}")


def test_the_audit_log_refuses_what_only_postgresql_knows(a_mirror_at, ready_postgres_url):
    mirror = fill(a_mirror_at, ready_postgres_url)
    same = "SELECT * FROM audit_log WHERE seq = 1"
    changed = "ON CONFLICT (seq) DO UPDATE SET actor = 'somebody else'"
    for statement in ("TRUNCATE audit_log", f"INSERT INTO audit_log {same} {changed}"):
        assert_refused(mirror, statement)


def test_the_audit_chain_holds_by_a_reading_of_its_own(filled):
    """The hash of each row, computed here from what the database gives back."""
    import hashlib
    import json

    query = "SELECT * FROM audit_log ORDER BY seq"
    with connected(filled.database_url) as connection:
        chain = fetched(connection, query)
    assert 3 <= len(chain)
    previous = "0" * 64
    for number, row in enumerate(chain, 1):
        assert (number, previous) == (row["seq"], row["prev_hash"])
        content = {key: value for key, value in row.items() if key != "hash"}
        content["at"] = _in_utc(row["at"]).isoformat(timespec="microseconds")
        detail = row["detail"]
        content["detail"] = json.loads(detail) if isinstance(detail, str) else detail
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == row["hash"]
        previous = row["hash"]


def _in_utc(value: object) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
