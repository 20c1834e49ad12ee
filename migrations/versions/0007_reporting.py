"""Reporting: the views that an analyst reads.

They stand beside in `migrations/sql`, as they were when this migration was made.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
VIEWS = (
    "report_today",
    "task_versions",
    "task_changes",
    "report_tasks",
    "report_open",
    "report_overdue",
    "report_workload",
    "report_projects",
    "report_daily",
    "report_throughput",
    "report_cycle_time",
    "report_tag_time",
    "report_due_slips",
    "report_blocked",
    "report_freshness",
)


def upgrade() -> None:
    """Create the views."""
    # Straight to the driver: the text is full of colons and percent signs.
    connection = op.get_bind().execution_options(no_parameters=True)
    copy = (SQL / f"0007.{connection.dialect.name}.sql").read_text(encoding="utf-8")
    for statement in copy.split("\n--;;\n"):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Take the views away; nothing is stored in them."""
    for name in reversed(VIEWS):
        op.execute(f"DROP VIEW {name}")
