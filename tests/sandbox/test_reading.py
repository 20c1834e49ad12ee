from datetime import date, time
from decimal import Decimal

import pytest

from .peer import NOON, TODAY


@pytest.fixture
def ids(box):
    return sorted(box.account.tasks)


def test_a_full_task_has_the_shape_of_the_sheet(box, peer, ids):
    account = box.account
    ann = sorted(account.members)[1]
    tag = min(account.tags)
    account.edit_task(
        ids[0],
        date_start=date(2026, 2, 1),
        date_end=date(2026, 2, 3),
        time_start=time(8),
        time_end=time(18, 30),
        max_time=Decimal("352"),
        max_money=Decimal("12.5"),
        assignee_id=ann,
        priority=7,
    )
    account.tag_task(ids[0], tag)
    account.subscribe(ids[0], ann)
    file_id = account.add_file(ids[0], "req.doc", size=27136)
    comment_id = account.add_comment(ids[0], "hm", by=ann)
    other = account.create_task(account.tasks[ids[0]].project_id, "Next")
    account.add_relation("finish-to-start", other, ids[0])
    project = account.tasks[ids[0]].project_id
    extras = "text, files, comments,relations, subscribers,tags"
    found = peer.data("get_tasks", id_project=project, extra=extras)[0]
    page = f"/project/{project}/{ids[0]}/"
    owner = {"id": "3993", "email": "owner@example.com", "name": "Олена Owner"}
    person = {"id": str(ann), "email": "ann@example.com", "name": "Ann O'Neill"}
    assert found == {
        "id": str(ids[0]),
        "name": "Top <1>",
        "page": page,
        "status": "active",
        "priority": "7",
        "user_from": owner,
        "user_to": person,
        "project": {"id": str(project), "name": "Owl & Co", "page": f"/project/{project}/"},
        "text": "one\r\ntwo",
        "date_added": "2026-01-15 12:00",
        "date_start": "2026-02-01",
        "date_end": "2026-02-03",
        "time_start": "08:00",
        "time_end": "18:30",
        "max_time": 352,
        "max_money": 12.5,
        "tags": {str(tag): "To-do"},
        "subscribers": [person],
        "files": [
            {
                "id": str(file_id),
                "page": f"/download/{file_id}/",
                "name": "req.doc",
                "size": "27136",
            }
        ],
        "has_comments": 1,
        "comments": [
            {
                "id": str(comment_id),
                "page": f"{page}#com{comment_id}",
                "text": "hm",
                "date_added": "2026-01-15 12:00",
                "user_from": person,
            }
        ],
        "relations": {
            "from": [
                {
                    "type": "finish-to-start",
                    "task": {
                        "id": str(other),
                        "name": "Next",
                        "page": f"/project/{project}/{other}/",
                        "status": "active",
                        "priority": "1",
                    },
                }
            ]
        },
    }


def test_what_is_unset_is_absent(peer):
    keys = set(peer.data("get_all_tasks")[0])
    always = "id name page status priority user_from user_to project date_added"
    assert keys == set(always.split())


def test_a_new_task_is_nobodys_with_priority_1(peer):
    task = peer.data("get_all_tasks")[0]
    assert task["priority"] == "1"
    assert task["user_to"] == {"id": "1", "email": "NOONE", "name": "Executive isn't assigned"}


def test_lists_hold_top_level_tasks_unless_subtasks_are_asked_for(peer):
    plain = peer.data("get_all_tasks")
    assert [t["name"] for t in plain] == ["Top <1>"]
    assert "child" not in plain[0]
    nested = peer.data("get_all_tasks", extra="subtasks,text")
    middle = nested[0]["child"][0]
    assert middle["child"][0]["name"] == "Leaf"
    assert middle["text"] == ""
    assert "parent" not in middle
    assert "child" not in middle["child"][0]


def test_the_page_below_the_top_names_the_top_task(peer, ids):
    top = peer.data("get_all_tasks", extra="subtasks")[0]
    leaf = top["child"][0]["child"][0]
    assert leaf["page"] == f"{top['page']}{ids[2]}/"


def test_get_task_trims_children(peer, ids):
    task = peer.data("get_task", id_task=ids[0], extra="subtasks,text")
    assert set(task["child"][0]) == {"id", "name", "page", "status", "priority", "child"}
    assert set(task["child"][0]["child"][0]) == {"id", "name", "page", "status", "priority"}
    assert "child" not in peer.data("get_task", id_task=ids[0])


def test_get_task_of_a_subtask_has_parents_and_no_child(box, peer, ids):
    task = peer.data("get_task", id_task=ids[2], extra="subtasks")
    assert task["parent"]["id"] == str(ids[1])
    assert task["parent"]["parent"]["id"] == str(ids[0])
    assert "child" not in peer.data("get_task", id_task=ids[1], extra="subtasks")
    box.set(child_under_subtask=True)
    assert len(peer.data("get_task", id_task=ids[1], extra="subtasks")["child"]) == 1


def test_the_filter_leaves_open_tasks(box, peer, ids):
    box.account.complete_task(ids[2])
    nested = peer.data("get_all_tasks", extra="subtasks", filter="active")
    assert "child" not in nested[0]["child"][0]
    assert "child" in peer.data("get_all_tasks", extra="subtasks", filter="done")[0]["child"][0]
    assert (
        "child" not in peer.data("get_all_tasks", extra="subtasks", status="active")[0]["child"][0]
    )
    only = peer.data("get_task", id_task=ids[0], extra="subtasks", filter="active")
    assert "child" not in only["child"][0]


