"""The Python API, and that all three ways in are refused in the same words."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import syncd
from syncd import Client
from syncd.client import ChangeRefused
from syncd.errors import ConfigError, NoMirror
from syncd.store.engine import open_database
from syncd.store.live.texts import TEXTS
from tests.cli.desk import Desk, a_mirror
from tests.live.conftest import Gate


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_mirror(tmp_path_factory.mktemp("mirror"))


@pytest.fixture
def config(prepared: Path, tmp_path: Path) -> Path:
    return shutil.copytree(prepared.parent, tmp_path / "home") / prepared.name


@pytest.fixture
def gate(config: Path) -> Iterator[Gate]:
    url = f"sqlite:///{config.parent / 'syncd.db'}"
    with closing(open_database(url)) as database:
        yield Gate(database, url)


@pytest.fixture
def client(config: Path) -> Iterator[Client]:
    with Client(config) as client:
        yield client


def test_a_script_edits_creates_completes_and_reopens(client):
    edit = client.edit(1000, priority=9, date_end=None, add_tags=["éa"], remove_tags=["Done"])
    assert {"priority": 9, "date_end": None, "tags": "To-do,éa"} == edit.fields
    new = client.add(project=10, name="x", ref="r", checklist=["one"])
    assert ("create", "r") == (new.operation, new.ref)
    child = client.add(parent="r", name="y")
    assert new.id == child.depends_on
    assert "complete" == client.done("r").operation
    assert "reopen" == client.reopen(1004).operation
    assert None is client.reopen(1004) is client.edit(1001, priority=5)
    assert new == client.add(project=10, name="x", ref="r")


def test_a_script_reads_the_queue(client, gate):
    client.edit(1000, priority=9)
    client.edit(1001, priority=9)
    gate.move(gate.changes()[0]["id"], "confirmed")
    assert [1001] == [change.task_id for change in client.changes()]
    assert 2 == len(client.changes(settled=True))
    assert [1000] == [change.task_id for change in client.changes(states=["confirmed"])]
    assert () == client.changes(task=1002)
    assert client.why(task=1001).endswith("goes with the next push.")
    assert "is in the account" in client.why(change=gate.changes()[0]["id"])
    with pytest.raises(ConfigError):
        client.why()


def test_the_status_has_calls_of_its_own(client):
    with pytest.raises(ConfigError, match="edit does not set the status"):
        client.edit(1000, status="done")


def test_without_a_mirror_there_is_no_client(tmp_path):
    config = tmp_path / "syncd.toml"
    config.write_text('[account]\nurl = "https://acme.worksection.com"\napi_key = "k"\n')
    config.chmod(0o600)
    with pytest.raises(NoMirror):
        Client(config)
    assert not (tmp_path / "syncd.db").exists()


def test_importing_the_package_loads_nothing_else():
    words = "import sys, syncd; print(sorted(m for m in sys.modules if m.startswith('syncd.')))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


def test_the_package_has_no_other_surprises():
    assert sorted(syncd.__all__) == ["Client", "__version__"]
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        syncd.Server  # noqa: B018 - the access is what is tested


EDITS = [
    ("name", "name = ' '", ["--title", " "], {"name": " "}),
    ("priority", "priority = 11", ["--priority", "11"], {"priority": 11}),
    ("priority", "priority = 'high'", ["--priority", "high"], {"priority": "high"}),
    (
        "assignee_email",
        "assignee_email = 'x@y'",
        ["--assignee", "x@y"],
        {"assignee_email": "x@y"},
    ),
    ("date_start", "date_start = 'soon'", ["--start", "soon"], {"date_start": "soon"}),
    ("date_end", "date_end = '2026-02-30'", ["--due", "2026-02-30"], {"date_end": "2026-02-30"}),
    ("date_closed", "date_closed = ''", ["--closed", ""], {"date_closed": ""}),
    ("max_time", "max_time = -1", ["--estimate-hours", "-1"], {"max_time": -1}),
    ("max_money", "max_money = 'much'", ["--estimate-money", "much"], {"max_money": "much"}),
    ("tags_unknown", "tags = 'To-do,Nope'", ["--tag", "Nope"], {"add_tags": ["Nope"]}),
    ("tags_removed", "tags = '#6'", ["--tag", "#6"], {"add_tags": ["#6"]}),
]


@pytest.mark.parametrize(("key", "assignment", "words", "fields"), EDITS)
def test_an_edit_is_refused_in_the_same_words_by_sql_command_and_api(
    config, gate, client, capsys, key, assignment, words, fields
):
    with pytest.raises(ChangeRefused) as caught:
        client.edit(1000, **fields)
    by_command = Desk(gate, config, capsys).refusal("task", "edit", "1000", *words)[0]
    by_sql = gate.refusal(f"UPDATE live_tasks SET {assignment} WHERE id = 1000")
    assert {TEXTS[key]} == {caught.value.message, by_command, by_sql}
    assert [] == gate.changes()


CREATIONS = [
    ("name", "(10, '', NULL)", ["--project", "10"], {"project": 10, "name": ""}),
    ("project_id", "(99, 'x', NULL)", ["--project", "99"], {"project": 99}),
    ("parent_id", "(NULL, 'x', 99)", ["--parent", "99"], {"parent": 99}),
    ("parent_level", "(NULL, 'x', 1002)", ["--parent", "1002"], {"parent": 1002}),
    ("parent_done", "(NULL, 'x', 1004)", ["--parent", "1004"], {"parent": 1004}),
    (
        "parent_project",
        "(11, 'x', 1000)",
        ["--project", "11", "--parent", "1000"],
        {"project": 11, "parent": 1000},
    ),
    ("project_missing", "(NULL, 'x', NULL)", [], {}),
]


@pytest.mark.parametrize(("key", "values", "words", "fields"), CREATIONS)
def test_a_creation_is_refused_in_the_same_words_by_sql_command_and_api(
    config, gate, client, capsys, key, values, words, fields
):
    title = [] if key == "name" else ["--title", "x"]
    with pytest.raises(ChangeRefused) as caught:
        client.add(**{"name": "x"} | fields)
    by_command = Desk(gate, config, capsys).refusal("task", "add", *title, *words)[0]
    by_sql = gate.refusal(f"INSERT INTO live_tasks (project_id, name, parent_id) VALUES {values}")
    assert {TEXTS[key]} == {caught.value.message, by_command, by_sql}
    assert [] == gate.changes()


def test_a_file_goes_along(config: Path, gate: Gate, tmp_path: Path) -> None:
    offer = tmp_path / "offer.pdf"
    offer.write_bytes(b"%PDF")
    with Client(config) as client:
        client.add(project=10, name="New", attach=[offer])
    assert 1 == len(gate.rows("SELECT id FROM outbox_files WHERE name = 'offer.pdf'"))
