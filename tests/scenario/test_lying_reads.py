"""A read that lies leaves the mirror as it was, is called what it is, and the next one heals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from syncd.errors import AccountError, BadReply, Refused, SyncdError, Unanswered
from syncd.model.reports import PullReport
from syncd.sandbox import Account, Fault
from tests.support.mirror import MIRROR_TABLES, Mirror, assert_mirror_equals, dump

EXTRA = ("subtasks", "relations", "files", "text")
# Where a row stands as a suspect is what a lie may leave behind until the next honest answer; the
# hash and the time of reading go with it.
READING = ("suspect_at", "observed_at", "content_hash")
THE_LIST = "get_all_tasks"


def account() -> Account:
    return Account.seeded(tasks=120, seed=6)


@pytest.fixture
def mirror(a_mirror) -> Mirror:
    """A mirror that is complete, on each of the databases."""
    return complete(a_mirror)


@pytest.fixture
def sqlite_mirror(a_sqlite_mirror) -> Mirror:
    """The same, where what is shown is decided before a database is asked."""
    return complete(a_sqlite_mirror)


def complete(make: Callable[..., Mirror]) -> Mirror:
    made = make(account(), extra=EXTRA)
    assert made.pull().outcome == "complete"
    return made


def intact(mirror: Mirror) -> dict[str, list[str]]:
    """The whole content of the mirror."""
    return dump(mirror.database_url, MIRROR_TABLES, without=READING)


def heal(mirror: Mirror) -> None:
    """One honest pull makes everything good again."""
    mirror.box.faults.clear()
    report = mirror.pull()
    assert (report.outcome, report.notes) == ("complete", ())
    assert_mirror_equals(mirror)
    assert mirror.suspects() == set()
    assert mirror.value("SELECT count(*) AS n FROM quarantine") == 0


def last_run(mirror: Mirror) -> dict[str, Any]:
    return mirror.rows("SELECT * FROM sync_runs ORDER BY id DESC LIMIT 1")[0]


# --- an answer that is no answer: the run fails, and not a byte of the mirror moves

NO_ANSWER: dict[str, tuple[Fault, type[SyncdError]]] = {
    "a cut body": (Fault("cut_body", THE_LIST, keep=0.5), Unanswered),
    "a cut body of the right length": (
        Fault("cut_body", THE_LIST, keep=0.5, honest_length=True),
        Unanswered,
    ),
    "a body cut at its last byte": (
        Fault("cut_body", THE_LIST, keep=0.999, honest_length=True),
        Unanswered,
    ),
    "nothing at all": (Fault("cut_body", THE_LIST, keep=0, honest_length=True), Unanswered),
    "a login page with 200": (Fault("html_login", THE_LIST), BadReply),
    "bytes that are no JSON": (Fault("garbage", THE_LIST), BadReply),
    "JSON of another shape": (Fault("garbage", THE_LIST, value='{"tasks":[]}'), BadReply),
    "JSON that is no object": (Fault("garbage", THE_LIST, value="[]"), BadReply),
    "a list that is none": (
        Fault("garbage", THE_LIST, value='{"status":"ok","data":{"1":{"id":"1"}}}'),
        BadReply,
    ),
    "a text for a list": (
        Fault("garbage", THE_LIST, value='{"status":"ok","data":"none"}'),
        BadReply,
    ),
    "half a character": (
        Fault("garbage", THE_LIST, value='{"status":"ok","data":[{"id":"1","name":"\\ud83d"}]}'),
        BadReply,
    ),
    "a number beyond all numbers": (
        Fault("garbage", THE_LIST, value='{"status":"ok","data":[{"id":1e999}]}'),
        BadReply,
    ),
    "a nest of a thousand levels": (
        Fault("garbage", THE_LIST, value='{"status":"ok","data":' + "[" * 3000 + "]" * 3000 + "}"),
        BadReply,
    ),
    "an error with 200": (Fault("error", THE_LIST, code=7, message="No such thing"), Refused),
    "an error without a code": (Fault("error", THE_LIST, message="Something went wrong"), Refused),
    "an error page": (Fault("http_status", THE_LIST, status=500), Unanswered),
    "a hung up connection": (Fault("drop", THE_LIST), Unanswered),
    "a reset connection": (Fault("drop", THE_LIST, reset=True), Unanswered),
    "a status of another type in all": (
        Fault("retyped_field", THE_LIST, field="status", value=1),
        BadReply,
    ),
    "ids of another type in all": (
        Fault("retyped_field", THE_LIST, field="id", value={"no": 1}),
        BadReply,
    ),
    "dates of another type in all": (
        Fault("retyped_field", THE_LIST, field="date_added", value="yesterday"),
        BadReply,
    ),
    "people of another type in all": (
        Fault("retyped_field", THE_LIST, field="user_to", value="Olena"),
        BadReply,
    ),
    "projects of another type in all": (
        Fault("retyped_field", THE_LIST, field="project", value=[]),
        BadReply,
    ),
    "a priority out of range in all": (Fault("priority_99", THE_LIST), BadReply),
    "a status nobody knows in all": (Fault("wrong_status", THE_LIST), BadReply),
    "every id vanished": (Fault("vanished_field", THE_LIST, field="id"), BadReply),
    "every name vanished": (Fault("vanished_field", THE_LIST, field="name"), BadReply),
    "every page vanished": (Fault("vanished_field", THE_LIST, field="page"), BadReply),
    "every status vanished": (Fault("vanished_field", THE_LIST, field="status"), BadReply),
    "every priority vanished": (Fault("vanished_field", THE_LIST, field="priority"), BadReply),
    "every project vanished": (Fault("vanished_field", THE_LIST, field="project"), BadReply),
}


@pytest.mark.parametrize(("fault", "kind"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_what_is_no_answer_fails_the_run_and_writes_nothing(sqlite_mirror, fault, kind):
    mirror = sqlite_mirror
    before = intact(mirror)
    mirror.account.rename_task(min(mirror.live()), "Renamed meanwhile")
    mirror.box.faults.add(fault)
    with pytest.raises(kind) as caught:
        mirror.pull()
    assert caught.value.exit_code == 4
    assert isinstance(caught.value, AccountError)
    assert caught.value.message
    assert before == dump(mirror.database_url, without=READING)
    assert set() == mirror.suspects()
    row = last_run(mirror)
    assert ("failed", caught.value.message) == (row["outcome"], row["error"])
    heal(mirror)


# --- a list that leaves something out: nothing is removed, and the run says partial

LEFT_OUT = {
    "an empty list": Fault("empty_list", THE_LIST),
    "a missing data key": Fault("no_data", THE_LIST),
    "half a list": Fault("cut_list", THE_LIST),
    "a list of one": Fault("cut_list", THE_LIST, records=1),
    "all but the last few": Fault("cut_list", THE_LIST, records=44),
    "one project missing": Fault("missing_project", THE_LIST),
    "all subtasks missing": Fault("missing_subtasks", THE_LIST),
    "the subtasks of some missing": Fault("missing_subtasks", THE_LIST, records=12),
    "one child list of another type": Fault(
        "retyped_field", THE_LIST, field="child", value="x", records=12
    ),
    "one id of another type": Fault("retyped_field", THE_LIST, field="id", value="x", records=1),
}


@pytest.mark.parametrize("fault", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_a_list_leaves_out_stays(mirror, fault):
    stays(mirror, fault, allow_removals=False)


@pytest.mark.parametrize("fault", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_a_list_leaves_out_stays_where_removals_are_allowed(sqlite_mirror, fault):
    stays(sqlite_mirror, fault, allow_removals=True)


def stays(mirror: Mirror, fault: Fault, *, allow_removals: bool) -> None:
    """The tasks that the account has and a list leaves out become suspects and no more."""
    before = intact(mirror)
    mirror.box.faults.add(fault)
    report = mirror.pull(allow_removals=allow_removals)
    assert 1 == mirror.box.faults.struck()
    assert before == intact(mirror)
    assert {} == mirror.removed()
    assert mirror.suspects()
    says_partial(mirror, report, "missing", "leaves out")
    heal(mirror)


def says_partial(mirror: Mirror, report: PullReport, *words: str) -> None:
    """Not green, in the report, in the exit code and on record; and it says why."""
    assert ("partial", 3) == (report.outcome, report.exit_code)
    assert any(word in note for note in report.notes for word in words), report.notes
    row = last_run(mirror)
    detail = row["detail"] if isinstance(row["detail"], dict) else json.loads(row["detail"])
    assert ("partial", list(report.notes)) == (row["outcome"], detail["notes"])


def test_an_empty_list_trips_the_brake_even_of_a_tiny_account(a_mirror):
    small = Account.seeded(tasks=3, seed=6, delayed=0, archived=0, pending=0)
    mirror = a_mirror(small)
    mirror.pull()
    mirror.box.faults.add(Fault("empty_list", THE_LIST))
    report = mirror.pull()
    assert {} == mirror.removed()
    says_partial(mirror, report, "missing", "leaves out")


def test_an_empty_list_of_an_empty_account_is_complete(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=0, seed=6))
    for _ in range(2):
        report = mirror.pull()
        assert ("complete", 0) == (report.outcome, len(mirror.live()))


@pytest.mark.parametrize("kind", ["empty_list", "no_data"])
def test_an_empty_first_answer_is_believed_only_until_the_next(a_mirror, kind):
    mirror = a_mirror(account())
    mirror.box.faults.add(Fault(kind, THE_LIST, count=1))
    mirror.pull()
    assert set() == mirror.live()
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)


# --- records that make no sense: they wait in quarantine, their last good version stays

Spoiler = dict[str, Any]
NONSENSE: dict[str, Fault] = {
    "a priority of 99": Fault("priority_99", THE_LIST, records=1),
    "a status nobody knows": Fault("wrong_status", THE_LIST, records=1),
    "three statuses nobody knows": Fault("wrong_status", THE_LIST, records=3),
    "a status of another type": Fault(
        "retyped_field", THE_LIST, field="status", value={}, records=1
    ),
    "a name that is an object": Fault(
        "retyped_field", THE_LIST, field="name", value={"en": "x"}, records=1
    ),
    "a date that is none": Fault(
        "retyped_field", THE_LIST, field="date_added", value="2025-02-30 10:00", records=1
    ),
    "a date that is a number": Fault(
        "retyped_field", THE_LIST, field="date_added", value=20250101, records=1
    ),
    "a person who is a text": Fault(
        "retyped_field", THE_LIST, field="user_to", value="Olena", records=1
    ),
    "a person of an impossible id": Fault(
        "retyped_field", THE_LIST, field="user_to", value={"id": "9" * 25}, records=1
    ),
    "a project that is a text": Fault(
        "retyped_field", THE_LIST, field="project", value={"id": "x"}, records=1
    ),
    "a text that is a list": Fault("retyped_field", THE_LIST, field="text", value=[1], records=1),
    "a name with a NUL": Fault(
        "retyped_field", THE_LIST, field="name", value="a\u0000b", records=1
    ),
    "a text with a NUL": Fault(
        "retyped_field", THE_LIST, field="text", value="a\u0000b", records=1
    ),
    "an unknown field with a NUL": Fault(
        "unknown_field", THE_LIST, field="sprint", value={"a\u0000": "\u0000"}, records=1
    ),
    "a name that vanished": Fault("vanished_field", THE_LIST, field="name", records=1),
    "a page that vanished": Fault("vanished_field", THE_LIST, field="page", records=1),
}


@pytest.mark.parametrize("fault", NONSENSE.values(), ids=NONSENSE)
def test_a_record_that_makes_no_sense_is_set_aside(sqlite_mirror, fault):
    mirror = sqlite_mirror
    before = intact(mirror)
    mirror.box.faults.add(fault)
    report = mirror.pull()
    assert before == intact(mirror)
    says_partial(mirror, report, "could not be understood")
    rows = mirror.rows("SELECT kind, record_id, reason, raw FROM quarantine")
    assert len(rows) == fault.records
    assert all(row["kind"] == "task" and row["reason"] for row in rows)
    assert {int(row["record_id"]) for row in rows} <= mirror.live()
    assert all(json.loads(row["raw"])["id"] == row["record_id"] for row in rows)
    assert set() == mirror.suspects()
    heal(mirror)


def test_a_text_that_spells_out_a_nul_is_a_text(mirror):
    task = min(mirror.live())
    mirror.account.edit_text(task, r"In JSON \u0000 is written \\u0000")
    mirror.account.rename_task(task, r"\u0000")
    assert ("complete", ()) == ((report := mirror.pull()).outcome, report.notes)
    assert_mirror_equals(mirror)


def test_the_rest_of_the_answer_goes_on(mirror):
    spoilt, renamed = sorted(mirror.live())[0], sorted(mirror.live())[-1]
    mirror.box.faults.add(Fault("priority_99", THE_LIST, records=1))
    mirror.account.rename_task(renamed, "Renamed meanwhile")
    mirror.account.rename_task(spoilt, "Renamed too")
    report = mirror.pull()
    names = {row["id"]: row["name"] for row in mirror.rows("SELECT id, name FROM tasks")}
    assert "Renamed meanwhile" == names[renamed]
    assert 1 == report.counts["updated"]
    heal(mirror)


# Values at which a database, and not the reader, would give up.
IMPOSSIBLE: dict[str, tuple[str, Any]] = {
    "a number of 40 digits": ("max_money", 10**39),
    "a number of 40 decimals": ("max_time", "0." + "1" * 40),
    "a negative number of 40 digits": ("max_money", "-" + "9" * 40),
    "a date of the year 1": ("date_added", "0001-01-01 00:00"),
    "a date of the year 9999": ("date_added", "9999-12-30 23:59"),
    "a tag of an impossible id": ("tags", {"9" * 25: "x"}),
    "a tag that is a list": ("tags", [["x"]]),
    "relations that are a list": ("relations", [1]),
    "relations to nothing": ("relations", {"to": ["x"]}),
    "a relation to an impossible id": (
        "relations",
        {"to": [{"type": "finish-to-start", "task": {"id": "9" * 25}}]},
    ),
    "a relation of an unknown type": (
        "relations",
        {"to": [{"type": "finish-to-finish", "task": {"id": "7"}}]},
    ),
    "files that are a text": ("files", "x"),
    "a file that is a text": ("files", ["x"]),
    "a file of an impossible size": (
        "files",
        [{"id": "999", "name": "x", "page": "/x/", "size": "9" * 19}],
    ),
    "a file of an impossible id": (
        "files",
        [{"id": "9" * 25, "name": "x", "page": "/x/", "size": "1"}],
    ),
    "two files of one id": (
        "files",
        [{"id": "999", "name": name, "page": "/x/", "size": "1"} for name in "ab"],
    ),
    "a name with a NUL": ("name", "a\0b"),
    "a text with a NUL": ("text", "a\0b"),
    "an unknown field with a NUL": ("sprint", {"a\0": "\0"}),
    "a name of a megabyte": ("name", "ї" * 1_000_000),
    "a text of a megabyte": ("text", "🦉" * 1_000_000),
    "an extra that nests": ("sprint", json.loads("[" * 90 + "]" * 90)),
    "an extra with a huge number": ("sprint", 10**400),
    "a page of another host": ("page", "https://elsewhere.example/"),
}


@pytest.mark.parametrize(("field", "value"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_value_that_no_database_takes_spoils_its_own_task_alone(mirror, field, value):
    before = {row["id"]: row for row in mirror.rows("SELECT * FROM tasks")}
    spoilt: list[int] = []
    mirror.box.faults.add(
        Fault("garbage", THE_LIST, value=with_value(mirror, field, value, spoilt))
    )
    report = mirror.pull()
    assert report.outcome in ("complete", "partial")
    after = {row["id"]: row for row in mirror.rows("SELECT * FROM tasks")}
    others = before.keys() - set(spoilt)
    assert [id for id in others if before[id] != after[id]] == []
    assert {} == mirror.removed()
    heal(mirror)


def with_value(mirror: Mirror, field: str, value: Any, spoilt: list[int]) -> str:
    """The account's list as it is sent, with one field of its first task set to a value."""
    answer = honest_answer(mirror)
    first = answer["data"][0]
    spoilt.append(int(first["id"]))
    first[field] = value
    if field == "tags" or field == "relations":
        spoilt.extend(int(task["id"]) for task in answer["data"][1:2])
    return json.dumps(answer)


