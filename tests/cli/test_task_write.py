"""`syncd task add|edit|done|reopen`: what the options mean, and what a person is told."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from syncd.store.engine import open_database
from syncd.store.live.texts import TEXTS
from tests.cli.desk import Desk, a_mirror
from tests.live.conftest import Gate


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_mirror(tmp_path_factory.mktemp("mirror"))


@pytest.fixture
def desk(prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    folder = shutil.copytree(prepared.parent, tmp_path / "home")
    url = f"sqlite:///{folder / 'syncd.db'}"
    with closing(open_database(url)) as database:
        yield Desk(Gate(database, url), folder / "syncd.toml", capsys)


CHANGE = {
    *("id", "operation", "task_id", "ref", "task", "state", "fields", "base", "attempts"),
    *("next_attempt_at", "error_code", "error", "created_at", "created_by", "batch"),
    *("sent_at", "applied_at", "confirmed_at", "depends_on", "why"),
}


def test_every_option_of_edit_is_a_column_of_the_gate(desk):
    desk.syncd(
        *("task", "edit", "1000", "--title", "New", "--assignee", "olena@acme.example"),
        *("--priority", "9", "--start", "2026-01-02", "--due", "2026-03-04"),
        *("--closed", "2026-03-05", "--estimate-hours", "1.5", "--estimate-money", "100"),
        *("--tag", "éa", "--tag", "a,b", "--untag", "Done"),
    )
    ((operation, fields, _),) = desk.gate.said()
    assert "update" == operation
    assert {
        "name": "New",
        "assignee_email": "olena@acme.example",
        "priority": 9,
        "date_start": "2026-01-02",
        "date_end": "2026-03-04",
        "date_closed": "2026-03-05",
        "max_time": 1.5,
        "max_money": 100,
        "tags": [1, 3, 8],
    } == fields


@pytest.mark.parametrize(("word", "stored"), [("anyone", "ANY"), ("Nobody", "NOONE")])
def test_anyone_and_nobody_are_the_account_s_own_two(desk, word, stored):
    desk.syncd("task", "edit", "1000", "--assignee", word)
    assert {"assignee_email": stored} == desk.gate.changes()[0]["fields"]


def test_clear_sets_to_nothing_and_an_empty_text_does_not(desk):
    cleared = ("due", "estimate-hours", "assignee", "tags")
    desk.syncd("task", "edit", "1000", *(word for one in cleared for word in ("--clear", one)))
    assert {"date_end": None, "max_time": None, "assignee_email": "NOONE", "tags": []} == (
        desk.gate.changes()[0]["fields"]
    )
    for option, key in (("--due", "date_end"), ("--estimate-hours", "max_time")):
        assert TEXTS[key] == desk.refusal("task", "edit", "1000", option, "")[0]
    assert 1 == len(desk.gate.changes())


def test_every_option_of_add_is_a_column_of_the_gate(desk):
    desk.syncd(
        *("task", "add", "--project", "10", "--title", "New", "--text", "a text", "--ref", "r"),
        *("--author", "olena@acme.example", "--assignee", "anyone", "--priority", "2"),
        *("--start", "2026-01-02", "--due", "2026-03-04", "--estimate-hours", "1"),
        *("--estimate-money", "2", "--tag", "Done", "--checklist", "one, two"),
        *("--checklist", "three", "--subscribe", "olena@acme.example"),
        *("--hidden", "petro@acme.example", "--mention", "petro@acme.example"),
    )
    (change,) = desk.gate.changes()
    assert ("create", "r") == (change["operation"], change["ref"])
    assert {
        "project_id": 10,
        "level": 1,
        "name": "New",
        "text": "a text",
        "author_email": "olena@acme.example",
        "assignee_email": "ANY",
        "priority": 2,
        "date_start": "2026-01-02",
        "date_end": "2026-03-04",
        "max_time": 1,
        "max_money": 2,
        "tags": [2],
        "checklist": ["one, two", "three"],
        "subscribers": ["olena@acme.example"],
        "hidden": ["petro@acme.example"],
        "mentions": ["petro@acme.example"],
    } == change["fields"]


def test_a_subtask_names_its_parent_by_number_or_ref(desk):
    desk.syncd("task", "add", "--parent", "1000", "--title", "child", "--ref", "c")
    desk.syncd("task", "add", "--parent", "c", "--title", "grandchild")
    one, other = (change["fields"] for change in desk.gate.changes())
    assert (1000, "c") == (one["parent_id"], other["parent_ref"])


def test_a_person_is_told_what_was_queued_and_what_happens_next(desk):
    said = desk.syncd("task", "edit", "1000", "--priority", "9")
    assert (
        'Queued change 1: priority of task 1000 "Task 1000": priority 5 → 9\n',
        "Change 1 (priority of task 1000) goes with the next push.\n",
    ) == (said.out, said.err)
    assert f"cli:{getpass.getuser()}" == desk.gate.changes()[0]["created_by"]
    said = desk.syncd("task", "edit", "1000", "--priority", "9")
    assert ("Nothing to queue: task 1000 is so already\n", "") == (said.out, said.err)


def test_repeating_a_creation_says_that_it_stands(desk):
    words = ("task", "add", "--project", "10", "--title", "x", "--ref", "r")
    assert 'Queued change 1: a new task "x"\n' == desk.syncd(*words).out
    assert "'r' is change 1: a new task \"x\" already; nothing was queued\n" == (
        desk.syncd(*words).out
    )
    again = desk.syncd(*words, "--json").document
    assert (False, [1]) == (again["new"], [change["id"] for change in again["changes"]])


def test_several_tasks_are_completed_and_reopened(desk):
    desk.syncd("task", "done", "1000", "1001")
    desk.syncd("task", "reopen", "1004")
    assert ["complete", "complete", "reopen"] == [row["operation"] for row in desk.gate.changes()]


def test_too_many_at_once_are_said_to_be_stopped_by_the_brake(desk):
    said = desk.syncd("task", "edit", "1000", "--title", "x")
    assert "brake" not in said.err
    desk.gate.run("UPDATE live_tasks SET priority = 9")
    said = desk.syncd("task", "done", "1001")
    assert "The brake: 5 changes were queued by one statement; more than 4 are held" in said.err


def test_the_document_has_stable_keys(desk):
    told = desk.syncd("task", "done", "1000", "1004", "--json").document
    assert {"changes", "unchanged", "new", "brake"} == set(told)
    (change,) = told["changes"]
    assert set(change) == CHANGE
    assert ({"status": "done"}, {"status": "active"}) == (change["fields"], change["base"])
    assert [1004] == told["unchanged"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("edit", "99", "--priority", "1"), "There is no task 99 in the mirror."),
        (("edit", "1003", "--priority", "1"), "Task 1003 is gone from the account (deleted)"),
        (("edit", "r", "--priority", "1"), "There is no task with the ref 'r'."),
        (("edit", "1000"), "Say what is to change."),
        (("edit", "1000", "--due", "2026-01-01", "--clear", "due"), "both set and cleared"),
        (("edit", "1000", "--clear", "title"), "Invalid value for '--clear'"),
        (("done", "1000", "99"), "There is no task 99 in the mirror."),
        (("done",), "Missing argument"),
        (("add", "--project", "10"), TEXTS["name"]),
        (("add", "--title", "x"), TEXTS["project_missing"]),
        (("add", "--title", "x", "--project", "ten"), TEXTS["project_id"]),
    ],
)
def test_what_cannot_be_is_two_lines_and_queues_nothing(desk, words, said):
    assert said in desk.refusal("task", *words)[0]
    assert [] == desk.gate.changes()


def test_without_a_mirror_nothing_is_made(desk):
    path = desk.gate.db.path
    desk.gate.db.close()
    path.unlink()
    what, do = desk.refusal("task", "edit", "1000", "--priority", "1")
    assert "does not exist" in what
    assert "syncd pull" in do
    assert not path.exists()


def test_a_file_goes_along_as_it_was(desk, tmp_path):
    offer = tmp_path / "offer.pdf"
    offer.write_bytes(b"%PDF")
    desk.syncd("task", "add", "--project", "10", "--title", "New", "--attach", str(offer))
    offer.unlink()
    kept = desk.gate.rows("SELECT change_id, name, content_type, content FROM outbox_files")
    assert [(1, "offer.pdf", "application/pdf", b"%PDF")] == [tuple(row.values()) for row in kept]
    assert "attach[0]='offer.pdf'" in desk.syncd("plan").out


def test_a_ref_that_stands_takes_no_second_file(desk, tmp_path):
    offer = tmp_path / "offer.pdf"
    offer.write_bytes(b"%PDF")
    for _ in range(2):
        words = ("--project", "10", "--title", "New", "--ref", "a", "--attach", str(offer))
        desk.syncd("task", "add", *words)
    assert 1 == len(desk.gate.rows("SELECT id FROM outbox_files"))


def test_a_file_that_is_not_there_is_refused(desk, tmp_path):
    missing = str(tmp_path / "none.pdf")
    said = desk.syncd(
        "task", "add", "--project", "10", "--title", "New", "--attach", missing, code=2
    )
    assert "none.pdf" in said.err
    assert [] == desk.gate.rows("SELECT id FROM outbox")
