"""Tasks as a person asks for them: names instead of ids, in one wide row."""

from __future__ import annotations

from collections.abc import Callable

from syncd.store.report.dialect import Dialect
from syncd.store.report.view import View, view

_COLUMNS = {
    "id": "number of the task in the account, tasks.id",
    "name": "title",
    "path": "titles from the top task down to this one, joined by ' / '",
    "url": "address of its page in the account",
    "project_id": "its project, projects.id",
    "project_name": "title of its project",
    "project_status": "active, pending or archive; NULL until known",
    "folder": "folder (company) of its project; NULL until known",
    "parent_id": "the task it is a subtask of; NULL at the top",
    "parent_name": "title of that task",
    "root_id": "the task at the top of its tree; itself at the top",
    "root_name": "title of the task at the top",
    "level": "1 task, 2 subtask, 3 sub-subtask",
    "status": "active or done",
    "is_open": "true while it is active",
    "is_overdue": "true if it is open and was due before today (report_today.today)",
    "days_late": "days past its due date: until today if open, until closed if done; 0: in time,"
    " NULL: no due date",
    "priority": "0 to 10",
    "author_id": "who created it, members.id",
    "author_name": "name of who created it",
    "author_email": "email of who created it",
    "assignee_id": "who is responsible, members.id; NULL: nothing said",
    "assignee_name": "name of who is responsible",
    "assignee_email": "email of who is responsible, or ANY, or NOONE",
    "assignee_kind": "person, anyone (ANY) or nobody (NOONE)",
    "date_added": "created, the account's wall clock",
    "date_start": "start date, as shown",
    "time_start": "start time of day, as shown",
    "date_end": "due date, as shown",
    "time_end": "due time of day, as shown",
    "date_closed": "completed, the account's wall clock",
    "added_at": "created, UTC; NULL unless account.timezone is set",
    "closed_at": "completed, UTC; NULL unless account.timezone is set",
    "max_time": "estimate in hours",
    "max_money": "estimate in the account's currency",
    "tags": "labels (tags.label), sorted, joined by commas; NULL: none; as in live_tasks",
    "subtasks": "how many tasks are below it, at any depth",
    "open_subtasks": "how many of those are open",
    "files": "how many files its description holds",
    "open_blockers": "how many open tasks it waits for by relations (kinds: see report_blocked)",
    "is_suspect": "true while it is missing in the account without evidence",
    "valid_from": "since when it has been as it is here, UTC; earlier: task_versions",
}
BLOCKS = "(r.type = 'finish-to-start' OR b.date_start IS NULL OR b.date_start > n.today)"
"""Whether an open task `b` still holds back what a relation `r` names. That the other one has
started is told by no field of the account: its start date having come is taken for it."""


_BLOCKERS = f"""FROM task_relations r
    JOIN tasks b ON b.id = r.from_task_id AND b.status = 'active' AND b.removed_at IS NULL
    CROSS JOIN n WHERE {BLOCKS}"""
_HAVE_PARENTS = "FROM tasks c WHERE c.removed_at IS NULL AND c.parent_id IS NOT NULL"

_COUNTED_BY_ROWS = f"""(SELECT count(*) FROM tasks c
      WHERE c.parent_id = t.id AND c.removed_at IS NULL)
    + (SELECT count(*) FROM tasks c JOIN tasks e ON e.parent_id = c.id
      WHERE c.parent_id = t.id AND e.removed_at IS NULL) AS subtasks,
  (SELECT count(*) FROM tasks c
      WHERE c.parent_id = t.id AND c.removed_at IS NULL AND c.status = 'active')
    + (SELECT count(*) FROM tasks c JOIN tasks e ON e.parent_id = c.id
      WHERE c.parent_id = t.id AND e.removed_at IS NULL AND e.status = 'active') AS open_subtasks,
  (SELECT count(*) FROM files f WHERE f.task_id = t.id AND f.removed_at IS NULL) AS files,
  (SELECT count(DISTINCT r.from_task_id) {_BLOCKERS} AND r.to_task_id = t.id) AS open_blockers"""
