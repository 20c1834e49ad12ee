DROP VIEW IF EXISTS report_today
--;;
CREATE VIEW report_today (now_at, today, local_now, time_zone, ahead_of_utc_s) AS
WITH clock AS MATERIALIZED (SELECT json_extract(e.value, '$[0]') AS from_at, json_extract(e.value, '$[1]') AS seconds FROM sync_state s, json_each(s.value, '$.offsets') e WHERE s.name = 'clock')
SELECT n.now_at, date(substr(n.now_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= n.now_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds') AS today, datetime(substr(n.now_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= n.now_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds') AS local_now,
  (SELECT json_extract(s.value, '$.zone') FROM sync_state s WHERE s.name = 'clock') AS time_zone,
  coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= n.now_at ORDER BY c.from_at DESC LIMIT 1), 0) AS ahead_of_utc_s
FROM (SELECT strftime('%Y-%m-%d %H:%M:%f', 'now') || '000' AS now_at) n
--;;
DROP VIEW IF EXISTS task_versions
--;;
CREATE VIEW task_versions (task_id, valid_from, valid_to, ended_by_run_id, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, tags, tag_ids) AS
SELECT k.task_id, k.valid_from, k.valid_to, k.ended_by_run_id, k.project_id, k.parent_id, k.level, k.name, k.page, k.url, k.status, k.priority, k.author_id, k.assignee_id, k.text, k.date_added, k.added_at, k.date_start, k.time_start, k.date_end, k.time_end, k.date_closed, k.closed_at, k.max_time, k.max_money, k.extra, k.removed_at, k.removed_reason,
  CASE WHEN k.then_tags IS NULL THEN (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || l.tag_id) AS label FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = k.task_id ORDER BY 1))
    ELSE (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(k.then_tags) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)) END AS tags,
  CASE WHEN k.then_tags IS NULL THEN (SELECT group_concat(tag_id, ',') FROM
      (SELECT tag_id FROM task_tags WHERE task_id = k.task_id ORDER BY 1))
    ELSE nullif(replace(trim(k.then_tags, '[]'), ' ', ''), '') END AS tag_ids
