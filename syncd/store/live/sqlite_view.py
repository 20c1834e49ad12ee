"""The view on SQLite, 3.35 and later.

In the middle stands a compound of three parts with plain columns: tasks without a change, tasks
with one, pending creations. SQLite pushes a WHERE down into it, so a task by its id and a project
are found by their indexes. What costs (labels, members, JSON) stands outside of it and is worked
out for the rows and columns that are asked for: SQLite before 3.41 computes every column of a
compound, even for COUNT(*). `pending` holds the folded changes of a row, NULL for most.
"""

from __future__ import annotations

from syncd.store.live.columns import COLUMNS, SETTABLE, WRITE_ONLY
from syncd.store.live.guards import words
from syncd.store.live.showing import MADE, OF_CREATION, PENDING, RANK
from syncd.store.live.texts import fill
from syncd.store.outbox import UNSETTLED

_FOLD = """(SELECT json_group_object(f.key,
        CASE f.type WHEN 'array' THEN json(f.value) ELSE f.value END)
      FROM (SELECT e.key, e.type, e.value, max(o.id)
            FROM outbox o, json_each(o.fields) e WHERE <<which>> GROUP BY e.key) f)"""
"""The last value of each field: a bare column goes with max() (sqlite.org/lang_select.html)."""

_DUE = """CASE WHEN EXISTS (SELECT 1 FROM outbox o WHERE <<which>>
        AND json_type(o.fields, '$.date_end') IS NOT NULL)
      THEN (SELECT json_extract(o.fields, '$.date_end') FROM outbox o WHERE <<which>>
        AND json_type(o.fields, '$.date_end') IS NOT NULL ORDER BY o.id DESC LIMIT 1)
      ELSE <<plain>> END"""

_OF_TASK = f"o.task_id = n.task_id AND {PENDING} AND e.key IN ({words(SETTABLE)})"
_OF_TASK_DUE = f"o.task_id = n.task_id AND {PENDING}"

_TELLING = """(SELECT s.<<column>> FROM outbox s WHERE s.task_id = n.task_id AND s.<<unsettled>>
      ORDER BY <<rank>>, s.id DESC LIMIT 1)"""

_LABELS = """CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.tags') IS NULL
    THEN (SELECT group_concat(label, ',') FROM (
      SELECT coalesce(g.label, '#' || l.tag_id) AS label
      FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id WHERE l.task_id = k.id ORDER BY 1))
    ELSE (SELECT group_concat(label, ',') FROM (
      SELECT coalesce(g.label, '#' || e.value) AS label
      FROM json_each(k.pending, '$.tags') e LEFT JOIN tags g ON g.id = e.value ORDER BY 1))
    END"""

_VIEW = """
CREATE VIEW live_tasks (<<columns>>) AS
SELECT
  <<select>>
FROM (
  SELECT t.id, m.ref, t.project_id, t.parent_id, NULL AS parent_ref, t.level, t.name, t.status,
    t.priority, t.author_id, t.assignee_id, t.text, t.date_added, t.date_start, t.date_end,
    t.date_closed, t.max_time, t.max_money, t.url,
    'synced' AS sync_state, NULL AS sync_error, NULL AS pending
  FROM tasks t
  LEFT JOIN outbox m ON m.task_id = t.id AND <<made>>
  WHERE t.removed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.task_id = t.id AND o.<<unsettled>>)
  UNION ALL
  SELECT t.id, m.ref, t.project_id, t.parent_id, NULL, t.level, t.name, t.status,
    t.priority, t.author_id, t.assignee_id, t.text, t.date_added, t.date_start,
    <<task_due>>,
    t.date_closed, t.max_time, t.max_money, t.url,
    <<task_state>>,
    <<task_error>>,
    <<task_fold>>
  FROM outbox n
  JOIN tasks t ON t.id = n.task_id
  LEFT JOIN outbox m ON m.task_id = t.id AND <<made>>
  WHERE n.task_id IS NOT NULL AND n.<<unsettled>> AND t.removed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o
      WHERE o.task_id = n.task_id AND o.<<unsettled>> AND o.id > n.id)
  UNION ALL
  SELECT NULL, c.ref, CAST(json_extract(c.fields, '$.project_id') AS INTEGER),
    CAST(coalesce(json_extract(c.fields, '$.parent_id'), p.task_id) AS INTEGER),
    json_extract(c.fields, '$.parent_ref'), json_extract(c.fields, '$.level'), NULL, 'active',
    1, NULL, NULL, NULL, NULL, NULL,
    <<creation_due>>,
    NULL, NULL, NULL, NULL,
    c.state, c.error,
    <<creation_fold>>
  FROM outbox c
  LEFT JOIN outbox p ON p.id = c.depends_on
  WHERE c.task_id IS NULL AND c.<<unsettled>> AND c.operation = 'create'
    AND NOT (c.state = 'failed' AND EXISTS (SELECT 1 FROM outbox o
      WHERE o.ref = c.ref AND o.operation = 'create' AND o.id > c.id AND o.state <> 'cancelled'))
) k
LEFT JOIN members a ON a.id = k.author_id
LEFT JOIN members b ON b.id = k.assignee_id"""


def view_on_sqlite() -> str:
    """Return the statement that makes the view."""
    return fill(
        _VIEW,
        columns=", ".join(COLUMNS),
        select=",\n  ".join(_column(name) for name in COLUMNS),
        task_fold=fill(_FOLD, which=_OF_TASK),
        task_due=fill(_DUE, which=_OF_TASK_DUE, plain="t.date_end"),
        task_state=fill(_TELLING, column="state"),
        task_error=fill(_TELLING, column="error"),
        creation_fold=fill(_FOLD, which=OF_CREATION),
        creation_due=fill(_DUE, which=OF_CREATION, plain="NULL"),
        rank=RANK,
        made=MADE,
        unsettled=UNSETTLED,
    )


def _column(name: str) -> str:
    if name in WRITE_ONLY:
        return f"NULL AS {name}"
    if name == "tags":
        return f"{_LABELS} AS tags"
    own = {"author_email": "a.email", "assignee_email": "b.email"}.get(name, f"k.{name}")
    if name not in (*SETTABLE, "author_email", "text") or name == "date_end":
        return f"{own} AS {name}"
    value = f"json_extract(k.pending, '$.{name}')"
    if name == "date_closed":  # the account takes a day and shows a minute
        value += " || ' 00:00:00'"
    return (
        f"CASE WHEN k.pending IS NULL OR json_type(k.pending, '$.{name}') IS NULL THEN {own}"
        f" ELSE {value} END AS {name}"
    )
