"""The view live_conflicts knows our own former values: what we have sent is not another's edit.

The view and its triggers stand beside in `migrations/sql`; the rest of that copy is as it was.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
VIEW = "live_conflicts"


def upgrade() -> None:
    """Put the view of now in the place of the old one; on a server its grants stay."""
    _put("0008")


def downgrade() -> None:
    """Put the old view back."""
    _put("0005")


def _put(version: str) -> None:
    # Straight to the driver: the text is full of colons and percent signs.
    connection = op.get_bind().execution_options(no_parameters=True)
    dialect = connection.dialect.name
    if dialect == "sqlite":
        connection.exec_driver_sql(f"DROP VIEW {VIEW}")
    copy = (SQL / f"{version}.{dialect}.sql").read_text(encoding="utf-8").split("\n--;;\n")
    for statement in copy:
        if VIEW in statement:
            connection.exec_driver_sql(statement)
