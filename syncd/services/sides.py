"""The three sides of a change's fields: base, mine, and theirs, which is what the mirror shows.

A push writes the record that it looked at into the mirror, so of a conflict the mirror has theirs.
Tags are ids here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from syncd.model.change import MISSING, Change, Fields, Missing, Value
from syncd.resources.members import members
from syncd.resources.tags import tags
from syncd.resources.tasks.images import load_images
from syncd.services.authors import Author, theirs_set
from syncd.services.seen import Seen, theirs_seen
from syncd.store.choices import Chosen, chosen_of
from syncd.store.mirror import batches
from syncd.store.outbox import as_change, outbox
from syncd.sync.fold import net
from syncd.sync.merge import MOST_FLIPS, merge
from syncd.sync.names import Names, shown


@dataclass(frozen=True, slots=True)
class Side:
    """One field of a change as it was, as it is wanted, and as the account shows it.

    `base_known` and `theirs_known` tell a value that is empty from one that is not known;
    `contested` says that a person has to choose. Of such a field, `seen_at` is when a read first
    showed theirs, in the run `seen_by_run`, as far as known; `changed_by` is who set theirs and
    `changed_at` when, if the change feed has told (the account's wall clock where no zone is set);
    `keep` is what was chosen by SQL.
    """

    field: str
    base: Value
    mine: Value
    theirs: Value
    base_known: bool
    theirs_known: bool
    contested: bool
    seen_at: datetime | None = None
    seen_by_run: int | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
    keep: Literal["mine", "theirs"] | None = None
    chosen_by: str | None = None

    def mapped(self, put: Callable[[Value], Value]) -> Side:
        """Return the same with its values put in another way."""
        return replace(self, base=put(self.base), mine=put(self.mine), theirs=put(self.theirs))


@dataclass(frozen=True, slots=True)
class Dispute:
    """The changes of one task that wait for a person, and what the account shows of it.

    `theirs` is None where the task is gone from the account, or is not there yet.
    """

    changes: tuple[Change, ...]
    codes: frozenset[str]
    theirs: Fields | None

    @property
    def removed(self) -> bool:
        """Whether there is no task any more that could be edited."""
        return self.theirs is None or "removed" in self.codes

    @property
    def contested(self) -> frozenset[str]:
        """The fields to choose; where the account took its edit back, all that differ from it."""
        found = self._merged(flips="flips" in self.codes, bases=True)
        return found or self._merged(flips=True, bases=False)

    def _merged(self, *, flips: bool, bases: bool) -> frozenset[str]:
        nets = net(self.changes)
        mine = {name: each.value for name, each in nets.items()}
        base = {n: e.base for n, e in nets.items() if bases and not isinstance(e.base, Missing)}
        counted = dict.fromkeys(mine, MOST_FLIPS if flips else 0)
        passed = {name: each.passed for name, each in nets.items()} if bases else {}
        theirs = None if self.removed else self.theirs
        merged = merge(mine, base, theirs, passed=passed, flips=counted)
        return frozenset(each.field for each in merged.conflicts)


def disputes(tx: Connection, ids: Iterable[int], *, lock: bool = False) -> dict[int, Dispute]:
    """Return what waits for a person, by task; with `lock` nobody moves it before the commit."""
    found: dict[int, list[Row[Any]]] = {}
    for batch in batches(sorted(set(ids))):
        query = select(outbox).where(outbox.c.task_id.in_(batch), outbox.c.state == "conflict")
        query = query.order_by(outbox.c.id)
        for row in tx.execute(query.with_for_update() if lock else query):
            found.setdefault(row.task_id, []).append(row)
    theirs = load_theirs(tx, found)
    return {
        id: Dispute(
            tuple(_readable(rows)),
            frozenset(row.error_code or "" for row in rows),
            theirs.get(id),
        )
        for id, rows in found.items()
    }


def sides(tx: Connection, rows: Sequence[Row[Any]]) -> dict[int, tuple[Side, ...]]:
    """Return the three sides of every field of these changes; nothing of one that is unreadable."""
    changes = list(_readable(rows))
    task_ids = {change.task_id for change in changes if change.task_id is not None}
    theirs, disputed = load_theirs(tx, task_ids), disputes(tx, task_ids)
    found = {}
    for change in changes:
        dispute = disputed.get(change.task_id or 0) if change.state == "conflict" else None
        choose = dispute.contested if dispute is not None else frozenset()
        shown_now = theirs.get(change.task_id or 0, {})
        found[change.id] = tuple(_side(change, name, shown_now, choose) for name in change.patch)
    return _told_more(tx, changes, found)


def _told_more(
    tx: Connection, changes: Iterable[Change], found: dict[int, tuple[Side, ...]]
) -> dict[int, tuple[Side, ...]]:
    """Add to what is in question since when theirs is so, and what was chosen by SQL."""
    contested = {change.id: change.task_id or 0 for change in changes if _open(found[change.id])}
    seen = theirs_seen(tx, set(contested.values()))
    authors = theirs_set(tx, seen)
    chosen = {(one.change_id, one.field): one for one in chosen_of(tx, contested)}
    for id, task_id in contested.items():
        found[id] = tuple(
            _known_more(
                side,
                seen.get((task_id, side.field)),
                authors.get((task_id, side.field)),
                chosen.get((id, side.field)),
            )
            if side.contested
            else side
            for side in found[id]
        )
    return found


def _open(sides: Iterable[Side]) -> bool:
    return any(side.contested for side in sides)


def _known_more(
    side: Side, seen: Seen | None, author: Author | None, chosen: Chosen | None
) -> Side:
    if seen is not None:
        side = replace(side, seen_at=seen.at, seen_by_run=seen.run_id)
    if author is not None:
        side = replace(side, changed_by=author.name, changed_at=author.at)
    if chosen is not None:
        side = replace(side, keep=chosen.keep, chosen_by=chosen.by)
    return side


def load_theirs(tx: Connection, ids: Collection[int]) -> dict[int, Fields]:
    """Return what the mirror shows of tasks; one that was removed is left out."""
    if not ids:
        return {}
    names = Names(
        {row.id: row.email for row in tx.execute(select(members.c.id, members.c.email))},
        {row.id: row.name for row in tx.execute(select(tags.c.id, tags.c.name))},
    )
    return {
        id: shown(image.record, names)
        for id, image in load_images(tx, ids).items()
        if image.removed_at is None
    }


def _side(change: Change, name: str, theirs: Fields, contested: Collection[str]) -> Side:
    base, seen = change.origin.get(name, MISSING), theirs.get(name, MISSING)
    return Side(
        field=name,
        base=_or_none(base),
        mine=change.patch[name],
        theirs=_or_none(seen),
        base_known=base is not MISSING,
        theirs_known=seen is not MISSING,
        contested=name in contested,
    )


def _or_none(value: Value | Missing) -> Value:
    return None if isinstance(value, Missing) else value


def _readable(rows: Iterable[Row[Any]]) -> Iterable[Change]:
    """Leave out what was written by hand and means nothing: a push says so of each."""
    for row in rows:
        try:
            yield as_change(row)
        except ValueError:
            continue
