"""Conflicts resolved by SQL: the view live_conflicts, and what was chosen through it.

The view and its triggers stand beside in `migrations/sql`; the rest of that copy is as it was.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
VIEW = "live_conflicts"
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make room for choices, and show what there is to choose."""
    op.create_table(
        "outbox_choices",
        sa.Column("change_id", ID, nullable=False, comment="the change in conflict, outbox.id"),
        sa.Column("field", sa.Text(), nullable=False, comment="the field, a column of live_tasks"),
        sa.Column("keep", sa.Text(), nullable=False, comment="whose value stands: mine or theirs"),
        sa.Column(
            "theirs",
            sa.Text(),
            nullable=True,
            comment="what the account showed then; the choice is about this value",
        ),
        sa.Column(
            "chosen_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it was chosen, UTC",
        ),
        sa.Column("chosen_by", sa.Text(), nullable=False, comment="who chose it: sql:USER"),
        sa.CheckConstraint("keep IN ('mine', 'theirs')", name=op.f("ck_outbox_choices_keep")),
        sa.PrimaryKeyConstraint("change_id", "field", name=op.f("pk_outbox_choices")),
        comment="Choices about conflicts, made through live_conflicts; the next push applies them.",
    )
    # Straight to the driver: the text is full of colons and percent signs.
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in _frozen(connection.dialect.name):
        connection.exec_driver_sql(statement)


def _frozen(dialect: str) -> list[str]:
    """Return what the copy has of the view; everything else in it is there already."""
    copy = (SQL / f"0005.{dialect}.sql").read_text(encoding="utf-8").split("\n--;;\n")
    return [statement for statement in copy if VIEW in statement]


def downgrade() -> None:
    """Leave the conflicts to the command; what was chosen and not applied is lost."""
    op.execute(f"DROP VIEW {VIEW}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {VIEW}_update()")
    op.drop_table("outbox_choices")
