"""What a row holds beside what the account sent: addresses, and UTC instants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""No history is older than this program."""
_AHEAD: Final = timedelta(days=3 * 366)
_STEP: Final = timedelta(days=7)
_NOON: Final = timedelta(hours=12)
_NOWHERE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall clock's, of no zone


@dataclass(frozen=True, slots=True)
class Derived:
    """The account's address and time zone; `zone` is None where it is not configured."""

    base_url: str
    zone: ZoneInfo | None

    def url(self, page: str) -> str:
        """Return the full address of a page."""
        return f"{self.base_url}{page}"

    def instant(self, local: datetime | None) -> datetime | None:
        """Return the UTC instant of a wall clock time.

        In the hour that the clock shows twice, the first one is meant; the account does not tell.
        """
        if local is None or self.zone is None:
            return None
        begins = _begins(self.zone, local.toordinal())
        if begins is not None:
            return begins + (local - _NOWHERE)
        return _instant(self.zone, local)

    def clock(self, now: datetime) -> dict[str, Any] | None:
        """Return how far ahead of UTC the account's clock is, from when on, for SQL to look up.

        It reaches some years ahead, so that what was left by a pull is right for as long as a
        report may be read without another one; it is the same throughout a year, so that a pull
        seldom has to write it.
        """
        if self.zone is None:
            return None
        until = now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0) + _AHEAD
        return {"zone": self.zone.key, "offsets": [list(one) for one in _offsets(self.zone, until)]}


@lru_cache(maxsize=16)
def _offsets(zone: ZoneInfo, until: datetime) -> tuple[tuple[str, int], ...]:
    """Return from when on a zone's clock is how many seconds ahead of UTC."""
    found = [(f"{at:%Y-%m-%d %H:%M:%S}", ahead) for at, ahead in _shifts(zone, _EPOCH, until)]
    return ("0001-01-01 00:00:00", _ahead(zone, _EPOCH)), *found


@lru_cache(maxsize=4096)
def _begins(zone: ZoneInfo, day: int) -> datetime | None:
    """Return the instant of _NOWHERE by the clock of a day that is not shifted; else None."""
    try:
        noons = [datetime.fromordinal(day + days) + _NOON for days in (-1, 0, 1)]
    except (ValueError, OverflowError):  # the first and the last day there are
        return None
    ahead = {noon.replace(tzinfo=zone).utcoffset() for noon in noons}
    if len(ahead) > 1:
        return None
    return _NOWHERE.replace(tzinfo=UTC) - (ahead.pop() or timedelta())


def _instant(zone: ZoneInfo, local: datetime) -> datetime | None:
    try:
        return local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:  # a time in the year 1 or 9999 whose instant is in no year
        return None


def _ahead(zone: ZoneInfo, at: datetime) -> int:
    return round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _shifts(zone: ZoneInfo, at: datetime, until: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield the instants at which a zone's clock is shifted, and its distance from UTC then."""
    before = _ahead(zone, at)
    while at < until:
        after = _ahead(zone, at + _STEP)
        if after != before:
            yield _shift(zone, at, before), after
        at, before = at + _STEP, after


def _shift(zone: ZoneInfo, at: datetime, before: int) -> datetime:
    """Return the first second, within a step from `at`, that is not `before` ahead of UTC."""
    low, high = 0, int(_STEP.total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        same = _ahead(zone, at + timedelta(seconds=middle)) == before
        low, high = (middle, high) if same else (low, middle)
    return at + timedelta(seconds=high)
