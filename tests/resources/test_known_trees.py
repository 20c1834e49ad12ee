"""What was read before is not read again, and says the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.resources.tasks import known, tree
from syncd.resources.tasks.known import Trees
from tests.resources.test_short_road import ASKED, nodes, read
from tests.resources.test_wire import NODE

USUAL = [{**NODE, "id": id} for id in range(100, 130)]


@given(st.lists(nodes(), max_size=4), st.lists(nodes(), max_size=4), st.booleans())
def test_an_answer_after_another_says_what_it_says_alone(first, second, twice):
    trees = Trees()
    for answer in ([*first, *USUAL], [*second, *USUAL, *(first if twice else ())]):
        alone = read(answer, ASKED, None, long=True)
        assert alone == read(answer, ASKED, None, long=False, trees=trees)


def test_bytes_that_are_known_are_not_read_again(monkeypatch):
    trees, summed = Trees(), []
    original = tree.summary

    def counting(found: Any, names: Any) -> Any:
        summed.append(found[0].record.id)
        return original(found, names)

    monkeypatch.setattr(tree, "summary", counting)
    read(USUAL, ASKED, None, long=False, trees=trees)
    assert len(USUAL) == len(summed)
    changed = [{**USUAL[0], "name": "another"}, *USUAL[1:]]
    part = read(changed, ASKED, None, long=False, trees=trees)
    assert [100] == summed[len(USUAL) :]
    assert "another" == part["tasks"][100].name


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
    assert not trees.last((ASKED, None))[0]


def test_what_nobody_names_any_more_is_forgotten(monkeypatch):
    """Not so, an account whose people are renamed all the time would fill the memory."""
    monkeypatch.setattr(known, "ROOM", 4)
    trees, key = Trees(), (ASKED, None)
    for turn in range(20):
        answer = [*USUAL, {**NODE, "id": 99, "project": {"id": "8562", "name": f"Name {turn}"}}]
        alone = read(answer, ASKED, None, long=True)
        assert alone == read(answer, ASKED, None, long=False, trees=trees)
        assert len(trees.last(key)[1]) <= 2 * 5 + 4


def test_no_more_is_kept_than_there_is_room_for(monkeypatch):
    trees = Trees()
    read(USUAL, ASKED, 1, long=False, trees=trees)
    monkeypatch.setattr(known, "MOST_BYTES", trees._bytes + 10)
    for _ in range(2):
        for project_id in (1, 2):
            alone = read(USUAL, ASKED, project_id, long=True)
            assert alone == read(USUAL, ASKED, project_id, long=False, trees=trees)
    assert [True, False] == [bool(trees.last((ASKED, id))[0]) for id in (1, 2)]
    assert trees._bytes == sum(len(kept.packed) for kept in trees._kept.values())


def test_another_scope_leaves_nothing_of_the_one_before():
    trees = Trees()
    read(USUAL, ASKED, 1, long=False, trees=trees)
    read(USUAL, ASKED - {"files"}, 2, long=False, trees=trees)
    assert not trees.last((ASKED, 1))[0]
    assert trees.last((ASKED - {"files"}, 2))[0]
