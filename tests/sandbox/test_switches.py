"""Each switch that no other file of tests turns, and the rate limit."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, Switches

from .peer import Peer, an_account


@pytest.fixture
def top(box):
    task = min(box.account.tasks)
    box.account.tag_task(task, min(box.account.tags))
    return task


def truth(box, task):
    return box.account.snapshot()["tasks"][task]


def test_every_switch_is_turned_by_some_test():
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    missing = [f.name for f in fields(Switches) if not re.search(rf"\b{f.name}\b", text)]
    assert missing == []


def test_every_switch_says_what_it_is_for():
    source = Path(__file__).parents[2] / "syncd" / "sandbox" / "switches.py"
    found = re.findall(r'^    (\w+): .*\n    """', source.read_text(), re.M)
    assert found == [f.name for f in fields(Switches)]


def test_omit_empty_data(box, peer):
    box.set(omit_empty_data=True)
    assert peer.ask("get_events", period="1m", id_project=8562)["data"]
    assert peer.ask("get_webhooks") == {"status": "ok"}
    box.account.archive_project(8562)
    assert peer.ask("get_all_tasks") == {"status": "ok"}
    assert "data" in peer.ask("get_users")


@pytest.mark.parametrize(
    ("mode", "plain", "asked"),
    [
        ("map", {"72565": "To-do"}, {"72565": "To-do"}),
        ("extra", None, {"72565": "To-do"}),
        ("names", ["To-do"], ["To-do"]),
        ("never", None, None),
    ],
)
def test_tags_in_lists(box, peer, top, mode, plain, asked):
    box.set(tags_in_lists=mode)
    assert peer.data("get_all_tasks")[0].get("tags") == plain
    assert peer.data("get_all_tasks", extra="tags")[0].get("tags") == asked
    assert peer.data("get_task", id_task=top)["tags"] == {"72565": "To-do"}


def test_tags_in_children(box, peer):
    leaf = max(box.account.tasks)
    box.account.tag_task(leaf, min(box.account.tags))

    def child_tags():
        top = peer.data("get_all_tasks", extra="subtasks,tags")[0]
        return top["child"][0]["child"][0].get("tags")

    assert child_tags() == {"72565": "To-do"}
    box.set(tags_in_children=False)
    assert child_tags() is None


@pytest.mark.parametrize(("mode", "expected"), [("absent", None), ("list", []), ("map", {})])
def test_tags_when_empty(box, peer, mode, expected):
    box.set(tags_when_empty=mode)
    assert peer.data("get_all_tasks")[0].get("tags") == expected


def test_has_comments_always(box, peer):
    assert "has_comments" not in peer.data("get_all_tasks")[0]
    box.set(has_comments_always=True)
    assert peer.data("get_all_tasks")[0]["has_comments"] == 0


def test_escape_entities(box, peer):
    assert peer.data("get_all_tasks")[0]["name"] == "Top <1>"
    box.set(escape_entities=True)
    task = peer.data("get_all_tasks")[0]
    assert (task["name"], task["project"]["name"]) == ("Top &lt;1&gt;", "Owl &amp; Co")


def test_email_case_varies(box, peer):
    box.set(email_case_varies=True)
    assert peer.data("get_all_tasks")[0]["user_from"]["email"] == "Owner@Example.Com"
    assert peer.data("get_users")[0]["email"] == "owner@example.com"


def test_pending_listed(box, peer):
    box.account.suspend_project(8562)
    assert len(peer.data("get_all_tasks")) == 1
    box.set(pending_listed=False)
    assert peer.data("get_all_tasks") == []


def test_archived_by_id(box, peer, top):
    box.account.archive_project(8562)
    assert peer.data("get_task", id_task=top)["id"] == str(top)
    box.set(archived_by_id=False)
    assert peer.refused("get_task", id_task=top)[0] == 5
    assert peer.refused("get_tasks", id_project=8562)[0] == 4
    assert peer.data("get_project", id_project=8562)["status"] == "archive"


def test_date_closed_lingers(box, peer):
    leaf = max(box.account.tasks)
    box.account.complete_task(leaf)
    box.account.reopen_task(leaf)
    assert "date_closed" not in peer.data("get_task", id_task=leaf)
    box.set(date_closed_lingers=True)
    task = peer.data("get_task", id_task=leaf)
    assert (task["status"], task["date_closed"]) == ("active", "2026-01-15 12:00")
    assert truth(box, leaf)["date_closed"] is None


def test_assignee_reset_on_omit(box, peer, top):
    box.account.edit_task(top, assignee_id=2)
    peer.data("update_task", id_task=top, priority=2)
    assert truth(box, top)["assignee_id"] == 2
    box.set(assignee_reset_on_omit=True)
    peer.data("update_task", id_task=top, priority=3, email_user_to="ANY")
    assert truth(box, top)["assignee_id"] == 2
    peer.data("update_task", id_task=top, priority=4)
    assert truth(box, top)["assignee_id"] == 1


