"""`syncd task list` and `syncd task show`: the mirror's tasks, filtered and in full."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from syncd.bootstrap import build
from syncd.config import load
from syncd.sandbox import Account, Sandbox
from syncd.services.tasks import Wanted, list_tasks
from tests.support.home import Home, a_home
from tests.support.terminal import syncd_at_terminal

KEYS = {
    *("id", "project_id", "project", "parent_id", "level", "name", "status", "priority"),
    *("assignee_email", "assignee", "date_start", "date_end", "date_closed", "max_time"),
    *("max_money", "tags", "url", "overdue", "suspect", "removed_at", "removed_reason"),
}
DETAIL = {
    *("task", "author", "author_email", "text", "time_start", "time_end", "date_added"),
    *("added_at", "closed_at", "extra", "parents", "subtasks", "files", "relations", "versions"),
}
TODAY = datetime.now(UTC).date()


class Office:
    """A small account whose every task is known."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.olena = account.create_member("Олена", "Коваль", "Olena@Example.com")
        self.site = account.create_project("Website")
        self.shop = account.create_project("Web shop")
        self.late = account.create_task(
            self.site,
            "Друк афіші",
            assignee_id=self.olena,
            date_end=TODAY - timedelta(days=30),
            max_time=3,
            text="<b>Швидко</b>",
        )
        self.sub = account.create_task(self.site, "Ask\tthe\nprinter", parent_id=self.late)
        self.deep = account.create_task(self.site, "third level", parent_id=self.sub)
        self.anyone = account.create_task(self.shop, "[bold]shop[/bold]", assignee_id=2)
        self.done = account.create_task(self.shop, "Old matter")
        account.complete_task(self.done)
        account.add_relation("finish-to-start", self.anyone, self.late)
        account.add_file(self.late, "poster.pdf", size=5)


@pytest.fixture
def office() -> Office:
    return Office(Account())


@pytest.fixture
def home(office: Office, tmp_path):
    with Sandbox(office.account) as box:
        home = a_home(tmp_path, box)
        home.pull()
        yield home


def ids(home: Home, *words: str) -> list[int]:
    return [one["id"] for one in home.syncd("task", "list", "--json", *words).document["tasks"]]


def test_the_list_has_active_tasks_each_above_its_subtasks(home: Home, office: Office) -> None:
    assert [office.anyone, office.late, office.sub, office.deep] == ids(home)


def test_the_document_has_stable_keys(home: Home) -> None:
    told = home.syncd("task", "list", "--json").expect(0).document
    assert {"as_of", "total", "tasks"} == set(told)
    assert all(KEYS == set(task) for task in told["tasks"])


def test_the_filters(home: Home, office: Office) -> None:
    o = office
    wanted = {
        ("--project", str(o.shop)): [o.anyone],
        ("--project", "WEBSITE"): [o.late, o.sub, o.deep],
        ("--project", "shop", "--status", "all"): [o.anyone, o.done],
        ("--status", "done"): [o.done],
        ("--assignee", "olena@example.com"): [o.late],
        ("--assignee", "anyone"): [o.anyone],
        ("--assignee", "nobody"): [o.sub, o.deep],
        ("--overdue",): [o.late],
        ("--search", "ДРУК"): [o.late],
        ("--limit", "1"): [o.anyone],
    }
    assert wanted == {words: ids(home, *words) for words in wanted}


def test_a_limit_tells_how_many_there_are(home: Home) -> None:
    done = home.syncd("task", "list", "--limit", "1").expect(0)
    assert "1 of 4 tasks" in done.stderr


def test_outside_a_terminal_columns_are_separated_by_tabs(home: Home, office: Office) -> None:
    lines = home.syncd("task", "list").expect(0).stdout.splitlines()
    assert "id\ttask\tproject\tstatus\tprio\tassignee\tdue" == lines[0]
    assert {6} == {line.count("\t") for line in lines}
    assert f"{office.sub}\tAsk the printer\tWebsite\tactive\t1\tnobody\t" in lines


