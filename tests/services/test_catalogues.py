"""Which tags are lost for certain: by enough tasks, and shown by nothing."""

from __future__ import annotations

import pytest

from syncd.services.tag_doubts import PROOF, lost_by_all

WAVE, OTHER = 71, 72
HAD = dict.fromkeys(range(PROOF), frozenset({WAVE, OTHER}))
NONE_LEFT = dict.fromkeys(HAD, ())


def test_a_tag_that_enough_tasks_have_lost_is_lost():
    assert {WAVE, OTHER} == lost_by_all(HAD, NONE_LEFT, shown=())


def test_a_tag_that_too_few_tasks_have_lost_is_not():
    assert set() == lost_by_all(HAD, dict.fromkeys(range(PROOF - 1), ()), shown=())


def test_a_tag_that_the_listing_shows_is_not_lost():
    assert {WAVE} == lost_by_all(HAD, NONE_LEFT, shown={OTHER})


@pytest.mark.parametrize("now", [(OTHER,), None], ids=["with it", "with names that do not tell"])
def test_a_tag_that_one_task_may_still_have_is_not_lost(now):
    had = HAD | {PROOF: frozenset({OTHER})}
    assert {WAVE} == lost_by_all(had, NONE_LEFT | {PROOF: now}, shown=())
