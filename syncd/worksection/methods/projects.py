"""Projects, members and events. API sheet, sections 7.1 and 8."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from syncd.worksection.parameters import extras, filled
from syncd.worksection.request import Request

_LONGEST: Final = {"m": 360, "h": 72, "d": 30}


def get_projects(
    *,
    filter: Literal["active", "pending", "archived", "archive"] | None = None,
    extra: Sequence[str] = (),
) -> Request:
    """The projects that we may see; without a filter those of every status."""
    return Request("get_projects", filled(filter=filter, extra=extras(extra)))


def get_project(id_project: int, *, extra: Sequence[str] = ()) -> Request:
    """One project."""
    return Request("get_project", filled(id_project=id_project, extra=extras(extra)))


def get_users() -> Request:
    """The members; those switched off are missing."""
    return Request("get_users")


def me() -> Request:
    """The member whose token we use: OAuth2 only."""
    return Request("me")


def get_events(period: str, *, id_project: int | None = None) -> Request:
    """What happened in the last `period`: 1m to 360m, 1h to 72h or 1d to 30d.

    Raises ValueError for any other.
    """
    match = re.fullmatch(r"([1-9]\d{0,2})([mhd])", period, re.ASCII)
    if not match or int(match[1]) > _LONGEST[match[2]]:
        raise ValueError(f"not a period that the account knows: {period}")
    return Request("get_events", filled(period=period, id_project=id_project))


def period_of(minutes: int) -> str:
    """Return the shortest period that covers so many minutes, 30 days at most."""
    minutes = max(1, minutes)
    if minutes <= _LONGEST["m"]:
        return f"{minutes}m"
    hours = -(-minutes // 60)
    if hours <= _LONGEST["h"]:
        return f"{hours}h"
    return f"{min(-(-hours // 24), _LONGEST['d'])}d"
