"""The brake over a mass edit: an UPDATE without WHERE must not rewrite a company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Final

from syncd.model.change import Change
from syncd.model.outbound import Hold

WINDOW: Final = timedelta(minutes=1)


def holds(
    changes: Iterable[Change], *, max_batch: int, released: Collection[int | str] = ()
) -> tuple[Hold, ...]:
    """Return what has to wait for a person: too many changes of one statement, or of one minute.

    Creations count like edits, and changes that went out already count too: a hundred sent and a
    hundred waiting are two hundred. `released` are ids of changes, or batches, that a person let
    go: these are neither held nor counted. Only what is queued and was never tried is held.
    """
    counted = [c for c in changes if c.id not in released and (c.batch or "") not in released]
    counted.sort(key=lambda change: (change.created_at, change.id))
    by_batch = _by_batch(counted, max_batch)
    held = {id for hold in by_batch for id in hold.changes}
    return (*by_batch, *_by_minute(counted, max_batch, held))


def _by_batch(changes: Sequence[Change], limit: int) -> tuple[Hold, ...]:
    sizes = Counter(change.batch for change in changes if change.batch)
    found = []
    for batch in sorted(batch for batch, size in sizes.items() if size > limit):
        fresh = _fresh(change for change in changes if change.batch == batch)
        if fresh:
            found.append(Hold(fresh, sizes[batch], limit, batch))
    return tuple(found)


def _by_minute(changes: Sequence[Change], limit: int, held: Collection[int]) -> tuple[Hold, ...]:
    """A window slides over the changes: a minute of the clock would let two halves pass."""
    crowd: set[int] = set()
    first = most = beyond = 0
    for last, change in enumerate(changes):
        while change.created_at - changes[first].created_at >= WINDOW:
            first += 1
        size = last - first + 1
        if size > limit:
            most = max(most, size)
            crowd.update(each.id for each in changes[max(first, beyond) : last + 1])
            beyond = last + 1
    crowd -= set(held)
    fresh = _fresh(change for change in changes if change.id in crowd)
    return (Hold(fresh, most, limit),) if fresh else ()


def _fresh(changes: Iterable[Change]) -> tuple[int, ...]:
    """Changes that may still be held: one that was tried is past the question."""
    return tuple(
        sorted(change.id for change in changes if change.state == "queued" and not change.attempts)
    )
