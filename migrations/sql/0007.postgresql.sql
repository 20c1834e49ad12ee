CREATE OR REPLACE VIEW report_today (now_at, today, local_now, time_zone, ahead_of_utc_s) AS
WITH clock AS MATERIALIZED (SELECT array_agg((e ->> 0)::timestamp AT TIME ZONE 'UTC' ORDER BY e ->> 0) AS from_at, array_agg((e ->> 1)::integer ORDER BY e ->> 0) AS seconds FROM sync_state s, jsonb_array_elements(s.value -> 'offsets') e WHERE s.name = 'clock')
SELECT n.now_at, (date_trunc('second', n.now_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(n.now_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date AS today, date_trunc('second', n.now_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(n.now_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second') AS local_now,
  (SELECT s.value ->> 'zone' FROM sync_state s WHERE s.name = 'clock') AS time_zone,
  coalesce((SELECT c.seconds FROM clock c)[width_bucket(n.now_at, (SELECT c.from_at FROM clock c))], 0) AS ahead_of_utc_s
FROM (SELECT now() AS now_at) n
--;;
COMMENT ON VIEW report_today IS 'One row: what time and day it is in the account. The other views ask here.'
--;;
COMMENT ON COLUMN report_today.now_at IS 'this instant, UTC'
--;;
COMMENT ON COLUMN report_today.today IS 'the date on the account''s clock'
--;;
COMMENT ON COLUMN report_today.local_now IS 'the time on the account''s clock, to the second'
--;;
COMMENT ON COLUMN report_today.time_zone IS 'account.timezone as the last pull had it; NULL: not set, UTC is meant'
--;;
COMMENT ON COLUMN report_today.ahead_of_utc_s IS 'how far the account''s clock is ahead of UTC, in seconds'
--;;
CREATE OR REPLACE VIEW task_versions (task_id, valid_from, valid_to, ended_by_run_id, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, tags, tag_ids) AS
SELECT k.task_id, k.valid_from, k.valid_to, k.ended_by_run_id, k.project_id, k.parent_id, k.level, k.name, k.page, k.url, k.status, k.priority, k.author_id, k.assignee_id, k.text, k.date_added, k.added_at, k.date_start, k.time_start, k.date_end, k.time_end, k.date_closed, k.closed_at, k.max_time, k.max_money, k.extra, k.removed_at, k.removed_reason,
  coalesce(k.now_labels, s.labels) AS tags,
  coalesce(k.now_ids, nullif(replace(btrim(k.then_tags::text, '[]'), ' ', ''), '')) AS tag_ids
FROM (
  SELECT task_id, valid_from, valid_to, run_id AS ended_by_run_id, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, tags AS then_tags,
    NULL AS now_labels, NULL AS now_ids
  FROM task_history
  UNION ALL
  SELECT t.id, valid_from, NULL, NULL, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, NULL, now.labels, now.ids
  FROM tasks t
  LEFT JOIN (SELECT l.task_id, string_agg(l.tag_id::text, ',' ORDER BY l.tag_id) AS ids,
      string_agg(coalesce(g.label, '#' || l.tag_id), ','
        ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C") AS labels
    FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id GROUP BY l.task_id
    ) now ON now.task_id = t.id
) k
LEFT JOIN (SELECT h.tags, string_agg(coalesce(g.label, '#' || e.id), ','
    ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") AS labels
  FROM (SELECT DISTINCT tags FROM task_history) h
  CROSS JOIN jsonb_array_elements_text(h.tags) e (id) LEFT JOIN tags g ON g.id = e.id::bigint
  GROUP BY h.tags) s ON s.tags = k.then_tags
--;;
COMMENT ON VIEW task_versions IS 'Every version of every task since syncd began, removed tasks too. How things stood at X: WHERE valid_from <= X AND (valid_to > X OR valid_to IS NULL) AND removed_at IS NULL.'
--;;
COMMENT ON COLUMN task_versions.task_id IS 'the task, tasks.id'
--;;
COMMENT ON COLUMN task_versions.valid_from IS 'this version was first seen, UTC'
--;;
COMMENT ON COLUMN task_versions.valid_to IS 'the next version was seen, UTC; NULL: this is the present one'
--;;
COMMENT ON COLUMN task_versions.ended_by_run_id IS 'the run that saw the next version, sync_runs.id; NULL: present'
--;;
COMMENT ON COLUMN task_versions.project_id IS 'its project then, projects.id'
--;;
COMMENT ON COLUMN task_versions.parent_id IS 'the task it was a subtask of; NULL at the top'
--;;
COMMENT ON COLUMN task_versions.level IS '1 task, 2 subtask, 3 sub-subtask'
--;;
COMMENT ON COLUMN task_versions.name IS 'title'
--;;
COMMENT ON COLUMN task_versions.page IS 'path of its page in the account'
--;;
COMMENT ON COLUMN task_versions.url IS 'address of its page in the account'
--;;
COMMENT ON COLUMN task_versions.status IS 'active or done'
--;;
COMMENT ON COLUMN task_versions.priority IS '0 to 10'
--;;
COMMENT ON COLUMN task_versions.author_id IS 'who created it, members.id'
--;;
COMMENT ON COLUMN task_versions.assignee_id IS 'who was responsible, members.id; ANY and NOONE are rows'
--;;
COMMENT ON COLUMN task_versions.text IS 'description; NULL unless pull.extra asks for text or html'
--;;
COMMENT ON COLUMN task_versions.date_added IS 'created, the account''s wall clock'
--;;
COMMENT ON COLUMN task_versions.added_at IS 'created, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN task_versions.date_start IS 'start date, as shown'
--;;
COMMENT ON COLUMN task_versions.time_start IS 'start time of day, as shown'
--;;
COMMENT ON COLUMN task_versions.date_end IS 'due date, as shown'
--;;
COMMENT ON COLUMN task_versions.time_end IS 'due time of day, as shown'
--;;
COMMENT ON COLUMN task_versions.date_closed IS 'completed, the account''s wall clock'
--;;
COMMENT ON COLUMN task_versions.closed_at IS 'completed, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN task_versions.max_time IS 'estimate in hours'
--;;
COMMENT ON COLUMN task_versions.max_money IS 'estimate in the account''s currency'
--;;
COMMENT ON COLUMN task_versions.extra IS 'fields of the answer that have no column, as sent'
--;;
COMMENT ON COLUMN task_versions.removed_at IS 'since when it was known to be gone, UTC; NULL: it was in the account'
--;;
COMMENT ON COLUMN task_versions.removed_reason IS 'the evidence for that, in one word'
--;;
COMMENT ON COLUMN task_versions.tags IS 'labels (tags.label) of its tags then, sorted, joined by commas; NULL: none'
--;;
COMMENT ON COLUMN task_versions.tag_ids IS 'ids of its tags then, sorted, joined by commas; NULL: none'
--;;
CREATE OR REPLACE VIEW task_changes (task_id, at, field, old, new, author, author_id, run_id) AS
SELECT c.task_id, c.at, c.field, CASE c.field WHEN 'tags' THEN (SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(c.old::jsonb) e (id) LEFT JOIN tags g ON g.id = e.id::bigint) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old::bigint) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old::bigint) ELSE c.old END AS old, CASE c.field WHEN 'tags' THEN (SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(c.new::jsonb) e (id) LEFT JOIN tags g ON g.id = e.id::bigint) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new::bigint) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new::bigint) ELSE c.new END AS new,
  (SELECT a.member_name FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > (c.since - interval '1 minute') AND a.at <= c.at AND CASE c.field WHEN 'status' THEN a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL WHEN 'name' THEN coalesce(a.new ->> 'title', a.new ->> 'name') = c.new WHEN 'assignee_email' THEN a.new -> 'user_to' ->> 'id' = c.new WHEN 'tags' THEN jsonb_typeof(a.new -> 'tags') = 'array' AND coalesce((SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text(CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e), '') = coalesce((SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(CASE c.field WHEN 'tags' THEN c.new::jsonb END) e (id) LEFT JOIN tags g ON g.id = e.id::bigint), '') WHEN 'time_start' THEN a.new ->> c.field = coalesce(substr(c.new, 1, 5), '') WHEN 'time_end' THEN a.new ->> c.field = coalesce(substr(c.new, 1, 5), '') ELSE a.new ->> c.field = coalesce(c.new, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author, (SELECT a.member_id FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > (c.since - interval '1 minute') AND a.at <= c.at AND CASE c.field WHEN 'status' THEN a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL WHEN 'name' THEN coalesce(a.new ->> 'title', a.new ->> 'name') = c.new WHEN 'assignee_email' THEN a.new -> 'user_to' ->> 'id' = c.new WHEN 'tags' THEN jsonb_typeof(a.new -> 'tags') = 'array' AND coalesce((SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text(CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e), '') = coalesce((SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(CASE c.field WHEN 'tags' THEN c.new::jsonb END) e (id) LEFT JOIN tags g ON g.id = e.id::bigint), '') WHEN 'time_start' THEN a.new ->> c.field = coalesce(substr(c.new, 1, 5), '') WHEN 'time_end' THEN a.new ->> c.field = coalesce(substr(c.new, 1, 5), '') ELSE a.new ->> c.field = coalesce(c.new, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author_id, c.run_id
FROM (
  SELECT h.task_id, h.valid_from AS since, h.valid_to AS at, h.run_id,
    CASE f.value WHEN 0 THEN 'name' WHEN 1 THEN 'status' WHEN 2 THEN 'priority' WHEN 3 THEN 'assignee_email' WHEN 4 THEN 'date_start' WHEN 5 THEN 'time_start' WHEN 6 THEN 'date_end' WHEN 7 THEN 'time_end' WHEN 8 THEN 'date_closed' WHEN 9 THEN 'max_time' WHEN 10 THEN 'max_money' WHEN 11 THEN 'tags' WHEN 12 THEN 'project_id' WHEN 13 THEN 'parent_id' WHEN 14 THEN 'level' WHEN 15 THEN 'author_email' WHEN 16 THEN 'date_added' WHEN 17 THEN 'text' WHEN 18 THEN 'extra' WHEN 19 THEN 'removed_reason' END AS field,
    CASE f.value WHEN 0 THEN h.name WHEN 1 THEN h.status WHEN 2 THEN h.priority::text WHEN 3 THEN h.assignee_id::text WHEN 4 THEN to_char(h.date_start::timestamp, 'YYYY-MM-DD') WHEN 5 THEN h.time_start::text WHEN 6 THEN to_char(h.date_end::timestamp, 'YYYY-MM-DD') WHEN 7 THEN h.time_end::text WHEN 8 THEN to_char(h.date_closed, 'YYYY-MM-DD HH24:MI:SS') WHEN 9 THEN trim_scale(h.max_time)::text WHEN 10 THEN trim_scale(h.max_money)::text WHEN 11 THEN (h.tags)::text WHEN 12 THEN h.project_id::text WHEN 13 THEN h.parent_id::text WHEN 14 THEN h.level::text WHEN 15 THEN h.author_id::text WHEN 16 THEN to_char(h.date_added, 'YYYY-MM-DD HH24:MI:SS') WHEN 17 THEN h.text WHEN 18 THEN h.extra::text WHEN 19 THEN h.removed_reason END AS old,
    CASE f.value WHEN 0 THEN x.name WHEN 1 THEN x.status WHEN 2 THEN x.priority::text WHEN 3 THEN x.assignee_id::text WHEN 4 THEN to_char(x.date_start::timestamp, 'YYYY-MM-DD') WHEN 5 THEN x.time_start::text WHEN 6 THEN to_char(x.date_end::timestamp, 'YYYY-MM-DD') WHEN 7 THEN x.time_end::text WHEN 8 THEN to_char(x.date_closed, 'YYYY-MM-DD HH24:MI:SS') WHEN 9 THEN trim_scale(x.max_time)::text WHEN 10 THEN trim_scale(x.max_money)::text WHEN 11 THEN (x.tags)::text WHEN 12 THEN x.project_id::text WHEN 13 THEN x.parent_id::text WHEN 14 THEN x.level::text WHEN 15 THEN x.author_id::text WHEN 16 THEN to_char(x.date_added, 'YYYY-MM-DD HH24:MI:SS') WHEN 17 THEN x.text WHEN 18 THEN x.extra::text WHEN 19 THEN x.removed_reason END AS new
  FROM task_history h JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
  CROSS JOIN LATERAL unnest(array_remove(ARRAY[CASE WHEN h.name IS DISTINCT FROM x.name THEN 0 END, CASE WHEN h.status IS DISTINCT FROM x.status THEN 1 END, CASE WHEN h.priority IS DISTINCT FROM x.priority THEN 2 END, CASE WHEN h.assignee_id IS DISTINCT FROM x.assignee_id THEN 3 END, CASE WHEN h.date_start IS DISTINCT FROM x.date_start THEN 4 END, CASE WHEN h.time_start IS DISTINCT FROM x.time_start THEN 5 END, CASE WHEN h.date_end IS DISTINCT FROM x.date_end THEN 6 END, CASE WHEN h.time_end IS DISTINCT FROM x.time_end THEN 7 END, CASE WHEN h.date_closed IS DISTINCT FROM x.date_closed THEN 8 END, CASE WHEN h.max_time IS DISTINCT FROM x.max_time THEN 9 END, CASE WHEN h.max_money IS DISTINCT FROM x.max_money THEN 10 END, CASE WHEN h.removed_at IS NULL AND x.removed_at IS NULL AND h.tags IS DISTINCT FROM x.tags THEN 11 END, CASE WHEN h.project_id IS DISTINCT FROM x.project_id THEN 12 END, CASE WHEN h.parent_id IS DISTINCT FROM x.parent_id THEN 13 END, CASE WHEN h.level IS DISTINCT FROM x.level THEN 14 END, CASE WHEN h.author_id IS DISTINCT FROM x.author_id THEN 15 END, CASE WHEN h.date_added IS DISTINCT FROM x.date_added THEN 16 END, CASE WHEN h.text IS DISTINCT FROM x.text THEN 17 END, CASE WHEN h.extra IS DISTINCT FROM x.extra THEN 18 END, CASE WHEN h.removed_reason IS DISTINCT FROM x.removed_reason THEN 19 END], NULL)) f (value)
  UNION ALL
  SELECT h.task_id, h.valid_from AS since, h.valid_to AS at, h.run_id,
    CASE f.value WHEN 0 THEN 'name' WHEN 1 THEN 'status' WHEN 2 THEN 'priority' WHEN 3 THEN 'assignee_email' WHEN 4 THEN 'date_start' WHEN 5 THEN 'time_start' WHEN 6 THEN 'date_end' WHEN 7 THEN 'time_end' WHEN 8 THEN 'date_closed' WHEN 9 THEN 'max_time' WHEN 10 THEN 'max_money' WHEN 11 THEN 'tags' WHEN 12 THEN 'project_id' WHEN 13 THEN 'parent_id' WHEN 14 THEN 'level' WHEN 15 THEN 'author_email' WHEN 16 THEN 'date_added' WHEN 17 THEN 'text' WHEN 18 THEN 'extra' WHEN 19 THEN 'removed_reason' END AS field,
    CASE f.value WHEN 0 THEN h.name WHEN 1 THEN h.status WHEN 2 THEN h.priority::text WHEN 3 THEN h.assignee_id::text WHEN 4 THEN to_char(h.date_start::timestamp, 'YYYY-MM-DD') WHEN 5 THEN h.time_start::text WHEN 6 THEN to_char(h.date_end::timestamp, 'YYYY-MM-DD') WHEN 7 THEN h.time_end::text WHEN 8 THEN to_char(h.date_closed, 'YYYY-MM-DD HH24:MI:SS') WHEN 9 THEN trim_scale(h.max_time)::text WHEN 10 THEN trim_scale(h.max_money)::text WHEN 11 THEN (h.tags)::text WHEN 12 THEN h.project_id::text WHEN 13 THEN h.parent_id::text WHEN 14 THEN h.level::text WHEN 15 THEN h.author_id::text WHEN 16 THEN to_char(h.date_added, 'YYYY-MM-DD HH24:MI:SS') WHEN 17 THEN h.text WHEN 18 THEN h.extra::text WHEN 19 THEN h.removed_reason END AS old,
    CASE f.value WHEN 0 THEN x.name WHEN 1 THEN x.status WHEN 2 THEN x.priority::text WHEN 3 THEN x.assignee_id::text WHEN 4 THEN to_char(x.date_start::timestamp, 'YYYY-MM-DD') WHEN 5 THEN x.time_start::text WHEN 6 THEN to_char(x.date_end::timestamp, 'YYYY-MM-DD') WHEN 7 THEN x.time_end::text WHEN 8 THEN to_char(x.date_closed, 'YYYY-MM-DD HH24:MI:SS') WHEN 9 THEN trim_scale(x.max_time)::text WHEN 10 THEN trim_scale(x.max_money)::text WHEN 11 THEN (coalesce(now.tags, '[]'))::text WHEN 12 THEN x.project_id::text WHEN 13 THEN x.parent_id::text WHEN 14 THEN x.level::text WHEN 15 THEN x.author_id::text WHEN 16 THEN to_char(x.date_added, 'YYYY-MM-DD HH24:MI:SS') WHEN 17 THEN x.text WHEN 18 THEN x.extra::text WHEN 19 THEN x.removed_reason END AS new
  FROM task_history h JOIN tasks x ON x.id = h.task_id AND x.valid_from = h.valid_to
  LEFT JOIN (SELECT l.task_id, jsonb_agg(l.tag_id ORDER BY l.tag_id) AS tags
    FROM task_tags l GROUP BY l.task_id) now ON now.task_id = x.id
  CROSS JOIN LATERAL unnest(array_remove(ARRAY[CASE WHEN h.name IS DISTINCT FROM x.name THEN 0 END, CASE WHEN h.status IS DISTINCT FROM x.status THEN 1 END, CASE WHEN h.priority IS DISTINCT FROM x.priority THEN 2 END, CASE WHEN h.assignee_id IS DISTINCT FROM x.assignee_id THEN 3 END, CASE WHEN h.date_start IS DISTINCT FROM x.date_start THEN 4 END, CASE WHEN h.time_start IS DISTINCT FROM x.time_start THEN 5 END, CASE WHEN h.date_end IS DISTINCT FROM x.date_end THEN 6 END, CASE WHEN h.time_end IS DISTINCT FROM x.time_end THEN 7 END, CASE WHEN h.date_closed IS DISTINCT FROM x.date_closed THEN 8 END, CASE WHEN h.max_time IS DISTINCT FROM x.max_time THEN 9 END, CASE WHEN h.max_money IS DISTINCT FROM x.max_money THEN 10 END, CASE WHEN h.removed_at IS NULL AND x.removed_at IS NULL AND h.tags IS DISTINCT FROM coalesce(now.tags, '[]') THEN 11 END, CASE WHEN h.project_id IS DISTINCT FROM x.project_id THEN 12 END, CASE WHEN h.parent_id IS DISTINCT FROM x.parent_id THEN 13 END, CASE WHEN h.level IS DISTINCT FROM x.level THEN 14 END, CASE WHEN h.author_id IS DISTINCT FROM x.author_id THEN 15 END, CASE WHEN h.date_added IS DISTINCT FROM x.date_added THEN 16 END, CASE WHEN h.text IS DISTINCT FROM x.text THEN 17 END, CASE WHEN h.extra IS DISTINCT FROM x.extra THEN 18 END, CASE WHEN h.removed_reason IS DISTINCT FROM x.removed_reason THEN 19 END], NULL)) f (value)
) c
--;;
COMMENT ON VIEW task_changes IS 'One row for each field that differs between a version of a task and the next one.'
--;;
COMMENT ON COLUMN task_changes.task_id IS 'the task, tasks.id'
--;;
COMMENT ON COLUMN task_changes.at IS 'when the new value was first seen, UTC: at most one pull after it was set'
--;;
COMMENT ON COLUMN task_changes.field IS 'the field, by its name in live_tasks, or removed_reason; files and relations are not among them'
--;;
COMMENT ON COLUMN task_changes.old IS 'the value before, as live_tasks writes it; NULL: none'
--;;
COMMENT ON COLUMN task_changes.new IS 'the value after; NULL: none'
--;;
COMMENT ON COLUMN task_changes.author IS 'who did it, where the account''s feed told that very value; NULL: not known'
--;;
COMMENT ON COLUMN task_changes.author_id IS 'who did it, members.id; NULL: not known'
--;;
COMMENT ON COLUMN task_changes.run_id IS 'the run that saw it, sync_runs.id'
--;;
CREATE OR REPLACE VIEW report_tasks (id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from) AS
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
  CASE WHEN (CASE WHEN t.status = 'done' THEN (t.date_closed)::date ELSE n.today END - t.date_end) < 0 THEN 0 ELSE (CASE WHEN t.status = 'done' THEN (t.date_closed)::date ELSE n.today END - t.date_end) END AS days_late,
  t.priority, t.author_id, a.name AS author_name, a.email AS author_email,
  t.assignee_id, w.name AS assignee_name, w.email AS assignee_email, w.kind AS assignee_kind,
  t.date_added, t.date_start, t.time_start, t.date_end, t.time_end, t.date_closed,
  t.added_at, t.closed_at, t.max_time, t.max_money,
  labels.tags AS tags,
  coalesce(below.n, 0) AS subtasks, coalesce(below.open, 0) AS open_subtasks,
  coalesce(held.n, 0) AS files, coalesce(waits.n, 0) AS open_blockers,
  t.suspect_at IS NOT NULL AS is_suspect, t.valid_from
FROM tasks t
CROSS JOIN n
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN tasks p ON p.id = t.parent_id
LEFT JOIN tasks q ON q.id = p.parent_id
LEFT JOIN members a ON a.id = t.author_id
LEFT JOIN members w ON w.id = t.assignee_id
LEFT JOIN (SELECT l.task_id, string_agg(coalesce(g.label, '#' || l.tag_id), ','
    ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C") AS tags
  FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id GROUP BY l.task_id
  ) labels ON labels.task_id = t.id
LEFT JOIN (SELECT u.above, count(*) AS n, count(*) FILTER (WHERE u.status = 'active') AS open
  FROM (SELECT c.parent_id AS above, c.status FROM tasks c WHERE c.removed_at IS NULL AND c.parent_id IS NOT NULL
    UNION ALL
    SELECT e.parent_id, c.status FROM tasks c JOIN tasks e ON e.id = c.parent_id
    WHERE c.removed_at IS NULL AND e.parent_id IS NOT NULL) u
  GROUP BY u.above) below ON below.above = t.id
LEFT JOIN (SELECT f.task_id, count(*) AS n FROM files f
  WHERE f.removed_at IS NULL GROUP BY f.task_id) held ON held.task_id = t.id
LEFT JOIN (SELECT r.to_task_id, count(DISTINCT r.from_task_id) AS n
  FROM task_relations r
    JOIN tasks b ON b.id = r.from_task_id AND b.status = 'active' AND b.removed_at IS NULL
    CROSS JOIN n WHERE (r.type = 'finish-to-start' OR b.date_start IS NULL OR b.date_start > n.today) GROUP BY r.to_task_id) waits ON waits.to_task_id = t.id
WHERE t.removed_at IS NULL
--;;
COMMENT ON VIEW report_tasks IS 'Every task that is in the account, done ones too, in one wide row: names beside ids.'
--;;
COMMENT ON COLUMN report_tasks.id IS 'number of the task in the account, tasks.id'
--;;
COMMENT ON COLUMN report_tasks.name IS 'title'
--;;
COMMENT ON COLUMN report_tasks.path IS 'titles from the top task down to this one, joined by '' / '''
--;;
COMMENT ON COLUMN report_tasks.url IS 'address of its page in the account'
--;;
COMMENT ON COLUMN report_tasks.project_id IS 'its project, projects.id'
--;;
COMMENT ON COLUMN report_tasks.project_name IS 'title of its project'
--;;
COMMENT ON COLUMN report_tasks.project_status IS 'active, pending or archive; NULL until known'
--;;
COMMENT ON COLUMN report_tasks.folder IS 'folder (company) of its project; NULL until known'
--;;
COMMENT ON COLUMN report_tasks.parent_id IS 'the task it is a subtask of; NULL at the top'
--;;
COMMENT ON COLUMN report_tasks.parent_name IS 'title of that task'
--;;
COMMENT ON COLUMN report_tasks.root_id IS 'the task at the top of its tree; itself at the top'
--;;
COMMENT ON COLUMN report_tasks.root_name IS 'title of the task at the top'
--;;
COMMENT ON COLUMN report_tasks.level IS '1 task, 2 subtask, 3 sub-subtask'
--;;
COMMENT ON COLUMN report_tasks.status IS 'active or done'
--;;
COMMENT ON COLUMN report_tasks.is_open IS 'true while it is active'
--;;
COMMENT ON COLUMN report_tasks.is_overdue IS 'true if it is open and was due before today (report_today.today)'
--;;
COMMENT ON COLUMN report_tasks.days_late IS 'days past its due date: until today if open, until closed if done; 0: in time, NULL: no due date'
--;;
COMMENT ON COLUMN report_tasks.priority IS '0 to 10'
--;;
COMMENT ON COLUMN report_tasks.author_id IS 'who created it, members.id'
--;;
COMMENT ON COLUMN report_tasks.author_name IS 'name of who created it'
--;;
COMMENT ON COLUMN report_tasks.author_email IS 'email of who created it'
--;;
COMMENT ON COLUMN report_tasks.assignee_id IS 'who is responsible, members.id; NULL: nothing said'
--;;
COMMENT ON COLUMN report_tasks.assignee_name IS 'name of who is responsible'
--;;
COMMENT ON COLUMN report_tasks.assignee_email IS 'email of who is responsible, or ANY, or NOONE'
--;;
COMMENT ON COLUMN report_tasks.assignee_kind IS 'person, anyone (ANY) or nobody (NOONE)'
--;;
COMMENT ON COLUMN report_tasks.date_added IS 'created, the account''s wall clock'
--;;
COMMENT ON COLUMN report_tasks.date_start IS 'start date, as shown'
--;;
COMMENT ON COLUMN report_tasks.time_start IS 'start time of day, as shown'
--;;
COMMENT ON COLUMN report_tasks.date_end IS 'due date, as shown'
--;;
COMMENT ON COLUMN report_tasks.time_end IS 'due time of day, as shown'
--;;
COMMENT ON COLUMN report_tasks.date_closed IS 'completed, the account''s wall clock'
--;;
COMMENT ON COLUMN report_tasks.added_at IS 'created, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN report_tasks.closed_at IS 'completed, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN report_tasks.max_time IS 'estimate in hours'
--;;
COMMENT ON COLUMN report_tasks.max_money IS 'estimate in the account''s currency'
--;;
COMMENT ON COLUMN report_tasks.tags IS 'labels (tags.label), sorted, joined by commas; NULL: none; as in live_tasks'
--;;
COMMENT ON COLUMN report_tasks.subtasks IS 'how many tasks are below it, at any depth'
--;;
COMMENT ON COLUMN report_tasks.open_subtasks IS 'how many of those are open'
--;;
COMMENT ON COLUMN report_tasks.files IS 'how many files its description holds'
--;;
COMMENT ON COLUMN report_tasks.open_blockers IS 'how many open tasks it waits for by relations (kinds: see report_blocked)'
--;;
COMMENT ON COLUMN report_tasks.is_suspect IS 'true while it is missing in the account without evidence'
--;;
COMMENT ON COLUMN report_tasks.valid_from IS 'since when it has been as it is here, UTC; earlier: task_versions'
--;;
CREATE OR REPLACE VIEW report_open (id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from) AS
SELECT id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from FROM report_tasks WHERE status = 'active'
--;;
COMMENT ON VIEW report_open IS 'The tasks of report_tasks that are active.'
--;;
COMMENT ON COLUMN report_open.id IS 'number of the task in the account, tasks.id'
--;;
COMMENT ON COLUMN report_open.name IS 'title'
--;;
COMMENT ON COLUMN report_open.path IS 'titles from the top task down to this one, joined by '' / '''
--;;
COMMENT ON COLUMN report_open.url IS 'address of its page in the account'
--;;
COMMENT ON COLUMN report_open.project_id IS 'its project, projects.id'
--;;
COMMENT ON COLUMN report_open.project_name IS 'title of its project'
--;;
COMMENT ON COLUMN report_open.project_status IS 'active, pending or archive; NULL until known'
--;;
COMMENT ON COLUMN report_open.folder IS 'folder (company) of its project; NULL until known'
--;;
COMMENT ON COLUMN report_open.parent_id IS 'the task it is a subtask of; NULL at the top'
--;;
COMMENT ON COLUMN report_open.parent_name IS 'title of that task'
--;;
COMMENT ON COLUMN report_open.root_id IS 'the task at the top of its tree; itself at the top'
--;;
COMMENT ON COLUMN report_open.root_name IS 'title of the task at the top'
--;;
COMMENT ON COLUMN report_open.level IS '1 task, 2 subtask, 3 sub-subtask'
--;;
COMMENT ON COLUMN report_open.status IS 'active or done'
--;;
COMMENT ON COLUMN report_open.is_open IS 'true while it is active'
--;;
COMMENT ON COLUMN report_open.is_overdue IS 'true if it is open and was due before today (report_today.today)'
--;;
COMMENT ON COLUMN report_open.days_late IS 'days past its due date: until today if open, until closed if done; 0: in time, NULL: no due date'
--;;
COMMENT ON COLUMN report_open.priority IS '0 to 10'
--;;
COMMENT ON COLUMN report_open.author_id IS 'who created it, members.id'
--;;
COMMENT ON COLUMN report_open.author_name IS 'name of who created it'
--;;
COMMENT ON COLUMN report_open.author_email IS 'email of who created it'
--;;
COMMENT ON COLUMN report_open.assignee_id IS 'who is responsible, members.id; NULL: nothing said'
--;;
COMMENT ON COLUMN report_open.assignee_name IS 'name of who is responsible'
--;;
COMMENT ON COLUMN report_open.assignee_email IS 'email of who is responsible, or ANY, or NOONE'
--;;
COMMENT ON COLUMN report_open.assignee_kind IS 'person, anyone (ANY) or nobody (NOONE)'
--;;
COMMENT ON COLUMN report_open.date_added IS 'created, the account''s wall clock'
--;;
COMMENT ON COLUMN report_open.date_start IS 'start date, as shown'
--;;
COMMENT ON COLUMN report_open.time_start IS 'start time of day, as shown'
--;;
COMMENT ON COLUMN report_open.date_end IS 'due date, as shown'
--;;
COMMENT ON COLUMN report_open.time_end IS 'due time of day, as shown'
--;;
COMMENT ON COLUMN report_open.date_closed IS 'completed, the account''s wall clock'
--;;
COMMENT ON COLUMN report_open.added_at IS 'created, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN report_open.closed_at IS 'completed, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN report_open.max_time IS 'estimate in hours'
--;;
COMMENT ON COLUMN report_open.max_money IS 'estimate in the account''s currency'
--;;
COMMENT ON COLUMN report_open.tags IS 'labels (tags.label), sorted, joined by commas; NULL: none; as in live_tasks'
--;;
COMMENT ON COLUMN report_open.subtasks IS 'how many tasks are below it, at any depth'
--;;
COMMENT ON COLUMN report_open.open_subtasks IS 'how many of those are open'
--;;
COMMENT ON COLUMN report_open.files IS 'how many files its description holds'
--;;
COMMENT ON COLUMN report_open.open_blockers IS 'how many open tasks it waits for by relations (kinds: see report_blocked)'
--;;
COMMENT ON COLUMN report_open.is_suspect IS 'true while it is missing in the account without evidence'
--;;
COMMENT ON COLUMN report_open.valid_from IS 'since when it has been as it is here, UTC; earlier: task_versions'
--;;
CREATE OR REPLACE VIEW report_overdue (id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from) AS
SELECT id, name, path, url, project_id, project_name, project_status, folder, parent_id, parent_name, root_id, root_name, level, status, is_open, is_overdue, days_late, priority, author_id, author_name, author_email, assignee_id, assignee_name, assignee_email, assignee_kind, date_added, date_start, time_start, date_end, time_end, date_closed, added_at, closed_at, max_time, max_money, tags, subtasks, open_subtasks, files, open_blockers, is_suspect, valid_from FROM report_tasks WHERE is_overdue
--;;
COMMENT ON VIEW report_overdue IS 'The tasks of report_tasks that are active and were due before today.'
--;;
COMMENT ON COLUMN report_overdue.id IS 'number of the task in the account, tasks.id'
--;;
COMMENT ON COLUMN report_overdue.name IS 'title'
--;;
COMMENT ON COLUMN report_overdue.path IS 'titles from the top task down to this one, joined by '' / '''
--;;
COMMENT ON COLUMN report_overdue.url IS 'address of its page in the account'
--;;
COMMENT ON COLUMN report_overdue.project_id IS 'its project, projects.id'
--;;
COMMENT ON COLUMN report_overdue.project_name IS 'title of its project'
--;;
COMMENT ON COLUMN report_overdue.project_status IS 'active, pending or archive; NULL until known'
--;;
COMMENT ON COLUMN report_overdue.folder IS 'folder (company) of its project; NULL until known'
--;;
COMMENT ON COLUMN report_overdue.parent_id IS 'the task it is a subtask of; NULL at the top'
--;;
COMMENT ON COLUMN report_overdue.parent_name IS 'title of that task'
--;;
COMMENT ON COLUMN report_overdue.root_id IS 'the task at the top of its tree; itself at the top'
--;;
COMMENT ON COLUMN report_overdue.root_name IS 'title of the task at the top'
--;;
COMMENT ON COLUMN report_overdue.level IS '1 task, 2 subtask, 3 sub-subtask'
--;;
COMMENT ON COLUMN report_overdue.status IS 'active or done'
--;;
COMMENT ON COLUMN report_overdue.is_open IS 'true while it is active'
--;;
COMMENT ON COLUMN report_overdue.is_overdue IS 'true if it is open and was due before today (report_today.today)'
--;;
COMMENT ON COLUMN report_overdue.days_late IS 'days past its due date: until today if open, until closed if done; 0: in time, NULL: no due date'
--;;
COMMENT ON COLUMN report_overdue.priority IS '0 to 10'
--;;
COMMENT ON COLUMN report_overdue.author_id IS 'who created it, members.id'
--;;
COMMENT ON COLUMN report_overdue.author_name IS 'name of who created it'
--;;
COMMENT ON COLUMN report_overdue.author_email IS 'email of who created it'
--;;
COMMENT ON COLUMN report_overdue.assignee_id IS 'who is responsible, members.id; NULL: nothing said'
--;;
COMMENT ON COLUMN report_overdue.assignee_name IS 'name of who is responsible'
--;;
COMMENT ON COLUMN report_overdue.assignee_email IS 'email of who is responsible, or ANY, or NOONE'
--;;
COMMENT ON COLUMN report_overdue.assignee_kind IS 'person, anyone (ANY) or nobody (NOONE)'
--;;
COMMENT ON COLUMN report_overdue.date_added IS 'created, the account''s wall clock'
--;;
COMMENT ON COLUMN report_overdue.date_start IS 'start date, as shown'
--;;
COMMENT ON COLUMN report_overdue.time_start IS 'start time of day, as shown'
--;;
COMMENT ON COLUMN report_overdue.date_end IS 'due date, as shown'
--;;
COMMENT ON COLUMN report_overdue.time_end IS 'due time of day, as shown'
--;;
COMMENT ON COLUMN report_overdue.date_closed IS 'completed, the account''s wall clock'
--;;
COMMENT ON COLUMN report_overdue.added_at IS 'created, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN report_overdue.closed_at IS 'completed, UTC; NULL unless account.timezone is set'
--;;
COMMENT ON COLUMN report_overdue.max_time IS 'estimate in hours'
--;;
COMMENT ON COLUMN report_overdue.max_money IS 'estimate in the account''s currency'
--;;
COMMENT ON COLUMN report_overdue.tags IS 'labels (tags.label), sorted, joined by commas; NULL: none; as in live_tasks'
--;;
COMMENT ON COLUMN report_overdue.subtasks IS 'how many tasks are below it, at any depth'
--;;
COMMENT ON COLUMN report_overdue.open_subtasks IS 'how many of those are open'
--;;
COMMENT ON COLUMN report_overdue.files IS 'how many files its description holds'
--;;
COMMENT ON COLUMN report_overdue.open_blockers IS 'how many open tasks it waits for by relations (kinds: see report_blocked)'
--;;
COMMENT ON COLUMN report_overdue.is_suspect IS 'true while it is missing in the account without evidence'
--;;
COMMENT ON COLUMN report_overdue.valid_from IS 'since when it has been as it is here, UTC; earlier: task_versions'
--;;
CREATE OR REPLACE VIEW report_workload (member_id, member_name, member_email, member_kind, week_start, tasks, overdue_tasks, tasks_without_estimate, estimate_hours, estimate_money) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT k.assignee_id AS member_id, m.name AS member_name, m.email AS member_email,
  m.kind AS member_kind, k.week AS week_start, k.tasks, k.overdue AS overdue_tasks,
  k.unestimated AS tasks_without_estimate, k.hours AS estimate_hours, k.money AS estimate_money
FROM (
  SELECT w.assignee_id, w.week, count(*) AS tasks,
    sum(CASE WHEN w.overdue THEN 1 ELSE 0 END) AS overdue,
    sum(CASE WHEN w.max_time IS NULL THEN 1 ELSE 0 END) AS unestimated,
    coalesce(trim_scale(round(sum(w.max_time), 4)), 0) AS hours,
    coalesce(trim_scale(round(sum(w.max_money), 4)), 0) AS money
  FROM (
    SELECT t.assignee_id, t.max_time, t.max_money, t.date_end < n.today AS overdue,
      CASE WHEN t.date_end IS NOT NULL THEN date_trunc('week', (greatest(t.date_end, n.today))::timestamp)::date END AS week
    FROM tasks t CROSS JOIN n
    WHERE t.removed_at IS NULL AND t.status = 'active'
  ) w
  GROUP BY w.assignee_id, w.week
) k
LEFT JOIN members m ON m.id = k.assignee_id
--;;
COMMENT ON VIEW report_workload IS 'Open tasks by who is responsible and by the week they are due in.'
--;;
COMMENT ON COLUMN report_workload.member_id IS 'who is responsible, members.id; NULL: nobody was ever said'
--;;
COMMENT ON COLUMN report_workload.member_name IS 'name of that member; ANY and NOONE have rows of their own'
--;;
COMMENT ON COLUMN report_workload.member_email IS 'email of that member, or ANY, or NOONE'
--;;
COMMENT ON COLUMN report_workload.member_kind IS 'person, anyone (ANY) or nobody (NOONE)'
--;;
COMMENT ON COLUMN report_workload.week_start IS 'Monday of the week; overdue tasks count in the present week; NULL: no due date'
--;;
COMMENT ON COLUMN report_workload.tasks IS 'how many open tasks are due in that week'
--;;
COMMENT ON COLUMN report_workload.overdue_tasks IS 'how many of them were due before today'
--;;
COMMENT ON COLUMN report_workload.tasks_without_estimate IS 'how many of them have no estimate in hours'
--;;
COMMENT ON COLUMN report_workload.estimate_hours IS 'sum of their estimates in hours'
--;;
COMMENT ON COLUMN report_workload.estimate_money IS 'sum of their estimates in the account''s currency'
--;;
CREATE OR REPLACE VIEW report_projects (project_id, project_name, url, status, folder, manager_id, manager_name, date_start, date_end, tasks, open, done, progress, late, estimate_hours, open_estimate_hours, estimate_money, first_start, last_due, last_closed) AS
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
    trim_scale(round(sum(t.max_time), 4)) AS hours, trim_scale(round(sum(t.max_money), 4)) AS money,
    trim_scale(round(sum(CASE WHEN t.status = 'active' THEN t.max_time END), 4)) AS open_hours,
    min(t.date_start) AS first_start, max(t.date_closed) AS last_closed,
    max(CASE WHEN t.status = 'active' THEN t.date_end END) AS last_due
  FROM tasks t CROSS JOIN n WHERE t.removed_at IS NULL GROUP BY t.project_id
) k ON k.project_id = j.id
WHERE j.removed_at IS NULL
--;;
COMMENT ON VIEW report_projects IS 'Every project: how many of its tasks are done, open and late, and their estimates.'
--;;
COMMENT ON COLUMN report_projects.project_id IS 'number of the project in the account, projects.id'
--;;
COMMENT ON COLUMN report_projects.project_name IS 'title'
--;;
COMMENT ON COLUMN report_projects.url IS 'address of its page in the account'
--;;
COMMENT ON COLUMN report_projects.status IS 'active, pending or archive; NULL until known'
--;;
COMMENT ON COLUMN report_projects.folder IS 'folder (company) it stands in; NULL until known'
--;;
COMMENT ON COLUMN report_projects.manager_id IS 'its manager, members.id'
--;;
COMMENT ON COLUMN report_projects.manager_name IS 'name of its manager'
--;;
COMMENT ON COLUMN report_projects.date_start IS 'start date of the project itself'
--;;
COMMENT ON COLUMN report_projects.date_end IS 'due date of the project itself'
--;;
COMMENT ON COLUMN report_projects.tasks IS 'how many tasks it has, subtasks counted like any other'
--;;
COMMENT ON COLUMN report_projects.open IS 'how many of them are active'
--;;
COMMENT ON COLUMN report_projects.done IS 'how many of them are done'
--;;
COMMENT ON COLUMN report_projects.progress IS 'done of all in percent, one digit; NULL: no tasks'
--;;
COMMENT ON COLUMN report_projects.late IS 'how many are open and were due before today'
--;;
COMMENT ON COLUMN report_projects.estimate_hours IS 'sum of the estimates of all its tasks, in hours'
--;;
COMMENT ON COLUMN report_projects.open_estimate_hours IS 'sum of the estimates of its open tasks, in hours'
--;;
COMMENT ON COLUMN report_projects.estimate_money IS 'sum of the estimates in the account''s currency'
--;;
COMMENT ON COLUMN report_projects.first_start IS 'earliest start date among its tasks'
--;;
COMMENT ON COLUMN report_projects.last_due IS 'latest due date among its open tasks'
--;;
COMMENT ON COLUMN report_projects.last_closed IS 'when a task of it was closed last, the account''s wall clock'
--;;
CREATE OR REPLACE VIEW report_daily (day, project_id, project_name, added, closed, reopened, removed, restored, open, done, total) AS
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT array_agg((e ->> 0)::timestamp AT TIME ZONE 'UTC' ORDER BY e ->> 0) AS from_at, array_agg((e ->> 1)::integer ORDER BY e ->> 0) AS seconds FROM sync_state s, jsonb_array_elements(s.value -> 'offsets') e WHERE s.name = 'clock'),
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
  SELECT x.id, coalesce((x.date_closed)::date, (date_trunc('second', x.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date) AS day, 0 AS added, 1 AS closed, 0 AS reopened, 0 AS removed,
    0 AS restored, -1 AS more_open, 1 AS more_done
  FROM step x WHERE x.turns AND x.status = 'done'
  UNION ALL
  SELECT x.id, (date_trunc('second', x.ended_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.ended_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date, 0, 0, 1, 0, 0, 1, -1
  FROM step x WHERE x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
  UNION ALL
  SELECT x.id, (date_trunc('second', x.removed_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.removed_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date, 0, 0, 0, 1, 0,
    CASE x.status WHEN 'active' THEN -1 ELSE 0 END, CASE x.status WHEN 'done' THEN -1 ELSE 0 END
  FROM step x WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
  UNION ALL
  SELECT x.id, (date_trunc('second', x.ended_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.ended_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date, 0, 0, 0, 0, 1,
    CASE x.status WHEN 'active' THEN 1 ELSE 0 END, CASE x.status WHEN 'done' THEN 1 ELSE 0 END
  FROM step x
  WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL AND x.ended_at IS NOT NULL),
ledger AS (
  SELECT t.project_id, least(coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT t.project_id, least(greatest(e.day, coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date)), (SELECT today FROM n)), e.added, e.closed, e.reopened, e.removed, e.restored,
    e.more_open, e.more_done
  FROM happened e JOIN tasks t ON t.id = e.id),
daily AS MATERIALIZED (SELECT project_id, day, sum(added) AS added, sum(closed) AS closed, sum(reopened) AS reopened, sum(removed) AS removed, sum(restored) AS restored, sum(more_open) AS more_open, sum(more_done) AS more_done FROM ledger GROUP BY project_id, day),
first AS MATERIALIZED (SELECT project_id, min(day) AS day FROM daily GROUP BY project_id),
calendar (day) AS (
  SELECT min(day) FROM first
  UNION ALL
  SELECT (c.day + 1) FROM calendar c CROSS JOIN n WHERE c.day < n.today)
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
COMMENT ON VIEW report_daily IS 'A row for each project and day, from its first task until today: the burn-up.'
--;;
COMMENT ON COLUMN report_daily.day IS 'the day, on the account''s calendar'
--;;
COMMENT ON COLUMN report_daily.project_id IS 'the project where its tasks are now, projects.id'
--;;
COMMENT ON COLUMN report_daily.project_name IS 'title of the project'
--;;
COMMENT ON COLUMN report_daily.added IS 'tasks created (tasks.date_added), those that were removed later too'
--;;
COMMENT ON COLUMN report_daily.closed IS 'times a task was closed (tasks.date_closed)'
--;;
COMMENT ON COLUMN report_daily.reopened IS 'times a closed task was seen open again; known since syncd began'
--;;
COMMENT ON COLUMN report_daily.removed IS 'tasks seen to be gone from the account; known since syncd began'
--;;
COMMENT ON COLUMN report_daily.restored IS 'tasks that came back after that'
--;;
COMMENT ON COLUMN report_daily.open IS 'how many tasks were open at the end of the day'
--;;
COMMENT ON COLUMN report_daily.done IS 'how many tasks were done at the end of the day'
--;;
COMMENT ON COLUMN report_daily.total IS 'open and done together: the scope line of a burn-up'
--;;
CREATE OR REPLACE VIEW report_throughput (week_start, added, closed, reopened, removed, restored, net, open_at_end) AS
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT array_agg((e ->> 0)::timestamp AT TIME ZONE 'UTC' ORDER BY e ->> 0) AS from_at, array_agg((e ->> 1)::integer ORDER BY e ->> 0) AS seconds FROM sync_state s, jsonb_array_elements(s.value -> 'offsets') e WHERE s.name = 'clock'),
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
  SELECT x.id, coalesce((x.date_closed)::date, (date_trunc('second', x.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date) AS day, 0 AS added, 1 AS closed, 0 AS reopened, 0 AS removed,
    0 AS restored, -1 AS more_open, 1 AS more_done
  FROM step x WHERE x.turns AND x.status = 'done'
  UNION ALL
  SELECT x.id, (date_trunc('second', x.ended_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.ended_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date, 0, 0, 1, 0, 0, 1, -1
  FROM step x WHERE x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
  UNION ALL
  SELECT x.id, (date_trunc('second', x.removed_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.removed_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date, 0, 0, 0, 1, 0,
    CASE x.status WHEN 'active' THEN -1 ELSE 0 END, CASE x.status WHEN 'done' THEN -1 ELSE 0 END
  FROM step x WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
  UNION ALL
  SELECT x.id, (date_trunc('second', x.ended_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.ended_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date, 0, 0, 0, 0, 1,
    CASE x.status WHEN 'active' THEN 1 ELSE 0 END, CASE x.status WHEN 'done' THEN 1 ELSE 0 END
  FROM step x
  WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL AND x.ended_at IS NOT NULL),
ledger AS (
  SELECT t.project_id, least(coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT t.project_id, least(greatest(e.day, coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date)), (SELECT today FROM n)), e.added, e.closed, e.reopened, e.removed, e.restored,
    e.more_open, e.more_done
  FROM happened e JOIN tasks t ON t.id = e.id),
daily AS MATERIALIZED (SELECT day, sum(added) AS added, sum(closed) AS closed, sum(reopened) AS reopened, sum(removed) AS removed, sum(restored) AS restored, sum(more_open) AS more_open, sum(more_done) AS more_done FROM ledger GROUP BY day),
weekly AS MATERIALIZED (
  SELECT w.week, sum(added) AS added, sum(closed) AS closed, sum(reopened) AS reopened, sum(removed) AS removed, sum(restored) AS restored, sum(more_open) AS more_open, sum(more_done) AS more_done FROM (SELECT date_trunc('week', (day)::timestamp)::date AS week, daily.* FROM daily) w
  GROUP BY w.week),
calendar (week) AS (
  SELECT min(week) FROM weekly WHERE week IS NOT NULL
  UNION ALL
  SELECT (c.week + 7) FROM calendar c CROSS JOIN n
  WHERE (c.week + 7) <= n.today)
SELECT c.week AS week_start, CAST(coalesce(x.added, 0) AS bigint) AS added, CAST(coalesce(x.closed, 0) AS bigint) AS closed, CAST(coalesce(x.reopened, 0) AS bigint) AS reopened, CAST(coalesce(x.removed, 0) AS bigint) AS removed, CAST(coalesce(x.restored, 0) AS bigint) AS restored, CAST(coalesce(x.more_open, 0) AS bigint) AS net,
  CAST(sum(coalesce(x.more_open, 0)) OVER (ORDER BY c.week) AS bigint) AS open_at_end
FROM calendar c
LEFT JOIN weekly x ON x.week = c.week
WHERE c.week IS NOT NULL
--;;
COMMENT ON VIEW report_throughput IS 'A row for each week, from the first task until this week: what came in and went out.'
--;;
COMMENT ON COLUMN report_throughput.week_start IS 'Monday of the week, on the account''s calendar'
--;;
COMMENT ON COLUMN report_throughput.added IS 'tasks created (tasks.date_added), those that were removed later too'
--;;
COMMENT ON COLUMN report_throughput.closed IS 'times a task was closed (tasks.date_closed)'
--;;
COMMENT ON COLUMN report_throughput.reopened IS 'times a closed task was seen open again; known since syncd began'
--;;
COMMENT ON COLUMN report_throughput.removed IS 'tasks seen to be gone from the account; known since syncd began'
--;;
COMMENT ON COLUMN report_throughput.restored IS 'tasks that came back after that'
--;;
COMMENT ON COLUMN report_throughput.net IS 'by how many the open tasks became more in that week'
--;;
COMMENT ON COLUMN report_throughput.open_at_end IS 'how many tasks were open at its end; of this week: now'
--;;
CREATE OR REPLACE VIEW report_cycle_time (task_id, task_name, project_id, project_name, assignee_id, assignee_name, date_added, date_start, date_end, date_closed, week_closed, lead_hours, lead_days, days_late, assigned_at, assigned_hours) AS
SELECT t.id AS task_id, t.name AS task_name, t.project_id, j.name AS project_name,
  t.assignee_id, m.name AS assignee_name, t.date_added, t.date_start, t.date_end, t.date_closed,
  date_trunc('week', ((t.date_closed)::date)::timestamp)::date AS week_closed, round(((CASE WHEN t.closed_at IS NULL OR t.added_at IS NULL THEN floor(extract(epoch FROM t.date_closed))::bigint - floor(extract(epoch FROM t.date_added))::bigint ELSE floor(extract(epoch FROM t.closed_at))::bigint - floor(extract(epoch FROM t.added_at))::bigint END)::bigint * 100 + 1800) / 3600 / 100.0, 2) AS lead_hours,
  ((t.date_closed)::date - (t.date_added)::date) AS lead_days,
  CASE WHEN ((t.date_closed)::date - t.date_end) < 0 THEN 0 ELSE ((t.date_closed)::date - t.date_end) END AS days_late,
  a.assigned_at, round(((floor(extract(epoch FROM t.closed_at))::bigint - floor(extract(epoch FROM a.assigned_at))::bigint)::bigint * 100 + 1800) / 3600 / 100.0, 2) AS assigned_hours
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
COMMENT ON VIEW report_cycle_time IS 'One row for each done task that is in the account: how long it took.'
--;;
COMMENT ON COLUMN report_cycle_time.task_id IS 'the task, tasks.id'
--;;
COMMENT ON COLUMN report_cycle_time.task_name IS 'its title now'
--;;
COMMENT ON COLUMN report_cycle_time.project_id IS 'its project now, projects.id'
--;;
COMMENT ON COLUMN report_cycle_time.project_name IS 'title of that project'
--;;
COMMENT ON COLUMN report_cycle_time.assignee_id IS 'who was responsible at the end, members.id'
--;;
COMMENT ON COLUMN report_cycle_time.assignee_name IS 'name of that member'
--;;
COMMENT ON COLUMN report_cycle_time.date_added IS 'created, the account''s wall clock'
--;;
COMMENT ON COLUMN report_cycle_time.date_start IS 'start date, as shown'
--;;
COMMENT ON COLUMN report_cycle_time.date_end IS 'due date, as shown'
--;;
COMMENT ON COLUMN report_cycle_time.date_closed IS 'completed, the account''s wall clock'
--;;
COMMENT ON COLUMN report_cycle_time.week_closed IS 'Monday of the week it was completed in'
--;;
COMMENT ON COLUMN report_cycle_time.lead_hours IS 'hours from created to completed, two digits; true hours where account.timezone is set, else by the wall clock'
--;;
COMMENT ON COLUMN report_cycle_time.lead_days IS 'calendar days from created to completed'
--;;
COMMENT ON COLUMN report_cycle_time.days_late IS 'days from due to completed; 0: in time; NULL: no due date'
--;;
COMMENT ON COLUMN report_cycle_time.assigned_at IS 'when a person was first seen responsible, UTC, if that change was seen; NULL: not known'
--;;
COMMENT ON COLUMN report_cycle_time.assigned_hours IS 'hours from assigned_at to completed; NULL: not known'
--;;
CREATE OR REPLACE VIEW report_tag_time (task_id, task_name, project_id, project_name, status, tag_id, tag, tag_group, tag_type, hours, first_seen_at, last_seen_at, is_present) AS
SELECT k.task_id, t.name AS task_name, t.project_id, j.name AS project_name, t.status,
  k.tag_id, coalesce(g.label, '#' || k.tag_id) AS tag, g.group_name AS tag_group,
  g.type AS tag_type,
  round(((k.seconds)::bigint * 100 + 1800) / 3600 / 100.0, 2) AS hours, k.first_seen_at,
  CASE WHEN k.present = 1 THEN NULL ELSE k.last_seen_at END AS last_seen_at,
  k.present = 1 AS is_present
FROM (
  SELECT v.task_id, v.tag_id, sum(floor(extract(epoch FROM v.until))::bigint - floor(extract(epoch FROM v.since))::bigint) AS seconds,
    min(v.since) AS first_seen_at, max(v.until) AS last_seen_at, max(v.present) AS present
  FROM (
    SELECT h.task_id, e.value::bigint AS tag_id, h.valid_from AS since, h.valid_to AS until, 0 AS present
    FROM task_history h CROSS JOIN unnest(string_to_array(btrim(h.tags::text, '[]'), ', ')) e (value)
    WHERE h.status = 'active' AND h.removed_at IS NULL
    UNION ALL
    SELECT t.id, l.tag_id, t.valid_from,
      greatest((SELECT now_at FROM report_today), t.valid_from), 1
    FROM tasks t JOIN task_tags l ON l.task_id = t.id
    WHERE t.status = 'active' AND t.removed_at IS NULL
  ) v GROUP BY v.task_id, v.tag_id
) k
JOIN tasks t ON t.id = k.task_id
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN tags g ON g.id = k.tag_id
--;;
COMMENT ON VIEW report_tag_time IS 'How long each task was open with each tag, as far as history goes back.'
--;;
COMMENT ON COLUMN report_tag_time.task_id IS 'the task, tasks.id'
--;;
COMMENT ON COLUMN report_tag_time.task_name IS 'its title now'
--;;
COMMENT ON COLUMN report_tag_time.project_id IS 'its project now, projects.id'
--;;
COMMENT ON COLUMN report_tag_time.project_name IS 'title of that project'
--;;
COMMENT ON COLUMN report_tag_time.status IS 'active or done, now'
--;;
COMMENT ON COLUMN report_tag_time.tag_id IS 'the tag, tags.id'
--;;
COMMENT ON COLUMN report_tag_time.tag IS 'its label (tags.label)'
--;;
COMMENT ON COLUMN report_tag_time.tag_group IS 'name of its group'
--;;
COMMENT ON COLUMN report_tag_time.tag_type IS 'status or label, as its group says'
--;;
COMMENT ON COLUMN report_tag_time.hours IS 'hours in which the task was open and had the tag, two digits; until now if it still is so'
--;;
COMMENT ON COLUMN report_tag_time.first_seen_at IS 'when it was first seen so, UTC'
--;;
COMMENT ON COLUMN report_tag_time.last_seen_at IS 'when it was last no longer so, UTC; NULL: it still is'
--;;
COMMENT ON COLUMN report_tag_time.is_present IS 'true if the task is open and has the tag now'
--;;
CREATE OR REPLACE VIEW report_due_slips (task_id, task_name, project_id, project_name, seen_at, from_date, to_date, days, author, author_id, run_id) AS
SELECT c.task_id, t.name AS task_name, t.project_id, j.name AS project_name, c.at AS seen_at,
  c.before AS from_date, c.after AS to_date, (c.after - c.before) AS days,
  (SELECT a.member_name FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > (c.since - interval '1 minute') AND a.at <= c.at AND CASE 'date_end' WHEN 'status' THEN a.action = CASE to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND to_char(c.after::timestamp, 'YYYY-MM-DD') IS NOT NULL WHEN 'name' THEN coalesce(a.new ->> 'title', a.new ->> 'name') = to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'assignee_email' THEN a.new -> 'user_to' ->> 'id' = to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'tags' THEN jsonb_typeof(a.new -> 'tags') = 'array' AND coalesce((SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text(CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e), '') = coalesce((SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(CASE 'date_end' WHEN 'tags' THEN to_char(c.after::timestamp, 'YYYY-MM-DD')::jsonb END) e (id) LEFT JOIN tags g ON g.id = e.id::bigint), '') WHEN 'time_start' THEN a.new ->> 'date_end' = coalesce(substr(to_char(c.after::timestamp, 'YYYY-MM-DD'), 1, 5), '') WHEN 'time_end' THEN a.new ->> 'date_end' = coalesce(substr(to_char(c.after::timestamp, 'YYYY-MM-DD'), 1, 5), '') ELSE a.new ->> 'date_end' = coalesce(to_char(c.after::timestamp, 'YYYY-MM-DD'), '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author,
  (SELECT a.member_id FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > (c.since - interval '1 minute') AND a.at <= c.at AND CASE 'date_end' WHEN 'status' THEN a.action = CASE to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND to_char(c.after::timestamp, 'YYYY-MM-DD') IS NOT NULL WHEN 'name' THEN coalesce(a.new ->> 'title', a.new ->> 'name') = to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'assignee_email' THEN a.new -> 'user_to' ->> 'id' = to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'tags' THEN jsonb_typeof(a.new -> 'tags') = 'array' AND coalesce((SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text(CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e), '') = coalesce((SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(CASE 'date_end' WHEN 'tags' THEN to_char(c.after::timestamp, 'YYYY-MM-DD')::jsonb END) e (id) LEFT JOIN tags g ON g.id = e.id::bigint), '') WHEN 'time_start' THEN a.new ->> 'date_end' = coalesce(substr(to_char(c.after::timestamp, 'YYYY-MM-DD'), 1, 5), '') WHEN 'time_end' THEN a.new ->> 'date_end' = coalesce(substr(to_char(c.after::timestamp, 'YYYY-MM-DD'), 1, 5), '') ELSE a.new ->> 'date_end' = coalesce(to_char(c.after::timestamp, 'YYYY-MM-DD'), '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS author_id, c.run_id
FROM (
  SELECT h.task_id, h.valid_from AS since, h.valid_to AS at, h.run_id, h.date_end AS before,
    x.date_end AS after
  FROM task_history h
  JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
  WHERE h.date_end IS DISTINCT FROM x.date_end
  UNION ALL
  SELECT h.task_id, h.valid_from, h.valid_to, h.run_id, h.date_end, x.date_end
  FROM task_history h JOIN tasks x ON x.id = h.task_id AND x.valid_from = h.valid_to
  WHERE h.date_end IS DISTINCT FROM x.date_end
) c
JOIN tasks t ON t.id = c.task_id
LEFT JOIN projects j ON j.id = t.project_id
--;;
COMMENT ON VIEW report_due_slips IS 'Each change of a due date that was seen, the first setting and the clearing too.'
--;;
COMMENT ON COLUMN report_due_slips.task_id IS 'the task, tasks.id'
--;;
COMMENT ON COLUMN report_due_slips.task_name IS 'its title now'
--;;
COMMENT ON COLUMN report_due_slips.project_id IS 'its project now, projects.id'
--;;
COMMENT ON COLUMN report_due_slips.project_name IS 'title of that project'
--;;
COMMENT ON COLUMN report_due_slips.seen_at IS 'when the new date was first seen, UTC: at most one pull after it was set'
--;;
COMMENT ON COLUMN report_due_slips.from_date IS 'due date before; NULL: none'
--;;
COMMENT ON COLUMN report_due_slips.to_date IS 'due date after; NULL: none'
--;;
COMMENT ON COLUMN report_due_slips.days IS 'days from the one to the other, negative: earlier; NULL: one of them is none'
--;;
COMMENT ON COLUMN report_due_slips.author IS 'who did it, where the account''s feed told it; NULL: not known'
--;;
COMMENT ON COLUMN report_due_slips.author_id IS 'who did it, members.id; NULL: not known'
--;;
COMMENT ON COLUMN report_due_slips.run_id IS 'the run that saw it, sync_runs.id'
--;;
CREATE OR REPLACE VIEW report_blocked (task_id, task_name, project_id, project_name, assignee_name, date_start, date_end, kind, blocker_id, blocker_name, blocker_assignee_name, blocker_date_end, depth, chain, chain_ids, chain_end, decided_by_id, days_over, decides, in_circle) AS
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
  v.id AS decided_by_id, (r.chain_end - t.date_end) AS days_over,
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
COMMENT ON VIEW report_blocked IS 'One row for each open task and each open task it waits for, with the chain behind that.'
--;;
COMMENT ON COLUMN report_blocked.task_id IS 'the task that waits, tasks.id'
--;;
COMMENT ON COLUMN report_blocked.task_name IS 'its title'
--;;
COMMENT ON COLUMN report_blocked.project_id IS 'its project, projects.id'
--;;
COMMENT ON COLUMN report_blocked.project_name IS 'title of its project'
--;;
COMMENT ON COLUMN report_blocked.assignee_name IS 'name of who is responsible for it'
--;;
COMMENT ON COLUMN report_blocked.date_start IS 'its start date, as shown'
--;;
COMMENT ON COLUMN report_blocked.date_end IS 'its due date, as shown'
--;;
COMMENT ON COLUMN report_blocked.kind IS 'why it waits: finish-to-start (the other one has to be done), start-to-start (its start date has to have come), subtask (a parent is done after its subtasks); of several the first of these'
--;;
COMMENT ON COLUMN report_blocked.blocker_id IS 'the open task it waits for, tasks.id'
--;;
COMMENT ON COLUMN report_blocked.blocker_name IS 'title of that task'
--;;
COMMENT ON COLUMN report_blocked.blocker_assignee_name IS 'name of who is responsible for that task'
--;;
COMMENT ON COLUMN report_blocked.blocker_date_end IS 'due date of that task, as shown'
--;;
COMMENT ON COLUMN report_blocked.depth IS 'how many open tasks stand in the chain'
--;;
COMMENT ON COLUMN report_blocked.chain IS 'titles of the chain, what is to be done first in front, the blocker last, joined by '' > ''; where several lead on, along the one that ends last'
--;;
COMMENT ON COLUMN report_blocked.chain_ids IS 'the same as numbers, joined by commas'
--;;
COMMENT ON COLUMN report_blocked.chain_end IS 'latest due date of all that the blocker waits for, itself too; NULL: none has one'
--;;
COMMENT ON COLUMN report_blocked.decided_by_id IS 'the task with that due date, tasks.id; of several the lowest number'
--;;
COMMENT ON COLUMN report_blocked.days_over IS 'days by which that is after the task''s own due date; negative: in time; NULL: one of them has none'
--;;
COMMENT ON COLUMN report_blocked.decides IS 'true for that one of a task''s blockers whose chain ends last'
--;;
COMMENT ON COLUMN report_blocked.in_circle IS 'true where the blocker waits, in the end, for the task itself'
--;;
CREATE OR REPLACE VIEW report_freshness (source, subject, state, is_green, as_of, age_s, last_complete_at, last_run_at, missing) AS
WITH lane AS (SELECT 1 AS place, 'tasks' AS source, 'pull' AS kind
  UNION ALL SELECT 2, 'fast lane', 'events')
SELECT k.source, k.subject, k.state, k.state = 'complete' AS is_green, k.as_of,
  floor(extract(epoch FROM n.now_at))::bigint - floor(extract(epoch FROM k.as_of))::bigint AS age_s, k.last_complete_at, k.last_run_at,
  k.missing
FROM (
  SELECT l.place, l.source, NULL AS subject, coalesce(r.outcome, 'never') AS state,
    coalesce(s.observed_at, s.started_at) AS as_of,
    coalesce(c.observed_at, c.started_at) AS last_complete_at,
    r.finished_at AS last_run_at, CASE r.outcome WHEN 'failed' THEN r.error
      WHEN 'partial' THEN (SELECT string_agg(e.note, '; ' ORDER BY e.place) FROM jsonb_array_elements_text(r.detail -> 'notes') WITH ORDINALITY e (note, place)) END AS missing
  FROM lane l
  LEFT JOIN sync_runs r ON r.id = (SELECT o.id FROM sync_runs o WHERE o.kind = l.kind  ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  LEFT JOIN sync_runs s ON s.id = (SELECT o.id FROM sync_runs o WHERE o.kind = l.kind AND o.outcome <> 'failed' ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  LEFT JOIN sync_runs c ON c.id = (SELECT o.id FROM sync_runs o WHERE o.kind = l.kind AND o.outcome = 'complete' ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  UNION ALL
  SELECT l.place, l.source, NULL, CASE WHEN s.value IS NULL THEN 'never'
      WHEN r.outcome = 'complete' THEN 'complete' ELSE 'partial' END,
    date_trunc('second', (s.value #>> '{}')::timestamptz, 'UTC'), date_trunc('second', (s.value #>> '{}')::timestamptz, 'UTC'), r.finished_at,
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
--;;
COMMENT ON VIEW report_freshness IS 'One row for each source: as of when it is mirrored, and whether anything is missing.'
--;;
COMMENT ON COLUMN report_freshness.source IS 'tasks (the full pull), fast lane, projects, members, tags; slice: a project that a pull under way has read'
--;;
COMMENT ON COLUMN report_freshness.subject IS 'title of the project of a slice; NULL for the others'
--;;
COMMENT ON COLUMN report_freshness.state IS 'how its last run ended: complete, partial or failed; never: none has ended; under way: of a slice'
--;;
COMMENT ON COLUMN report_freshness.is_green IS 'true if the last run was complete: nothing is missing as of as_of'
--;;
COMMENT ON COLUMN report_freshness.as_of IS 'the account was as mirrored at this instant, UTC, save for what is missing'
--;;
COMMENT ON COLUMN report_freshness.age_s IS 'how long ago that is, in seconds'
--;;
COMMENT ON COLUMN report_freshness.last_complete_at IS 'the same of the last run that was complete, UTC'
--;;
COMMENT ON COLUMN report_freshness.last_run_at IS 'when its last run ended, UTC, however it ended'
--;;
COMMENT ON COLUMN report_freshness.missing IS 'what the last run left out, or why it failed; NULL: nothing'
