"""A row of tasks without a reason of its removal is not checked against the list of reasons.

SQLite builds the list anew for every row that it compares with it, which cost a first mirror a
fifth of its writing. The constraint means the same as before, so what is on disk stays, and only
its text in the schema changes: the way that sqlite.org/lang_altertable.html, section 7, gives for
that. A server plans the list once and keeps its constraint.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import OperationalError

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = "CHECK (removed_reason IN ("
AFTER = "CHECK (removed_reason IS NULL OR removed_reason IN ("


CHANGE = sa.text(
    "UPDATE sqlite_master SET sql = replace(sql, :old, :new)"
    " WHERE type = 'table' AND name = 'tasks'"
)


def upgrade() -> None:
    """Look at the list only where there is a reason."""
    _replace(BEFORE, AFTER)


def downgrade() -> None:
    """Look at the list always."""
    _replace(AFTER, BEFORE)


def _replace(old: str, new: str) -> None:
    tx = op.get_bind()
    if tx.dialect.name != "sqlite":
        return
    version = tx.exec_driver_sql("PRAGMA schema_version").scalar_one()
    tx.exec_driver_sql("PRAGMA writable_schema = ON")
    try:
        tx.execute(CHANGE, {"old": old, "new": new})
        tx.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")  # everybody reads it anew
    except OperationalError as error:
        if "may not be modified" not in str(error):
            raise  # else it is a SQLite that guards its schema, and keeps what means the same
    finally:
        tx.exec_driver_sql("PRAGMA writable_schema = RESET")  # it would outlive a rollback
