"""The mirror and its bookkeeping."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
AMOUNT = sa.Numeric()
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

REFUSAL = "audit_log is append-only"


def upgrade() -> None:
    """Create the mirror, its history and the bookkeeping."""
    op.create_table(
        "audit_log",
        sa.Column(
            "seq", ID, autoincrement=False, nullable=False, comment="place in the chain, from 1"
        ),
        sa.Column("at", INSTANT, nullable=False, comment="when it was written, UTC"),
        sa.Column("run_id", ID, nullable=True, comment="the run it belongs to"),
        sa.Column(
            "actor",
            sa.Text(),
            nullable=False,
            comment="who caused it: account, cli:USER, daemon, ...",
        ),
        sa.Column("event", sa.Text(), nullable=False, comment="what happened: noun.past_verb"),
        sa.Column("entity", sa.Text(), nullable=True, comment="kind of the record it is about"),
        sa.Column("entity_id", ID, nullable=True, comment="id of the record it is about"),
        sa.Column(
            "detail", DOCUMENT, nullable=False, comment="the values that explain the decision"
        ),
        sa.Column(
            "prev_hash",
            sa.Text(),
            nullable=False,
            comment="hash of the row before; 64 zeros at first",
        ),
        sa.Column(
            "hash", sa.Text(), nullable=False, comment="SHA-256 over this row and prev_hash, hex"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_log")),
        comment="Append-only, hash-chained record of every decision; the database refuses changes.",
    )
    op.create_index(
        op.f("ix_audit_log_entity_entity_id"), "audit_log", ["entity", "entity_id"], unique=False
    )
    op.create_table(
        "files",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="the account's number"),
        sa.Column(
            "task_id", ID, nullable=False, comment="the task whose description holds it, tasks.id"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="file name"),
        sa.Column("size", ID, nullable=True, comment="size in bytes"),
        sa.Column("page", sa.Text(), nullable=False, comment="download path in the account"),
        sa.Column("url", sa.Text(), nullable=False, comment="download address in the account"),
        sa.Column(
            "removed_at",
            INSTANT,
            nullable=True,
            comment="when the removal was established, UTC; NULL: live",
        ),
        sa.Column(
            "removed_reason",
            sa.Text(),
            nullable=True,
            comment="the evidence behind the removal, in one word",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        comment="Files of task descriptions: what they are, not their bytes.",
    )
    op.create_index(op.f("ix_files_task_id"), "files", ["task_id"], unique=False)
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False, comment="what the lease is for: account"),
        sa.Column(
            "holder",
            sa.Text(),
            nullable=True,
            comment="process and host that hold it; NULL: nobody",
        ),
        sa.Column("fencing", sa.Integer(), nullable=False, comment="grows with every holder"),
        sa.Column("acquired_at", INSTANT, nullable=True, comment="when the holder got it, UTC"),
        sa.Column(
            "last_request_at",
            INSTANT,
            nullable=True,
            comment="start of the last request, when given back, UTC",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
        comment="The right to talk to the account, one holder at a time.",
    )
    op.create_table(
        "members",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="the account's number"),
        sa.Column(
            "email", sa.Text(), nullable=False, comment="address in lower case, or ANY, or NOONE"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="full name, as shown"),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="person, anyone (ANY) or nobody (NOONE)"
        ),
        sa.Column("first_name", sa.Text(), nullable=True, comment="first name; NULL until known"),
        sa.Column("last_name", sa.Text(), nullable=True, comment="last name; NULL until known"),
        sa.Column("title", sa.Text(), nullable=True, comment="position"),
        sa.Column("role", sa.Text(), nullable=True, comment="role in the account, lower case"),
        sa.Column("group_name", sa.Text(), nullable=True, comment="team or company"),
        sa.Column("department", sa.Text(), nullable=True, comment="department"),
        sa.Column(
            "in_catalogue",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="whether get_users showed it; a deactivated user is not shown",
        ),
        sa.Column(
            "removed_at",
            INSTANT,
            nullable=True,
            comment="when the removal was established, UTC; NULL: live",
        ),
        sa.Column(
            "removed_reason",
            sa.Text(),
            nullable=True,
            comment="the evidence behind the removal, in one word",
        ),
        sa.CheckConstraint("kind IN ('person', 'anyone', 'nobody')", name=op.f("ck_members_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        comment="Members of the account, the deactivated ones that tasks still name included.",
    )
    op.create_table(
        "projects",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="the account's number"),
        sa.Column("name", sa.Text(), nullable=False, comment="title"),
        sa.Column("page", sa.Text(), nullable=False, comment="path of its page in the account"),
        sa.Column("url", sa.Text(), nullable=False, comment="address of its page in the account"),
        sa.Column(
            "status",
            sa.Text(),
            nullable=True,
            comment="active, pending or archive; NULL until known",
        ),
        sa.Column(
            "folder",
            sa.Text(),
            nullable=True,
            comment="the folder (company) it stands in; NULL until known",
        ),
        sa.Column(
            "manager_id",
            ID,
            nullable=True,
            comment="its manager, members.id; 0 is the account's nobody",
        ),
        sa.Column("author_id", ID, nullable=True, comment="who created it, members.id"),
        sa.Column(
            "date_added", sa.DateTime(), nullable=True, comment="created, the account's wall clock"
        ),
        sa.Column("date_start", sa.Date(), nullable=True, comment="start date, as shown"),
        sa.Column("date_end", sa.Date(), nullable=True, comment="due date, as shown"),
        sa.Column(
            "date_closed",
            sa.DateTime(),
            nullable=True,
            comment="closed, wall clock; can linger on an active one",
        ),
        sa.Column("max_time", AMOUNT, nullable=True, comment="estimate in hours"),
        sa.Column("max_money", AMOUNT, nullable=True, comment="estimate in the account's currency"),
        sa.Column(
            "extra",
            DOCUMENT,
            nullable=True,
            comment="fields of the answer that have no column, as sent",
        ),
        sa.Column(
            "in_catalogue",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="whether get_projects showed it",
        ),
        sa.Column(
            "removed_at",
            INSTANT,
            nullable=True,
            comment="when the removal was established, UTC; NULL: live",
        ),
        sa.Column(
            "removed_reason",
            sa.Text(),
            nullable=True,
            comment="the evidence behind the removal, in one word",
        ),
        sa.CheckConstraint(
            "status IN ('active', 'pending', 'archive')", name=op.f("ck_projects_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        comment="Projects of the account.",
    )
    op.create_table(
        "pull_slices",
        sa.Column(
            "project_id",
            ID,
            autoincrement=False,
            nullable=False,
            comment="the project of this slice",
        ),
        sa.Column(
            "scope", sa.Text(), nullable=False, comment="fingerprint of what the pull asked for"
        ),
        sa.Column("observed_at", INSTANT, nullable=False, comment="read before the request, UTC"),
        sa.Column(
            "parts", sa.LargeBinary(), nullable=False, comment="the answers as fetched, compressed"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_pull_slices")),
        comment="Checkpoints of a pull that goes project by project; empty when none is under way.",
    )
    op.create_table(
        "quarantine",
        sa.Column("id", ID, nullable=False, comment="number of the row"),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="what the record should have been: task, ..."
        ),
        sa.Column(
            "record_id", sa.Text(), nullable=True, comment="its id, as far as it could be read"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it could not be understood"),
        sa.Column(
            "raw", sa.Text(), nullable=False, comment="the record as the account sent it, JSON"
        ),
        sa.Column(
            "seen_at", INSTANT, nullable=False, comment="when it was first seen in this form, UTC"
        ),
        sa.Column("run_id", ID, nullable=True, comment="the run that saw it first"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        comment="Records of an answer that could not be understood; their last good version stays.",
    )
    op.create_index(
        op.f("ix_quarantine_kind_record_id"), "quarantine", ["kind", "record_id"], unique=False
    )
    op.create_table(
        "sync_runs",
        sa.Column("id", ID, nullable=False, comment="number of the run, in the order they ended"),
        sa.Column("kind", sa.Text(), nullable=False, comment="pull, push, ..."),
        sa.Column(
            "scope",
            sa.Text(),
            nullable=False,
            comment="what the run covered: account, projects, ...",
        ),
        sa.Column("started_at", INSTANT, nullable=False, comment="when it began, UTC"),
        sa.Column("finished_at", INSTANT, nullable=False, comment="when it ended, UTC"),
        sa.Column(
            "observed_at",
            INSTANT,
            nullable=True,
            comment="the account was as mirrored at this instant, UTC",
        ),
        sa.Column("outcome", sa.Text(), nullable=False, comment="complete, partial or failed"),
        sa.Column(
            "counts", DOCUMENT, nullable=False, comment="what was read, written and asked, counted"
        ),
        sa.Column(
            "detail", DOCUMENT, nullable=False, comment="what a partial run did not cover, and why"
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="what went wrong, in words"),
        sa.CheckConstraint(
            "outcome IN ('complete', 'partial', 'failed')", name=op.f("ck_sync_runs_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
        comment="One row for each pull or push, with its outcome; only a complete one is green.",
    )
    op.create_index(
        op.f("ix_sync_runs_kind_finished_at"), "sync_runs", ["kind", "finished_at"], unique=False
    )
    op.create_table(
        "sync_state",
        sa.Column("name", sa.Text(), nullable=False, comment="what is remembered"),
        sa.Column("value", DOCUMENT, nullable=True, comment="its value"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sync_state")),
        comment="What syncd remembers between runs: the account, the last answer's hash.",
    )
    op.create_table(
        "tags",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="the account's number"),
        sa.Column("name", sa.Text(), nullable=False, comment="name; not unique"),
        sa.Column("group_id", ID, nullable=True, comment="its group; NULL until known"),
        sa.Column("group_name", sa.Text(), nullable=True, comment="name of its group"),
        sa.Column("type", sa.Text(), nullable=True, comment="status or label, as its group says"),
        sa.Column(
            "access", sa.Text(), nullable=True, comment="public or private, as its group says"
        ),
        sa.Column(
            "in_catalogue",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="whether get_task_tags showed it",
        ),
        sa.Column(
            "removed_at",
            INSTANT,
            nullable=True,
            comment="when the removal was established, UTC; NULL: live",
        ),
        sa.Column(
            "removed_reason",
            sa.Text(),
            nullable=True,
            comment="the evidence behind the removal, in one word",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        comment="Task tags, which is also how the account keeps its statuses.",
    )
    op.create_table(
        "task_history",
        sa.Column("task_id", ID, nullable=False, comment="the task, tasks.id"),
        sa.Column("project_id", ID, nullable=False, comment="its project, projects.id"),
        sa.Column(
            "parent_id", ID, nullable=True, comment="the task it is a subtask of; NULL at the top"
        ),
        sa.Column(
            "level", sa.SmallInteger(), nullable=False, comment="1 task, 2 subtask, 3 sub-subtask"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="title"),
        sa.Column("page", sa.Text(), nullable=False, comment="path of its page in the account"),
        sa.Column("url", sa.Text(), nullable=False, comment="address of its page in the account"),
        sa.Column("status", sa.Text(), nullable=False, comment="active or done"),
        sa.Column("priority", sa.SmallInteger(), nullable=False, comment="0 to 10"),
        sa.Column("author_id", ID, nullable=True, comment="who created it, members.id"),
        sa.Column(
            "assignee_id",
            ID,
            nullable=True,
            comment="who is responsible, members.id; ANY and NOONE are rows",
        ),
        sa.Column(
            "text",
            sa.Text(),
            nullable=True,
            comment="description; NULL unless pull.extra asks for text or html",
        ),
        sa.Column(
            "date_added", sa.DateTime(), nullable=True, comment="created, the account's wall clock"
        ),
        sa.Column(
            "added_at",
            INSTANT,
            nullable=True,
            comment="created, UTC; NULL unless account.timezone is set",
        ),
        sa.Column("date_start", sa.Date(), nullable=True, comment="start date, as shown"),
        sa.Column("time_start", sa.Time(), nullable=True, comment="start time of day, as shown"),
        sa.Column("date_end", sa.Date(), nullable=True, comment="due date, as shown"),
        sa.Column("time_end", sa.Time(), nullable=True, comment="due time of day, as shown"),
        sa.Column(
            "date_closed",
            sa.DateTime(),
            nullable=True,
            comment="completed, the account's wall clock",
        ),
        sa.Column(
            "closed_at",
            INSTANT,
            nullable=True,
            comment="completed, UTC; NULL unless account.timezone is set",
        ),
        sa.Column("max_time", AMOUNT, nullable=True, comment="estimate in hours"),
        sa.Column("max_money", AMOUNT, nullable=True, comment="estimate in the account's currency"),
        sa.Column(
            "extra",
            DOCUMENT,
            nullable=True,
            comment="fields of the answer that have no column, as sent",
        ),
        sa.Column("valid_from", INSTANT, nullable=False, comment="this image was first seen, UTC"),
        sa.Column(
            "removed_at",
            INSTANT,
            nullable=True,
            comment="when the removal was established, UTC; NULL: live",
        ),
        sa.Column(
            "removed_reason",
            sa.Text(),
            nullable=True,
            comment="the evidence behind the removal, in one word",
        ),
        sa.Column("tags", DOCUMENT, nullable=False, comment="ids of its tags then, sorted"),
        sa.Column("relations", DOCUMENT, nullable=False, comment="relations it reported then"),
        sa.Column("valid_to", INSTANT, nullable=False, comment="a newer image was seen, UTC"),
        sa.Column("run_id", ID, nullable=False, comment="the run that saw it change, sync_runs.id"),
        sa.PrimaryKeyConstraint("task_id", "valid_from", name=op.f("pk_task_history")),
        comment="Past images of tasks: how a task stood from valid_from until valid_to.",
    )
    op.create_index(op.f("ix_task_history_run_id"), "task_history", ["run_id"], unique=False)
    op.create_index(op.f("ix_task_history_valid_to"), "task_history", ["valid_to"], unique=False)
    op.create_table(
        "task_relations",
        sa.Column(
            "from_task_id", ID, nullable=False, comment="the task that comes first, tasks.id"
        ),
        sa.Column("to_task_id", ID, nullable=False, comment="the task that waits for it, tasks.id"),
        sa.Column("type", sa.Text(), nullable=False, comment="finish-to-start or start-to-start"),
        sa.Column(
            "reported_by_from", sa.Integer(), nullable=False, comment="1: the first task reports it"
        ),
        sa.Column(
            "reported_by_to", sa.Integer(), nullable=False, comment="1: the waiting task reports it"
        ),
        sa.CheckConstraint(
            "type IN ('finish-to-start', 'start-to-start')", name=op.f("ck_task_relations_type")
        ),
        sa.PrimaryKeyConstraint(
            "from_task_id", "to_task_id", "type", name=op.f("pk_task_relations")
        ),
        comment="Dependencies between tasks, one row an edge, whichever end reported it.",
    )
    op.create_index(
        op.f("ix_task_relations_to_task_id"), "task_relations", ["to_task_id"], unique=False
    )
    op.create_table(
        "task_tags",
        sa.Column("task_id", ID, nullable=False, comment="the task, tasks.id"),
        sa.Column("tag_id", ID, nullable=False, comment="the tag, tags.id"),
        sa.PrimaryKeyConstraint("task_id", "tag_id", name=op.f("pk_task_tags")),
        comment="Which task has which tag.",
    )
    op.create_index(op.f("ix_task_tags_tag_id"), "task_tags", ["tag_id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="the account's number"),
        sa.Column("project_id", ID, nullable=False, comment="its project, projects.id"),
        sa.Column(
            "parent_id", ID, nullable=True, comment="the task it is a subtask of; NULL at the top"
        ),
        sa.Column(
            "level", sa.SmallInteger(), nullable=False, comment="1 task, 2 subtask, 3 sub-subtask"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="title"),
        sa.Column("page", sa.Text(), nullable=False, comment="path of its page in the account"),
        sa.Column("url", sa.Text(), nullable=False, comment="address of its page in the account"),
        sa.Column("status", sa.Text(), nullable=False, comment="active or done"),
        sa.Column("priority", sa.SmallInteger(), nullable=False, comment="0 to 10"),
        sa.Column("author_id", ID, nullable=True, comment="who created it, members.id"),
        sa.Column(
            "assignee_id",
            ID,
            nullable=True,
            comment="who is responsible, members.id; ANY and NOONE are rows",
        ),
        sa.Column(
            "text",
            sa.Text(),
            nullable=True,
            comment="description; NULL unless pull.extra asks for text or html",
        ),
        sa.Column(
            "date_added", sa.DateTime(), nullable=True, comment="created, the account's wall clock"
        ),
        sa.Column(
            "added_at",
            INSTANT,
            nullable=True,
            comment="created, UTC; NULL unless account.timezone is set",
        ),
        sa.Column("date_start", sa.Date(), nullable=True, comment="start date, as shown"),
        sa.Column("time_start", sa.Time(), nullable=True, comment="start time of day, as shown"),
        sa.Column("date_end", sa.Date(), nullable=True, comment="due date, as shown"),
        sa.Column("time_end", sa.Time(), nullable=True, comment="due time of day, as shown"),
        sa.Column(
            "date_closed",
            sa.DateTime(),
            nullable=True,
            comment="completed, the account's wall clock",
        ),
        sa.Column(
            "closed_at",
            INSTANT,
            nullable=True,
            comment="completed, UTC; NULL unless account.timezone is set",
        ),
        sa.Column("max_time", AMOUNT, nullable=True, comment="estimate in hours"),
        sa.Column("max_money", AMOUNT, nullable=True, comment="estimate in the account's currency"),
        sa.Column(
            "extra",
            DOCUMENT,
            nullable=True,
            comment="fields of the answer that have no column, as sent",
        ),
        sa.Column("valid_from", INSTANT, nullable=False, comment="this image was first seen, UTC"),
        sa.Column(
            "removed_at",
            INSTANT,
            nullable=True,
            comment="when the removal was established, UTC; NULL: live",
        ),
        sa.Column(
            "removed_reason",
            sa.Text(),
            nullable=True,
            comment="the evidence behind the removal, in one word",
        ),
        sa.Column(
            "suspect_at",
            INSTANT,
            nullable=True,
            comment="since when it is missing without evidence, UTC",
        ),
        sa.Column(
            "observed_at", INSTANT, nullable=False, comment="when what stands here was read, UTC"
        ),
        sa.Column(
            "content_hash",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="hash of the record as read",
        ),
        sa.CheckConstraint(
            "removed_reason IN ('deleted', 'archived', 'out_of_reach', 'out_of_scope', 'unknown')",
            name=op.f("ck_tasks_removed_reason"),
        ),
        sa.CheckConstraint("status IN ('active', 'done')", name=op.f("ck_tasks_status")),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_tasks_level")),
        sa.CheckConstraint("priority BETWEEN 0 AND 10", name=op.f("ck_tasks_priority")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        comment="Every task, subtask and sub-subtask: the account's last confirmed state.",
    )
    op.create_index(op.f("ix_tasks_assignee_id"), "tasks", ["assignee_id"], unique=False)
    op.create_index(op.f("ix_tasks_date_end"), "tasks", ["date_end"], unique=False)
    op.create_index(op.f("ix_tasks_parent_id"), "tasks", ["parent_id"], unique=False)
    op.create_index(op.f("ix_tasks_project_id"), "tasks", ["project_id"], unique=False)
    _guard_audit_log()


def _guard_audit_log() -> None:
    """Let the database itself refuse a change of the audit log."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_log_refuses_{verb.lower()} BEFORE {verb} ON audit_log "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        # INSERT OR REPLACE deletes without a word to a trigger (sqlite.org/lang_conflict.html).
        op.execute(
            "CREATE TRIGGER audit_log_refuses_replace BEFORE INSERT ON audit_log "
            "WHEN EXISTS (SELECT 1 FROM audit_log WHERE seq = NEW.seq) "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_refuses BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses()"
    )