@pytest.mark.parametrize("mode", ["clear", "keep", "error"])
def test_empty_value(box, peer, top, mode):
    box.set(empty_value=mode)
    peer.data("update_task", id_task=top, dateend="01.02.2026", max_time=2)
    answer = peer.ask("update_task", id_task=top, dateend="", max_time="", tags="")
    after = truth(box, top)
    cleared = (after["date_end"], after["max_time"], after["tags"]) == (None, None, set())
    kept = bool(after["date_end"] and after["max_time"] and after["tags"])
    assert (answer["status"], cleared, kept) == {
        "clear": ("ok", True, False),
        "keep": ("ok", False, True),
        "error": ("error", False, True),
    }[mode]


@pytest.mark.parametrize(("mode", "expected"), [("clear", None), ("keep", 2), ("store", 0)])
def test_zero_limit(box, peer, top, mode, expected):
    box.set(zero_limit=mode)
    peer.data("update_task", id_task=top, max_money=2)
    peer.data("update_task", id_task=top, max_money=0)
    assert truth(box, top)["max_money"] == expected
    assert peer.data("get_task", id_task=top).get("max_money") == expected


def test_update_task_tags(box, peer, top):
    box.set(update_task_tags="ignore")
    peer.data("update_task", id_task=top, tags="Done & gone")
    assert truth(box, top)["tags"] == {72565}
    box.set(update_task_tags="overwrite")
    peer.data("update_task", id_task=top, tags="Done & gone")
    assert truth(box, top)["tags"] == {72566}


def test_bad_date(box, peer, top):
    assert peer.refused("update_task", id_task=top, dateend="2026-02-01")[0] == 11
    box.set(bad_date="ignore")
    assert "date_end" not in peer.data("update_task", id_task=top, dateend="2026-02-01")


@pytest.mark.parametrize(("mode", "expected"), [("clamp", "10"), ("ignore", "1"), ("error", None)])
def test_bad_priority(box, peer, top, mode, expected):
    box.set(bad_priority=mode)
    answer = peer.ask("update_task", id_task=top, priority=99)
    assert answer.get("data", {}).get("priority") == expected


def test_assignee_must_be_member(box, peer, top):
    sent = {"id_task": top, "email_user_to": "ann@example.com"}
    box.set(assignee_must_be_member=True)
    assert peer.refused("update_task", **sent) == (11, "Invalid email", "ann@example.com")
    assert peer.data("update_task", id_task=top, email_user_to="ANY")["user_to"]["id"] == "2"
    peer.ask("add_project_members", id_project=8562, members="ann@example.com")
    assert peer.data("update_task", **sent)["user_to"]["email"] == "ann@example.com"


def test_tag_case_matters(box, peer, top):
    box.set(tag_case_matters=True)
    assert peer.refused("update_task_tags", id_task=top, minus="to-do")[0] == 16
    assert peer.ask("update_task_tags", id_task=top, minus="To-do") == {"status": "ok"}


def test_complete_reply(box, peer):
    box.set(complete_reply="stale")
    leaf = max(box.account.tasks)
    assert peer.data("complete_task", id_task=leaf)["status"] == "active"
    assert truth(box, leaf)["status"] == "done"


@pytest.mark.parametrize("form", ["429", "200", "503"])
@pytest.mark.parametrize("retry", [None, 3])
def test_rate_limit(form, retry):
    seconds = [0.0]
    switches = Switches(rate_limit=form, requests_per_second=2.0, retry_after_s=retry)
    with Sandbox(an_account(), switches=switches, monotonic=lambda: seconds[0]) as box:
        peer = Peer(box)
        assert [peer.send("get_users").json()["status"] for _ in range(2)] == ["ok", "ok"]
        refused = peer.send("get_users")
        seconds[0] = 1.0
        assert peer.ask("get_users")["status"] == "ok"
    assert refused.status_code == int(form)
    assert refused.headers.get("Retry-After") == (None if retry is None else "3")
    if form != "503":
        assert refused.json() == {"status": "error", "message": "Too many requests"}
    assert box.log.entries()[2].outcome == "too many requests"


@pytest.mark.parametrize(("scope", "expected"), [("account", "error"), ("key", "ok")])
def test_rate_scope(scope, expected):
    switches = Switches(rate_limit="200", rate_scope=scope)
    with Sandbox(an_account(), switches=switches, monotonic=lambda: 0.0) as box:
        peer = Peer(box)
        assert peer.ask("get_users")["status"] == "ok"
        url = f"{box.url}/api/oauth2?action=get_users"
        token = box.oauth.grant()["access_token"]
        other = peer.session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert other.json()["status"] == expected
        assert peer.ask("get_users")["status"] == "error"
