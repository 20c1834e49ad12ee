"""What waits for what, and which chain of open tasks decides when a task can end.

The account lets relations go round in circles. So nothing here walks all paths: first which tasks
each one waits for at all (a set, which a circle cannot make endless), then along the one blocker
whose chain ends last, until a task comes twice. Of that walk the row with the greatest depth holds
the whole chain. Groups and outer joins stand where joins would do: their sizes are guessed well
enough by both databases, of which each would otherwise try every pair.
"""

from __future__ import annotations

from syncd.store.report.dialect import Dialect
from syncd.store.report.tasks import BLOCKS
from syncd.store.report.view import View, view

_OPEN = "{0}.status = 'active' AND {0}.removed_at IS NULL"


def _blocked(d: Dialect) -> str:
    return _EDGES + _ENDS + _CHAINS + _shown(d)


_EDGES = f"""
WITH RECURSIVE n AS MATERIALIZED (SELECT today FROM report_today),
wait AS (
  SELECT r.to_task_id AS task_id, r.from_task_id AS blocker_id, r.type AS kind
  FROM task_relations r
  JOIN tasks b ON b.id = r.from_task_id AND {_OPEN.format("b")}
  JOIN tasks w ON w.id = r.to_task_id AND {_OPEN.format("w")}
  CROSS JOIN n WHERE {BLOCKS}
  UNION ALL
  SELECT c.parent_id, c.id, 'subtask'
  FROM tasks c JOIN tasks p ON p.id = c.parent_id AND {_OPEN.format("p")}
  WHERE {_OPEN.format("c")}),
edge AS MATERIALIZED (
  SELECT task_id, blocker_id, min(kind) AS kind FROM wait GROUP BY task_id, blocker_id),
"""
"""Which open task waits for which, each pair once."""
_ENDS = """reach (blocker_id, id) AS (
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
"""
"""When all that a blocker waits for ends, and which of its blockers decides that of a task."""
_CHAINS = """walk (blocker_id, id, depth, ids, names) AS (
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
"""
"""The way along the deciding blockers, of each blocker in whole."""


def _shown(d: Dialect) -> str:
    return f"""SELECT r.task_id, t.name AS task_name, t.project_id, j.name AS project_name,
  m.name AS assignee_name, t.date_start, t.date_end, r.kind, r.blocker_id, b.name AS blocker_name,
  a.name AS blocker_assignee_name, b.date_end AS blocker_date_end, w.depth,
  substr(w.names, 8) AS chain, substr(w.ids, 8) AS chain_ids, r.chain_end,
  v.id AS decided_by_id, {d.days("r.chain_end", "t.date_end")} AS days_over,
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
LEFT JOIN members a ON a.id = b.assignee_id"""


BLOCKED: tuple[View, ...] = (
    view(
        "report_blocked",
        "One row for each open task and each open task it waits for, with the chain behind that.",
        {
            "task_id": "the task that waits, tasks.id",
            "task_name": "its title",
            "project_id": "its project, projects.id",
            "project_name": "title of its project",
            "assignee_name": "name of who is responsible for it",
            "date_start": "its start date, as shown",
            "date_end": "its due date, as shown",
            "kind": "why it waits: finish-to-start (the other one has to be done), start-to-start"
            " (its start date has to have come), subtask (a parent is done after its subtasks);"
            " of several the first of these",
            "blocker_id": "the open task it waits for, tasks.id",
            "blocker_name": "title of that task",
            "blocker_assignee_name": "name of who is responsible for that task",
            "blocker_date_end": "due date of that task, as shown",
            "depth": "how many open tasks stand in the chain",
            "chain": "titles of the chain, what is to be done first in front, the blocker last,"
            " joined by ' > '; where several lead on, along the one that ends last",
            "chain_ids": "the same as numbers, joined by commas",
            "chain_end": "latest due date of all that the blocker waits for, itself too; NULL: none"
            " has one",
            "decided_by_id": "the task with that due date, tasks.id; of several the lowest number",
            "days_over": "days by which that is after the task's own due date; negative: in time;"
            " NULL: one of them has none",
            "decides": "true for that one of a task's blockers whose chain ends last",
            "in_circle": "true where the blocker waits, in the end, for the task itself",
        },
        _blocked,
    ),
)
