"""Who has how much to do, and when it is due."""

from __future__ import annotations

from syncd.store.report.dialect import Dialect
from syncd.store.report.view import View, view


def _workload(d: Dialect) -> str:
    due = d.larger("t.date_end", "n.today")
    return f"""
WITH n AS MATERIALIZED (SELECT today FROM report_today)
SELECT k.assignee_id AS member_id, m.name AS member_name, m.email AS member_email,
  m.kind AS member_kind, k.week AS week_start, k.tasks, k.overdue AS overdue_tasks,
  k.unestimated AS tasks_without_estimate, k.hours AS estimate_hours, k.money AS estimate_money
FROM (
  SELECT w.assignee_id, w.week, count(*) AS tasks,
    sum(CASE WHEN w.overdue THEN 1 ELSE 0 END) AS overdue,
    sum(CASE WHEN w.max_time IS NULL THEN 1 ELSE 0 END) AS unestimated,
    coalesce({d.number("sum(w.max_time)")}, 0) AS hours,
    coalesce({d.number("sum(w.max_money)")}, 0) AS money
  FROM (
    SELECT t.assignee_id, t.max_time, t.max_money, t.date_end < n.today AS overdue,
      CASE WHEN t.date_end IS NOT NULL THEN {d.monday(due)} END AS week
    FROM tasks t CROSS JOIN n
    WHERE t.removed_at IS NULL AND t.status = 'active'
  ) w
  GROUP BY w.assignee_id, w.week
) k
LEFT JOIN members m ON m.id = k.assignee_id"""


PEOPLE: tuple[View, ...] = (
    view(
        "report_workload",
        "Open tasks by who is responsible and by the week they are due in.",
        {
            "member_id": "who is responsible, members.id; NULL: nobody was ever said",
            "member_name": "name of that member; ANY and NOONE have rows of their own",
            "member_email": "email of that member, or ANY, or NOONE",
            "member_kind": "person, anyone (ANY) or nobody (NOONE)",
            "week_start": "Monday of the week; overdue tasks count in the present week;"
            " NULL: no due date",
            "tasks": "how many open tasks are due in that week",
            "overdue_tasks": "how many of them were due before today",
            "tasks_without_estimate": "how many of them have no estimate in hours",
            "estimate_hours": "sum of their estimates in hours",
            "estimate_money": "sum of their estimates in the account's currency",
        },
        _workload,
    ),
)
