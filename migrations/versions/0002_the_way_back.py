"""The way back: the outbox, its trail, and live_tasks.

The view, its triggers and the guards of the outbox stand beside in `migrations/sql`, as they were
when this migration was made.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

UNSETTLED = "state NOT IN ('confirmed', 'cancelled')"
STANDING = "operation = 'create' AND state NOT IN ('failed', 'cancelled')"
SQL = Path(__file__).parent.parent / "sql"
FUNCTIONS = (
    "outbox_actor()",
    "outbox_guard()",
    "outbox_trail()",
    "outbox_refuses()",
    "live_tasks_update()",
    "live_tasks_insert()",
    "live_tasks_delete()",
    "live_assignee(text)",
    "live_strangers(text)",
    "live_people(text)",
    "live_tags_amiss(text, text)",
    "live_tag_ids(text)",
    "live_checklist_amiss(text)",
    "live_queue(text, bigint, text, jsonb, jsonb, bigint)",
    "live_mirrored(bigint)",
)


def upgrade() -> None:
    """Create the outbox and the gate into it."""
    op.add_column(
        "tags",
        sa.Column(
            "label",
            sa.Text(),
            nullable=True,
            comment="what live_tasks.tags calls it: its name, or #ID",
        ),
    )
    op.create_index(op.f("ix_tags_label"), "tags", ["label"], unique=False)
    _label_tags()
    _create_outbox()
    op.create_table(
        "outbox_events",
        sa.Column("id", ID, nullable=False, comment="number of the event"),
        sa.Column("change_id", ID, nullable=False, comment="the change, outbox.id"),
        sa.Column("at", INSTANT, nullable=False, comment="when it happened, UTC"),
        sa.Column(
            "from_state", sa.Text(), nullable=True, comment="state before; NULL: it was queued"
        ),
        sa.Column("to_state", sa.Text(), nullable=False, comment="state after"),
        sa.Column(
            "actor",
            sa.Text(),
            nullable=False,
            comment="who did it: sql:USER, cli:USER, daemon, ...",
        ),
        sa.Column(
            "detail",
            DOCUMENT,
            nullable=False,
            comment="what came with it: attempts, error, ...",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
        comment="Everything that happened to each change; append-only, written by the database.",
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_outbox_events_change_id"), "outbox_events", ["change_id"], unique=False
    )
    # Straight to the driver: the text is full of colons and percent signs.
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in _frozen(connection.dialect.name):
        connection.exec_driver_sql(statement)


def _frozen(dialect: str) -> list[str]:
    return (SQL / f"0002.{dialect}.sql").read_text(encoding="utf-8").split("\n--;;\n")


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False, comment="number of the change; a lane goes by it"),
        sa.Column(
            "operation",
            sa.Text(),
            nullable=False,
            comment="create, update, complete or reopen",
        ),
        sa.Column(
            "task_id",
            ID,
            nullable=True,
            comment="the task, tasks.id; NULL until a creation has one",
        ),
        sa.Column(
            "ref",
            sa.Text(),
            nullable=True,
            comment="the writer's name of a creation, and of what depends on it",
        ),
        sa.Column(
            "fields", DOCUMENT, nullable=False, comment="what is wanted, by column of live_tasks"
        ),
        sa.Column("base", DOCUMENT, nullable=False, comment="what the mirror held then, same keys"),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="where the change stands; see the manual"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="how often it was sent"),
        sa.Column(
            "next_attempt_at", INSTANT, nullable=True, comment="not before this instant, UTC"
        ),
        sa.Column(
            "error_code",
            sa.Text(),
            nullable=True,
            comment="code of the last error, the account's or ours",
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="the last error, in words"),
        sa.Column("created_at", INSTANT, nullable=False, comment="when it was queued, UTC"),
        sa.Column(
            "created_by",
            sa.Text(),
            nullable=False,
            comment="who queued it: sql:USER, cli:USER, ...",
        ),
        sa.Column(
            "batch", sa.Text(), nullable=False, comment="what was queued together has the same"
        ),
        sa.Column("sent_at", INSTANT, nullable=True, comment="when it was last sent, UTC"),
        sa.Column("applied_at", INSTANT, nullable=True, comment="when the account said ok, UTC"),
        sa.Column(
            "confirmed_at", INSTANT, nullable=True, comment="when a later read showed it, UTC"
        ),
        sa.Column("depends_on", ID, nullable=True, comment="the creation it waits for, outbox.id"),
        sa.CheckConstraint(
            "operation IN ('create', 'update', 'complete', 'reopen')",
            name=op.f("ck_outbox_operation"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'held', 'sending', 'applied', 'uncertain', 'conflict', 'failed',"
            " 'confirmed', 'cancelled')",
            name=op.f("ck_outbox_state"),
        ),
        sa.CheckConstraint(
            "CASE operation WHEN 'create' THEN ref IS NOT NULL"
            " ELSE task_id IS NOT NULL OR depends_on IS NOT NULL END",
            name=op.f("ck_outbox_target"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        comment="Changes on their way to the account. Queued through live_tasks, moved by syncd"
        " alone.",
        sqlite_autoincrement=True,
    )
    _partial_index("ix_outbox_unsettled", ["task_id", "id"], UNSETTLED)
    _partial_index("uq_outbox_ref", ["ref"], STANDING, unique=True)
    _partial_index(
        "uq_outbox_created", ["task_id"], f"{STANDING} AND task_id IS NOT NULL", unique=True
    )
    op.create_index("ix_outbox_ref", "outbox", ["ref"], unique=False)
    _partial_index("ix_outbox_depends_on", ["depends_on"], "depends_on IS NOT NULL")


def _partial_index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(
        name,
        "outbox",
        columns,
        unique=unique,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _label_tags() -> None:
    """Give every tag its label: its name where that is unique and can stand in a list."""
    tags = sa.table("tags", *map(sa.column, ("id", "name", "removed_at", "label")))
    tx = op.get_bind()
    rows = tx.execute(sa.select(tags.c.id, tags.c.name, tags.c.removed_at)).all()
    names = Counter(row.name for row in rows if row.removed_at is None)
    for row in rows:
        speaks = row.name and row.name == row.name.strip() and not row.name.startswith("#")
        plain = speaks and "," not in row.name and row.removed_at is None and names[row.name] == 1
        label = row.name if plain else f"#{row.id}"
        tx.execute(sa.update(tags).where(tags.c.id == row.id).values(label=label))


def downgrade() -> None:
    """Leave nothing of it; what is still queued is lost."""
    op.execute("DROP VIEW live_tasks")
    op.drop_table("outbox_events")
    op.drop_table("outbox")
    if op.get_bind().dialect.name == "postgresql":
        for function in FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}")
    op.drop_index(op.f("ix_tags_label"), table_name="tags")
    op.drop_column("tags", "label")
