"""Every fault and every lie, over real HTTP."""

from typing import get_args

import msgspec
import pytest
import requests

from syncd.sandbox import Fault, Sandbox
from syncd.sandbox.auth import md5_hash
from syncd.sandbox.faults import INSTEAD, Kind
from syncd.sandbox.lies import LIES

from .peer import Peer


@pytest.fixture
def top(box):
    return min(box.account.tasks)


def renamed(box, top):
    return box.account.tasks[top].name == "New"


def test_every_kind_is_handled():
    assert set(get_args(Kind)) == INSTEAD | set(LIES) | {"delay", "cut_body"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_dropped_connection_before_or_after_the_effect(box, peer, top, when, reset):
    box.faults.add(Fault("drop", "update_task", when=when, reset=reset, count=1))
    with pytest.raises(requests.ConnectionError):
        peer.ask("update_task", id_task=top, title="New")
    entry = box.log.entries()[-1]
    assert (entry.outcome, entry.effect) == ("dropped", when == "after")
    assert renamed(box, top) == (when == "after")
    assert peer.ask("get_users")["status"] == "ok"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_an_http_error_before_or_after_the_effect(box, peer, top, when, status):
    box.faults.add(Fault("http_status", status=status, retry_after="7", when=when, count=1))
    answer = peer.send("update_task", id_task=top, title="New")
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert renamed(box, top) == (when == "after")


def test_the_login_page_with_200(box, peer):
    box.faults.add(Fault("html_login"))
    answer = peer.send("get_users")
    assert (answer.status_code, "html" in answer.headers["Content-Type"]) == (200, True)


def test_any_error_of_the_application(box, peer):
    box.faults.add(Fault("error", code=20, message="Quota exceeded", count=1))
    box.faults.add(Fault("error", message="Odd", count=1))
    assert peer.refused("get_users") == (20, "Quota exceeded", None)


@pytest.mark.parametrize("retry", [None, "2"])
def test_too_many_requests(box, peer, retry):
    box.faults.add(Fault("too_many_requests", retry_after=retry))
    answer = peer.send("get_users")
    assert answer.json() == {"status": "error", "message": "Too many requests"}
    assert answer.headers.get("Retry-After") == retry


def test_over_the_limit(box, peer):
    box.faults.add(Fault("over_limit", "get_all_tasks"))
    assert peer.refused("get_all_tasks")[1] == "Too many tasks (10000 max)"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_body_cut_short_of_its_length(box, peer, top, encoding):
    box.faults.add(Fault("cut_body", "update_task", keep=0.5))
    peer.session.headers["Accept-Encoding"] = encoding
    with pytest.raises(requests.RequestException):
        peer.ask("update_task", id_task=top, title="New")
    assert renamed(box, top)


def test_a_body_cut_with_an_honest_length(box, peer):
    box.faults.add(Fault("cut_body", keep=100, honest_length=True, count=2))
    peer.session.headers["Accept-Encoding"] = "identity"
    assert len(peer.send("get_users").content) == 100
    peer.session.headers["Accept-Encoding"] = "gzip"
    assert peer.send("get_users").headers["Content-Length"] == "100"


def test_garbage(box, peer):
    box.faults.add(Fault("garbage", count=1), Fault("garbage", value="<xml/>", skip=1))
    answer = peer.send("get_users")
    assert answer.headers["Content-Type"].startswith("application/json")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert peer.send("get_users").text == "<xml/>"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay_outlasts_the_client(box, top, when):
    box.faults.add(Fault("delay", "update_task", seconds=60, when=when))
    query = f"action=update_task&id_task={top}&title=New"
    url = f"{box.url}/api/admin/v2?{query}&hash={md5_hash(query, box.key)}"
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, timeout=0.05)


def test_a_short_delay_only_delays(box, peer):
    box.faults.add(Fault("delay", seconds=0.01))
    assert peer.ask("get_users")["status"] == "ok"
    assert box.log.entries()[-1].outcome == "ok"
    assert box.log.entries()[-1].seconds >= 0.01


def test_connections_refused_and_then_served_again_on_the_same_port(box, peer):
    url = box.url
    with box.refusing(), pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    assert box.url == url
    assert peer.ask("get_users")["status"] == "ok"


