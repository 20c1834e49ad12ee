"""Reporting: the same answers sooner, and numbers without idle zeros.

The views that change stand beside in `migrations/sql`; the others are as 0007 made them, and so are
all the comments.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Put the views of now in the place of the old ones; on a server grants and dependants stay."""
    _run(_copy("0009"))


def downgrade() -> None:
    """Put the old views back."""
    changed = set(map(_head, _copy("0009")))
    _run([statement for statement in _copy("0007") if _head(statement) in changed])


def _copy(version: str) -> list[str]:
    name = f"{version}.{op.get_bind().dialect.name}.sql"
    return (SQL / name).read_text(encoding="utf-8").split("\n--;;\n")


def _head(statement: str) -> str:
    """Return what a statement does to which view, without the columns and the rest."""
    return statement.strip().splitlines()[0].partition(" (")[0]


def _run(statements: list[str]) -> None:
    # Straight to the driver: the text is full of colons and percent signs.
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in statements:
        connection.exec_driver_sql(statement)
