"""Many accounts in one PostgreSQL, a schema each, worked on at the same time."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from syncd.store.calls import listening
from tests.scale.companies import at_once, schemas
from tests.scale.conftest import DEEP, NAMES, Town
from tests.support.daemons import until
from tests.support.mirror import rows

SESSIONS = 6
"""What one daemon may have open at the server at most; docs/scaling.md counts on it."""
HOLDERS = """
SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
OPEN = """
SELECT application_name AS who, count(*) AS n FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'syncd %' GROUP BY 1
"""


def test_accounts_in_schemas_are_pulled_and_pushed_at_the_same_time(town: Town):
    for number, each in enumerate(town.companies):
        each.place.account.rename_task(each.place.leaves()[-1], f"by a person of {each.name}")
        each.edit(number % 3)
    for done in at_once(town.companies, "sync"):
        done.expect(0)
    for each in town.companies:
        each.has_everything()
    assert set(NAMES) == schemas(town.url)


def test_daemons_of_many_accounts_hold_a_lease_each_and_wake_alone(town: Town):
    one, *others = town.companies
    with ExitStack() as stack:
        for each in town.companies:
            stack.enter_context(each.working())
        assert [{"n": len(NAMES)}] == rows(town.url, HOLDERS)
        asked = [each.asked for each in others]
        one.edit(1)
        until(lambda: one.is_done, what=one.place.states)
        assert asked == [each.asked for each in others]
        assert max(row["n"] for row in rows(town.url, OPEN)) <= SESSIONS
    for each in town.companies:
        each.has_everything()


def test_a_change_in_one_schema_is_heard_by_its_own_listener_alone(town: Town):
    one, other = town.companies[:2]
    with listening(one.mirror.app.db) as mine, listening(other.mirror.app.db) as theirs:
        one.edit(2)
        assert mine.heard(10)
        assert not theirs.heard(0.2)
    for done in at_once([one], "push"):
        done.expect(0)
    one.has_everything()


@pytest.mark.skipif(not DEEP, reason="waits eight seconds for turns: in the deep profile")
def test_a_command_that_waits_is_given_way_by_its_own_daemon_alone(town: Town):
    one, other = town.companies[:2]
    with one.working() as mine, other.working() as theirs:
        before = one.fencing, other.fencing
        asked = other.asked
        (done,) = at_once([one], "pull", "--wait")
        done.expect(0)
        mine.says("holding the lease")
        assert (before[0] + 2, before[1]) == (one.fencing, other.fencing)
        assert asked == other.asked
        name = f"pid {theirs.process.pid} on {os.uname().nodename}"
        assert name == other.mirror.value("SELECT holder FROM lease")
