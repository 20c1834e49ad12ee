"""What a database holds of the views: the frozen copy, explained, and safe for who builds on it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import inspect

from syncd import shipped
from syncd.store import report
from syncd.store.engine import open_database
from syncd.store.upgrade import downgrade, upgrade
from tests.reporting.story import NOW
from tests.support.mirror import connected, rows

THEIRS = "CREATE VIEW of_a_dashboard AS SELECT name, days_late FROM report_tasks"
THEIRS_OF_PROJECTS = "CREATE VIEW of_projects AS SELECT project_name, progress FROM report_projects"
_WORD = re.compile(r"\w+")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_frozen_sql_is_what_the_program_means(dialect):
    """A change of a view needs a new migration with a copy of its own, of that view alone."""
    held: dict[str, str] = {}
    for copy in sorted((shipped.path("migrations") / "sql").glob(f"*.{dialect}.sql")):
        text = copy.read_text(encoding="utf-8")
        held |= {_head(one): one.strip() for one in text.split(report.SEPARATOR)}
    ours = {one.name for one in report.VIEWS}
    frozen = {head: text for head, text in held.items() if ours & set(_WORD.findall(head))}
    assert {_head(one): one.strip() for one in report.statements(dialect)} == frozen


def _head(statement: str) -> str:
    """What a statement is about: the newest of those with the same head is what holds."""
    return re.split(r" \(| IS ", statement.strip().splitlines()[0])[0]


@pytest.mark.parametrize("url", ["ready_sqlite_url", "ready_postgres_url"])
def test_the_views_before_the_last_change_come_back_and_go_again(url, request):
    """Down and up, with somebody's view on top: it answers all along."""
    url = request.getfixturevalue(url)
    with connected(url) as own:
        own.execute(THEIRS_OF_PROJECTS)
        own.commit()
    db = open_database(url)
    now = _made(url)
    downgrade(db, "0008")
    before = _made(url)
    assert now != before
    assert [] == rows(url, "SELECT * FROM of_projects")
    upgrade(db, now=NOW)
    db.close()
    assert now == _made(url)
    assert [] == rows(url, "SELECT * FROM of_projects")


def _made(url: str) -> dict[str, str]:
    """The text of each of our views, as the database has it."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'view'"
        if url.startswith("sqlite")
        else "SELECT viewname AS name, definition AS sql FROM pg_views"
        " WHERE schemaname = current_schema()"
    )
    ours = {one.name for one in report.VIEWS}
    return {row["name"]: row["sql"] for row in rows(url, query) if row["name"] in ours}


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
