CREATE TRIGGER outbox_born BEFORE INSERT ON outbox
WHEN NEW.state NOT IN ('queued', 'held')
BEGIN
  SELECT RAISE(ABORT, 'A change begins as queued or held. Queue it through live_tasks.');
END
--;;
CREATE TRIGGER outbox_moves BEFORE UPDATE ON outbox
BEGIN
  SELECT CASE
    WHEN NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ('queued>sending', 'queued>held', 'queued>conflict', 'queued>confirmed', 'queued>failed', 'queued>cancelled', 'held>queued', 'held>cancelled', 'sending>applied', 'sending>confirmed', 'sending>queued', 'sending>conflict', 'sending>uncertain', 'sending>failed', 'applied>confirmed', 'applied>conflict', 'applied>failed', 'uncertain>applied', 'uncertain>confirmed', 'uncertain>queued', 'uncertain>conflict', 'uncertain>failed', 'conflict>queued', 'conflict>applied', 'conflict>confirmed', 'conflict>cancelled', 'failed>queued', 'failed>cancelled')
      THEN RAISE(ABORT, 'A change cannot go from its state to that one. See: syncd queue --help')
    WHEN (NEW.fields IS NOT OLD.fields OR NEW.base IS NOT OLD.base)
      AND NOT (OLD.state IN ('queued', 'held', 'conflict') AND NEW.state IN ('queued', 'held', 'conflict'))
      THEN RAISE(ABORT, 'What a change says cannot be altered once it was sent. Queue another change through live_tasks.')
    WHEN NEW.id IS NOT OLD.id OR NEW.operation IS NOT OLD.operation OR NEW.ref IS NOT OLD.ref
      OR NEW.created_at IS NOT OLD.created_at OR NEW.created_by IS NOT OLD.created_by
      OR (OLD.task_id IS NOT NULL AND NEW.task_id IS NOT OLD.task_id)
      THEN RAISE(ABORT, 'What a change is about, and who queued it, cannot be altered. Queue another change through live_tasks.')
  END;
END
--;;
CREATE TRIGGER outbox_kept BEFORE DELETE ON outbox
WHEN OLD.state NOT IN ('confirmed', 'cancelled')
  OR EXISTS (SELECT 1 FROM outbox o WHERE o.depends_on = OLD.id AND o.state NOT IN ('confirmed', 'cancelled'))
BEGIN
  SELECT RAISE(ABORT, 'A change that is not settled, or that another one waits for, cannot be deleted. Cancel it: syncd queue cancel ID');
END
--;;
CREATE TRIGGER outbox_queued AFTER INSERT ON outbox
BEGIN
  INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
  VALUES (NEW.id, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', NULL, NEW.state, NEW.created_by, '{}');
END
--;;
CREATE TRIGGER outbox_moved AFTER UPDATE ON outbox
WHEN NEW.state <> OLD.state OR NEW.task_id IS NOT OLD.task_id
BEGIN
  INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
  VALUES (NEW.id, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', OLD.state, NEW.state, coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local'), json_patch('{}', json_object('attempts', NEW.attempts, 'task_id', NEW.task_id, 'error_code', NEW.error_code, 'error', NEW.error, 'next_attempt_at', NEW.next_attempt_at)));
END
--;;
CREATE TRIGGER outbox_reworded AFTER UPDATE ON outbox
WHEN NEW.fields IS NOT OLD.fields OR NEW.base IS NOT OLD.base
BEGIN
  INSERT INTO outbox_events (change_id, at, from_state, to_state, actor, detail)
  VALUES (NEW.id, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', OLD.state, NEW.state, coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local'),
    json_object('fields', json(OLD.fields), 'base', json(OLD.base)));
END
--;;
CREATE TRIGGER outbox_created AFTER UPDATE OF task_id ON outbox
WHEN NEW.operation = 'create' AND OLD.task_id IS NULL AND NEW.task_id IS NOT NULL
BEGIN
  UPDATE outbox SET task_id = NEW.task_id
  WHERE depends_on = NEW.id AND operation <> 'create' AND task_id IS NULL;
END
--;;
CREATE TRIGGER outbox_events_refuses_update BEFORE UPDATE ON outbox_events
BEGIN
  SELECT RAISE(ABORT, 'outbox_events is append-only: what happened stays to be read.');
END
--;;
CREATE TRIGGER outbox_events_refuses_delete BEFORE DELETE ON outbox_events
WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.id = OLD.change_id)
  OR OLD.id > coalesce((SELECT CASE WHEN a.event = 'outbox.pruned'
    THEN json_extract(a.detail, '$.last') END FROM audit_log a ORDER BY a.seq DESC LIMIT 1), 0)
BEGIN
  SELECT RAISE(ABORT, 'outbox_events is append-only: what happened stays to be read.');
END
--;;
CREATE VIEW live_tasks (id, ref, project_id, parent_id, parent_ref, level, name, status, priority, author_email, assignee_email, text, date_added, date_start, date_end, date_closed, max_time, max_money, tags, url, sync_state, sync_error, checklist, subscribers, hidden, mentions) AS
SELECT
  k.id AS id,
  k.ref AS ref,
  k.project_id AS project_id,
  k.parent_id AS parent_id,
  k.parent_ref AS parent_ref,
  k.level AS level,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.name') IS NULL THEN k.name ELSE json_extract(k.pending, '$.name') END AS name,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.status') IS NULL THEN k.status ELSE json_extract(k.pending, '$.status') END AS status,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.priority') IS NULL THEN k.priority ELSE json_extract(k.pending, '$.priority') END AS priority,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.author_email') IS NULL THEN a.email ELSE json_extract(k.pending, '$.author_email') END AS author_email,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.assignee_email') IS NULL THEN b.email ELSE json_extract(k.pending, '$.assignee_email') END AS assignee_email,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.text') IS NULL THEN k.text ELSE json_extract(k.pending, '$.text') END AS text,
  k.date_added AS date_added,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.date_start') IS NULL THEN k.date_start ELSE json_extract(k.pending, '$.date_start') END AS date_start,
  k.date_end AS date_end,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.date_closed') IS NULL THEN k.date_closed ELSE json_extract(k.pending, '$.date_closed') || ' 00:00:00' END AS date_closed,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.max_time') IS NULL THEN k.max_time ELSE json_extract(k.pending, '$.max_time') END AS max_time,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.max_money') IS NULL THEN k.max_money ELSE json_extract(k.pending, '$.max_money') END AS max_money,
  CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.tags') IS NULL
    THEN (SELECT group_concat(label, ',') FROM (
      SELECT coalesce(g.label, '#' || l.tag_id) AS label
      FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = k.id ORDER BY 1))
    ELSE (SELECT group_concat(label, ',') FROM (
      SELECT coalesce(g.label, '#' || e.value) AS label
      FROM json_each(k.pending, '$.tags') e LEFT JOIN tags g ON g.id = e.value ORDER BY 1))
    END AS tags,
  k.url AS url,
  k.sync_state AS sync_state,
  k.sync_error AS sync_error,
  NULL AS checklist,
  NULL AS subscribers,
  NULL AS hidden,
  NULL AS mentions
