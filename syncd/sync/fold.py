"""Folding: the changes of one lane come down to the fewest requests.

Changes are patches, and a lane's net patch is each field's last value against its first base.
What is set and set back is nothing; a new task takes along what post_task can carry. Changes that
were sent already are never folded with: how they ended is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from syncd.model.change import FINAL, MISSING, Change, ChangeState, Fields, Missing, Value
from syncd.model.fields import READERS
from syncd.model.outbound import Folded, Step, Verb
from syncd.sync.canonical import same

CARRIED: Final = frozenset(READERS) - {"status", "date_closed"}
"""What post_task carries (API sheet, section 6.1)."""
_NEW: Final[Fields] = {"status": "active", "date_closed": None}
"""What a new task is in the fields that its creation cannot carry."""
_ORDER: Final[tuple[Verb, ...]] = ("create", "update", "tag", "complete", "reopen")
_DATED: Final[tuple[Verb, ...]] = ("create", "complete", "reopen", "tag", "update")
"""The day of closing waits for what moves it by itself: closing sets one, reopening takes it away.
Tags go next to it, for one change may carry both, and what carries the same change goes out
together."""

DEAD: Final[frozenset[ChangeState]] = frozenset({"failed", "cancelled"})
"""How a creation ends without a task."""

Nets = Mapping[str, "Net"]


@dataclass(frozen=True, slots=True)
class Net:
    """What several changes make of one field, which of them touched it, and what it was before.

    `passed` are the values that earlier ones of them had set: a part of a change that is in
    conflict may have gone, and is then what the account shows.
    """

    value: Value
    base: Value | Missing
    changes: tuple[int, ...]
    passed: tuple[Value, ...] = ()


def lanes(changes: Iterable[Change]) -> dict[str, tuple[Change, ...]]:
    """Sort changes into lanes, each in the order of queueing: first in, first out.

    A task that is created here is one lane before and after it has its id.
    """
    ordered = sorted(changes, key=lambda change: change.id)
    creations = Creations.among(ordered)
    found: dict[str, list[Change]] = {}
    for change in ordered:
        found.setdefault(creations.lane_of(change), []).append(change)
    return {lane: tuple(found[lane]) for lane in sorted(found)}


@dataclass(frozen=True, slots=True)
class Creations:
    """Creations by number and by ref: a ref is free again once its creation failed."""

    by_id: Mapping[int, Change]
    by_ref: Mapping[str, Change]

    @classmethod
    def among(cls, changes: Iterable[Change]) -> Creations:
        """Pick the creations; of those with one ref the standing one, else the newest, counts."""
        made = [change for change in changes if change.operation == "create"]
        ranked = sorted(made, key=lambda each: (each.state not in DEAD, each.id))
        by_ref = {each.ref: each for each in ranked if each.ref}
        return cls({each.id: each for each in made}, by_ref)

    def named(self, ref: str, depends_on: Iterable[int]) -> Change | None:
        """Return the creation that a change means by a ref: the one it depends on, if it says."""
        stated = (self.by_id.get(id) for id in depends_on)
        return next((c for c in stated if c and c.ref == ref), self.by_ref.get(ref))

    def of(self, change: Change) -> Change | None:
        """Return the creation of a change's own task, where it was created here."""
        if change.operation == "create":
            return change
        if change.ref is not None:
            return self.named(change.ref, change.depends_on)
        return next((self.by_id[id] for id in change.depends_on if id in self.by_id), None)

    def lane_of(self, change: Change) -> str:
        """Name a change's lane: by its task's id, or while that has none by its creation."""
        creation = self.of(change) if change.task_id is None else None
        id = change.task_id or (creation.task_id if creation else None)
        if id is not None:
            return task_lane(id)
        return new_lane(creation.id) if creation else f"ref {change.ref}"


def task_lane(id: int) -> str:
    """Name the lane of a task that the account has."""
    return f"task {id}"


def new_lane(creation: int) -> str:
    """Name the lane of a task that is still to be created, by its creation's number."""
    return f"new {creation}"


def net(changes: Iterable[Change]) -> dict[str, Net]:
    """Return what changes of one lane, in their order, make of each field.

    The first base counts: what a later change was based on is our own earlier change, or a value
    that whoever queued it did not see below it.
    """
    nets: dict[str, Net] = {}
    for change in changes:
        for name, value in change.patch.items():
            origin = change.origin.get(name, MISSING)
            known = nets.get(name)
            base = origin if known is None else _base_below(known, origin, value)
            nets[name] = (
                Net(value, base, (change.id,))
                if known is None
                else Net(value, base, (*known.changes, change.id), (*known.passed, known.value))
            )
    return nets


def _base_below(known: Net, origin: Value | Missing, value: Value) -> Value | Missing:
    """Return what a net edit starts from once a later change, made over `origin`, joins it.

    Tags are edited one by one. One that is put back where the mirror had lost it meanwhile is put
    on, and one that is taken back where the mirror had got it meanwhile is taken off: neither is
    nothing. What the mirror got and nobody touched was not seen, and stays out of it.
    """
    sides = (known.base, known.value, origin, value)
    base, before, found, after = (each if isinstance(each, frozenset) else None for each in sides)
    if base is None or before is None or found is None or after is None:
        return known.base
    return (base - (after - before - found)) | ((before - after) & found)


def fold(lane: str, changes: Sequence[Change]) -> Folded:
    """Fold one lane: what may go comes down to steps, the rest waits behind what stops it.

    A waiting change holds its lane: going around it would let a later edit be overwritten by an
    earlier one.
    """
    if stillborn := _stillborn(changes):
        return Folded(lane, behind=stillborn, waiting=_open(changes))
    going = _open(changes)
    free = tuple(takewhile(lambda change: change.state == "queued", going))
    rest = going[len(free) :]
    steps = _steps(lane, free)
    carried = {id for step in steps for id in step.changes}
    settled = tuple(change.id for change in free if change.id not in carried)
    return Folded(lane, steps, settled, rest[0] if rest else None, rest[1:])


