"""How long things take: from added to closed, with each tag, and how due dates slip."""

from __future__ import annotations

from syncd.store.report.dialect import POSTGRESQL, Dialect
from syncd.store.report.view import View, view


def _cycle_time(d: Dialect) -> str:
    lead = (
        f"CASE WHEN t.closed_at IS NULL OR t.added_at IS NULL"
        f" THEN {d.seconds('t.date_closed')} - {d.seconds('t.date_added')}"
        f" ELSE {d.seconds('t.closed_at')} - {d.seconds('t.added_at')} END"
    )
    since = f"{d.seconds('t.closed_at')} - {d.seconds('a.assigned_at')}"
    late = d.days(d.day("t.date_closed"), "t.date_end")
    return f"""
SELECT t.id AS task_id, t.name AS task_name, t.project_id, j.name AS project_name,
  t.assignee_id, m.name AS assignee_name, t.date_added, t.date_start, t.date_end, t.date_closed,
  {d.monday(d.day("t.date_closed"))} AS week_closed, {d.hours(lead)} AS lead_hours,
  {d.days(d.day("t.date_closed"), d.day("t.date_added"))} AS lead_days,
  CASE WHEN {late} < 0 THEN 0 ELSE {late} END AS days_late,
  a.assigned_at, {d.hours(since)} AS assigned_hours
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
WHERE t.status = 'done' AND t.removed_at IS NULL"""


def _tag_time(d: Dialect) -> str:
    # As an array: of a JSON one the planner believes that it holds a hundred, and compiles. Of an
    # array it believes in ten; a comparison makes them one, which is what most tasks have.
    listed = "unnest(string_to_array(btrim(h.tags::text, '[]'), ', ')) u (value)"
    listed = f"LATERAL (SELECT u.value FROM {listed} WHERE u.value = btrim(u.value)) e"
    each = listed if d is POSTGRESQL else "json_each(h.tags) e"
    tag = "e.value::bigint" if d is POSTGRESQL else "e.value"
    return f"""
SELECT k.task_id, t.name AS task_name, t.project_id, j.name AS project_name, t.status,
  k.tag_id, coalesce(g.label, '#' || k.tag_id) AS tag, g.group_name AS tag_group,
  g.type AS tag_type,
  {d.hours("k.seconds")} AS hours, k.first_seen_at,
  CASE WHEN k.present = 1 THEN NULL ELSE k.last_seen_at END AS last_seen_at,
  k.present = 1 AS is_present
FROM (
  SELECT v.task_id, v.tag_id, sum({d.seconds("v.until")} - {d.seconds("v.since")}) AS seconds,
    min(v.since) AS first_seen_at, max(v.until) AS last_seen_at, max(v.present) AS present
  FROM (
    SELECT h.task_id, {tag} AS tag_id, h.valid_from AS since, h.valid_to AS until, 0 AS present
    FROM task_history h CROSS JOIN {each}
    WHERE h.status = 'active' AND h.removed_at IS NULL
    UNION ALL
    SELECT t.id, l.tag_id, t.valid_from,
      {d.larger("(SELECT now_at FROM report_today)", "t.valid_from")}, 1
    FROM tasks t JOIN task_tags l ON l.task_id = t.id
    WHERE t.status = 'active' AND t.removed_at IS NULL
  ) v GROUP BY v.task_id, v.tag_id
) k
JOIN tasks t ON t.id = k.task_id
LEFT JOIN projects j ON j.id = t.project_id
LEFT JOIN tags g ON g.id = k.tag_id"""


def _due_slips(d: Dialect) -> str:
    before, after = (_day(d, value) for value in ("c.old", "c.new"))
    return f"""
SELECT c.task_id, t.name AS task_name, t.project_id, j.name AS project_name, c.at AS seen_at,
  {before} AS from_date, {after} AS to_date, {d.days(after, before)} AS days,
  c.author, c.author_id, c.run_id
FROM task_history_fields c
JOIN tasks t ON t.id = c.task_id
LEFT JOIN projects j ON j.id = t.project_id
WHERE c.field = 'date_end'"""


def _day(d: Dialect, text: str) -> str:
    # A server may look at conditions in any order, and no other field's value is a day.
    return f"CASE c.field WHEN 'date_end' THEN {text}::date END" if d is POSTGRESQL else text


_TASK = {
    "task_id": "the task, tasks.id",
    "task_name": "its title now",
    "project_id": "its project now, projects.id",
    "project_name": "title of that project",
}

FLOW: tuple[View, ...] = (
    view(
        "report_cycle_time",
        "One row for each done task that is in the account: how long it took.",
        {
            **_TASK,
            "assignee_id": "who was responsible at the end, members.id",
            "assignee_name": "name of that member",
            "date_added": "created, the account's wall clock",
            "date_start": "start date, as shown",
            "date_end": "due date, as shown",
            "date_closed": "completed, the account's wall clock",
            "week_closed": "Monday of the week it was completed in",
            "lead_hours": "hours from created to completed, two digits; true hours where"
            " account.timezone is set, else by the wall clock",
            "lead_days": "calendar days from created to completed",
            "days_late": "days from due to completed; 0: in time; NULL: no due date",
            "assigned_at": "when a person was first seen responsible, UTC, if that change was seen;"
            " NULL: not known",
            "assigned_hours": "hours from assigned_at to completed; NULL: not known",
        },
        _cycle_time,
    ),
    view(
        "report_tag_time",
        "How long each task was open with each tag, as far as history goes back.",
        {
            **_TASK,
            "status": "active or done, now",
            "tag_id": "the tag, tags.id",
            "tag": "its label (tags.label)",
            "tag_group": "name of its group",
            "tag_type": "status or label, as its group says",
            "hours": "hours in which the task was open and had the tag, two digits; until now if"
            " it still is so",
            "first_seen_at": "when it was first seen so, UTC",
            "last_seen_at": "when it was last no longer so, UTC; NULL: it still is",
            "is_present": "true if the task is open and has the tag now",
        },
        _tag_time,
    ),
    view(
        "report_due_slips",
        "Each change of a due date that was seen, the first setting and the clearing too.",
        {
            **_TASK,
            "seen_at": "when the new date was first seen, UTC: at most one pull after it was set",
            "from_date": "due date before; NULL: none",
            "to_date": "due date after; NULL: none",
            "days": "days from the one to the other, negative: earlier; NULL: one of them is none",
            "author": "who did it, where the account's feed told it; NULL: not known",
            "author_id": "who did it, members.id; NULL: not known",
            "run_id": "the run that saw it, sync_runs.id",
        },
        _due_slips,
    ),
)
