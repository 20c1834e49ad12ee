"""`live_conflicts`: the conflicts field by field, and the one place where SQL may choose.

What is in question is worked out here as `syncd.services.sides` does it for people; a test keeps
the two equal. Each dialect brings the sides, the rest is one text for both. An unusual way to
write the same title may show a field that is not in question; a choice about it does nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, column, table
from sqlalchemy.types import TypeEngine

from syncd.store.live.texts import fill
from syncd.store.outbox import UNSETTLED
from syncd.store.types import Id, Instant

CONFLICT_COMMENTS = {
    "change_id": "the change that waits, outbox.id",
    "task_id": "its task, tasks.id",
    "ref": "the writer's name of a task that was created here",
    "field": "the field in question, a column of live_tasks",
    "base": "what it was when the change was queued; NULL: empty, or not known",
    "mine": "what the change asks for",
    "theirs": "what the account shows",
    "why": "both, flips, unknown base, or removed: the task is gone from the account",
    "since": "when the change went into the conflict, UTC",
    "keep": "for UPDATE: mine or theirs, the value that stands; NULL: nobody has chosen",
    "chosen_by": "who has chosen",
}
_TYPES: dict[str, TypeEngine[Any]] = {"change_id": Id, "task_id": Id, "since": Instant()}

live_conflicts = table(
    "live_conflicts", *(column(name, _TYPES.get(name, Text())) for name in CONFLICT_COMMENTS)
)
"""For our own statements, as `live_tasks` is."""

WAITING = f"o.{UNSETTLED} AND o.state = 'conflict' AND o.operation <> 'create'"
"""The changes whose fields are in question. Of a creation it is the task."""

_VIEW = """ VIEW live_conflicts (<<columns>>) AS
WITH sides AS (<<sides>>),
lanes AS (
  SELECT s.*,
    first_value(s.base) OVER lane AS first_base,
    first_value(s.base_known) OVER lane AS first_known,
    first_value(s.base_tags) OVER lane AS first_tags,
    last_value(s.mine) OVER lane AS last_mine,
    last_value(s.mine_tags) OVER lane AS last_tags,
    max(CASE WHEN <<ours_is_theirs>> THEN 1 ELSE 0 END) OVER lane AS ours,
    max(CASE WHEN s.gone = 1 OR s.code = 'removed' THEN 1 ELSE 0 END) OVER one AS removed,
    max(CASE s.code WHEN 'flips' THEN 1 ELSE 0 END) OVER one AS flips
  FROM sides s
  WINDOW one AS (PARTITION BY s.task_id),
    lane AS (PARTITION BY s.task_id, s.field ORDER BY s.change_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
compared AS (
  SELECT l.*,
    CASE WHEN <<mine_is_theirs>> THEN 0 ELSE 1 END AS differs,
    CASE WHEN l.ours = 1 OR <<base_is_theirs>> THEN 0 ELSE 1 END AS moved
  FROM lanes l
),
judged AS (
  SELECT c.*,
    CASE WHEN c.removed = 1 THEN 1
      WHEN c.differs = 0 THEN 0
      WHEN c.first_known = 0 AND (c.ours = 0 OR c.field = 'tags') THEN 1
      WHEN c.field = 'tags' THEN CASE WHEN c.flips = 1 AND (<<left>>) THEN 1 ELSE 0 END
      WHEN c.flips = 1 THEN 1
      WHEN c.field = 'date_closed' AND c.first_base IS NULL THEN 0
      ELSE c.moved END AS contested
  FROM compared c
),
counted AS (
  SELECT j.*, max(j.contested) OVER (PARTITION BY j.task_id) AS any_contested FROM judged j
)
SELECT q.change_id, q.task_id, q.ref, q.field, q.base, q.mine, q.theirs,
  CASE WHEN q.removed = 1 THEN 'removed' ELSE coalesce(q.code, 'both') END,
  (SELECT max(v.at) FROM outbox_events v WHERE v.change_id = q.change_id
    AND v.to_state = 'conflict' AND v.from_state <> 'conflict'),
  h.keep, h.chosen_by
FROM counted q
LEFT JOIN outbox_choices h ON h.change_id = q.change_id AND h.field = q.field
  AND (h.theirs = q.theirs OR h.theirs IS NULL AND q.theirs IS NULL)
  AND NOT (q.removed = 1 AND h.keep = 'mine')
WHERE q.contested = 1 OR q.any_contested = 0 AND q.differs = 1"""


def conflicts_view(begin: str, **parts: str) -> str:
    """Return the statement that makes the view out of a dialect's `sides`, `left` and `title`.

    `title` puts a text `<<x>>` into the form in which titles are compared.
    """
    title = parts.pop("title")
    return "\n" + fill(
        begin + _VIEW,
        columns=", ".join(CONFLICT_COMMENTS),
        ours_is_theirs=_same("s.mine", "s.theirs", title),
        mine_is_theirs=_same("l.last_mine", "l.theirs", title),
        base_is_theirs=_same("l.first_base", "l.theirs", title),
        **parts,
    )


def _same(one: str, other: str, title: str) -> str:
    pair = [
        f"nullif(CASE {each[0]}.field WHEN 'name' THEN {fill(title, x=each)} ELSE {each} END, '')"
        for each in (one, other)
    ]
    return f"{pair[0]} = {pair[1]}\n      OR {pair[0]} IS NULL AND {pair[1]} IS NULL"


def other_columns(differs: str) -> str:
    """Return the condition that a statement sets more than `keep`."""
    names = (name for name in CONFLICT_COMMENTS if name != "keep")
    return " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in names)