def honest_answer(mirror: Mirror) -> dict[str, Any]:
    """What the account would answer to a pull, decoded by nobody of ours."""
    from tests.sandbox.peer import Peer

    extra = ",".join((*EXTRA, "tags"))
    answer: dict[str, Any] = Peer(mirror.box).ask(THE_LIST, extra=extra)
    return answer


# --- records that come twice


@pytest.mark.parametrize("records", [1, 5])
def test_a_record_that_comes_twice_is_counted_once(mirror, records):
    before = intact(mirror)
    mirror.box.faults.add(Fault("duplicate_same", THE_LIST, records=records))
    report = mirror.pull()
    assert before == intact(mirror)
    says_partial(mirror, report, "twice")
    heal(mirror)


def test_a_record_that_comes_twice_differently_is_believed_in_neither_form(mirror):
    before = intact(mirror)
    mirror.box.faults.add(Fault("duplicate_other", THE_LIST, records=1))
    report = mirror.pull()
    assert before == intact(mirror)
    says_partial(mirror, report, "twice")
    (row,) = mirror.rows("SELECT * FROM quarantine")
    assert "twice" in row["reason"]
    heal(mirror)


def test_of_two_forms_of_a_record_the_first_is_believed_no_more_than_the_second(mirror):
    before = intact(mirror)
    answer = honest_answer(mirror)
    answer["data"].insert(0, answer["data"][0] | {"name": "Another", "child": []})
    mirror.box.faults.add(Fault("garbage", THE_LIST, value=json.dumps(answer)))
    report = mirror.pull()
    assert before == intact(mirror)
    says_partial(mirror, report, "twice")
    heal(mirror)


