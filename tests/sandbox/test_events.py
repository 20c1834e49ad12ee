from datetime import date

import pytest

from .peer import TODAY


@pytest.fixture
def top(box):
    box.account.events.clear()
    return min(box.account.tasks)


def last(peer):
    return peer.data("get_events", period="1h")[-1]


def test_an_update_tells_what_changed_and_only_that(box, peer, top):
    ann = sorted(box.account.members)[1]
    box.account.edit_task(top, priority=7, assignee_id=ann, date_end=date(2026, 2, 1))
    project = box.account.tasks[top].project_id
    assert peer.data("get_events", period="1h") == [
        {
            "action": "update",
            "object": {"type": "task", "id": str(top), "page": f"/project/{project}/{top}/"},
            "date_added": f"{TODAY} 12:00",
            "user_from": {"id": "3993", "email": "owner@example.com", "name": "Олена Owner"},
            "new": {
                "priority": "7",
                "user_to": {"id": str(ann), "email": "ann@example.com", "name": "Ann O'Neill"},
                "date_end": "2026-02-01",
            },
            "old": {
                "priority": "1",
                "user_to": {"id": "1", "email": "NOONE", "name": "Executive isn't assigned"},
                "date_end": "",
            },
        }
    ]


def test_tags_are_arrays_of_names(box, peer, top):
    first, second = sorted(box.account.tags)[:2]
    box.account.set_task_tags(top, [first, second])
    event = last(peer)
    assert event["new"] == {"tags": ["To-do", "Done & gone"]}
    assert event["old"] == {"tags": []}


@pytest.mark.parametrize(
    ("edit", "action", "kind"),
    [
        (lambda a: a.complete_task(331896), "close", "task"),
        (lambda a: a.delete_task(331896), "delete", "task"),
        (lambda a: a.add_comment(331894, "x"), "post", "comment"),
        (lambda a: a.delete_comment(a.add_comment(331894, "x")), "delete", "comment"),
        (lambda a: a.archive_project(8562), "close", "project"),
        (lambda a: a.rename_project(8562, "x"), "update", "project"),
        (lambda a: a.create_project("x"), "post", "project"),
        (lambda a: a.create_task(8562, "x"), "post", "task"),
    ],
)
@pytest.mark.usefixtures("top")
def test_kinds_of_events(box, peer, edit, action, kind):
    edit(box.account)
    event = last(peer)
    assert (event["action"], event["object"]["type"]) == (action, kind)
    if action in ("close", "delete"):
        assert not {"new", "old"} & set(event)


def test_a_comments_event_has_the_page_of_its_task(box, peer, top):
    comment = box.account.add_comment(top, "x")
    assert last(peer)["object"] == {
        "type": "comment",
        "id": str(comment),
        "page": f"/project/8562/{top}/",
    }


def test_events_are_oldest_first_and_within_the_period(box, peer, top):
    for number in range(3):
        box.account.rename_task(top, str(number))
        box.account.clock.pass_time(minutes=10)
    names = [e["new"]["title"] for e in peer.data("get_events", period="25m")]
    assert names == ["1", "2"]


@pytest.mark.parametrize("period", ["1m", "360m", "72h", "30d", "1d1h"])
def test_periods(peer, period):
    assert peer.ask("get_events", period=period)["status"] == "ok"


@pytest.mark.parametrize("period", ["60d", "0m", "361m", "73h", "1w", "d", "1.5h", "x", ""])
def test_bad_periods(peer, period):
    assert peer.refused("get_events", period=period) == (10, "Field is required", "period")


def test_one_project_only(box, peer, top):
    other = box.account.create_project("Other")
    box.account.rename_task(top, "x")
    assert len(peer.data("get_events", period="1h", id_project=8562)) == 1
    assert len(peer.data("get_events", period="1h", id_project=other)) == 1
    assert peer.refused("get_events", period="1h", id_project=1)[0] == 4


@pytest.mark.parametrize(
    ("switch", "edit", "default"),
    [
        ("events_subtask_creation", lambda a: a.create_task(8562, "x", parent_id=331894), True),
        ("events_moves", lambda a: a.move_task(331896), False),
        ("events_task_deletes", lambda a: a.delete_task(331896), True),
        ("events_text_edits", lambda a: a.edit_text(331896, "x"), True),
        ("events_tag_changes", lambda a: a.tag_task(331896, 72565), True),
        ("events_without_change", lambda a: a.edit_task(331896, priority=1), True),
    ],
)
@pytest.mark.usefixtures("top")
def test_what_is_not_known_to_be_reported(box, peer, switch, edit, default):
    edit(box.account)
    assert len(peer.data("get_events", period="1h")) == int(default)
    box.set(**{switch: not default})
    assert len(peer.data("get_events", period="1h")) == int(not default)


def test_the_key_of_a_rename(box, peer, top):
    box.account.rename_task(top, "x")
    assert last(peer)["new"] == {"title": "x"}
    box.set(events_rename_key="name")
    assert last(peer)["old"] == {"name": "Top <1>"}


def test_a_delayed_tasks_events_do_not_show(box, peer, top):
    box.account.rename_task(top, "x")
    box.account.delay_task(top)
    assert peer.data("get_events", period="1h") == []


def test_an_update_of_tags_alone_is_one_event(peer, top):
    peer.data("update_task", id_task=top, tags="To-do")
    assert [e["new"] for e in peer.data("get_events", period="1h")] == [{"tags": ["To-do"]}]
    peer.data("update_task", id_task=top, tags="To-do")
    assert "new" not in last(peer)
    peer.data("update_task", id_task=top, tags="Done & gone", priority=5)
    assert last(peer)["new"] == {"priority": "5"}


def test_nothing_from_the_future(box, peer, top):
    box.account.rename_task(top, "x")
    box.account.clock.pass_time(minutes=-5)
    assert peer.data("get_events", period="1h") == []
