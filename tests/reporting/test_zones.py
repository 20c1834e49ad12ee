"""Dates never shift: not by the account's zone, nor the reader's, nor this machine's."""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from syncd.resources.derived import Derived
from syncd.resources.projects import projects
from syncd.resources.tasks.table import task_history, task_history_fields, tasks
from syncd.store.engine import Database, open_database
from syncd.store.state import remember
from syncd.sync.changed import written
from tests.reporting.story import plain, shown
from tests.support.mirror import connected, fetched

ZONES = ("Europe/Kyiv", "UTC", "America/Los_Angeles")
CHANGES = (date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1))
"""Both clock changes of Los Angeles and of Kyiv."""
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def midnights(zone: ZoneInfo) -> list[datetime]:
    """The second before and of each midnight around the clock changes, as instants."""
    days = [change + n * DAY for change in CHANGES for n in (0, 1)]
    whole = [datetime(day.year, day.month, day.day, tzinfo=zone) for day in days]
    return [at.astimezone(UTC) - back for at in whole for back in (SECOND, timedelta())]


@pytest.fixture
def db(ready_database_url):
    database = open_database(ready_database_url)
    yield database
    database.close()


@pytest.mark.parametrize("name", [*ZONES, "Africa/Casablanca", "Asia/Kathmandu"])
def test_the_clock_that_a_pull_leaves_is_the_zone_s(name, seed):
    zone, rng = ZoneInfo(name), random.Random(seed)
    offsets = Derived("", zone).clock(NOW)["offsets"]
    shifts = [datetime.fromisoformat(since).replace(tzinfo=UTC) for since, _ in offsets[1:]]
    assert all(_ahead(zone, at) != _ahead(zone, at - SECOND) for at in shifts)
    first, span = datetime(2020, 1, 1, tzinfo=UTC), 8.9 * 365 * 86400
    drawn = [first + timedelta(seconds=rng.uniform(0, span)) for _ in range(100)]
    for at in (*drawn, *shifts, *(at - SECOND for at in shifts)):
        found = [seconds for since, seconds in offsets if since <= f"{at:%Y-%m-%d %H:%M:%S}"][-1]
        assert _ahead(zone, at) == timedelta(seconds=found), f"{at}, seed {seed}"
    assert Derived("", zone).clock(NOW) == Derived("", zone).clock(NOW - timedelta(days=300))


def _ahead(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


@pytest.mark.parametrize("name", ZONES)
def test_a_day_is_the_account_s_around_both_clock_changes(db, name):
    zone = ZoneInfo(name)
    instants = midnights(zone)
    with db.write() as tx:
        remember(tx, "clock", Derived("", zone).clock(NOW))
        tx.execute(insert(projects), [{"id": 1, "name": "P", "page": "", "url": ""}])
        for id, at in enumerate(instants, 1):
            _reopened(tx, id, at)
    expected: dict[str, int] = {}
    for at in instants:
        day = at.astimezone(zone).date().isoformat()
        expected[day] = expected.get(day, 0) + 1
    query = "SELECT day, reopened FROM report_daily WHERE reopened > 0 ORDER BY day"
    assert expected == dict(shown(str(_url(db)), query))
    before = datetime.now(zone).date().isoformat()
    ((today, zone_name),) = shown(str(_url(db)), "SELECT today, time_zone FROM report_today")
    assert today in {before, datetime.now(zone).date().isoformat()}
    assert name == zone_name


def _url(db: Database) -> str:
    return db.engine.url.render_as_string(hide_password=False)


def _reopened(tx, id: int, at: datetime) -> None:
    row = {
        "project_id": 1,
        "level": 1,
        "name": "T",
        "page": "",
        "url": "",
        "priority": 1,
        "date_added": datetime(2026, 1, 1),
    }
    past = {"task_id": id, "status": "done", "date_closed": datetime(2026, 1, 2), "tags": []}
    past |= {"valid_from": at - DAY, "valid_to": at, "relations": [], "run_id": 1}
    now = {"id": id, "status": "active", "valid_from": at, "observed_at": at, "content_hash": b"0"}
    tx.execute(insert(task_history), [row | past])
    tx.execute(insert(tasks), [row | now])


READ = (
    "SELECT date_end, date_closed, date_added FROM report_cycle_time ORDER BY task_id",
    "SELECT date_end, date_closed, lead_days, week_closed FROM report_cycle_time ORDER BY task_id",
    "SELECT field, old, new FROM task_changes ORDER BY task_id, field",
    "SELECT from_date, to_date, days FROM report_due_slips ORDER BY task_id",
    "SELECT date_end, valid_from FROM task_versions ORDER BY task_id, valid_from",
    "SELECT * FROM report_daily WHERE closed > 0 ORDER BY day",
)


def test_what_a_reader_gets_does_not_depend_on_the_zone_of_his_session_or_machine(db, monkeypatch):
    with db.write() as tx:
        remember(tx, "clock", Derived("", ZoneInfo("Europe/Kyiv")).clock(NOW))
        tx.execute(insert(projects), [{"id": 1, "name": "P", "page": "", "url": ""}])
        for id, day in enumerate(CHANGES, 1):
            _closed(tx, id, day)
    answers = [_read_from(db, zone, monkeypatch) for zone in (*ZONES, "Asia/Kathmandu")]
    first = answers[0]
    assert first[0] == [
        (day.isoformat(), f"{day} 03:30:00", f"{day - 7 * DAY} 02:30:00") for day in CHANGES
    ]
    assert ("date_end", "2026-03-01", "2026-03-08") in first[2]
    assert all(first == other for other in answers[1:])


def _closed(tx, id: int, day: date) -> None:
    """A task closed in the hour that is missing or doubled, its due date moved a week before."""
    half_past_three = datetime(day.year, day.month, day.day, 3, 30)
    week = half_past_three - timedelta(days=7, hours=1)
    row = {
        "project_id": 1,
        "level": 1,
        "name": "T",
        "page": "",
        "url": "",
        "priority": 1,
        "status": "done",
        "date_added": week,
        "date_closed": half_past_three,
    }
    at = half_past_three.replace(tzinfo=UTC)
    past = {"task_id": id, "date_end": day - 7 * DAY, "tags": [], "relations": [], "run_id": 1}
    past |= {"valid_from": at - DAY, "valid_to": at}
    change = {"task_id": id, "valid_from": at - DAY, "field": "date_end", "at": at, "run_id": 1}
    change |= {"old": written(past["date_end"]), "new": written(day)}
    now = {"id": id, "date_end": day, "valid_from": at, "observed_at": at, "content_hash": b"0"}
    tx.execute(insert(task_history), [row | past])
    tx.execute(insert(task_history_fields), [change])
    tx.execute(insert(tasks), [row | now])


def _read_from(db: Database, zone: str, monkeypatch: pytest.MonkeyPatch) -> list[list[tuple]]:
    """Read as somebody whose machine, session and habits are elsewhere."""
    with monkeypatch.context() as patch, connected(_url(db)) as own:
        patch.setenv("TZ", zone)
        time.tzset()
        if not db.is_sqlite:
            own.execute(f"SET TIME ZONE '{zone}'")
            own.execute("SET DateStyle TO 'ISO, DMY'")
        try:
            return [
                [tuple(map(plain, row.values())) for row in fetched(own, query)] for query in READ
            ]
        finally:
            patch.undo()
            time.tzset()
