"""Ambiguity settled by looking."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.sync.settle import (
    CLOCKS,
    GRACE,
    Adopt,
    AskPerson,
    Candidate,
    LookLater,
    Lost,
    SendAgain,
    Sighting,
    settle_creations,
    settle_edit,
)
from tests.support.changes import PROJECT, at

DAY = date(2026, 2, 1)
BASE = {"name": "a", "date_end": None}
MINE = {"name": "b", "date_end": DAY}


@pytest.mark.parametrize(
    ("theirs", "landing"),
    [
        (MINE, "landed"),
        (BASE, "not landed"),
        ({"name": "b", "date_end": None}, "not landed"),
        ({"name": "c", "date_end": DAY}, "unclear"),
        ({"name": "c", "date_end": None}, "unclear"),
        ({}, "unclear"),
        (None, "gone"),
    ],
)
def test_an_edit_shows_in_the_task(theirs, landing):
    assert landing == settle_edit(MINE, BASE, theirs)


def test_a_spelling_of_the_accounts_own_is_ours():
    assert "landed" == settle_edit({"name": "R&D x"}, {"name": "a"}, {"name": "R&amp;D\u00a0x"})


@pytest.mark.parametrize(
    ("shown", "landing"),
    [
        ({2, 5}, "landed"),
        ({1, 5}, "not landed"),
        ({1, 2}, "not landed"),
        ({5}, "not landed"),
    ],
)
def test_tags_are_judged_by_what_we_did_to_them(shown, landing):
    mine, base = {"tags": frozenset({2})}, {"tags": frozenset({1})}
    assert landing == settle_edit(mine, base, {"tags": frozenset(shown)})


def test_tags_that_the_answer_does_not_tell_did_not_land():
    assert "not landed" == settle_edit({"tags": frozenset({2})}, {"tags": frozenset()}, {})


# Creations.


def lost(change=1, name="Report", **values):
    fields = {"name": name, "project_id": PROJECT, **values.pop("fields", {})}
    defaults = {"project_id": PROJECT, "parent_id": None, "sent_at": at(0), "ended_at": at(10)}
    return Lost(change, **{**defaults, **values}, fields=fields)


def candidate(id=100, name="Report", **values):
    fields = {"name": name, "project_id": PROJECT, **values.pop("fields", {})}
    defaults = {"project_id": PROJECT, "parent_id": None}
    return Candidate(id, **{**defaults, **values}, fields=fields)


def settle(missing, candidates, *, began_at=None, **values):
    sighting = Sighting(began_at or at(10) + GRACE, candidates, **values)
    return settle_creations(missing, sighting)


def test_one_that_appeared_since_is_adopted():
    assert {1: Adopt(100)} == settle([lost()], [candidate()])


def test_a_title_is_compared_as_a_reader_would():
    assert {1: Adopt(100)} == settle([lost(name="R&D x")], [candidate(name=" R&amp;D\u00a0x")])


@pytest.mark.parametrize(
    "other",
    [
        candidate(name="Another", added_at=at(-121)),
        candidate(name="Another", added_at=at(10 + 121) + GRACE),
        candidate(
            name="Another", fields={"author_email": "a@x", "date_end": DAY}, added_at=at(-121)
        ),
        candidate(project_id=5),
        candidate(parent_id=5, added_at=at(-121)),
        candidate(fields={"author_email": "c@x"}),
    ],
)
def test_another_title_project_parent_or_author_is_another_task(other):
    missing = lost(fields={"author_email": "a@x"})
    assert {1: SendAgain()} == settle([missing], [other])


@pytest.mark.parametrize("added_at", [None, at(-119), at(5), at(10 + 119) + GRACE])
@pytest.mark.parametrize("changed", [{"name": "Renamed"}, {"parent_id": 5}])
def test_a_task_that_may_be_ours_under_another_name_is_for_a_person(changed, added_at):
    """Somebody may have renamed or moved it before we looked; sending again would double it."""
    missing = lost(fields={"author_email": "a@x", "date_end": DAY})
    fields = {"author_email": "a@x", "date_end": DAY}
    other = candidate(fields=fields | ({"name": changed["name"]} if "name" in changed else {}))
    other = replace(other, added_at=added_at, parent_id=changed.get("parent_id"))
    assert {1: AskPerson((100,))} == settle([missing], [other])


def test_what_was_not_asked_for_in_that_way_is_somebody_elses():
    missing = lost(fields={"date_end": DAY})
    other = candidate(name="Another", fields={"date_end": None}, added_at=at(5))
    assert {1: SendAgain()} == settle([missing], [other])


def test_an_author_that_was_not_given_says_nothing():
    assert {1: Adopt(100)} == settle([lost()], [candidate(fields={"author_email": "c@x"})])


def test_a_task_known_before_is_not_ours():
    assert {1: SendAgain()} == settle([lost()], [candidate()], known={100})


def test_a_task_that_another_creation_claimed_is_not_ours():
    assert {1: SendAgain()} == settle([lost()], [candidate()], claimed={100})


def test_never_send_a_creation_again_without_looking_after_it_ended():
    """An answer begun earlier may be older than the task."""
    proven_from = at(10) + GRACE
    early = proven_from - timedelta(seconds=1)
    assert {1: LookLater(proven_from)} == settle([lost()], [], began_at=early)
    assert {1: SendAgain()} == settle([lost()], [], began_at=proven_from)


def test_an_early_answer_that_shows_it_is_enough():
    assert {1: Adopt(100)} == settle([lost()], [candidate()], began_at=at(1))


def test_several_are_for_a_person():
    assert {1: AskPerson((100, 101))} == settle([lost()], [candidate(100), candidate(101)])


def test_a_task_that_may_be_hidden_from_us_is_not_sent_again():
    assert {1: AskPerson()} == settle([lost(visible=False)], [])


def test_a_task_older_than_the_attempt_is_for_a_person():
    """Not ours, so not adopted; but if its clock is wrong it is ours, so nothing is sent."""
    old = candidate(added_at=at(0) - CLOCKS - timedelta(minutes=1))
    assert {1: AskPerson((100,))} == settle([lost()], [old])
    assert {1: Adopt(100)} == settle([lost()], [candidate(added_at=at(0) - CLOCKS)])


def test_two_queued_on_purpose_under_one_title_are_two_tasks():
    both = [lost(1), lost(2)]
    assert {1: Adopt(100), 2: Adopt(101)} == settle(both, [candidate(101), candidate(100)])


def test_of_two_under_one_title_only_the_missing_one_is_sent_again():
    assert {1: Adopt(100), 2: SendAgain()} == settle([lost(1), lost(2)], [candidate()])


def test_two_under_one_title_are_told_apart_by_what_they_asked_for():
    first, second = lost(1, fields={"priority": 3}), lost(2, fields={"priority": 7})
    found = settle([first, second], [candidate(fields={"priority": 7})])
    assert {1: SendAgain(), 2: Adopt(100)} == found


def test_two_that_cannot_be_told_apart_but_differ_are_for_a_person():
    first, second = lost(1, fields={"priority": 3}), lost(2, fields={"priority": 7})
    found = settle([first, second], [candidate(fields={"priority": 5})])
    assert {1: AskPerson((100,)), 2: AskPerson((100,))} == found


def test_more_tasks_than_creations_are_for_a_person():
    found = settle([lost(1), lost(2)], [candidate(n) for n in (100, 101, 102)])
    assert {AskPerson((100, 101, 102))} == set(found.values())


def test_titles_do_not_disturb_each_other():
    missing = [lost(1, "a"), lost(2, "b"), lost(3, "c")]
    tasks = [candidate(100, "a"), candidate(101, "b"), candidate(102, "b")]
    assert {1: Adopt(100), 2: AskPerson((101, 102)), 3: SendAgain()} == settle(missing, tasks)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3), st.booleans()), max_size=8),
    st.randoms(),
)
def test_commit_then_fail_creations_end_as_exactly_as_many_tasks(wanted, random):
    """Each creation landed or not, and none was heard of: adopting and sending again makes all."""
    missing = [
        lost(n, title, fields={"priority": priority})
        for n, (title, priority, _) in enumerate(wanted, start=1)
    ]
    tasks = [
        candidate(100 + n, title, fields={"priority": priority})
        for n, (title, priority, landed) in enumerate(wanted, start=1)
        if landed
    ]
    random.shuffle(tasks)
    found = settle(missing, tasks)
    adopted = [each.task_id for each in found.values() if isinstance(each, Adopt)]
    again = sum(isinstance(each, SendAgain) for each in found.values())
    assert sorted(adopted) == sorted(task.task_id for task in tasks)
    assert len(wanted) == len(tasks) + again
