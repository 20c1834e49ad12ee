"""Every version of every task, and what changed from one to the next."""

from __future__ import annotations

from syncd.store.report.dialect import SQLITE, Dialect
from syncd.store.report.view import View, view

_SHARED = {
    "project_id": "its project then, projects.id",
    "parent_id": "the task it was a subtask of; NULL at the top",
    "level": "1 task, 2 subtask, 3 sub-subtask",
    "name": "title",
    "page": "path of its page in the account",
    "url": "address of its page in the account",
    "status": "active or done",
    "priority": "0 to 10",
    "author_id": "who created it, members.id",
    "assignee_id": "who was responsible, members.id; ANY and NOONE are rows",
    "text": "description; NULL unless pull.extra asks for text or html",
    "date_added": "created, the account's wall clock",
    "added_at": "created, UTC; NULL unless account.timezone is set",
    "date_start": "start date, as shown",
    "time_start": "start time of day, as shown",
    "date_end": "due date, as shown",
    "time_end": "due time of day, as shown",
    "date_closed": "completed, the account's wall clock",
    "closed_at": "completed, UTC; NULL unless account.timezone is set",
    "max_time": "estimate in hours",
    "max_money": "estimate in the account's currency",
    "extra": "fields of the answer that have no column, as sent",
    "removed_at": "since when it was known to be gone, UTC; NULL: it was in the account",
    "removed_reason": "the evidence for that, in one word",
}


_INNER = ", ".join(_SHARED)
_OUTER = ", ".join(f"k.{name}" for name in _SHARED)

_VERSIONS_ON_SQLITE = f"""
SELECT k.task_id, k.valid_from, k.valid_to, k.ended_by_run_id, {_OUTER},
  CASE WHEN k.then_tags IS NULL THEN {SQLITE.labels("k.task_id")}
    ELSE {SQLITE.labels_in("k.then_tags")} END AS tags,
  CASE WHEN k.then_tags IS NULL THEN (SELECT group_concat(tag_id, ',') FROM
      (SELECT tag_id FROM task_tags WHERE task_id = k.task_id ORDER BY 1))
    ELSE nullif(replace(trim(k.then_tags, '[]'), ' ', ''), '') END AS tag_ids
FROM (
  SELECT task_id, valid_from, valid_to, run_id AS ended_by_run_id, {_INNER}, tags AS then_tags
  FROM task_history
  UNION ALL
  SELECT id, valid_from, NULL, NULL, {_INNER}, NULL FROM tasks
) k"""
"""Labels stand outside of the compound, which computes all its columns before SQLite 3.41."""

_VERSIONS_ON_POSTGRESQL = f"""
SELECT k.task_id, k.valid_from, k.valid_to, k.ended_by_run_id, {_OUTER},
  k.labels AS tags, k.ids AS tag_ids
FROM (
  SELECT h.task_id, valid_from, valid_to, run_id AS ended_by_run_id, {_INNER}, s.labels,
    nullif(replace(btrim(h.tags::text, '[]'), ' ', ''), '') AS ids
  FROM task_history h
  LEFT JOIN LATERAL (SELECT string_agg(coalesce(g.label, '#' || u.id), ','
      ORDER BY coalesce(g.label, '#' || u.id) COLLATE "C") AS labels
    FROM unnest(string_to_array(btrim(h.tags::text, '[]'), ', ')) u (id)
    LEFT JOIN tags g ON g.id = u.id::bigint
    WHERE u.id = btrim(u.id)) s ON TRUE
  UNION ALL
  SELECT t.id, valid_from, NULL, NULL, {_INNER}, now.labels, now.ids
  FROM tasks t
  LEFT JOIN (SELECT l.task_id, string_agg(l.tag_id::text, ',' ORDER BY l.tag_id) AS ids,
      string_agg(coalesce(g.label, '#' || l.tag_id), ','
        ORDER BY coalesce(g.label, '#' || l.tag_id) COLLATE "C") AS labels
    FROM task_tags l LEFT JOIN tags g ON g.id = l.tag_id GROUP BY l.task_id
    ) now ON now.task_id = t.id
) k"""
"""Few sets of tags stand in many versions: the server remembers the labels it has made of each. Of
an array it believes that it holds ten; the comparison makes them one, which is what most versions
have. At a higher price it would compile the plan, which takes as long as the rest."""


def _versions(d: Dialect) -> str:
    return _VERSIONS_ON_SQLITE if d.name == "sqlite" else _VERSIONS_ON_POSTGRESQL


VERSIONS: tuple[View, ...] = (
    view(
        "task_versions",
        "Every version of every task since syncd began, removed tasks too. How things stood at X:"
        " WHERE valid_from <= X AND (valid_to > X OR valid_to IS NULL) AND removed_at IS NULL.",
        {
            "task_id": "the task, tasks.id",
            "valid_from": "this version was first seen, UTC",
            "valid_to": "the next version was seen, UTC; NULL: this is the present one",
            "ended_by_run_id": "the run that saw the next version, sync_runs.id; NULL: present",
            **_SHARED,
            "tags": "labels (tags.label) of its tags then, sorted, joined by commas; NULL: none",
            "tag_ids": "ids of its tags then, sorted, joined by commas; NULL: none",
        },
        _versions,
    ),
)
