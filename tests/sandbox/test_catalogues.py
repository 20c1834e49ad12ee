"""Projects, people, tags, comments, costs and files."""

import pytest
import requests

from syncd.sandbox.auth import md5_hash, signature
from syncd.sandbox.records import OPTIONS

from .peer import NOON


@pytest.fixture
def task(box):
    return min(box.account.tasks)


@pytest.fixture
def project(box):
    return min(box.account.projects)


def test_a_project_in_the_list(peer, project):
    assert peer.data("get_projects") == [
        {
            "id": str(project),
            "name": "Owl & Co",
            "page": f"/project/{project}/",
            "status": "active",
            "company": "",
            "user_from": {"id": "3993", "email": "owner@example.com", "name": "Олена Owner"},
            "user_to": {"id": "0", "email": "NOONE", "name": "Manager isn't assigned"},
            "date_added": "2026-01-15 12:00",
        }
    ]


def test_extras_of_projects(box, peer, project):
    box.account.add_project_members(project, [box.account.owner_id])
    box.account.edit_project(project, options={"allow_close"}, text="t")
    found = peer.data("get_project", id_project=project, extra="text,options,users")
    assert found["text"] == "t"
    assert set(found["options"]) == set(OPTIONS)
    assert found["options"]["allow_close"] == 1
    assert [u["id"] for u in found["users"]] == [str(box.account.owner_id)]
    assert peer.refused("get_project", id_project=1)[0] == 4


def test_projects_by_status(box, peer, project):
    box.account.suspend_project(box.account.create_project("P"))
    box.account.archive_project(project)
    found = {
        word: len(peer.data("get_projects", filter=word))
        for word in ("active", "pending", "archive", "archived", "nonsense")
    }
    assert found == {"active": 0, "pending": 1, "archive": 1, "archived": 1, "nonsense": 2}


def test_closing_and_activating_a_project(peer, project):
    assert peer.refused("activate_project", id_project=project)[:2] == (
        12,
        "Project is already active",
    )
    assert peer.ask("close_project", id_project=project) == {"status": "ok"}
    assert peer.refused("close_project", id_project=project)[:2] == (
        12,
        "Project is already closed",
    )
    assert peer.data("get_project", id_project=project)["status"] == "archive"
    assert peer.ask("activate_project", id_project=project) == {"status": "ok"}
    assert "date_closed" in peer.data("get_project", id_project=project)


def test_the_team_of_a_project(box, peer, project):
    sent = {"id_project": project, "members": "ann@example.com,owner@example.com"}
    assert peer.ask("add_project_members", **sent) == {"status": "ok"}
    assert len(box.account.projects[project].member_ids) == 2
    assert peer.ask("delete_project_members", **sent) == {"status": "ok"}
    assert box.account.projects[project].member_ids == []
    assert peer.refused("add_project_members", id_project=project, members="x")[0] == 11


def test_a_new_project_and_its_edit(box, peer):
    made = peer.data(
        "post_project",
        title="Neu",
        email_manager="ann@example.com",
        members="ann@example.com",
        text="hi",
        company="Clients",
        datestart="01.02.2026",
        max_money="100",
        **{"options.allow_close": 1},
    )
    assert (made["user_to"]["email"], made["company"]) == ("ann@example.com", "Clients")
    assert (made["date_start"], made["max_money"]) == ("2026-02-01", 100)
    sent = {"title": "Newer", "email_manager": "NOONE", "members": "owner@example.com"}
    edited = peer.data("update_project", id_project=made["id"], **sent)
    assert (edited["name"], edited["user_to"]["id"]) == ("Newer", "0")
    assert len(box.account.projects[int(made["id"])].member_ids) == 2
    assert peer.refused("post_project") == (10, "Field is required", "title")


def test_people(box, peer):
    found = {u["name"]: u for u in peer.data("get_users")}
    bob = found["Bob <Brown>"]
    assert bob["email"] == f"{bob['id']}@{bob['id']}.worksection.com"
    assert found["Ann O'Neill"]["rate"] == 30
    assert found["Олена Owner"]["role"] == "Owner"
    box.account.deactivate_member(int(bob["id"]))
    assert len(peer.data("get_users")) == 2
    box.account.activate_member(int(bob["id"]))
    assert len(peer.data("get_users")) == 3


def test_a_deactivated_member_stays_in_tasks_but_takes_no_new_ones(box, peer, task):
    ann = sorted(box.account.members)[1]
    box.account.edit_task(task, assignee_id=ann)
    box.account.deactivate_member(ann)
    assert peer.data("get_task", id_task=task)["user_to"]["id"] == str(ann)
    assert peer.refused("update_task", id_task=task, email_user_to="ann@example.com")[0] == 11


def test_the_catalogue_of_tags(peer):
    tags = peer.data("get_task_tags")
    assert tags[0] == {
        "title": "To-do",
        "id": 72565,
        "group": {
            "title": "Status",
            "id": 100,
            "id_group": "100",
            "type": "status",
            "access": "public",
        },
    }
    assert len(peer.data("get_task_tags", type="label")) == 1
    assert len(peer.data("get_task_tags", group="Status")) == 2
    assert peer.data("get_task_tags", access="private") == []
    groups = peer.data("get_task_tag_groups")
    assert groups[1] == {"title": "Labels", "id": 101, "type": "label", "access": "public"}


