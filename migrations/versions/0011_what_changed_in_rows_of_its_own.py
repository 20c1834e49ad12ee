"""What changed in a task stands in rows of its own: field, both values, and who did it if told.

`task_history.changed` named the fields only, so the view task_changes looked both values up, and
asked the account's feed for the author, for each of them. `task_history_fields` is filled by the
inner part of that view (`migrations/sql`, 0011.fill). Deleting an image by hand takes the changes
from it and to it along. `task_versions` is the same sooner, on PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TABLE = "task_history_fields"
SAID = "fields the next image has otherwise, as task_changes calls them; NULL: none"
VIEWS = {"task_changes": "0010", "report_due_slips": "0009", "task_versions": "0007"}
"""The views that change, and where their texts of before are."""
KEYS = {"task_history": "task_id", "tasks": "id"}
"""Where an image can go away, and what the task is called there."""

FUNCTION = """
CREATE FUNCTION task_history_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('{does}', TG_TABLE_SCHEMA, TG_ARGV[0]);
  RETURN NULL;
END $$
"""
FORGETS = """DELETE FROM %I.task_history_fields c USING gone g
    WHERE c.task_id = g.%I AND g.valid_from IN (c.at, c.valid_from)"""
CLEARS = """UPDATE %I.task_history h SET changed = NULL FROM gone g
    WHERE h.task_id = g.%I AND h.valid_to = g.valid_from"""
TRIGGER = """
CREATE TRIGGER {table}_gone AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION task_history_{name}('{key}')
"""
FORGETS_ON_SQLITE = """
CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
  DELETE FROM task_history_fields
  WHERE task_id = OLD.{key} AND OLD.valid_from IN (at, valid_from);
END
"""
CLEARS_ON_SQLITE = """
CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
  UPDATE task_history SET changed = NULL
  WHERE task_id = OLD.{key} AND valid_to = OLD.valid_from;
END
"""
FILL_BACK = """
UPDATE task_history SET changed = c.fields
FROM (SELECT task_id, valid_from, {listed} AS fields FROM task_history_fields
  GROUP BY task_id, valid_from) c
WHERE c.task_id = task_history.task_id AND c.valid_from = task_history.valid_from
"""
LISTED = {
    "postgresql": "jsonb_agg(field)",
    "sqlite": """replace(json_group_array(field), '","', '", "')""",
}


def upgrade() -> None:
    """Make the table, fill it by the view of before, then put the new views in place."""
    _make_table()
    _run(_copy("0011.fill"))
    op.create_index(op.f("ix_task_history_fields_at"), TABLE, ["at"])
    _run(_copy("0011"))
    _drop_triggers("cleared")
    op.drop_column("task_history", "changed")
    _make_triggers("forgotten", FORGETS, FORGETS_ON_SQLITE)


def downgrade() -> None:
    """Put the column and the views back that look the values up."""
    _drop_triggers("forgotten")
    op.add_column("task_history", sa.Column("changed", DOCUMENT, nullable=True, comment=SAID))
    _run([FILL_BACK.format(listed=LISTED[op.get_bind().dialect.name])])
    for view, version in VIEWS.items():
        copied = _copy(version)
        _run([statement for statement in copied if f" {view}" in statement.splitlines()[0]])
    op.drop_table(TABLE)
    _make_triggers("cleared", CLEARS, CLEARS_ON_SQLITE)


def _make_table() -> None:
    op.create_table(
        TABLE,
        sa.Column("task_id", ID, nullable=False, comment="the task, tasks.id"),
        sa.Column(
            "valid_from", INSTANT, nullable=False, comment="its past image, by its valid_from"
        ),
        sa.Column("field", sa.Text(), nullable=False, comment="what the next image has otherwise"),
        sa.Column("at", INSTANT, nullable=False, comment="when that was first seen, UTC"),
        sa.Column(
            "old", sa.Text(), comment="the value before, as text; members and tags by their ids"
        ),
        sa.Column(
            "new", sa.Text(), comment="the value after, as text; members and tags by their ids"
        ),
        sa.Column("author", sa.Text(), comment="who did it, as named then; NULL: not known"),
        sa.Column("author_id", ID, comment="who did it, members.id; NULL: not known"),
        sa.Column("run_id", ID, nullable=False, comment="the run that saw it, sync_runs.id"),
        sa.PrimaryKeyConstraint(
            "task_id", "valid_from", "field", name=op.f("pk_task_history_fields")
        ),
        comment="What each past image and the next one differ in, field by field:"
        " see task_changes.",
    )


def _make_triggers(name: str, does: str, on_sqlite: str) -> None:
    on_server = op.get_bind().dialect.name == "postgresql"
    if on_server:
        _run([FUNCTION.format(name=name, does=does)])
    text = TRIGGER if on_server else on_sqlite
    _run([text.format(table=table, key=key, name=name) for table, key in KEYS.items()])


def _drop_triggers(name: str) -> None:
    on_server = op.get_bind().dialect.name == "postgresql"
    _run([f"DROP TRIGGER {table}_gone" + f" ON {table}" * on_server for table in KEYS])
    if on_server:
        _run([f"DROP FUNCTION task_history_{name}()"])


def _copy(version: str) -> list[str]:
    name = f"{version}.{op.get_bind().dialect.name}.sql"
    return (SQL / name).read_text(encoding="utf-8").split("\n--;;\n")


def _run(statements: list[str]) -> None:
    # Straight to the driver: the text is full of colons and percent signs.
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in statements:
        connection.exec_driver_sql(statement)
