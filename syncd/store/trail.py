"""The trail of the outbox, read for the audit log: what was not read yet, and in which words.

The numbers of `outbox_events` are drawn before their transactions commit, so on PostgreSQL a
smaller number may become visible after a larger one, or never. Below the largest that was read,
missing numbers are looked for again until every transaction that was under way has ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from syncd.store.engine import horizon
from syncd.store.mirror import batches
from syncd.store.outbox import outbox, outbox_events
from syncd.store.schema import sync_state

SEEN = "audit_outbox"
"""Under which name it is remembered how far the trail was read."""
PRUNED = "outbox.pruned"
"""The event that lets the trail up to its `last` go, where the change itself has gone; the guards
of the outbox know it by this name."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that were not there. Whoever drew one is a transaction numbered under `before`."""

    first: int
    last: int
    before: int


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the trail was read: up to `high`, save for the gaps."""

    high: int = 0
    gaps: tuple[Gap, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "high": self.high,
            "gaps": [[gap.first, gap.last, gap.before] for gap in self.gaps],
        }


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the trail in the words of the audit log."""

    event: str
    change_id: int
    actor: str
    detail: dict[str, Any]


def read_seen(document: Mapping[str, Any] | None) -> Seen:
    """Return what `Seen.document` was made of; nothing was seen where there is none."""
    if document is None:
        return Seen()
    return Seen(document["high"], tuple(Gap(*gap) for gap in document["gaps"]))


def has_more(tx: Connection) -> bool:
    """Tell, by one look, whether there may be anything that was not read yet.

    Whoever reads it first need not be waited for: what was read only grows.
    """
    document = select(sync_state.c.value).where(sync_state.c.name == SEEN).scalar_subquery()
    newest = select(func.max(outbox_events.c.id)).scalar_subquery()
    row = tx.execute(select(document.label("seen"), newest.label("newest"))).one()
    seen = read_seen(row.seen)
    return bool(seen.gaps) or (row.newest or 0) > seen.high


def look(tx: Connection, seen: Seen) -> tuple[list[int], Seen]:
    """Return the events that were not read yet, in order, and what is seen with them."""
    oldest, _ = horizon(tx)  # before the look: who has ended by now can show nothing new after it
    ids = sorted(_unread(tx, seen))
    _, following = horizon(tx)  # after it: who drew a number that is missing has begun by now
    return ids, advance(seen, ids, oldest=oldest, following=following)


def advance(seen: Seen, ids: Sequence[int], *, oldest: int, following: int) -> Seen:
    """Return what is seen after reading `ids`, sorted.

    `oldest` is the oldest transaction that had not ended before the look, `following` the next to
    begin after it. A number above `following` is another server's: a dump was restored here.
    """
    high = max(seen.high, ids[-1]) if ids else seen.high
    known = (*seen.gaps, Gap(seen.high + 1, high, following))
    gaps = [part for gap in known for part in _parts(gap, ids)]
    return Seen(high, tuple(gap for gap in gaps if oldest < gap.before <= following))


def _parts(gap: Gap, ids: Iterable[int]) -> Iterator[Gap]:
    """Return what is left of a gap without those numbers."""
    first = gap.first
    for id in ids:
        if first <= id <= gap.last:
            if first < id:
                yield Gap(first, id - 1, gap.before)
            first = id + 1
    if first <= gap.last:
        yield Gap(first, gap.last, gap.before)


def _unread(tx: Connection, seen: Seen) -> Iterator[int]:
    number = outbox_events.c.id
    yield from tx.scalars(select(number).where(number > seen.high))
    for gaps in batches(seen.gaps):
        for half in (gaps[::2], gaps[1::2]):  # two values for each
            within = [number.between(gap.first, gap.last) for gap in half]
            yield from tx.scalars(select(number).where(or_(*within))) if within else ()


def tell(tx: Connection, ids: Collection[int]) -> list[Told]:
    """Return events of the trail, in order, with what the change said after each."""
    query = select(outbox_events).where(outbox_events.c.id.in_(ids)).order_by(outbox_events.c.id)
    events = tx.execute(query).all()
    changes = {event.change_id for event in events}
    # Changes first: one that is reworded between the two is then among the rewordings.
    rows = {row.id: row for row in tx.execute(select(outbox).where(outbox.c.id.in_(changes)))}
    rewordings = _rewordings(tx, changes)
    return [
        _told(event, rows.get(event.change_id), rewordings.get(event.change_id, []))
        for event in events
    ]


def _rewordings(tx: Connection, changes: Collection[int]) -> dict[int, list[Row[Any]]]:
    """Return the events that tell what a change said before, by change, in order."""
    found: dict[int, list[Row[Any]]] = {}
    query = select(outbox_events).where(outbox_events.c.change_id.in_(changes))
    for event in tx.execute(query.order_by(outbox_events.c.id)):
        if _reworded(event):
            found.setdefault(event.change_id, []).append(event)
    return found


def _reworded(event: Row[Any]) -> bool:
    return isinstance(event.detail, dict) and "fields" in event.detail


def _told(event: Row[Any], change: Row[Any] | None, rewordings: Sequence[Row[Any]]) -> Told:
    detail: dict[str, Any] = {
        "event_id": event.id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "from": event.from_state,
        "to": event.to_state,
    }
    if event.detail:
        detail["was" if _reworded(event) else "detail"] = event.detail
    if change is not None:
        detail |= {"operation": change.operation, "ref": change.ref, "task_id": change.task_id}
        if event.from_state is None or _reworded(event):
            detail |= _said(event, change, rewordings)
    return Told(_name(event), event.change_id, event.actor, detail)


def _said(event: Row[Any], change: Row[Any], rewordings: Sequence[Row[Any]]) -> dict[str, Any]:
    """Return what the change said after an event: what the next rewording found, or says now."""
    later = (one.detail for one in rewordings if one.id > event.id)
    said = next(later, {"fields": change.fields, "base": change.base})
    return {"fields": said.get("fields"), "base": said.get("base")}


def _name(event: Row[Any]) -> str:
    if event.from_state is None:
        return "change.queued"
    if _reworded(event):
        return "change.reworded"
    if event.from_state == event.to_state:
        return "change.moved"
    return "change.requeued" if event.to_state == "queued" else f"change.{event.to_state}"
