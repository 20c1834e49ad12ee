"""UTC instants from the account's wall clock: quick, and those that zoneinfo tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncd.resources.derived import Derived

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "shifted"),
    [
        ("Europe/Kyiv", datetime(2026, 3, 29)),
        ("Europe/Kyiv", datetime(2026, 10, 25)),
        ("America/Los_Angeles", datetime(2026, 3, 8)),
        ("America/Los_Angeles", datetime(2026, 11, 1)),
        ("Australia/Lord_Howe", datetime(2026, 4, 5)),  # by half an hour
        ("Pacific/Apia", datetime(2011, 12, 30)),  # a day that never was
        ("Asia/Kathmandu", datetime(1986, 1, 1)),  # by a quarter, at midnight
        ("Europe/Lisbon", datetime(1912, 1, 1)),
        ("UTC", datetime(2026, 1, 1)),
    ],
)
def test_around_a_shift_every_instant_is_the_one_of_the_zone(zone, shifted):
    derived = Derived("", ZoneInfo(zone))
    for hours in range(-72, 96):
        local = shifted + hours * HOUR + timedelta(minutes=17)
        wanted = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        assert wanted == derived.instant(local)
        assert derived.instant(local).tzinfo is UTC


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_at_the_ends_of_the_calendar_there_is_no_instant_rather_than_an_error(zone):
    derived = Derived("", ZoneInfo(zone))
    first, last = datetime(1, 1, 1, 0, 30), datetime(9999, 12, 31, 23, 30)
    found = []
    for local in (first, first + 36 * HOUR, last - 36 * HOUR, last):
        try:
            wanted = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        except OverflowError:
            wanted = None
        found.append(derived.instant(local))
        assert wanted == found[-1]
    assert (zone == "Pacific/Pago_Pago") == (None in found)


def test_without_a_zone_or_a_time_there_is_none():
    assert Derived("", None).instant(datetime(2026, 1, 1)) is None
    assert Derived("", ZoneInfo("UTC")).instant(None) is None
