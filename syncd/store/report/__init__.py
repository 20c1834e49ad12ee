"""The reporting views: what an analyst reads, the same on both databases.

They are SQL, generated here for both dialects. What a database holds comes from the frozen copies
in `migrations/sql`; a test keeps the newest copy of each view equal to what is generated, so a
change here needs a migration with a copy of what it changes and of nothing else, as 0009 has one.
Such a migration must not take a view away from those who use it: on PostgreSQL it runs the same
text with CREATE OR REPLACE VIEW, which keeps grants and dependent views and allows new columns at
the end alone; SQLite has neither grants nor dependants by reference, there a view is dropped and
made again. A view that has to change in another way gets a new name first, and the old one stays
for a release.
"""

from __future__ import annotations

from sqlalchemy import Connection

from syncd.store.report.blocked import BLOCKED
from syncd.store.report.changes import CHANGES
from syncd.store.report.dialect import SEPARATOR
from syncd.store.report.flow import FLOW
from syncd.store.report.freshness import FRESHNESS
from syncd.store.report.people import PEOPLE
from syncd.store.report.projects import PROJECTS
from syncd.store.report.tasks import TASKS
from syncd.store.report.today import TODAY
from syncd.store.report.versions import VERSIONS
from syncd.store.report.view import View

__all__ = ["SEPARATOR", "VIEWS", "View", "create", "drop", "statements"]

VIEWS: tuple[View, ...] = (
    TODAY,
    *VERSIONS,
    *CHANGES,
    *TASKS,
    *PEOPLE,
    *PROJECTS,
    *FLOW,
    *BLOCKED,
    *FRESHNESS,
)
"""In the order of creation: a view may read those before it."""


def statements(dialect: str) -> list[str]:
    """Return everything that makes the views on this dialect, or replaces them, in order."""
    if dialect == "sqlite":
        return [text for one in VIEWS for text in _on_sqlite(one)]
    return [text for one in VIEWS for text in _on_postgresql(one)]


def create(connection: Connection) -> None:
    """Make the views, or replace those that are there: dependants and grants stay."""
    run(connection, statements(connection.dialect.name))


def drop(connection: Connection) -> None:
    """Take the views away, the last one first."""
    run(connection, [f"DROP VIEW {one.name}" for one in reversed(VIEWS)])


def run(connection: Connection, texts: list[str]) -> None:
    """Go straight to the driver: the texts are full of colons and percent signs."""
    plain = connection.execution_options(no_parameters=True)
    for one in texts:
        plain.exec_driver_sql(one)


def _on_sqlite(one: View) -> list[str]:
    columns = ", ".join(one.columns)
    return [
        f"DROP VIEW IF EXISTS {one.name}",
        f"CREATE VIEW {one.name} ({columns}) AS\n{one.sql['sqlite']}",
    ]


def _on_postgresql(one: View) -> list[str]:
    columns = ", ".join(one.columns)
    return [
        f"CREATE OR REPLACE VIEW {one.name} ({columns}) AS\n{one.sql['postgresql']}",
        f"COMMENT ON VIEW {one.name} IS {_literal(one.comment)}",
        *(
            f"COMMENT ON COLUMN {one.name}.{column} IS {_literal(said)}"
            for column, said in one.columns.items()
        ),
    ]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
