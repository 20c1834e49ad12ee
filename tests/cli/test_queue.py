"""`syncd queue` and `syncd why`: the words and documents, and that each option reaches its rule."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from syncd.store.engine import open_database
from tests.cli.desk import Desk, a_mirror
from tests.cli.test_task_write import CHANGE
from tests.live.conftest import Gate


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_mirror(tmp_path_factory.mktemp("mirror"))


@pytest.fixture
def desk(prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    folder = shutil.copytree(prepared.parent, tmp_path / "home")
    url = f"sqlite:///{folder / 'syncd.db'}"
    with closing(open_database(url)) as database:
        desk = Desk(Gate(database, url), folder / "syncd.toml", capsys)
        desk.gate.run("UPDATE live_tasks SET priority = 7, name = 'mine' WHERE id = 1000")
        yield desk


def into_conflict(desk: Desk) -> None:
    desk.gate.run("UPDATE tasks SET priority = 9, name = 'theirs' WHERE id = 1000")
    desk.take(1, "conflict", error_code="both", error="both sides changed it")


def test_the_list_has_a_line_for_each_change_and_why_it_waits(desk):
    desk.gate.run("UPDATE live_tasks SET date_end = NULL WHERE id = 1001")
    desk.take(2, "failed", error="no such tag")
    title, first, second = desk.syncd("queue", "list").out.splitlines()
    assert "id\ttask\tchange\tstate\tby\twhy" == title
    assert (
        "1\t1000 Task 1000\tname Task 1000 → mine, priority 5 → 7\tqueued\tsql:local"
        "\tgoes with the next push"
    ) == first
    assert "failed: no such tag; syncd queue retry 2 tries it again" in second


def test_the_list_is_filtered(desk):
    desk.gate.run("UPDATE live_tasks SET priority = 7 WHERE id = 1001")
    desk.take(1, "confirmed")
    found = {
        words: [
            one["id"] for one in desk.syncd("queue", "list", "--json", *words).document["changes"]
        ]
        for words in (
            (),
            ("--all",),
            ("--state", "confirmed"),
            ("--state", "confirmed", "--state", "queued"),
            ("--task", "1001"),
            ("--task", "r"),
        )
    }
    assert [[2], [1, 2], [1], [1, 2], [2], []] == list(found.values())


def test_the_documents_have_stable_keys(desk):
    told = desk.syncd("queue", "list", "--json").document
    assert {"total", "brake", "changes"} == set(told)
    assert [CHANGE | {"theirs"}] == [set(change) for change in told["changes"]]
    shown = desk.syncd("queue", "show", "1", "--json").document
    assert ({"change", "sides", "events"}, CHANGE) == (set(shown), set(shown["change"]))
    assert {
        *("field", "base", "mine", "theirs", "base_known", "theirs_known", "contested"),
        *("seen_at", "seen_by_run", "changed_by", "changed_at", "keep", "chosen_by"),
    } == set(shown["sides"][0])
    assert {"at", "from_state", "to_state", "actor", "detail"} == set(shown["events"][0])


def test_a_change_is_shown_with_its_three_sides_and_its_trail(desk):
    into_conflict(desk)
    said = desk.syncd("queue", "show", "1").out
    assert "priority: base 5; mine 7; theirs 9  (choose)" in said
    assert "syncd queue resolve 1 --keep mine" in said
    assert "queued by sql:local" in said
    assert "queued → conflict by sql:local" in said


def test_a_conflict_is_resolved_field_by_field(desk):
    into_conflict(desk)
    desk.syncd("queue", "resolve", "1", "--field", "name=theirs", "--field", "priority=mine")
    assert [("update", {"priority": 7}, {"priority": 9})] == desk.gate.said()
    assert "priority 7" not in desk.syncd("queue", "show", "1").out
    assert "reworded" in desk.syncd("queue", "show", "1").out


def test_a_conflict_is_resolved_at_once(desk):
    into_conflict(desk)
    said = desk.syncd("queue", "resolve", "1", "--keep", "theirs")
    assert said.out.startswith("Resolved change 1: ")
    assert "is cancelled" in said.err or "was cancelled" in said.err
    assert ["cancelled"] == desk.states()


def test_a_failed_change_is_tried_again(desk):
    desk.take(1, "failed")
    assert desk.syncd("queue", "retry", "1").out.startswith("Retrying change 1: ")
    assert ["queued"] == desk.states()


def test_changes_are_cancelled_by_number_batch_or_all(desk):
    batch = desk.gate.changes()[0]["batch"]
    desk.syncd("queue", "cancel", "--batch", batch)
    desk.gate.run("UPDATE live_tasks SET priority = 8 WHERE id = 1001")
    desk.gate.run("UPDATE live_tasks SET priority = 8 WHERE id = 1002")
    desk.syncd("queue", "cancel", "2")
    told = desk.syncd("queue", "cancel", "--all", "--json").document
    assert {"changes", "along", "left", "decided"} == set(told)
    assert [3] == [change["id"] for change in told["changes"]]
    assert ["cancelled"] * 3 == desk.states()
    assert "There was nothing to do.\n" == desk.syncd("queue", "cancel", "--all").out


def test_what_goes_along_and_what_is_left_is_said(desk):
    desk.take(1, "uncertain")
    desk.gate.run("INSERT INTO live_tasks (ref, project_id, name) VALUES ('r', 10, 'x')")
    desk.gate.run("UPDATE live_tasks SET priority = 9 WHERE ref = 'r'")
    assert "With the creation went what depends on it: change 3" in (
        desk.syncd("queue", "cancel", "2").out
    )
    assert "Left as it is, uncertain: change 1" in desk.syncd("queue", "cancel", "--all").out


def test_the_brake_is_told_of_and_let_go(desk):
    desk.gate.run("UPDATE live_tasks SET priority = 9")
    assert "The brake: 5 changes were queued by one statement" in desk.syncd("queue", "list").err
    said = desk.syncd("queue", "release", "--all")
    assert 6 == said.out.count("Released change")
    assert "brake" not in desk.syncd("queue", "list").err


def test_a_change_is_undone_and_what_stays_is_said(desk):
    desk.gate.run("UPDATE tasks SET name = 'mine', priority = 9 WHERE id = 1000")
    desk.take(1, "confirmed")
    said = desk.syncd("queue", "revert", "1")
    assert 'Queued change 2: name of task 1000 "mine": name mine → Task 1000\n' in said.out
    assert "Not undone: change 1, priority: it was changed since, to 9\n" in said.out
    batch = desk.gate.changes()[0]["batch"]
    told = desk.syncd("queue", "revert", "--batch", batch, "--force", "--json").document
    assert {"changes", "left"} == set(told)
    assert [{"priority": 5}] == [change["fields"] for change in told["changes"]]


def test_why_is_one_sentence(desk):
    assert "Change 1 (name, priority of task 1000) goes with the next push.\n" == (
        desk.syncd("why", "1").out
    )
    assert desk.syncd("why", "1").out == desk.syncd("why", "1000").out
    told = desk.syncd("why", "--task", "1000", "--json").document
    assert ({"about", "id", "sentence", "changes"}, "task") == (set(told), told["about"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("queue", "show", "99"), "There is no change 99."),
        (("queue", "show", "x"), "'x' is not a valid integer"),
        (("queue", "list", "--state", "lost"), "Invalid value for '--state'"),
        (("queue", "retry"), "Missing argument"),
        (("queue", "cancel"), "Say which changes"),
        (("queue", "cancel", "1", "--all"), "Say which changes"),
        (("queue", "release", "--batch", "b", "--all"), "Say which changes"),
        (("queue", "release", "1"), "Change 1 cannot be released: it is queued."),
        (("queue", "resolve", "1"), "Say --keep or --field"),
        (("queue", "resolve", "1", "--task", "5", "--keep", "mine"), "Say --keep or --field"),
        (("queue", "resolve", "1", "--field", "name"), "'name' is not NAME=mine"),
        (("queue", "resolve", "1", "--keep", "mine"), "there is no conflict to resolve"),
        (("queue", "revert"), "Say which changes"),
        (("queue", "revert", "1"), "nothing in the account to undo"),
        (("why",), "Name a change, or a task."),
        (("why", "1", "--task", "1000"), "Name a change, or a task."),
        (("why", "99"), "neither a change nor a task 99"),
    ],
)
def test_what_cannot_be_is_two_lines(desk, words, said):
    assert said in desk.refusal(*words)[0]
    assert ["queued"] == desk.states()
