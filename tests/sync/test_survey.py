"""A listing against the mirror's index, and what in it should not be believed at once."""

from __future__ import annotations

from syncd.model.listing import Slice
from syncd.model.records import Rejected
from syncd.sync.doubt import doubtful_tags, vanished
from syncd.sync.survey import Index, Survey, survey
from tests.support.records import MONDAY, a_task


def a_slice(*ids: int, **values) -> Slice:
    defaults = {
        "project_id": None,
        "observed_at": MONDAY,
        "tasks": {id: a_task(id=id) for id in ids},
        "hashes": dict.fromkeys(ids, b"same"),
        "keys": {},
    }
    return Slice(**defaults | values)


def test_each_task_is_changed_absent_or_unchanged():
    index = Index({1: b"same", 2: b"other", 3: b"same"})
    found = survey(a_slice(1, 2, 4), index)
    assert found == Survey(frozenset({2, 4}), frozenset({3}), 1)


def test_a_removed_task_is_not_missed_and_is_compared_when_it_comes_back():
    found = survey(a_slice(2), Index(removed={1, 2}))
    assert found == Survey(frozenset({2}), frozenset(), 0)


def test_a_suspect_is_looked_at_again_and_missed_again():
    found = survey(a_slice(1), Index(suspects={1, 2}))
    assert found == Survey(frozenset({1}), frozenset({2}), 0)


def test_a_record_that_could_not_be_read_is_not_absent():
    part = a_slice(rejected=(Rejected("task", 1, "priority is missing", "{}"),))
    assert survey(part, Index({1: b"same", 2: b"same"})).absent == {2}


def test_an_index_has_what_is_live_suspect_or_removed():
    index = Index({1: b"same"}, suspects={2}, removed={3})
    assert [id in index for id in (1, 2, 3, 4)] == [True, True, True, False]
    assert index.live == {1, 2}


def test_a_field_nothing_shows_is_doubted_only_where_the_mirror_has_it():
    fields = {"date_end": "date_end", "files": "files", "text": "text"}
    assert vanished({"text": 3}, fields, {"date_end": 2, "text": 3}) == {"date_end"}


def test_tags_that_come_without_their_key_are_doubted_only_where_there_were_some():
    part = a_slice(1, 2, 3, tagless=frozenset({1, 2, 3}))
    assert doubtful_tags(part, {1: (5,), 2: (), 4: (5,)}) == [1]
