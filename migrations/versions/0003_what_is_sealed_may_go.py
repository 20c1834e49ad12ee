"""What a checkpoint has sealed may go: retention of the audit log and of the outbox's trail.

Everything else is refused as before. The end of the chain is remembered beside it from now on.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
REFUSAL = "audit_log is append-only"
HEAD = "audit_head"
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SQLITE_TRIGGER = "outbox_events_refuses_delete"
POSTGRESQL_TRIGGER = "outbox_events_refuses"

AUDIT_ON_SQLITE = f"""
CREATE TRIGGER audit_log_refuses_delete BEFORE DELETE ON audit_log
WHEN OLD.seq > coalesce((SELECT CASE WHEN a.event = 'audit.pruned'
  THEN json_extract(a.detail, '$.last') END FROM audit_log a ORDER BY a.seq DESC LIMIT 1), 0)
BEGIN
  SELECT RAISE(ABORT, '{REFUSAL}');
END"""
AUDIT_ON_POSTGRESQL = (
    f"""
CREATE FUNCTION audit_log_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sealed bigint;
BEGIN
  EXECUTE format('SELECT CASE WHEN event = ''audit.pruned'' THEN (detail->>''last'')::bigint END'
    ' FROM %I.audit_log ORDER BY seq DESC LIMIT 1', TG_TABLE_SCHEMA) INTO sealed;
  IF EXISTS (SELECT 1 FROM gone WHERE seq > coalesce(sealed, 0)) THEN
    RAISE EXCEPTION '{REFUSAL}';
  END IF;
  RETURN NULL;
END $$""",
    """
CREATE TRIGGER audit_log_keeps AFTER DELETE ON audit_log
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_log_keeps()""",
)


def upgrade() -> None:
    """Let through what is sealed, and remember the end of the chain."""
    _forget_the_end()
    _remember_the_end()
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_log_refuses_delete")
        op.execute(f"DROP TRIGGER {SQLITE_TRIGGER}")
        _run(AUDIT_ON_SQLITE, *_naming("0003.sqlite", SQLITE_TRIGGER))
        return
    _refuse_on_postgresql("UPDATE OR TRUNCATE")
    _run(*AUDIT_ON_POSTGRESQL, *_naming("0003.postgresql", "outbox_events_"))


def downgrade() -> None:
    """Refuse every DELETE again."""
    _forget_the_end()
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_log_refuses_delete")
        op.execute(f"DROP TRIGGER {SQLITE_TRIGGER}")
        op.execute(
            "CREATE TRIGGER audit_log_refuses_delete BEFORE DELETE ON audit_log "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        _run(*_naming("0002.sqlite", SQLITE_TRIGGER))
        return
    for table in ("audit_log", "outbox_events"):
        op.execute(f"DROP TRIGGER {table}_keeps ON {table}")
        op.execute(f"DROP FUNCTION {table}_keeps()")
    _refuse_on_postgresql("UPDATE OR DELETE OR TRUNCATE")
    _run(*_naming("0002.postgresql", POSTGRESQL_TRIGGER))


def _refuse_on_postgresql(verbs: str) -> None:
    op.execute(
        f"CREATE OR REPLACE TRIGGER audit_log_refuses BEFORE {verbs} ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses()"
    )


def _naming(copy: str, name: str) -> list[str]:
    """Return the statements of a frozen copy that make what is named so."""
    frozen = (SQL / f"{copy}.sql").read_text(encoding="utf-8").split("\n--;;\n")
    kinds = ("TRIGGER", "OR REPLACE TRIGGER", "OR REPLACE FUNCTION")
    starts = tuple(f"CREATE {kind} {name}" for kind in kinds)
    return [one for one in frozen if one.lstrip().startswith(starts)]


def _run(*statements: str) -> None:
    """Go straight to the driver: the text is full of colons and percent signs."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in statements:
        connection.exec_driver_sql(statement)


_STATE = sa.table("sync_state", sa.column("name", sa.Text), sa.column("value", DOCUMENT))
_LOG = sa.table("audit_log", sa.column("seq"), sa.column("hash"))


def _forget_the_end() -> None:
    op.get_bind().execute(sa.delete(_STATE).where(_STATE.c.name == HEAD))


def _remember_the_end() -> None:
    tx = op.get_bind()
    newest = sa.select(_LOG.c.seq, _LOG.c.hash).order_by(_LOG.c.seq.desc()).limit(1)
    last = tx.execute(newest).first()
    if last is not None:
        value = {"seq": last.seq, "hash": last.hash}
        tx.execute(sa.insert(_STATE).values(name=HEAD, value=value))
