"""The account itself: seeding, human edits, the snapshot."""

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import pytest

from syncd.sandbox import Account, ImpossibleError, Sandbox
from syncd.sandbox.listings import Listings, Variant
from syncd.sandbox.random_edits import EDITS
from syncd.sandbox.switches import Switches

from .peer import Clock, Peer, an_account

EXTRAS = frozenset({"subtasks", "relations", "files", "text", "comments", "tags", "subscribers"})


@pytest.fixture
def account() -> Account:
    return an_account()


def test_equal_seeds_give_equal_accounts():
    assert Account.seeded(300, 3).snapshot() == Account.seeded(300, 3).snapshot()
    assert Account.seeded(300, 3).snapshot() != Account.seeded(300, 4).snapshot()


@pytest.mark.parametrize("tasks", [0, 1, 7, 200, 1234])
def test_exactly_as_many_tasks_as_asked_for(tasks):
    account = Account.seeded(tasks)
    assert len(account.tasks) == tasks
    assert len(account.members) >= 3


def test_seeded_data_has_what_breaks_careless_code():
    truth = Account.seeded(2000).snapshot()
    tasks, projects = truth["tasks"], truth["projects"]
    names = " ".join(t["name"] for t in tasks.values())
    assert all(sign in names for sign in ("{", "!", "<", "&", '"', "🚀", "договір", "見積", "ال"))
    assert {t["level"] for t in tasks.values()} == {1, 2, 3}
    assert {t["status"] for t in tasks.values()} == {"active", "done"}
    assert all((t["date_closed"] is None) == (t["status"] == "active") for t in tasks.values())
    assert {p["status"] for p in projects.values()} == {"active", "pending", "archive"}
    assert 0 in {p["manager_id"] for p in projects.values()}
    assert {1, 2} <= {t["assignee_id"] for t in tasks.values()}
    assert any(t["delayed"] for t in tasks.values())
    assert any("\r\n• " in t["text"] for t in tasks.values())
    assert Decimal("1.25") in {t["max_time"] for t in tasks.values()}
    across = [
        (a, b) for _, a, b in truth["relations"] if tasks[a]["project_id"] != tasks[b]["project_id"]
    ]
    assert across
    titles = [t["name"] for t in truth["tags"].values()]
    assert titles.count("Blocked") == 2
    assert "Design, print" in titles
    gone = {m["id"] for m in truth["members"].values() if not m["active"]}
    assert gone & {t["author_id"] for t in tasks.values()}
    sizes = [sum(t["project_id"] == p for t in tasks.values()) for p in projects]
    assert max(sizes) > 2 * sum(sizes) / len(sizes)


def test_shares_of_archived_pending_and_delayed_can_be_none():
    truth = Account.seeded(500, archived=0, pending=0, delayed=0).snapshot()
    assert all(t["listed"] for t in truth["tasks"].values())


def test_recent_creations_of_a_seeded_account_are_in_the_feed():
    now = datetime(2025, 10, 1, 15, tzinfo=UTC)
    account = Account.seeded(500, clock=lambda: now)
    assert account.events
    assert all(event.at <= now for event in account.events)


def test_the_snapshot_is_typed_and_tells_what_the_api_hides(account):
    top, middle, leaf = sorted(account.tasks)
    project = account.tasks[top].project_id
    account.edit_task(top, date_end=date(2026, 2, 1), max_time=Decimal("1.5"))
    tasks = account.snapshot()["tasks"]
    assert tasks[leaf]["page"] == f"/project/{project}/{top}/{leaf}/"
    assert (tasks[leaf]["parent_id"], tasks[leaf]["level"]) == (middle, 3)
    assert tasks[top]["date_added"] == datetime(2026, 1, 15, 12, 0)
    assert (tasks[top]["date_end"], tasks[top]["max_time"]) == (date(2026, 2, 1), Decimal("1.5"))
    account.delay_task(middle)
    account.archive_project(project)
    tasks = account.snapshot()["tasks"]
    assert [(t["visible"], t["listed"]) for t in tasks.values()] == [
        (True, False),
        (False, False),
        (False, False),
    ]


