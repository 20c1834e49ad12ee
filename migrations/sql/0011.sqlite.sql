DROP VIEW IF EXISTS task_changes
--;;
CREATE VIEW task_changes (task_id, at, field, old, new, author, author_id, run_id) AS
SELECT c.task_id, c.at, c.field, CASE c.field WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(c.old) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.old) ELSE c.old END AS old, CASE c.field WHEN 'tags' THEN (SELECT group_concat(label, ',') FROM (SELECT coalesce(g.label, '#' || e.value) AS label FROM json_each(c.new) e LEFT JOIN tags g ON g.id = e.value ORDER BY 1)) WHEN 'assignee_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new) WHEN 'author_email' THEN (SELECT m.email FROM members m WHERE m.id = c.new) ELSE c.new END AS new,
  c.author, c.author_id, c.run_id
FROM task_history_fields c
--;;
DROP VIEW IF EXISTS report_due_slips
--;;
CREATE VIEW report_due_slips (task_id, task_name, project_id, project_name, seen_at, from_date, to_date, days, author, author_id, run_id) AS
SELECT c.task_id, t.name AS task_name, t.project_id, j.name AS project_name, c.at AS seen_at,
  c.old AS from_date, c.new AS to_date, CAST(julianday(c.new) - julianday(c.old) AS INTEGER) AS days,
  c.author, c.author_id, c.run_id
FROM task_history_fields c
JOIN tasks t ON t.id = c.task_id
LEFT JOIN projects j ON j.id = t.project_id
WHERE c.field = 'date_end'
