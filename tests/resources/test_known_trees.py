"""What was read before is not read again, and says the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.resources.tasks import known, told
from syncd.resources.tasks.known import Trees
from syncd.resources.tasks.told import Told
from tests.resources.test_short_road import ASKED, nodes, read
from tests.resources.test_wire import NODE

USUAL = [{**NODE, "id": id} for id in range(100, 130)]


@given(st.lists(nodes(), max_size=4), st.lists(nodes(), max_size=4), st.booleans())
def test_an_answer_after_another_says_what_it_says_alone(first, second, twice):
    trees = Trees()
    for answer in ([*first, *USUAL], [*second, *USUAL, *(first if twice else ())]):
        alone = read(answer, ASKED, None, long=True)
        assert alone == read(answer, ASKED, None, long=False, trees=trees)


FAMILIES = [
    {
        **NODE,
        "id": id,
        "tags": {str(id): "a tag"},
        "child": [{**NODE, "id": id + n} for n in range(1, size + 1)],
    }
    for id, size in ((200, 3), (210, 1), (220, 7), (230, 0), (240, 2))
]


@given(st.data())
def test_trees_that_come_in_another_order_among_others_say_what_they_say_alone(data):
    """Runs of known trees, new ones between them, odd ones, and a task that comes twice."""
    trees, kinds = Trees(), [*USUAL[:8], *FAMILIES]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(told, "AT_ONCE", data.draw(st.integers(1, 6)))
        for _ in range(3):
            answer: list[Any] = []
            for one in data.draw(st.lists(st.sampled_from(kinds), unique_by=lambda one: one["id"])):
                answer.append({**one, "name": data.draw(st.sampled_from(["one", "another"]))})
                answer += data.draw(st.lists(nodes(), max_size=1))
            alone = read(answer, ASKED, None, long=True)
            assert alone == read(answer, ASKED, None, long=False, trees=trees)


@pytest.fixture
def summed(monkeypatch) -> list[int]:
    """The tasks that were read, other than to hand one out that was told of before."""
    ids: list[int] = []
    original = Told.sum_up

    def counting(told: Told, found: Any, names: Any) -> None:
        ids.extend(one.record.id for one in found)
        original(told, found, names)

    monkeypatch.setattr(Told, "sum_up", counting)
    return ids


def test_what_stands_around_an_odd_tree_is_known_the_next_time(summed):
    trees, answer = Trees(), [*USUAL[:5], {**NODE, "priority": "odd"}, *USUAL[5:]]
    for _ in range(2):
        read(answer, ASKED, None, long=False, trees=trees)
    assert len(USUAL) == len(summed)


def test_a_task_that_comes_twice_makes_nothing_else_be_read_again(summed):
    trees, answer = Trees(), [*USUAL, {**USUAL[0], "name": "another"}]
    for _ in range(2):
        read(answer, ASKED, None, long=False, trees=trees)
    assert [*range(100, 130), 100, 100] == summed


def test_bytes_that_are_known_are_not_read_again(summed):
    trees = Trees()
    read(USUAL, ASKED, None, long=False, trees=trees)
    assert len(USUAL) == len(summed)
    changed = [{**USUAL[0], "name": "another"}, *USUAL[1:]]
    part = read(changed, ASKED, None, long=False, trees=trees)
    assert [100] == summed[len(USUAL) :]
    assert "another" == part["tasks"][100].name


def test_who_is_named_no_more_is_not_told_of():
    trees, nobody = Trees(), {key: NODE[key] for key in NODE if not key.startswith("user_")}
    for answer in ([{**NODE, "user_to": {"id": "77", "name": "Gone"}}], [nobody]):
        alone = read(answer, ASKED, None, long=True)
        assert alone == read(answer, ASKED, None, long=False, trees=trees)
    assert not alone["members"]


def test_another_question_is_answered_anew():
    trees = Trees()
    for asked in (ASKED, ASKED - {"files"}, ASKED):
        assert read(USUAL, asked, None, long=True) == read(
            USUAL, asked, None, long=False, trees=trees
        )


def test_a_tag_that_comes_by_name_is_looked_up_each_time():
    trees, answer = Trees(), [{**NODE, "tags": ["To-do"]}]
    for _ in range(2):
        assert (5,) == read(answer, ASKED, None, long=False, trees=trees)["tasks"][331894].tags
    assert not trees.last((ASKED, None)).place


def test_what_nobody_names_any_more_is_forgotten(monkeypatch):
    """Not so, an account whose people are renamed all the time would fill the memory."""
    monkeypatch.setattr(known, "ROOM", 4)
    trees, key = Trees(), (ASKED, None)
    for turn in range(20):
        answer = [*USUAL, {**NODE, "id": 99, "project": {"id": "8562", "name": f"Name {turn}"}}]
        alone = read(answer, ASKED, None, long=True)
        assert alone == read(answer, ASKED, None, long=False, trees=trees)
        assert len(trees.last(key).names) <= 2 * 5 + 4


def test_no_more_is_kept_than_there_is_room_for(monkeypatch):
    trees = Trees()
    read(USUAL, ASKED, 1, long=False, trees=trees)
    monkeypatch.setattr(known, "MOST_BYTES", trees._bytes + 10)
    for _ in range(2):
        for project_id in (1, 2):
            alone = read(USUAL, ASKED, project_id, long=True)
            assert alone == read(USUAL, ASKED, project_id, long=False, trees=trees)
    assert [True, False] == [bool(trees.last((ASKED, id)).place) for id in (1, 2)]
    assert trees._bytes == sum(len(kept.packed) for kept in trees._kept.values())


def test_another_scope_leaves_nothing_of_the_one_before():
    trees = Trees()
    read(USUAL, ASKED, 1, long=False, trees=trees)
    read(USUAL, ASKED - {"files"}, 2, long=False, trees=trees)
    assert not trees.last((ASKED, 1)).place
    assert trees.last((ASKED - {"files"}, 2)).place