def test_a_terminal_shows_the_tree_and_takes_no_markup_from_the_account(home: Home) -> None:
    env = {"TERM": "xterm", "COLUMNS": "80"}
    with syncd_at_terminal("task", "list", cwd=home.folder, env=env) as terminal:
        assert terminal.end() == 0
    screen = re.sub(r"\x1b\[[0-9;]*m", "", terminal.screen)
    assert "[bold]shop[/bold]" in screen
    assert "    third level" in screen
    assert all(len(line) <= 80 for line in screen.splitlines())


def test_a_removed_task_is_listed_on_request_with_the_reason(home: Home, office: Office) -> None:
    office.account.delete_task(office.done)
    home.pull()
    assert office.done not in ids(home, "--status", "all")
    assert [office.done] == ids(home, "--removed")
    assert "deleted" in home.syncd("task", "list", "--removed").expect(0).stdout


def test_the_account_s_own_day_decides_what_is_overdue(
    home: Home,
) -> None:
    db = build(load(home.config, {})).db
    due = TODAY - timedelta(days=30)
    for today, expected in ((due, 0), (due + timedelta(days=1), 1)):
        assert expected == list_tasks(db, Wanted(today=today, overdue=True)).total
    db.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--project", "nothing"), "There is no project 'nothing' in the mirror."),
        (("list", "--project", "web"), "names several projects"),
        (("list", "--assignee", "x@y.z"), "Nobody in the mirror has the address x@y.z."),
        (("list", "--status", "open"), "Invalid value for '--status'"),
        (("list", "--limit", "0"), "Invalid value for '--limit'"),
        (("show", "5"), "There is no task 5 in the mirror."),
        (("show", "five"), "'five' is not a valid integer"),
    ],
)
def test_what_is_not_there_is_one_clear_line(home: Home, words: tuple[str, ...], said: str) -> None:
    done = home.syncd("task", *words).expect(2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout == ""


def test_one_task_is_shown_with_everything_around_it(home: Home, office: Office) -> None:
    told = home.syncd("task", "show", str(office.late), "--json").expect(0).document
    assert (DETAIL, KEYS) == (set(told), set(told["task"]))
    assert "3" == told["task"]["max_time"]
    assert [office.sub] == [one["id"] for one in told["subtasks"]]
    assert [{"id": told["files"][0]["id"], "name": "poster.pdf", "size": 5}] == [
        {key: one[key] for key in ("id", "name", "size")} for one in told["files"]
    ]
    (relation,) = told["relations"]
    assert ("before", office.anyone) == (relation["side"], relation["task"]["id"])
    assert (told["task"]["overdue"], len(told["versions"])) == (True, 1)


def test_a_subtask_names_those_above_it(home: Home, office: Office) -> None:
    told = home.syncd("task", "show", str(office.deep), "--json").expect(0).document
    assert [office.late, office.sub] == [one["id"] for one in told["parents"]]


def test_the_past_of_a_task_is_told_version_by_version(home: Home, office: Office) -> None:
    account = office.account
    account.edit_task(office.late, name="Друк плаката", date_end=date(2030, 1, 1))
    account.remove_relation("finish-to-start", office.anyone, office.late)
    home.pull()
    said = home.syncd("task", "show", str(office.late)).expect(0).stdout
    assert 'name: "Друк афіші" → "Друк плаката"' in said
    assert "→ 2030-01-01" in said
    assert f"relations: {office.anyone} finish-to-start {office.late} → none" in said
    told = home.syncd("task", "show", str(office.late), "--json").expect(0).document
    first, last = told["versions"]
    assert (first["valid_to"], last["valid_to"]) == (last["valid_from"], None)
    assert {"name", "date_end", "relations"} == {one["name"] for one in last["changes"]}


def test_a_task_that_is_gone_can_still_be_shown(home: Home, office: Office) -> None:
    office.account.delete_task(office.done)
    home.pull()
    assert ": deleted" in home.syncd("task", "show", str(office.done)).expect(0).stdout
