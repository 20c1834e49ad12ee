"""How fresh the mirror is, source by source: what a dashboard shows beside its figures."""

from __future__ import annotations

from syncd.store.report.dialect import POSTGRESQL, Dialect
from syncd.store.report.view import View, view

_CATALOGUES = ("projects", "members", "tags")


def _freshness(d: Dialect) -> str:
    catalogues = " UNION ALL ".join(
        f"SELECT {n} AS place, '{name}' AS source" for n, name in enumerate(_CATALOGUES, 3)
    )
    return f"""
WITH lane AS (SELECT 1 AS place, 'tasks' AS source, 'pull' AS kind
  UNION ALL SELECT 2, 'fast lane', 'events')
SELECT k.source, k.subject, k.state, k.state = 'complete' AS is_green, k.as_of,
  {d.seconds("n.now_at")} - {d.seconds("k.as_of")} AS age_s, k.last_complete_at, k.last_run_at,
  k.missing
FROM (
  SELECT l.place, l.source, NULL AS subject, coalesce(r.outcome, 'never') AS state,
    coalesce(s.observed_at, s.started_at) AS as_of,
    coalesce(c.observed_at, c.started_at) AS last_complete_at,
    r.finished_at AS last_run_at, CASE r.outcome WHEN 'failed' THEN r.error
      WHEN 'partial' THEN {_notes(d)} END AS missing
  FROM lane l
  LEFT JOIN sync_runs r ON r.id = {_newest("")}
  LEFT JOIN sync_runs s ON s.id = {_newest("AND o.outcome <> 'failed'")}
  LEFT JOIN sync_runs c ON c.id = {_newest("AND o.outcome = 'complete'")}
  UNION ALL
  SELECT l.place, l.source, NULL, CASE WHEN s.value IS NULL THEN 'never'
      WHEN r.outcome = 'complete' THEN 'complete' ELSE 'partial' END,
    {_read(d)}, {_read(d)}, r.finished_at,
    CASE WHEN r.outcome <> 'complete' THEN 'the last pull was ' || r.outcome END
  FROM ({catalogues}) l
  LEFT JOIN sync_state s ON s.name = 'catalogues_at'
  LEFT JOIN sync_runs r ON r.id = (SELECT o.id FROM sync_runs o WHERE o.kind = 'pull'
    ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)
  UNION ALL
  SELECT 9, 'slice', coalesce(j.name, '#' || p.project_id), 'under way', p.observed_at, NULL,
    NULL, 'read, and not applied before the last project of this pull is read'
  FROM pull_slices p LEFT JOIN projects j ON j.id = p.project_id
) k
CROSS JOIN report_today n
ORDER BY k.place, k.subject"""


def _newest(condition: str) -> str:
    """Return the number of the newest run of lane `l`, by its end, which is indexed."""
    return (
        f"(SELECT o.id FROM sync_runs o WHERE o.kind = l.kind {condition}"
        " ORDER BY o.finished_at DESC, o.id DESC LIMIT 1)"
    )


def _notes(d: Dialect) -> str:
    if d is POSTGRESQL:
        return (
            "(SELECT string_agg(e.note, '; ' ORDER BY e.place) FROM"
            " jsonb_array_elements_text(r.detail -> 'notes') WITH ORDINALITY e (note, place))"
        )
    return "(SELECT group_concat(e.value, '; ') FROM json_each(r.detail, '$.notes') e)"


def _read(d: Dialect) -> str:
    """Return the instant in `s.value`, an ISO text in UTC, to the second."""
    if d is POSTGRESQL:
        return "date_trunc('second', (s.value #>> '{}')::timestamptz, 'UTC')"
    return "replace(substr(json_extract(s.value, '$'), 1, 19), 'T', ' ') || '.000000'"


FRESHNESS: tuple[View, ...] = (
    view(
        "report_freshness",
        "One row for each source: as of when it is mirrored, and whether anything is missing.",
        {
            "source": "tasks (the full pull), fast lane, projects, members, tags; slice: a project"
            " that a pull under way has read",
            "subject": "title of the project of a slice; NULL for the others",
            "state": "how its last run ended: complete, partial or failed; never: none has ended;"
            " under way: of a slice",
            "is_green": "true if the last run was complete: nothing is missing as of as_of",
            "as_of": "the account was as mirrored at this instant, UTC, save for what is missing",
            "age_s": "how long ago that is, in seconds",
            "last_complete_at": "the same of the last run that was complete, UTC",
            "last_run_at": "when its last run ended, UTC, however it ended",
            "missing": "what the last run left out, or why it failed; NULL: nothing",
        },
        _freshness,
    ),
)
