"""What a moved database says of itself: the old one that it was left, the new one that it is not
complete yet. Of the two, one at most can be worked with, whenever a move ends.

Needs no database library, so that a command which must answer at once can use it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from syncd.errors import DatabaseUnusable

LEFT = "moved_to"
ARRIVING = "moving_in"


@dataclass(frozen=True, slots=True)
class Mark:
    """One end of a move: its `id`, the database at the other end, and when, in UTC."""

    id: str
    other: str
    at: str

    @property
    def document(self) -> dict[str, str]:
        """Return it as JSON can hold it."""
        return asdict(self)


def read_mark(document: Mapping[str, str] | None) -> Mark | None:
    """Return what `Mark.document` was made of, if it was ever made."""
    return Mark(**document) if document else None


def refusal(label: str, found: Mapping[str, Any]) -> DatabaseUnusable | None:
    """Return why a database is not to be used, from the marks in it by their names."""
    left, arriving = read_mark(found.get(LEFT)), read_mark(found.get(ARRIVING))
    if left is not None:
        return moved_away(label, left)
    if arriving is not None:
        return DatabaseUnusable(
            f"{label}: the move from {arriving.other} has not come to its end.",
            hint="Run it again, with the configuration that names the old database: syncd db move",
        )
    return None


def moved_away(label: str, left: Mark) -> DatabaseUnusable:
    """Return the error for a database that was moved to another place."""
    return DatabaseUnusable(
        f"{label} was moved to {left.other} on {left.at[:10]}.",
        hint="Name that one in database.url; to go back to this one: syncd db move --undo",
    )
