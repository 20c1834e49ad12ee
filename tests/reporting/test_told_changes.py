"""What a past image says has changed: at every edit, after a removal, from before, and by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from syncd.sandbox import Account
from syncd.store.engine import open_database
from syncd.store.upgrade import downgrade, upgrade
from tests.reporting.compared import assert_told_is_compared
from tests.support.mirror import EVERYTHING, connected, rows

SINCE = "SELECT DISTINCT field FROM task_changes"
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
    downgrade(db, "0009")
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
        f" ON h.task_id = x.{key} AND h.valid_to = x.valid_from WHERE h.changed IS NOT NULL"
    )
    gone = lived.rows(pick)[0]
    with connected(lived.database_url) as own:
        own.execute(
            f"DELETE FROM {table} WHERE {key} = {gone['id']} AND valid_from = ("
            f"SELECT max(valid_from) FROM {table} WHERE {key} = {gone['id']})"
        )
        own.commit()
    assert_told_is_compared(lived.database_url)


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
