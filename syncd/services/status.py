"""Status: how fresh and how complete the mirror is. Asks the database alone, never the account.

Green means that the last pull was complete, as of the instant it observed the account.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from syncd.model.incidents import Incident
from syncd.model.reports import StatusReport, Waiting
from syncd.store.glance import Glance, Row, glance, instant

_TASKS = """
SELECT
    sum(CASE WHEN removed_at IS NULL AND status = 'active' THEN 1 ELSE 0 END) AS tasks_active,
    sum(CASE WHEN removed_at IS NULL AND status = 'done' THEN 1 ELSE 0 END) AS tasks_done,
    sum(CASE WHEN removed_at IS NOT NULL THEN 1 ELSE 0 END) AS tasks_removed,
    sum(CASE WHEN removed_at IS NULL AND suspect_at IS NOT NULL THEN 1 ELSE 0 END) AS tasks_suspect
FROM tasks
"""
_OTHERS = """
SELECT
    (SELECT count(*) FROM projects WHERE removed_at IS NULL) AS projects,
    (SELECT count(*) FROM members WHERE removed_at IS NULL AND kind = 'person') AS members,
    (SELECT count(*) FROM tags WHERE removed_at IS NULL) AS tags,
    (SELECT count(*) FROM files WHERE removed_at IS NULL) AS files,
    (SELECT count(*) FROM task_relations) AS relations,
    (SELECT count(*) FROM task_history) AS past_versions,
    (SELECT count(*) FROM quarantine) AS quarantine