FROM (
  SELECT t.id, m.ref, t.project_id, t.parent_id, NULL AS parent_ref, t.level, t.name, t.status,
    t.priority, t.author_id, t.assignee_id, t.text, t.date_added, t.date_start, t.date_end,
    t.date_closed, t.max_time, t.max_money, t.url,
    'synced' AS sync_state, NULL AS sync_error, NULL AS pending
  FROM tasks t
  LEFT JOIN outbox m ON m.task_id = t.id AND m.operation = 'create' AND m.state NOT IN ('failed', 'cancelled')
  WHERE t.removed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.task_id = t.id AND o.state NOT IN ('confirmed', 'cancelled'))
  UNION ALL
  SELECT t.id, m.ref, t.project_id, t.parent_id, NULL, t.level, t.name, t.status,
    t.priority, t.author_id, t.assignee_id, t.text, t.date_added, t.date_start,
    CASE WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.task_id = n.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed'
        AND json_type(o.fields, '$.date_end') IS NOT NULL)
      THEN (SELECT json_extract(o.fields, '$.date_end') FROM outbox o WHERE o.task_id = n.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed'
        AND json_type(o.fields, '$.date_end') IS NOT NULL ORDER BY o.id DESC LIMIT 1)
      ELSE t.date_end END,
    t.date_closed, t.max_time, t.max_money, t.url,
    (SELECT s.state FROM outbox s WHERE s.task_id = n.task_id AND s.state NOT IN ('confirmed', 'cancelled')
      ORDER BY CASE s.state WHEN 'conflict' THEN 0 WHEN 'failed' THEN 1 WHEN 'uncertain' THEN 2 WHEN 'held' THEN 3 WHEN 'sending' THEN 4 WHEN 'queued' THEN 5 WHEN 'applied' THEN 6 END, s.id DESC LIMIT 1),
    (SELECT s.error FROM outbox s WHERE s.task_id = n.task_id AND s.state NOT IN ('confirmed', 'cancelled')
      ORDER BY CASE s.state WHEN 'conflict' THEN 0 WHEN 'failed' THEN 1 WHEN 'uncertain' THEN 2 WHEN 'held' THEN 3 WHEN 'sending' THEN 4 WHEN 'queued' THEN 5 WHEN 'applied' THEN 6 END, s.id DESC LIMIT 1),
    (SELECT json_group_object(f.key,
        CASE f.type WHEN 'array' THEN json(f.value) ELSE f.value END)
      FROM (SELECT e.key, e.type, e.value, max(o.id)
            FROM outbox o, json_each(o.fields) e WHERE o.task_id = n.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed' AND e.key IN ('name', 'status', 'priority', 'assignee_email', 'date_start', 'date_end', 'date_closed', 'max_time', 'max_money', 'tags') GROUP BY e.key) f)
  FROM outbox n
  JOIN tasks t ON t.id = n.task_id
  LEFT JOIN outbox m ON m.task_id = t.id AND m.operation = 'create' AND m.state NOT IN ('failed', 'cancelled')
  WHERE n.task_id IS NOT NULL AND n.state NOT IN ('confirmed', 'cancelled') AND t.removed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o
      WHERE o.task_id = n.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.id > n.id)
  UNION ALL
  SELECT NULL, c.ref, CAST(json_extract(c.fields, '$.project_id') AS INTEGER),
    CAST(coalesce(json_extract(c.fields, '$.parent_id'), p.task_id) AS INTEGER),
    json_extract(c.fields, '$.parent_ref'), json_extract(c.fields, '$.level'), NULL, 'active',
    1, NULL, NULL, NULL, NULL, NULL,
    CASE WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.ref = c.ref AND (o.id = c.id OR o.depends_on = c.id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed')
        AND json_type(o.fields, '$.date_end') IS NOT NULL)
      THEN (SELECT json_extract(o.fields, '$.date_end') FROM outbox o WHERE o.ref = c.ref AND (o.id = c.id OR o.depends_on = c.id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed')
        AND json_type(o.fields, '$.date_end') IS NOT NULL ORDER BY o.id DESC LIMIT 1)
      ELSE NULL END,
    NULL, NULL, NULL, NULL,
    c.state, c.error,
    (SELECT json_group_object(f.key,
        CASE f.type WHEN 'array' THEN json(f.value) ELSE f.value END)
      FROM (SELECT e.key, e.type, e.value, max(o.id)
            FROM outbox o, json_each(o.fields) e WHERE o.ref = c.ref AND (o.id = c.id OR o.depends_on = c.id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state <> 'failed') GROUP BY e.key) f)
  FROM outbox c
  LEFT JOIN outbox p ON p.id = c.depends_on
  WHERE c.task_id IS NULL AND c.state NOT IN ('confirmed', 'cancelled') AND c.operation = 'create'
    AND NOT (c.state = 'failed' AND EXISTS (SELECT 1 FROM outbox o
      WHERE o.ref = c.ref AND o.operation = 'create' AND o.id > c.id AND o.state <> 'cancelled'))
) k
LEFT JOIN members a ON a.id = k.author_id
LEFT JOIN members b ON b.id = k.assignee_id
--;;
CREATE TRIGGER live_tasks_update INSTEAD OF UPDATE ON live_tasks
BEGIN
  SELECT CASE
    WHEN NEW.id IS NOT OLD.id
      THEN RAISE(ABORT, 'id is the number that the account gave the task; it cannot be set. Name the task in WHERE.')
    WHEN NEW.ref IS NOT OLD.ref
      THEN RAISE(ABORT, 'ref can be given only when a task is created. Leave it out of SET.')
    WHEN NEW.project_id IS NOT OLD.project_id
      THEN RAISE(ABORT, 'The account''s API cannot move a task to another project. Move it in Worksection; the next pull shows it.')
    WHEN NEW.parent_id IS NOT OLD.parent_id
      THEN RAISE(ABORT, 'The account''s API cannot move a task under another parent. Move it in Worksection; the next pull shows it.')
    WHEN NEW.parent_ref IS NOT OLD.parent_ref
      THEN RAISE(ABORT, 'The account''s API cannot move a task under another parent. Move it in Worksection; the next pull shows it.')
    WHEN NEW.level IS NOT OLD.level
      THEN RAISE(ABORT, 'level follows from the parent and cannot be set. Leave it out.')
    WHEN NEW.author_email IS NOT OLD.author_email
      THEN RAISE(ABORT, 'The account''s API cannot change who created a task. Leave author_email out of SET.')
    WHEN NEW.text IS NOT OLD.text
      THEN RAISE(ABORT, 'The account''s API cannot change the text of a task once it is created. Edit it in Worksection, or add a comment there.')
    WHEN NEW.date_added IS NOT OLD.date_added
      THEN RAISE(ABORT, 'date_added is set by the account. Leave it out.')
    WHEN NEW.url IS NOT OLD.url
      THEN RAISE(ABORT, 'url is set by the account. Leave it out.')
    WHEN NEW.sync_state IS NOT OLD.sync_state
      THEN RAISE(ABORT, 'sync_state is kept by syncd. To retry, cancel or resolve a change: syncd queue --help')
    WHEN NEW.sync_error IS NOT OLD.sync_error
      THEN RAISE(ABORT, 'sync_error is kept by syncd. To retry, cancel or resolve a change: syncd queue --help')
    WHEN NEW.checklist IS NOT OLD.checklist
      THEN RAISE(ABORT, 'checklist can be given only when a task is created. Leave it out of SET.')
    WHEN NEW.subscribers IS NOT OLD.subscribers
      THEN RAISE(ABORT, 'subscribers can be given only when a task is created. Leave it out of SET.')
    WHEN NEW.hidden IS NOT OLD.hidden
      THEN RAISE(ABORT, 'hidden can be given only when a task is created. Leave it out of SET.')
    WHEN NEW.mentions IS NOT OLD.mentions
      THEN RAISE(ABORT, 'mentions can be given only when a task is created. Leave it out of SET.')
    WHEN (NEW.name IS NOT OLD.name) AND (NEW.name IS NULL OR trim(NEW.name, ' ' || char(9, 10, 11, 12, 13, 160)) = '')
      THEN RAISE(ABORT, 'name must not be empty. Give the task a title.')
    WHEN (NEW.name IS NOT OLD.name) AND (instr(NEW.name, char(0)) OR instr(NEW.text, char(0)))
      THEN RAISE(ABORT, 'name and text cannot hold a NUL character. Remove it.')
    WHEN (NEW.status IS NOT OLD.status) AND (NEW.status IS NULL OR NEW.status NOT IN ('active', 'done'))
      THEN RAISE(ABORT, 'status must be ''active'' or ''done''.')
    WHEN (NEW.priority IS NOT OLD.priority) AND (NOT CASE typeof(NEW.priority) WHEN 'text' THEN trim(NEW.priority) IN ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10') WHEN 'null' THEN 0 WHEN 'blob' THEN 0 ELSE NEW.priority BETWEEN 0 AND 10 AND NEW.priority = CAST(NEW.priority AS INTEGER) END)
      THEN RAISE(ABORT, 'priority must be a whole number from 0 to 10.')
    WHEN (NEW.date_start IS NOT OLD.date_start) AND (NEW.date_start IS NOT NULL AND NOT (typeof(NEW.date_start) = 'text' AND NEW.date_start GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' AND date(NEW.date_start, '+0 days') IS NEW.date_start AND NEW.date_start >= '0001'))
      THEN RAISE(ABORT, 'date_start must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.')
    WHEN (NEW.date_end IS NOT OLD.date_end) AND (NEW.date_end IS NOT NULL AND NOT (typeof(NEW.date_end) = 'text' AND NEW.date_end GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' AND date(NEW.date_end, '+0 days') IS NEW.date_end AND NEW.date_end >= '0001'))
      THEN RAISE(ABORT, 'date_end must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.')
    WHEN (NEW.date_closed IS NOT OLD.date_closed) AND (NEW.date_closed IS NOT NULL AND NOT (typeof(NEW.date_closed) = 'text' AND substr(NEW.date_closed, 11) IN ('', ' 00:00', ' 00:00:00', ' 00:00:00.000000', 'T00:00', 'T00:00:00') AND substr(NEW.date_closed, 1, 10) GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' AND date(substr(NEW.date_closed, 1, 10), '+0 days') IS substr(NEW.date_closed, 1, 10) AND substr(NEW.date_closed, 1, 10) >= '0001'))
      THEN RAISE(ABORT, 'date_closed must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL. The account takes no time of day.')
    WHEN (NEW.max_time IS NOT OLD.max_time) AND (NEW.max_time IS NOT NULL AND NOT CASE typeof(NEW.max_time) WHEN 'blob' THEN 0 WHEN 'text' THEN NEW.max_time GLOB '[0-9]*' AND NEW.max_time NOT GLOB '*[^0-9.]*' AND NEW.max_time NOT GLOB '*.*.*' AND CAST(NEW.max_time AS REAL) < 100000000000 ELSE NEW.max_time >= 0 AND NEW.max_time < 100000000000 END)
      THEN RAISE(ABORT, 'max_time must be a number of hours from 0 to less than 100000000000, or NULL.')
    WHEN (NEW.max_money IS NOT OLD.max_money) AND (NEW.max_money IS NOT NULL AND NOT CASE typeof(NEW.max_money) WHEN 'blob' THEN 0 WHEN 'text' THEN NEW.max_money GLOB '[0-9]*' AND NEW.max_money NOT GLOB '*[^0-9.]*' AND NEW.max_money NOT GLOB '*.*.*' AND CAST(NEW.max_money AS REAL) < 100000000000 ELSE NEW.max_money >= 0 AND NEW.max_money < 100000000000 END)
      THEN RAISE(ABORT, 'max_money must be a number from 0 to less than 100000000000, or NULL.')
    WHEN (NEW.assignee_email IS NOT OLD.assignee_email) AND (CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END NOT IN ('ANY', 'NOONE') AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email = CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END AND m.kind = 'person' AND m.removed_at IS NULL))
      THEN RAISE(ABORT, 'assignee_email must be the email of a member of the account, ANY, NOONE or NULL. See: SELECT email FROM members.')
    WHEN (NEW.tags IS NOT OLD.tags) AND (EXISTS (SELECT 1 FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' AND trim(e.value) NOT IN (SELECT coalesce(trim(e.value), '') FROM json_each('[' || replace(json_quote('' || OLD.tags), ',', '","') || ']') e) AND CASE WHEN trim(e.value) GLOB '#*' THEN NOT EXISTS (SELECT 1 FROM tags g WHERE g.id = CAST(substr(trim(e.value), 2) AS INTEGER) AND '#' || g.id = trim(e.value)) ELSE NOT EXISTS (SELECT 1 FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END))
      THEN RAISE(ABORT, 'tags holds a label that no tag has. Labels are joined by commas; see: SELECT label, name FROM tags. New tags are made in Worksection.')
    WHEN (NEW.tags IS NOT OLD.tags) AND (EXISTS (SELECT 1 FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' AND trim(e.value) NOT IN (SELECT coalesce(trim(e.value), '') FROM json_each('[' || replace(json_quote('' || OLD.tags), ',', '","') || ']') e) AND trim(e.value) GLOB '#*' AND EXISTS (SELECT 1 FROM tags g WHERE g.id = CAST(substr(trim(e.value), 2) AS INTEGER) AND '#' || g.id = trim(e.value) AND g.removed_at IS NOT NULL)))
      THEN RAISE(ABORT, 'tags holds a tag that the account no longer has. See: SELECT label, name FROM tags WHERE removed_at IS NULL.')
  END;
  INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  SELECT 'reopen', OLD.id, CASE WHEN OLD.id IS NULL THEN OLD.ref END, json_object('status', NEW.status), '{' || substr(CASE WHEN NEW.status IS NOT OLD.status THEN ',"status":' || json_quote(CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.status'), 'active') ELSE (SELECT t.status FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END, 2) || '}', 'queued', 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000',
    coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local'), strftime('%Y%m%dT%H%M%f', 'now'), (SELECT c.id FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1)
  WHERE NEW.status IS NOT OLD.status AND NEW.status = 'active';
  INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  SELECT 'update', OLD.id, CASE WHEN OLD.id IS NULL THEN OLD.ref END, '{' || substr(CASE WHEN (NEW.name IS NOT OLD.name AND CAST(NEW.name AS TEXT) <> OLD.name) THEN ',"name":' || json_quote('' || NEW.name) ELSE '' END
      || CASE WHEN (NEW.priority IS NOT OLD.priority AND CAST(NEW.priority AS INTEGER) <> OLD.priority) THEN ',"priority":' || json_quote(CAST(NEW.priority AS INTEGER)) ELSE '' END
      || CASE WHEN (NEW.assignee_email IS NOT OLD.assignee_email AND CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END <> CASE WHEN OLD.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(OLD.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(OLD.assignee_email)) ELSE lower(trim(OLD.assignee_email)) END) THEN ',"assignee_email":' || json_quote(CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END) ELSE '' END
      || CASE WHEN NEW.date_start IS NOT OLD.date_start THEN ',"date_start":' || json_quote('' || NEW.date_start) ELSE '' END
      || CASE WHEN NEW.date_end IS NOT OLD.date_end THEN ',"date_end":' || json_quote('' || NEW.date_end) ELSE '' END
      || CASE WHEN (NEW.date_closed IS NOT OLD.date_closed AND substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10)) THEN ',"date_closed":' || json_quote(substr(NEW.date_closed, 1, 10)) ELSE '' END
      || CASE WHEN (NEW.max_time IS NOT OLD.max_time AND CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END IS NOT CASE WHEN OLD.max_time IS NULL THEN NULL WHEN round(CAST(OLD.max_time AS REAL), 4) = CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_time AS REAL), 4) END) THEN ',"max_time":' || json_quote(CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END) ELSE '' END
      || CASE WHEN (NEW.max_money IS NOT OLD.max_money AND CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END IS NOT CASE WHEN OLD.max_money IS NULL THEN NULL WHEN round(CAST(OLD.max_money AS REAL), 4) = CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_money AS REAL), 4) END) THEN ',"max_money":' || json_quote(CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END) ELSE '' END
      || CASE WHEN (NEW.tags IS NOT OLD.tags AND (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) <> (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || OLD.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i)) THEN ',"tags":' || (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) ELSE '' END, 2) || '}', '{' || substr(CASE WHEN (NEW.name IS NOT OLD.name AND CAST(NEW.name AS TEXT) <> OLD.name) THEN ',"name":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.name') ELSE (SELECT t.name FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.priority IS NOT OLD.priority AND CAST(NEW.priority AS INTEGER) <> OLD.priority) THEN ',"priority":' || json_quote(CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.priority'), 1) ELSE (SELECT t.priority FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.assignee_email IS NOT OLD.assignee_email AND CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END <> CASE WHEN OLD.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(OLD.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(OLD.assignee_email)) ELSE lower(trim(OLD.assignee_email)) END) THEN ',"assignee_email":' || json_quote(CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.assignee_email'), 'NOONE') ELSE (SELECT coalesce((SELECT m.email FROM members m WHERE m.id = t.assignee_id), 'NOONE') FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN NEW.date_start IS NOT OLD.date_start THEN ',"date_start":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.date_start') ELSE (SELECT t.date_start FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN NEW.date_end IS NOT OLD.date_end THEN ',"date_end":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.date_end') ELSE (SELECT t.date_end FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.date_closed IS NOT OLD.date_closed AND substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10)) THEN ',"date_closed":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.date_closed') ELSE (SELECT substr(t.date_closed, 1, 10) FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.max_time IS NOT OLD.max_time AND CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END IS NOT CASE WHEN OLD.max_time IS NULL THEN NULL WHEN round(CAST(OLD.max_time AS REAL), 4) = CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_time AS REAL), 4) END) THEN ',"max_time":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.max_time') ELSE (SELECT t.max_time FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.max_money IS NOT OLD.max_money AND CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END IS NOT CASE WHEN OLD.max_money IS NULL THEN NULL WHEN round(CAST(OLD.max_money AS REAL), 4) = CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_money AS REAL), 4) END) THEN ',"max_money":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.max_money') ELSE (SELECT t.max_money FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.tags IS NOT OLD.tags AND (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) <> (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || OLD.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i)) THEN ',"tags":' || CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.tags'), '[]') ELSE (SELECT json_group_array(l.tag_id) FROM (SELECT tag_id FROM task_tags WHERE task_id = OLD.id ORDER BY 1) l) END ELSE '' END, 2) || '}', 'queued', 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000',
    coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local'), strftime('%Y%m%dT%H%M%f', 'now'), (SELECT c.id FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1)
  WHERE NOT ((NEW.status IS NOT OLD.status AND NEW.status = 'done') AND (NEW.date_closed IS NOT OLD.date_closed AND substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10))) AND ((NEW.name IS NOT OLD.name AND CAST(NEW.name AS TEXT) <> OLD.name) OR (NEW.priority IS NOT OLD.priority AND CAST(NEW.priority AS INTEGER) <> OLD.priority) OR (NEW.assignee_email IS NOT OLD.assignee_email AND CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END <> CASE WHEN OLD.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(OLD.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(OLD.assignee_email)) ELSE lower(trim(OLD.assignee_email)) END) OR NEW.date_start IS NOT OLD.date_start OR NEW.date_end IS NOT OLD.date_end OR (NEW.date_closed IS NOT OLD.date_closed AND substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10)) OR (NEW.max_time IS NOT OLD.max_time AND CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END IS NOT CASE WHEN OLD.max_time IS NULL THEN NULL WHEN round(CAST(OLD.max_time AS REAL), 4) = CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_time AS REAL), 4) END) OR (NEW.max_money IS NOT OLD.max_money AND CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END IS NOT CASE WHEN OLD.max_money IS NULL THEN NULL WHEN round(CAST(OLD.max_money AS REAL), 4) = CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_money AS REAL), 4) END) OR (NEW.tags IS NOT OLD.tags AND (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) <> (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || OLD.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i)));
  INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  SELECT 'complete', OLD.id, CASE WHEN OLD.id IS NULL THEN OLD.ref END, json_object('status', NEW.status), '{' || substr(CASE WHEN NEW.status IS NOT OLD.status THEN ',"status":' || json_quote(CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.status'), 'active') ELSE (SELECT t.status FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END, 2) || '}', 'queued', 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000',
    coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local'), strftime('%Y%m%dT%H%M%f', 'now'), (SELECT c.id FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1)
  WHERE (NEW.status IS NOT OLD.status AND NEW.status = 'done');
  INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  SELECT 'update', OLD.id, CASE WHEN OLD.id IS NULL THEN OLD.ref END, '{' || substr(CASE WHEN (NEW.name IS NOT OLD.name AND CAST(NEW.name AS TEXT) <> OLD.name) THEN ',"name":' || json_quote('' || NEW.name) ELSE '' END
      || CASE WHEN (NEW.priority IS NOT OLD.priority AND CAST(NEW.priority AS INTEGER) <> OLD.priority) THEN ',"priority":' || json_quote(CAST(NEW.priority AS INTEGER)) ELSE '' END
      || CASE WHEN (NEW.assignee_email IS NOT OLD.assignee_email AND CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END <> CASE WHEN OLD.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(OLD.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(OLD.assignee_email)) ELSE lower(trim(OLD.assignee_email)) END) THEN ',"assignee_email":' || json_quote(CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END) ELSE '' END
      || CASE WHEN NEW.date_start IS NOT OLD.date_start THEN ',"date_start":' || json_quote('' || NEW.date_start) ELSE '' END
      || CASE WHEN NEW.date_end IS NOT OLD.date_end THEN ',"date_end":' || json_quote('' || NEW.date_end) ELSE '' END
      || CASE WHEN (NEW.date_closed IS NOT OLD.date_closed AND substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10)) THEN ',"date_closed":' || json_quote(substr(NEW.date_closed, 1, 10)) ELSE '' END
      || CASE WHEN (NEW.max_time IS NOT OLD.max_time AND CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END IS NOT CASE WHEN OLD.max_time IS NULL THEN NULL WHEN round(CAST(OLD.max_time AS REAL), 4) = CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_time AS REAL), 4) END) THEN ',"max_time":' || json_quote(CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END) ELSE '' END
      || CASE WHEN (NEW.max_money IS NOT OLD.max_money AND CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END IS NOT CASE WHEN OLD.max_money IS NULL THEN NULL WHEN round(CAST(OLD.max_money AS REAL), 4) = CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_money AS REAL), 4) END) THEN ',"max_money":' || json_quote(CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END) ELSE '' END
      || CASE WHEN (NEW.tags IS NOT OLD.tags AND (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) <> (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || OLD.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i)) THEN ',"tags":' || (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) ELSE '' END, 2) || '}', '{' || substr(CASE WHEN (NEW.name IS NOT OLD.name AND CAST(NEW.name AS TEXT) <> OLD.name) THEN ',"name":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.name') ELSE (SELECT t.name FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.priority IS NOT OLD.priority AND CAST(NEW.priority AS INTEGER) <> OLD.priority) THEN ',"priority":' || json_quote(CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.priority'), 1) ELSE (SELECT t.priority FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.assignee_email IS NOT OLD.assignee_email AND CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END <> CASE WHEN OLD.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(OLD.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(OLD.assignee_email)) ELSE lower(trim(OLD.assignee_email)) END) THEN ',"assignee_email":' || json_quote(CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.assignee_email'), 'NOONE') ELSE (SELECT coalesce((SELECT m.email FROM members m WHERE m.id = t.assignee_id), 'NOONE') FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN NEW.date_start IS NOT OLD.date_start THEN ',"date_start":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.date_start') ELSE (SELECT t.date_start FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN NEW.date_end IS NOT OLD.date_end THEN ',"date_end":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.date_end') ELSE (SELECT t.date_end FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.date_closed IS NOT OLD.date_closed AND substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10)) THEN ',"date_closed":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.date_closed') ELSE (SELECT substr(t.date_closed, 1, 10) FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.max_time IS NOT OLD.max_time AND CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END IS NOT CASE WHEN OLD.max_time IS NULL THEN NULL WHEN round(CAST(OLD.max_time AS REAL), 4) = CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_time AS REAL), 4) END) THEN ',"max_time":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.max_time') ELSE (SELECT t.max_time FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.max_money IS NOT OLD.max_money AND CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END IS NOT CASE WHEN OLD.max_money IS NULL THEN NULL WHEN round(CAST(OLD.max_money AS REAL), 4) = CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(OLD.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(OLD.max_money AS REAL), 4) END) THEN ',"max_money":' || json_quote(CASE WHEN OLD.id IS NULL THEN json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.max_money') ELSE (SELECT t.max_money FROM tasks t WHERE t.id = OLD.id) END) ELSE '' END
      || CASE WHEN (NEW.tags IS NOT OLD.tags AND (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) <> (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || OLD.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i)) THEN ',"tags":' || CASE WHEN OLD.id IS NULL THEN coalesce(json_extract((SELECT c.fields FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1), '$.tags'), '[]') ELSE (SELECT json_group_array(l.tag_id) FROM (SELECT tag_id FROM task_tags WHERE task_id = OLD.id ORDER BY 1) l) END ELSE '' END, 2) || '}', 'queued', 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000',
    coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local'), strftime('%Y%m%dT%H%M%f', 'now'), (SELECT c.id FROM outbox c WHERE OLD.id IS NULL AND c.ref = OLD.ref
      AND c.operation = 'create' AND c.state <> 'cancelled' ORDER BY c.id DESC LIMIT 1)
  WHERE ((NEW.status IS NOT OLD.status AND NEW.status = 'done') AND (NEW.date_closed IS NOT OLD.date_closed AND substr(NEW.date_closed, 1, 10) IS NOT substr(OLD.date_closed, 1, 10)));
