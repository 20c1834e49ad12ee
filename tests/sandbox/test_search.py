from datetime import date

import pytest


@pytest.fixture
def found(box, peer):
    account = box.account
    project = min(account.projects)
    account.create_task(project, "Ends soon", date_end=date(2026, 1, 20))
    account.create_task(project, "Ends late", date_end=date(2026, 3, 1), assignee_id=2)
    account.complete_task(account.create_task(project, "Is done"))

    def names(**parameters):
        return [t["name"] for t in peer.data("search_tasks", **parameters)]

    return names


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("name has 'ends'", ["Ends soon", "Ends late"]),
        ("name = 'Leaf'", ["Leaf"]),
        ("name='leaf'", []),
        ("dateend < '01.02.2026'", ["Ends soon"]),
        ("dateend>='20.01.2026' and dateend!='20.01.2026'", ["Ends late"]),
        ("dateend = '20.01.2026' or name = \"Leaf\"", ["Leaf", "Ends soon"]),
        ("(name has 'soon' or name has 'late') and dateend > '01.02.2026'", ["Ends late"]),
        ("name has 'late' and (dateadd = '15.01.2026')", ["Ends late"]),
        ("date_added <= '15.01.2026' and name has 'leaf'", ["Leaf"]),
        ("datestart > '01.01.2020'", []),
        ("id in (331894, 331896)", ["Top <1>", "Leaf"]),
        ("parent = 331894", ["Middle"]),
        ("project in (8562) and id=331895", ["Middle"]),
    ],
)
def test_filters(found, filter, expected):
    assert found(filter=filter) == expected


@pytest.mark.parametrize(
    "filter",
    [
        "priority = 3",
        "name like 'x'",
        "name = x",
        "dateend > '2026-01-01'",
        "dateend > '31.02.2026'",
        "id in (1,2",
        "id = x",
        "id =",
        "name has 'x' name has 'y'",
        "(id = 1",
        "id > 1",
        "'",
    ],
)
def test_a_filter_that_is_wrong_is_refused_with_the_expected_format(peer, filter):
    answer = peer.ask("search_tasks", filter=filter)
    assert (answer["status"], answer["status_code"]) == ("error", 10)
    assert "DD.MM.YYYY" in answer["test"]


def test_some_condition_is_required(peer):
    assert peer.refused("search_tasks", status="done") == (
        10,
        "At least one of fields required",
        "filter, id_project, id_task, email_user_from, email_user_to",
    )


def test_status(box, found):
    project = min(box.account.projects)
    assert found(id_project=project, status="done") == ["Is done"]
    assert "Is done" not in found(id_project=project)
    box.set(search_default_status="all")
    assert "Is done" in found(id_project=project)
    assert "Is done" not in found(id_project=project, status="active")


def test_people(found):
    assert found(email_user_to="ANY") == ["Ends late"]
    assert len(found(email_user_from="OWNER@example.com")) == 5
    assert found(email_user_from="ann@example.com") == []


def test_an_unknown_address(peer):
    assert peer.refused("search_tasks", email_user_to="x@y") == (11, "Invalid email", "x@y")


def test_a_task_alone_or_its_subtree(box, found):
    assert found(id_task=331894) == ["Top <1>"]
    box.set(search_task_id="subtree")
    assert found(id_task=331894) == ["Top <1>", "Middle", "Leaf"]


def test_results_are_flat(peer):
    task = peer.data("search_tasks", filter="id=331895", extra="text,subtasks")[0]
    assert not {"child", "parent"} & set(task)
    assert task["text"] == ""
    assert "text" not in peer.data("search_tasks", filter="id=331895")[0]


def test_archived_projects_only_when_named(box, found):
    project = min(box.account.projects)
    box.account.archive_project(project)
    assert found(filter="name has 'ends'") == []
    assert found(filter="name has 'ends'", id_project=project) == ["Ends soon", "Ends late"]


def test_the_limit_counts_here_too(box, peer):
    box.set(record_limit=1)
    assert peer.refused("search_tasks", id_project=8562)[1] == "Too many tasks (1 max)"
