"""Projects: how far they are, day by day, and the whole account week by week."""

from __future__ import annotations

from syncd.store.report.dialect import Dialect
from syncd.store.report.ledger import EFFECTS, ledger, sums
from syncd.store.report.view import View, view


def _projects(d: Dialect) -> str:
    return f"""
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT j.id AS project_id, j.name AS project_name, j.url, j.status, j.folder, j.manager_id,
  m.name AS manager_name, j.date_start, j.date_end,
  coalesce(k.tasks, 0) AS tasks, coalesce(k.open, 0) AS open, coalesce(k.tasks - k.open, 0) AS done,
  {d.number("((k.tasks - k.open) * 1000 + k.tasks / 2) / k.tasks / 10.0", 1)} AS progress,
  coalesce(k.late, 0) AS late, coalesce(k.hours, 0) AS estimate_hours,
  coalesce(k.open_hours, 0) AS open_estimate_hours, coalesce(k.money, 0) AS estimate_money,
  k.first_start, k.last_due, k.last_closed
FROM projects j
LEFT JOIN members m ON m.id = j.manager_id
LEFT JOIN (
  SELECT t.project_id, count(*) AS tasks,
    sum(CASE WHEN t.status = 'active' THEN 1 ELSE 0 END) AS open,
    sum(CASE WHEN t.status = 'active' AND t.date_end < n.today THEN 1 ELSE 0 END) AS late,
    {d.number("sum(t.max_time)")} AS hours, {d.number("sum(t.max_money)")} AS money,
    {d.number("sum(CASE WHEN t.status = 'active' THEN t.max_time END)")} AS open_hours,
    min(t.date_start) AS first_start, max(t.date_closed) AS last_closed,
    max(CASE WHEN t.status = 'active' THEN t.date_end END) AS last_due
  FROM tasks t CROSS JOIN n WHERE t.removed_at IS NULL GROUP BY t.project_id
) k ON k.project_id = j.id
WHERE j.removed_at IS NULL"""


def _daily(d: Dialect) -> str:
    """Sum up the days on which something happened; each then stands until the next one."""
    after = d.plus_days("(SELECT today FROM n)", 1)
    counts = ", ".join(f"CASE e.key WHEN 0 THEN k.{name} ELSE 0 END AS {name}" for name in EFFECTS)
    return f"""
WITH {ledger(d)},
daily AS (SELECT project_id, day, {sums()} FROM ledger GROUP BY project_id, day),
running AS (
  SELECT x.*, CAST(sum(x.more_open) OVER w AS bigint) AS open,
    CAST(sum(x.more_done) OVER w AS bigint) AS done, lead(x.day, 1, {after}) OVER w AS next_day
  FROM daily x WINDOW w AS (PARTITION BY x.project_id ORDER BY x.day))
SELECT {d.later("k.day", "e.key")} AS day, k.project_id, j.name AS project_name, {counts},
  k.open, k.done, k.open + k.done AS total
FROM running k
CROSS JOIN {d.numbers(d.days("k.next_day", "k.day"))}
LEFT JOIN projects j ON j.id = k.project_id"""


def _throughput(d: Dialect) -> str:
    return f"""
WITH RECURSIVE {ledger(d)},
daily AS MATERIALIZED (SELECT day, {sums()} FROM ledger GROUP BY day),
weekly AS MATERIALIZED (
  SELECT w.week, {sums()} FROM (SELECT {d.monday("day")} AS week, daily.* FROM daily) w
  GROUP BY w.week),
calendar (week) AS (
  SELECT min(week) FROM weekly WHERE week IS NOT NULL
  UNION ALL
  SELECT {d.plus_days("c.week", 7)} FROM calendar c CROSS JOIN n
  WHERE {d.plus_days("c.week", 7)} <= n.today)
SELECT c.week AS week_start, {_zeroed("x")}, CAST(coalesce(x.more_open, 0) AS bigint) AS net,
  CAST(sum(coalesce(x.more_open, 0)) OVER (ORDER BY c.week) AS bigint) AS open_at_end
FROM calendar c
LEFT JOIN weekly x ON x.week = c.week
WHERE c.week IS NOT NULL"""


def _counts(source: str) -> str:
    return ", ".join(f"{source}.{name}" for name in EFFECTS)


def _zeroed(source: str) -> str:
    return ", ".join(f"CAST(coalesce({source}.{name}, 0) AS bigint) AS {name}" for name in EFFECTS)


_EFFECTS = {
    "added": "tasks created (tasks.date_added), those that were removed later too",
    "closed": "times a task was closed (tasks.date_closed)",
    "reopened": "times a closed task was seen open again; known since syncd began",
    "removed": "tasks seen to be gone from the account; known since syncd began",
    "restored": "tasks that came back after that",
}

PROJECTS: tuple[View, ...] = (
    view(
        "report_projects",
        "Every project: how many of its tasks are done, open and late, and their estimates.",
        {
            "project_id": "number of the project in the account, projects.id",
            "project_name": "title",
            "url": "address of its page in the account",
            "status": "active, pending or archive; NULL until known",
            "folder": "folder (company) it stands in; NULL until known",
            "manager_id": "its manager, members.id",
            "manager_name": "name of its manager",
            "date_start": "start date of the project itself",
            "date_end": "due date of the project itself",
            "tasks": "how many tasks it has, subtasks counted like any other",
            "open": "how many of them are active",
            "done": "how many of them are done",
            "progress": "done of all in percent, one digit; NULL: no tasks",
            "late": "how many are open and were due before today",
            "estimate_hours": "sum of the estimates of all its tasks, in hours",
            "open_estimate_hours": "sum of the estimates of its open tasks, in hours",
            "estimate_money": "sum of the estimates in the account's currency",
            "first_start": "earliest start date among its tasks",
            "last_due": "latest due date among its open tasks",
            "last_closed": "when a task of it was closed last, the account's wall clock",
        },
        _projects,
    ),
    view(
        "report_daily",
        "A row for each project and day, from its first task until today: the burn-up.",
        {
            "day": "the day, on the account's calendar",
            "project_id": "the project where its tasks are now, projects.id",
            "project_name": "title of the project",
            **_EFFECTS,
            "open": "how many tasks were open at the end of the day",
            "done": "how many tasks were done at the end of the day",
            "total": "open and done together: the scope line of a burn-up",
        },
        _daily,
    ),
    view(
        "report_throughput",
        "A row for each week, from the first task until this week: what came in and went out.",
        {
            "week_start": "Monday of the week, on the account's calendar",
            **_EFFECTS,
            "net": "by how many the open tasks became more in that week",
            "open_at_end": "how many tasks were open at its end; of this week: now",
        },
        _throughput,
    ),
)
