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
END $$
--;;
CREATE OR REPLACE FUNCTION outbox_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state NOT IN ('queued', 'held') THEN
      RAISE EXCEPTION USING MESSAGE = 'A change begins as queued or held. Queue it through live_tasks.', ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    IF OLD.state NOT IN ('confirmed', 'cancelled')
      OR EXISTS (SELECT 1 FROM outbox o WHERE o.depends_on = OLD.id AND o.state NOT IN ('confirmed', 'cancelled'))
    THEN
      RAISE EXCEPTION USING MESSAGE = 'A change that is not settled, or that another one waits for, cannot be deleted. Cancel it: syncd queue cancel ID', ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ('queued>sending', 'queued>held', 'queued>conflict', 'queued>confirmed', 'queued>failed', 'queued>cancelled', 'held>queued', 'held>cancelled', 'sending>applied', 'sending>confirmed', 'sending>queued', 'sending>conflict', 'sending>uncertain', 'sending>failed', 'applied>confirmed', 'applied>conflict', 'applied>failed', 'uncertain>applied', 'uncertain>confirmed', 'uncertain>queued', 'uncertain>conflict', 'uncertain>failed', 'conflict>queued', 'conflict>applied', 'conflict>confirmed', 'conflict>cancelled', 'failed>queued', 'failed>cancelled') THEN
    RAISE EXCEPTION USING MESSAGE = 'A change cannot go from its state to that one. See: syncd queue --help', ERRCODE = 'check_violation',
      DETAIL = 'change ' || OLD.id || ': ' || OLD.state || ' to ' || NEW.state;
  END IF;
  IF (NEW.fields IS DISTINCT FROM OLD.fields OR NEW.base IS DISTINCT FROM OLD.base)
    AND NOT (OLD.state IN ('queued', 'held', 'conflict') AND NEW.state IN ('queued', 'held', 'conflict'))
  THEN
    RAISE EXCEPTION USING MESSAGE = 'What a change says cannot be altered once it was sent. Queue another change through live_tasks.', ERRCODE = 'check_violation';
  END IF;
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.operation IS DISTINCT FROM OLD.operation
    OR NEW.ref IS DISTINCT FROM OLD.ref OR NEW.created_at IS DISTINCT FROM OLD.created_at
    OR NEW.created_by IS DISTINCT FROM OLD.created_by
    OR (OLD.task_id IS NOT NULL AND NEW.task_id IS DISTINCT FROM OLD.task_id)
  THEN
    RAISE EXCEPTION USING MESSAGE = 'What a change is about, and who queued it, cannot be altered. Queue another change through live_tasks.', ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
--;;
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
      jsonb_strip_nulls(jsonb_build_object('attempts', NEW.attempts, 'task_id', NEW.task_id, 'error_code', NEW.error_code, 'error', NEW.error, 'next_attempt_at', NEW.next_attempt_at)));
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
END $$
--;;
CREATE OR REPLACE FUNCTION outbox_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation';
END $$
--;;
CREATE OR REPLACE TRIGGER outbox_guard BEFORE INSERT OR UPDATE OR DELETE ON outbox
FOR EACH ROW EXECUTE FUNCTION outbox_guard()
--;;
CREATE OR REPLACE TRIGGER outbox_trail AFTER INSERT OR UPDATE ON outbox
FOR EACH ROW EXECUTE FUNCTION outbox_trail()
--;;
CREATE OR REPLACE TRIGGER outbox_kept BEFORE TRUNCATE ON outbox
FOR EACH STATEMENT EXECUTE FUNCTION outbox_refuses('A change that is not settled, or that another one waits for, cannot be deleted. Cancel it: syncd queue cancel ID')
--;;
CREATE OR REPLACE TRIGGER outbox_events_refuses BEFORE UPDATE OR TRUNCATE ON outbox_events
FOR EACH STATEMENT EXECUTE FUNCTION outbox_refuses('outbox_events is append-only: what happened stays to be read.')
--;;
CREATE OR REPLACE FUNCTION outbox_events_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sealed bigint;
  lost bigint;
BEGIN
  EXECUTE format('SELECT CASE WHEN event = %L THEN (detail->>''last'')::bigint END'
    ' FROM %I.audit_log ORDER BY seq DESC LIMIT 1', 'outbox.pruned', TG_TABLE_SCHEMA) INTO sealed;
  EXECUTE format('SELECT count(*) FROM gone WHERE id > $1'
    ' OR EXISTS (SELECT 1 FROM %I.outbox o WHERE o.id = gone.change_id)', TG_TABLE_SCHEMA)
    INTO lost USING coalesce(sealed, 0);
  IF lost > 0 THEN
    RAISE EXCEPTION USING MESSAGE = 'outbox_events is append-only: what happened stays to be read.', ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
--;;
CREATE OR REPLACE TRIGGER outbox_events_keeps AFTER DELETE ON outbox_events
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION outbox_events_keeps()
--;;
CREATE OR REPLACE VIEW live_tasks (id, ref, project_id, parent_id, parent_ref, level, name, status, priority, author_email, assignee_email, text, date_added, date_start, date_end, date_closed, max_time, max_money, tags, url, sync_state, sync_error, checklist, subscribers, hidden, mentions) AS
SELECT
  k.id,
  k.ref,
  k.project_id,
  k.parent_id,
  k.parent_ref,
  k.level,
  k.name,
  k.status,
  k.priority,
  coalesce(k.author_email, a.email),
  coalesce(k.assignee_email, b.email),
  k.text,
  k.date_added,
  k.date_start,
  k.date_end,
  k.date_closed,
  k.max_time,
  k.max_money,
  CASE WHEN k.tags IS NULL THEN h.tags ELSE nullif(k.tags, '') END,
  k.url,
  k.sync_state,
  k.sync_error,
  NULL::text,
  NULL::text,
  NULL::text,
  NULL::text