def test_a_done_task_shows_when_it_was_closed(box, peer, ids):
    box.account.complete_task(ids[2])
    task = peer.data("get_task", id_task=ids[2])
    assert (task["status"], task["date_closed"]) == ("done", "2026-01-15 12:00")


def test_relations_are_mirrored_and_an_empty_side_is_absent(box, peer, ids):
    box.account.add_relation("start-to-start", ids[0], ids[2])
    start = peer.data("get_task", id_task=ids[0], extra="relations")["relations"]
    end = peer.data("get_task", id_task=ids[2], extra="relations")["relations"]
    assert list(start) == ["to"]
    assert list(end) == ["from"]
    assert start["to"][0]["task"]["id"] == str(ids[2])
    assert end["from"][0]["task"]["name"] == "Top <1>"
    assert "relations" not in peer.data("get_task", id_task=ids[1], extra="relations")


def test_only_the_last_five_comments_newest_first(box, peer, ids):
    for number in range(7):
        box.account.add_comment(ids[0], str(number))
    task = peer.data("get_task", id_task=ids[0], extra="comments")
    assert [c["text"] for c in task["comments"]] == ["6", "5", "4", "3", "2"]
    assert peer.data("get_task", id_task=ids[1], extra="comments")["has_comments"] == 0


def test_html_is_markup_and_wins_over_text(peer, ids):
    assert peer.data("get_task", id_task=ids[0], extra="text,html")["text"] == "one<br>\r\ntwo"


def test_archived_projects_leave_the_big_list(box, peer):
    project = box.account.tasks[min(box.account.tasks)].project_id
    box.account.archive_project(project)
    assert peer.data("get_all_tasks") == []
    assert len(peer.data("get_all_tasks", extra="archive")) == 1
    assert len(peer.data("get_tasks", id_project=project)) == 1


def test_a_delayed_task_never_shows(box, peer, ids):
    box.account.delay_task(ids[1])
    assert "child" not in peer.data("get_all_tasks", extra="subtasks")[0]
    assert peer.refused("get_task", id_task=ids[1])[0] == 5
    assert peer.refused("get_task", id_task=ids[2])[0] == 5
    assert peer.data("search_tasks", filter=f"id in ({ids[1]},{ids[2]})") == []
    box.account.publish_task(ids[1])
    assert peer.data("get_task", id_task=ids[2])["name"] == "Leaf"


def test_what_is_not_there(box, peer, ids):
    assert peer.refused("get_task", id_task=1) == (5, "Task is invalid", None)
    assert peer.refused("get_task", id_task="abc")[0] == 5
    assert peer.refused("get_task") == (10, "Field is required", "id_task")
    assert peer.refused("get_tasks", id_project=1) == (4, "Project is invalid", None)
    assert peer.refused("get_tasks") == (10, "Field is required", "id_project")
    box.account.delete_task(ids[1])
    assert peer.refused("get_task", id_task=ids[2])[0] == 5


def test_the_record_limit_is_an_error_of_the_whole_request(box, peer):
    box.set(record_limit=2)
    assert peer.refused("get_all_tasks", extra="subtasks") == (None, "Too many tasks (2 max)", None)
    assert len(peer.data("get_all_tasks")) == 1
    box.set(limit_counts_children=False)
    assert len(peer.data("get_all_tasks", extra="subtasks")) == 1


def test_times_are_the_accounts_own_wall_clock(peer):
    assert NOON.hour == 10
    added = peer.data("get_all_tasks")[0]["date_added"]
    assert added == f"{TODAY} 12:00"


def test_equal_requests_get_equal_bytes_until_something_changes(box, peer, ids):
    first, second = (peer.send("get_all_tasks", extra="subtasks").content for _ in range(2))
    assert first == second
    box.account.rename_task(ids[2], "Other")
    assert peer.send("get_all_tasks", extra="subtasks").content != first
    box.account.rename_task(ids[2], "Leaf")
    assert peer.send("get_all_tasks", extra="subtasks").content == first


def test_a_project_renamed_shows_in_its_tasks(box, peer):
    peer.data("get_all_tasks")
    box.account.rename_project(min(box.account.projects), "New")
    assert peer.data("get_all_tasks")[0]["project"]["name"] == "New"


def test_a_person_renamed_shows_in_tasks(box, peer):
    peer.data("get_all_tasks")
    box.account.rename_member(box.account.owner_id, "Nina", "Nova")
    assert peer.data("get_all_tasks")[0]["user_from"]["name"] == "Nina Nova"


def test_a_moved_tree_shows_its_new_pages_in_the_relations_of_others(box, peer, ids):
    other = box.account.create_project("Other")
    watcher = box.account.create_task(other, "Watcher")
    box.account.add_relation("finish-to-start", ids[2], watcher)
    peer.data("get_all_tasks", extra="relations")
    box.account.move_task(ids[1])
    found = {t["id"]: t for t in peer.data("get_all_tasks", extra="relations")}
    link = found[str(watcher)]["relations"]["from"][0]["task"]
    assert link["page"] == f"/project/8562/{ids[1]}/{ids[2]}/"
