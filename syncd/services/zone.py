"""What the account's own stamps tell of its time zone, which its API does not expose.

Events carry the account's wall clock without a zone (API sheet, sections 4 and 7.1), and asking
for those of the last half hour bounds when they happened. So each stamp bounds the clock's
distance from UTC. Pure; a bound is evidence and no proof.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from syncd.model.reports import Finding
from syncd.services.findings import note, ok, warning

MINUTE = timedelta(minutes=1)
SLACK = timedelta(minutes=2)
"""The clocks, the way of the request, and how the account cuts a period."""
USUAL = (
    "Europe/Kyiv",
    "Europe/Warsaw",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Istanbul",
    "Asia/Tbilisi",
    "Asia/Almaty",
    "Asia/Tashkent",
    "Asia/Dubai",
    "Asia/Singapore",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "UTC",
)
"""Zones to name as fitting: a few well-known ones, far apart."""
NAMED = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """The account's clock is between `low` and `high` ahead of UTC; `newest` is its last stamp."""

    low: timedelta
    high: timedelta
    newest: datetime

    def fits(self, zone: ZoneInfo, now: datetime) -> bool:
        """Tell whether the zone's clock can have written the stamps."""
        return self.low - SLACK <= ahead_of_utc(zone, now) <= self.high + SLACK

    def too_early(self, zone: ZoneInfo, now: datetime) -> bool:
        """Tell whether, in that zone, the newest stamp would lie in the future."""
        return ahead_of_utc(zone, now) < self.low - SLACK

    @property
    def words(self) -> str:
        """The bounds as a person reads them."""
        return f"between {utc_plus(self.low)} and {utc_plus(self.high)}"


def weigh(
    stamps: Collection[datetime], *, now: datetime, since: timedelta, until: timedelta
) -> Evidence | None:
    """Return the bounds that stamps set which were written from `since` to `until` ago.

    A stamp is cut to its minute. None where there are no stamps, or where they contradict
    each other.
    """
    if not stamps:
        return None
    utc = now.astimezone(UTC).replace(tzinfo=None)
    newest, oldest = max(stamps), min(stamps)
    low, high = newest - utc + until, oldest + MINUTE - utc + since
    return Evidence(low, high, newest) if low <= high + SLACK else None


def ahead_of_utc(zone: ZoneInfo, now: datetime) -> timedelta:
    """Return how far the zone's clock is ahead of UTC at an instant."""
    return now.astimezone(zone).utcoffset() or timedelta()


def fitting(evidence: Evidence, now: datetime, *, first: str | None = None) -> list[str]:
    """Return a few well-known zones that fit, `first` (this machine's own) ahead of them."""
    names = [name for name in (first, *USUAL) if name is not None]
    found = [name for name in names if evidence.fits(ZoneInfo(name), now)]
    return list(dict.fromkeys(found))[:NAMED]


def utc_plus(ahead: timedelta) -> str:
    """Write a distance from UTC: UTC+2:00."""
    minutes = round(ahead.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"


def zone_finding(
    zone: ZoneInfo | None,
    evidence: Evidence | None,
    *,
    now: datetime,
    machine_zone: str | None,
) -> Finding:
    """Judge the configured time zone by the account's stamps, and say what they do not prove."""
    if zone is None:
        return _no_zone(evidence, now, machine_zone)
    name = zone.key
    if evidence is None:
        return note(
            "account.timezone",
            f"{name} can be neither shown nor doubted: nothing happened in the last three days",
        )
    told = f"the newest stamp, {evidence.newest:%Y-%m-%d %H:%M}, puts its clock {evidence.words}"
    if evidence.fits(zone, now):
        return ok("account.timezone", f"{name} fits: {told}. It cannot be proven")
    reason = "lies in the future there" if evidence.too_early(zone, now) else "is too old for it"
    ours = utc_plus(ahead_of_utc(zone, now))
    return warning(
        "account.timezone",
        f"{name} ({ours}) does not fit: {told}, so that stamp {reason}",
        f"Set account.timezone to the account's own zone{_such_as(evidence, now, machine_zone)}.",
    )


def _no_zone(evidence: Evidence | None, now: datetime, machine_zone: str | None) -> Finding:
    told = f"; its stamps put its clock {evidence.words}" if evidence else ""
    such_as = _such_as(evidence, now, machine_zone) if evidence else ', such as "Europe/Kyiv"'
    return note(
        "account.timezone",
        f"not set, so added_at and closed_at stay empty{told}",
        f"Set account.timezone to the account's own zone{such_as}.",
    )


def _such_as(evidence: Evidence, now: datetime, machine_zone: str | None) -> str:
    names = fitting(evidence, now, first=machine_zone)
    return f"; these fit: {', '.join(names)}" if names else ""
