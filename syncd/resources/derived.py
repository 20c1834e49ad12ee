"""What a row holds beside what the account sent: addresses, and UTC instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


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
        try:
            return local.replace(tzinfo=self.zone).astimezone(UTC)
        except OverflowError:  # a time in the year 1 or 9999 whose instant is in no year
            return None
