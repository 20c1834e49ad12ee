DROP VIEW IF EXISTS task_changes
--;;
CREATE VIEW task_changes (task_id, at, field, old, new, author, author_id, run_id) AS
SELECT c.task_id, c.at, c.field, c.old, c.new, c.author, c.author_id, c.run_id
FROM (SELECT c.task_id, c.at, c.field, CASE c.field WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(c.old) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old) ELSE c.old END AS old, CASE c.field WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(c.new) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new) ELSE c.new END AS new, c.run_id, (SELECT a.member_name FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE c.field WHEN 'status' THEN a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.new WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.new WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE c.field WHEN 'tags' THEN c.new END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(c.new, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author, (SELECT a.member_id FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE c.field WHEN 'status' THEN a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.new WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.new WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE c.field WHEN 'tags' THEN c.new END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(c.new, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author_id FROM (
  SELECT h.task_id, h.valid_from AS since, h.valid_to AS at, h.run_id,
    CASE f.value WHEN 0 THEN 'name' WHEN 1 THEN 'status' WHEN 2 THEN 'priority' WHEN 3 THEN 'assignee_email' WHEN 4 THEN 'date_start' WHEN 5 THEN 'time_start' WHEN 6 THEN 'date_end' WHEN 7 THEN 'time_end' WHEN 8 THEN 'date_closed' WHEN 9 THEN 'max_time' WHEN 10 THEN 'max_money' WHEN 11 THEN 'tags' WHEN 12 THEN 'project_id' WHEN 13 THEN 'parent_id' WHEN 14 THEN 'level' WHEN 15 THEN 'author_email' WHEN 16 THEN 'date_added' WHEN 17 THEN 'text' WHEN 18 THEN 'extra' WHEN 19 THEN 'removed_reason' END AS field,
    CASE f.value WHEN 0 THEN CAST(h.name AS TEXT) WHEN 1 THEN CAST(h.status AS TEXT) WHEN 2 THEN CAST(h.priority AS TEXT) WHEN 3 THEN CAST(h.assignee_id AS TEXT) WHEN 4 THEN CAST(h.date_start AS TEXT) WHEN 5 THEN CAST(h.time_start AS TEXT) WHEN 6 THEN CAST(h.date_end AS TEXT) WHEN 7 THEN CAST(h.time_end AS TEXT) WHEN 8 THEN CAST(h.date_closed AS TEXT) WHEN 9 THEN CAST(h.max_time AS TEXT) WHEN 10 THEN CAST(h.max_money AS TEXT) WHEN 11 THEN h.tags WHEN 12 THEN CAST(h.project_id AS TEXT) WHEN 13 THEN CAST(h.parent_id AS TEXT) WHEN 14 THEN CAST(h.level AS TEXT) WHEN 15 THEN CAST(h.author_id AS TEXT) WHEN 16 THEN CAST(h.date_added AS TEXT) WHEN 17 THEN CAST(h.text AS TEXT) WHEN 18 THEN CAST(h.extra AS TEXT) WHEN 19 THEN CAST(h.removed_reason AS TEXT) END AS old,
    CASE f.value WHEN 0 THEN CAST(x.name AS TEXT) WHEN 1 THEN CAST(x.status AS TEXT) WHEN 2 THEN CAST(x.priority AS TEXT) WHEN 3 THEN CAST(x.assignee_id AS TEXT) WHEN 4 THEN CAST(x.date_start AS TEXT) WHEN 5 THEN CAST(x.time_start AS TEXT) WHEN 6 THEN CAST(x.date_end AS TEXT) WHEN 7 THEN CAST(x.time_end AS TEXT) WHEN 8 THEN CAST(x.date_closed AS TEXT) WHEN 9 THEN CAST(x.max_time AS TEXT) WHEN 10 THEN CAST(x.max_money AS TEXT) WHEN 11 THEN x.tags WHEN 12 THEN CAST(x.project_id AS TEXT) WHEN 13 THEN CAST(x.parent_id AS TEXT) WHEN 14 THEN CAST(x.level AS TEXT) WHEN 15 THEN CAST(x.author_id AS TEXT) WHEN 16 THEN CAST(x.date_added AS TEXT) WHEN 17 THEN CAST(x.text AS TEXT) WHEN 18 THEN CAST(x.extra AS TEXT) WHEN 19 THEN CAST(x.removed_reason AS TEXT) END AS new
  FROM task_history h JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
  CROSS JOIN json_each('[' || substr(CASE WHEN h.name IS NOT x.name THEN ',0' ELSE '' END || CASE WHEN h.status IS NOT x.status THEN ',1' ELSE '' END || CASE WHEN h.priority IS NOT x.priority THEN ',2' ELSE '' END || CASE WHEN h.assignee_id IS NOT x.assignee_id THEN ',3' ELSE '' END || CASE WHEN h.date_start IS NOT x.date_start THEN ',4' ELSE '' END || CASE WHEN h.time_start IS NOT x.time_start THEN ',5' ELSE '' END || CASE WHEN h.date_end IS NOT x.date_end THEN ',6' ELSE '' END || CASE WHEN h.time_end IS NOT x.time_end THEN ',7' ELSE '' END || CASE WHEN h.date_closed IS NOT x.date_closed THEN ',8' ELSE '' END || CASE WHEN h.max_time IS NOT x.max_time THEN ',9' ELSE '' END || CASE WHEN h.max_money IS NOT x.max_money THEN ',10' ELSE '' END || CASE WHEN h.removed_at IS NULL AND x.removed_at IS NULL AND h.tags IS NOT x.tags THEN ',11' ELSE '' END || CASE WHEN h.project_id IS NOT x.project_id THEN ',12' ELSE '' END || CASE WHEN h.parent_id IS NOT x.parent_id THEN ',13' ELSE '' END || CASE WHEN h.level IS NOT x.level THEN ',14' ELSE '' END || CASE WHEN h.author_id IS NOT x.author_id THEN ',15' ELSE '' END || CASE WHEN h.date_added IS NOT x.date_added THEN ',16' ELSE '' END || CASE WHEN h.text IS NOT x.text THEN ',17' ELSE '' END || CASE WHEN h.extra IS NOT x.extra THEN ',18' ELSE '' END || CASE WHEN h.removed_reason IS NOT x.removed_reason THEN ',19' ELSE '' END, 2) || ']') f
  UNION ALL
  SELECT h.task_id, h.valid_from AS since, h.valid_to AS at, h.run_id,
    CASE f.value WHEN 0 THEN 'name' WHEN 1 THEN 'status' WHEN 2 THEN 'priority' WHEN 3 THEN 'assignee_email' WHEN 4 THEN 'date_start' WHEN 5 THEN 'time_start' WHEN 6 THEN 'date_end' WHEN 7 THEN 'time_end' WHEN 8 THEN 'date_closed' WHEN 9 THEN 'max_time' WHEN 10 THEN 'max_money' WHEN 11 THEN 'tags' WHEN 12 THEN 'project_id' WHEN 13 THEN 'parent_id' WHEN 14 THEN 'level' WHEN 15 THEN 'author_email' WHEN 16 THEN 'date_added' WHEN 17 THEN 'text' WHEN 18 THEN 'extra' WHEN 19 THEN 'removed_reason' END AS field,
    CASE f.value WHEN 0 THEN CAST(h.name AS TEXT) WHEN 1 THEN CAST(h.status AS TEXT) WHEN 2 THEN CAST(h.priority AS TEXT) WHEN 3 THEN CAST(h.assignee_id AS TEXT) WHEN 4 THEN CAST(h.date_start AS TEXT) WHEN 5 THEN CAST(h.time_start AS TEXT) WHEN 6 THEN CAST(h.date_end AS TEXT) WHEN 7 THEN CAST(h.time_end AS TEXT) WHEN 8 THEN CAST(h.date_closed AS TEXT) WHEN 9 THEN CAST(h.max_time AS TEXT) WHEN 10 THEN CAST(h.max_money AS TEXT) WHEN 11 THEN h.tags WHEN 12 THEN CAST(h.project_id AS TEXT) WHEN 13 THEN CAST(h.parent_id AS TEXT) WHEN 14 THEN CAST(h.level AS TEXT) WHEN 15 THEN CAST(h.author_id AS TEXT) WHEN 16 THEN CAST(h.date_added AS TEXT) WHEN 17 THEN CAST(h.text AS TEXT) WHEN 18 THEN CAST(h.extra AS TEXT) WHEN 19 THEN CAST(h.removed_reason AS TEXT) END AS old,
    CASE f.value WHEN 0 THEN CAST(x.name AS TEXT) WHEN 1 THEN CAST(x.status AS TEXT) WHEN 2 THEN CAST(x.priority AS TEXT) WHEN 3 THEN CAST(x.assignee_id AS TEXT) WHEN 4 THEN CAST(x.date_start AS TEXT) WHEN 5 THEN CAST(x.time_start AS TEXT) WHEN 6 THEN CAST(x.date_end AS TEXT) WHEN 7 THEN CAST(x.time_end AS TEXT) WHEN 8 THEN CAST(x.date_closed AS TEXT) WHEN 9 THEN CAST(x.max_time AS TEXT) WHEN 10 THEN CAST(x.max_money AS TEXT) WHEN 11 THEN '[' || coalesce((SELECT group_concat(tag_id, ', ') FROM (SELECT tag_id FROM task_tags WHERE task_id = x.id ORDER BY 1)), '') || ']' WHEN 12 THEN CAST(x.project_id AS TEXT) WHEN 13 THEN CAST(x.parent_id AS TEXT) WHEN 14 THEN CAST(x.level AS TEXT) WHEN 15 THEN CAST(x.author_id AS TEXT) WHEN 16 THEN CAST(x.date_added AS TEXT) WHEN 17 THEN CAST(x.text AS TEXT) WHEN 18 THEN CAST(x.extra AS TEXT) WHEN 19 THEN CAST(x.removed_reason AS TEXT) END AS new
  FROM task_history h JOIN tasks x ON x.id = h.task_id AND x.valid_from = h.valid_to
  CROSS JOIN json_each('[' || substr(CASE WHEN h.name IS NOT x.name THEN ',0' ELSE '' END || CASE WHEN h.status IS NOT x.status THEN ',1' ELSE '' END || CASE WHEN h.priority IS NOT x.priority THEN ',2' ELSE '' END || CASE WHEN h.assignee_id IS NOT x.assignee_id THEN ',3' ELSE '' END || CASE WHEN h.date_start IS NOT x.date_start THEN ',4' ELSE '' END || CASE WHEN h.time_start IS NOT x.time_start THEN ',5' ELSE '' END || CASE WHEN h.date_end IS NOT x.date_end THEN ',6' ELSE '' END || CASE WHEN h.time_end IS NOT x.time_end THEN ',7' ELSE '' END || CASE WHEN h.date_closed IS NOT x.date_closed THEN ',8' ELSE '' END || CASE WHEN h.max_time IS NOT x.max_time THEN ',9' ELSE '' END || CASE WHEN h.max_money IS NOT x.max_money THEN ',10' ELSE '' END || CASE WHEN h.removed_at IS NULL AND x.removed_at IS NULL AND h.tags IS NOT '[' || coalesce((SELECT group_concat(tag_id, ', ') FROM (SELECT tag_id FROM task_tags WHERE task_id = x.id ORDER BY 1)), '') || ']' THEN ',11' ELSE '' END || CASE WHEN h.project_id IS NOT x.project_id THEN ',12' ELSE '' END || CASE WHEN h.parent_id IS NOT x.parent_id THEN ',13' ELSE '' END || CASE WHEN h.level IS NOT x.level THEN ',14' ELSE '' END || CASE WHEN h.author_id IS NOT x.author_id THEN ',15' ELSE '' END || CASE WHEN h.date_added IS NOT x.date_added THEN ',16' ELSE '' END || CASE WHEN h.text IS NOT x.text THEN ',17' ELSE '' END || CASE WHEN h.extra IS NOT x.extra THEN ',18' ELSE '' END || CASE WHEN h.removed_reason IS NOT x.removed_reason THEN ',19' ELSE '' END, 2) || ']') f) c) c
--;;
DROP VIEW IF EXISTS report_projects
--;;
CREATE VIEW report_projects (project_id, project_name, url, status, folder, manager_id, manager_name, date_start, date_end, tasks, open, done, progress, late, estimate_hours, open_estimate_hours, estimate_money, first_start, last_due, last_closed) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT j.id AS project_id, j.name AS project_name, j.url, j.status, j.folder, j.manager_id,
  m.name AS manager_name, j.date_start, j.date_end,
  coalesce(k.tasks, 0) AS tasks, coalesce(k.open, 0) AS open, coalesce(k.tasks - k.open, 0) AS done,
  round(((k.tasks - k.open) * 1000 + k.tasks / 2) / k.tasks / 10.0, 1) AS progress,
  coalesce(k.late, 0) AS late, coalesce(k.hours, 0) AS estimate_hours,
  coalesce(k.open_hours, 0) AS open_estimate_hours, coalesce(k.money, 0) AS estimate_money,
  k.first_start, k.last_due, k.last_closed
FROM projects j
LEFT JOIN members m ON m.id = j.manager_id
LEFT JOIN (
  SELECT t.project_id, count(*) AS tasks,
    sum(CASE WHEN t.status = 'active' THEN 1 ELSE 0 END) AS open,
    sum(CASE WHEN t.status = 'active' AND t.date_end < n.today THEN 1 ELSE 0 END) AS late,
    round(sum(t.max_time), 4) AS hours, round(sum(t.max_money), 4) AS money,
    round(sum(CASE WHEN t.status = 'active' THEN t.max_time END), 4) AS open_hours,
    min(t.date_start) AS first_start, max(t.date_closed) AS last_closed,
    max(CASE WHEN t.status = 'active' THEN t.date_end END) AS last_due
  FROM tasks t CROSS JOIN n WHERE t.removed_at IS NULL GROUP BY t.project_id
) k ON k.project_id = j.id
WHERE j.removed_at IS NULL
--;;
DROP VIEW IF EXISTS report_daily
--;;
CREATE VIEW report_daily (day, project_id, project_name, added, closed, reopened, removed, restored, open, done, total) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT json_extract(e.value, '$[0]') AS from_at, json_extract(e.value, '$[1]') AS seconds FROM sync_state s, json_each(s.value, '$.offsets') e WHERE s.name = 'clock'),
kind (effect) AS (SELECT 'closed' UNION ALL SELECT 'reopened' UNION ALL SELECT 'removed'
  UNION ALL SELECT 'restored'),
step AS (
  SELECT t.project_id, coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')) AS born, t.status, t.date_closed, t.valid_from, t.removed_at,
    NULL AS ended_at, NULL AS next_removed_at, TRUE AS turns
  FROM tasks t WHERE t.status = 'done' OR t.removed_at IS NOT NULL
  UNION ALL
  SELECT t.project_id, coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')), h.status, h.date_closed, h.valid_from, h.removed_at, h.valid_to,
    coalesce(x.removed_at, CASE WHEN t.valid_from = h.valid_to THEN t.removed_at END), coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status
  FROM task_history h JOIN tasks t ON t.id = h.task_id
  LEFT JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
    AND (x.status = 'done' OR x.removed_at IS NOT NULL)
  WHERE (h.status = 'done' OR h.removed_at IS NOT NULL) AND (coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status OR h.removed_at IS NOT NULL)),
ledger AS (
  SELECT t.project_id, min(coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT x.project_id, min(max(CASE k.effect WHEN 'closed' THEN coalesce(substr(x.date_closed, 1, 10), date(substr(x.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')) WHEN 'removed' THEN date(substr(x.removed_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.removed_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds') ELSE date(substr(x.ended_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.ended_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds') END, x.born), (SELECT today FROM n)), 0, CASE k.effect WHEN 'closed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'reopened' THEN 1 ELSE 0 END, CASE k.effect WHEN 'removed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'restored' THEN 1 ELSE 0 END,
    CASE k.effect WHEN 'closed' THEN -1 WHEN 'reopened' THEN 1 WHEN 'removed' THEN -CASE WHEN x.status = 'active' THEN 1 ELSE 0 END ELSE CASE WHEN x.status = 'active' THEN 1 ELSE 0 END END, CASE k.effect WHEN 'closed' THEN 1 WHEN 'reopened' THEN -1 WHEN 'removed' THEN -CASE WHEN x.status = 'done' THEN 1 ELSE 0 END ELSE CASE WHEN x.status = 'done' THEN 1 ELSE 0 END END
  FROM step x CROSS JOIN kind k WHERE 1 = CASE k.effect
    WHEN 'closed' THEN CASE WHEN x.turns AND x.status = 'done' THEN 1 END
    WHEN 'reopened' THEN CASE WHEN x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
      THEN 1 END
    WHEN 'removed' THEN CASE WHEN x.removed_at IS NOT NULL AND x.next_removed_at IS NULL THEN 1 END
    WHEN 'restored' THEN CASE WHEN x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
      AND x.ended_at IS NOT NULL THEN 1 END END),
daily AS (SELECT project_id, day, sum(added) AS added, sum(closed) AS closed, sum(reopened) AS reopened, sum(removed) AS removed, sum(restored) AS restored, sum(more_open) AS more_open, sum(more_done) AS more_done FROM ledger GROUP BY project_id, day),
running AS (
  SELECT x.*, CAST(sum(x.more_open) OVER w AS bigint) AS open,
    CAST(sum(x.more_done) OVER w AS bigint) AS done, lead(x.day, 1, date((SELECT today FROM n), '+1 days')) OVER w AS next_day
  FROM daily x WINDOW w AS (PARTITION BY x.project_id ORDER BY x.day))
SELECT date(k.day, e.key || ' days') AS day, k.project_id, j.name AS project_name, CASE e.key WHEN 0 THEN k.added ELSE 0 END AS added, CASE e.key WHEN 0 THEN k.closed ELSE 0 END AS closed, CASE e.key WHEN 0 THEN k.reopened ELSE 0 END AS reopened, CASE e.key WHEN 0 THEN k.removed ELSE 0 END AS removed, CASE e.key WHEN 0 THEN k.restored ELSE 0 END AS restored,
  k.open, k.done, k.open + k.done AS total
FROM running k
CROSS JOIN json_each('[0' || replace(hex(zeroblob(CAST(julianday(k.next_day) - julianday(k.day) AS INTEGER) - 1)), '00', ',0') || ']') e
LEFT JOIN projects j ON j.id = k.project_id
--;;
DROP VIEW IF EXISTS report_throughput
--;;
CREATE VIEW report_throughput (week_start, added, closed, reopened, removed, restored, net, open_at_end) AS
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT json_extract(e.value, '$[0]') AS from_at, json_extract(e.value, '$[1]') AS seconds FROM sync_state s, json_each(s.value, '$.offsets') e WHERE s.name = 'clock'),
kind (effect) AS (SELECT 'closed' UNION ALL SELECT 'reopened' UNION ALL SELECT 'removed'
  UNION ALL SELECT 'restored'),
step AS (
  SELECT t.project_id, coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')) AS born, t.status, t.date_closed, t.valid_from, t.removed_at,
    NULL AS ended_at, NULL AS next_removed_at, TRUE AS turns
  FROM tasks t WHERE t.status = 'done' OR t.removed_at IS NOT NULL
  UNION ALL
  SELECT t.project_id, coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')), h.status, h.date_closed, h.valid_from, h.removed_at, h.valid_to,
    coalesce(x.removed_at, CASE WHEN t.valid_from = h.valid_to THEN t.removed_at END), coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status
  FROM task_history h JOIN tasks t ON t.id = h.task_id
  LEFT JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
    AND (x.status = 'done' OR x.removed_at IS NOT NULL)
  WHERE (h.status = 'done' OR h.removed_at IS NOT NULL) AND (coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status OR h.removed_at IS NOT NULL)),
ledger AS (
  SELECT t.project_id, min(coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT x.project_id, min(max(CASE k.effect WHEN 'closed' THEN coalesce(substr(x.date_closed, 1, 10), date(substr(x.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')) WHEN 'removed' THEN date(substr(x.removed_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.removed_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds') ELSE date(substr(x.ended_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.ended_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds') END, x.born), (SELECT today FROM n)), 0, CASE k.effect WHEN 'closed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'reopened' THEN 1 ELSE 0 END, CASE k.effect WHEN 'removed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'restored' THEN 1 ELSE 0 END,
    CASE k.effect WHEN 'closed' THEN -1 WHEN 'reopened' THEN 1 WHEN 'removed' THEN -CASE WHEN x.status = 'active' THEN 1 ELSE 0 END ELSE CASE WHEN x.status = 'active' THEN 1 ELSE 0 END END, CASE k.effect WHEN 'closed' THEN 1 WHEN 'reopened' THEN -1 WHEN 'removed' THEN -CASE WHEN x.status = 'done' THEN 1 ELSE 0 END ELSE CASE WHEN x.status = 'done' THEN 1 ELSE 0 END END
  FROM step x CROSS JOIN kind k WHERE 1 = CASE k.effect
    WHEN 'closed' THEN CASE WHEN x.turns AND x.status = 'done' THEN 1 END
    WHEN 'reopened' THEN CASE WHEN x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
      THEN 1 END
    WHEN 'removed' THEN CASE WHEN x.removed_at IS NOT NULL AND x.next_removed_at IS NULL THEN 1 END
    WHEN 'restored' THEN CASE WHEN x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
      AND x.ended_at IS NOT NULL THEN 1 END END),
daily AS MATERIALIZED (SELECT day, sum(added) AS added, sum(closed) AS closed, sum(reopened) AS reopened, sum(removed) AS removed, sum(restored) AS restored, sum(more_open) AS more_open, sum(more_done) AS more_done FROM ledger GROUP BY day),
weekly AS MATERIALIZED (
  SELECT w.week, sum(added) AS added, sum(closed) AS closed, sum(reopened) AS reopened, sum(removed) AS removed, sum(restored) AS restored, sum(more_open) AS more_open, sum(more_done) AS more_done FROM (SELECT date(day, 'weekday 0', '-6 days') AS week, daily.* FROM daily) w
  GROUP BY w.week),
calendar (week) AS (
  SELECT min(week) FROM weekly WHERE week IS NOT NULL
  UNION ALL
  SELECT date(c.week, '+7 days') FROM calendar c CROSS JOIN n
  WHERE date(c.week, '+7 days') <= n.today)
SELECT c.week AS week_start, CAST(coalesce(x.added, 0) AS bigint) AS added, CAST(coalesce(x.closed, 0) AS bigint) AS closed, CAST(coalesce(x.reopened, 0) AS bigint) AS reopened, CAST(coalesce(x.removed, 0) AS bigint) AS removed, CAST(coalesce(x.restored, 0) AS bigint) AS restored, CAST(coalesce(x.more_open, 0) AS bigint) AS net,
  CAST(sum(coalesce(x.more_open, 0)) OVER (ORDER BY c.week) AS bigint) AS open_at_end
FROM calendar c
LEFT JOIN weekly x ON x.week = c.week
WHERE c.week IS NOT NULL
--;;
DROP VIEW IF EXISTS report_due_slips
--;;
CREATE VIEW report_due_slips (task_id, task_name, project_id, project_name, seen_at, from_date, to_date, days, author, author_id, run_id) AS
SELECT c.task_id, c.task_name, c.project_id, j.name AS project_name, c.at AS seen_at,
  c.before AS from_date, c.after AS to_date, CAST(julianday(c.after) - julianday(c.before) AS INTEGER) AS days,
  c.author, c.author_id, c.run_id
FROM (SELECT c.task_id, c.task_name, c.project_id, c.at, c.run_id, c.before, c.after, (SELECT a.member_name FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE 'date_end' WHEN 'status' THEN a.action = CASE c.after WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.after IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.after WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.after WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE 'date_end' WHEN 'tags' THEN c.after END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(c.after, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author, (SELECT a.member_id FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE 'date_end' WHEN 'status' THEN a.action = CASE c.after WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.after IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.after WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.after WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE 'date_end' WHEN 'tags' THEN c.after END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(c.after, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author_id FROM (
  SELECT t.id AS task_id, t.name AS task_name, t.project_id, h.valid_from AS since, h.valid_to AS at, h.run_id, h.date_end AS before, x.date_end AS after
  FROM task_history h
  JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
  JOIN tasks t ON t.id = h.task_id
  WHERE h.date_end IS NOT x.date_end
  UNION ALL
  SELECT t.id, t.name, t.project_id, h.valid_from AS since, h.valid_to AS at, h.run_id, h.date_end AS before, t.date_end
  FROM task_history h JOIN tasks t ON t.id = h.task_id AND t.valid_from = h.valid_to
  WHERE h.date_end IS NOT t.date_end) c) c
LEFT JOIN projects j ON j.id = c.project_id