def test_the_snapshot_is_a_copy(account):
    before = account.snapshot()
    top = min(account.tasks)
    account.tag_task(top, min(account.tags))
    account.add_file(top, "x")
    account.add_comment(top, "x")
    assert before["tasks"][top]["tags"] == set()
    assert before["tasks"][top]["files"] == []
    assert before["tasks"][top]["comments"] == []


def test_deleting_takes_the_subtree_and_every_link(account):
    top, middle, leaf = sorted(account.tasks)
    other = account.create_task(account.tasks[top].project_id, "Other")
    account.add_relation("finish-to-start", other, leaf)
    account.add_file(leaf, "x")
    account.add_comment(leaf, "x")
    account.add_cost(leaf, minutes=1)
    assert account.delete_task(middle) == [middle, leaf]
    truth = account.snapshot()
    assert set(truth["tasks"]) == {top, other}
    assert truth["relations"] == set()
    assert truth["files"] == truth["comments"] == truth["costs"] == {}
    assert truth["deleted_tasks"] == {middle, leaf}


def test_a_move_keeps_ids_and_takes_the_subtree(account):
    top, middle, leaf = sorted(account.tasks)
    target = account.create_project("Target")
    account.move_task(middle, project_id=target)
    tasks = account.snapshot()["tasks"]
    assert tasks[leaf]["project_id"] == target
    assert tasks[leaf]["page"] == f"/project/{target}/{middle}/{leaf}/"
    assert (tasks[middle]["level"], tasks[top]["children"]) == (1, [])
    account.move_task(middle, parent_id=top)
    assert account.snapshot()["tasks"][leaf]["level"] == 3


@pytest.mark.parametrize(
    "move",
    [
        {"task_id": 331894, "parent_id": 331896},
        {"task_id": 331897, "parent_id": 331896},
        {"task_id": 331894, "parent_id": 331897},
        {"task_id": 331894, "project_id": 1},
        {"task_id": 331894, "parent_id": 1},
    ],
)
def test_moves_that_cannot_be(account, move):
    account.create_task(min(account.projects), "Fourth")
    before = account.snapshot()
    with pytest.raises(ImpossibleError):
        account.move_task(**move)
    assert account.snapshot() == before


def test_an_open_task_does_not_go_under_a_done_one(account):
    project = min(account.projects)
    done, open_task = account.create_task(project, "D"), account.create_task(project, "O")
    account.complete_task(done)
    with pytest.raises(ImpossibleError):
        account.move_task(open_task, parent_id=done)


@pytest.mark.parametrize(
    "edit",
    [
        lambda a: a.complete_task(331894),
        lambda a: a.reopen_task(331894),
        lambda a: a.edit_task(331894, priority=11),
        lambda a: a.edit_task(331894, colour="red"),
        lambda a: a.edit_task(331894, assignee_id=5),
        lambda a: a.create_task(8562, "x", parent_id=331896),
        lambda a: a.add_relation("finish-to-finish", 331894, 331895),
        lambda a: a.add_relation("finish-to-start", 331894, 331894),
        lambda a: a.tag_task(331894, 5),
        lambda a: a.create_tag(100, "To-do"),
        lambda a: a.change_email(3993, "ann@example.com"),
        lambda a: a.create_member("X", "Y", "ANN@example.com"),
        lambda a: a.deactivate_member(3993),
        lambda a: a.edit_project(8562, options={"fly"}),
        lambda a: a.edit_project(8562, manager_id=5),
        lambda a: a.edit_project(8562, colour="red"),
        lambda a: a.activate_project(8562),
        lambda a: a.edit_cost(1, minutes=1),
        lambda a: a.delete_comment(1),
        lambda a: a.rename_task(1, "x"),
    ],
)
def test_impossible_edits_change_nothing(account, edit):
    before = account.snapshot()
    with pytest.raises(ImpossibleError):
        edit(account)
    assert account.snapshot() == before


