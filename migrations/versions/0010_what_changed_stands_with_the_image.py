"""What a version of a task changed stands with it, so that task_changes compares nothing.

`task_history.changed` names the fields that the next image has otherwise. For what is there already
the old view tells it. The new view of `migrations/sql` trusts the column, so deleting an image by
hand clears what the one before it says about it.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SAID = "fields the next image has otherwise, as task_changes calls them; NULL: none"
VIEW = "task_changes"
KEYS = {"task_history": "task_id", "tasks": "id"}
"""Where an image can go away, and what the task is called there."""

FILL = """
UPDATE task_history SET changed = c.fields
FROM (SELECT task_id, at, {listed} AS fields FROM task_changes GROUP BY task_id, at) c
WHERE c.task_id = task_history.task_id AND c.at = task_history.valid_to
"""
LISTED = {
    "postgresql": "jsonb_agg(field)",
    "sqlite": """replace(json_group_array(field), '","', '", "')""",
}
FUNCTION = """
CREATE FUNCTION task_history_cleared() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('UPDATE %I.task_history h SET changed = NULL FROM gone g
    WHERE h.task_id = g.%I AND h.valid_to = g.valid_from', TG_TABLE_SCHEMA, TG_ARGV[0]);
  RETURN NULL;
END $$
"""
TRIGGER = {
    "postgresql": """
CREATE TRIGGER {table}_gone AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION task_history_cleared('{key}')
""",
    "sqlite": """
CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
  UPDATE task_history SET changed = NULL
  WHERE task_id = OLD.{key} AND valid_to = OLD.valid_from;
END
""",
}


def upgrade() -> None:
    """Add the column, fill it by the old view, then put the new view in its place."""
    dialect = op.get_bind().dialect.name
    op.add_column("task_history", sa.Column("changed", DOCUMENT, nullable=True, comment=SAID))
    _run([FILL.format(listed=LISTED[dialect])])
    _run(_copy("0010"))
    if dialect == "postgresql":
        _run([FUNCTION])
    _run([TRIGGER[dialect].format(table=table, key=key) for table, key in KEYS.items()])


def downgrade() -> None:
    """Put the view back that compares, and take the column away."""
    on_server = op.get_bind().dialect.name == "postgresql"
    _run([f"DROP TRIGGER {table}_gone" + f" ON {table}" * on_server for table in KEYS])
    if on_server:
        _run(["DROP FUNCTION task_history_cleared()"])
    _run([statement for statement in _copy("0009") if f" {VIEW}" in statement.splitlines()[0]])
    op.drop_column("task_history", "changed")


def _copy(version: str) -> list[str]:
    name = f"{version}.{op.get_bind().dialect.name}.sql"
    return (SQL / name).read_text(encoding="utf-8").split("\n--;;\n")


def _run(statements: list[str]) -> None:
    # Straight to the driver: the text is full of colons and percent signs.
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in statements:
        connection.exec_driver_sql(statement)
