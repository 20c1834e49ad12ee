"""Trust but verify: what a later read shows of what the account said ok to.

A field is confirmed, ignored (it stands as it was: accepted, not applied), overtaken (somebody
has set a third value since), or unseen (no answer shows checklists, subscribers, visibility).
Ignored fields are reported by name, not forgotten and not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from syncd.model.change import MISSING, Fields, Missing, Value
from syncd.sync.canonical import canonical_text, same

CUT: Final = 65_530
"""Bytes from which on a description may have been cut: at 65,536 characters, or at as many bytes,
with a split character at the end; the account says ok to both (API sheet, section 3)."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field that the account did not honour."""

    field: str
    wanted: Value
    shown: Value | Missing


@dataclass(frozen=True, slots=True)
class Verified:
    """Every field of what was written, in exactly one of four groups."""

    shown: tuple[str, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    overtaken: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def honoured(self) -> bool:
        """Whether the account did all of what it said ok to, as far as anybody can see."""
        return not self.ignored


def verify(written: Fields, base: Fields, theirs: Fields) -> Verified:
    """Compare what was written with a record read later; a creation has no base.

    Tags are ids. Of a creation every difference counts as ignored: there was no former value that
    somebody could have put back.
    """
    groups: dict[str, list[str]] = {"shown": [], "ignored": [], "overtaken": [], "unseen": []}
    for name in sorted(written):
        groups[_verdict(name, written, base, theirs)].append(name)
    return Verified(
        tuple(groups["shown"]),
        tuple(Ignored(n, written[n], theirs.get(n, MISSING)) for n in groups["ignored"]),
        tuple(groups["overtaken"]),
        tuple(groups["unseen"]),
    )


def _verdict(name: str, written: Fields, base: Fields, theirs: Fields) -> str:
    shown = theirs.get(name, MISSING)
    if isinstance(shown, Missing):
        return "unseen"
    if _honoured(name, written, base, shown):
        return "shown"
    if isinstance(shown, frozenset) or name not in base or same(name, base[name], shown):
        return "ignored"
    if name == "date_closed" and base[name] is None:
        return "ignored"  # closing sets a day by itself, which is nobody's edit
    return "overtaken"


def _honoured(name: str, written: Fields, base: Fields, shown: Value) -> bool:
    wanted = written[name]
    if name == "text":
        return _honoured_text(written, str(shown or ""))
    if isinstance(wanted, frozenset) and isinstance(shown, frozenset):
        return _honoured_tags(wanted, base.get(name), shown)
    if name in {"max_time", "max_money"} and not wanted:
        # How the account shows an estimate of zero is not known: as 0, or not at all.
        return shown is None or shown == Decimal(0)
    if name == "priority" and wanted is None:
        return True  # a new task without one has the account's own
    if name == "author_email" and not wanted:
        return True
    return same(name, wanted, shown)


def _honoured_tags(wanted: frozenset[int | str], base: Value, shown: frozenset[int | str]) -> bool:
    before = base if isinstance(base, frozenset) else frozenset()
    return wanted - before <= shown and not (before - wanted) & shown


def _honoured_text(written: Fields, shown: str) -> bool:
    """A description comes back cut, with bullets for the checklist and the mentioned names.

    Those are added at the end, so ours is the beginning of theirs, or theirs the cut beginning of
    ours (API sheet, section 10, traps 12 and 13).
    """
    ours, theirs = canonical_text(str(written["text"] or "")), canonical_text(shown)
    if ours == theirs or (_added(written) and theirs.startswith(ours)):
        return True
    return len(shown.encode()) >= CUT and ours.startswith(theirs.rstrip("\ufffd"))


def _added(written: Mapping[str, Value]) -> bool:
    return bool(written.get("checklist") or written.get("mentions"))
