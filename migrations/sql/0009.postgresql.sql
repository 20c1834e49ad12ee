CREATE OR REPLACE VIEW task_changes (task_id, at, field, old, new, author, author_id, run_id) AS
SELECT c.task_id, c.at, c.field, c.old, c.new, c.author, c.author_id, c.run_id
FROM (SELECT k.*, k.told[1] AS author, k.told[2]::bigint AS author_id FROM (WITH c AS (
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
  CROSS JOIN LATERAL unnest(array_remove(ARRAY[CASE WHEN h.name IS DISTINCT FROM x.name THEN 0 END, CASE WHEN h.status IS DISTINCT FROM x.status THEN 1 END, CASE WHEN h.priority IS DISTINCT FROM x.priority THEN 2 END, CASE WHEN h.assignee_id IS DISTINCT FROM x.assignee_id THEN 3 END, CASE WHEN h.date_start IS DISTINCT FROM x.date_start THEN 4 END, CASE WHEN h.time_start IS DISTINCT FROM x.time_start THEN 5 END, CASE WHEN h.date_end IS DISTINCT FROM x.date_end THEN 6 END, CASE WHEN h.time_end IS DISTINCT FROM x.time_end THEN 7 END, CASE WHEN h.date_closed IS DISTINCT FROM x.date_closed THEN 8 END, CASE WHEN h.max_time IS DISTINCT FROM x.max_time THEN 9 END, CASE WHEN h.max_money IS DISTINCT FROM x.max_money THEN 10 END, CASE WHEN h.removed_at IS NULL AND x.removed_at IS NULL AND h.tags IS DISTINCT FROM coalesce(now.tags, '[]') THEN 11 END, CASE WHEN h.project_id IS DISTINCT FROM x.project_id THEN 12 END, CASE WHEN h.parent_id IS DISTINCT FROM x.parent_id THEN 13 END, CASE WHEN h.level IS DISTINCT FROM x.level THEN 14 END, CASE WHEN h.author_id IS DISTINCT FROM x.author_id THEN 15 END, CASE WHEN h.date_added IS DISTINCT FROM x.date_added THEN 16 END, CASE WHEN h.text IS DISTINCT FROM x.text THEN 17 END, CASE WHEN h.extra IS DISTINCT FROM x.extra THEN 18 END, CASE WHEN h.removed_reason IS DISTINCT FROM x.removed_reason THEN 19 END], NULL)) f (value)) SELECT c.task_id, c.at, c.field, CASE c.field WHEN 'tags' THEN CASE WHEN strpos(c.old, ',') > 0
    THEN (SELECT string_agg(coalesce(g.label, '#' || e.id), ','
        ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C")
      FROM unnest(string_to_array(btrim(c.old, '[]'), ', ')) e (id)
      LEFT JOIN tags g ON g.id = e.id::bigint)
    WHEN c.old <> '[]' THEN coalesce((SELECT jsonb_object_agg(g.id, g.label) FROM tags g)
      ->> btrim(c.old, '[]'), '#' || btrim(c.old, '[]')) END WHEN 'assignee_email' THEN (SELECT jsonb_object_agg(m.id, m.email) FROM members m) ->> c.old WHEN 'author_email' THEN (SELECT jsonb_object_agg(m.id, m.email) FROM members m) ->> c.old ELSE c.old END AS old, CASE c.field WHEN 'tags' THEN CASE WHEN strpos(c.new, ',') > 0
    THEN (SELECT string_agg(coalesce(g.label, '#' || e.id), ','
        ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C")
      FROM unnest(string_to_array(btrim(c.new, '[]'), ', ')) e (id)
      LEFT JOIN tags g ON g.id = e.id::bigint)
    WHEN c.new <> '[]' THEN coalesce((SELECT jsonb_object_agg(g.id, g.label) FROM tags g)
      ->> btrim(c.new, '[]'), '#' || btrim(c.new, '[]')) END WHEN 'assignee_email' THEN (SELECT jsonb_object_agg(m.id, m.email) FROM members m) ->> c.new WHEN 'author_email' THEN (SELECT jsonb_object_agg(m.id, m.email) FROM members m) ->> c.new ELSE c.new END AS new, c.run_id, (SELECT ARRAY[a.member_name, a.member_id::text] FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > (c.since - interval '1 minute') AND a.at <= c.at AND CASE c.field WHEN 'status' THEN a.action = CASE c.new WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND c.new IS NOT NULL WHEN 'name' THEN coalesce(a.new ->> 'title', a.new ->> 'name') = c.new WHEN 'assignee_email' THEN a.new -> 'user_to' ->> 'id' = c.new WHEN 'tags' THEN jsonb_typeof(a.new -> 'tags') = 'array' AND coalesce((SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text(CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e), '') = coalesce((SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(CASE c.field WHEN 'tags' THEN c.new::jsonb END) e (id) LEFT JOIN tags g ON g.id = e.id::bigint), '') WHEN 'time_start' THEN a.new ->> c.field = coalesce(substr(c.new, 1, 5), '') WHEN 'time_end' THEN a.new ->> c.field = coalesce(substr(c.new, 1, 5), '') ELSE a.new ->> c.field = coalesce(c.new, '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS told FROM c) k) c
--;;
CREATE OR REPLACE VIEW report_projects (project_id, project_name, url, status, folder, manager_id, manager_name, date_start, date_end, tasks, open, done, progress, late, estimate_hours, open_estimate_hours, estimate_money, first_start, last_due, last_closed) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT j.id AS project_id, j.name AS project_name, j.url, j.status, j.folder, j.manager_id,
  m.name AS manager_name, j.date_start, j.date_end,
  coalesce(k.tasks, 0) AS tasks, coalesce(k.open, 0) AS open, coalesce(k.tasks - k.open, 0) AS done,
  trim_scale(round(((k.tasks - k.open) * 1000 + k.tasks / 2) / k.tasks / 10.0, 1)) AS progress,
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
CREATE OR REPLACE VIEW report_daily (day, project_id, project_name, added, closed, reopened, removed, restored, open, done, total) AS
WITH n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT array_agg((e ->> 0)::timestamp AT TIME ZONE 'UTC' ORDER BY e ->> 0) AS from_at, array_agg((e ->> 1)::integer ORDER BY e ->> 0) AS seconds FROM sync_state s, jsonb_array_elements(s.value -> 'offsets') e WHERE s.name = 'clock'),
kind (effect) AS (SELECT 'closed' UNION ALL SELECT 'reopened' UNION ALL SELECT 'removed'
  UNION ALL SELECT 'restored'),
step AS (
  SELECT t.project_id, coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date) AS born, t.status, t.date_closed, t.valid_from, t.removed_at,
    NULL AS ended_at, NULL AS next_removed_at, TRUE AS turns
  FROM tasks t WHERE t.status = 'done' OR t.removed_at IS NOT NULL
  UNION ALL
  SELECT t.project_id, coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date), h.status, h.date_closed, h.valid_from, h.removed_at, h.valid_to,
    coalesce(x.removed_at, CASE WHEN t.valid_from = h.valid_to THEN t.removed_at END), coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status
  FROM task_history h JOIN tasks t ON t.id = h.task_id
  LEFT JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
    AND (x.status = 'done' OR x.removed_at IS NOT NULL)
  WHERE (h.status = 'done' OR h.removed_at IS NOT NULL) AND (coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status OR h.removed_at IS NOT NULL)),
ledger AS (
  SELECT t.project_id, least(coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT x.project_id, least(greatest(CASE k.effect WHEN 'closed' THEN coalesce((x.date_closed)::date, (date_trunc('second', x.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date) WHEN 'removed' THEN (date_trunc('second', x.removed_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.removed_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date ELSE (date_trunc('second', x.ended_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.ended_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date END, x.born), (SELECT today FROM n)), 0, CASE k.effect WHEN 'closed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'reopened' THEN 1 ELSE 0 END, CASE k.effect WHEN 'removed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'restored' THEN 1 ELSE 0 END,
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
    CAST(sum(x.more_done) OVER w AS bigint) AS done, lead(x.day, 1, ((SELECT today FROM n) + 1)) OVER w AS next_day
  FROM daily x WINDOW w AS (PARTITION BY x.project_id ORDER BY x.day))
SELECT (k.day + e.key::integer) AS day, k.project_id, j.name AS project_name, CASE e.key WHEN 0 THEN k.added ELSE 0 END AS added, CASE e.key WHEN 0 THEN k.closed ELSE 0 END AS closed, CASE e.key WHEN 0 THEN k.reopened ELSE 0 END AS reopened, CASE e.key WHEN 0 THEN k.removed ELSE 0 END AS removed, CASE e.key WHEN 0 THEN k.restored ELSE 0 END AS restored,
  k.open, k.done, k.open + k.done AS total
FROM running k
CROSS JOIN LATERAL (SELECT u.place - 1 FROM unnest(array_fill(0, ARRAY[(k.next_day - k.day)])) WITH ORDINALITY u (zero, place)) e (key)
LEFT JOIN projects j ON j.id = k.project_id
--;;
CREATE OR REPLACE VIEW report_throughput (week_start, added, closed, reopened, removed, restored, net, open_at_end) AS
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED (SELECT array_agg((e ->> 0)::timestamp AT TIME ZONE 'UTC' ORDER BY e ->> 0) AS from_at, array_agg((e ->> 1)::integer ORDER BY e ->> 0) AS seconds FROM sync_state s, jsonb_array_elements(s.value -> 'offsets') e WHERE s.name = 'clock'),
kind (effect) AS (SELECT 'closed' UNION ALL SELECT 'reopened' UNION ALL SELECT 'removed'
  UNION ALL SELECT 'restored'),
step AS (
  SELECT t.project_id, coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date) AS born, t.status, t.date_closed, t.valid_from, t.removed_at,
    NULL AS ended_at, NULL AS next_removed_at, TRUE AS turns
  FROM tasks t WHERE t.status = 'done' OR t.removed_at IS NOT NULL
  UNION ALL
  SELECT t.project_id, coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date), h.status, h.date_closed, h.valid_from, h.removed_at, h.valid_to,
    coalesce(x.removed_at, CASE WHEN t.valid_from = h.valid_to THEN t.removed_at END), coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status
  FROM task_history h JOIN tasks t ON t.id = h.task_id
  LEFT JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
    AND (x.status = 'done' OR x.removed_at IS NOT NULL)
  WHERE (h.status = 'done' OR h.removed_at IS NOT NULL) AND (coalesce(x.status, CASE WHEN t.valid_from = h.valid_to THEN t.status END, '') <> h.status OR h.removed_at IS NOT NULL)),
ledger AS (
  SELECT t.project_id, least(coalesce((t.date_added)::date, (date_trunc('second', t.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(t.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date), (SELECT today FROM n)) AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT x.project_id, least(greatest(CASE k.effect WHEN 'closed' THEN coalesce((x.date_closed)::date, (date_trunc('second', x.valid_from AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.valid_from, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date) WHEN 'removed' THEN (date_trunc('second', x.removed_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.removed_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date ELSE (date_trunc('second', x.ended_at AT TIME ZONE 'UTC' + coalesce((SELECT c.seconds FROM clock c)[width_bucket(x.ended_at, (SELECT c.from_at FROM clock c))], 0) * interval '1 second'))::date END, x.born), (SELECT today FROM n)), 0, CASE k.effect WHEN 'closed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'reopened' THEN 1 ELSE 0 END, CASE k.effect WHEN 'removed' THEN 1 ELSE 0 END, CASE k.effect WHEN 'restored' THEN 1 ELSE 0 END,
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
CREATE OR REPLACE VIEW report_cycle_time (task_id, task_name, project_id, project_name, assignee_id, assignee_name, date_added, date_start, date_end, date_closed, week_closed, lead_hours, lead_days, days_late, assigned_at, assigned_hours) AS
SELECT t.id AS task_id, t.name AS task_name, t.project_id, j.name AS project_name,
  t.assignee_id, m.name AS assignee_name, t.date_added, t.date_start, t.date_end, t.date_closed,
  date_trunc('week', ((t.date_closed)::date)::timestamp)::date AS week_closed, trim_scale(round(((CASE WHEN t.closed_at IS NULL OR t.added_at IS NULL THEN floor(date_part('epoch', t.date_closed))::bigint - floor(date_part('epoch', t.date_added))::bigint ELSE floor(date_part('epoch', t.closed_at))::bigint - floor(date_part('epoch', t.added_at))::bigint END)::bigint * 100 + 1800) / 3600 / 100.0, 2)) AS lead_hours,
  ((t.date_closed)::date - (t.date_added)::date) AS lead_days,
  CASE WHEN ((t.date_closed)::date - t.date_end) < 0 THEN 0 ELSE ((t.date_closed)::date - t.date_end) END AS days_late,
  a.assigned_at, trim_scale(round(((floor(date_part('epoch', t.closed_at))::bigint - floor(date_part('epoch', a.assigned_at))::bigint)::bigint * 100 + 1800) / 3600 / 100.0, 2)) AS assigned_hours
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
CREATE OR REPLACE VIEW report_tag_time (task_id, task_name, project_id, project_name, status, tag_id, tag, tag_group, tag_type, hours, first_seen_at, last_seen_at, is_present) AS
SELECT k.task_id, t.name AS task_name, t.project_id, j.name AS project_name, t.status,
  k.tag_id, coalesce(g.label, '#' || k.tag_id) AS tag, g.group_name AS tag_group,
  g.type AS tag_type,
  trim_scale(round(((k.seconds)::bigint * 100 + 1800) / 3600 / 100.0, 2)) AS hours, k.first_seen_at,
  CASE WHEN k.present = 1 THEN NULL ELSE k.last_seen_at END AS last_seen_at,
  k.present = 1 AS is_present
FROM (
  SELECT v.task_id, v.tag_id, sum(floor(date_part('epoch', v.until))::bigint - floor(date_part('epoch', v.since))::bigint) AS seconds,
    min(v.since) AS first_seen_at, max(v.until) AS last_seen_at, max(v.present) AS present
  FROM (
    SELECT h.task_id, e.value::bigint AS tag_id, h.valid_from AS since, h.valid_to AS until, 0 AS present
    FROM task_history h CROSS JOIN LATERAL (SELECT u.value FROM unnest(string_to_array(btrim(h.tags::text, '[]'), ', ')) u (value) WHERE u.value = btrim(u.value)) e
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
CREATE OR REPLACE VIEW report_due_slips (task_id, task_name, project_id, project_name, seen_at, from_date, to_date, days, author, author_id, run_id) AS
SELECT c.task_id, c.task_name, c.project_id, j.name AS project_name, c.at AS seen_at,
  c.before AS from_date, c.after AS to_date, (c.after - c.before) AS days,
  c.author, c.author_id, c.run_id
FROM (SELECT k.*, k.told[1] AS author, k.told[2]::bigint AS author_id FROM (WITH c AS (
  SELECT t.id AS task_id, t.name AS task_name, t.project_id, h.valid_from AS since, h.valid_to AS at, h.run_id, h.date_end AS before, x.date_end AS after
  FROM task_history h
  JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
  JOIN tasks t ON t.id = h.task_id
  WHERE h.date_end IS DISTINCT FROM x.date_end
  UNION ALL
  SELECT t.id, t.name, t.project_id, h.valid_from AS since, h.valid_to AS at, h.run_id, h.date_end AS before, t.date_end
  FROM task_history h JOIN tasks t ON t.id = h.task_id AND t.valid_from = h.valid_to
  WHERE h.date_end IS DISTINCT FROM t.date_end) SELECT c.task_id, c.task_name, c.project_id, c.at, c.run_id, c.before, c.after, (SELECT ARRAY[a.member_name, a.member_id::text] FROM activity a WHERE a.task_id = c.task_id AND a.entity = 'task' AND a.at > (c.since - interval '1 minute') AND a.at <= c.at AND CASE 'date_end' WHEN 'status' THEN a.action = CASE to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'done' THEN 'close' ELSE 'reopen' END WHEN 'removed_reason' THEN a.action = 'delete' AND to_char(c.after::timestamp, 'YYYY-MM-DD') IS NOT NULL WHEN 'name' THEN coalesce(a.new ->> 'title', a.new ->> 'name') = to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'assignee_email' THEN a.new -> 'user_to' ->> 'id' = to_char(c.after::timestamp, 'YYYY-MM-DD') WHEN 'tags' THEN jsonb_typeof(a.new -> 'tags') = 'array' AND coalesce((SELECT string_agg(e, ',' ORDER BY e COLLATE "C") FROM jsonb_array_elements_text(CASE jsonb_typeof(a.new -> 'tags') WHEN 'array' THEN a.new -> 'tags' END) e), '') = coalesce((SELECT string_agg(coalesce(g.label, '#' || e.id), ',' ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C") FROM jsonb_array_elements_text(CASE 'date_end' WHEN 'tags' THEN to_char(c.after::timestamp, 'YYYY-MM-DD')::jsonb END) e (id) LEFT JOIN tags g ON g.id = e.id::bigint), '') WHEN 'time_start' THEN a.new ->> 'date_end' = coalesce(substr(to_char(c.after::timestamp, 'YYYY-MM-DD'), 1, 5), '') WHEN 'time_end' THEN a.new ->> 'date_end' = coalesce(substr(to_char(c.after::timestamp, 'YYYY-MM-DD'), 1, 5), '') ELSE a.new ->> 'date_end' = coalesce(to_char(c.after::timestamp, 'YYYY-MM-DD'), '') END ORDER BY a.at DESC, a.id DESC LIMIT 1) AS told FROM c) k) c
LEFT JOIN projects j ON j.id = c.project_id
--;;
CREATE OR REPLACE VIEW report_freshness (source, subject, state, is_green, as_of, age_s, last_complete_at, last_run_at, missing) AS
WITH lane AS (SELECT 1 AS place, 'tasks' AS source, 'pull' AS kind
  UNION ALL SELECT 2, 'fast lane', 'events')
SELECT k.source, k.subject, k.state, k.state = 'complete' AS is_green, k.as_of,
  floor(date_part('epoch', n.now_at))::bigint - floor(date_part('epoch', k.as_of))::bigint AS age_s, k.last_complete_at, k.last_run_at,
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
