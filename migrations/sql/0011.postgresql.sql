CREATE OR REPLACE VIEW task_versions (task_id, valid_from, valid_to, ended_by_run_id, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, tags, tag_ids) AS
SELECT k.task_id, k.valid_from, k.valid_to, k.ended_by_run_id, k.project_id, k.parent_id, k.level, k.name, k.page, k.url, k.status, k.priority, k.author_id, k.assignee_id, k.text, k.date_added, k.added_at, k.date_start, k.time_start, k.date_end, k.time_end, k.date_closed, k.closed_at, k.max_time, k.max_money, k.extra, k.removed_at, k.removed_reason,
  k.labels AS tags, k.ids AS tag_ids
FROM (
  SELECT h.task_id, valid_from, valid_to, run_id AS ended_by_run_id, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, s.labels,
    nullif(replace(btrim(h.tags::text, '[]'), ' ', ''), '') AS ids
  FROM task_history h
  LEFT JOIN LATERAL (SELECT string_agg(coalesce(g.label, '#' || u.id), ','
      ORDER BY coalesce(g.label, '#' || u.id) COLLATE "C") AS labels
    FROM unnest(string_to_array(btrim(h.tags::text, '[]'), ', ')) u (id)
    LEFT JOIN tags g ON g.id = u.id::bigint
    WHERE u.id = btrim(u.id)) s ON TRUE
  UNION ALL
  SELECT t.id, valid_from, NULL, NULL, project_id, parent_id, level, name, page, url, status, priority, author_id, assignee_id, text, date_added, added_at, date_start, time_start, date_end, time_end, date_closed, closed_at, max_time, max_money, extra, removed_at, removed_reason, now.labels, now.ids
  FROM tasks t
  LEFT JOIN (SELECT l.task_id, string_agg(l.tag_id::text, ',' ORDER BY l.tag_id) AS ids,
      string_agg(coalesce(g.label, '#' || l.tag_id), ','
        ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C") AS labels
    FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id GROUP BY l.task_id
    ) now ON now.task_id = t.id
) k
--;;
CREATE OR REPLACE VIEW task_changes (task_id, at, field, old, new, author, author_id, run_id) AS
SELECT c.task_id, c.at, c.field, CASE c.field WHEN 'tags' THEN CASE WHEN strpos(c.old, ',') > 0
    THEN (SELECT string_agg(coalesce(c.labels ->> u.id, '#' || u.id), ','
        ORDER BY coalesce(c.labels ->> u.id, '#' || u.id) COLLATE "C")
      FROM unnest(string_to_array(btrim(c.old, '[]'), ', ')) u (id))
    WHEN c.old <> '[]' THEN coalesce(c.labels ->> btrim(c.old, '[]'), '#' || btrim(c.old, '[]')) END WHEN 'assignee_email' THEN c.emails ->> c.old WHEN 'author_email' THEN c.emails ->> c.old WHEN 'extra' THEN c.old::jsonb::text ELSE c.old END AS old, CASE c.field WHEN 'tags' THEN CASE WHEN strpos(c.new, ',') > 0
    THEN (SELECT string_agg(coalesce(c.labels ->> u.id, '#' || u.id), ','
        ORDER BY coalesce(c.labels ->> u.id, '#' || u.id) COLLATE "C")
      FROM unnest(string_to_array(btrim(c.new, '[]'), ', ')) u (id))
    WHEN c.new <> '[]' THEN coalesce(c.labels ->> btrim(c.new, '[]'), '#' || btrim(c.new, '[]')) END WHEN 'assignee_email' THEN c.emails ->> c.new WHEN 'author_email' THEN c.emails ->> c.new WHEN 'extra' THEN c.new::jsonb::text ELSE c.new END AS new,
  c.author, c.author_id, c.run_id
FROM (WITH s AS (
    SELECT f.task_id, f.at, f.field, f.old, f.new, f.author, f.author_id, f.run_id,
      (SELECT jsonb_object_agg(g.id, g.label) FROM tags g) AS labels,
      (SELECT jsonb_object_agg(m.id, m.email) FROM members m) AS emails
    FROM task_history_fields f
    WHERE f.run_id > f.run_id - 1 AND f.task_id > f.task_id - 1) SELECT * FROM s) c
--;;
CREATE OR REPLACE VIEW report_due_slips (task_id, task_name, project_id, project_name, seen_at, from_date, to_date, days, author, author_id, run_id) AS
SELECT c.task_id, t.name AS task_name, t.project_id, j.name AS project_name, c.at AS seen_at,
  CASE c.field WHEN 'date_end' THEN c.old::date END AS from_date, CASE c.field WHEN 'date_end' THEN c.new::date END AS to_date, (CASE c.field WHEN 'date_end' THEN c.new::date END - CASE c.field WHEN 'date_end' THEN c.old::date END) AS days,
  c.author, c.author_id, c.run_id
FROM task_history_fields c
JOIN tasks t ON t.id = c.task_id
LEFT JOIN projects j ON j.id = t.project_id
WHERE c.field = 'date_end'
