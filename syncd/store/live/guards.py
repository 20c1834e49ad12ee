"""Triggers on the outbox itself: impossible moves are refused, and everything leaves a trail.

They hold for whoever writes, a person with an SQL prompt included. The list of transitions is that
of `syncd.sync.states`.
"""

from __future__ import annotations

from syncd.store.live.texts import fill, literal
from syncd.store.outbox import UNSETTLED
from syncd.store.trail import PRUNED
from syncd.sync.states import EDITABLE, INITIAL, TRANSITIONS

SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"
"""The form in which an Instant is kept there: UTC, microseconds."""
SQLITE_ACTOR = (
    "coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local')"
)


def words(values: tuple[str, ...]) -> str:
    """Return words as the inside of an SQL list."""
    return ", ".join(f"'{value}'" for value in values)


def _moves() -> str:
    return words(
        tuple(f"{before}>{after}" for before, afters in TRANSITIONS.items() for after in afters)
    )


_DETAIL = ("attempts", "task_id", "error_code", "error", "next_attempt_at")
_SQLITE_DETAIL = (
    "json_patch('{}', json_object("
    + ", ".join(f"'{name}', NEW.{name}" for name in _DETAIL)
    + "))"  # a patch drops what is NULL
)
_POSTGRESQL_DETAIL = (
    "jsonb_strip_nulls(jsonb_build_object("
    + ", ".join(f"'{name}', NEW.{name}" for name in _DETAIL)
    + "))"
)


def guards_on_sqlite() -> list[str]:
    """Return the guards of the outbox and of its trail, for SQLite."""
    return [fill(one, **_parts()) for one in _SQLITE]


def guards_on_postgresql() -> list[str]:
    """Return the guards of the outbox and of its trail, for PostgreSQL."""
    return [fill(one, **_parts()) for one in _POSTGRESQL]


def _parts() -> dict[str, str]:
    texts = ("born", "state", "fields", "identity", "kept", "events")
    return {f"text_{name}": literal(f"outbox_{name}") for name in texts} | {
        "initial": words(INITIAL),
        "editable": words(EDITABLE),
        "moves": _moves(),
        "pruned": f"'{PRUNED}'",
        "unsettled": UNSETTLED,
        "old_unsettled": f"OLD.{UNSETTLED}",
        "now": SQLITE_NOW,
        "actor": SQLITE_ACTOR,
        "sqlite_detail": _SQLITE_DETAIL,
        "postgresql_detail": _POSTGRESQL_DETAIL,
    }


