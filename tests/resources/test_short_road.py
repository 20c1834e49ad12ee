"""The short road of reading says what the long one says, or steps aside."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.errors import BadReply
from syncd.resources.answers import raws_of
from syncd.resources.tasks.known import Trees
from syncd.resources.tasks.mentions import LONGEST, named
from syncd.resources.tasks.tree import Reading, finish, read_trees
from syncd.resources.tasks.typed import read_usual
from syncd.sandbox import Account, Sandbox
from tests.resources.test_wire import NODE
from tests.sandbox.peer import Peer
from tests.support.records import MONDAY

ASKED = frozenset({"subtasks", "relations", "files", "text"})
ODD: list[Any] = [
    *(
        None,
        "",
        " ",
        [],
        {},
        0,
        1,
        -1,
        5,
        11,
        2**63 - 1,
        2**63,
        2**70,
        7.0,
        7.5,
        1e300,
        True,
        False,
    ),
    *("0", "5", "11", "007", " 7", "7 ", "+7", "-7", "7.0", "1_0", "１２", "9223372036854775808"),
    *(
        "null",
        "none",
        "NULL",
        "true",
        "active",
        "done",
        "abc",
        "To-do",
        "12,5",
        "1e5",
        "nan",
        "Infinity",
    ),
    *("2024-02-03", "2024-02-30", "0000-00-00", "2024-02-03 10:11", "2024-02-03 10:11:12"),
    *("2024-02-03T10:11", "20240203", "2024-W01-1", "2024-02-03 24:00", "２０２４-02-03"),
    *(
        "2024-02-03 08+05",
        "2024-02-03 1:11",
        "0000-00-00 00:00",
        "10:05",
        "9:05",
        "25:00",
        "10:05:59",
    ),
    *({"id": "5"}, {"id": 5, "name": "n", "x": 1}, {"id": None}, {"id": "x"}, {"name": "n"}),
    *([1], ["To-do"], ["nobody knows"], {"5": "a"}, {"05": "a", "5": "b"}, {"x": "a"}, {"-5": "a"}),
    *(
        {"5": None},
        {"from": []},
        {"from": None, "to": []},
        {"from": [{"type": "odd", "task": {"id": 1}}]},
    ),
    *(
        {"to": [{"type": "start-to-start", "task": {"id": "9"}, "more": 1}]},
        {"to": [7]},
        {"odd": 1},
    ),
    *(
        [{"id": "1", "page": "/d/", "name": "f"}],
        [{"id": 1, "page": None, "name": None, "size": "x"}],
    ),
    *([{"id": "1", "page": "/d/", "name": "f", "size": "12", "more": 1}], [None]),
    # One file twice, with a size and without: what cannot be put in order.
    [{"id": 1, "page": "/d/", "name": "f"}, {"id": 1, "page": "/d/", "name": "f", "size": 3}],
    {"5": "To-do", "05": "Again"},
]
LONG = {"id": "8562", "name": "long" * 1000, "page": "/project/8562/"}
KEYS = [*NODE, "child", "parent", "unheard_of", "time_end", "date_closed"]


@st.composite
def nodes(draw: st.DrawFn, depth: int = 0) -> Any:
    """A node like the account's with a few keys odd or missing, and children that are so too."""
    if draw(st.integers(0, 30)) == 0:
        return draw(st.sampled_from(ODD))
    node: dict[str, Any] = {**NODE, "id": str(draw(st.integers(1, 12)))}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        if draw(st.booleans()):
            node.pop(key, None)
        else:
            node[key] = draw(st.sampled_from(ODD))
    if depth < 4 and draw(st.integers(0, 2)) == 0:
        node["child"] = draw(st.lists(nodes(depth=depth + 1), max_size=2))
    return node


def reading(asked: frozenset[str], *, long: bool) -> Reading:
    """Where an answer is read into; whoever has to look for NULs takes the long road."""
    return Reading(asked, {"To-do": (5,), "twice": (6, 7)}, check_nul=long)