"""On SQLite: an index answers for each row, and only for the columns that are asked for."""

_COUNTED_BY_GROUPS = """coalesce(below.n, 0) AS subtasks, coalesce(below.open, 0) AS open_subtasks,
  coalesce(held.n, 0) AS files, coalesce(waits.n, 0) AS open_blockers"""
_GROUPS = f"""
LEFT JOIN (SELECT u.above, count(*) AS n, count(*) FILTER (WHERE u.status = 'active') AS open
  FROM (SELECT c.parent_id AS above, c.status {_HAVE_PARENTS}
    UNION ALL
    SELECT e.parent_id, c.status FROM tasks c JOIN tasks e ON e.id = c.parent_id
    WHERE c.removed_at IS NULL AND e.parent_id IS NOT NULL) u
  GROUP BY u.above) below ON below.above = t.id
LEFT JOIN (SELECT f.task_id, count(*) AS n FROM files f
  WHERE f.removed_at IS NULL GROUP BY f.task_id) held ON held.task_id = t.id
LEFT JOIN (SELECT r.to_task_id, count(DISTINCT r.from_task_id) AS n
  {_BLOCKERS} GROUP BY r.to_task_id) waits ON waits.to_task_id = t.id"""
"""On PostgreSQL: one pass for all rows; the planner leaves out what is not asked for."""


LABELS_BY_GROUPS = """
LEFT JOIN (SELECT l.task_id, string_agg(coalesce(g.label, '#' || l.tag_id), ','
    ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C") AS tags
  FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id GROUP BY l.task_id
  ) labels ON labels.task_id = t.id"""


def _tasks(d: Dialect) -> str:
    by_rows = d.name == "sqlite"
    until = f"CASE WHEN t.status = 'done' THEN {d.day('t.date_closed')} ELSE n.today END"
    late = d.days(until, "t.date_end")
    return f"""
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
  CASE WHEN {late} < 0 THEN 0 ELSE {late} END AS days_late,
  t.priority, t.author_id, a.name AS author_name, a.email AS author_email,
  t.assignee_id, w.name AS assignee_name, w.email AS assignee_email, w.kind AS assignee_kind,
  t.date_added, t.date_start, t.time_start, t.date_end, t.time_end, t.date_closed,
  t.added_at, t.closed_at, t.max_time, t.max_money,
  {d.labels("t.id") if by_rows else "labels.tags"} AS tags,
  {_COUNTED_BY_ROWS if by_rows else _COUNTED_BY_GROUPS},
  t.suspect_at IS NOT NULL AS is_suspect, t.valid_from
FROM tasks t
CROSS JOIN n
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN tasks p ON p.id = t.parent_id
LEFT JOIN tasks q ON q.id = p.parent_id
LEFT JOIN members a ON a.id = t.author_id
LEFT JOIN members w ON w.id = t.assignee_id{"" if by_rows else LABELS_BY_GROUPS + _GROUPS}
WHERE t.removed_at IS NULL"""


def _some(condition: str) -> Callable[[Dialect], str]:
    """Return the select of the tasks that meet a condition: by name, so that it can grow."""
    columns = ", ".join(_COLUMNS)
    return lambda _: f"SELECT {columns} FROM report_tasks WHERE {condition}"


TASKS: tuple[View, ...] = (
    view(
        "report_tasks",
        "Every task that is in the account, done ones too, in one wide row: names beside ids.",
        _COLUMNS,
        _tasks,
    ),
    view(
        "report_open",
        "The tasks of report_tasks that are active.",
        _COLUMNS,
        _some("status = 'active'"),
    ),
    view(
        "report_overdue",
        "The tasks of report_tasks that are active and were due before today.",
        _COLUMNS,
        _some("is_overdue"),
    ),
)
