"""Settings that change under a mirror: what is derived is made anew, and accounts are not mixed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from syncd.errors import ConfigError
from syncd.sandbox import Account, Sandbox
from tests.support.mirror import (
    MIRROR_TABLES,
    View,
    assert_history_shows,
    assert_mirror_equals,
    dump,
)


def test_another_time_zone_makes_every_instant_anew(a_mirror):
    account = Account.seeded(tasks=60, seed=1)
    mirror = a_mirror(account, zone=None)
    mirror.pull()
    account.rename_task(min(mirror.live()), "Renamed")
    account.delete_task(max(account.tasks))
    mirror.pull()
    images = "SELECT count(*) AS n FROM task_history"
    past = mirror.value(images)
    for zone in ("Europe/Kyiv", "America/New_York", None):
        changed = mirror.again(zone=zone)
        report = changed.pull()
        assert ("complete", 0) == (report.outcome, report.counts.get("updated", 0))
        assert past == mirror.value(images)  # a derived column is no change of a task
        wanted = _with_zone(changed.view, zone)
        assert_mirror_equals(changed, view=wanted)
        _assert_history_is_derived(changed, zone)


def _with_zone(view: View, zone: str | None) -> View:
    from dataclasses import replace

    return replace(view, zone=ZoneInfo(zone) if zone else None)


def _assert_history_is_derived(mirror, zone: str | None) -> None:
    from tests.support.mirror import instant, plain

    rows = [plain(row) for row in mirror.rows("SELECT * FROM task_history")]
    assert rows
    where = ZoneInfo(zone) if zone else None
    for row in rows:
        assert instant(row["date_added"], where) == row["added_at"]
        assert instant(row["date_closed"], where) == row["closed_at"]


def test_another_address_of_the_account_makes_every_url_anew(a_mirror):
    account = Account.seeded(tasks=60, seed=1)
    mirror = a_mirror(account)
    mirror.pull()
    truth, seen_at = account.snapshot(), mirror.clock.now
    account.rename_task(min(mirror.live()), "Renamed")
    mirror.pull()
    with Sandbox(account) as elsewhere:
        moved = mirror.again(box=elsewhere)
        assert moved.view.url != mirror.view.url
        report = moved.pull()
        assert ("complete", 0) == (report.outcome, report.counts.get("updated", 0))
        assert_mirror_equals(moved)
        assert_history_shows(moved, truth, seen_at, moved.view)
        for table in ("tasks", "task_history", "files", "projects"):
            urls = {row["url"] for row in mirror.rows(f"SELECT url FROM {table}")}
            assert all(url.startswith(elsewhere.url + "/") for url in urls), table


def test_a_mirror_of_another_account_is_refused_before_anything_is_asked(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    before = dump(mirror.database_url, (*MIRROR_TABLES, "sync_state"))
    mirror.box.log.clear()
    other = mirror.again(url=mirror.box.url.replace("127.0.0.1", "localhost"))
    with pytest.raises(ConfigError) as caught:
        other.pull()
    assert 2 == caught.value.exit_code
    assert "127.0.0.1" in caught.value.message
    assert "localhost" in caught.value.message
    assert [] == mirror.box.log.actions()
    assert before == dump(mirror.database_url, (*MIRROR_TABLES, "sync_state"))
    assert "complete" == mirror.pull().outcome


def test_text_that_is_asked_for_later_is_filled_in_without_a_false_history(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    wider = mirror.again(extra=("subtasks", "relations", "files", "text"))
    assert "complete" == wider.pull().outcome
    assert_mirror_equals(wider)
    assert "complete" == mirror.again().pull().outcome
    kept = mirror.value("SELECT count(*) AS n FROM tasks WHERE text > ''")
    shown = [t for t in mirror.account.snapshot()["tasks"].values() if t["listed"] and t["text"]]
    assert len(shown) == kept


def test_a_wrong_key_changes_nothing_and_is_told(a_mirror):
    from syncd.errors import Unauthorized

    mirror = a_mirror(Account.seeded(tasks=60, seed=1))
    mirror.pull()
    before = dump(mirror.database_url)
    mirror.box.key = "0" * 32
    with pytest.raises(Unauthorized) as caught:
        mirror.pull()
    assert 4 == caught.value.exit_code
    assert before == dump(mirror.database_url)
    last = mirror.rows("SELECT outcome, error FROM sync_runs ORDER BY id DESC LIMIT 1")[0]
    assert ("failed", caught.value.message) == tuple(last.values())
