"""Whatever people do to the account, the next pull makes the mirror equal; history keeps all."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from syncd.sandbox import Account
from tests.support.mirror import (
    EVERYTHING,
    Mirror,
    View,
    assert_history_shows,
    assert_mirror_equals,
    visible_tasks,
)

ROUNDS = 10
EDITS_IN_A_ROUND = 50

Moment = tuple[datetime, dict[str, Any], View]


def settle(mirror: Mirror) -> datetime:
    """Pull, and let go what a brake holds, until the account is as mirrored; when it was seen."""
    report = mirror.pull()
    if report.brakes:
        assert ("partial", 3) == (report.outcome, report.exit_code)
        held = {project for brake in report.brakes for project in brake.projects}
        assert _held_back(mirror)
        assert _held_back(mirror) <= held
        report = mirror.pull(allow_removals=True)
    while any("they are asked next" in note for note in report.notes):  # a tag of many was deleted
        report = mirror.pull(allow_removals=True)
    assert report.outcome == "complete", report.notes
    # By projects, each project's images begin when that project was asked for.
    return report.observed_at if report.how == "account" else mirror.clock.now


def _held_back(mirror: Mirror) -> set[int]:
    """The projects with live tasks that the account does not show."""
    shown = visible_tasks(mirror.account.snapshot(), mirror.view)
    live = mirror.rows("SELECT id, project_id FROM tasks WHERE removed_at IS NULL")
    return {row["project_id"] for row in live if row["id"] not in shown}


def edit(account: Account, rng: Random, edits: int, **kinds: Any) -> list[str]:
    """Make random edits; they are printed, for whoever looks at a failure."""
    made = [account.random_edit(rng, **kinds) for _ in range(edits)]
    print("\n".join(made))
    return made


@pytest.mark.parametrize("how", ["account", "projects"])
def test_five_hundred_random_edits_converge_and_history_replays(a_mirror, seed, how):
    rng = Random(seed)
    print(f"seed {seed}")
    mirror = a_mirror(
        Account.seeded(tasks=250, seed=seed % 1000), extra=EVERYTHING, archived=how == "projects"
    )
    moments: list[Moment] = []
    for round in range(ROUNDS + 1):
        if round:
            edit(mirror.account, rng, EDITS_IN_A_ROUND)
        if how == "projects":
            mirror.box.set(record_limit=_largest_project(mirror))
        seen_at = settle(mirror)
        assert_mirror_equals(mirror)
        moments.append((seen_at, mirror.account.snapshot(), mirror.view))
    for at, truth, view in moments:
        assert_history_shows(mirror, truth, at, view)
    assert mirror.value("SELECT count(*) AS n FROM task_history") > EDITS_IN_A_ROUND
    _assert_images_join_without_a_gap(mirror)
    _assert_no_task_is_lost(mirror, moments)


def _largest_project(mirror: Mirror) -> int:
    shown = visible_tasks(mirror.account.snapshot(), mirror.view).values()
    return max(Counter(task["project_id"] for task in shown).values(), default=0)


def _assert_images_join_without_a_gap(mirror: Mirror) -> None:
    """Each image of a task ends where the next begins, and no two that follow are equal."""
    query = """
        SELECT task_id AS id, valid_from, valid_to FROM task_history
        UNION ALL SELECT id, valid_from, NULL FROM tasks
    """
    images: dict[int, list[tuple[Any, Any]]] = {}
    for row in mirror.rows(query):
        images.setdefault(row["id"], []).append((row["valid_from"], row["valid_to"]))
    for id, spans in images.items():
        spans.sort(key=lambda span: span[0])
        assert all(one[1] == other[0] for one, other in pairwise(spans)), f"task {id}: {spans}"
        assert spans[-1][1] is None


def _assert_no_task_is_lost(mirror: Mirror, moments: list[Moment]) -> None:
    """Whatever was once shown has a row, live or with the reason why not."""
    ever = {id for _, truth, view in moments for id in visible_tasks(truth, view)}
    query = "SELECT id FROM tasks WHERE (removed_at IS NULL) = (removed_reason IS NULL)"
    assert ever <= {row["id"] for row in mirror.rows(query)}


def test_one_edit_of_each_kind_is_mirrored_by_the_next_pull(a_mirror, seed):
    from syncd.sandbox.random_edits import EDITS

    rng = Random(seed)
    mirror = a_mirror(Account.seeded(tasks=150, seed=4), extra=EVERYTHING)
    for kind in ("delay", "archive_project", "hide_project"):  # so that their opposites can be
        mirror.account.random_edit(rng, kinds=[kind])
    settle(mirror)
    for kind in EDITS:
        if kind != "delete_project":  # one of five tries of it does nothing
            edit(mirror.account, rng, 1, kinds=[kind])
            settle(mirror)
            assert_mirror_equals(mirror)


def test_a_task_that_changes_back_has_three_images(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=30, seed=4))
    mirror.pull()
    task = min(mirror.live())
    name = mirror.account.tasks[task].name
    for changed in ("Other", name):
        mirror.account.rename_task(task, changed)
        mirror.pull()
    rows = mirror.rows("SELECT task_id, name FROM task_history ORDER BY valid_from")
    assert [(task, name), (task, "Other")] == [tuple(row.values()) for row in rows]
    assert_mirror_equals(mirror)


def test_nothing_is_written_to_history_on_a_first_load(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=120, seed=4))
    mirror.pull()
    assert 0 == mirror.value("SELECT count(*) AS n FROM task_history")


def test_tasks_that_somebody_deleted_from_the_mirror_come_back(a_mirror):
    """What hung on them is still there: the tables are not empty, though no task is left."""
    mirror = a_mirror(Account.seeded(tasks=120, seed=4), extra=EVERYTHING)
    mirror.pull()
    kept = "SELECT (SELECT count(*) FROM files) * (SELECT count(*) FROM task_relations) AS n"
    mirror.execute("DELETE FROM tasks")
    mirror.execute("DELETE FROM task_tags")
    assert mirror.value(kept)
    mirror.account.rename_task(max(mirror.account.tasks), "Another name")
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)


def test_a_change_between_two_pulls_of_one_task_is_one_image(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=30, seed=4))
    mirror.pull()
    task = min(mirror.live())
    mirror.account.rename_task(task, "One")
    mirror.account.edit_task(task, priority=9)
    mirror.account.rename_task(task, "Two")
    report = mirror.pull()
    assert 1 == report.counts["updated"]
    assert 1 == mirror.value("SELECT count(*) AS n FROM task_history")


def test_a_relation_ends_when_the_last_end_that_shows_it_ends_it(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    one, two = account.create_project("One"), account.create_project("Two")
    first, waiting = account.create_task(one, "First"), account.create_task(two, "Waiting")
    other = account.create_task(one, "Other")
    for edge in ((first, waiting), (waiting, other)):
        account.add_relation("finish-to-start", *edge)
    mirror = a_mirror(account)
    mirror.pull()
    assert_mirror_equals(mirror)
    account.hide_project(two)  # one end is out of sight; the other still shows the edge
    mirror.pull(allow_removals=True)
    assert_mirror_equals(mirror)
    assert 2 == mirror.value("SELECT count(*) AS n FROM task_relations")
    account.remove_relation("finish-to-start", first, waiting)
    mirror.pull()
    assert_mirror_equals(mirror)
    account.show_project(two)
    account.remove_relation("finish-to-start", waiting, other)
    mirror.pull()
    assert_mirror_equals(mirror)
    assert 0 == mirror.value("SELECT count(*) AS n FROM task_relations")