def test_every_other_human_edit(account):
    top, project = min(account.tasks), min(account.projects)
    tag = min(account.tags)
    assert account.edit_text(top, "new\ntext")
    assert account.tag_task(top, tag)
    assert not account.tag_task(top, tag)
    account.rename_tag(tag, "Later")
    assert account.snapshot()["tags"][tag]["name"] == "Later"
    account.delete_tag(tag)
    comment = account.add_comment(top, "a")
    assert account.edit_comment(comment, "b\nc")
    assert not account.edit_comment(comment, "b\r\nc")
    account.change_email(account.owner_id, "OWNER@example.com")
    account.hide_project(project)
    truth = account.snapshot()
    assert truth["tasks"][top]["text"] == "new\r\ntext"
    assert truth["tasks"][top]["tags"] == set()
    assert not truth["tasks"][top]["visible"]
    assert truth["comments"][comment]["text"] == "b\r\nc"
    account.show_project(project)
    account.delete_comment(comment)
    edge = ("finish-to-start", *sorted(account.tasks)[:2])
    assert account.add_relation(*edge)
    assert not account.add_relation(*edge)
    assert account.remove_relation(*edge)
    assert not account.remove_relation(*edge)
    account.delete_project(project)
    truth = account.snapshot()
    assert truth["tasks"] == {}
    assert truth["deleted_projects"] == {project}


def test_random_edits_are_of_every_kind_and_repeatable():
    logs = []
    for _ in range(2):
        account, rng = Account.seeded(150, clock=Clock()), Random(5)
        logs.append([account.random_edit(rng) for _ in range(700)])
    assert logs[0] == logs[1]
    assert {line.partition(":")[0] for line in logs[0]} == set(EDITS)


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_leave_a_valid_account_and_no_stale_bytes(seed):
    account, rng = Account.seeded(120, seed), Random(seed)
    listings = Listings(account)
    variant = Variant(EXTRAS, active=False, switches=Switches())
    for _ in range(60):
        for _ in range(5):
            account.random_edit(rng)
        projects = list(account.projects.values())
        fresh = Listings(account).body(projects, variant)
        assert listings.body(projects, variant).raw == fresh.raw
    check_valid(account)


def check_valid(account: Account) -> None:
    truth = account.snapshot()
    tasks = truth["tasks"]
    for task in tasks.values():
        assert task["level"] <= 3
        assert task["project_id"] in truth["projects"]
        assert task["tags"] <= set(truth["tags"])
        assert {task["author_id"], task["assignee_id"]} <= set(truth["members"])
        assert all(tasks[child]["parent_id"] == task["id"] for child in task["children"])
        assert set(task["comments"]) <= set(truth["comments"])
        if task["parent_id"]:
            parent = tasks[task["parent_id"]]
            assert task["id"] in parent["children"]
            assert parent["project_id"] == task["project_id"]
            assert not (parent["status"] == "done" and task["status"] == "active")
        else:
            assert task["id"] in truth["projects"][task["project_id"]]["roots"]
    for _, start, end in truth["relations"]:
        assert {start, end} <= set(tasks)
    assert {f["task_id"] for f in truth["files"].values()} <= set(tasks)
    assert {c["task_id"] for c in truth["costs"].values()} <= set(tasks)


def test_random_edits_of_chosen_kinds():
    account = Account.seeded(50)
    rng = Random(1)
    kinds = {account.random_edit(rng, kinds=("rename", "tag")).partition(":")[0] for _ in range(20)}
    assert kinds == {"rename", "tag"}
    with pytest.raises(ImpossibleError):
        account.random_edit(rng, kinds=("show_project",))


def test_the_api_shows_just_what_the_truth_calls_visible():
    account = Account.seeded(400, archived=0.2, delayed=0.05)
    account.hide_project(min(account.projects))
    with Sandbox(account) as box:
        listed: set[int] = set()
        for task in Peer(box).data("get_all_tasks", extra="subtasks"):
            listed |= {int(each["id"]) for each in walk(task)}
    truth = account.snapshot()["tasks"]
    assert listed == {task_id for task_id, task in truth.items() if task["listed"]}


def walk(task):
    yield task
    for child in task.get("child", ()):
        yield from walk(child)
