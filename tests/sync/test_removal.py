"""What an absence means, and the brake over many of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.listing import Scope
from syncd.sync.removal import Evidence, brake_limit, brakes, judge
from syncd.sync.survey import Indexed

SCOPE = Scope(archived=False, extra=("subtasks", "relations", "files"), rights="admin")
TASK = Indexed(8562, 1, suspect=False)
ALIVE = {8562: "active"}


def verdict(task=TASK, *, scope=SCOPE, previous=SCOPE, **evidence):
    return judge(1, task, evidence=Evidence(**evidence), scope=scope, previous=previous)


def test_absence_alone_proves_nothing():
    assert verdict(projects=ALIVE) is None


def test_code_5_in_a_living_project_is_a_deletion():
    assert verdict(projects=ALIVE, gone=frozenset({1})) == "deleted"


def test_code_5_after_a_change_of_rights_is_out_of_reach():
    scope = replace(SCOPE, rights="user 5 user")
    assert verdict(projects=ALIVE, gone=frozenset({1}), scope=scope) == "out_of_reach"


def test_an_archived_project_explains_its_tasks():
    assert verdict(projects={8562: "archive"}) == "archived"


def test_a_scope_that_used_to_hold_archived_projects_explains_their_tasks():
    assert verdict(projects={8562: "archive"}, previous=replace(SCOPE, archived=True)) == (
        "out_of_scope"
    )


def test_an_archived_project_explains_nothing_where_they_are_asked_for():
    scope = replace(SCOPE, archived=True)
    assert verdict(projects={8562: "archive"}, scope=scope, previous=scope) is None


def test_a_project_the_account_denies_is_out_of_reach():
    assert verdict(projects={}, lost=frozenset({8562})) == "out_of_reach"


def test_subtasks_that_are_not_asked_for_are_out_of_scope():
    scope = replace(SCOPE, extra=("files",))
    assert verdict(TASK._replace(level=2), scope=scope) == "out_of_scope"
    assert verdict(TASK, scope=scope, projects=ALIVE) is None


def test_a_task_the_account_still_answers_for_is_never_gone():
    assert verdict(projects=ALIVE, alive={1: 8562}, gone=frozenset({1})) is None


def test_a_task_that_moved_into_an_archived_project_is_archived():
    assert verdict(projects={8562: "active", 7: "archive"}, alive={1: 7}) == "archived"


@pytest.mark.parametrize(
    ("tasks", "setting", "limit"),
    [
        (0, None, 10),
        (500, None, 10),
        (501, None, 10),
        (550, None, 11),
        (10_000, None, 200),
        (9, 3, 3),
    ],
)
def test_the_brake_is_the_larger_of_ten_tasks_and_two_percent(tasks, setting, limit):
    assert brake_limit(tasks, setting) == limit


def test_up_to_the_limit_nothing_brakes():
    assert (
        brakes(dict.fromkeys(range(10), 1), {1: 400, 2: 100}, listed=490, max_removals=None) == ()
    )


def test_over_the_accounts_limit_all_removals_are_held():
    missing = dict.fromkeys(range(8), 1) | dict.fromkeys(range(8, 16), 2)
    (brake,) = brakes(missing, {1: 100, 2: 100}, listed=184, max_removals=None)
    assert (brake.missing, brake.limit, brake.projects) == (16, 10, (1, 2))


def test_over_a_projects_limit_only_that_projects_removals_are_held():
    missing = dict.fromkeys(range(11), 1) | {11: 2}
    (brake,) = brakes(missing, {1: 100, 2: 900}, listed=988, max_removals=None)
    assert (brake.missing, brake.projects) == (11, (1,))


def test_an_empty_answer_brakes_however_few_tasks_there_were():
    (brake,) = brakes({1: 8562}, {8562: 1}, listed=0, max_removals=None)
    assert brake.missing == 1


@given(
    st.dictionaries(st.integers(), st.integers(1, 5), max_size=60),
    st.dictionaries(st.integers(1, 5), st.integers(0, 2000), min_size=5, max_size=5),
)
def test_what_is_not_held_is_within_every_limit(missing, extra):
    live = {p: extra.get(p, 0) + sum(q == p for q in missing.values()) for p in range(1, 6)}
    tripped = brakes(missing, live, listed=1, max_removals=None)
    held = {project for brake in tripped for project in brake.projects}
    going = [project for project in missing.values() if project not in held]
    assert len(going) <= brake_limit(sum(live.values()), None)
    assert all(going.count(p) <= brake_limit(live[p], None) for p in set(going))
