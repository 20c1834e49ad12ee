"""One sentence for each state and each kind of waiting; and which number is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncd.errors import ConfigError
from syncd.model.change import Change
from syncd.services.changes import Event, ListedChange
from syncd.services.outlook import Outlook
from syncd.services.sentences import fields_in_words, why_change
from syncd.services.sides import Side
from tests.live.conftest import Gate
from tests.services.desk import Desk
from tests.support.changes import a_completion, a_creation, a_plan, an_update, at


def listed(change: Change, **values: Any) -> ListedChange:
    defaults = {
        "id": change.id,
        "operation": change.operation,
        "task_id": change.task_id,
        "ref": change.ref,
        "task": "Door",
        "state": change.state,
        "fields": change.fields,
        "base": change.base,
        "attempts": change.attempts,
        "next_attempt_at": change.next_attempt_at,
        "error_code": None,
        "error": None,
        "created_at": change.created_at,
        "created_by": "cli:olena",
        "batch": "b",
        "sent_at": at(0),
        "applied_at": at(60),
        "confirmed_at": at(120),
        "depends_on": None,
    }
    return ListedChange(**defaults | values)


def sentence(change: Change, *others: Change, **values: Any) -> str:
    """What is said of a change among others, with a plan in which everything is due."""
    plan = a_plan([change, *others], **values.pop("plan", {}))
    side = values.pop("sides", ())
    last = values.pop("last", None)
    said = why_change(listed(change, **values), Outlook(plan, {}), side, last)
    assert 1 == said.count("\n") + 1
    assert said.endswith(".")
    assert said.startswith(f"Change {change.id} (")
    return said


def test_what_goes_says_so():
    assert "Change 5 (priority of task 331894) goes with the next push." == sentence(
        an_update(5, priority=3)
    )


def test_what_goes_after_another_names_it():
    child = a_creation(2, "child", under="top", depends_on=(1,))
    assert (
        'Change 2 (a new task "Door") goes with the next push, in its order:'
        " its parent comes first (change 1)."
    ) == sentence(child, a_creation(1, "top"))


def test_what_is_set_and_set_back_comes_to_nothing():
    one = an_update(1, base={"priority": 5}, priority=3)
    other = an_update(2, base={"priority": 5}, priority=5)
    assert "comes to nothing with the other changes of its task" in sentence(one, other)


def test_what_the_brake_stops_says_how_to_let_it_go():
    said = sentence(
        an_update(1, priority=3), a_completion(2, created_at=at(61)), plan={"max_batch": 1}
    )
    assert "is stopped by the brake, because 2 changes were queued within one minute" in said
    assert "syncd queue release --batch b" in said


def test_what_is_tried_later_says_until_when_and_why():
    change = replace(an_update(1, priority=3), next_attempt_at=at(10**8))
    said = sentence(change, error="the account is down.")
    assert "waits until 2029-03-07 18:46:40 UTC, because of the last try: the account is" in said


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("conflict", "conflict"),
        ("held", "held"),
        ("uncertain", "uncertain"),
        ("applied", "applied"),
    ],
)
def test_what_waits_in_its_lane_names_what_is_before_it(state, word):
    blocked = replace(an_update(1, priority=3), state=state)
    assert (
        "Change 2 (name of task 331894) waits: an earlier change of the same task comes first"
        f" (change 1, {word}); see: syncd why 1."
    ) == sentence(an_update(2, name="x"), blocked)


def test_an_unknown_parent_is_said():
    orphan = a_creation(1, "child", under="nobody")
    assert "was never queued for creation; cancel it: syncd queue cancel 1" in sentence(orphan)


def test_a_circle_is_said():
    one = a_creation(1, "one", under="two", depends_on=(2,))
    two = a_creation(2, "two", under="one", depends_on=(1,))
    assert "in a circle; cancel one of them" in sentence(one, two)


PRIORITY = Side("priority", 5, 7, 9, base_known=True, theirs_known=True, contested=True)
NAME = Side("name", "a", "b", "b", base_known=True, theirs_known=True, contested=False)


@pytest.mark.parametrize(
    ("state", "values", "words"),
    [
        ("held", {}, ["held by the brake until a person decides", "--batch b"]),
        (
            "conflict",
            {"error_code": "both", "sides": (PRIORITY, NAME)},
            [
                "both sides changed it; priority was 5, mine is 7, theirs is 9;"
                " choose with syncd queue resolve 1 --keep mine or --keep theirs"
            ],
        ),
        ("conflict", {"error_code": "flips"}, ["keeps taking this edit back"]),
        ("conflict", {"error_code": "unknown base"}, ["before is not known"]),
        ("conflict", {"error_code": "removed"}, ["gone from the account", "--keep theirs"]),
        (
            "conflict",
            {"error_code": "ambiguous", "error": "it could be 5 or 6"},
            ["it could be 5 or 6", "--task ID"],
        ),
        ("sending", {}, ["is being sent since 2026-01-05 09:00:00 UTC"]),
        (
            "uncertain",
            {"error": "no answer.", "next_attempt_at": at(30)},
            ["outcome is not known (no answer)", "not before 2026-01-05 09:00:30 UTC"],
        ),
        ("applied", {}, ["was taken by the account at 2026-01-05 09:01:00 UTC"]),
        ("failed", {"error": "No\nsuch  tag."}, ["failed: No such tag; syncd queue retry 1"]),
        ("failed", {}, ["no reason was given"]),
        ("confirmed", {}, ["is in the account", "2026-01-05 09:02:00 UTC"]),
        (
            "cancelled",
            {"last": Event(at(5), "queued", "cancelled", "cli:petro", {})},
            ["was cancelled by cli:petro at 2026-01-05 09:00:05 UTC"],
        ),
    ],
)
def test_every_state_is_told_in_one_sentence_with_what_to_do(state, values, words):
    said = sentence(replace(an_update(1, priority=7), state=state), **values)
    assert [] == [one for one in words if one not in said], said


def test_values_are_told_in_words():
    fields = {"name": "a\nb", "date_end": None, "tags": "x", "priority": 3}
    assert "name a b, date_end 2026 → nothing, tags nothing → x, priority 5 → 3" == fields_in_words(
        fields, {"date_end": "2026", "tags": None, "priority": 5}
    )


# --- which number is meant


@pytest.fixture
def desk(sqlite_gate: Gate) -> Desk:
    return Desk(sqlite_gate)


def test_a_number_is_a_change_if_there_is_one_and_else_a_task(desk):
    desk.gate.run("UPDATE sqlite_sequence SET seq = 999 WHERE name = 'outbox'")
    desk.gate.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', 1000)")
    desk.edit(1000, priority=7)
    assert desk.why(1001).startswith("Change 1001 (priority of task 1000)")
    assert desk.why(1000).startswith("Change 1001 (priority of task 1000)")
    assert "Nothing of task 1001 waits: live_tasks shows what the mirror has." == desk.why(
        1001, task=True
    )


def test_of_a_task_the_most_telling_change_speaks_and_the_others_are_counted(desk):
    desk.edit(priority=7)
    desk.edit(name="x")
    desk.take(2, "failed", error="no")
    assert (
        "Change 2 (name of task 1000) failed: no; syncd queue retry 2 tries it again,"
        " syncd queue cancel 2 drops it; 1 more of this task: syncd queue list --task 1000."
    ) == desk.why(1000)


def test_a_task_with_nothing_queued_tells_how_it_stands(desk):
    desk.edit(priority=7)
    desk.take(1, "confirmed")
    assert desk.why(1000).endswith("its last change is 1, confirmed.")
    assert "it is gone from the account (deleted)" in desk.why(1003)


def test_a_creation_is_named_by_its_ref(desk):
    desk.add(ref="r")
    assert 'Change 1 (a new task "x") goes with the next push.' == desk.why("r")
    desk.cancel(1)
    assert "Nothing of r waits: its last change is 1, cancelled." == desk.why("r")
    assert "was cancelled by cli:olena" in desk.why(1)


@pytest.mark.parametrize(
    ("named", "task", "said"),
    [
        (99, False, "neither a change nor a task 99"),
        (99, True, "no task 99"),
        (2**70, False, "neither"),
        ("r", False, "no task with the ref 'r'"),
    ],
)
def test_what_is_neither_is_refused(desk, named, task, said):
    with pytest.raises(ConfigError, match=said):
        desk.why(named, task=task)
