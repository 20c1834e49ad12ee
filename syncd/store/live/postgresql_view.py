"""The view on PostgreSQL, 14 and later.

The labels of all tasks are one grouped join. The planner leaves it out where nobody asks for tags
(COUNT), and narrows it by the id or by the project; a correlated subquery for each row would be
estimated so dear that whole reads spend half a second on compiling it (JIT). OFFSET 0 keeps the
planner to the tasks of pending changes one by one: with an outbox it knows nothing about yet, it
would rather walk through all tasks.
"""

from __future__ import annotations

from syncd.store.live.columns import COLUMNS, WRITE_ONLY
from syncd.store.live.showing import MADE, OF_CREATION, PENDING, RANK
from syncd.store.live.texts import fill
from syncd.store.outbox import UNSETTLED

_TYPES = {
    "priority": "::integer",
    "date_start": "::date",
    "date_end": "::date",
    "date_closed": "::timestamp",
    "max_time": "::numeric(18,4)",
    "max_money": "::numeric(18,4)",
}

_FOLD = """(SELECT jsonb_object_agg(e.key, e.value ORDER BY o.id) AS fields
    FROM outbox o, jsonb_each(o.fields) e WHERE <<which>>) f"""
"""The last value of each field: jsonb keeps the last of equal keys."""

_LABELS = """(SELECT coalesce(string_agg(coalesce(g.label, '#' || e.id), ','
      ORDER BY coalesce(g.label, '#' || e.id) COLLATE "C"), '')
    FROM jsonb_array_elements_text(f.fields -> 'tags') e (id)
    LEFT JOIN tags g ON g.id = e.id::bigint)"""
"""Labels that a change wants, '' for none. In the inner parts, so that the planner counts it for
the few rows with a change and not for every row of the view."""

_VIEW = """
CREATE OR REPLACE VIEW live_tasks (<<columns>>) AS
SELECT
  <<select>>
FROM (
  SELECT t.id, m.ref, t.project_id, t.parent_id, NULL::text AS parent_ref, t.level, t.name,
    t.status, t.priority::integer AS priority, t.author_id, NULL::text AS author_email,
    t.assignee_id, NULL::text AS assignee_email, t.text, t.date_added, t.date_start, t.date_end,
    t.date_closed, t.max_time, t.max_money, NULL::text AS tags, t.url,
    'synced' AS sync_state, NULL::text AS sync_error
  FROM tasks t
  LEFT JOIN outbox m ON m.task_id = t.id AND <<made>>
  WHERE t.removed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.task_id = t.id AND o.<<unsettled>>)
  UNION ALL
  SELECT n.task_id, m.ref, t.project_id, t.parent_id, NULL, t.level, <<name>>,
    <<status>>, <<priority>>, t.author_id, NULL,
    t.assignee_id, coalesce(f.fields ->> 'assignee_email', b.email), t.text, t.date_added,
    <<date_start>>,
    <<date_end>>,
    <<date_closed>>,
    <<max_time>>,
    <<max_money>>,
    CASE WHEN f.fields ? 'tags' THEN <<labels>> END, t.url, s.state, s.error
  FROM outbox n
  CROSS JOIN LATERAL (SELECT * FROM tasks t
    WHERE t.id = n.task_id AND t.removed_at IS NULL OFFSET 0) t
  LEFT JOIN outbox m ON m.task_id = n.task_id AND <<made>>
  LEFT JOIN members b ON b.id = t.assignee_id
  CROSS JOIN LATERAL <<task_fold>>
  CROSS JOIN LATERAL (SELECT s.state, s.error FROM outbox s
    WHERE s.task_id = n.task_id AND s.<<unsettled>> ORDER BY <<rank>>, s.id DESC LIMIT 1) s
  WHERE n.task_id IS NOT NULL AND n.<<unsettled>>
    AND NOT EXISTS (SELECT 1 FROM outbox o
      WHERE o.task_id = n.task_id AND o.<<unsettled>> AND o.id > n.id)
  UNION ALL
  SELECT NULL, c.ref, (c.fields ->> 'project_id')::bigint,
    coalesce((c.fields ->> 'parent_id')::bigint, p.task_id), c.fields ->> 'parent_ref',
    (c.fields ->> 'level')::smallint, f.fields ->> 'name',
    coalesce(f.fields ->> 'status', 'active'), coalesce((f.fields ->> 'priority')::integer, 1),
    NULL, f.fields ->> 'author_email', NULL, f.fields ->> 'assignee_email',
    f.fields ->> 'text', NULL, (f.fields ->> 'date_start')::date,
    (f.fields ->> 'date_end')::date, (f.fields ->> 'date_closed')::timestamp,
    (f.fields ->> 'max_time')::numeric(18,4), (f.fields ->> 'max_money')::numeric(18,4),
    <<labels>>, NULL, c.state, c.error
  FROM outbox c
  LEFT JOIN outbox p ON p.id = c.depends_on
  CROSS JOIN LATERAL <<creation_fold>>
  WHERE c.task_id IS NULL AND c.<<unsettled>> AND c.operation = 'create'
    AND NOT (c.state = 'failed' AND EXISTS (SELECT 1 FROM outbox o
      WHERE o.ref = c.ref AND o.operation = 'create' AND o.id > c.id AND o.state <> 'cancelled'))
) k
LEFT JOIN members a ON a.id = k.author_id
LEFT JOIN members b ON b.id = k.assignee_id
LEFT JOIN (
  SELECT t.id, t.project_id,
    string_agg(coalesce(g.label, '#' || l.tag_id), ',' ORDER BY coalesce(g.label, '#' || l.tag_id)
      COLLATE "C") AS tags
  FROM tasks t
  JOIN task_tags l ON l.task_id = t.id
  LEFT JOIN tags g ON g.id = l.tag_id
  GROUP BY t.id
) h ON h.id = k.id AND h.project_id = k.project_id"""

_COLUMNS = {
    "author_email": "coalesce(k.author_email, a.email)",
    "assignee_email": "coalesce(k.assignee_email, b.email)",
    "tags": "CASE WHEN k.tags IS NULL THEN h.tags ELSE nullif(k.tags, '') END",
} | dict.fromkeys(WRITE_ONLY, "NULL::text")


def view_on_postgresql() -> str:
    """Return the statement that makes the view, or replaces it for those who use it."""
    overlaid = ("name", "status", *_TYPES)
    return fill(
        _VIEW,
        columns=", ".join(COLUMNS),
        select=",\n  ".join(_COLUMNS.get(name, f"k.{name}") for name in COLUMNS),
        task_fold=fill(_FOLD, which=f"o.task_id = n.task_id AND {PENDING}"),
        creation_fold=fill(_FOLD, which=OF_CREATION),
        labels=_LABELS,
        rank=RANK,
        made=MADE,
        unsettled=UNSETTLED,
        **{name: _overlaid(name) for name in overlaid},
    )


def _overlaid(name: str) -> str:
    cast = _TYPES.get(name, "")
    plain = f"t.{name}{cast if name == 'priority' else ''}"
    return f"CASE WHEN f.fields ? '{name}' THEN (f.fields ->> '{name}'){cast} ELSE {plain} END"
