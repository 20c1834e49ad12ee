"""The INSTEAD OF triggers on PostgreSQL.

The functions run with the rights of their owner, so that an editor needs rights on the view alone,
and with a search path that nobody else can put objects into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncd.store.live import rules
from syncd.store.live.columns import COLUMNS, COMMENTS
from syncd.store.live.rules import Rule, changed
from syncd.store.live.texts import fill, literal
from syncd.store.outbox import STANDING

_HELPERS = (
    # An assignee in its canonical form: lower case, or ANY, or NOONE for nobody.
    """
CREATE OR REPLACE FUNCTION live_assignee(email text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE WHEN email IS NULL THEN 'NOONE'
    WHEN upper(btrim(email)) IN ('ANY', 'NOONE') THEN upper(btrim(email))
    ELSE lower(btrim(email)) END;
END $$""",
    """
CREATE OR REPLACE FUNCTION live_tag_ids(tags text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(i.id ORDER BY i.id), '[]') FROM (
    SELECT DISTINCT CASE WHEN btrim(e) ~ '^#[0-9]{1,18}$' THEN substr(btrim(e), 2)::bigint
      ELSE (SELECT g.id FROM tags g WHERE g.label = btrim(e) AND g.removed_at IS NULL) END AS id
    FROM string_to_array(live_tag_ids.tags, ',') a, unnest(a) e WHERE btrim(e) <> '') i
$$""",
    # Only labels that are added are asked about: a task keeps what it has.
    """
CREATE OR REPLACE FUNCTION live_tags_amiss(wanted text, had text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE
      WHEN bool_or(NOT i.known) THEN 'unknown'
      WHEN bool_or(i.removed) THEN 'removed' END
  FROM (
    SELECT EXISTS (SELECT 1 FROM tags g
        WHERE left(e.label, 1) = '#' AND '#' || g.id = e.label
          OR g.label = e.label AND g.removed_at IS NULL) AS known,
      EXISTS (SELECT 1 FROM tags g
        WHERE '#' || g.id = e.label AND g.removed_at IS NOT NULL) AS removed
    FROM (SELECT btrim(l) FROM unnest(string_to_array(wanted, ',')) l
      EXCEPT SELECT btrim(l) FROM unnest(string_to_array(had, ',')) l) e (label)
    WHERE e.label <> '') i
$$""",
    """
CREATE OR REPLACE FUNCTION live_people(emails text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(i.email ORDER BY i.email COLLATE "C") FROM (
    SELECT DISTINCT lower(btrim(e)) AS email
    FROM unnest(string_to_array(emails, ',')) e WHERE btrim(e) <> '') i
$$""",
    """
CREATE OR REPLACE FUNCTION live_strangers(emails text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM jsonb_array_elements_text(live_people(emails)) e
    WHERE NOT EXISTS (SELECT 1 FROM members m
      WHERE m.email = e AND m.kind = 'person' AND m.removed_at IS NULL))
$$""",
    """
CREATE OR REPLACE FUNCTION live_checklist_amiss(checklist text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
  items jsonb;
BEGIN
  items := checklist::jsonb;
  RETURN jsonb_typeof(items) <> 'array'
    OR EXISTS (SELECT 1 FROM jsonb_array_elements(
      CASE jsonb_typeof(items) WHEN 'array' THEN items ELSE '[]' END) i
      WHERE jsonb_typeof(i) <> 'string');
EXCEPTION WHEN data_exception THEN
  RETURN true;
END $$""",
    """
CREATE OR REPLACE FUNCTION live_queue(
  operation text, task_id bigint, ref text, fields jsonb, base jsonb, depends_on bigint
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  VALUES ($1, $2, $3, $4, $5, 'queued', 0, clock_timestamp(), outbox_actor(),
    to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS') || '-' || pg_current_xact_id(), $6)
  ON CONFLICT (ref) WHERE <<standing>> DO NOTHING
$$""",
    # The mirror's row, in the form in which values are queued.
    """
CREATE OR REPLACE FUNCTION live_mirrored(task_id bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('name', t.name, 'status', t.status, 'priority', t.priority,
    'assignee_email', coalesce(m.email, 'NOONE'), 'date_start', t.date_start,
    'date_end', t.date_end, 'date_closed', t.date_closed::date,
    'max_time', trim_scale(t.max_time), 'max_money', trim_scale(t.max_money),
    'tags', (SELECT coalesce(jsonb_agg(l.tag_id ORDER BY l.tag_id), '[]')
      FROM task_tags l WHERE l.task_id = t.id))
  FROM tasks t LEFT JOIN members m ON m.id = t.assignee_id WHERE t.id = $1
$$""",
)

_UPDATE = """
CREATE OR REPLACE FUNCTION live_tasks_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $body$
DECLARE
  wanted jsonb := '{}';
  seen jsonb := '{}';
  known jsonb;
  creation outbox;
  task bigint := OLD.id;
  ref text;
BEGIN
  <<rules>>
  <<values>>
  IF wanted = '{}' THEN
    RETURN NEW;
  END IF;
  IF OLD.id IS NULL THEN
    SELECT * INTO creation FROM outbox c WHERE c.ref = OLD.ref AND c.operation = 'create'
      AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1;
    task := creation.task_id;
    ref := OLD.ref;
    -- What the account gives a new task by itself, and what the creation says.
    known := '{"name": null, "status": "active", "priority": 1, "assignee_email": "NOONE",
      "date_start": null, "date_end": null, "date_closed": null, "max_time": null,
      "max_money": null, "tags": []}'::jsonb || creation.fields;
    SELECT jsonb_object_agg(e.key, e.value) INTO seen FROM jsonb_each(known) e
      WHERE wanted ? e.key;
  ELSIF OLD.sync_state <> 'synced' THEN
    -- Only what lies under a pending change is read anew: of the rest the statement has seen the
    -- mirror's values, and a pull that landed meanwhile must not move the base past them.
    known := live_mirrored(OLD.id);
    SELECT seen || coalesce(jsonb_object_agg(e.key, e.value), '{}') INTO seen
      FROM jsonb_each(known) e
      WHERE wanted ? e.key AND EXISTS (SELECT 1 FROM outbox o WHERE o.task_id = OLD.id
        AND o.state NOT IN ('confirmed', 'cancelled') AND o.fields ? e.key);
  END IF;
  IF wanted ->> 'status' = 'active' THEN
    PERFORM live_queue('reopen', task, ref, jsonb_build_object('status', wanted -> 'status'),
      jsonb_build_object('status', seen -> 'status'), creation.id);
  END IF;
  -- A date_closed that comes with done goes last: completing sets that date itself.
  IF wanted ->> 'status' = 'done' AND wanted ? 'date_closed' THEN
    PERFORM live_queue('complete', task, ref, jsonb_build_object('status', wanted -> 'status'),
      jsonb_build_object('status', seen -> 'status'), creation.id);
  END IF;
  IF wanted - 'status' <> '{}' THEN
    PERFORM live_queue('update', task, ref, wanted - 'status', seen - 'status', creation.id);
  END IF;
  IF wanted ->> 'status' = 'done' AND NOT wanted ? 'date_closed' THEN
    PERFORM live_queue('complete', task, ref, jsonb_build_object('status', wanted -> 'status'),
      jsonb_build_object('status', seen -> 'status'), creation.id);
  END IF;
  RETURN NEW;
END $body$"""

_INSERT = """
CREATE OR REPLACE FUNCTION live_tasks_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $body$
DECLARE
  creation outbox;
  parent_task bigint;
  parent_project bigint;
  parent_level integer;
  parent_status text;
BEGIN
  NEW.ref := nullif(NEW.ref, '');
  IF EXISTS (SELECT 1 FROM outbox p WHERE p.ref = NEW.ref AND <<standing>>) THEN
    RETURN NEW;
  END IF;
  SELECT * INTO creation FROM outbox p WHERE p.ref = NEW.parent_ref AND <<standing>>;
  parent_task := coalesce(NEW.parent_id, creation.task_id);
  IF parent_task IS NOT NULL THEN
    SELECT t.project_id, t.level, coalesce((SELECT o.fields ->> 'status' FROM outbox o
        WHERE o.task_id = t.id AND o.state NOT IN ('confirmed', 'cancelled')
          AND o.state <> 'failed' AND o.fields ? 'status'
        ORDER BY o.id DESC LIMIT 1), t.status)
      INTO parent_project, parent_level, parent_status
      FROM tasks t WHERE t.id = parent_task AND t.removed_at IS NULL;
    creation := NULL;
  ELSE
    parent_project := (creation.fields ->> 'project_id')::bigint;
    parent_level := (creation.fields ->> 'level')::integer;
  END IF;
  <<rules>>
  NEW.ref := coalesce(NEW.ref,
    'new-' || left(replace(gen_random_uuid()::text, '-', ''), 16));
  NEW.project_id := coalesce(NEW.project_id, parent_project);
  NEW.level := coalesce(parent_level, 0) + 1;
  PERFORM live_queue('create', NULL, NEW.ref, jsonb_strip_nulls(jsonb_build_object(
      'project_id', NEW.project_id,
      'parent_id', parent_task,
      'parent_ref', CASE WHEN creation.id IS NOT NULL THEN NEW.parent_ref END,
      'level', NEW.level,
      'name', NEW.name,
      'priority', NEW.priority,
      'text', nullif(NEW.text, ''),
      'date_start', NEW.date_start,
      'date_end', NEW.date_end,
      'max_time', trim_scale(round(NEW.max_time, 4)),
      'max_money', trim_scale(round(NEW.max_money, 4)),
      'assignee_email', CASE WHEN NEW.assignee_email IS NOT NULL THEN
        live_assignee(NEW.assignee_email) END,
      'author_email', lower(btrim(NEW.author_email)),
      'tags', nullif(live_tag_ids(NEW.tags), '[]'),
      'checklist', NEW.checklist::jsonb,
      'subscribers', live_people(NEW.subscribers),
      'hidden', live_people(NEW.hidden),
      'mentions', live_people(NEW.mentions))),
    '{}', creation.id);
  NEW.status := 'active';
  NEW.sync_state := 'queued';
  RETURN NEW;
END $body$"""

_DELETE = """
CREATE OR REPLACE FUNCTION live_tasks_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = <<delete>>, ERRCODE = 'check_violation';
END $$"""

_TRIGGER = """
CREATE OR REPLACE TRIGGER live_tasks_<<verb>> INSTEAD OF <<verb>> ON live_tasks
FOR EACH ROW EXECUTE FUNCTION live_tasks_<<verb>>()"""

_PIN = """
DO $$
DECLARE
  one regprocedure;
  definer boolean;
BEGIN
  FOR one, definer IN SELECT p.oid, p.prosecdef FROM pg_proc p
    WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
      AND p.proname IN (<<names>>)
  LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION ' || one || ' FROM PUBLIC';
    IF definer THEN
      EXECUTE 'ALTER FUNCTION ' || one || ' SET search_path TO '
        || quote_ident(current_schema()) || ', pg_temp';
    END IF;
  END LOOP;
END $$"""
"""A definer's function must not find a caller's tables; the helpers it calls are nobody else's."""


SAYS = "The mirror with the pending changes over it. INSERT and UPDATE queue changes."

_FUNCTIONS = (
    *("outbox_guard", "outbox_trail", "outbox_refuses", "outbox_actor"),
    *("live_tasks_update", "live_tasks_insert", "live_tasks_delete", "live_assignee"),
    *("live_tag_ids", "live_tags_amiss", "live_people", "live_strangers"),
    *("live_checklist_amiss", "live_queue", "live_mirrored"),
)


def triggers_on_postgresql() -> list[str]:
    """Return the functions and triggers of the gate, and the comments of the view."""
    standing = {"standing": STANDING}
    named = {"standing": f"p.{STANDING.replace('state', 'p.state')}"}
    return [
        *(fill(one, **standing) for one in _HELPERS),
        fill(_UPDATE, rules=_refusals(rules.UPDATE), values="\n  ".join(_values())),
        fill(
            _INSERT,
            rules=_refusals(
                rules.INSERT,
                parent_project="parent_project",
                parent_level="parent_level",
                parent_status="parent_status",
            ),
            **named,
        ),
        fill(_DELETE, delete=literal("delete")),
        *(fill(_TRIGGER, verb=verb) for verb in ("update", "insert", "delete")),
        pinned(*_FUNCTIONS),
        *described("live_tasks", SAYS, COMMENTS),
    ]


def pinned(*functions: str) -> str:
    """Return the statement that keeps functions to their own schema, and to nobody's call."""
    return fill(_PIN, names=", ".join(f"'{name}'" for name in functions))


def described(view: str, says: str, columns: Mapping[str, str]) -> list[str]:
    """Return the comments of a view and of its columns."""
    said = {f"VIEW {view}": says} | {
        f"COLUMN {view}.{name}": comment for name, comment in columns.items()
    }
    return [
        f"COMMENT ON {what} IS '" + comment.replace("'", "''") + "'"
        for what, comment in said.items()
    ]


def _refusals(all_rules: Sequence[Rule], **parts: str) -> str:
    written = fill("\n  ".join(_refusal(rule) for rule in all_rules if rule.postgresql), **parts)
    for name in COLUMNS:
        written = written.replace(f"<<changed {name}>>", changed(name, "postgresql"))
    return written


def _refusal(rule: Rule) -> str:
    # Nested, because a condition with a subquery costs ten times one without.
    row = "NEW" if rule in rules.INSERT else "OLD"
    raised = (
        f"RAISE EXCEPTION USING MESSAGE = {literal(rule.text)}, ERRCODE = 'check_violation',\n"
        f"      DETAIL = coalesce('task ' || {row}.id, 'task with the ref ' || {row}.ref,"
        " 'a new task');"
    )
    test = f"IF ({rule.postgresql}) THEN\n    {raised}\n  END IF;"
    return f"IF {rule.when} THEN {test} END IF;" if rule.when else test


def _values() -> list[str]:
    """Return what fills `wanted` and `seen`, for each column that can be set."""
    plain = {name: (f"NEW.{name}", f"OLD.{name}") for name in ("name", "status", "priority")}
    plain |= {name: (f"NEW.{name}", f"OLD.{name}") for name in ("date_start", "date_end")}
    plain["date_closed"] = ("NEW.date_closed::date", "OLD.date_closed::date")
    plain["assignee_email"] = (
        "live_assignee(NEW.assignee_email)",
        "live_assignee(OLD.assignee_email)",
    )
    for name in ("max_time", "max_money"):
        plain[name] = (f"trim_scale(round(NEW.{name}, 4))", f"trim_scale(OLD.{name})")
    plain["tags"] = ("live_tag_ids(NEW.tags)", "live_tag_ids(OLD.tags)")
    return [_one_value(name, new, old) for name, (new, old) in plain.items()]


def _one_value(name: str, new: str, old: str) -> str:
    guard = changed(name, "postgresql")
    filled = (
        f"wanted := wanted || jsonb_build_object('{name}', {new});"
        f"\n    seen := seen || jsonb_build_object('{name}', {old});"
    )
    if new.startswith("NEW.") and "::" not in new:
        return f"IF {guard} THEN\n    {filled}\n  END IF;"
    return (
        f"IF {guard} THEN IF ({new}) IS DISTINCT FROM ({old}) THEN\n    {filled}\n  END IF; END IF;"
    )
