"""What syncd remembers between runs, by name; and the clock that never steps back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from syncd.store.mirror import put
from syncd.store.schema import sync_runs, sync_state


def recall(tx: Connection, name: str) -> Any:
    """Return what is remembered under `name`, or None."""
    return tx.scalar(select(sync_state.c.value).where(sync_state.c.name == name))


def recall_all(tx: Connection, names: Collection[str]) -> dict[str, Any]:
    """Return what is remembered under `names`, by name; what is not is left out."""
    query = select(sync_state.c.name, sync_state.c.value).where(sync_state.c.name.in_(names))
    return {row.name: row.value for row in tx.execute(query)}


def remember(tx: Connection, name: str, value: object) -> None:
    """Keep `value`, anything JSON can hold, under `name`; None forgets it."""
    remember_all(tx, {name: value})


def remember_all(tx: Connection, values: Mapping[str, object]) -> dict[str, Any]:
    """Keep each value under its name; None forgets it. What is kept already is not written.

    Returns what was kept under these names before.
    """
    known = recall_all(tx, values.keys())
    put(
        tx,
        sync_state,
        [
            {"name": name, "value": value}
            for name, value in values.items()
            if value is not None and known.get(name) != value
        ],
    )
    gone = [name for name in known if values[name] is None]
    if gone:
        tx.execute(delete(sync_state).where(sync_state.c.name.in_(gone)))
    return known


LAST_SLICE = "last_slice_at"
"""When the last project of a pull by projects was read: after the instant of the run itself."""
_AT = sync_runs.c.observed_at
# The newest run's instant, as none steps back. Runs may be kept for ever, and this is asked at
# every write: the maximum of them all would be looked for in every row.
_NEWEST = select(_AT).where(_AT.is_not(None)).order_by(sync_runs.c.id.desc()).limit(1)
OBSERVED = (
    select(sync_state.c.value)
    .where(sync_state.c.name == LAST_SLICE)
    .scalar_subquery()
    .label("slice_at"),
    _NEWEST.scalar_subquery().label("run_at"),
)
"""The newest instants that anything was observed at."""


def next_instant(tx: Connection, now: datetime) -> datetime:
    """Return `now`, or just after the last observation where the clock has stepped back.

    Mirror rows are never written from an older observation than their own, so a clock set back an
    hour would otherwise stop the mirror for an hour.
    """
    return after_observed(tx.execute(select(*OBSERVED)).one(), now)


def after_observed(row: Any, now: datetime) -> datetime:
    """Return `now`, or just after what a row with the columns of `OBSERVED` tells."""
    known = (row.run_at, datetime.fromisoformat(row.slice_at) if row.slice_at else None)
    return max([now, *(last + timedelta(microseconds=1) for last in known if last is not None)])