def read(
    answer: list[Any],
    asked: frozenset[str],
    project_id: int | None,
    *,
    long: bool,
    trees: Trees | None = None,
) -> Any:
    found = reading(asked, long=long)
    read_trees(json.dumps(answer).encode(), project_id, found, trees)
    try:
        part = finish(found, project_id=project_id, observed_at=MONDAY, short="")
    except BadReply as error:
        return error.message
    return {field.name: getattr(part, field.name) for field in fields(part)}


@given(
    st.lists(nodes(), max_size=5),
    st.sets(st.sampled_from(sorted(ASKED))).map(frozenset),
    st.sampled_from([None, 8562]),
)
def test_both_roads_say_the_same(answer, asked, project_id):
    answer = [*answer, *({**NODE, "id": id} for id in range(100, 130))]  # few odd among many
    said = {long: read(answer, asked, project_id, long=long) for long in (True, False)}
    assert said[True] == said[False]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("asked", [ASKED, frozenset()], ids=["all", "nothing"])
def test_both_roads_say_the_same_of_every_odd_value(key, asked):
    for value in ODD:
        answer = [{**NODE, key: value}, *({**NODE, "id": id} for id in range(100, 104))]
        said = {long: read(answer, asked, None, long=long) for long in (True, False)}
        assert said[True] == said[False], value


def test_of_two_words_about_a_person_the_first_counts_on_either_road():
    odd = {**NODE, "id": 2, "unheard_of": 1, "user_to": {"id": "7", "name": "Odd"}}
    plain = {**NODE, "id": 3, "user_to": {"id": 7, "name": "Plain"}}
    for answer in ([plain, odd], [odd, plain], [plain, odd, {**plain, "id": 4}]):
        said = {long: read(answer, ASKED, None, long=long) for long in (True, False)}
        assert said[True] == said[False]


@pytest.mark.parametrize("extra", [(), ("subtasks",), tuple(ASKED)])
def test_what_the_account_usually_sends_takes_the_short_road(extra):
    """Not so, every pull would cost three times as much and nobody would be told."""
    with Sandbox(Account.seeded(tasks=300)) as box:
        data = Peer(box).data("get_all_tasks", extra=",".join((*extra, "tags")))
    for raw in raws_of(json.dumps(data).encode(), "tasks"):
        read_usual(raw, None, frozenset(extra), {})  # raises Unusual where it steps aside


def test_an_answer_whose_text_is_no_text_is_no_answer():
    broken = b'[{"id": "1", "name": "\xff"}]'
    with pytest.raises(BadReply, match="cannot be decoded"):
        read_trees(broken, None, reading(ASKED, long=False))


def test_a_name_that_is_too_long_to_be_remembered_is_read_all_the_same():
    answer = [{**NODE, "project": LONG}]
    assert read(answer, ASKED, None, long=True) == read(answer, ASKED, None, long=False)
    assert LONG["name"] == read(answer, ASKED, None, long=False)["projects"][0].name


@pytest.mark.parametrize("long", [True, False])
def test_a_tag_that_comes_twice_is_one_tag(long):
    """A task has a tag once: a key of the mirror's, which the whole pull would break."""
    answer = [{**NODE, "tags": {"7": "Next", "05": "Again", "5": "To-do"}}]
    (record,) = read(answer, ASKED, None, long=long)["tasks"].values()
    assert (5, 7) == record.tags


def test_a_file_that_comes_twice_sets_one_record_aside_and_not_the_answer():
    twice = [{"id": 1, "page": "/d/", "name": "f", **more} for more in ({}, {"size": 3})]
    answer = [{**NODE, "files": twice}, *({**NODE, "id": id} for id in range(100, 130))]
    found = read(answer, ASKED, None, long=False)
    assert read(answer, ASKED, None, long=True) == found
    assert (30, 1) == (len(found["tasks"]), len(found["rejected"]))


def test_what_is_longer_than_names_are_is_not_remembered():
    """Thousands of any length would be memory without end."""
    read(
        [{**NODE, "project": LONG}, *({**NODE, "id": id} for id in range(100, 104))],
        ASKED,
        None,
        long=False,
    )
    assert named
    assert all(len(sent) <= LONGEST for sent in named)
