"""Conflicts and unfulfilled promises in words, for the row, the audit log and a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncd.model.change import Missing, Value
from syncd.model.fields import write_value
from syncd.model.outbound import Conflict
from syncd.sync.verify import Ignored

_WHY = {
    "both": "both sides changed it",
    "removed": "the task is gone from the account",
    "flips": "it goes back and forth between the sides",
    "unknown base": "what it was before is not known",
}


def conflicts_in_words(conflicts: Sequence[Conflict]) -> tuple[str, str]:
    """Return why, in one word for `error_code`, and all of it for `error`."""
    return conflicts[0].why, "; ".join(_conflict(each) for each in conflicts)


def conflict_as_json(conflict: Conflict) -> dict[str, Any]:
    """Return a conflict's three sides as JSON takes them; a side that is not known is left out."""
    sides = {"base": conflict.base, "mine": conflict.mine, "theirs": conflict.theirs}
    return {"why": conflict.why} | {
        name: write_value(value) for name, value in sides.items() if not isinstance(value, Missing)
    }


def ignored_in_words(ignored: Sequence[Ignored], missing_files: Sequence[str] = ()) -> str:
    """Say what the account said ok to and did not do, field by field and file by file."""
    parts = [f"{each.field} is {_value(each.shown)}, not {_value(each.wanted)}" for each in ignored]
    parts += [f"the file {name} is not there" for name in missing_files]
    return f"the account said ok and did not do it: {'; '.join(parts)}"


def _conflict(each: Conflict) -> str:
    if each.why == "removed":
        return f"{each.field}: {_WHY['removed']}"
    return (
        f"{each.field}: {_WHY[each.why]}: it was {_value(each.base)}, you want"
        f" {_value(each.mine)}, the account has {_value(each.theirs)}"
    )


def _value(value: Value | Missing) -> str:
    if isinstance(value, Missing):
        return "not known"
    written = write_value(value)
    return "nothing" if written in (None, "", []) else str(written)