def test_a_level_too_deep_is_set_aside_and_the_rest_kept(mirror):
    before = mirror.live()
    mirror.box.faults.add(Fault("four_levels", THE_LIST, records=1))
    report = mirror.pull()
    says_partial(mirror, report, "could not be understood")
    (row,) = mirror.rows("SELECT reason FROM quarantine")
    assert "three levels" in row["reason"]
    made_up = mirror.live() - before
    assert 2 == len(made_up)
    assert mirror.value("SELECT max(level) AS n FROM tasks") == 3
    mirror.box.faults.clear()
    report = mirror.pull()
    assert ("complete", made_up) == (report.outcome, set(mirror.removed()))
    assert_mirror_equals(mirror)


# --- a field that vanishes, one that appears

OPTIONAL = {
    "text": "text",
    "user_to": "assignee_id",
    "user_from": "author_id",
    "date_added": "date_added",
    "date_start": "date_start",
    "time_start": "time_start",
    "date_end": "date_end",
    "time_end": "time_end",
    "date_closed": "date_closed",
    "max_time": "max_time",
    "max_money": "max_money",
    "tags": "tags",
    "files": "files",
    "relations": "relations",
}


@pytest.mark.parametrize(("key", "name"), OPTIONAL.items(), ids=OPTIONAL)
def test_a_field_that_vanished_from_all_records_is_not_cleared(sqlite_mirror, key, name):
    mirror = sqlite_mirror
    before = intact(mirror)
    mirror.box.faults.add(Fault("vanished_field", THE_LIST, field=key))
    report = mirror.pull()
    assert before == intact(mirror)
    says_partial(mirror, report, f"{name} is missing from the whole answer")
    mirror.account.rename_task(task := min(mirror.live()), "Renamed meanwhile")
    report = mirror.pull()
    says_partial(mirror, report, f"{name} is missing from the whole answer")
    query = f"SELECT name FROM tasks WHERE id = {task}"
    assert "Renamed meanwhile" == mirror.value(query)
    heal(mirror)


