"""The changes that are written down: at every edit, from before, by hand, and by whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from syncd.sandbox import Account
from syncd.services.retention import prune
from syncd.settings import Duration, RetentionSettings
from syncd.store.engine import open_database
from syncd.store.upgrade import downgrade, upgrade
from tests.reporting.compared import assert_told_is_compared
from tests.scenario.test_events import EXTRA, ben, ids, listened, settled
from tests.support.mirror import EVERYTHING, Mirror, connected, rows

SINCE = "SELECT DISTINCT field FROM task_changes"
ENDS = "SELECT DISTINCT valid_to AS at FROM task_history ORDER BY 1"
SINCE_THEN = "SELECT task_id, at, field FROM task_changes WHERE at >= {} ORDER BY 1, 2, 3"
ANN, BEN = "Ann Example", "Ben Example"
ROUNDS, EDITS = 6, 25


@pytest.fixture
def lived(a_mirror):
    """A mirror after random edits of every kind, tasks removed and restored among them."""
    mirror = a_mirror(Account.seeded(tasks=120, seed=7), extra=EVERYTHING)
    mirror.pull()
    rng = Random(7)
    for _ in range(ROUNDS):
        for _ in range(EDITS):
            mirror.account.random_edit(rng)
        mirror.pull(allow_removals=True)
    return mirror


def test_edits_of_every_kind_are_told_as_a_comparison_finds_them(lived):
    assert assert_told_is_compared(lived.database_url) > ROUNDS
    told = {row["field"] for row in lived.rows(SINCE)}
    assert told > {"name", "tags", "assignee_email", "extra", "removed_reason"}, told


def test_images_from_before_the_upgrade_tell_the_same(lived):
    db = open_database(lived.database_url)
    query = "SELECT task_id, at, field, old, new FROM task_changes ORDER BY 1, 2, 3"
    before = lived.rows(query)
    for older in ("0010", "0009"):
        downgrade(db, older)
        assert before == lived.rows(query)
    upgrade(db, now=lived.clock.now)
    db.close()
    assert before == lived.rows(query)
    assert_told_is_compared(lived.database_url)


@pytest.mark.parametrize("table", ["task_history", "tasks"])
def test_an_image_that_is_deleted_by_hand_leaves_no_false_change(lived, table):
    """The one before it has no next any more: as nobody knows what came, nothing is told."""
    key = "task_id" if table == "task_history" else "id"
    pick = (
        f"SELECT x.{key} AS id, x.valid_from FROM {table} x JOIN task_history h"
        f" ON h.task_id = x.{key} AND h.valid_to = x.valid_from JOIN task_history_fields f"
        " ON f.task_id = h.task_id AND f.valid_from = h.valid_from"
    )
    gone = lived.rows(pick)[0]
    with connected(lived.database_url) as own:
        own.execute(
            f"DELETE FROM {table} WHERE {key} = {gone['id']} AND valid_from = ("
            f"SELECT max(valid_from) FROM {table} WHERE {key} = {gone['id']})"
        )
        own.commit()
    assert_told_is_compared(lived.database_url)


@pytest.mark.parametrize("deleting", ["DELETE FROM task_history WHERE", "prune"])
def test_the_changes_of_images_that_go_go_along(lived, deleting):
    """By retention, and by a hand whose SQLite enforces nothing."""
    (half,) = (row["at"] for row in lived.rows(f"{ENDS} LIMIT 1 OFFSET {ROUNDS // 2}"))
    before = lived.rows(SINCE_THEN.format(f"'{half}'"))
    if deleting == "prune":
        keep = RetentionSettings(history=Duration(60.0))
        assert prune(lived.app.db, now=_instant(half) + timedelta(minutes=1), keep=keep).history
    else:
        lived.execute(f"{deleting} valid_to < '{half}'")
    assert before == lived.rows("SELECT task_id, at, field FROM task_changes ORDER BY 1, 2, 3")
    assert_told_is_compared(lived.database_url)


def _instant(value: datetime | str) -> datetime:
    """As drivers give it, in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


def named(mirror: Mirror) -> list[str | None]:
    """Who is named for each change of the top task's priority."""
    query = "SELECT author FROM task_changes WHERE field = 'priority' AND task_id = {} ORDER BY at"
    return [row["author"] for row in mirror.rows(query.format(ids(mirror)["Top"]))]


def edited(mirror: Mirror, priority: int, *, by: int) -> None:
    mirror.clock.move(timedelta(minutes=2))
    mirror.account.edit_task(ids(mirror)["Top"], priority=priority, by=by)


def test_who_did_it_is_told_whichever_comes_first(a_mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    mirror = settled(a_mirror)
    edited(mirror, 4, by=ben(mirror))
    listened(mirror)  # the feed tells of it, and so it is read
    assert [BEN] == named(mirror)
    edited(mirror, 6, by=ben(mirror) - 1)
    mirror.pull(later=timedelta(minutes=2))
    assert [BEN, None] == named(mirror)
    listened(mirror)
    assert [BEN, ANN] == named(mirror)
    assert_told_is_compared(mirror.database_url)
    mirror.execute("DELETE FROM activity")  # as retention does: the names stay
    assert [BEN, ANN] == named(mirror)


def test_nobody_is_named_until_the_zone_is_known(a_mirror, tmp_path, monkeypatch):
    """And all of them are then; with a zone that moves the events away, nobody is again."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    mirror = settled(a_mirror, zone=None)
    edited(mirror, 4, by=ben(mirror))
    listened(mirror)
    assert [None] == named(mirror)
    for zone, author in (("Europe/Kyiv", BEN), ("Asia/Tokyo", None), ("Europe/Kyiv", BEN)):
        mirror = mirror.again(zone=zone, extra=EXTRA)
        mirror.pull()
        assert [author] == named(mirror)
        assert_told_is_compared(mirror.database_url)
    mirror.again(zone=None, extra=EXTRA).pull()
    assert [None] == named(mirror)


def test_numbers_are_compared_by_what_they_mean(a_mirror):
    """Half an hour is 0.5 and 0.50."""
    account = Account()
    project = account.create_project("P")
    account.create_task(project, "T", max_time=Decimal("0.5"), text="one")
    mirror = a_mirror(account, extra=EVERYTHING)
    mirror.pull()
    (id,) = mirror.live()
    for fields in ({"max_time": Decimal("0.50"), "priority": 3}, {"max_time": None}):
        account.edit_task(id, **fields)
        mirror.pull(later=timedelta(minutes=5))
    assert_told_is_compared(mirror.database_url)
    query = "SELECT at, field FROM task_changes ORDER BY at"
    assert ["priority", "max_time"] == [row["field"] for row in rows(mirror.database_url, query)]