"""
_CHANGES = """
SELECT
    sum(CASE WHEN state IN ('queued', 'sending', 'applied') THEN 1 ELSE 0 END) AS changes_queued,
    sum(CASE WHEN state = 'held' THEN 1 ELSE 0 END) AS changes_held,
    sum(CASE WHEN state = 'conflict' THEN 1 ELSE 0 END) AS changes_conflict,
    sum(CASE WHEN state = 'uncertain' THEN 1 ELSE 0 END) AS changes_uncertain,
    sum(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS changes_failed
FROM outbox WHERE state NOT IN ('confirmed', 'cancelled')
"""
_BIGGEST_BATCH = """
SELECT batch, count(*) AS changes FROM outbox
WHERE state NOT IN ('confirmed', 'cancelled') AND state = 'queued' AND attempts = 0
    AND id NOT IN (SELECT change_id FROM outbox_events WHERE from_state = 'held')
GROUP BY batch ORDER BY changes DESC LIMIT 1
"""

_INCIDENTS = """
SELECT id, kind, subject, severity, summary, remedy, opened_at FROM incidents
WHERE closed_at IS NULL ORDER BY id
"""

_STATES: dict[str, Literal["green", "partial", "failed"]]
_STATES = {"complete": "green", "partial": "partial", "failed": "failed"}


def read_status(url: str, *, schema: str | None = None, max_batch: int = 100) -> StatusReport:
    """Say how the mirror stands, and what is queued. Raises DatabaseUnusable without a mirror."""
    with glance(url, schema=schema) as look:
        last, counts = _run(look, ""), _counts(look)
        landed = _run(look, "AND outcome <> 'failed'")
        complete = _run(look, "AND outcome = 'complete'")
        return StatusReport(
            account=_account(look),
            database=look.label,
            schema=str(look.state.revision),
            state=_STATES[last["outcome"]] if last else "empty",
            as_of=landed["observed_at"] if landed else None,
            last_run=last,
            last_complete_at=complete["observed_at"] if complete else None,
            counts=counts,
            waiting=(
                *_waiting(last, counts["tasks_suspect"]),
                *_stopped(counts),
                *_about_to_be_held(look, max_batch),
            ),
            under_way=_under_way(look),
            incidents=tuple(_incidents(look)),
        )


def _counts(look: Glance) -> dict[str, int]:
    found = (look.row(_TASKS) or {}) | (look.row(_OTHERS) or {}) | (look.row(_CHANGES) or {})
    return {name: int(count or 0) for name, count in found.items()}


def _account(look: Glance) -> str | None:
    row = look.row("SELECT value FROM sync_state WHERE name = 'account'")
    return look.document(row["value"]) if row else None


def _run(look: Glance, condition: str) -> Row | None:
    """Return the last pull on record that meets a condition."""
    query = f"SELECT * FROM sync_runs WHERE kind = 'pull' {condition}"  # noqa: S608 - our own words
    row = look.row(f"{query} ORDER BY id DESC LIMIT 1")
    if row is None:
        return None
    times = ("started_at", "finished_at", "observed_at")
    return {
        "id": row["id"],
        "outcome": row["outcome"],
        **{name: instant(row[name]) for name in times},
        "counts": look.document(row["counts"]),
        "notes": list(look.document(row["detail"]).get("notes", ())),
        "error": row["error"],
    }


def _waiting(last: Row | None, suspects: int) -> Iterator[Waiting]:
    """Say what keeps the mirror from being complete, and what a person can do."""
    if last is None:
        yield Waiting("No pull has ended yet.", "syncd pull")
        return
    if last["outcome"] == "failed":
        yield Waiting(f"The last pull failed: {last['error']}", "syncd check")
        if suspects:
            yield Waiting(f"{suspects} tasks are missing without evidence.", "syncd pull")
    for note in last["notes"]:
        yield Waiting(f"The last pull was partial: {note}.", _remedy(note))


_STOPPED = {
    "held": ("held: too many were queued at once", "release --all or cancel --all"),
    "conflict": ("in conflict: both sides changed the same", "resolve"),
    "uncertain": ("may have landed: the next push looks", "show"),
    "failed": ("failed", "retry or cancel"),
}


def _stopped(counts: Mapping[str, int]) -> Iterator[Waiting]:
    """Say which changes wait for a person, and for which word."""
    for state, (what, word) in _STOPPED.items():
        if number := counts[f"changes_{state}"]:
            noun = "change" if number == 1 else "changes"
            look = f"syncd queue list --state {state}, then: syncd queue {word}"
            yield Waiting(f"{number:,} {noun} {what}.", look)


def _incidents(look: Glance) -> Iterator[Incident]:
    for row in look.rows(_INCIDENTS):
        yield Incident(**row | {"opened_at": instant(row["opened_at"])})


def _about_to_be_held(look: Glance, max_batch: int) -> Iterator[Waiting]:
    """Tell of a mass edit before the next push stops it (brake.holds decides; this foresees)."""
    row = look.row(_BIGGEST_BATCH)
    if row and row["changes"] > max_batch:
        yield Waiting(
            f"{row['changes']:,} changes were queued by one statement; more than {max_batch} are"
            " held by the next push.",
            f"syncd queue release --batch {row['batch']} or cancel --batch {row['batch']}",
        )


def _remedy(note: str) -> str:
    if note.startswith("brake:"):
        release = "syncd pull --allow-removals"
        return f"{release} --dry-run, and if that is right: {release}"
    if "quarantine" in note:
        return "SELECT kind, record_id, reason FROM quarantine"
    return "syncd pull"


def _under_way(look: Glance) -> str | None:
    """Say who talks to the account now. A process that died left its name in the row."""
    row = look.row("SELECT holder, acquired_at FROM lease WHERE holder IS NOT NULL")
    if row is None or _is_dead(row["holder"]):
        return None
    return f"{row['holder']}, since {_clock(instant(row['acquired_at']))}"


def _is_dead(holder: str) -> bool:
    match = re.fullmatch(r"pid (\d+) on (.+)", holder)
    if match is None or match[2] != socket.gethostname():
        return False
    try:
        os.kill(int(match[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's process, and alive
        return False
    return False


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S} UTC" if at else "an unknown time"
