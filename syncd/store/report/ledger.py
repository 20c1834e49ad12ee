"""When tasks were added, closed, reopened, removed and restored: what counts over time stand on.

Days before syncd began are known by `date_added` and `date_closed`; that a task was reopened or
removed is known by its past images alone, so only since syncd began. The sums are such that what
they come to today is what the mirror has today.
"""

from __future__ import annotations

from syncd.store.report.dialect import Dialect

EFFECTS = ("added", "closed", "reopened", "removed", "restored")
"""What can happen to a task; each is 0 or 1 in a row of the ledger."""


def ledger(d: Dialect) -> str:
    """Return common table expressions, from `n` (today) to `ledger`, to stand after WITH RECURSIVE.

    A row of `ledger` is one thing that happened: its task, project and day, which of EFFECTS it
    was, and by how many the open and the done tasks became more. No day is before the task was
    added or after today, whatever a person has set. A run of images that are done is one closing,
    by the last of them: a corrected date counts as corrected. A removed task keeps its status, so
    it goes from, and comes back to, what it was.
    """
    born = f"coalesce({d.day('t.date_added')}, {d.local_day('t.valid_from')})"
    closed_on = f"coalesce({d.day('x.date_closed')}, {d.local_day('x.valid_from')})"
    day = d.smaller(d.larger("e.day", born), "(SELECT today FROM n)")
    return f"""n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED ({d.clock}),
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
  SELECT x.id, {closed_on} AS day, 0 AS added, 1 AS closed, 0 AS reopened, 0 AS removed,
    0 AS restored, -1 AS more_open, 1 AS more_done
  FROM step x WHERE x.turns AND x.status = 'done'
  UNION ALL
  SELECT x.id, {d.local_day("x.ended_at")}, 0, 0, 1, 0, 0, 1, -1
  FROM step x WHERE x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
  UNION ALL
  SELECT x.id, {d.local_day("x.removed_at")}, 0, 0, 0, 1, 0,
    CASE x.status WHEN 'active' THEN -1 ELSE 0 END, CASE x.status WHEN 'done' THEN -1 ELSE 0 END
  FROM step x WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
  UNION ALL
  SELECT x.id, {d.local_day("x.ended_at")}, 0, 0, 0, 0, 1,
    CASE x.status WHEN 'active' THEN 1 ELSE 0 END, CASE x.status WHEN 'done' THEN 1 ELSE 0 END
  FROM step x
  WHERE x.removed_at IS NOT NULL AND x.next_removed_at IS NULL AND x.ended_at IS NOT NULL),
ledger AS (
  SELECT t.project_id, {d.smaller(born, "(SELECT today FROM n)")} AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT t.project_id, {day}, e.added, e.closed, e.reopened, e.removed, e.restored,
    e.more_open, e.more_done
  FROM happened e JOIN tasks t ON t.id = e.id)"""


def sums() -> str:
    """Return the sums of a group of rows of the ledger, as select items."""
    return ", ".join(f"sum({name}) AS {name}" for name in (*EFFECTS, "more_open", "more_done"))
