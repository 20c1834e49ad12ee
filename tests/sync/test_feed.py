"""Windows of the change feed, and which events tell nothing that the mirror does not have."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from syncd.model.activity import Told
from syncd.sync.feed import is_gap, is_news, may_return, minutes_to_ask
from tests.support.records import MONDAY, a_task

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("since", "minutes", "gap"),
    [
        (None, 43202, True),
        (timedelta(), 2, False),
        (timedelta(minutes=10), 32, False),
        (timedelta(minutes=-10), 32, False),
        (11 * DAY, 43202, False),
        (30 * DAY, 43202, False),
        (30 * DAY + timedelta(seconds=1), 43202, True),
        (-31 * DAY, 43202, True),
    ],
)
def test_a_window_is_three_times_the_silence_whichever_way_the_clock_went(since, minutes, gap):
    last = None if since is None else MONDAY - since
    assert (minutes, gap) == (minutes_to_ask(last, MONDAY), is_gap(last, MONDAY))


def test_an_event_may_return_while_its_minute_lasts():
    assert may_return(MONDAY, MONDAY + timedelta(seconds=59))
    assert not may_return(MONDAY, MONDAY + timedelta(seconds=60))
    assert not may_return(MONDAY, None)


def a_told(minute: int = 0, *, doubtful: bool = False, **values: Any) -> Told:
    return Told(datetime(2026, 1, 5, 9, minute), values, doubtful)


@pytest.mark.parametrize(
    ("fresh", "again", "before", "news"),
    [
        ([a_told(priority=7)], [], [], False),
        ([a_told(priority=8)], [], [], True),
        ([a_told()], [], [], False),
        ([a_told(doubtful=True)], [], [], True),
        ([a_told(priority=7, doubtful=True)], [], [], True),
        ([], [a_told(doubtful=True)], [], False),
        ([], [a_told(priority=8)], [], True),
        ([a_told(0, priority=8), a_told(1, priority=7)], [], [], False),
        ([a_told(0, priority=7), a_told(1, priority=8)], [], [], True),
        ([a_told(0, priority=8), a_told(0, priority=7)], [], [], True),
        ([a_told(1, priority=7)], [], [a_told(0, priority=3)], False),
        ([a_told(1, priority=7)], [], [a_told(0, name="older")], False),
        ([a_told(0, priority=3)], [], [a_told(1, priority=7)], False),
    ],
)
def test_an_event_is_an_echo_if_the_last_of_each_value_is_the_mirrors(fresh, again, before, news):
    every = [*before, *again, *fresh]
    assert news == is_news(fresh, again, every, a_task(priority=7, name="n"))
