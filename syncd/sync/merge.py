"""The three-way merge of one step, field by field: base, mine, theirs.

theirs = base: send. theirs = mine: settled, nothing is sent. Otherwise a conflict, unless the
policy says whose value stands; the losing one is kept in the result. Tags merge as sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

from syncd.model.change import MISSING, Fields, Missing, Value
from syncd.model.outbound import Choice, Conflict, Decided, Merge, TagEdit
from syncd.sync.canonical import same

MOST_FLIPS: Final = 3
"""How often they may put back what we set, before setting it again is a person's decision."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose value stands in a conflict, for each field and for all others."""

    otherwise: Choice = "ask"
    fields: Mapping[str, Choice] = field(default_factory=dict)

    def of(self, name: str) -> Choice:
        """Return the choice for one field."""
        return self.fields.get(name, self.otherwise)


ASK: Final = Policy()


def merge(
    mine: Fields,
    base: Fields,
    theirs: Fields | None,
    *,
    passed: Mapping[str, Sequence[Value]] | None = None,
    policy: Policy = ASK,
    flips: Mapping[str, int] | None = None,
) -> Merge:
    """Merge one step with what a look has just shown; None says that the task is gone.

    `passed` are our own former values of a field, which are nobody else's edit. `flips` counts
    for each field how often they put back what we had set. Tags are ids on all three sides. An
    edit of a removed task is a conflict; nothing ever creates the task again.
    """
    counted, ours = flips or {}, passed or {}
    bases = {name: _base(name, base, theirs or {}, ours.get(name, ())) for name in mine}
    parts = [
        _merge_field(name, mine[name], bases[name], theirs, policy, counted)
        for name in sorted(mine)
    ]
    return Merge(
        {name: value for part in parts for name, value in part.to_send.items()},
        tuple(name for part in parts for name in part.settled),
        tuple(conflict for part in parts for conflict in part.conflicts),
        tuple(decided for part in parts for decided in part.decided),
    )


def count_flips(field: str, edits: Sequence[tuple[Value, Value]]) -> int:
    """Count how often the same edit had to be made again, from a field's (base, mine) in order.

    Base again what it was, mine again what it was: somebody put back what we had set.
    """
    return sum(
        same(field, old[0], new[0]) and same(field, old[1], new[1]) and not same(field, *new)
        for old, new in pairwise(edits)
    )


def _base(name: str, base: Fields, theirs: Fields, passed: Sequence[Value]) -> Value | Missing:
    """Return what the edit starts from: the value that is shown, where that is our own former one.

    Tags are merged one by one, and need no such rule.
    """
    before, shown = base.get(name, MISSING), theirs.get(name, MISSING)
    if isinstance(shown, Missing | frozenset):
        return before
    return shown if any(same(name, each, shown) for each in passed) else before


def _merge_field(
    name: str,
    mine: Value,
    base: Value | Missing,
    theirs: Fields | None,
    policy: Policy,
    flips: Mapping[str, int],
) -> Merge:
    if theirs is None:
        return _decide(Conflict(name, base, mine, MISSING, "removed"), policy)
    shown = theirs.get(name, MISSING)
    wanted = _wanted(mine, base, shown)
    if same(name, mine, shown) or wanted == TagEdit():
        return Merge(settled=(name,))
    if flips.get(name, 0) >= MOST_FLIPS:
        return Merge(conflicts=(Conflict(name, base, mine, shown, "flips"),))
    if isinstance(base, frozenset) or same(name, _base_of(name, base, shown), shown):
        return Merge(to_send={name: wanted})
    why: Literal["both", "unknown base"] = "unknown base" if base is MISSING else "both"
    return _decide(Conflict(name, base, mine, shown, why), policy)


def _wanted(mine: Value, base: Value | Missing, shown: Value | Missing) -> Value | TagEdit:
    """Return what would have to be sent for our side to stand.

    For tags that is what is left of our edit over theirs. Where the answer does not tell their
    tags, all of it: putting on what is on, or taking off what is off, changes nothing.
    """
    if not isinstance(mine, frozenset):
        return mine
    theirs = shown if isinstance(shown, frozenset) else None
    before = base if isinstance(base, frozenset) else theirs or frozenset()
    edit = TagEdit(mine - before, before - mine)
    if theirs is None:
        return edit
    return TagEdit(edit.plus - theirs, _taken_off(edit.minus, theirs))


def _base_of(name: str, base: Value | Missing, shown: Value | Missing) -> Value | Missing:
    """Closing a task sets its day of closing, which nobody typed: that is no edit to collide with.

    Without this, completing a task and dating it in one statement would conflict with itself.
    """
    return shown if name == "date_closed" and base is None else base


def _taken_off(minus: Iterable[int | str], shown: frozenset[int | str]) -> frozenset[int | str]:
    """What is still on; a label that means no tag any more stays, to be refused by name."""
    return frozenset(tag for tag in minus if tag in shown or isinstance(tag, str))


def _decide(conflict: Conflict, policy: Policy) -> Merge:
    """Let the policy decide where it can: what is gone cannot be edited, only given up."""
    name = conflict.field
    match policy.of(name):
        case "mine" if conflict.why != "removed":
            wanted = _wanted(conflict.mine, conflict.base, conflict.theirs)
            return Merge(to_send={name: wanted}, decided=(Decided(conflict, "mine"),))
        case "theirs":
            return Merge(settled=(name,), decided=(Decided(conflict, "theirs"),))
        case _:
            return Merge(conflicts=(conflict,))
