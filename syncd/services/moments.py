"""Moments in words; loads nothing else, so that listing tasks stays quick."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(at: datetime | None) -> str:
    """Return an instant in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "an unknown time"


def moment_told(at: datetime | None) -> str:
    """Return a moment that the account told of: in UTC, or on its own clock where that is all."""
    if at is not None and at.tzinfo is None:
        return f"{at:%Y-%m-%d %H:%M} on the account's clock"
    return instant(at)