def test_new_tags_skip_names_that_exist(box, peer):
    made = peer.data("add_task_tags", group="Status", title="To-do, New,New")
    assert [t["title"] for t in made] == ["New"]
    assert made[0]["id"] in box.account.tags
    assert peer.refused("add_task_tags", group="?", title="x")[2] == "group (id or title)"
    sent = {"title": "Labels,Stages", "type": "status", "access": "public"}
    assert [g["title"] for g in peer.data("add_task_tag_groups", **sent)] == ["Stages"]


def test_comments_newest_first_with_files(box, peer, task):
    first = box.account.add_comment(task, "one")
    box.account.add_comment(task, "two")
    box.account.add_file(task, "x.txt", b"x", comment_id=first)
    found = peer.data("get_comments", id_task=task, extra="files")
    assert [c["text"] for c in found] == ["two", "one"]
    assert [f["name"] for f in found[1]["files"]] == ["x.txt"]
    assert "files" not in found[0]
    assert "files" not in peer.data("get_comments", id_task=task)[1]


def test_a_comment_is_stored_otherwise_than_it_was_sent(peer, task):
    sent = {"text": "a\nb", "todo[]": "item", "mention": "ann@example.com"}
    made = peer.data("post_comment", id_task=task, email_user_from="ann@example.com", **sent)
    assert made["text"] == "a\r\nb\r\n• item Ann O'Neill"
    assert set(made) == {"id", "page", "text", "date_added", "user_from"}
    assert made["page"].endswith(f"/{task}/#com{made['id']}")
    assert peer.refused("post_comment", id_task=task)[0] == 10
    assert peer.refused("post_comment", id_task=1, text="x")[0] == 5


def test_a_comment_with_a_file(box, task):
    query = f"action=post_comment&id_task={task}&text=x"
    requests.post(
        f"{box.url}/api/admin/v2/?{query}&hash={md5_hash(query, box.key)}",
        files={"attach[0]": ("a.txt", b"abc")},
        timeout=10,
    )
    truth = box.account.snapshot()
    assert truth["tasks"][task]["files"] == []
    assert [len(c["file_ids"]) for c in truth["comments"].values()] == [1]


def test_costs(peer, task):
    added = peer.ask("add_costs", id_task=task, time="0:09", money="75.17", comment="c")
    assert added == {"status": "ok", "id": 3706}
    sent = {"time": "0,15", "is_rate": 1, "date": "01.01.2026"}
    peer.ask("add_costs", id_task=task, email_user_from="ann@example.com", **sent)
    found = peer.ask("get_costs", id_task=task)
    assert [(c["time"], c["money"]) for c in found["data"]] == [("0:09", "75.17"), ("0:09", "4.50")]
    assert found["total"] == {"time": "0:18", "money": "79.67"}
    row = found["data"][0]
    assert (row["id"], row["is_timer"], row["comment"]) == ("3706", False, "c")
    assert row["task"]["id"] == str(task)
    early = peer.ask("get_costs", dateend="10.01.2026")["data"]
    assert [c["id"] for c in early] == ["3707"]
    assert peer.ask("get_costs", is_timer=1)["data"] == []


def test_costs_are_changed_and_deleted_by_id_costs(box, peer, task, project):
    cost = peer.ask("add_costs", id_task=task, time="1.5")["id"]
    assert peer.ask("update_costs", id_costs=cost, time="2:00", money="5") == {"status": "ok"}
    total = peer.ask("get_costs_total", id_project=project, extra="projects")
    assert total["total"] == {"time": "2:00", "money": "5.00"}
    assert total["projects"][0]["id"] == str(project)
    assert peer.refused("delete_costs", id=cost) == (10, "Field is required", "id_costs")
    assert peer.ask("delete_costs", id_costs=cost) == {"status": "ok"}
    assert box.account.costs == {}
    assert peer.refused("add_costs", id_task=task) == (10, "Field is required", "time or money")


def test_files_and_their_bytes(box, peer, task, project):
    made = box.account.add_file(task, "звіт №1.json", b'{"status":"error"}')
    sized = box.account.add_file(task, "big.bin", size=5000)
    found = peer.data("get_files", id_task=task)
    assert [f["size"] for f in found] == ["18", "5000"]
    assert found == peer.data("get_files", id_project=project)
    answer = peer.send("download", id_file=made)
    assert answer.content == b'{"status":"error"}'
    assert answer.headers["Content-Type"] == "application/x-download"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''%D0%B7")
    first, second = (peer.send("download", id_file=sized).content for _ in range(2))
    assert (len(first), first) == (5000, second)
    assert peer.refused("download", id_file=1) == (4, "File not found", None)
    assert peer.refused("get_files")[0] == 10
    box.account.remove_file(made)
    assert len(peer.data("get_files", id_task=task)) == 1


def test_uploads_wait_for_their_task(box, project):
    def admin(action, **options):
        seconds = int(NOON.timestamp())
        return requests.post(
            f"{box.url}/api/admin/v2?action={action}",
            headers={"Authorization": f"Admin {seconds}_{signature(action, seconds, box.key)}"},
            timeout=10,
            **options,
        ).json()["data"]

    kept = admin("upload_files", files=[("files[]", ("a.txt", b"abc"))])
    assert [(f["name"], f["ext"]) for f in kept] == [("a.txt", "txt")]
    made = admin("post_task", json={"id_project": project, "title": "x", "files": kept})
    files = box.account.snapshot()["tasks"][int(made["id"])]["files"]
    assert [(f["name"], f["size"]) for f in files] == [("a.txt", 3)]
