from datetime import date
from decimal import Decimal

import pytest
import requests

from syncd.sandbox.auth import md5_hash, signature

from .peer import NOON


@pytest.fixture
def ids(box):
    return sorted(box.account.tasks)


@pytest.fixture
def project(box):
    return min(box.account.projects)


def truth(box, task_id):
    return box.account.snapshot()["tasks"][int(task_id)]


def test_a_creation_with_every_field(box, peer, ids, project):
    tags = sorted(box.account.tags)
    answer = peer.data(
        "post_task",
        id_project=project,
        id_parent=ids[0],
        title=" «Нова» & <b> ",
        email_user_from="ANN@example.com",
        email_user_to="ann@example.com",
        priority=9,
        text="a\nb",
        datestart="01.02.2026",
        dateend="03.02.2026",
        subscribe="ann@example.com, owner@example.com",
        hidden="owner@example.com",
        mention="ann@example.com",
        max_time="1,5",
        max_money="10",
        tags=f"to-do,{tags[2]}",
    )
    ann = sorted(box.account.members)[1]
    expected = {
        "project_id": project,
        "parent_id": ids[0],
        "level": 2,
        "name": "«Нова» & <b>",
        "author_id": ann,
        "assignee_id": ann,
        "priority": 9,
        "text": "a\r\nb Ann O'Neill",
        "date_start": date(2026, 2, 1),
        "date_end": date(2026, 2, 3),
        "subscribers": {ann, box.account.owner_id},
        "hidden_from_all_but": {box.account.owner_id},
        "max_time": Decimal("1.5"),
        "max_money": Decimal(10),
        "tags": {tags[0], tags[2]},
    }
    made = truth(box, answer["id"])
    assert {key: made[key] for key in expected} == expected
    assert answer["parent"]["id"] == str(ids[0])
    assert "text" not in answer
    assert set(answer["tags"]) == {str(tags[0]), str(tags[2])}


def test_the_reply_may_lack_tags_and_have_text(box, peer, project):
    box.set(post_reply_has_tags=False)
    sent = {"id_project": project, "title": "x", "tags": "To-do", "text": "t", "extra": "text"}
    answer = peer.data("post_task", **sent)
    assert "tags" not in answer
    assert answer["text"] == "t"
    assert len(truth(box, answer["id"])["tags"]) == 1


def test_a_checklist_becomes_bullets(box, peer, project):
    first = peer.get(
        f"action=post_task&id_project={project}&title=x&text=t&todo%5B%5D=one&todo%5B%5D=two"
    ).json()
    assert truth(box, first["data"]["id"])["text"] == "t\r\n• one\r\n• two"
    other = peer.get(f"action=post_task&id_project={project}&title=x&todo%5B0%5D=one").json()
    assert truth(box, other["data"]["id"])["text"] == "• one"


def test_a_checklist_as_json_array(box, project):
    seconds = int(NOON.timestamp())
    answer = requests.post(
        f"{box.url}/api/admin/v2?action=post_task",
        json={"id_project": project, "title": "x", "todo": ["one", "two"], "priority": 3},
        headers={"Authorization": f"Admin {seconds}_{signature('post_task', seconds, box.key)}"},
        timeout=10,
    ).json()
    assert truth(box, answer["data"]["id"])["text"] == "• one\r\n• two"


def test_a_text_too_long_is_cut_without_a_word(box, project):
    pairs = f"action=post_task&id_project={project}&title=x&text={'y' * 70_000}"
    answer = requests.post(
        f"{box.url}/api/admin/v2/",
        data=f"{pairs}&hash={md5_hash(pairs, box.key)}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    ).json()
    assert len(truth(box, answer["data"]["id"])["text"]) == 65_536


def test_files_come_in_multipart_and_take_no_part_in_the_hash(box, project):
    query = f"action=post_task&id_project={project}&title=x"
    answer = requests.post(
        f"{box.url}/api/admin/v2/?{query}&hash={md5_hash(query, box.key)}",
        files={"attach[0]": ('a "b".txt', b"\r\n--x\r\n"), "attach[1]": ("ї.bin", b"\x00\xff")},
        timeout=10,
    ).json()
    files = truth(box, answer["data"]["id"])["files"]
    assert [f["size"] for f in files] == [7, 2]
    assert box.account.files[files[0]["id"]].content == b"\r\n--x\r\n"
    assert files[1]["name"] == "ї.bin"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"title": ""}, (10, "Field is required", "title")),
        ({"id_project": ""}, (10, "Field is required", "id_project")),
        ({"id_project": 1}, (4, "Project is invalid", None)),
        ({"id_parent": 1}, (5, "Task is invalid", None)),
        ({"id_parent": 331896}, (5, "Task is invalid", None)),
        ({"email_user_to": "x@y"}, (11, "Invalid email", "x@y")),
        ({"email_user_from": "x@y"}, (11, "Invalid email", "x@y")),
        ({"subscribe": "ann@example.com,z"}, (11, "Invalid email", "z")),
        ({"mention": "z"}, (11, "Invalid email", "z")),
        ({"hidden": "z"}, (11, "Invalid email", "z")),
        ({"tags": "To-do,nope"}, (16, "Tag is invalid", "nope")),
        ({"tags": "a, b"}, (16, "Tag is invalid", "a")),
        ({"dateend": "2026-02-01"}, (11, "Invalid date", "dateend")),
        ({"max_time": "x"}, (10, "Field is required", "max_time")),
    ],
)
def test_a_creation_refused_creates_nothing(box, peer, project, sent, expected):
    before = len(box.account.tasks)
    assert peer.refused("post_task", **{"id_project": project, "title": "x"} | sent) == expected
    assert len(box.account.tasks) == before
    assert not box.log.entries()[-1].effect