def written(changes: Iterable[Change]) -> tuple[Fields, Fields]:
    """Return what changes that were sent together have set, and what it was before.

    This is what an uncertain attempt is settled by, and what a later read has to show.
    """
    nets = _reopened(net(changes))
    moved = {name: each for name, each in nets.items() if not _idle(name, each)}
    bases = {n: e.base for n, e in moved.items() if not isinstance(e.base, Missing)}
    return {name: each.value for name, each in moved.items()}, bases


def rebased(later: Change, written: Fields) -> Change:
    """Return a waiting change over what an earlier one of its lane has just written.

    Its author saw that value, so only what differs from it is somebody else's edit. For tags that
    is what the earlier change asked for, not what a merge made of it: a tag that a person added
    meanwhile was never seen, and must not look like one that was taken off.
    """
    moved = {name: value for name, value in written.items() if name in later.patch}
    if written.get("status") == "active" and "date_closed" in later.patch:
        moved = {"date_closed": None, **moved}  # reopening took the day away: nobody's edit
    return replace(later, base={**later.origin, **moved}) if moved else later


def _stillborn(changes: Sequence[Change]) -> Change | None:
    """Return the creation that ended without a task, which leaves its later changes nothing."""
    dead = (change for change in changes if change.operation == "create" and not change.task_id)
    return next((change for change in dead if change.state in DEAD), None)


def _open(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.state not in FINAL)


def _steps(lane: str, changes: tuple[Change, ...]) -> tuple[Step, ...]:
    """Return the requests of a lane, in order; an empty tuple where all of it comes to nothing."""
    if not changes:
        return ()
    first = changes[0]
    new = first.operation == "create" and first.task_id is None
    all_nets = _from_nothing(net(changes)) if new else net(changes)
    nets = _reopened(all_nets)
    moved = {name: nets[name] for name in sorted(nets) if not _idle(name, nets[name])}
    idle = [set(nets[name].changes) for name in nets if name not in moved]
    if nets.keys() < all_nets.keys():
        idle.append({*all_nets["date_closed"].changes, nets["status"].changes[-1]})
    parts = _parts(moved, new=new)
    return tuple(_step(verb, lane, changes, part, idle) for verb, part in parts.items())


def _reopened(nets: Nets) -> Nets:
    """Take away the day of closing that a later reopening takes away.

    A day that was set with the reopening, or after it, is sent: to a task that has none by then,
    and whether an open one can have one is the account's to say.
    """
    status, day = nets.get("status"), nets.get("date_closed")
    if status is None or status.value != "active" or day is None:
        return nets
    if day.changes[-1] < status.changes[-1]:
        return {name: each for name, each in nets.items() if name != "date_closed"}
    return {**nets, "date_closed": replace(day, base=None)}


def _idle(name: str, each: Net) -> bool:
    return same(name, each.value, each.base)


def _from_nothing(nets: Nets) -> Nets:
    """Take a new task's bases from what it will be, not from what was pending at the time."""
    return {name: replace(each, base=_NEW.get(name, MISSING)) for name, each in nets.items()}


def _parts(moved: Nets, *, new: bool) -> dict[Verb, dict[str, Net]]:
    """Sort fields to the verbs that send them, each verb one request, in the order of sending."""
    parts: dict[Verb, dict[str, Net]] = {"create": {}} if new else {}
    for name, each in moved.items():
        parts.setdefault(_verb(name, each, new=new), {})[name] = each
    dated = "date_closed" in moved
    return {verb: parts[verb] for verb in (_DATED if dated else _ORDER) if verb in parts}


def _verb(name: str, each: Net, *, new: bool) -> Verb:
    if new and name in CARRIED:
        return "create"
    if name == "status":
        return "complete" if each.value == "done" else "reopen"
    return "tag" if name == "tags" else "update"


def _step(
    verb: Verb, lane: str, changes: tuple[Change, ...], nets: Nets, idle: Iterable[set[int]]
) -> Step:
    own = {id for each in nets.values() for id in each.changes}
    ids = _together(own | ({changes[0].id} if verb == "create" else set()), idle)
    carried = [change for change in changes if change.id in ids]
    # All of a lane's free changes: one that is to be tried later holds what was queued after it.
    due = [change.next_attempt_at for change in changes if change.next_attempt_at is not None]
    needed = {id for change in carried for id in change.depends_on} - {c.id for c in changes}
    return Step(
        verb=verb,
        lane=lane,
        fields={name: each.value for name, each in nets.items()},
        changes=tuple(sorted(ids)),
        since=min(change.created_at for change in carried),
        task_id=next((change.task_id for change in changes if change.task_id), None),
        ref=next((change.ref for change in changes if change.ref), None),
        base={n: e.base for n, e in nets.items() if not isinstance(e.base, Missing)},
        passed={name: each.passed for name, each in nets.items() if each.passed},
        not_before=max(due, default=None),
        depends_on=tuple(sorted(needed)),
    )


def _together(ids: set[int], idle: Iterable[set[int]]) -> set[int]:
    """Add the changes that cancel out with these: setting and setting back end together.

    Were only one of the two settled, the other would stand alone in the next plan, and would then
    be sent over a value that its author never saw.
    """
    for group in (joined := [each for each in idle if each & ids]):
        ids = ids | group
    return _together(ids, [each for each in idle if each not in joined]) if joined else ids