FROM (
  SELECT t.id, m.ref, t.project_id, t.parent_id, NULL::text AS parent_ref, t.level, t.name,
    t.status, t.priority::integer AS priority, t.author_id, NULL::text AS author_email,
    t.assignee_id, NULL::text AS assignee_email, t.text, t.date_added, t.date_start, t.date_end,
    t.date_closed, t.max_time, t.max_money, NULL::text AS tags, t.url,
    'synced' AS sync_state, NULL::text AS sync_error
  FROM tasks t
  LEFT JOIN outbox m ON m.task_id = t.id AND m.operation = 'create' AND m.state NOT IN ('failed', 'cancelled')
  WHERE t.removed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.task_id = t.id AND o.state NOT IN ('confirmed', 'cancelled'))
  UNION ALL
  SELECT n.task_id, m.ref, t.project_id, t.parent_id, NULL, t.level, CASE WHEN f.fields ? 'name' THEN (f.fields ->> 'name') ELSE t.name END,
    CASE WHEN f.fields ? 'status' THEN (f.fields ->> 'status') ELSE t.status END, CASE WHEN f.fields ? 'priority' THEN (f.fields ->> 'priority')::integer ELSE t.priority::integer END, t.author_id, NULL,
    t.assignee_id, coalesce(f.fields ->> 'assignee_email', b.email), t.text, t.date_added,
    CASE WHEN f.fields ? 'date_start' THEN (f.fields ->> 'date_start')::date ELSE t.date_start END,
    CASE WHEN f.fields ? 'date_end' THEN (f.fields ->> 'date_end')::date ELSE t.date_end END,
    CASE WHEN f.fields ? 'date_closed' THEN (f.fields ->> 'date_closed')::timestamp ELSE t.date_closed END,
    CASE WHEN f.fields ? 'max_time' THEN (f.fields ->> 'max_time')::numeric(18,4) ELSE t.max_time END,
    CASE WHEN f.fields ? 'max_money' THEN (f.fields ->> 'max_money')::numeric(18,4) ELSE t.max_money END,
    CASE WHEN f.fields ? 'tags' THEN (SELECT coalesce(string_agg(coalesce(g.label, '#' || e.id), ','
      ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C"), '')
    FROM jsonb_array_elements_text(f.fields -> 'tags') e (id)
    LEFT JOIN tags g ON g.id = e.id::bigint) END, t.url, s.state, s.error
  FROM outbox n
  CROSS JOIN LATERAL (SELECT * FROM tasks t
    WHERE t.id = n.task_id AND t.removed_at IS NULL OFFSET 0) t
  LEFT JOIN outbox m ON m.task_id = n.task_id AND m.operation = 'create' AND m.state NOT IN ('failed', 'cancelled')
  LEFT JOIN members b ON b.id = t.assignee_id
  CROSS JOIN LATERAL (SELECT jsonb_object_agg(e.key, e.value ORDER BY o.id) AS fields
    FROM outbox o, jsonb_each(o.fields) e WHERE o.task_id = n.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed') f
  CROSS JOIN LATERAL (SELECT s.state, s.error FROM outbox s
    WHERE s.task_id = n.task_id AND s.state NOT IN ('confirmed', 'cancelled') ORDER BY CASE s.state WHEN 'conflict' THEN 0 WHEN 'failed' THEN 1 WHEN 'uncertain' THEN 2 WHEN 'held' THEN 3 WHEN 'sending' THEN 4 WHEN 'queued' THEN 5 WHEN 'applied' THEN 6 END, s.id DESC LIMIT 1) s
  WHERE n.task_id IS NOT NULL AND n.state NOT IN ('confirmed', 'cancelled')
    AND NOT EXISTS (SELECT 1 FROM outbox o
      WHERE o.task_id = n.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.id > n.id)
  UNION ALL
  SELECT NULL, c.ref, (c.fields ->> 'project_id')::bigint,
    coalesce((c.fields ->> 'parent_id')::bigint, p.task_id), c.fields ->> 'parent_ref',
    (c.fields ->> 'level')::smallint, f.fields ->> 'name',
    coalesce(f.fields ->> 'status', 'active'), coalesce((f.fields ->> 'priority')::integer, 1),
    NULL, f.fields ->> 'author_email', NULL, f.fields ->> 'assignee_email',
    f.fields ->> 'text', NULL, (f.fields ->> 'date_start')::date,
    (f.fields ->> 'date_end')::date, (f.fields ->> 'date_closed')::timestamp,
    (f.fields ->> 'max_time')::numeric(18,4), (f.fields ->> 'max_money')::numeric(18,4),
    (SELECT coalesce(string_agg(coalesce(g.label, '#' || e.id), ','
      ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C"), '')
    FROM jsonb_array_elements_text(f.fields -> 'tags') e (id)
    LEFT JOIN tags g ON g.id = e.id::bigint), NULL, c.state, c.error
  FROM outbox c
  LEFT JOIN outbox p ON p.id = c.depends_on
  CROSS JOIN LATERAL (SELECT jsonb_object_agg(e.key, e.value ORDER BY o.id) AS fields
    FROM outbox o, jsonb_each(o.fields) e WHERE o.ref = c.ref AND (o.id = c.id OR o.depends_on = c.id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed')) f
  WHERE c.task_id IS NULL AND c.state NOT IN ('confirmed', 'cancelled') AND c.operation = 'create'
    AND NOT (c.state = 'failed' AND EXISTS (SELECT 1 FROM outbox o
      WHERE o.ref = c.ref AND o.operation = 'create' AND o.id > c.id AND o.state <> 'cancelled'))
) k
LEFT JOIN members a ON a.id = k.author_id
LEFT JOIN members b ON b.id = k.assignee_id
LEFT JOIN (
  SELECT t.id, t.project_id,
    string_agg(coalesce(g.label, '#' || l.tag_id), ',' ORDER BY coalesce(g.label, '#' || l.tag_id)
      COLLATE "C") AS tags
  FROM tasks t
  JOIN task_tags l ON l.task_id = t.id
  LEFT JOIN tags g ON g.id = l.tag_id
  GROUP BY t.id
) h ON h.id = k.id AND h.project_id = k.project_id
--;;
CREATE OR REPLACE FUNCTION live_assignee(email text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE WHEN email IS NULL THEN 'NOONE'
    WHEN upper(btrim(email)) IN ('ANY', 'NOONE') THEN upper(btrim(email))
    ELSE lower(btrim(email)) END;
END $$
--;;
CREATE OR REPLACE FUNCTION live_tag_ids(tags text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(i.id ORDER BY i.id), '[]') FROM (
    SELECT DISTINCT CASE WHEN btrim(e) ~ '^#[0-9]{1,18}$' THEN substr(btrim(e), 2)::bigint
      ELSE (SELECT g.id FROM tags g WHERE g.label = btrim(e) AND g.removed_at IS NULL) END AS id
    FROM string_to_array(live_tag_ids.tags, ',') a, unnest(a) e WHERE btrim(e) <> '') i
$$
--;;
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
$$
--;;
CREATE OR REPLACE FUNCTION live_people(emails text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(i.email ORDER BY i.email COLLATE "C") FROM (
    SELECT DISTINCT lower(btrim(e)) AS email
    FROM unnest(string_to_array(emails, ',')) e WHERE btrim(e) <> '') i
$$
--;;
CREATE OR REPLACE FUNCTION live_strangers(emails text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM jsonb_array_elements_text(live_people(emails)) e
    WHERE NOT EXISTS (SELECT 1 FROM members m
      WHERE m.email = e AND m.kind = 'person' AND m.removed_at IS NULL))
$$
--;;
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
END $$
--;;
CREATE OR REPLACE FUNCTION live_queue(
  operation text, task_id bigint, ref text, fields jsonb, base jsonb, depends_on bigint
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  VALUES ($1, $2, $3, $4, $5, 'queued', 0, clock_timestamp(), outbox_actor(),
    to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS') || '-' || pg_current_xact_id(), $6)
  ON CONFLICT (ref) WHERE operation = 'create' AND state NOT IN ('failed', 'cancelled') DO NOTHING
$$
--;;
CREATE OR REPLACE FUNCTION live_mirrored(task_id bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('name', t.name, 'status', t.status, 'priority', t.priority,
    'assignee_email', coalesce(m.email, 'NOONE'), 'date_start', t.date_start,
    'date_end', t.date_end, 'date_closed', t.date_closed::date,
    'max_time', trim_scale(t.max_time), 'max_money', trim_scale(t.max_money),
    'tags', (SELECT coalesce(jsonb_agg(l.tag_id ORDER BY l.tag_id), '[]')
      FROM task_tags l WHERE l.task_id = t.id))
  FROM tasks t LEFT JOIN members m ON m.id = t.assignee_id WHERE t.id = $1
$$
--;;
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
  IF (NEW.id IS DISTINCT FROM OLD.id) THEN
    RAISE EXCEPTION USING MESSAGE = 'id is the number that the account gave the task; it cannot be set. Name the task in WHERE.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.ref IS DISTINCT FROM OLD.ref) THEN
    RAISE EXCEPTION USING MESSAGE = 'ref can be given only when a task is created. Leave it out of SET.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.project_id IS DISTINCT FROM OLD.project_id) THEN
    RAISE EXCEPTION USING MESSAGE = 'The account''s API cannot move a task to another project. Move it in Worksection; the next pull shows it.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.parent_id IS DISTINCT FROM OLD.parent_id) THEN
    RAISE EXCEPTION USING MESSAGE = 'The account''s API cannot move a task under another parent. Move it in Worksection; the next pull shows it.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.parent_ref IS DISTINCT FROM OLD.parent_ref) THEN
    RAISE EXCEPTION USING MESSAGE = 'The account''s API cannot move a task under another parent. Move it in Worksection; the next pull shows it.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.level IS DISTINCT FROM OLD.level) THEN
    RAISE EXCEPTION USING MESSAGE = 'level follows from the parent and cannot be set. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.author_email IS DISTINCT FROM OLD.author_email) THEN
    RAISE EXCEPTION USING MESSAGE = 'The account''s API cannot change who created a task. Leave author_email out of SET.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.text IS DISTINCT FROM OLD.text) THEN
    RAISE EXCEPTION USING MESSAGE = 'The account''s API cannot change the text of a task once it is created. Edit it in Worksection, or add a comment there.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.date_added IS DISTINCT FROM OLD.date_added) THEN
    RAISE EXCEPTION USING MESSAGE = 'date_added is set by the account. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.url IS DISTINCT FROM OLD.url) THEN
    RAISE EXCEPTION USING MESSAGE = 'url is set by the account. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.sync_state IS DISTINCT FROM OLD.sync_state) THEN
    RAISE EXCEPTION USING MESSAGE = 'sync_state is kept by syncd. To retry, cancel or resolve a change: syncd queue --help', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.sync_error IS DISTINCT FROM OLD.sync_error) THEN
    RAISE EXCEPTION USING MESSAGE = 'sync_error is kept by syncd. To retry, cancel or resolve a change: syncd queue --help', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.checklist IS DISTINCT FROM OLD.checklist) THEN
    RAISE EXCEPTION USING MESSAGE = 'checklist can be given only when a task is created. Leave it out of SET.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.subscribers IS DISTINCT FROM OLD.subscribers) THEN
    RAISE EXCEPTION USING MESSAGE = 'subscribers can be given only when a task is created. Leave it out of SET.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.hidden IS DISTINCT FROM OLD.hidden) THEN
    RAISE EXCEPTION USING MESSAGE = 'hidden can be given only when a task is created. Leave it out of SET.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF (NEW.mentions IS DISTINCT FROM OLD.mentions) THEN
    RAISE EXCEPTION USING MESSAGE = 'mentions can be given only when a task is created. Leave it out of SET.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF;
  IF NEW.name IS DISTINCT FROM OLD.name THEN IF (NEW.name IS NULL OR btrim(NEW.name, E' \t\n\x0B\x0C\r\u00A0') = '') THEN
    RAISE EXCEPTION USING MESSAGE = 'name must not be empty. Give the task a title.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.status IS DISTINCT FROM OLD.status THEN IF (NEW.status IS NULL OR NEW.status NOT IN ('active', 'done')) THEN
    RAISE EXCEPTION USING MESSAGE = 'status must be ''active'' or ''done''.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.priority IS DISTINCT FROM OLD.priority THEN IF (NEW.priority IS NULL OR NEW.priority NOT BETWEEN 0 AND 10) THEN
    RAISE EXCEPTION USING MESSAGE = 'priority must be a whole number from 0 to 10.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.date_start IS DISTINCT FROM OLD.date_start THEN IF (NEW.date_start NOT BETWEEN '0001-01-01' AND '9999-12-31') THEN
    RAISE EXCEPTION USING MESSAGE = 'date_start must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.date_end IS DISTINCT FROM OLD.date_end THEN IF (NEW.date_end NOT BETWEEN '0001-01-01' AND '9999-12-31') THEN
    RAISE EXCEPTION USING MESSAGE = 'date_end must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.date_closed IS DISTINCT FROM OLD.date_closed THEN IF (NEW.date_closed NOT BETWEEN '0001-01-01' AND '9999-12-31' OR NEW.date_closed <> date_trunc('day', NEW.date_closed)) THEN
    RAISE EXCEPTION USING MESSAGE = 'date_closed must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL. The account takes no time of day.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.max_time IS DISTINCT FROM OLD.max_time THEN IF (NEW.max_time < 0 OR NEW.max_time >= 100000000000) THEN
    RAISE EXCEPTION USING MESSAGE = 'max_time must be a number of hours from 0 to less than 100000000000, or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.max_money IS DISTINCT FROM OLD.max_money THEN IF (NEW.max_money < 0 OR NEW.max_money >= 100000000000) THEN
    RAISE EXCEPTION USING MESSAGE = 'max_money must be a number from 0 to less than 100000000000, or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.assignee_email IS DISTINCT FROM OLD.assignee_email THEN IF (live_assignee(NEW.assignee_email) NOT IN ('ANY', 'NOONE') AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email = live_assignee(NEW.assignee_email) AND m.kind = 'person' AND m.removed_at IS NULL)) THEN
    RAISE EXCEPTION USING MESSAGE = 'assignee_email must be the email of a member of the account, ANY, NOONE or NULL. See: SELECT email FROM members.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.tags IS DISTINCT FROM OLD.tags THEN IF (live_tags_amiss(NEW.tags, OLD.tags) = 'unknown') THEN
    RAISE EXCEPTION USING MESSAGE = 'tags holds a label that no tag has. Labels are joined by commas; see: SELECT label, name FROM tags. New tags are made in Worksection.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.tags IS DISTINCT FROM OLD.tags THEN IF (live_tags_amiss(NEW.tags, OLD.tags) = 'removed') THEN
    RAISE EXCEPTION USING MESSAGE = 'tags holds a tag that the account no longer has. See: SELECT label, name FROM tags WHERE removed_at IS NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || OLD.id, 'task with the ref ' || OLD.ref, 'a new task');
  END IF; END IF;
  IF NEW.name IS DISTINCT FROM OLD.name THEN
    wanted := wanted || jsonb_build_object('name', NEW.name);
    seen := seen || jsonb_build_object('name', OLD.name);
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status THEN
    wanted := wanted || jsonb_build_object('status', NEW.status);
    seen := seen || jsonb_build_object('status', OLD.status);
  END IF;
  IF NEW.priority IS DISTINCT FROM OLD.priority THEN
    wanted := wanted || jsonb_build_object('priority', NEW.priority);
    seen := seen || jsonb_build_object('priority', OLD.priority);
  END IF;
  IF NEW.date_start IS DISTINCT FROM OLD.date_start THEN
    wanted := wanted || jsonb_build_object('date_start', NEW.date_start);
    seen := seen || jsonb_build_object('date_start', OLD.date_start);
  END IF;
  IF NEW.date_end IS DISTINCT FROM OLD.date_end THEN
    wanted := wanted || jsonb_build_object('date_end', NEW.date_end);
    seen := seen || jsonb_build_object('date_end', OLD.date_end);
  END IF;
  IF NEW.date_closed IS DISTINCT FROM OLD.date_closed THEN IF (NEW.date_closed::date) IS DISTINCT FROM (OLD.date_closed::date) THEN
    wanted := wanted || jsonb_build_object('date_closed', NEW.date_closed::date);
    seen := seen || jsonb_build_object('date_closed', OLD.date_closed::date);
  END IF; END IF;
  IF NEW.assignee_email IS DISTINCT FROM OLD.assignee_email THEN IF (live_assignee(NEW.assignee_email)) IS DISTINCT FROM (live_assignee(OLD.assignee_email)) THEN
    wanted := wanted || jsonb_build_object('assignee_email', live_assignee(NEW.assignee_email));
    seen := seen || jsonb_build_object('assignee_email', live_assignee(OLD.assignee_email));
  END IF; END IF;
  IF NEW.max_time IS DISTINCT FROM OLD.max_time THEN IF (trim_scale(round(NEW.max_time, 4))) IS DISTINCT FROM (trim_scale(OLD.max_time)) THEN
    wanted := wanted || jsonb_build_object('max_time', trim_scale(round(NEW.max_time, 4)));
    seen := seen || jsonb_build_object('max_time', trim_scale(OLD.max_time));
  END IF; END IF;
  IF NEW.max_money IS DISTINCT FROM OLD.max_money THEN IF (trim_scale(round(NEW.max_money, 4))) IS DISTINCT FROM (trim_scale(OLD.max_money)) THEN
    wanted := wanted || jsonb_build_object('max_money', trim_scale(round(NEW.max_money, 4)));
    seen := seen || jsonb_build_object('max_money', trim_scale(OLD.max_money));
  END IF; END IF;
  IF NEW.tags IS DISTINCT FROM OLD.tags THEN IF (live_tag_ids(NEW.tags)) IS DISTINCT FROM (live_tag_ids(OLD.tags)) THEN
    wanted := wanted || jsonb_build_object('tags', live_tag_ids(NEW.tags));
    seen := seen || jsonb_build_object('tags', live_tag_ids(OLD.tags));
  END IF; END IF;
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
END $body$
--;;
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
  IF EXISTS (SELECT 1 FROM outbox p WHERE p.ref = NEW.ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')) THEN
    RETURN NEW;
  END IF;
  SELECT * INTO creation FROM outbox p WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled');
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
  IF (NEW.id IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'id is given by the account. Leave it out; name a new task by ref.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.level IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'level follows from the parent and cannot be set. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.date_added IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'date_added is set by the account. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.date_closed IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'A new task is active and has no date_closed. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.url IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'url is set by the account. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.sync_state IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'sync_state is kept by syncd. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.sync_error IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'sync_error is kept by syncd. Leave it out.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.status <> 'active') THEN
    RAISE EXCEPTION USING MESSAGE = 'A new task is active. Leave status out, and complete the task afterwards.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NEW.name IS NULL OR btrim(NEW.name, E' \t\n\x0B\x0C\r\u00A0') = '') THEN
    RAISE EXCEPTION USING MESSAGE = 'name must not be empty. Give the task a title.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF NEW.priority IS NOT NULL THEN IF (NEW.priority IS NULL OR NEW.priority NOT BETWEEN 0 AND 10) THEN
    RAISE EXCEPTION USING MESSAGE = 'priority must be a whole number from 0 to 10.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.date_start IS NOT NULL THEN IF (NEW.date_start NOT BETWEEN '0001-01-01' AND '9999-12-31') THEN
    RAISE EXCEPTION USING MESSAGE = 'date_start must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.date_end IS NOT NULL THEN IF (NEW.date_end NOT BETWEEN '0001-01-01' AND '9999-12-31') THEN
    RAISE EXCEPTION USING MESSAGE = 'date_end must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.max_time IS NOT NULL THEN IF (NEW.max_time < 0 OR NEW.max_time >= 100000000000) THEN
    RAISE EXCEPTION USING MESSAGE = 'max_time must be a number of hours from 0 to less than 100000000000, or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.max_money IS NOT NULL THEN IF (NEW.max_money < 0 OR NEW.max_money >= 100000000000) THEN
    RAISE EXCEPTION USING MESSAGE = 'max_money must be a number from 0 to less than 100000000000, or NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF (char_length(NEW.text) > 65536) THEN
    RAISE EXCEPTION USING MESSAGE = 'text must not be longer than 65536 characters: the account would cut it. Shorten it, or attach a file.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF NEW.checklist IS NOT NULL THEN IF (live_checklist_amiss(NEW.checklist)) THEN
    RAISE EXCEPTION USING MESSAGE = 'checklist must be a JSON array of texts, such as ''["one", "two"]''.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.assignee_email IS NOT NULL THEN IF (live_assignee(NEW.assignee_email) NOT IN ('ANY', 'NOONE') AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email = live_assignee(NEW.assignee_email) AND m.kind = 'person' AND m.removed_at IS NULL)) THEN
    RAISE EXCEPTION USING MESSAGE = 'assignee_email must be the email of a member of the account, ANY, NOONE or NULL. See: SELECT email FROM members.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.author_email IS NOT NULL THEN IF (NOT EXISTS (SELECT 1 FROM members m WHERE m.email = lower(btrim(NEW.author_email)) AND m.kind = 'person' AND m.removed_at IS NULL)) THEN
    RAISE EXCEPTION USING MESSAGE = 'author_email must be the email of a member of the account, or NULL for the owner of the key. See: SELECT email FROM members.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.subscribers IS NOT NULL THEN IF (live_strangers(NEW.subscribers)) THEN
    RAISE EXCEPTION USING MESSAGE = 'subscribers must be emails of members of the account, joined by commas. See: SELECT email FROM members.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.hidden IS NOT NULL THEN IF (live_strangers(NEW.hidden)) THEN
    RAISE EXCEPTION USING MESSAGE = 'hidden must be emails of members of the account, joined by commas. See: SELECT email FROM members.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.mentions IS NOT NULL THEN IF (live_strangers(NEW.mentions)) THEN
    RAISE EXCEPTION USING MESSAGE = 'mentions must be emails of members of the account, joined by commas. See: SELECT email FROM members.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.tags IS NOT NULL THEN IF (live_tags_amiss(NEW.tags, NULL) = 'unknown') THEN
    RAISE EXCEPTION USING MESSAGE = 'tags holds a label that no tag has. Labels are joined by commas; see: SELECT label, name FROM tags. New tags are made in Worksection.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.tags IS NOT NULL THEN IF (live_tags_amiss(NEW.tags, NULL) = 'removed') THEN
    RAISE EXCEPTION USING MESSAGE = 'tags holds a tag that the account no longer has. See: SELECT label, name FROM tags WHERE removed_at IS NULL.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF (NEW.parent_id IS NOT NULL AND NEW.parent_ref IS NOT NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'Give parent_id or parent_ref, not both.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF NEW.parent_id IS NOT NULL THEN IF (parent_project IS NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'parent_id must be the id of a task that is in the account. See: SELECT id, name FROM live_tasks.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.parent_ref IS NOT NULL THEN IF (parent_project IS NULL) THEN
    RAISE EXCEPTION USING MESSAGE = 'parent_ref must be the ref of a task that was queued before, and did not fail. Queue the parent first.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF NEW.project_id IS NOT NULL AND (NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL) THEN IF (NEW.project_id <> parent_project) THEN
    RAISE EXCEPTION USING MESSAGE = 'The parent is in another project. Leave project_id out, or choose a parent in that project.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF (NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL) THEN IF (parent_level > 2) THEN
    RAISE EXCEPTION USING MESSAGE = 'Tasks have three levels, and the parent is on the third. Choose its parent instead.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF (NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL) THEN IF (parent_status = 'done') THEN
    RAISE EXCEPTION USING MESSAGE = 'The parent is done, and the account adds no subtask to it. Reopen it first: UPDATE live_tasks SET status = ''active''.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF; END IF;
  IF (NEW.project_id IS NULL AND NOT (NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL)) THEN
    RAISE EXCEPTION USING MESSAGE = 'A new task needs a project_id, or a parent.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
  IF (NOT EXISTS (SELECT 1 FROM projects j WHERE j.removed_at IS NULL AND j.id = coalesce(NEW.project_id, parent_project))) THEN
    RAISE EXCEPTION USING MESSAGE = 'project_id must be the id of a project that is in the account. See: SELECT id, name FROM projects.', ERRCODE = 'check_violation',
      DETAIL = coalesce('task ' || NEW.id, 'task with the ref ' || NEW.ref, 'a new task');
  END IF;
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
END $body$
--;;
CREATE OR REPLACE FUNCTION live_tasks_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = 'The account''s API cannot delete tasks. Complete it instead, with UPDATE live_tasks SET status = ''done'', or delete it in Worksection. A creation that was not sent yet: syncd queue cancel ID', ERRCODE = 'check_violation';
END $$
--;;
CREATE OR REPLACE TRIGGER live_tasks_update INSTEAD OF update ON live_tasks
FOR EACH ROW EXECUTE FUNCTION live_tasks_update()
--;;
CREATE OR REPLACE TRIGGER live_tasks_insert INSTEAD OF insert ON live_tasks
FOR EACH ROW EXECUTE FUNCTION live_tasks_insert()
--;;
CREATE OR REPLACE TRIGGER live_tasks_delete INSTEAD OF delete ON live_tasks
FOR EACH ROW EXECUTE FUNCTION live_tasks_delete()
--;;
DO $$
DECLARE
  one regprocedure;
  definer boolean;
BEGIN
  FOR one, definer IN SELECT p.oid, p.prosecdef FROM pg_proc p
    WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
      AND p.proname IN ('outbox_guard', 'outbox_trail', 'outbox_refuses', 'outbox_actor', 'live_tasks_update', 'live_tasks_insert', 'live_tasks_delete', 'live_assignee', 'live_tag_ids', 'live_tags_amiss', 'live_people', 'live_strangers', 'live_checklist_amiss', 'live_queue', 'live_mirrored')
  LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION ' || one || ' FROM PUBLIC';
    IF definer THEN
      EXECUTE 'ALTER FUNCTION ' || one || ' SET search_path TO '
        || quote_ident(current_schema()) || ', pg_temp';
    END IF;
  END LOOP;
END $$
--;;
COMMENT ON VIEW live_tasks IS 'The mirror with the pending changes over it. INSERT and UPDATE queue changes.'
--;;
COMMENT ON COLUMN live_tasks.id IS 'the account''s number; NULL while a creation is pending'
--;;
COMMENT ON COLUMN live_tasks.ref IS 'the writer''s name of a task that was created here'
--;;
COMMENT ON COLUMN live_tasks.project_id IS 'its project, projects.id'
--;;
COMMENT ON COLUMN live_tasks.parent_id IS 'the task it is a subtask of; NULL at the top'
--;;
COMMENT ON COLUMN live_tasks.parent_ref IS 'the pending creation it is a subtask of, by its ref'
--;;
COMMENT ON COLUMN live_tasks.level IS '1 task, 2 subtask, 3 sub-subtask'
--;;
COMMENT ON COLUMN live_tasks.name IS 'title'
--;;
COMMENT ON COLUMN live_tasks.status IS 'active or done'
--;;
COMMENT ON COLUMN live_tasks.priority IS '0 to 10'
--;;
COMMENT ON COLUMN live_tasks.author_email IS 'who created it'
--;;
COMMENT ON COLUMN live_tasks.assignee_email IS 'who is responsible: an email, ANY, NOONE or NULL'
--;;
COMMENT ON COLUMN live_tasks.text IS 'description'
--;;
COMMENT ON COLUMN live_tasks.date_added IS 'created, the account''s wall clock'
--;;
COMMENT ON COLUMN live_tasks.date_start IS 'start date'
--;;
COMMENT ON COLUMN live_tasks.date_end IS 'due date'
--;;
COMMENT ON COLUMN live_tasks.date_closed IS 'completed, the account''s wall clock'
--;;
COMMENT ON COLUMN live_tasks.max_time IS 'estimate in hours'
--;;
COMMENT ON COLUMN live_tasks.max_money IS 'estimate in the account''s currency'
--;;
COMMENT ON COLUMN live_tasks.tags IS 'labels (tags.label), sorted, joined by commas; NULL: none'
--;;
COMMENT ON COLUMN live_tasks.url IS 'address of its page in the account'
--;;
COMMENT ON COLUMN live_tasks.sync_state IS 'synced, or the most telling state of its changes'
--;;
COMMENT ON COLUMN live_tasks.sync_error IS 'what the change of that state met'
--;;
COMMENT ON COLUMN live_tasks.checklist IS 'for INSERT: JSON array of texts; NULL on reading'
--;;
COMMENT ON COLUMN live_tasks.subscribers IS 'for INSERT: emails joined by commas; NULL on reading'
--;;
COMMENT ON COLUMN live_tasks.hidden IS 'for INSERT: emails of those who alone may see it; NULL on reading'
--;;
COMMENT ON COLUMN live_tasks.mentions IS 'for INSERT: emails joined by commas; NULL on reading'
--;;
CREATE OR REPLACE VIEW live_conflicts (change_id, task_id, ref, field, base, mine, theirs, why, since, keep, chosen_by) AS
WITH sides AS (
  SELECT o.id AS change_id, o.task_id, coalesce(o.ref, m.ref) AS ref, o.error_code AS code,
    CASE WHEN t.id IS NULL THEN 1 ELSE 0 END AS gone, e.key AS field,
    CASE WHEN o.base ? e.key THEN 1 ELSE 0 END AS base_known,
    CASE WHEN o.base ? e.key THEN CASE
      WHEN e.key = 'tags' THEN (SELECT string_agg(a.label, ',' ORDER BY a.label COLLATE "C")
        FROM (SELECT coalesce(g.label, CASE WHEN n.id IS NULL THEN '' ELSE '#' END || i.tag)
            AS label
          FROM jsonb_array_elements_text(CASE jsonb_typeof(o.base -> 'tags') WHEN 'array' THEN o.base -> 'tags'
      ELSE '[]' END) i (tag)
          CROSS JOIN LATERAL (
            SELECT CASE WHEN i.tag ~ '^[0-9]{1,18}$' THEN i.tag::bigint END) n (id)
          LEFT JOIN tags g ON g.id = n.id) a)
      WHEN e.key IN ('priority', 'max_time', 'max_money') THEN CASE
        WHEN (o.base ->> e.key) ~ '^[0-9]{1,15}([.][0-9]+)?$'
        THEN trim_scale(round((o.base ->> e.key)::numeric, 4))::text ELSE (o.base ->> e.key) END
      WHEN e.key IN ('date_start', 'date_end', 'date_closed') THEN left((o.base ->> e.key), 10)
      WHEN e.key = 'assignee_email' THEN CASE
        WHEN upper(btrim(coalesce((o.base ->> e.key), 'NOONE'))) IN ('ANY', 'NOONE')
        THEN upper(btrim(coalesce((o.base ->> e.key), 'NOONE'))) ELSE lower(btrim((o.base ->> e.key))) END
      ELSE (o.base ->> e.key) END END AS base,
    CASE
      WHEN e.key = 'tags' THEN (SELECT string_agg(a.label, ',' ORDER BY a.label COLLATE "C")
        FROM (SELECT coalesce(g.label, CASE WHEN n.id IS NULL THEN '' ELSE '#' END || i.tag)
            AS label
          FROM jsonb_array_elements_text(CASE jsonb_typeof(o.fields -> 'tags') WHEN 'array' THEN o.fields -> 'tags'
      ELSE '[]' END) i (tag)
          CROSS JOIN LATERAL (
            SELECT CASE WHEN i.tag ~ '^[0-9]{1,18}$' THEN i.tag::bigint END) n (id)
          LEFT JOIN tags g ON g.id = n.id) a)
      WHEN e.key IN ('priority', 'max_time', 'max_money') THEN CASE
        WHEN (o.fields ->> e.key) ~ '^[0-9]{1,15}([.][0-9]+)?$'
        THEN trim_scale(round((o.fields ->> e.key)::numeric, 4))::text ELSE (o.fields ->> e.key) END
      WHEN e.key IN ('date_start', 'date_end', 'date_closed') THEN left((o.fields ->> e.key), 10)
      WHEN e.key = 'assignee_email' THEN CASE
        WHEN upper(btrim(coalesce((o.fields ->> e.key), 'NOONE'))) IN ('ANY', 'NOONE')
        THEN upper(btrim(coalesce((o.fields ->> e.key), 'NOONE'))) ELSE lower(btrim((o.fields ->> e.key))) END
      ELSE (o.fields ->> e.key) END AS mine,
    CASE WHEN t.id IS NULL THEN NULL ELSE CASE e.key
      WHEN 'name' THEN t.name
      WHEN 'status' THEN t.status
      WHEN 'priority' THEN t.priority::text
      WHEN 'assignee_email' THEN CASE WHEN coalesce(t.assignee_id, 0) IN (0, 1) THEN 'NOONE'
        WHEN t.assignee_id = 2 THEN 'ANY' ELSE coalesce(b.email, '#' || t.assignee_id) END
      WHEN 'date_start' THEN to_char(t.date_start, 'YYYY-MM-DD')
      WHEN 'date_end' THEN to_char(t.date_end, 'YYYY-MM-DD')
      WHEN 'date_closed' THEN to_char(t.date_closed, 'YYYY-MM-DD')
      WHEN 'max_time' THEN trim_scale(t.max_time)::text
      WHEN 'max_money' THEN trim_scale(t.max_money)::text
      WHEN 'tags' THEN (SELECT string_agg(coalesce(g.label, '#' || l.tag_id), ','
          ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C")
        FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = t.id)
      END END AS theirs,
    CASE jsonb_typeof(o.base -> 'tags') WHEN 'array' THEN o.base -> 'tags'
      ELSE '[]' END AS base_tags,
    CASE jsonb_typeof(o.fields -> 'tags') WHEN 'array' THEN o.fields -> 'tags'
      ELSE '[]' END AS mine_tags
  FROM outbox o
  CROSS JOIN LATERAL jsonb_object_keys(o.fields) e (key)
  LEFT JOIN tasks t ON t.id = o.task_id AND t.removed_at IS NULL
  LEFT JOIN members b ON b.id = t.assignee_id
  LEFT JOIN outbox m ON m.task_id = o.task_id AND m.operation = 'create' AND m.state NOT IN ('failed', 'cancelled')
  WHERE o.task_id IS NOT NULL AND o.state NOT IN ('confirmed', 'cancelled') AND o.state = 'conflict' AND o.operation <> 'create' AND e.key IN ('name', 'status', 'priority', 'assignee_email', 'date_start', 'date_end', 'date_closed', 'max_time', 'max_money', 'tags')
),
lanes AS (
  SELECT s.*,
    first_value(s.base) OVER lane AS first_base,
    first_value(s.base_known) OVER lane AS first_known,
    first_value(s.base_tags) OVER lane AS first_tags,
    last_value(s.mine) OVER lane AS last_mine,
    last_value(s.mine_tags) OVER lane AS last_tags,
    max(CASE WHEN nullif(CASE s.field WHEN 'name' THEN btrim(replace(replace(replace(s.mine, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE s.mine END, '') = nullif(CASE s.field WHEN 'name' THEN btrim(replace(replace(replace(s.theirs, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE s.theirs END, '')
      OR nullif(CASE s.field WHEN 'name' THEN btrim(replace(replace(replace(s.mine, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE s.mine END, '') IS NULL AND nullif(CASE s.field WHEN 'name' THEN btrim(replace(replace(replace(s.theirs, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE s.theirs END, '') IS NULL THEN 1 ELSE 0 END) OVER lane AS ours,
    max(CASE WHEN s.gone = 1 OR s.code = 'removed' THEN 1 ELSE 0 END) OVER one AS removed,
    max(CASE s.code WHEN 'flips' THEN 1 ELSE 0 END) OVER one AS flips
  FROM sides s
  WINDOW one AS (PARTITION BY s.task_id),
    lane AS (PARTITION BY s.task_id, s.field ORDER BY s.change_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
compared AS (
  SELECT l.*,
    CASE WHEN nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.last_mine, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.last_mine END, '') = nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.theirs, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.theirs END, '')
      OR nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.last_mine, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.last_mine END, '') IS NULL AND nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.theirs, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.theirs END, '') IS NULL THEN 0 ELSE 1 END AS differs,
    CASE WHEN l.ours = 1 OR nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.first_base, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.first_base END, '') = nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.theirs, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.theirs END, '')
      OR nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.first_base, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.first_base END, '') IS NULL AND nullif(CASE l.field WHEN 'name' THEN btrim(replace(replace(replace(l.theirs, E'\r\n', E'\n'), E'\r', E'\n'), E'\u00A0', ' '), E' \t\n\x0B\x0C') ELSE l.theirs END, '') IS NULL THEN 0 ELSE 1 END AS moved
  FROM lanes l
),
judged AS (
  SELECT c.*,
    CASE WHEN c.removed = 1 THEN 1
      WHEN c.differs = 0 THEN 0
      WHEN c.first_known = 0 AND (c.ours = 0 OR c.field = 'tags') THEN 1
      WHEN c.field = 'tags' THEN CASE WHEN c.flips = 1 AND (EXISTS (SELECT 1 FROM jsonb_array_elements(c.last_tags) a (tag)
        WHERE a.tag NOT IN (SELECT d.tag FROM jsonb_array_elements(c.first_tags) d (tag))
        AND a.tag NOT IN (SELECT to_jsonb(k.tag_id) FROM task_tags k
          WHERE k.task_id = c.task_id))
      OR EXISTS (SELECT 1 FROM jsonb_array_elements(c.first_tags) a (tag)
        WHERE a.tag NOT IN (SELECT d.tag FROM jsonb_array_elements(c.last_tags) d (tag))
        AND a.tag IN (SELECT to_jsonb(k.tag_id) FROM task_tags k
          WHERE k.task_id = c.task_id))) THEN 1 ELSE 0 END
      WHEN c.flips = 1 THEN 1
      WHEN c.field = 'date_closed' AND c.first_base IS NULL THEN 0
      ELSE c.moved END AS contested
  FROM compared c
),
counted AS (
  SELECT j.*, max(j.contested) OVER (PARTITION BY j.task_id) AS any_contested FROM judged j
)
SELECT q.change_id, q.task_id, q.ref, q.field, q.base, q.mine, q.theirs,
  CASE WHEN q.removed = 1 THEN 'removed' ELSE coalesce(q.code, 'both') END,
  (SELECT max(v.at) FROM outbox_events v WHERE v.change_id = q.change_id
    AND v.to_state = 'conflict' AND v.from_state <> 'conflict'),
  h.keep, h.chosen_by
FROM counted q
LEFT JOIN outbox_choices h ON h.change_id = q.change_id AND h.field = q.field
  AND (h.theirs = q.theirs OR h.theirs IS NULL AND q.theirs IS NULL)
  AND NOT (q.removed = 1 AND h.keep = 'mine')
WHERE q.contested = 1 OR q.any_contested = 0 AND q.differs = 1
--;;
CREATE OR REPLACE FUNCTION live_conflicts_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $body$
BEGIN
  IF NEW.change_id IS DISTINCT FROM OLD.change_id OR NEW.task_id IS DISTINCT FROM OLD.task_id OR NEW.ref IS DISTINCT FROM OLD.ref OR NEW.field IS DISTINCT FROM OLD.field OR NEW.base IS DISTINCT FROM OLD.base OR NEW.mine IS DISTINCT FROM OLD.mine OR NEW.theirs IS DISTINCT FROM OLD.theirs OR NEW.why IS DISTINCT FROM OLD.why OR NEW.since IS DISTINCT FROM OLD.since OR NEW.chosen_by IS DISTINCT FROM OLD.chosen_by THEN
    RAISE EXCEPTION USING MESSAGE = 'Of a conflict only keep can be set: ''mine'' or ''theirs'', or NULL to take the choice back. For another value: syncd queue cancel ID, and queue it anew.', ERRCODE = 'check_violation', DETAIL = 'change ' || OLD.change_id || ': ' || OLD.field;
  END IF;
  IF NEW.keep NOT IN ('mine', 'theirs') THEN
    RAISE EXCEPTION USING MESSAGE = 'keep must be ''mine'', ''theirs'', or NULL to take the choice back.', ERRCODE = 'check_violation', DETAIL = 'change ' || OLD.change_id || ': ' || OLD.field;
  END IF;
  IF NEW.keep = 'mine' AND OLD.why = 'removed' THEN
    RAISE EXCEPTION USING MESSAGE = 'The task is gone from the account, and nothing creates it again. Give the change up: keep = ''theirs''.', ERRCODE = 'check_violation', DETAIL = 'change ' || OLD.change_id || ': ' || OLD.field;
  END IF;
  IF NEW.keep IS NOT DISTINCT FROM OLD.keep THEN
    RETURN NEW;
  END IF;
  IF NEW.keep IS NULL THEN
    DELETE FROM outbox_choices h WHERE h.field = OLD.field AND h.change_id IN
      (SELECT o.id FROM outbox o WHERE o.task_id = OLD.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state = 'conflict' AND o.operation <> 'create');
    RETURN NEW;
  END IF;
  INSERT INTO outbox_choices (change_id, field, keep, theirs, chosen_at, chosen_by)
  SELECT o.id, OLD.field, NEW.keep, OLD.theirs, clock_timestamp(), outbox_actor() FROM outbox o
  WHERE o.task_id = OLD.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state = 'conflict' AND o.operation <> 'create' AND o.fields ? OLD.field ORDER BY o.id
  ON CONFLICT (change_id, field) DO UPDATE SET keep = excluded.keep, theirs = excluded.theirs,
    chosen_at = excluded.chosen_at, chosen_by = excluded.chosen_by;
  PERFORM pg_notify('syncd_outbox', current_schema());
  NEW.chosen_by := outbox_actor();
  RETURN NEW;
END $body$
--;;
CREATE OR REPLACE TRIGGER live_conflicts_update INSTEAD OF UPDATE ON live_conflicts
FOR EACH ROW EXECUTE FUNCTION live_conflicts_update()
--;;
CREATE OR REPLACE TRIGGER live_conflicts_insert INSTEAD OF insert ON live_conflicts
FOR EACH ROW EXECUTE FUNCTION outbox_refuses('Conflicts are found by syncd. To choose: UPDATE live_conflicts SET keep = ''mine'' or ''theirs''.')
--;;
CREATE OR REPLACE TRIGGER live_conflicts_delete INSTEAD OF delete ON live_conflicts
FOR EACH ROW EXECUTE FUNCTION outbox_refuses('A conflict goes when it is resolved: UPDATE live_conflicts SET keep = ''mine'' or ''theirs''. To drop the change: syncd queue cancel ID')
--;;
DO $$
DECLARE
  one regprocedure;
  definer boolean;
BEGIN
  FOR one, definer IN SELECT p.oid, p.prosecdef FROM pg_proc p
    WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
      AND p.proname IN ('live_conflicts_update')
  LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION ' || one || ' FROM PUBLIC';
    IF definer THEN
      EXECUTE 'ALTER FUNCTION ' || one || ' SET search_path TO '
        || quote_ident(current_schema()) || ', pg_temp';
    END IF;
  END LOOP;
END $$
--;;
COMMENT ON VIEW live_conflicts IS 'The conflicts, one row for each field to choose. UPDATE of keep chooses.'
--;;
COMMENT ON COLUMN live_conflicts.change_id IS 'the change that waits, outbox.id'
--;;
COMMENT ON COLUMN live_conflicts.task_id IS 'its task, tasks.id'
--;;
COMMENT ON COLUMN live_conflicts.ref IS 'the writer''s name of a task that was created here'
--;;
COMMENT ON COLUMN live_conflicts.field IS 'the field in question, a column of live_tasks'
--;;
COMMENT ON COLUMN live_conflicts.base IS 'what it was when the change was queued; NULL: empty, or not known'
--;;
COMMENT ON COLUMN live_conflicts.mine IS 'what the change asks for'
--;;
COMMENT ON COLUMN live_conflicts.theirs IS 'what the account shows'
--;;
COMMENT ON COLUMN live_conflicts.why IS 'both, flips, unknown base, or removed: the task is gone from the account'
--;;
COMMENT ON COLUMN live_conflicts.since IS 'when the change went into the conflict, UTC'
--;;
COMMENT ON COLUMN live_conflicts.keep IS 'for UPDATE: mine or theirs, the value that stands; NULL: nobody has chosen'
--;;
COMMENT ON COLUMN live_conflicts.chosen_by IS 'who has chosen'