def test_nothing_is_created_under_a_done_parent_or_in_an_archive(box, peer, ids, project):
    box.account.complete_task(ids[2])
    box.account.complete_task(ids[1])
    sent = {"id_project": project, "title": "x"}
    assert peer.refused("post_task", id_parent=ids[1], **sent) == (8, "Task is closed", None)
    box.account.archive_project(project)
    assert peer.refused("post_task", **sent)[0] == 4


def test_a_name_in_two_groups_needs_the_id(box, peer, project):
    label = max(box.account.tag_groups)
    twin = box.account.create_tag(label, "To-do")
    sent = {"id_project": project, "title": "x"}
    assert peer.refused("post_task", tags="To-do", **sent) == (16, "Tag is invalid", "To-do")
    assert peer.data("post_task", tags=str(twin), **sent)["tags"] == {str(twin): "To-do"}


def test_a_tag_has_to_belong_to_the_project(box, peer, project):
    group = box.account.create_tag_group("Private", access="private")
    tag = box.account.create_tag(group, "secret")
    sent = {"id_project": project, "title": "x", "tags": "secret"}
    assert peer.refused("post_task", **sent)[0] == 16
    box.account.attach_tag_group(project, group)
    assert peer.data("post_task", **sent)["tags"] == {str(tag): "secret"}
    box.account.detach_tag_group(project, group)
    box.set(tags_must_be_attached=False)
    assert peer.data("post_task", **sent)["tags"] == {str(tag): "secret"}


def test_an_update_changes_only_what_it_names(box, peer, ids):
    before = truth(box, ids[0])
    answer = peer.data("update_task", id_task=ids[0], priority=7, title="Neu")
    after = truth(box, ids[0])
    assert (answer["priority"], answer["name"]) == ("7", "Neu")
    assert "text" not in answer
    assert {key for key in after if after[key] != before[key]} == {"priority", "name"}
    assert box.log.entries()[-1].effect


def test_an_update_without_effect_says_so_in_the_log(box, peer, ids):
    peer.data("update_task", id_task=ids[0], title="Top <1>")
    assert not box.log.entries()[-1].effect


def test_an_update_of_everything(box, peer, ids):
    box.account.complete_task(ids[2])
    peer.data(
        "update_task",
        id_task=ids[2],
        email_user_to="ANY",
        datestart="1.2.2026",
        dateend="03.02.2026",
        dateclosed="02.01.2026",
        max_time="0.25",
        max_money="1",
        tags="To-do",
    )
    after = truth(box, ids[2])
    assert after["assignee_id"] == 2
    assert after["date_closed"].isoformat() == "2026-01-02T12:00:00"
    assert after["date_start"] == date(2026, 2, 1)
    assert after["max_time"] == Decimal("0.25")
    assert len(after["tags"]) == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"id_task": 1}, 5),
        ({"title": " "}, 10),
        ({"email_user_to": "x@y"}, 11),
        ({"tags": "nope"}, 16),
        ({"dateclosed": "soon"}, 11),
    ],
)
def test_an_update_refused_changes_nothing(box, peer, ids, sent, code):
    before = truth(box, ids[0])
    assert peer.refused("update_task", **{"id_task": ids[0], "priority": 9} | sent)[0] == code
    assert truth(box, ids[0]) == before


def test_done_from_the_bottom_up_and_open_from_the_top_down(peer, ids):
    top, middle, leaf = ids
    assert peer.refused("complete_task", id_task=top) == (13, "Task has children", None)
    for task in (leaf, middle, top):
        assert peer.ask("complete_task", id_task=task) == {"status": "ok"}
    assert peer.refused("complete_task", id_task=top) == (12, "Task is already closed", None)
    assert peer.refused("reopen_task", id_task=leaf) == (14, "Parent task is done", None)
    for task in (top, middle, leaf):
        assert peer.ask("reopen_task", id_task=task) == {"status": "ok"}
    assert peer.refused("reopen_task", id_task=top) == (12, "Task is already active", None)
    assert peer.refused("complete_task", id_task=1)[0] == 5
    assert peer.refused("reopen_task", id_task=1)[0] == 5


def test_tags_of_a_task(box, peer, ids):
    first, second, comma = sorted(box.account.tags)
    ok = {"status": "ok"}
    assert peer.ask("update_task_tags", id_task=ids[0], plus=f"To-do,{comma}") == ok
    assert peer.ask("update_task_tags", id_task=ids[0], plus=second, minus="to-do") == ok
    assert truth(box, ids[0])["tags"] == {second, comma}
    assert peer.ask("update_task_tags", id_task=ids[0], plus=second, minus=first) == ok
    sent = {"plus": "Done & gone", "minus": "nope"}
    assert peer.refused("update_task_tags", id_task=ids[0], **sent) == (
        16,
        "Tag is invalid",
        "nope",
    )
    assert truth(box, ids[0])["tags"] == {second, comma}


def test_subscribers(box, peer, ids):
    ok = {"status": "ok"}
    assert peer.ask("subscribe", id_task=ids[0], email_user="ann@example.com") == ok
    assert len(truth(box, ids[0])["subscribers"]) == 1
    both = "ann@example.com,owner@example.com"
    assert peer.refused("subscribe", id_task=ids[0], email_user=both) == (11, "Invalid email", both)
    assert peer.ask("unsubscribe", id_task=ids[0], email_user="ann@example.com") == ok
    assert truth(box, ids[0])["subscribers"] == set()
