"""Ambiguity settled by looking: did a request land whose outcome nobody knows?

An edit shows in the task itself. A creation has no name of ours in the account, so it is the task
that appeared since: same project, parent, title and author, not known before, claimed by no other
creation. Never send a creation again without looking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, assert_never

from syncd.model.change import MISSING, Fields
from syncd.sync.canonical import canonical, canonical_text, same

GRACE: Final = timedelta(seconds=30)
"""How long after an attempt broke off the account may still be working on it."""
CLOCKS: Final = timedelta(minutes=10)
"""How far the account's clock, which shows whole minutes, is trusted not to be off."""

MINUTE: Final = timedelta(minutes=1)
"""What the account shows of the moment at which a task was made is no finer."""
APART: Final = timedelta(minutes=1)
"""How far two clocks that are kept right may be apart. A task made a second before the full minute
would else seem older than an attempt by a clock that is two seconds ahead."""
_RENAMED: Final = frozenset({"name", "author_email", "level", "parent_id", "parent_ref"})
"""What somebody who renames or moves a task changes, and what is compared elsewhere."""

Landing = Literal["landed", "not landed", "unclear", "gone"]


def settle_edit(mine: Fields, base: Fields, theirs: Fields | None) -> Landing:
    """Say whether an edit landed, from a record read after the attempt.

    Landed if all of it shows; not landed if something stands as it was: what is left goes again,
    and an edit that goes twice is made once. Unclear where a third value stands: somebody edited
    before it or after it, and only the merge, or a person, can tell.
    """
    if theirs is None:
        return "gone"
    seen = {_side(name, mine, base, theirs) for name in mine}
    if "third" in seen:
        return "unclear"
    return "not landed" if "base" in seen else "landed"


def _side(
    name: str, mine: Fields, base: Fields, theirs: Fields
) -> Literal["mine", "base", "third"]:
    wanted, before, shown = mine[name], base.get(name, MISSING), theirs.get(name, MISSING)
    if isinstance(wanted, frozenset) and isinstance(before, frozenset):
        return _side_of_tags(wanted, before, shown if isinstance(shown, frozenset) else before)
    if same(name, wanted, shown):
        return "mine"
    return "base" if same(name, before, shown) else "third"


def _side_of_tags(
    wanted: frozenset[int | str], before: frozenset[int | str], shown: frozenset[int | str]
) -> Literal["mine", "base"]:
    """Tags are never unclear: what others put on or took off is not ours to judge."""
    landed = wanted - before <= shown and not (before - wanted) & shown
    return "mine" if landed else "base"


@dataclass(frozen=True, slots=True)
class Lost:
    """A creation whose outcome is not known: the change, what it asked for, when it was tried.

    `parent_id` is the id that was sent. `visible` is false where the task, had it come to be,
    might be hidden from us: then not finding it proves nothing.
    """

    change: int
    project_id: int
    parent_id: int | None
    fields: Fields
    sent_at: datetime
    ended_at: datetime
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A task that the account shows now; `added_at` is None while its zone is not known."""

    task_id: int
    project_id: int
    parent_id: int | None
    fields: Fields
    added_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Adopt:
    """This is the task that the creation made."""

    task_id: int


@dataclass(frozen=True, slots=True)
class SendAgain:
    """It did not land: proven by an answer that began after the attempt had ended."""


@dataclass(frozen=True, slots=True)
class LookLater:
    """Nothing is proven yet: look again, in an answer that begins at this time or later."""

    at: datetime


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Only a person can tell; `tasks` are those that it might be."""

    tasks: tuple[int, ...] = ()


Found = Adopt | SendAgain | LookLater | AskPerson


@dataclass(frozen=True, slots=True)
class Sighting:
    """A complete answer about a project, and what was known before: nothing else proves absence.

    `known` are the tasks that the mirror had before the first of the attempts; `claimed` those
    that other creations made or adopted.
    """

    began_at: datetime
    candidates: Sequence[Candidate]
    known: Collection[int] = field(default_factory=frozenset)
    claimed: Collection[int] = field(default_factory=frozenset)


def settle_creations(
    lost: Iterable[Lost], sighting: Sighting, *, grace: timedelta = GRACE
) -> dict[int, Found]:
    """Settle lost creations over one answer; each task is adopted at most once.

    Creations that look alike are settled together: two queued on purpose under the same title
    are two tasks, whichever of them is which.
    """
    fresh = [
        candidate
        for candidate in sorted(sighting.candidates, key=lambda each: each.task_id)
        if candidate.task_id not in sighting.known and candidate.task_id not in sighting.claimed
    ]
    groups: dict[tuple[int, int | None, str], list[Lost]] = {}
    for each in sorted(lost, key=lambda each: each.change):
        groups.setdefault(_place(each), []).append(each)
    found: dict[int, Found] = {}
    for place, alike in groups.items():
        near = [candidate for candidate in fresh if _place(candidate) == place]
        found |= _settle_alike(alike, near, sighting.began_at, grace)
    taken = {id for each in found.values() for id in _named(each)}
    strangers = [candidate for candidate in fresh if candidate.task_id not in taken]
    return {
        each.change: _unless_renamed(each, found[each.change], strangers)
        for group in groups.values()
        for each in group
    }