_SQLITE = (
    """
CREATE TRIGGER outbox_born BEFORE INSERT ON outbox
WHEN NEW.state NOT IN (<<initial>>)
BEGIN
  SELECT RAISE(ABORT, <<text_born>>);
END""",
    """
CREATE TRIGGER outbox_moves BEFORE UPDATE ON outbox
BEGIN
  SELECT CASE
    WHEN NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN (<<moves>>)
      THEN RAISE(ABORT, <<text_state>>)
    WHEN (NEW.fields IS NOT OLD.fields OR NEW.base IS NOT OLD.base)
      AND NOT (OLD.state IN (<<editable>>) AND NEW.state IN (<<editable>>))
      THEN RAISE(ABORT, <<text_fields>>)
    WHEN NEW.id IS NOT OLD.id OR NEW.operation IS NOT OLD.operation OR NEW.ref IS NOT OLD.ref
      OR NEW.created_at IS NOT OLD.created_at OR NEW.created_by IS NOT OLD.created_by
      OR (OLD.task_id IS NOT NULL AND NEW.task_id IS NOT OLD.task_id)
      THEN RAISE(ABORT, <<text_identity>>)
  END;
END""",
    """
CREATE TRIGGER outbox_kept BEFORE DELETE ON outbox
WHEN <<old_unsettled>>
  OR EXISTS (SELECT 1 FROM outbox o WHERE o.depends_on = OLD.id AND o.<<unsettled>>)
BEGIN
  SELECT RAISE(ABORT, <<text_kept>>);
END""",
    """
CREATE TRIGGER outbox_queued AFTER INSERT ON outbox
BEGIN
  INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
  VALUES (NEW.id, <<now>>, NULL, NEW.state, NEW.created_by, '{}');
END""",
    """
CREATE TRIGGER outbox_moved AFTER UPDATE ON outbox
WHEN NEW.state <> OLD.state OR NEW.task_id IS NOT OLD.task_id
BEGIN
  INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
  VALUES (NEW.id, <<now>>, OLD.state, NEW.state, <<actor>>, <<sqlite_detail>>);
END""",
    # What it said before stays to be read: a losing value is not forgotten.
    """
CREATE TRIGGER outbox_reworded AFTER UPDATE ON outbox
WHEN NEW.fields IS NOT OLD.fields OR NEW.base IS NOT OLD.base
BEGIN
  INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
  VALUES (NEW.id, <<now>>, OLD.state, NEW.state, <<actor>>,
    json_object('fields', json(OLD.fields), 'base', json(OLD.base)));
END""",
    # Edits of a creation that was pending become edits of its task.
    """
CREATE TRIGGER outbox_created AFTER UPDATE OF task_id ON outbox
WHEN NEW.operation = 'create' AND OLD.task_id IS NULL AND NEW.task_id IS NOT NULL
BEGIN
  UPDATE outbox SET task_id = NEW.task_id
  WHERE depends_on = NEW.id AND operation <> 'create' AND task_id IS NULL;
END""",
    """
CREATE TRIGGER outbox_events_refuses_update BEFORE UPDATE ON outbox_events
BEGIN
  SELECT RAISE(ABORT, <<text_events>>);
END""",
    # Retention alone gets through: the newest audit row says up to where, and it stays the newest
    # for a moment inside that transaction (syncd.services.retention).
    """
CREATE TRIGGER outbox_events_refuses_delete BEFORE DELETE ON outbox_events
WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.id = OLD.change_id)
  OR OLD.id > coalesce((SELECT CASE WHEN a.event = <<pruned>>
    THEN json_extract(a.detail, '$.last') END FROM audit_log a ORDER BY a.seq DESC LIMIT 1), 0)
BEGIN
  SELECT RAISE(ABORT, <<text_events>>);
END""",
)