@pytest.mark.parametrize(
    ("rule", "pattern"),
    [
        ({"nth": 2}, ".x..."),
        ({"skip": 2}, "..xxx"),
        ({"count": 2}, "xx..."),
        ({"skip": 1, "count": 1}, ".x..."),
        ({"action": "get_*"}, "xxxxx"),
        ({"action": "post_*"}, "....."),
        ({"parameters": {"extra": "3"}}, "...x."),
        ({"probability": 0.0}, "....."),
    ],
)
def test_which_requests_a_rule_strikes(box, peer, rule, pattern):
    box.faults.add(Fault("error", **rule))
    struck = "".join(
        "x" if peer.ask("get_users", extra=number)["status"] == "error" else "."
        for number in range(5)
    )
    assert struck == pattern
    assert box.faults.struck() == pattern.count("x")


def test_probability_depends_on_nothing_but_the_seed(box, peer):
    def run(seed):
        box.faults.clear()
        box.faults.add(Fault("error", probability=0.5, seed=seed))
        return [peer.ask("get_users")["status"] for _ in range(12)]

    assert run(1) == run(1)
    assert len(set(run(1))) == 2


@pytest.fixture
def lie(box, peer):
    project = min(box.account.projects)
    box.account.create_task(project, "Second")
    other = box.account.create_project("Other")
    box.account.create_task(other, "Third")

    def tell(kind, **rule):
        box.faults.clear()
        box.faults.add(Fault(kind, "get_all_tasks", **rule))
        return peer.ask("get_all_tasks", extra="subtasks")

    return tell


def test_lists_that_are_not_whole(lie, box):
    assert lie("empty_list") == {"status": "ok", "data": []}
    assert lie("no_data") == {"status": "ok"}
    assert len(lie("cut_list")["data"]) == 1
    assert len(lie("cut_list", records=2)["data"]) == 2
    assert [t["name"] for t in lie("missing_project")["data"]] == ["Third"]
    named = lie("missing_project", value=max(box.account.projects))["data"]
    assert [t["name"] for t in named] == ["Top <1>", "Second"]
    assert not any("child" in t for t in lie("missing_subtasks")["data"])


def test_records_that_come_twice(lie):
    same = lie("duplicate_same")["data"]
    assert same[0] == same[-1]
    other = lie("duplicate_other", records=2)["data"]
    assert len(other) == 5
    assert (other[0]["id"], other[-2]["name"]) == (other[-2]["id"], "Top <1> (other)")


def test_fields_that_change(lie):
    first = lie("retyped_field", field="priority", value=["7"], records=1)["data"]
    assert [t["priority"] for t in first] == [["7"], "1", "1"]
    gone = lie("vanished_field", field="user_to")["data"]
    assert not any("user_to" in t for t in (*gone, gone[0]["child"][0]))
    new = lie("unknown_field")["data"][0]["child"][0]
    assert new["sprint"] == {"id": "7"}
    assert lie("unknown_field", field="x", value=1)["data"][0]["x"] == 1
    assert {t["priority"] for t in lie("priority_99")["data"]} == {"99"}
    assert next(t["status"] for t in lie("wrong_status", records=1)["data"]) == "paused"
    deep = lie("four_levels", records=2)["data"][1]
    assert deep["child"][0]["child"][0]["child"][0]["name"].startswith("Level too deep")


def test_a_lie_leaves_the_account_and_the_next_answer_alone(box, peer):
    before = box.account.snapshot()
    first = peer.send("get_all_tasks", extra="subtasks").content
    box.faults.add(Fault("missing_subtasks", "get_all_tasks", count=1))
    assert peer.send("get_all_tasks", extra="subtasks").content != first
    assert peer.send("get_all_tasks", extra="subtasks").content == first
    assert box.account.snapshot() == before


def test_a_lie_does_not_touch_errors_and_files(box, peer, top):
    file_id = box.account.add_file(top, "x.json", b'{"status":"ok","data":[1]}')
    box.faults.add(Fault("empty_list"))
    assert peer.refused("get_task", id_task=1)[0] == 5
    assert peer.send("download", id_file=file_id).content == b'{"status":"ok","data":[1]}'


def test_a_lie_may_come_with_an_effect(box, peer, top):
    box.faults.add(Fault("no_data", "update_task"))
    assert peer.ask("update_task", id_task=top, title="New") == {"status": "ok"}
    assert renamed(box, top)


def test_faults_are_data():
    fault = Fault("retyped_field", "get_*", field="priority", value=[7], parameters={"a": "b"})
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(fault)), Fault) == fault
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "flood"}, Fault)


def test_faults_can_be_given_at_the_start():
    with Sandbox(faults=(Fault("error", message="Down"),)) as box:
        assert Peer(box).refused("get_users")[1] == "Down"
