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
    """Return common table expressions, from `n` (today) to `ledger`, to stand after WITH.

    A row of `ledger` is one thing that happened: its project and day, which of EFFECTS it was, and
    by how many the open and the done tasks became more. No day is before the task was added or
    after today, whatever a person has set. Nothing is materialised between the tables and it, so
    that a question about one project reads that project alone.
    """
    born = f"coalesce({d.day('t.date_added')}, {d.local_day('t.valid_from')})"
    today = "(SELECT today FROM n)"
    return f"""n AS MATERIALIZED (SELECT today FROM report_today),
clock AS MATERIALIZED ({d.clock}),
kind (effect) AS (SELECT 'closed' UNION ALL SELECT 'reopened' UNION ALL SELECT 'removed'
  UNION ALL SELECT 'restored'),
step AS ({_steps(born)}),
ledger AS (
  SELECT t.project_id, {d.smaller(born, today)} AS day, 1 AS added, 0 AS closed,
    0 AS reopened, 0 AS removed, 0 AS restored, 1 AS more_open, 0 AS more_done
  FROM tasks t
  UNION ALL
  SELECT x.project_id, {d.smaller(d.larger(_day(d), "x.born"), today)}, 0, {_ones()},
    {_more("active")}, {_more("done")}
  FROM step x CROSS JOIN kind k WHERE {_HAPPENED})"""


def _steps(born: str) -> str:
    """Return the images after which a task is something else, or in which it is removed.

    A run of images that are done is one closing, by the last of them: a corrected date counts as
    corrected.
    """
    gone = "{0}.status = 'done' OR {0}.removed_at IS NOT NULL"
    present = "CASE WHEN t.valid_from = h.valid_to THEN t.{0} END"
    turns = f"coalesce(x.status, {present.format('status')}, '') <> h.status"
    return f"""
  SELECT t.project_id, {born} AS born, t.status, t.date_closed, t.valid_from, t.removed_at,
    NULL AS ended_at, NULL AS next_removed_at, TRUE AS turns
  FROM tasks t WHERE {gone.format("t")}
  UNION ALL
  SELECT t.project_id, {born}, h.status, h.date_closed, h.valid_from, h.removed_at, h.valid_to,
    coalesce(x.removed_at, {present.format("removed_at")}), {turns}
  FROM task_history h JOIN tasks t ON t.id = h.task_id
  LEFT JOIN task_history x ON x.task_id = h.task_id AND x.valid_from = h.valid_to
    AND ({gone.format("x")})
  WHERE ({gone.format("h")}) AND ({turns} OR h.removed_at IS NOT NULL)"""


_HAPPENED = """1 = CASE k.effect
    WHEN 'closed' THEN CASE WHEN x.turns AND x.status = 'done' THEN 1 END
    WHEN 'reopened' THEN CASE WHEN x.turns AND x.status = 'done' AND x.ended_at IS NOT NULL
      THEN 1 END
    WHEN 'removed' THEN CASE WHEN x.removed_at IS NOT NULL AND x.next_removed_at IS NULL THEN 1 END
    WHEN 'restored' THEN CASE WHEN x.removed_at IS NOT NULL AND x.next_removed_at IS NULL
      AND x.ended_at IS NOT NULL THEN 1 END END"""
"""As numbers: of a bare condition PostgreSQL believes that half of all rows meet it, and compiles
for them."""


def _day(d: Dialect) -> str:
    closed_on = f"coalesce({d.day('x.date_closed')}, {d.local_day('x.valid_from')})"
    return (
        f"CASE k.effect WHEN 'closed' THEN {closed_on} WHEN 'removed' THEN"
        f" {d.local_day('x.removed_at')} ELSE {d.local_day('x.ended_at')} END"
    )


def _ones() -> str:
    return ", ".join(f"CASE k.effect WHEN '{one}' THEN 1 ELSE 0 END" for one in EFFECTS[1:])


def _more(status: str) -> str:
    """Return by how many the tasks of a status become more.

    A removed task keeps its status, so it goes from, and comes back to, what it was.
    """
    closed, reopened = (1, -1) if status == "done" else (-1, 1)
    stays = f"CASE WHEN x.status = '{status}' THEN 1 ELSE 0 END"
    return (
        f"CASE k.effect WHEN 'closed' THEN {closed} WHEN 'reopened' THEN {reopened}"
        f" WHEN 'removed' THEN -{stays} ELSE {stays} END"
    )


def sums() -> str:
    """Return the sums of a group of rows of the ledger, as select items."""
    return ", ".join(f"sum({name}) AS {name}" for name in (*EFFECTS, "more_open", "more_done"))
