"""The runs: one row for each pull or push, written with its result and never before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, text

from syncd.store.engine import Database
from syncd.store.schema import sync_runs
from syncd.store.state import OBSERVED, after_observed

Outcome = Literal["complete", "partial", "failed"]
POLLS: Final = ("events", "pull")
"""The kinds that come again and again, as a rule for nothing."""
_NOTHING: Final = """
NOT EXISTS (SELECT 1 FROM {each}(sync_runs.counts) AS one
  WHERE one.key NOT IN ('requests', 'listed', 'unchanged') AND CAST(one.value AS text) <> '0')
"""


@dataclass(frozen=True, slots=True)
class RunRow:
    """What a run reports about itself."""

    kind: str
    scope: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    observed_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


_LAST = select(sync_runs.c.id).order_by(sync_runs.c.id.desc()).limit(1)


def next_run_id(tx: Connection) -> int:
    """Return the number the next run will have; the lease keeps runs one at a time."""
    return (tx.scalar(_LAST) or 0) + 1


def next_run(tx: Connection, now: datetime) -> tuple[int, datetime]:
    """Return the number of the next run and `state.next_instant`, by one look."""
    row = tx.execute(select(_LAST.scalar_subquery().label("id"), *OBSERVED)).one()
    return (row.id or 0) + 1, after_observed(row, now)


def record_run(tx: Connection, id: int, run: RunRow) -> None:
    """Write the row of a run."""
    tx.execute(
        insert(sync_runs).values(
            id=id,
            kind=run.kind,
            scope=run.scope,
            started_at=run.started_at,
            finished_at=run.finished_at,
            observed_at=run.observed_at,
            outcome=run.outcome,
            counts=dict(run.counts),
            detail=dict(run.detail),
            error=run.error,
        )
    )


def last_run(tx: Connection, kind: str, *outcomes: Outcome) -> Row[Any] | None:
    """Return the newest run of a kind, among the given outcomes if any are named."""
    query = select(sync_runs).where(sync_runs.c.kind == kind)
    if outcomes:
        query = query.where(sync_runs.c.outcome.in_(outcomes))
    return tx.execute(query.order_by(sync_runs.c.id.desc()).limit(1)).first()


def found_nothing(db: Database) -> ColumnElement[bool]:
    """Return what is true of a complete poll by which nothing became another."""
    each = "json_each" if db.is_sqlite else "jsonb_each"
    polled = (sync_runs.c.kind.in_(POLLS), sync_runs.c.outcome == "complete")
    return and_(*polled, text(_NOTHING.format(each=each)))