@pytest.mark.parametrize("key", ["date_end", "max_money", "files", "relations", "tags"])
def test_the_last_value_of_a_field_may_still_be_taken_away(a_mirror, key):
    account = Account.seeded(tasks=0, seed=1)
    project = account.create_project("P")
    task, other = account.create_task(project, "T"), account.create_task(project, "U")
    undo = give(account, key, task, other)
    mirror = a_mirror(account)
    mirror.pull()
    assert_mirror_equals(mirror)
    undo()
    report = mirror.pull()
    assert ("complete", ()) == (report.outcome, report.notes)
    assert_mirror_equals(mirror)


def give(account: Account, key: str, task: int, other: int) -> Callable[[], object]:
    """Set one field of a task, and return how it is taken away again."""
    from datetime import date
    from decimal import Decimal

    tag = next(iter(account.tags))
    if key == "date_end":
        account.edit_task(task, date_end=date(2026, 5, 1))
        return lambda: account.edit_task(task, date_end=None)
    if key == "max_money":
        account.edit_task(task, max_money=Decimal(5))
        return lambda: account.edit_task(task, max_money=None)
    if key == "files":
        file = account.add_file(task, "x.pdf", size=1)
        return lambda: account.remove_file(file)
    if key == "relations":
        account.add_relation("finish-to-start", task, other)
        return lambda: account.remove_relation("finish-to-start", task, other)
    account.tag_task(task, tag)
    return lambda: account.untag_task(task, tag)


