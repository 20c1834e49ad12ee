"""What changed from one version of a task to the next, field by field, and who did it if told."""

from __future__ import annotations

from syncd.store.report.dialect import POSTGRESQL, Dialect
from syncd.store.report.view import View, view


def _changes(d: Dialect) -> str:
    source = _CHANGES_ON_POSTGRESQL if d is POSTGRESQL else "task_history_fields"
    return f"""
SELECT c.task_id, c.at, c.field, {_shown(d, "c.old")} AS old, {_shown(d, "c.new")} AS new,
  c.author, c.author_id, c.run_id
FROM {source} c"""


_CHANGES_ON_POSTGRESQL = """(WITH s AS (
    SELECT f.task_id, f.at, f.field, f.old, f.new, f.author, f.author_id, f.run_id,
      (SELECT jsonb_object_agg(g.id, g.label) FROM tags g) AS labels,
      (SELECT jsonb_object_agg(m.id, m.email) FROM members m) AS emails
    FROM task_history_fields f
    WHERE f.run_id > f.run_id - 1 AND f.task_id > f.task_id - 1) SELECT * FROM s)"""
"""One document of all labels and one of all emails are made once, and looked up in: of a small
table the server would read every row for each value. They stand in a WITH, which is not merged
into what uses it; a WHERE gets through all the same. The condition always holds, and the planner
takes it for one in nine: ten tags for each change, as it would have it, are so dear that it
compiles the plan, which takes as long as all the rest."""


def _shown(d: Dialect, value: str) -> str:
    """Return a value as live_tasks writes it: emails and labels instead of ids."""
    if d is POSTGRESQL:
        labels, email = _LABELS.format(value), f"c.emails ->> {value}"
        document = f" WHEN 'extra' THEN {value}::jsonb::text"
    else:
        labels, email = d.labels_in(value), f"(SELECT m.email FROM members m WHERE m.id = {value})"
        document = ""
    return (
        f"CASE c.field WHEN 'tags' THEN {labels} WHEN 'assignee_email' THEN {email}"
        f" WHEN 'author_email' THEN {email}{document} ELSE {value} END"
    )


_LABELS = """CASE WHEN strpos({0}, ',') > 0
    THEN (SELECT string_agg(coalesce(c.labels ->> u.id, '#' || u.id), ','
        ORDER BY coalesce(c.labels ->> u.id, '#' || u.id) COLLATE "C")
      FROM unnest(string_to_array(btrim({0}, '[]'), ', ')) u (id))
    WHEN {0} <> '[]' THEN coalesce(c.labels ->> btrim({0}, '[]'), '#' || btrim({0}, '[]')) END"""
"""One tag alone needs no sorting."""


CHANGES: tuple[View, ...] = (
    view(
        "task_changes",
        "One row for each field that differs between a version of a task and the next one.",
        {
            "task_id": "the task, tasks.id",
            "at": "when the new value was first seen, UTC: at most one pull after it was set",
            "field": "the field, by its name in live_tasks, or removed_reason; files and relations"
            " are not among them",
            "old": "the value before, as live_tasks writes it; NULL: none",
            "new": "the value after; NULL: none",
            "author": "who did it, where the account's feed told that very value; NULL: not known",
            "author_id": "who did it, members.id; NULL: not known",
            "run_id": "the run that saw it, sync_runs.id",
        },
        _changes,
    ),
)