_POSTGRESQL = (
    # Inside our functions the current user is their owner, so it cannot tell who is there. The
    # setting is believed from the owner alone: an editor shall not sign for others.
    """
CREATE OR REPLACE FUNCTION outbox_actor() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  somebody text := current_setting('role');
BEGIN
  IF somebody = 'none' THEN
    somebody := session_user;
  END IF;
  IF somebody = current_user THEN
    RETURN coalesce(nullif(current_setting('syncd.actor', true), ''), 'sql:' || somebody);
  END IF;
  RETURN 'sql:' || somebody;
END $$""",
    """
CREATE OR REPLACE FUNCTION outbox_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state NOT IN (<<initial>>) THEN
      RAISE EXCEPTION USING MESSAGE = <<text_born>>, ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    IF <<old_unsettled>>
      OR EXISTS (SELECT 1 FROM outbox o WHERE o.depends_on = OLD.id AND o.<<unsettled>>)
    THEN
      RAISE EXCEPTION USING MESSAGE = <<text_kept>>, ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN (<<moves>>) THEN
    RAISE EXCEPTION USING MESSAGE = <<text_state>>, ERRCODE = 'check_violation',
      DETAIL = 'change ' || OLD.id || ': ' || OLD.state || ' to ' || NEW.state;
  END IF;
  IF (NEW.fields IS DISTINCT FROM OLD.fields OR NEW.base IS DISTINCT FROM OLD.base)
    AND NOT (OLD.state IN (<<editable>>) AND NEW.state IN (<<editable>>))
  THEN
    RAISE EXCEPTION USING MESSAGE = <<text_fields>>, ERRCODE = 'check_violation';
  END IF;
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.operation IS DISTINCT FROM OLD.operation
    OR NEW.ref IS DISTINCT FROM OLD.ref OR NEW.created_at IS DISTINCT FROM OLD.created_at
    OR NEW.created_by IS DISTINCT FROM OLD.created_by
    OR (OLD.task_id IS NOT NULL AND NEW.task_id IS DISTINCT FROM OLD.task_id)
  THEN
    RAISE EXCEPTION USING MESSAGE = <<text_identity>>, ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE OR REPLACE FUNCTION outbox_trail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
    VALUES (NEW.id, clock_timestamp(), NULL, NEW.state, NEW.created_by, '{}');
    PERFORM pg_notify('syncd_outbox', current_schema());
    RETURN NULL;
  END IF;
  IF NEW.state <> OLD.state OR NEW.task_id IS DISTINCT FROM OLD.task_id THEN
    INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
    VALUES (NEW.id, clock_timestamp(), OLD.state, NEW.state, outbox_actor(),
      <<postgresql_detail>>);
  END IF;
  -- What it said before stays to be read: a losing value is not forgotten.
  IF NEW.fields IS DISTINCT FROM OLD.fields OR NEW.base IS DISTINCT FROM OLD.base THEN
    INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
    VALUES (NEW.id, clock_timestamp(), OLD.state, NEW.state, outbox_actor(),
      jsonb_build_object('fields', OLD.fields, 'base', OLD.base));
  END IF;
  -- Edits of a creation that was pending become edits of its task.
  IF NEW.operation = 'create' AND OLD.task_id IS NULL AND NEW.task_id IS NOT NULL THEN
    UPDATE outbox SET task_id = NEW.task_id
    WHERE depends_on = NEW.id AND operation <> 'create' AND task_id IS NULL;
  END IF;
  IF NEW.state <> OLD.state AND NEW.state = 'queued' THEN
    PERFORM pg_notify('syncd_outbox', current_schema());
  END IF;
  RETURN NULL;
END $$""",
    """
CREATE OR REPLACE FUNCTION outbox_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation';
END $$""",
    """
CREATE OR REPLACE TRIGGER outbox_guard BEFORE INSERT OR UPDATE OR DELETE ON outbox
FOR EACH ROW EXECUTE FUNCTION outbox_guard()""",
    """
CREATE OR REPLACE TRIGGER outbox_trail AFTER INSERT OR UPDATE ON outbox
FOR EACH ROW EXECUTE FUNCTION outbox_trail()""",
    """
CREATE OR REPLACE TRIGGER outbox_kept BEFORE TRUNCATE ON outbox
FOR EACH STATEMENT EXECUTE FUNCTION outbox_refuses(<<text_kept>>)""",
    """
CREATE OR REPLACE TRIGGER outbox_events_refuses BEFORE UPDATE OR TRUNCATE ON outbox_events
FOR EACH STATEMENT EXECUTE FUNCTION outbox_refuses(<<text_events>>)""",
    # Retention alone gets through: the newest audit row says up to where, and it stays the newest
    # for a moment inside that transaction (syncd.services.retention).
    """
CREATE OR REPLACE FUNCTION outbox_events_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sealed bigint;
  lost bigint;
BEGIN
  EXECUTE format('SELECT CASE WHEN event = %L THEN (detail->>''last'')::bigint END'
    ' FROM %I.audit_log ORDER BY seq DESC LIMIT 1', <<pruned>>, TG_TABLE_SCHEMA) INTO sealed;
  EXECUTE format('SELECT count(*) FROM gone WHERE id > $1'
    ' OR EXISTS (SELECT 1 FROM %I.outbox o WHERE o.id = gone.change_id)', TG_TABLE_SCHEMA)
    INTO lost USING coalesce(sealed, 0);
  IF lost > 0 THEN
    RAISE EXCEPTION USING MESSAGE = <<text_events>>, ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$""",
    """
CREATE OR REPLACE TRIGGER outbox_events_keeps AFTER DELETE ON outbox_events
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION outbox_events_keeps()""",
)