FROM (
  SELECT task_id, valid_from, valid_to, run_id AS ended_by_run_id, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, tags AS then_tags
  FROM task_history
  UNION ALL
  SELECT id, valid_from, NULL, NULL, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, NULL FROM tasks
) k
--;;
DROP VIEW IF EXISTS task_changes
--;;
CREATE VIEW task_changes (task_id, at, field, old, new, author, author_id, run_id) AS
SELECT c.task_id, c.at, c.field, CASE c.field WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(c.old) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old) ELSE c.old END AS old, CASE c.field WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(c.new) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new) ELSE c.new END AS new,
  (SELECT a.member_name FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE c.field WHEN 'status' THEN a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.new WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.new WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE c.field WHEN 'tags' THEN c.new END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(c.new, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author, (SELECT a.member_id FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE c.field WHEN 'status' THEN a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.new WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.new WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE c.field WHEN 'tags' THEN c.new END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(substr(c.new, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || c.field) AS TEXT) = coalesce(c.new, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author_id, c.run_id
FROM (
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
  CROSS JOIN json_each('[' || substr(CASE WHEN h.name IS NOT x.name THEN ',0' ELSE '' END || CASE WHEN h.status IS NOT x.status THEN ',1' ELSE '' END || CASE WHEN h.priority IS NOT x.priority THEN ',2' ELSE '' END || CASE WHEN h.assignee_id IS NOT x.assignee_id THEN ',3' ELSE '' END || CASE WHEN h.date_start IS NOT x.date_start THEN ',4' ELSE '' END || CASE WHEN h.time_start IS NOT x.time_start THEN ',5' ELSE '' END || CASE WHEN h.date_end IS NOT x.date_end THEN ',6' ELSE '' END || CASE WHEN h.time_end IS NOT x.time_end THEN ',7' ELSE '' END || CASE WHEN h.date_closed IS NOT x.date_closed THEN ',8' ELSE '' END || CASE WHEN h.max_time IS NOT x.max_time THEN ',9' ELSE '' END || CASE WHEN h.max_money IS NOT x.max_money THEN ',10' ELSE '' END || CASE WHEN h.removed_at IS NULL AND x.removed_at IS NULL AND h.tags IS NOT '[' || coalesce((SELECT group_concat(tag_id, ', ') FROM (SELECT tag_id FROM task_tags WHERE task_id = x.id ORDER BY 1)), '') || ']' THEN ',11' ELSE '' END || CASE WHEN h.project_id IS NOT x.project_id THEN ',12' ELSE '' END || CASE WHEN h.parent_id IS NOT x.parent_id THEN ',13' ELSE '' END || CASE WHEN h.level IS NOT x.level THEN ',14' ELSE '' END || CASE WHEN h.author_id IS NOT x.author_id THEN ',15' ELSE '' END || CASE WHEN h.date_added IS NOT x.date_added THEN ',16' ELSE '' END || CASE WHEN h.text IS NOT x.text THEN ',17' ELSE '' END || CASE WHEN h.extra IS NOT x.extra THEN ',18' ELSE '' END || CASE WHEN h.removed_reason IS NOT x.removed_reason THEN ',19' ELSE '' END, 2) || ']') f
) c
--;;
DROP VIEW IF EXISTS report_tasks
--;;
CREATE VIEW report_tasks (id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT t.id, t.name,
  CASE t.level WHEN 1 THEN '' WHEN 2 THEN coalesce(p.name, '#' || t.parent_id) || ' / '
    ELSE coalesce(q.name, '#' || p.parent_id, '?') || ' / '
      || coalesce(p.name, '#' || t.parent_id) || ' / ' END || t.name AS path,
  t.url, t.project_id, j.name AS project_name, j.status AS project_status, j.folder,
  t.parent_id, p.name AS parent_name, coalesce(p.parent_id, t.parent_id, t.id) AS root_id,
  CASE WHEN t.parent_id IS NULL THEN t.name WHEN p.parent_id IS NULL THEN p.name
    ELSE q.name END AS root_name,
  t.level, t.status, t.status = 'active' AS is_open,
  coalesce(t.status = 'active' AND t.date_end < n.today, FALSE) AS is_overdue,
  CASE WHEN CAST(julianday(CASE WHEN t.status = 'done' THEN substr(t.date_closed, 1, 10) ELSE n.today END) - julianday(t.date_end) AS INTEGER) < 0 THEN 0 ELSE CAST(julianday(CASE WHEN t.status = 'done' THEN substr(t.date_closed, 1, 10) ELSE n.today END) - julianday(t.date_end) AS INTEGER) END AS days_late,
  t.priority, t.author_id, a.name AS author_name, a.email AS author_email,
  t.assignee_id, w.name AS assignee_name, w.email AS assignee_email, w.kind AS assignee_kind,
  t.date_added, t.date_start, t.time_start, t.date_end, t.time_end, t.date_closed,
  t.added_at, t.closed_at, t.max_time, t.max_money,
  (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || l.tag_id) AS label FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = t.id ORDER BY 1)) AS tags,
  (SELECT count(*) FROM tasks c
      WHERE c.parent_id = t.id AND c.removed_at IS NULL)
    + (SELECT count(*) FROM tasks c JOIN tasks e ON e.parent_id = c.id
      WHERE c.parent_id = t.id AND e.removed_at IS NULL) AS subtasks,
  (SELECT count(*) FROM tasks c
      WHERE c.parent_id = t.id AND c.removed_at IS NULL AND c.status = 'active')
    + (SELECT count(*) FROM tasks c JOIN tasks e ON e.parent_id = c.id
      WHERE c.parent_id = t.id AND e.removed_at IS NULL AND e.status = 'active') AS open_subtasks,
  (SELECT count(*) FROM files f WHERE f.task_id = t.id AND f.removed_at IS NULL) AS files,
  (SELECT count(DISTINCT r.from_task_id) FROM task_relations r
    JOIN tasks b ON b.id = r.from_task_id AND b.status = 'active' AND b.removed_at IS NULL
    CROSS JOIN n WHERE (r.type = 'finish-to-start' OR b.date_start IS NULL OR b.date_start > n.today) AND r.to_task_id = t.id) AS open_blockers,
  t.suspect_at IS NOT NULL AS is_suspect, t.valid_from
FROM tasks t
CROSS JOIN n
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN tasks p ON p.id = t.parent_id
LEFT JOIN tasks q ON q.id = p.parent_id
LEFT JOIN members a ON a.id = t.author_id
LEFT JOIN members w ON w.id = t.assignee_id
WHERE t.removed_at IS NULL
--;;
DROP VIEW IF EXISTS report_open
--;;
CREATE VIEW report_open (id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from) AS
SELECT id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from FROM report_tasks WHERE status = 'active'
--;;
DROP VIEW IF EXISTS report_overdue
--;;
CREATE VIEW report_overdue (id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from) AS
SELECT id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from FROM report_tasks WHERE is_overdue
--;;
DROP VIEW IF EXISTS report_workload
--;;
CREATE VIEW report_workload (member_id, member_name, member_email, member_kind, week_start, tasks, overdue_tasks, tasks_without_estimate, estimate_hours, estimate_money) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT k.assignee_id AS member_id, m.name AS member_name, m.email AS member_email,
  m.kind AS member_kind, k.week AS week_start, k.tasks, k.overdue AS overdue_tasks,
  k.unestimated AS tasks_without_estimate, k.hours AS estimate_hours, k.money AS estimate_money
FROM (
  SELECT w.assignee_id, w.week, count(*) AS tasks,
    sum(CASE WHEN w.overdue THEN 1 ELSE 0 END) AS overdue,
    sum(CASE WHEN w.max_time IS NULL THEN 1 ELSE 0 END) AS unestimated,
    coalesce(round(sum(w.max_time), 4), 0) AS hours,
    coalesce(round(sum(w.max_money), 4), 0) AS money
  FROM (
    SELECT t.assignee_id, t.max_time, t.max_money, t.date_end < n.today AS overdue,
      CASE WHEN t.date_end IS NOT NULL THEN date(max(t.date_end, n.today), 'weekday 0', '-6 days') END AS week
    FROM tasks t CROSS JOIN n
    WHERE t.removed_at IS NULL AND t.status = 'active'
  ) w
  GROUP BY w.assignee_id, w.week
) k
LEFT JOIN members m ON m.id = k.assignee_id
--;;
DROP VIEW IF EXISTS report_projects
--;;
CREATE VIEW report_projects (project_id, project_name, url, status, folder, manager_id, manager_name, date_start, date_end, tasks, open, done, progress, late, estimate_hours, open_estimate_hours, estimate_money, first_start, last_due, last_closed) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT j.id AS project_id, j.name AS project_name, j.url, j.status, j.folder, j.manager_id,
  m.name AS manager_name, j.date_start, j.date_end,
  coalesce(k.tasks, 0) AS tasks, coalesce(k.open, 0) AS open, coalesce(k.tasks - k.open, 0) AS done,
  ((k.tasks - k.open) * 1000 + k.tasks / 2) / k.tasks / 10.0 AS progress,
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
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT json_extract(e.value, '$[0]') AS from_at, json_extract(e.value, '$[1]') AS seconds FROM sync_state s, json_each(s.value, '$.offsets') e WHERE s.name = 'clock'),
image AS (
  SELECT t.id, t.status, t.date_closed, t.valid_from, t.removed_at, NULL AS ended_at
  FROM tasks t WHERE t.status = 'done' OR t.removed_at IS NOT NULL
  UNION ALL
  SELECT h.task_id, h.status, h.date_closed, h.valid_from, h.removed_at, h.valid_to
  FROM task_history h WHERE h.status = 'done' OR h.removed_at IS NOT NULL),
paired AS (
  SELECT i.*, CASE WHEN lead(i.valid_from) OVER w = i.ended_at THEN lead(i.status) OVER w END
      AS next_status,
    CASE WHEN lead(i.valid_from) OVER w = i.ended_at THEN lead(i.removed_at) OVER w END
      AS next_removed_at
  FROM image i WINDOW w AS (PARTITION BY i.id ORDER BY i.valid_from)),
step AS MATERIALIZED (
  SELECT x.*, coalesce(x.next_status, '') <> x.status AS turns
  FROM paired x WHERE coalesce(x.next_status, '') <> x.status OR x.removed_at IS NOT NULL),
happened AS (
  SELECT x.id, coalesce(substr(x.date_closed, 1, 10), date(substr(x.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')) AS day, 0 AS added, 1 AS closed, 0 AS reopened, 0 AS removed,
    0 AS restored, -1 AS more_open, 1 AS more_done
  FROM step x WHERE x.turns AND x.status = 'done'
  UNION ALL
  SELECT x.id, date(substr(x.ended_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.ended_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'), 0, 0, 1, 0, 0, 1, -1
  FROM step x WHERE x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
  UNION ALL
  SELECT x.id, date(substr(x.removed_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.removed_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'), 0, 0, 0, 1, 0,
    CASE x.status WHEN 'active' THEN -1 ELSE 0 END, CASE x.status WHEN 'done' THEN -1 ELSE 0 END
  FROM step x WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
  UNION ALL
  SELECT x.id, date(substr(x.ended_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.ended_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'), 0, 0, 0, 0, 1,
    CASE x.status WHEN 'active' THEN 1 ELSE 0 END, CASE x.status WHEN 'done' THEN 1 ELSE 0 END
  FROM step x
  WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL AND x.ended_at IS NOT NULL),
ledger AS (
  SELECT t.project_id, min(coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT t.project_id, min(max(e.day, coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'))), (SELECT today FROM n)), e.added, e.closed, e.reopened, e.removed, e.restored,
    e.more_open, e.more_done
  FROM happened e JOIN tasks t ON t.id = e.id),
daily AS MATERIALIZED (SELECT project_id, day, sum(added) AS added, sum(closed) AS closed, sum(reopened) AS reopened, sum(removed) AS removed, sum(restored) AS restored, sum(more_open) AS more_open, sum(more_done) AS more_done FROM ledger GROUP BY project_id, day),
first AS MATERIALIZED (SELECT project_id, min(day) AS day FROM daily GROUP BY project_id),
calendar (day) AS (
  SELECT min(day) FROM first
  UNION ALL
  SELECT date(c.day, '+1 days') FROM calendar c CROSS JOIN n WHERE c.day < n.today)
SELECT k.day, k.project_id, j.name AS project_name, k.added, k.closed, k.reopened, k.removed, k.restored,
  k.open, k.done, k.open + k.done AS total
FROM (
  SELECT c.day, f.project_id, CAST(coalesce(x.added, 0) AS bigint) AS added, CAST(coalesce(x.closed, 0) AS bigint) AS closed, CAST(coalesce(x.reopened, 0) AS bigint) AS reopened, CAST(coalesce(x.removed, 0) AS bigint) AS removed, CAST(coalesce(x.restored, 0) AS bigint) AS restored,
    CAST(sum(coalesce(x.more_open, 0)) OVER (PARTITION BY f.project_id ORDER BY c.day) AS bigint) AS open,
    CAST(sum(coalesce(x.more_done, 0)) OVER (PARTITION BY f.project_id ORDER BY c.day) AS bigint) AS done
  FROM first f
  JOIN calendar c ON c.day >= f.day
  LEFT JOIN daily x ON x.project_id = f.project_id AND x.day = c.day
) k
LEFT JOIN projects j ON j.id = k.project_id
--;;
DROP VIEW IF EXISTS report_throughput
--;;
CREATE VIEW report_throughput (week_start, added, closed, reopened, removed, restored, net, open_at_end) AS
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT json_extract(e.value, '$[0]') AS from_at, json_extract(e.value, '$[1]') AS seconds FROM sync_state s, json_each(s.value, '$.offsets') e WHERE s.name = 'clock'),
image AS (
  SELECT t.id, t.status, t.date_closed, t.valid_from, t.removed_at, NULL AS ended_at
  FROM tasks t WHERE t.status = 'done' OR t.removed_at IS NOT NULL
  UNION ALL
  SELECT h.task_id, h.status, h.date_closed, h.valid_from, h.removed_at, h.valid_to
  FROM task_history h WHERE h.status = 'done' OR h.removed_at IS NOT NULL),
paired AS (
  SELECT i.*, CASE WHEN lead(i.valid_from) OVER w = i.ended_at THEN lead(i.status) OVER w END
      AS next_status,
    CASE WHEN lead(i.valid_from) OVER w = i.ended_at THEN lead(i.removed_at) OVER w END
      AS next_removed_at
  FROM image i WINDOW w AS (PARTITION BY i.id ORDER BY i.valid_from)),
step AS MATERIALIZED (
  SELECT x.*, coalesce(x.next_status, '') <> x.status AS turns
  FROM paired x WHERE coalesce(x.next_status, '') <> x.status OR x.removed_at IS NOT NULL),
happened AS (
  SELECT x.id, coalesce(substr(x.date_closed, 1, 10), date(substr(x.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')) AS day, 0 AS added, 1 AS closed, 0 AS reopened, 0 AS removed,
    0 AS restored, -1 AS more_open, 1 AS more_done
  FROM step x WHERE x.turns AND x.status = 'done'
  UNION ALL
  SELECT x.id, date(substr(x.ended_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.ended_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'), 0, 0, 1, 0, 0, 1, -1
  FROM step x WHERE x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
  UNION ALL
  SELECT x.id, date(substr(x.removed_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.removed_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'), 0, 0, 0, 1, 0,
    CASE x.status WHEN 'active' THEN -1 ELSE 0 END, CASE x.status WHEN 'done' THEN -1 ELSE 0 END
  FROM step x WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
  UNION ALL
  SELECT x.id, date(substr(x.ended_at, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= x.ended_at ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'), 0, 0, 0, 0, 1,
    CASE x.status WHEN 'active' THEN 1 ELSE 0 END, CASE x.status WHEN 'done' THEN 1 ELSE 0 END
  FROM step x
  WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL AND x.ended_at IS NOT NULL),
ledger AS (
  SELECT t.project_id, min(coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds')), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT t.project_id, min(max(e.day, coalesce(substr(t.date_added, 1, 10), date(substr(t.valid_from, 1, 19), coalesce((SELECT c.seconds FROM clock c WHERE c.from_at <= t.valid_from ORDER BY c.from_at DESC LIMIT 1), 0) || ' seconds'))), (SELECT today FROM n)), e.added, e.closed, e.reopened, e.removed, e.restored,
    e.more_open, e.more_done
  FROM happened e JOIN tasks t ON t.id = e.id),
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
DROP VIEW IF EXISTS report_cycle_time
--;;
CREATE VIEW report_cycle_time (task_id, task_name, project_id, project_name, assignee_id, assignee_name, date_added, date_start, date_end, date_closed, week_closed, lead_hours, lead_days, days_late, assigned_at, assigned_hours) AS
SELECT t.id AS task_id, t.name AS task_name, t.project_id, j.name AS project_name,
  t.assignee_id, m.name AS assignee_name, t.date_added, t.date_start, t.date_end, t.date_closed,
  date(substr(t.date_closed, 1, 10), 'weekday 0', '-6 days') AS week_closed, ((CASE WHEN t.closed_at IS NULL OR t.added_at IS NULL THEN CAST(strftime('%s', substr(t.date_closed, 1, 19)) AS INTEGER) - CAST(strftime('%s', substr(t.date_added, 1, 19)) AS INTEGER) ELSE CAST(strftime('%s', substr(t.closed_at, 1, 19)) AS INTEGER) - CAST(strftime('%s', substr(t.added_at, 1, 19)) AS INTEGER) END) * 100 + 1800) / 3600 / 100.0 AS lead_hours,
  CAST(julianday(substr(t.date_closed, 1, 10)) - julianday(substr(t.date_added, 1, 10)) AS INTEGER) AS lead_days,
  CASE WHEN CAST(julianday(substr(t.date_closed, 1, 10)) - julianday(t.date_end) AS INTEGER) < 0 THEN 0 ELSE CAST(julianday(substr(t.date_closed, 1, 10)) - julianday(t.date_end) AS INTEGER) END AS days_late,
  a.assigned_at, ((CAST(strftime('%s', substr(t.closed_at, 1, 19)) AS INTEGER) - CAST(strftime('%s', substr(a.assigned_at, 1, 19)) AS INTEGER)) * 100 + 1800) / 3600 / 100.0 AS assigned_hours
FROM tasks t
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN members m ON m.id = t.assignee_id
LEFT JOIN (
  SELECT v.task_id, CASE WHEN min(v.by_person) > min(v.valid_from) THEN min(v.by_person) END
    AS assigned_at
  FROM (
    SELECT h.task_id, h.valid_from, CASE w.kind WHEN 'person' THEN h.valid_from END AS by_person
    FROM task_history h LEFT JOIN members w ON w.id = h.assignee_id
    UNION ALL
    SELECT t.id, t.valid_from, CASE w.kind WHEN 'person' THEN t.valid_from END
    FROM tasks t LEFT JOIN members w ON w.id = t.assignee_id
  ) v GROUP BY v.task_id
) a ON a.task_id = t.id
WHERE t.status = 'done' AND t.removed_at IS NULL
--;;
DROP VIEW IF EXISTS report_tag_time
--;;
CREATE VIEW report_tag_time (task_id, task_name, project_id, project_name, status, tag_id, tag, tag_group, tag_type, hours, first_seen_at, last_seen_at, is_present) AS
SELECT k.task_id, t.name AS task_name, t.project_id, j.name AS project_name, t.status,
  k.tag_id, coalesce(g.label, '#' || k.tag_id) AS tag, g.group_name AS tag_group,
  g.type AS tag_type,
  ((k.seconds) * 100 + 1800) / 3600 / 100.0 AS hours, k.first_seen_at,
  CASE WHEN k.present = 1 THEN NULL ELSE k.last_seen_at END AS last_seen_at,
  k.present = 1 AS is_present
FROM (
  SELECT v.task_id, v.tag_id, sum(CAST(strftime('%s', substr(v.until, 1, 19)) AS INTEGER) - CAST(strftime('%s', substr(v.since, 1, 19)) AS INTEGER)) AS seconds,
    min(v.since) AS first_seen_at, max(v.until) AS last_seen_at, max(v.present) AS present
  FROM (
    SELECT h.task_id, e.value AS tag_id, h.valid_from AS since, h.valid_to AS until, 0 AS present
    FROM task_history h CROSS JOIN json_each(h.tags) e
    WHERE h.status = 'active' AND h.removed_at IS NULL
    UNION ALL
    SELECT t.id, l.tag_id, t.valid_from,
      max((SELECT now_at FROM report_today), t.valid_from), 1
    FROM tasks t JOIN task_tags l ON l.task_id = t.id
    WHERE t.status = 'active' AND t.removed_at IS NULL
  ) v GROUP BY v.task_id, v.tag_id
) k
JOIN tasks t ON t.id = k.task_id
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN tags g ON g.id = k.tag_id
--;;
DROP VIEW IF EXISTS report_due_slips
--;;
CREATE VIEW report_due_slips (task_id, task_name, project_id, project_name, seen_at, from_date, to_date, days, author, author_id, run_id) AS
SELECT c.task_id, t.name AS task_name, t.project_id, j.name AS project_name, c.at AS seen_at,
  c.before AS from_date, c.after AS to_date, CAST(julianday(c.after) - julianday(c.before) AS INTEGER) AS days,
  (SELECT a.member_name FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE 'date_end' WHEN 'status' THEN a.action = CASE c.after WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.after IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.after WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.after WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE 'date_end' WHEN 'tags' THEN c.after END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(c.after, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author,
  (SELECT a.member_id FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > strftime('%Y-%m-%d %H:%M:%f', substr(c.since, 1, 23), '-60 seconds') || '000' AND a.at <= c.at AND CASE 'date_end' WHEN 'status' THEN a.action = CASE c.after WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.after IS NOT NULL WHEN 'name' THEN coalesce(json_extract(a.new, '$.title'), json_extract(a.new, '$.name')) = c.after WHEN 'assignee_email' THEN CAST(json_extract(a.new, '$.user_to.id') AS TEXT) = c.after WHEN 'tags' THEN json_type(a.new, '$.tags') = 'array' AND coalesce((SELECT group_concat(value, ',') FROM (SELECT value FROM json_each(a.new, '$.tags') ORDER BY 1)), '') = coalesce((SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(CASE 'date_end' WHEN 'tags' THEN c.after END) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)), '') WHEN 'time_start' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') WHEN 'time_end' THEN CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(substr(c.after, 1, 5), '') ELSE CAST(json_extract(a.new, '$.' || 'date_end') AS TEXT) = coalesce(c.after, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author_id, c.run_id
FROM (
  SELECT h.task_id, h.valid_from AS since, h.valid_to AS at, h.run_id, h.date_end AS before,
    x.date_end AS after
  FROM task_history h
  JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
  WHERE h.date_end IS NOT x.date_end
  UNION ALL
  SELECT h.task_id, h.valid_from, h.valid_to, h.run_id, h.date_end, x.date_end
  FROM task_history h JOIN tasks x ON x.id = h.task_id AND x.valid_from = h.valid_to
  WHERE h.date_end IS NOT x.date_end
) c
JOIN tasks t ON t.id = c.task_id
LEFT JOIN projects j ON j.id = t.project_id
--;;
DROP VIEW IF EXISTS report_blocked
--;;
CREATE VIEW report_blocked (task_id, task_name, project_id, project_name, assignee_name, date_start, date_end, kind, blocker_id, blocker_name, blocker_assignee_name, blocker_date_end, depth, chain, chain_ids, chain_end, decided_by_id, days_over, decides, in_circle) AS
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
wait AS (
  SELECT r.to_task_id AS task_id, r.from_task_id AS blocker_id, r.type AS kind
  FROM task_relations r
  JOIN tasks b ON b.id = r.from_task_id AND b.status = 'active' AND b.removed_at IS NULL
  JOIN tasks w ON w.id = r.to_task_id AND w.status = 'active' AND w.removed_at IS NULL
  CROSS JOIN n WHERE (r.type = 'finish-to-start' OR b.date_start IS NULL OR b.date_start > n.today)
  UNION ALL
  SELECT c.parent_id, c.id, 'subtask'
  FROM tasks c JOIN tasks p ON p.id = c.parent_id AND p.status = 'active' AND p.removed_at IS NULL
  WHERE c.status = 'active' AND c.removed_at IS NULL),
edge AS MATERIALIZED (
  SELECT task_id, blocker_id, min(kind) AS kind FROM wait GROUP BY task_id, blocker_id),
reach (blocker_id, id) AS (
  SELECT blocker_id, blocker_id FROM edge
  UNION
  SELECT r.blocker_id, e.blocker_id FROM reach r JOIN edge e ON e.task_id = r.id),
due AS MATERIALIZED (
  SELECT r.blocker_id, r.id, t.date_end FROM reach r JOIN tasks t ON t.id = r.id),
last AS MATERIALIZED (
  SELECT u.blocker_id, max(u.date_end) AS chain_end FROM due u GROUP BY u.blocker_id),
decisive AS MATERIALIZED (
  SELECT u.blocker_id, min(u.id) AS id
  FROM due u JOIN last l ON l.blocker_id = u.blocker_id AND l.chain_end = u.date_end
  GROUP BY u.blocker_id),
waiting AS MATERIALIZED (
  SELECT e.task_id, e.blocker_id, e.kind, l.chain_end
  FROM edge e JOIN last l ON l.blocker_id = e.blocker_id),
latest AS MATERIALIZED (
  SELECT g.task_id, max(g.chain_end) AS chain_end FROM waiting g GROUP BY g.task_id),
best AS MATERIALIZED (
  SELECT g.task_id, min(g.blocker_id) AS blocker_id
  FROM waiting g JOIN latest l ON l.task_id = g.task_id
  WHERE g.chain_end = l.chain_end OR l.chain_end IS NULL GROUP BY g.task_id),
walk (blocker_id, id, depth, ids, names) AS (
  SELECT k.blocker_id, k.blocker_id, 1, CAST(k.blocker_id AS text), t.name
  FROM (SELECT blocker_id FROM edge GROUP BY blocker_id) k JOIN tasks t ON t.id = k.blocker_id
  UNION ALL
  SELECT w.blocker_id, b.blocker_id, w.depth + 1, CAST(b.blocker_id AS text) || ',' || w.ids,
    t.name || ' > ' || w.names
  FROM walk w JOIN best b ON b.task_id = w.id JOIN tasks t ON t.id = b.blocker_id
  WHERE ',' || w.ids || ',' NOT LIKE '%,' || b.blocker_id || ',%'),
whole AS MATERIALIZED (
  SELECT w.blocker_id, max(w.depth) AS depth,
    max(CAST(1000000 + w.depth AS text) || w.ids) AS ids,
    max(CAST(1000000 + w.depth AS text) || w.names) AS names
  FROM walk w GROUP BY w.blocker_id)
SELECT r.task_id, t.name AS task_name, t.project_id, j.name AS project_name,
  m.name AS assignee_name, t.date_start, t.date_end, r.kind, r.blocker_id, b.name AS blocker_name,
  a.name AS blocker_assignee_name, b.date_end AS blocker_date_end, w.depth,
  substr(w.names, 8) AS chain, substr(w.ids, 8) AS chain_ids, r.chain_end,
  v.id AS decided_by_id, CAST(julianday(r.chain_end) - julianday(t.date_end) AS INTEGER) AS days_over,
  r.blocker_id = x.blocker_id AS decides, u.id IS NOT NULL AS in_circle
FROM waiting r
LEFT JOIN tasks t ON t.id = r.task_id
LEFT JOIN tasks b ON b.id = r.blocker_id
LEFT JOIN best x ON x.task_id = r.task_id
LEFT JOIN whole w ON w.blocker_id = r.blocker_id
LEFT JOIN due u ON u.blocker_id = r.blocker_id AND u.id = r.task_id
LEFT JOIN decisive v ON v.blocker_id = r.blocker_id
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN members m ON m.id = t.assignee_id
LEFT JOIN members a ON a.id = b.assignee_id
--;;
DROP VIEW IF EXISTS report_freshness
--;;
CREATE VIEW report_freshness (source, subject, state, is_green, as_of, age_s, last_complete_at, last_run_at, missing) AS
WITH lane AS (SELECT 1 AS place, 'tasks' AS source, 'pull' AS kind
  UNION ALL SELECT 2, 'fast lane', 'events')
SELECT k.source, k.subject, k.state, k.state = 'complete' AS is_green, k.as_of,
  CAST(strftime('%s', substr(n.now_at, 1, 19)) AS INTEGER) - CAST(strftime('%s', substr(k.as_of, 1, 19)) AS INTEGER) AS age_s, k.last_complete_at, k.last_run_at,
  k.missing
FROM (
  SELECT l.place, l.source, NULL AS subject, coalesce(r.outcome, 'never') AS state,
    coalesce(s.observed_at, s.started_at) AS as_of,
    coalesce(c.observed_at, c.started_at) AS last_complete_at,
    r.finished_at AS last_run_at, CASE r.outcome WHEN 'failed' THEN r.error
      WHEN 'partial' THEN (SELECT group_concat(e.value, '; ') FROM json_each(r.detail, '$.notes') e) END AS missing
  FROM lane l
  LEFT JOIN sync_runs r ON r.id = (SELECT o.id FROM sync_runs o WHERE o.kind = l.kind  ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  LEFT JOIN sync_runs s ON s.id = (SELECT o.id FROM sync_runs o WHERE o.kind = l.kind AND o.outcome <> 'failed' ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  LEFT JOIN sync_runs c ON c.id = (SELECT o.id FROM sync_runs o WHERE o.kind = l.kind AND o.outcome = 'complete' ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  UNION ALL
  SELECT l.place, l.source, NULL, CASE WHEN s.value IS NULL THEN 'never'
      WHEN r.outcome = 'complete' THEN 'complete' ELSE 'partial' END,
    replace(substr(json_extract(s.value, '$'), 1, 19), 'T', ' ') || '.000000', replace(substr(json_extract(s.value, '$'), 1, 19), 'T', ' ') || '.000000', r.finished_at,
    CASE WHEN r.outcome <> 'complete' THEN 'the last pull was ' || r.outcome END
  FROM (SELECT 3 AS place, 'projects' AS source UNION ALL SELECT 4 AS place, 'members' AS source UNION ALL SELECT 5 AS place, 'tags' AS source) l
  LEFT JOIN sync_state s ON s.name = 'catalogues_at'
  LEFT JOIN sync_runs r ON r.id = (SELECT o.id FROM sync_runs o WHERE o.kind = 'pull'
    ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  UNION ALL
  SELECT 9, 'slice', coalesce(j.name, '#' || p.project_id), 'under way', p.observed_at, NULL,
    NULL, 'read, and not applied before the last project of this pull is read'
  FROM pull_slices p LEFT JOIN projects j ON j.id = p.project_id
) k
CROSS JOIN report_today n
ORDER BY k.place, k.subject
