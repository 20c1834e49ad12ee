"""Drift or lag, by what explains a difference."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncd.model.drift import Difference
from syncd.sync.drift import Listed, differences, gone, judge, mark
from tests.support.records import MONDAY, a_task, an_image

HASH = an_image().content_hash
OTHER = bytes(16)


@pytest.mark.parametrize(
    ("listed", "stood_before", "verdict"),
    [
        (Listed(content_hash=HASH), False, "drift"),
        (Listed(content_hash=OTHER), False, "lag"),
        (Listed(), False, "lag"),
        (Listed(same=True), False, "drift"),
        (Listed(content_hash=OTHER), True, "drift"),
        (Listed(), True, "drift"),
    ],
)
def test_a_difference_is_drift_where_the_mirror_had_its_chance(listed, stood_before, verdict):
    assert verdict == judge(an_image(), listed, stood_before=stood_before)


def test_what_the_mirror_itself_doubts_is_never_drift():
    doubted = an_image(suspect_at=MONDAY)
    assert "lag" == judge(doubted, Listed(True, HASH), stood_before=True)


def test_a_task_that_the_mirror_lacks_is_drift_only_where_nothing_has_changed():
    assert "lag" == judge(None, Listed(content_hash=HASH), stood_before=False)
    assert "drift" == judge(None, Listed(same=True, content_hash=HASH), stood_before=False)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"text": "one\r\ntwo"}, {"text": "one\ntwo "}),
        ({"name": "R&amp;D"}, {"name": "R&D"}),
        ({"text": None}, {"text": ""}),
        ({"max_time": Decimal("3.0")}, {"max_time": Decimal(3)}),
        ({"tags": (1, 2)}, {"tags": None}),
        ({"extra": {"a": 1}}, {"extra": None}),
    ],
)
def test_two_spellings_and_what_an_answer_does_not_decide_are_no_difference(ours, theirs):
    image = an_image(a_task(**ours))
    assert () == differences(a_task(**theirs), image, {"extra"})


def test_a_difference_names_both_values():
    found = differences(a_task(priority=3, tags=(1,)), an_image(), ())
    assert {Difference(331894, "priority", 7, 3), Difference(331894, "tags", (), (1,))} == set(
        found
    )


def test_a_mark_is_of_one_difference_alone():
    every = [Difference(1, "name", "a", "b"), Difference(1, "name", "a", "c"), gone(1), gone(2)]
    assert len(every) == len({mark(one) for one in every})
    assert mark(gone(1)) == mark(gone(1))