END
--;;
CREATE TRIGGER live_tasks_insert INSTEAD OF INSERT ON live_tasks
BEGIN
  SELECT RAISE(IGNORE) FROM outbox p WHERE p.ref = NEW.ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled');
  SELECT CASE
    WHEN NEW.id IS NOT NULL
      THEN RAISE(ABORT, 'id is given by the account. Leave it out; name a new task by ref.')
    WHEN NEW.level IS NOT NULL
      THEN RAISE(ABORT, 'level follows from the parent and cannot be set. Leave it out.')
    WHEN NEW.date_added IS NOT NULL
      THEN RAISE(ABORT, 'date_added is set by the account. Leave it out.')
    WHEN NEW.date_closed IS NOT NULL
      THEN RAISE(ABORT, 'A new task is active and has no date_closed. Leave it out.')
    WHEN NEW.url IS NOT NULL
      THEN RAISE(ABORT, 'url is set by the account. Leave it out.')
    WHEN NEW.sync_state IS NOT NULL
      THEN RAISE(ABORT, 'sync_state is kept by syncd. Leave it out.')
    WHEN NEW.sync_error IS NOT NULL
      THEN RAISE(ABORT, 'sync_error is kept by syncd. Leave it out.')
    WHEN NEW.status <> 'active'
      THEN RAISE(ABORT, 'A new task is active. Leave status out, and complete the task afterwards.')
    WHEN NEW.name IS NULL OR trim(NEW.name, ' ' || char(9, 10, 11, 12, 13, 160)) = ''
      THEN RAISE(ABORT, 'name must not be empty. Give the task a title.')
    WHEN instr(NEW.name, char(0)) OR instr(NEW.text, char(0))
      THEN RAISE(ABORT, 'name and text cannot hold a NUL character. Remove it.')
    WHEN (NEW.priority IS NOT NULL) AND (NOT CASE typeof(NEW.priority) WHEN 'text' THEN trim(NEW.priority) IN ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10') WHEN 'null' THEN 0 WHEN 'blob' THEN 0 ELSE NEW.priority BETWEEN 0 AND 10 AND NEW.priority = CAST(NEW.priority AS INTEGER) END)
      THEN RAISE(ABORT, 'priority must be a whole number from 0 to 10.')
    WHEN (NEW.date_start IS NOT NULL) AND (NEW.date_start IS NOT NULL AND NOT (typeof(NEW.date_start) = 'text' AND NEW.date_start GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' AND date(NEW.date_start, '+0 days') IS NEW.date_start AND NEW.date_start >= '0001'))
      THEN RAISE(ABORT, 'date_start must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.')
    WHEN (NEW.date_end IS NOT NULL) AND (NEW.date_end IS NOT NULL AND NOT (typeof(NEW.date_end) = 'text' AND NEW.date_end GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' AND date(NEW.date_end, '+0 days') IS NEW.date_end AND NEW.date_end >= '0001'))
      THEN RAISE(ABORT, 'date_end must be a date of the form YYYY-MM-DD, such as ''2026-02-01'', or NULL.')
    WHEN (NEW.max_time IS NOT NULL) AND (NEW.max_time IS NOT NULL AND NOT CASE typeof(NEW.max_time) WHEN 'blob' THEN 0 WHEN 'text' THEN NEW.max_time GLOB '[0-9]*' AND NEW.max_time NOT GLOB '*[^0-9.]*' AND NEW.max_time NOT GLOB '*.*.*' AND CAST(NEW.max_time AS REAL) < 100000000000 ELSE NEW.max_time >= 0 AND NEW.max_time < 100000000000 END)
      THEN RAISE(ABORT, 'max_time must be a number of hours from 0 to less than 100000000000, or NULL.')
    WHEN (NEW.max_money IS NOT NULL) AND (NEW.max_money IS NOT NULL AND NOT CASE typeof(NEW.max_money) WHEN 'blob' THEN 0 WHEN 'text' THEN NEW.max_money GLOB '[0-9]*' AND NEW.max_money NOT GLOB '*[^0-9.]*' AND NEW.max_money NOT GLOB '*.*.*' AND CAST(NEW.max_money AS REAL) < 100000000000 ELSE NEW.max_money >= 0 AND NEW.max_money < 100000000000 END)
      THEN RAISE(ABORT, 'max_money must be a number from 0 to less than 100000000000, or NULL.')
    WHEN length(NEW.text) > 65536
      THEN RAISE(ABORT, 'text must not be longer than 65536 characters: the account would cut it. Shorten it, or attach a file.')
    WHEN (NEW.checklist IS NOT NULL) AND (CASE WHEN NOT json_valid(NEW.checklist) THEN 1 WHEN json_type(NEW.checklist) <> 'array' THEN 1 ELSE EXISTS (SELECT 1 FROM json_each(NEW.checklist) e WHERE e.type <> 'text') END)
      THEN RAISE(ABORT, 'checklist must be a JSON array of texts, such as ''["one", "two"]''.')
    WHEN (NEW.assignee_email IS NOT NULL) AND (CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END NOT IN ('ANY', 'NOONE') AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email = CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END AND m.kind = 'person' AND m.removed_at IS NULL))
      THEN RAISE(ABORT, 'assignee_email must be the email of a member of the account, ANY, NOONE or NULL. See: SELECT email FROM members.')
    WHEN (NEW.author_email IS NOT NULL) AND (NOT EXISTS (SELECT 1 FROM members m WHERE m.email = lower(trim(NEW.author_email)) AND m.kind = 'person' AND m.removed_at IS NULL))
      THEN RAISE(ABORT, 'author_email must be the email of a member of the account, or NULL for the owner of the key. See: SELECT email FROM members.')
    WHEN (NEW.subscribers IS NOT NULL) AND (EXISTS (SELECT 1 FROM json_each('[' || replace(json_quote('' || NEW.subscribers), ',', '","') || ']') e WHERE trim(e.value) <> '' AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email = lower(trim(e.value)) AND m.kind = 'person' AND m.removed_at IS NULL)))
      THEN RAISE(ABORT, 'subscribers must be emails of members of the account, joined by commas. See: SELECT email FROM members.')
    WHEN (NEW.hidden IS NOT NULL) AND (EXISTS (SELECT 1 FROM json_each('[' || replace(json_quote('' || NEW.hidden), ',', '","') || ']') e WHERE trim(e.value) <> '' AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email = lower(trim(e.value)) AND m.kind = 'person' AND m.removed_at IS NULL)))
      THEN RAISE(ABORT, 'hidden must be emails of members of the account, joined by commas. See: SELECT email FROM members.')
    WHEN (NEW.mentions IS NOT NULL) AND (EXISTS (SELECT 1 FROM json_each('[' || replace(json_quote('' || NEW.mentions), ',', '","') || ']') e WHERE trim(e.value) <> '' AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email = lower(trim(e.value)) AND m.kind = 'person' AND m.removed_at IS NULL)))
      THEN RAISE(ABORT, 'mentions must be emails of members of the account, joined by commas. See: SELECT email FROM members.')
    WHEN (NEW.tags IS NOT NULL) AND (EXISTS (SELECT 1 FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' AND CASE WHEN trim(e.value) GLOB '#*' THEN NOT EXISTS (SELECT 1 FROM tags g WHERE g.id = CAST(substr(trim(e.value), 2) AS INTEGER) AND '#' || g.id = trim(e.value)) ELSE NOT EXISTS (SELECT 1 FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END))
      THEN RAISE(ABORT, 'tags holds a label that no tag has. Labels are joined by commas; see: SELECT label, name FROM tags. New tags are made in Worksection.')
    WHEN (NEW.tags IS NOT NULL) AND (EXISTS (SELECT 1 FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' AND trim(e.value) GLOB '#*' AND EXISTS (SELECT 1 FROM tags g WHERE g.id = CAST(substr(trim(e.value), 2) AS INTEGER) AND '#' || g.id = trim(e.value) AND g.removed_at IS NOT NULL)))
      THEN RAISE(ABORT, 'tags holds a tag that the account no longer has. See: SELECT label, name FROM tags WHERE removed_at IS NULL.')
    WHEN NEW.parent_id IS NOT NULL AND NEW.parent_ref IS NOT NULL
      THEN RAISE(ABORT, 'Give parent_id or parent_ref, not both.')
    WHEN (NEW.parent_id IS NOT NULL) AND (coalesce(
        (SELECT t.project_id FROM tasks t WHERE t.removed_at IS NULL AND t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))),
        (SELECT json_extract(p.fields, '$.project_id') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))) IS NULL)
      THEN RAISE(ABORT, 'parent_id must be the id of a task that is in the account. See: SELECT id, name FROM live_tasks.')
    WHEN (NEW.parent_ref IS NOT NULL) AND (coalesce(
        (SELECT t.project_id FROM tasks t WHERE t.removed_at IS NULL AND t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))),
        (SELECT json_extract(p.fields, '$.project_id') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))) IS NULL)
      THEN RAISE(ABORT, 'parent_ref must be the ref of a task that was queued before, and did not fail. Queue the parent first.')
    WHEN (NEW.project_id IS NOT NULL AND (NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL)) AND (NEW.project_id <> coalesce(
        (SELECT t.project_id FROM tasks t WHERE t.removed_at IS NULL AND t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))),
        (SELECT json_extract(p.fields, '$.project_id') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))))
      THEN RAISE(ABORT, 'The parent is in another project. Leave project_id out, or choose a parent in that project.')
    WHEN ((NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL)) AND (coalesce(
        (SELECT t.level FROM tasks t WHERE t.removed_at IS NULL AND t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))),
        (SELECT json_extract(p.fields, '$.level') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))) > 2)
      THEN RAISE(ABORT, 'Tasks have three levels, and the parent is on the third. Choose its parent instead.')
    WHEN ((NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL)) AND (coalesce(
        (SELECT json_extract(o.fields, '$.status') FROM outbox o
          WHERE o.task_id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))) AND o.state NOT IN ('confirmed', 'cancelled')
            AND o.state <> 'failed' AND json_type(o.fields, '$.status') IS NOT NULL
          ORDER BY o.id DESC LIMIT 1),
        (SELECT t.status FROM tasks t WHERE t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))))) = 'done')
      THEN RAISE(ABORT, 'The parent is done, and the account adds no subtask to it. Reopen it first: UPDATE live_tasks SET status = ''active''.')
    WHEN NEW.project_id IS NULL AND NOT (NEW.parent_id IS NOT NULL OR NEW.parent_ref IS NOT NULL)
      THEN RAISE(ABORT, 'A new task needs a project_id, or a parent.')
    WHEN NOT EXISTS (SELECT 1 FROM projects j WHERE j.removed_at IS NULL AND j.id = coalesce(NEW.project_id, coalesce(
        (SELECT t.project_id FROM tasks t WHERE t.removed_at IS NULL AND t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))),
        (SELECT json_extract(p.fields, '$.project_id') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))))
      THEN RAISE(ABORT, 'project_id must be the id of a project that is in the account. See: SELECT id, name FROM projects.')
  END;
  INSERT INTO outbox (operation, task_id, ref, fields, base, state, attempts, created_at,
    created_by, batch, depends_on)
  SELECT 'create', NULL, coalesce(nullif(NEW.ref, ''), 'new-' || lower(hex(randomblob(8)))), '{' || substr(CASE WHEN 1 THEN ',"project_id":' || json_quote(CAST(coalesce(NEW.project_id, coalesce(
        (SELECT t.project_id FROM tasks t WHERE t.removed_at IS NULL AND t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))),
        (SELECT json_extract(p.fields, '$.project_id') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))) AS INTEGER)) ELSE '' END
      || CASE WHEN coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))) IS NOT NULL THEN ',"parent_id":' || json_quote(CAST(coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))) AS INTEGER)) ELSE '' END
      || CASE WHEN (SELECT p.id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')) IS NOT NULL THEN ',"parent_ref":' || json_quote(NEW.parent_ref) ELSE '' END
      || CASE WHEN 1 THEN ',"level":' || json_quote(coalesce(coalesce(
        (SELECT t.level FROM tasks t WHERE t.removed_at IS NULL AND t.id = coalesce(NEW.parent_id, (SELECT p.task_id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled')))),
        (SELECT json_extract(p.fields, '$.level') FROM outbox p
          WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))), 0) + 1) ELSE '' END
      || CASE WHEN NEW.name IS NOT NULL THEN ',"name":' || json_quote('' || NEW.name) ELSE '' END
      || CASE WHEN NEW.priority IS NOT NULL THEN ',"priority":' || json_quote(CAST(NEW.priority AS INTEGER)) ELSE '' END
      || CASE WHEN NEW.text <> '' THEN ',"text":' || json_quote('' || NEW.text) ELSE '' END
      || CASE WHEN NEW.date_start IS NOT NULL THEN ',"date_start":' || json_quote('' || NEW.date_start) ELSE '' END
      || CASE WHEN NEW.date_end IS NOT NULL THEN ',"date_end":' || json_quote('' || NEW.date_end) ELSE '' END
      || CASE WHEN NEW.max_time IS NOT NULL THEN ',"max_time":' || json_quote(CASE WHEN NEW.max_time IS NULL THEN NULL WHEN round(CAST(NEW.max_time AS REAL), 4) = CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_time AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_time AS REAL), 4) END) ELSE '' END
      || CASE WHEN NEW.max_money IS NOT NULL THEN ',"max_money":' || json_quote(CASE WHEN NEW.max_money IS NULL THEN NULL WHEN round(CAST(NEW.max_money AS REAL), 4) = CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) THEN CAST(round(CAST(NEW.max_money AS REAL), 4) AS INTEGER) ELSE round(CAST(NEW.max_money AS REAL), 4) END) ELSE '' END
      || CASE WHEN NEW.assignee_email IS NOT NULL THEN ',"assignee_email":' || json_quote(CASE WHEN NEW.assignee_email IS NULL THEN 'NOONE' WHEN upper(trim(NEW.assignee_email)) IN ('ANY', 'NOONE') THEN upper(trim(NEW.assignee_email)) ELSE lower(trim(NEW.assignee_email)) END) ELSE '' END
      || CASE WHEN NEW.author_email IS NOT NULL THEN ',"author_email":' || json_quote(lower(trim(NEW.author_email))) ELSE '' END
      || CASE WHEN trim(NEW.tags) <> '' THEN ',"tags":' || (SELECT json_group_array(i.id) FROM (SELECT DISTINCT CASE WHEN trim(e.value) GLOB '#*' THEN CAST(substr(trim(e.value), 2) AS INTEGER) ELSE (SELECT g.id FROM tags g WHERE g.label = trim(e.value) AND g.removed_at IS NULL) END AS id FROM json_each('[' || replace(json_quote('' || NEW.tags), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) ELSE '' END
      || CASE WHEN NEW.checklist IS NOT NULL THEN ',"checklist":' || json(NEW.checklist) ELSE '' END
      || CASE WHEN trim(NEW.subscribers, ' ,') <> '' THEN ',"subscribers":' || (SELECT json_group_array(i.email) FROM (SELECT DISTINCT lower(trim(e.value)) AS email FROM json_each('[' || replace(json_quote('' || NEW.subscribers), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) ELSE '' END
      || CASE WHEN trim(NEW.hidden, ' ,') <> '' THEN ',"hidden":' || (SELECT json_group_array(i.email) FROM (SELECT DISTINCT lower(trim(e.value)) AS email FROM json_each('[' || replace(json_quote('' || NEW.hidden), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) ELSE '' END
      || CASE WHEN trim(NEW.mentions, ' ,') <> '' THEN ',"mentions":' || (SELECT json_group_array(i.email) FROM (SELECT DISTINCT lower(trim(e.value)) AS email FROM json_each('[' || replace(json_quote('' || NEW.mentions), ',', '","') || ']') e WHERE trim(e.value) <> '' ORDER BY 1) i) ELSE '' END, 2) || '}', '{}', 'queued', 0, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000',
    coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local'), strftime('%Y%m%dT%H%M%f', 'now'), (SELECT p.id FROM outbox p
        WHERE p.ref = NEW.parent_ref AND p.task_id IS NULL AND p.operation = 'create' AND p.state NOT IN ('failed', 'cancelled'))
  WHERE 1;
END
--;;
CREATE TRIGGER live_tasks_delete INSTEAD OF DELETE ON live_tasks
BEGIN
  SELECT RAISE(ABORT, 'The account''s API cannot delete tasks. Complete it instead, with UPDATE live_tasks SET status = ''done'', or delete it in Worksection. A creation that was not sent yet: syncd queue cancel ID');
END
--;;
CREATE VIEW live_conflicts (change_id, task_id, ref, field, base, mine, theirs, why, since, keep, chosen_by) AS
WITH sides AS (
  SELECT o.id AS change_id, o.task_id, coalesce(o.ref, m.ref) AS ref, o.error_code AS code,
    t.id IS NULL AS gone, e.key AS field,
    json_type(o.base, '$.' || e.key) IS NOT NULL AS base_known,
    CASE WHEN json_type(o.base, '$.' || e.key) IS NOT NULL THEN CASE
      WHEN e.key = 'tags' THEN (SELECT group_concat(label, ',') FROM (
        SELECT coalesce(g.label, CASE a.type WHEN 'integer' THEN '#' ELSE '' END || a.value)
          AS label FROM json_each(CASE json_type(o.base, '$.tags') WHEN 'array'
      THEN json_extract(o.base, '$.tags') END) a LEFT JOIN tags g ON g.id = a.value ORDER BY 1))
      WHEN e.key IN ('priority', 'max_time', 'max_money') THEN CASE WHEN json_extract(o.base, '$.' || e.key) IS NULL THEN NULL
        WHEN round(CAST(json_extract(o.base, '$.' || e.key) AS REAL), 4) = CAST(round(CAST(json_extract(o.base, '$.' || e.key) AS REAL), 4) AS INTEGER)
        THEN CAST(CAST(round(CAST(json_extract(o.base, '$.' || e.key) AS REAL), 4) AS INTEGER) AS TEXT)
        ELSE CAST(round(CAST(json_extract(o.base, '$.' || e.key) AS REAL), 4) AS TEXT) END
      WHEN e.key IN ('date_start', 'date_end', 'date_closed') THEN substr(json_extract(o.base, '$.' || e.key), 1, 10)
      WHEN e.key = 'assignee_email' THEN CASE
        WHEN upper(trim(coalesce(json_extract(o.base, '$.' || e.key), 'NOONE'))) IN ('ANY', 'NOONE')
        THEN upper(trim(coalesce(json_extract(o.base, '$.' || e.key), 'NOONE'))) ELSE lower(trim(json_extract(o.base, '$.' || e.key))) END
      ELSE json_extract(o.base, '$.' || e.key) END END AS base,
    CASE
      WHEN e.key = 'tags' THEN (SELECT group_concat(label, ',') FROM (
        SELECT coalesce(g.label, CASE a.type WHEN 'integer' THEN '#' ELSE '' END || a.value)
          AS label FROM json_each(CASE json_type(o.fields, '$.tags') WHEN 'array'
      THEN json_extract(o.fields, '$.tags') END) a LEFT JOIN tags g ON g.id = a.value ORDER BY 1))
      WHEN e.key IN ('priority', 'max_time', 'max_money') THEN CASE WHEN json_extract(o.fields, '$.' || e.key) IS NULL THEN NULL
        WHEN round(CAST(json_extract(o.fields, '$.' || e.key) AS REAL), 4) = CAST(round(CAST(json_extract(o.fields, '$.' || e.key) AS REAL), 4) AS INTEGER)
        THEN CAST(CAST(round(CAST(json_extract(o.fields, '$.' || e.key) AS REAL), 4) AS INTEGER) AS TEXT)
        ELSE CAST(round(CAST(json_extract(o.fields, '$.' || e.key) AS REAL), 4) AS TEXT) END
      WHEN e.key IN ('date_start', 'date_end', 'date_closed') THEN substr(json_extract(o.fields, '$.' || e.key), 1, 10)
      WHEN e.key = 'assignee_email' THEN CASE
        WHEN upper(trim(coalesce(json_extract(o.fields, '$.' || e.key), 'NOONE'))) IN ('ANY', 'NOONE')
        THEN upper(trim(coalesce(json_extract(o.fields, '$.' || e.key), 'NOONE'))) ELSE lower(trim(json_extract(o.fields, '$.' || e.key))) END
      ELSE json_extract(o.fields, '$.' || e.key) END AS mine,
    CASE WHEN t.id IS NULL THEN NULL ELSE CASE e.key
      WHEN 'name' THEN t.name
      WHEN 'status' THEN t.status
      WHEN 'priority' THEN CAST(t.priority AS TEXT)
      WHEN 'assignee_email' THEN CASE WHEN coalesce(t.assignee_id, 0) IN (0, 1) THEN 'NOONE'
        WHEN t.assignee_id = 2 THEN 'ANY' ELSE coalesce(b.email, '#' || t.assignee_id) END
      WHEN 'date_start' THEN t.date_start
      WHEN 'date_end' THEN t.date_end
      WHEN 'date_closed' THEN substr(t.date_closed, 1, 10)
      WHEN 'max_time' THEN CASE WHEN t.max_time IS NULL THEN NULL
        WHEN round(CAST(t.max_time AS REAL), 4) = CAST(round(CAST(t.max_time AS REAL), 4) AS INTEGER)
        THEN CAST(CAST(round(CAST(t.max_time AS REAL), 4) AS INTEGER) AS TEXT)
        ELSE CAST(round(CAST(t.max_time AS REAL), 4) AS TEXT) END
      WHEN 'max_money' THEN CASE WHEN t.max_money IS NULL THEN NULL
        WHEN round(CAST(t.max_money AS REAL), 4) = CAST(round(CAST(t.max_money AS REAL), 4) AS INTEGER)
        THEN CAST(CAST(round(CAST(t.max_money AS REAL), 4) AS INTEGER) AS TEXT)
        ELSE CAST(round(CAST(t.max_money AS REAL), 4) AS TEXT) END
      WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (
        SELECT coalesce(g.label, '#' || l.tag_id) AS label FROM task_tags l
        LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = t.id ORDER BY 1))
      END END AS theirs,
    CASE json_type(o.base, '$.tags') WHEN 'array'
      THEN json_extract(o.base, '$.tags') END AS base_tags,
    CASE json_type(o.fields, '$.tags') WHEN 'array'
      THEN json_extract(o.fields, '$.tags') END AS mine_tags
  FROM outbox o
  JOIN json_each(o.fields) e
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
    max(CASE WHEN nullif(CASE s.field WHEN 'name' THEN trim(replace(replace(replace(s.mine, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE s.mine END, '') = nullif(CASE s.field WHEN 'name' THEN trim(replace(replace(replace(s.theirs, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE s.theirs END, '')
      OR nullif(CASE s.field WHEN 'name' THEN trim(replace(replace(replace(s.mine, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE s.mine END, '') IS NULL AND nullif(CASE s.field WHEN 'name' THEN trim(replace(replace(replace(s.theirs, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE s.theirs END, '') IS NULL THEN 1 ELSE 0 END) OVER lane AS ours,
    max(CASE WHEN s.gone = 1 OR s.code = 'removed' THEN 1 ELSE 0 END) OVER one AS removed,
    max(CASE s.code WHEN 'flips' THEN 1 ELSE 0 END) OVER one AS flips
  FROM sides s
  WINDOW one AS (PARTITION BY s.task_id),
    lane AS (PARTITION BY s.task_id, s.field ORDER BY s.change_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
compared AS (
  SELECT l.*,
    CASE WHEN nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.last_mine, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.last_mine END, '') = nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.theirs, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.theirs END, '')
      OR nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.last_mine, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.last_mine END, '') IS NULL AND nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.theirs, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.theirs END, '') IS NULL THEN 0 ELSE 1 END AS differs,
    CASE WHEN l.ours = 1 OR nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.first_base, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.first_base END, '') = nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.theirs, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.theirs END, '')
      OR nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.first_base, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.first_base END, '') IS NULL AND nullif(CASE l.field WHEN 'name' THEN trim(replace(replace(replace(l.theirs, char(13, 10), char(10)), char(13), char(10)), char(160), ' '), ' ' || char(9, 10, 11, 12)) ELSE l.theirs END, '') IS NULL THEN 0 ELSE 1 END AS moved
  FROM lanes l
),
judged AS (
  SELECT c.*,
    CASE WHEN c.removed = 1 THEN 1
      WHEN c.differs = 0 THEN 0
      WHEN c.first_known = 0 AND (c.ours = 0 OR c.field = 'tags') THEN 1
      WHEN c.field = 'tags' THEN CASE WHEN c.flips = 1 AND (EXISTS (SELECT 1 FROM json_each(c.last_tags) a
        WHERE a.value NOT IN (SELECT d.value FROM json_each(c.first_tags) d)
        AND a.value NOT IN (SELECT k.tag_id FROM task_tags k WHERE k.task_id = c.task_id))
      OR EXISTS (SELECT 1 FROM json_each(c.first_tags) a
        WHERE a.value NOT IN (SELECT d.value FROM json_each(c.last_tags) d)
        AND a.value IN (SELECT k.tag_id FROM task_tags k WHERE k.task_id = c.task_id))) THEN 1 ELSE 0 END
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
CREATE TRIGGER live_conflicts_update INSTEAD OF UPDATE ON live_conflicts
BEGIN
  SELECT CASE
    WHEN NEW.change_id IS NOT OLD.change_id OR NEW.task_id IS NOT OLD.task_id OR NEW.ref IS NOT OLD.ref OR NEW.field IS NOT OLD.field OR NEW.base IS NOT OLD.base OR NEW.mine IS NOT OLD.mine OR NEW.theirs IS NOT OLD.theirs OR NEW.why IS NOT OLD.why OR NEW.since IS NOT OLD.since OR NEW.chosen_by IS NOT OLD.chosen_by
      THEN RAISE(ABORT, 'Of a conflict only keep can be set: ''mine'' or ''theirs'', or NULL to take the choice back. For another value: syncd queue cancel ID, and queue it anew.')
    WHEN NEW.keep NOT IN ('mine', 'theirs')
      THEN RAISE(ABORT, 'keep must be ''mine'', ''theirs'', or NULL to take the choice back.')
    WHEN NEW.keep = 'mine' AND OLD.why = 'removed'
      THEN RAISE(ABORT, 'The task is gone from the account, and nothing creates it again. Give the change up: keep = ''theirs''.')
  END;
  DELETE FROM outbox_choices WHERE NEW.keep IS NOT OLD.keep AND field = OLD.field
    AND change_id IN (SELECT o.id FROM outbox o WHERE o.task_id = OLD.task_id AND o.state NOT IN ('confirmed', 'cancelled') AND o.state = 'conflict' AND o.operation <> 'create');
  INSERT INTO outbox_choices (change_id, field, keep, theirs, chosen_at, chosen_by)
  SELECT o.id, OLD.field, NEW.keep, OLD.theirs, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', coalesce((SELECT json_extract(value, '$') FROM sync_state WHERE name = 'actor'), 'sql:local') FROM outbox o
  WHERE NEW.keep IS NOT NULL AND NEW.keep IS NOT OLD.keep AND o.task_id = OLD.task_id
    AND o.state NOT IN ('confirmed', 'cancelled') AND o.state = 'conflict' AND o.operation <> 'create' AND json_type(o.fields, '$.' || OLD.field) IS NOT NULL;
END
--;;
CREATE TRIGGER live_conflicts_insert INSTEAD OF insert ON live_conflicts
BEGIN
  SELECT RAISE(ABORT, 'Conflicts are found by syncd. To choose: UPDATE live_conflicts SET keep = ''mine'' or ''theirs''.');
END
--;;
CREATE TRIGGER live_conflicts_delete INSTEAD OF delete ON live_conflicts
BEGIN
  SELECT RAISE(ABORT, 'A conflict goes when it is resolved: UPDATE live_conflicts SET keep = ''mine'' or ''theirs''. To drop the change: syncd queue cancel ID');
END
