"""Trust but verify: what the account said ok to, read again, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from syncd.errors import BadReply, Refused
from syncd.model.change import Change, Fields
from syncd.services.look import SEARCH_IDS
from syncd.services.push.closing import OURS, rebase_later
from syncd.services.push.looking import Eyes, Sight
from syncd.services.push.mirroring import mirror
from syncd.services.push.outgoing import Outgoing
from syncd.services.push.pushing import Run
from syncd.services.push.words import ignored_in_words
from syncd.store import enclosures
from syncd.sync.fold import written
from syncd.sync.names import with_ids
from syncd.sync.verify import Verified, verify

GONE = "the account took it, and the task is gone from the account since"
_BY_SEARCH = frozenset(
    {
        *("name", "status", "priority", "assignee_email"),
        *("date_start", "date_end", "date_closed", "max_time", "max_money"),
    }
)
"""What a search shows of a task as its own answer would."""
_AS_NEW: Final[Fields] = {
    **{"name": "", "status": "active", "priority": 1, "assignee_email": "NOONE"},
    **dict.fromkeys(("date_start", "date_end", "date_closed", "max_time", "max_money")),
}
"""What a new task has where the account did not take what was given: any other value is an edit
that somebody has made since, and no broken promise."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What the account has said ok to, about one task: the changes, and what they have set."""

    task_id: int
    changes: tuple[Change, ...]
    fields: Fields
    base: Fields

    @property
    def status(self) -> str | None:
        """The status that the task is to have now, as far as it was set."""
        status = self.fields.get("status")
        return status if isinstance(status, str) else None


def confirm(run: Run, out: Outgoing, eyes: Eyes) -> bool:
    """Read what was applied; True where something was confirmed, or found not to be so."""
    promises = [promise for lane in out.lanes.values() if (promise := _promise(out, lane))]
    sights = _searched(eyes, out, [each for each in promises if each.fields.keys() <= _BY_SEARCH])
    left = []
    with run.writing() as tx:
        for each in promises:
            sight = sights.get(each.task_id)
            if sight is not None and _kept(each, sight):
                _write(run, tx, each, sight)
            else:
                left.append(each)
    return any([len(left) < len(promises), *(_look(run, eyes, each) for each in left)])


def _promise(out: Outgoing, lane: Sequence[Change]) -> Promise | None:
    applied = tuple(change for change in lane if change.state == "applied")
    task_id = next((change.task_id for change in applied if change.task_id), None)
    if task_id is None:
        return None
    fields, base = written(applied)
    created = any(change.operation == "create" for change in applied)
    left = _went_along(lane) if created else frozenset()
    return Promise(
        task_id,
        applied,
        with_ids({name: fields[name] for name in fields.keys() - left}, out.names),
        _AS_NEW if created else with_ids(base, out.names),
    )


def _went_along(lane: Sequence[Change]) -> frozenset[str]:
    """Name the fields of edits that went out with a lost creation and are looked at again.

    The task that was found has their values, not the creation's; they answer for them.
    """
    again = (change for change in lane if change.state == "queued" and change.attempts)
    return frozenset(name for change in again for name in change.patch)


def _searched(eyes: Eyes, out: Outgoing, promises: Iterable[Promise]) -> dict[int, Sight]:
    """Look at many tasks at once; one is asked for itself, which costs the same and tells all."""
    by_status: dict[str, list[int]] = {}
    for each in promises:
        place = out.places.get(each.task_id)
        if place is not None:
            by_status.setdefault(each.status or place.status, []).append(each.task_id)
    found: dict[int, Sight] = {}
    for status, ids in by_status.items():
        for first in range(0, len(ids), SEARCH_IDS):
            some = sorted(ids)[first : first + SEARCH_IDS]
            if len(some) > 1:
                found |= _search(eyes, some, status, out)
    return found


def _search(eyes: Eyes, ids: Sequence[int], status: str, out: Outgoing) -> Mapping[int, Sight]:
    try:
        return eyes.search(ids, "done" if status == "done" else "active", out.places)
    except (BadReply, Refused):
        return {}  # each is asked for itself


def _kept(promise: Promise, sight: Sight) -> bool:
    """Tell whether a search shows all of it; anything else is believed of the task alone."""
    if sight.fields is None:
        return False
    return set(verify(promise.fields, promise.base, sight.fields).shown) == set(promise.fields)


def _look(run: Run, eyes: Eyes, promise: Promise) -> bool:
    try:
        sight = eyes.look(promise.task_id)
    except (BadReply, Refused) as error:
        run.notes.append(f"task {promise.task_id}: {error.message}")
        return False
    with run.writing() as tx:
        _write(run, tx, promise, sight)
    return True


def _write(run: Run, tx: Connection, promise: Promise, sight: Sight) -> None:
    """Write what became of a promise, and what was seen."""
    mirror(run, tx, [sight])
    ids = [change.id for change in promise.changes]
    if sight.fields is None:
        run.move(tx, ids, "applied", "failed", error_code="5", error=GONE)
        return
    found = verify(promise.fields, promise.base, sight.fields)
    broken = _broken(promise, found)
    missing = _missing_files(tx, promise, sight)
    if missing:
        broken |= {promise.changes[0].id}
    kept = [id for id in ids if id not in broken]
    done = promise.fields.keys() - {each.field for each in found.ignored}
    rebase_later(tx, ids, {name: promise.fields[name] for name in done})
    enclosures.drop(tx, kept)
    run.move(tx, kept, "applied", "confirmed", confirmed_at=run.work.clock())
    if broken:
        words = ignored_in_words(found.ignored, missing)
        run.move(tx, sorted(broken), "applied", "failed", error_code=OURS, error=words)
    if found.overtaken:
        run.audit("change.overtaken", ids[-1], {"fields": list(found.overtaken)})


def _missing_files(tx: Connection, promise: Promise, sight: Sight) -> list[str]:
    """Name the files that were sent along and that the new task does not have."""
    names = enclosures.enclosed_names(tx, [change.id for change in promise.changes])
    if sight.files is None:
        return []
    left = list(sight.files)
    missing = []
    for name in (name for each in names.values() for name in each):
        if name in left:
            left.remove(name)
        else:
            missing.append(name)
    return missing


def _broken(promise: Promise, found: Verified) -> set[int]:
    fields = {each.field for each in found.ignored}
    return {change.id for change in promise.changes if fields & change.patch.keys()}
