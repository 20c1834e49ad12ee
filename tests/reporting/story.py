"""One small account and what happened to it in a month, pulled as it went: for answers by hand.

Fourteen tasks in two projects. Times are UTC here; the account's clock is Kyiv's, two hours ahead
in that month. syncd begins on Monday 2 March 2026 at 09:00; every later step is pulled within the
hour, at 10:00 of its day, after the account's feed was followed. "Now" is Tuesday 10 March, 10:00.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from syncd.sandbox import Account, Sandbox
from syncd.services.events import follow
from syncd.services.progress import Silent
from tests.support.mirror import Clock, Mirror, build, connected, rows

NOW = datetime(2026, 3, 10, 10, tzinfo=UTC)
ANN, BEN = 3993, 3994
ANY, NOONE = 2, 1
DOING, REVIEW = 72565, 72566
SITE, SHOP = 8562, 8563
NAMES = (
    *("Launch", "Design", "Logo", "Texts", "Server", "Deploy", "Test", "Old"),
    *("Cart", "Pay", "Ship", "Gone", "Idea", "Early"),
)
IDS = {name: 331894 + n for n, name in enumerate(NAMES)}
"""The account numbers its tasks in the order of their creation."""
HOUR = timedelta(hours=1)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")


def _day(month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


class Telling:
    """Makes the account and tells the story, day by day."""

    def __init__(self) -> None:
        self.clock = Clock(_day(2, 1))
        self.account = Account(clock=lambda: self.clock.now)

    def begin(self) -> None:
        """Make what was there before syncd."""
        account = self.account
        account.create_member("Ann", "Example", "ann@example.com")
        account.create_member("Ben", "Example", "ben@example.com")
        group = account.create_tag_group("Stage", type="status")
        account.create_tag(group, "doing")
        account.create_tag(group, "review")
        account.create_project("Site", manager_id=ANN)
        account.create_project("Shop")
        due, hours = date, Decimal
        self._task(
            2, "Launch", None, ANN, date_end=due(2026, 3, 20), max_time=hours(10), tags=DOING
        )
        self._task(3, "Design", "Launch", BEN, date_end=due(2026, 3, 6), max_time=hours(4))
        self._task(4, "Logo", "Design", BEN, date_end=due(2026, 3, 4), max_time=hours("2.5"))
        self._task(10, "Texts", "Launch", ANY)
        self._task(9, "Server", None, NOONE, date_end=due(2026, 2, 20))
        self._task(9, "Deploy", None, ANN, date_end=due(2026, 3, 12))
        self._task(16, "Test", None, BEN, date_start=due(2026, 3, 5), date_end=due(2026, 3, 16))
        self._task(2, "Old", None, ANN, date_end=due(2026, 2, 10), max_time=hours("0.1"))
        self._task(23, "Cart", None, ANN, SHOP, date_end=due(2026, 3, 9), max_time=3, tags=DOING)
        self._task(23, "Pay", None, ANN, SHOP, date_end=due(2026, 3, 11), max_time=hours("0.2"))
        self._task(24, "Ship", None, NOONE, SHOP)
        self._task(25, "Gone", None, BEN, SHOP, date_end=due(2026, 3, 2))
        account.add_relation("finish-to-start", IDS["Server"], IDS["Deploy"])
        account.add_relation("start-to-start", IDS["Test"], IDS["Deploy"])
        account.add_relation("finish-to-start", IDS["Cart"], IDS["Pay"])
        account.add_relation("finish-to-start", IDS["Pay"], IDS["Ship"])
        account.add_relation("finish-to-start", IDS["Ship"], IDS["Pay"])
        account.add_file(IDS["Cart"], "cart.pdf")
        self.clock.now = _day(2, 12, 12)
        account.complete_task(IDS["Old"])

    def _task(
        self,
        day: int,
        name: str,
        parent: str | None,
        assignee: int,
        project: int = SITE,
        *,
        tags: int | None = None,
        **values: Any,
    ) -> None:
        made = self.account.create_task(
            project,
            name,
            parent_id=IDS[parent] if parent else None,
            date_added=datetime(2026, 2, day, 10),
            tag_ids=[tags] if tags else [],
            assignee_id=assignee,
            **values,
        )
        assert IDS[name] == made

    def days(self) -> Iterator[datetime]:
        """Yield when a pull is due, after what happened before it."""
        account = self.account
        yield _day(3, 2)
        self.clock.now = _day(3, 3)
        account.edit_task(IDS["Cart"], date_end=date(2026, 3, 13), by=BEN)
        account.set_task_tags(IDS["Cart"], [REVIEW], by=ANN)
        account.complete_task(IDS["Logo"], by=BEN)
        yield _day(3, 3, 10)
        self.clock.now = _day(3, 4)
        account.complete_task(IDS["Design"], by=BEN)
        account.create_task(SHOP, "Idea", by=ANN)
        yield _day(3, 4, 10)
        self.clock.now = _day(3, 5)
        account.reopen_task(IDS["Design"], by=ANN)
        account.rename_task(IDS["Test"], "Test it", by=ANN)
        account.edit_task(IDS["Texts"], assignee_id=BEN, by=ANN)
        yield _day(3, 5, 10)
        self.clock.now = _day(3, 6)
        account.complete_task(IDS["Texts"], by=BEN)
        account.delete_task(IDS["Gone"], by=ANN)
        self._untold(lambda: account.edit_task(IDS["Cart"], date_end=None))
        account.create_task(SHOP, "Early", date_added=datetime(2026, 3, 1, 23, 30))
        yield _day(3, 6, 10)
        yield _day(3, 6, 11)

    def _untold(self, do: Any) -> None:
        """Let something happen that the feed does not tell of."""
        before = len(self.account.events)
        do()
        del self.account.events[before:]


@contextmanager
def told(url: str, folder: Path) -> Iterator[Mirror]:
    """Yield a mirror after the whole story, its views at the story's "now"."""
    telling = Telling()
    telling.begin()
    with Sandbox(telling.account) as box:
        mirror = build(box, url, folder / "syncd.toml", extra=("subtasks", "relations", "files"))
        mirror.app, mirror.clock = replace(mirror.app, clock=telling.clock), telling.clock
        for at in telling.days():
            telling.clock.now = at
            listen(mirror)
            mirror.pull(later=timedelta())
        stop_the_clock(url, NOW)
        yield mirror
        mirror.app.db.close()