def test_an_unknown_field_is_kept_and_costs_nothing(mirror):
    mirror.box.faults.add(Fault("unknown_field", THE_LIST, field="sprint", value={"id": "7"}))
    report = mirror.pull()
    assert ("complete", ()) == (report.outcome, report.notes)
    documents = [row["extra"] for row in mirror.rows("SELECT extra FROM tasks")]
    found = [doc if isinstance(doc, dict) else json.loads(doc) for doc in documents]
    assert [{"sprint": {"id": "7"}}] * len(mirror.live()) == found
    heal(mirror)


def test_a_relation_of_an_unknown_type_is_kept_as_sent(mirror):
    answer = honest_answer(mirror)
    edge = {"type": "finish-to-finish", "task": {"id": answer["data"][1]["id"]}}
    answer["data"][0]["relations"] = {"to": [edge]}
    mirror.box.faults.add(Fault("garbage", THE_LIST, value=json.dumps(answer)))
    mirror.pull()
    document = mirror.value(f"SELECT extra FROM tasks WHERE id = {answer['data'][0]['id']}")
    found = document if isinstance(document, dict) else json.loads(document)
    assert {"relations": [edge]} == found


# --- the small kinds lie as well


@pytest.mark.parametrize("action", ["get_projects", "get_users", "get_task_tags"])
@pytest.mark.parametrize("kind", ["empty_list", "no_data", "cut_list"])
def test_a_catalogue_that_lies_takes_nothing_away(sqlite_mirror, action, kind):
    mirror = sqlite_mirror
    before = dump(mirror.database_url, without=READING)
    mirror.box.faults.add(Fault(kind, action, records=1))
    report = mirror.pull()
    assert before == intact(mirror)
    if action != "get_projects":  # a project is asked for itself, and answers
        says_partial(mirror, report, "missing from the account's answer")
    heal(mirror)