def downgrade() -> None:
    """Leave nothing of it."""
    op.drop_index(op.f("ix_tasks_project_id"), table_name="tasks")
    op.drop_index(op.f("ix_tasks_parent_id"), table_name="tasks")
    op.drop_index(op.f("ix_tasks_date_end"), table_name="tasks")
    op.drop_index(op.f("ix_tasks_assignee_id"), table_name="tasks")
    op.drop_table("tasks")
    op.drop_index(op.f("ix_task_tags_tag_id"), table_name="task_tags")
    op.drop_table("task_tags")
    op.drop_index(op.f("ix_task_relations_to_task_id"), table_name="task_relations")
    op.drop_table("task_relations")
    op.drop_index(op.f("ix_task_history_valid_to"), table_name="task_history")
    op.drop_index(op.f("ix_task_history_run_id"), table_name="task_history")
    op.drop_table("task_history")
    op.drop_table("tags")
    op.drop_table("sync_state")
    op.drop_index(op.f("ix_sync_runs_kind_finished_at"), table_name="sync_runs")
    op.drop_table("sync_runs")
    op.drop_index(op.f("ix_quarantine_kind_record_id"), table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_table("pull_slices")
    op.drop_table("projects")
    op.drop_table("members")
    op.drop_table("lease")
    op.drop_index(op.f("ix_files_task_id"), table_name="files")
    op.drop_table("files")
    op.drop_index(op.f("ix_audit_log_entity_entity_id"), table_name="audit_log")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_log_refuses()")
