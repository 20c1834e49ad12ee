"""How figures, instants and spans of time are put in words for people."""

from __future__ import annotations

from datetime import UTC, datetime


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 task", "2,000 tasks"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def moment(at: datetime) -> str:
    """Return an instant in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float) -> str:
    """Return a span of time as a person would say it: "0.4 s", "12 s", "3 min", "5 h", "2 days"."""
    if seconds < 0.1:
        return f"{seconds:.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"
