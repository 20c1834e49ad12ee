"""A verification's looks at tasks themselves, and what these show otherwise than the mirror."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from syncd.errors import AccountError, BadReply, Refused
from syncd.model.drift import Difference, Found
from syncd.model.listing import Scope
from syncd.model.plan import Image
from syncd.resources.tasks.images import load_images
from syncd.services.memory import Memory
from syncd.services.prepare import Pulling
from syncd.services.push.looking import UNTOLD, Eyes, Sight
from syncd.sync.drift import differences, gone, missing

SECOND_LOOKS: Final = 20
"""Looks that confirm drift. Of more tasks, a field is believed that one of these has confirmed."""

Doubts = Mapping[int, tuple[Difference, ...]]


@dataclass(slots=True)
class Checking:
    """One verification under way; the tasks in `in_flight` may show either side of a change."""

    work: Pulling
    known: Memory
    scope: Scope
    eyes: Eyes
    in_flight: frozenset[int]
    go_on: Callable[[], bool]
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    trouble: AccountError | None = None
    stopped: bool = False

    def may_go_on(self, what: str) -> bool:
        """Ask whether there is time for one more request; once there is none, note that."""
        if not self.stopped and not self.go_on():
            self.stopped = True
            self.notes.append(f"it was told to stop: {what}")
        return not self.stopped

    def images(self, ids: Collection[int]) -> dict[int, Image]:
        """Read what the mirror holds now."""
        with self.work.db.read() as tx:
            return load_images(tx, ids)


def look_at(check: Checking, ids: Sequence[int], what: str) -> dict[int, Sight]:
    """Ask for each of these tasks; one whose answer makes no sense is counted and left out."""
    seen: dict[int, Sight] = {}
    budget = check.work.client.budget
    for done, id in enumerate(ids):
        if not check.may_go_on(f"{len(ids) - done} tasks were not looked at"):
            break
        left_s = budget.estimate_s(len(ids) - done)
        check.work.progress.step(what, done=done, total=len(ids), left_s=left_s)
        try:
            seen[id] = check.eyes.look(id)
        except (BadReply, Refused) as error:
            check.trouble = error
            check.counts["unreadable"] += 1
            check.notes.append(f"task {id}: {error.message}")
    return seen


def compare(check: Checking, sights: Mapping[int, Sight]) -> dict[int, tuple[Difference, ...]]:
    """Return the tasks that show otherwise than the mirror, with how."""
    images = check.images(sights.keys())
    undecided = UNTOLD | check.scope.undecided
    found = {id: _compared(one, images.get(id), undecided) for id, one in sights.items()}
    return {id: doubts for id, doubts in found.items() if doubts}


def _compared(
    sight: Sight, image: Image | None, undecided: Collection[str]
) -> tuple[Difference, ...]:
    if sight.record is None:
        live = image is not None and image.removed_at is None
        return (gone(sight.task_id),) if live else ()
    if image is None:
        return (missing(sight.task_id),)
    return differences(sight.record, image, undecided)


def confirm(check: Checking, drift: Iterable[Found]) -> tuple[Found, ...]:
    """Look again at what seems to be drift, and return what still is.

    The list may hide what the task itself shows, or an edit have come and gone between two looks.
    """
    every = tuple(drift)
    ids = list(dict.fromkeys(one.difference.task_id for one in every))
    sights = look_at(check, ids[:SECOND_LOOKS], "tasks that differ, once more")
    doubts = compare(check, sights)
    again = {(one.task_id, one.field) for each in doubts.values() for one in each}
    confirmed = {field for _, field in again}
    return tuple(
        one
        for one in every
        if _key(one) in again
        or (one.difference.task_id in ids[SECOND_LOOKS:] and one.difference.field in confirmed)
    )


def _key(one: Found) -> tuple[int, str]:
    return one.difference.task_id, one.difference.field
