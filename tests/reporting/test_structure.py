"""What a database holds of the views: the frozen copy, explained, and safe for who builds on it."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect

from syncd import shipped
from syncd.store import report
from syncd.store.engine import open_database
from syncd.store.upgrade import upgrade
from tests.reporting.story import NOW
from tests.support.mirror import connected, rows

THEIRS = "CREATE VIEW of_a_dashboard AS SELECT name, days_late FROM report_tasks"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_frozen_sql_is_what_the_program_means(dialect):
    """A change of a view needs a new migration with a copy of its own."""
    copies = sorted((shipped.path("migrations") / "sql").glob(f"*.{dialect}.sql"))
    texts = [one.read_text(encoding="utf-8") for one in copies]
    newest = [text for text in texts if "VIEW report_tasks" in text][-1]
    frozen = [one.strip() for one in newest.split(report.SEPARATOR)]
    assert [one.strip() for one in report.statements(dialect)] == frozen


def test_every_column_of_every_view_is_explained(ready_database_url):
    db = open_database(ready_database_url)
    with db.read() as tx:
        found = inspect(tx)
        for one in report.VIEWS:
            there = [column["name"] for column in found.get_columns(one.name)]
            assert list(one.columns) == there
            assert one.comment
            assert all(one.columns.values())
    db.close()


def test_a_view_of_somebody_else_and_a_grant_survive_an_upgrade_and_a_repeated_create(
    postgres, postgres_url
):
    role = "reader_of_reports"
    db = open_database(postgres_url)
    upgrade(db, now=NOW, revision="0006")
    with connected(postgres_url) as own:
        own.execute("CREATE VIEW of_tasks AS SELECT name FROM tasks")
        own.commit()
    upgrade(db, now=NOW)
    if not rows(postgres_url, f"SELECT 1 AS n FROM pg_roles WHERE rolname = '{role}'"):
        postgres.create_role(role)
    with connected(postgres_url) as own:
        own.execute(THEIRS)
        own.execute(f"GRANT SELECT ON report_tasks TO {role}")
        own.commit()
    with db.write() as tx:
        report.create(tx)
    db.close()
    for name in ("of_tasks", "of_a_dashboard"):
        assert [] == rows(postgres_url, f"SELECT * FROM {name}")
    granted = f"SELECT has_table_privilege('{role}', 'report_tasks', 'SELECT') AS granted"
    assert [{"granted": True}] == rows(postgres_url, granted)
    with connected(postgres_url) as own:
        own.execute(f"REVOKE ALL ON report_tasks FROM {role}")
        own.commit()


def test_a_view_of_somebody_else_survives_a_repeated_create_on_sqlite(ready_sqlite_url):
    with connected(ready_sqlite_url) as own:
        own.execute(THEIRS)
        own.commit()
    db = open_database(ready_sqlite_url)
    with db.write() as tx:
        report.create(tx)
    db.close()
    assert [] == rows(ready_sqlite_url, "SELECT * FROM of_a_dashboard")