def listen(mirror: Mirror) -> None:
    """Follow the feed, once there is a mirror."""
    mirror.app.ready(write=True)
    if mirror.rows("SELECT 1 AS n FROM sync_runs"):
        with mirror.app.pulling(Silent()) as work:
            follow(work)


def stop_the_clock(url: str, now: datetime, ahead: int = 7200) -> None:
    """Put a fixed row in the place of report_today: the views ask nothing else what time it is."""
    local, utc = now + timedelta(seconds=ahead), f"{now:%Y-%m-%d %H:%M:%S}"
    names = "now_at, today, local_now, time_zone, ahead_of_utc_s"
    with connected(url) as own:
        if url.startswith("sqlite"):
            own.execute("DROP VIEW report_today")
            own.execute(
                f"CREATE VIEW report_today ({names}) AS SELECT '{utc}.000000',"
                f" '{local:%Y-%m-%d}', '{local:%Y-%m-%d %H:%M:%S}', 'Europe/Kyiv', {ahead}"
            )
        else:
            own.execute(
                f"CREATE OR REPLACE VIEW report_today ({names}) AS SELECT"
                f" TIMESTAMPTZ '{utc}+00', DATE '{local:%Y-%m-%d}',"
                f" TIMESTAMP '{local:%Y-%m-%d %H:%M:%S}', text 'Europe/Kyiv', {ahead}"
            )
        own.commit()


def shown(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a SELECT gives, as values that are equal on both databases; instants to the second."""
    return [tuple(map(plain, row.values())) for row in rows(url, query)]


def plain(value: Any) -> Any:
    """One value by its meaning, whichever driver it came from."""
    match value:
        case bool():
            return int(value)
        case float() | Decimal():
            number = Decimal(str(value)).normalize()
            return int(number) if number == number.to_integral_value() else number
        case datetime() if value.tzinfo is not None:
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case date():
            return value.isoformat()
        case time():
            return value.isoformat()
        case dict():
            return json.dumps(value, sort_keys=True)
        case str() if value.startswith('{"'):
            return json.dumps(json.loads(value), sort_keys=True)
        case str() if _INSTANT.fullmatch(value):
            return value[:19]
    return value