@pytest.mark.parametrize("action", ["get_users", "get_task_tags"])
def test_an_empty_catalogue_takes_nothing_away_however_few_there_are(a_sqlite_mirror, action):
    few = Account.seeded(tasks=0, seed=1, members=4)
    for tag in list(few.tags)[3:]:
        few.delete_tag(tag)
    mirror = a_sqlite_mirror(few)
    mirror.pull()
    mirror.box.faults.add(Fault("empty_list", action))
    report = mirror.pull()
    says_partial(mirror, report, "missing from the account's answer")
    mirror.box.faults.clear()
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)


@pytest.mark.parametrize("action", ["get_projects", "get_users", "get_task_tags"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("html_login", "*"),
        Fault("garbage", "*", value='{"status":"ok","data":"x"}'),
        Fault("error", "*", code=3, message="Not today"),
        Fault("retyped_field", "*", field="id", value={}),
    ],
    ids=["html", "text", "error", "retyped"],
)
def test_a_catalogue_that_makes_no_sense_is_named(sqlite_mirror, action, fault):
    mirror = sqlite_mirror
    from dataclasses import replace

    before = intact(mirror)
    mirror.box.faults.add(replace(fault, action=action))
    mirror.account.rename_task(min(mirror.live()), "Renamed meanwhile")
    try:
        report = mirror.pull()
    except AccountError:
        assert before == intact(mirror)
    else:
        assert "partial" == report.outcome
        assert any(action.split("_")[-1].rstrip("s") in note for note in report.notes)
        assert dump(mirror.database_url, ["projects", "members", "tags"]) == {
            table: before[table] for table in ("projects", "members", "tags")
        }
    heal(mirror)
