"""The daemon: a heartbeat in the lease, who did what, what is wrong, a call when one queues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)

CALL = """
CREATE FUNCTION outbox_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('syncd_queued', TG_TABLE_SCHEMA);
  RETURN NULL;
END $$"""
CALLERS = (
    """
CREATE TRIGGER outbox_events_calls AFTER INSERT ON outbox_events FOR EACH ROW
WHEN (NEW.to_state = 'queued' AND NEW.actor <> 'daemon') EXECUTE FUNCTION outbox_calls()""",
    """
CREATE TRIGGER outbox_choices_calls AFTER INSERT OR UPDATE ON outbox_choices
FOR EACH STATEMENT EXECUTE FUNCTION outbox_calls()""",
)


def upgrade() -> None:
    """Make room for what the daemon keeps."""
    op.add_column(
        "lease",
        sa.Column(
            "heartbeat_at", INSTANT, comment="last sign of life of the holder, UTC, server's clock"
        ),
    )
    op.add_column(
        "lease",
        sa.Column("resume_at", INSTANT, comment="the account asked not to be asked before, UTC"),
    )
    _activity()
    _incidents()
    if op.get_bind().dialect.name == "postgresql":
        for statement in (CALL, *CALLERS):
            op.execute(statement)


def _activity() -> None:
    op.create_table(
        "activity",
        sa.Column("id", ID, nullable=False, comment="number of the row, in the order we saw them"),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="hash of the event as sent"),
        sa.Column(
            "action", sa.Text(), nullable=False, comment="post, update, close, reopen or delete"
        ),
        sa.Column("entity", sa.Text(), nullable=False, comment="task, project or comment"),
        sa.Column("entity_id", ID, nullable=False, comment="the account's number of it"),
        sa.Column("task_id", ID, comment="the task it is about, tasks.id"),
        sa.Column("project_id", ID, comment="its project, projects.id"),
        sa.Column("member_id", ID, comment="who did it, members.id"),
        sa.Column("member_name", sa.Text(), comment="who did it, as named then"),
        sa.Column(
            "date_added",
            sa.DateTime(),
            nullable=False,
            comment="when, the account's wall clock, to the minute",
        ),
        sa.Column("at", INSTANT, comment="when, UTC; NULL unless account.timezone is set"),
        sa.Column("new", DOCUMENT, comment="the changed fields after, as sent"),
        sa.Column("old", DOCUMENT, comment="the changed fields before, as sent"),
        sa.Column("seen_at", INSTANT, nullable=False, comment="when we first saw it, UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_activity_fingerprint")),
        comment="Who did what in the account and when, as its change feed tells; a hint, no proof.",
    )
    op.create_index(op.f("ix_activity_task_id"), "activity", ["task_id"], unique=False)
    op.create_index(op.f("ix_activity_date_added"), "activity", ["date_added"], unique=False)


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", ID, nullable=False, comment="number of the incident"),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="what kind of trouble; see the runbook"
        ),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="what it is about; empty: the whole"
        ),
        sa.Column("severity", sa.Text(), nullable=False, comment="warning or problem"),
        sa.Column("summary", sa.Text(), nullable=False, comment="what is wrong, in words"),
        sa.Column("remedy", sa.Text(), nullable=False, comment="what a person can do about it"),
        sa.Column("opened_at", INSTANT, nullable=False, comment="when it was first seen, UTC"),
        sa.Column("closed_at", INSTANT, comment="when it was seen solved, UTC; NULL: still open"),
        sa.Column("told_open_at", INSTANT, comment="when people were told of it, UTC"),
        sa.Column("told_closed_at", INSTANT, comment="when people were told that it is over, UTC"),
        sa.CheckConstraint(
            "severity IN ('warning', 'problem')", name=op.f("ck_incidents_severity")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        comment="What is or was wrong. An incident closes by itself once it is solved.",
    )
    still = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_incidents_open",
        "incidents",
        ["kind", "subject"],
        unique=True,
        sqlite_where=still,
        postgresql_where=still,
    )
    op.create_index(op.f("ix_incidents_opened_at"), "incidents", ["opened_at"], unique=False)


def downgrade() -> None:
    """Forget what the daemon kept."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER outbox_events_calls ON outbox_events")
        op.execute("DROP TRIGGER outbox_choices_calls ON outbox_choices")
        op.execute("DROP FUNCTION outbox_calls()")
    op.drop_table("incidents")
    op.drop_table("activity")
    for column in ("resume_at", "heartbeat_at"):
        op.drop_column("lease", column)