def _place(task: Lost | Candidate) -> tuple[int, int | None, str]:
    return task.project_id, task.parent_id, canonical_text(str(task.fields.get("name") or ""))


def _settle_alike(
    alike: Sequence[Lost], near: Sequence[Candidate], began_at: datetime, grace: timedelta
) -> dict[int, Found]:
    ours = [c for c in near if any(_same_author(each, c) for each in alike)]
    ids = tuple(candidate.task_id for candidate in ours)
    doubtful = any(_too_old(candidate, alike) for candidate in ours)
    adopted = None if doubtful else _match(alike, ours)
    if adopted is None:
        return {each.change: AskPerson(ids) for each in alike}
    return {
        each.change: Adopt(adopted[each.change])
        if each.change in adopted
        else _absent(each, began_at, grace)
        for each in alike
    }


def _same_author(lost: Lost, candidate: Candidate) -> bool:
    """Without an author of its own, a creation is made by the key's owner, whom we do not know."""
    author, shown = lost.fields.get("author_email"), candidate.fields.get("author_email")
    return author in (None, "") or shown in (None, "") or same("author_email", author, shown)


def _too_old(candidate: Candidate, alike: Sequence[Lost]) -> bool:
    """A task older than the attempt is not ours, though not known; but clocks may be wrong."""
    first = min(each.sent_at for each in alike)
    return candidate.added_at is not None and candidate.added_at < first - CLOCKS


def _match(alike: Sequence[Lost], ours: Sequence[Candidate]) -> dict[int, int] | None:
    """Give each task to the creation it agrees with most; None where that cannot be told, or where
    there are more tasks than creations.

    Equal creations take equal tasks in turn: nobody can tell them apart, and need not.
    """
    adopted: dict[int, int] = {}
    for candidate in ours:
        left = [e for e in alike if e.change not in adopted and _same_author(e, candidate)]
        if not left:
            return None
        best = max(_agreement(each, candidate) for each in left)
        winners = [each for each in left if _agreement(each, candidate) == best]
        if any(_payload(each) != _payload(winners[0]) for each in winners[1:]):
            return None
        adopted[winners[0].change] = candidate.task_id
    return adopted


def _agreement(lost: Lost, candidate: Candidate) -> int:
    shown = candidate.fields
    return sum(same(name, value, shown.get(name, MISSING)) for name, value in lost.fields.items())


def _payload(lost: Lost) -> Mapping[str, object]:
    own = {"parent_ref", "parent_id"}
    return {name: canonical(name, value) for name, value in lost.fields.items() if name not in own}


def _named(verdict: Found) -> tuple[int, ...]:
    """Return the tasks that a verdict gives to a creation, or leaves to a person for it."""
    match verdict:
        case Adopt(task_id=id):
            return (id,)
        case AskPerson(tasks=ids):
            return ids
        case SendAgain() | LookLater():
            return ()
        case _ as never:
            assert_never(never)


def _unless_renamed(lost: Lost, verdict: Found, strangers: Sequence[Candidate]) -> Found:
    """Ask a person where somebody may have renamed or moved our task before we looked.

    A task of nobody we know, made while the attempt was under way, that is all that was asked for
    but for its title and its place: sending again would double it.
    """
    if not isinstance(verdict, SendAgain):
        return verdict
    might_be = tuple(each.task_id for each in strangers if _may_be_renamed(lost, each))
    return AskPerson(might_be) if might_be else verdict


def _may_be_renamed(lost: Lost, candidate: Candidate) -> bool:
    if not _same_author(lost, candidate) or candidate.project_id != lost.project_id:
        return False
    at = candidate.added_at
    first, last = lost.sent_at - MINUTE - APART, lost.ended_at + GRACE + MINUTE + APART
    if at is not None and not first <= at <= last:
        return False
    asked = {n: value for n, value in _payload(lost).items() if n not in _RENAMED}
    shown = candidate.fields
    return all(canonical(n, shown[n]) == value for n, value in asked.items() if n in shown)


def _absent(lost: Lost, began_at: datetime, grace: timedelta) -> Found:
    """What not finding it means: only an answer begun after the attempt had ended proves it."""
    if not lost.visible:
        return AskPerson()
    proven_from = lost.ended_at + grace
    return SendAgain() if began_at >= proven_from else LookLater(proven_from)
