"""What was read before is not read again, and says the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.resources.tasks import tree
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

    def counting(found: Any) -> Any:
        summed.append(found[0][0].id)
        return original(found)

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
    assert not trees.last((ASKED, None))
