"""Events of the change feed, read leniently; the samples are those of the API sheet."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncd.model.activity import Activity
from syncd.resources.activity import read_event, read_feed, told

WHO = {"id": "3993", "email": "a@x", "name": "H G"}
AT = "2024-01-10 12:30"
TAGS = {"10%": (1,), "Готово": (2,), "Twin": (3, 4)}


def an_event(action: str = "update", /, **values: Any) -> dict[str, Any]:
    about = {
        "type": values.pop("type", "task"),
        "id": values.pop("id", "331786"),
        "page": values.pop("page", "/project/6622/331786/"),
    }
    return {"action": action, "object": about, "date_added": AT, "user_from": WHO, **values}


def place(**values: Any) -> tuple[int | None, int | None, int]:
    event = read_event(an_event(**values))
    return event.project_id, event.task_id, event.entity_id


def test_an_event_is_read_with_its_author_and_time():
    new = {"priority": "7", "date_end": "2024-01-11"}
    assert Activity(
        fingerprint=read_event(an_event(new=new)).fingerprint,
        action="update",
        entity="task",
        entity_id=331786,
        task_id=331786,
        project_id=6622,
        member_id=3993,
        member_name="H G",
        date_added=datetime(2024, 1, 10, 12, 30),
        new=new,
    ) == read_event(an_event(new=new, old=[]))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, (6622, 331786, 331786)),
        ({"id": 331786, "page": "/project/6622/330000/331786/"}, (6622, 331786, 331786)),
        ({"page": "/task/331786/"}, (None, 331786, 331786)),
        ({"page": None}, (None, 331786, 331786)),
        ({"type": "comment", "id": "9", "page": "/project/1/2/"}, (1, 2, 9)),
        ({"type": "comment", "id": "9", "page": "/project/1/2/3/#com9"}, (1, 3, 9)),
        ({"type": "comment", "id": 9, "page": "/task/3/"}, (None, 3, 9)),
        ({"type": "comment", "id": 9, "page": "/project/1/"}, (1, None, 9)),
        ({"type": "project", "id": "8506", "page": "/project/8506/"}, (8506, None, 8506)),
        ({"type": "project", "id": "8506", "page": ""}, (8506, None, 8506)),
    ],
)
def test_every_form_of_a_page_tells_where(values, found):
    assert found == place(**values)


def test_the_fingerprint_is_of_all_that_is_told_and_of_no_more():
    base = read_event(an_event(new={"priority": "7", "title": "a"})).fingerprint
    same = an_event(new={"title": "a", "priority": "7"}, id=331786, page="/task/331786/")
    assert base == read_event(same).fingerprint
    others = [
        an_event("close", new={"priority": "7", "title": "a"}),
        an_event(new={"priority": "8", "title": "a"}),
        an_event(new={"priority": "7", "title": "a"}, old={"priority": "1"}),
        an_event(new={"priority": "7", "title": "a"}, user_from={"id": 1}),
        an_event(new={"priority": "7", "title": "a"}, date_added="2024-01-10 12:31"),
        an_event(new={"priority": "7", "title": "a"}, id="5"),
        an_event(new={"priority": "7", "title": "a"}, type="comment"),
    ]
    prints = [read_event(node).fingerprint for node in others]
    assert len({base, *prints}) == 8


def test_a_feed_is_sorted_each_event_once_and_nonsense_counted():
    late, early = an_event(), an_event(date_added="2024-01-09 08:00")
    nonsense = [
        None,
        "x",
        {},
        {"object": {}},
        an_event(date_added=""),
        an_event(id="x"),
        an_event(""),
    ]
    feed = read_feed([late, early, *nonsense, late])
    assert ([9, 10], 7) == ([each.date_added.day for each in feed.events], feed.malformed)


def test_no_nul_reaches_a_database():
    event = read_event(an_event(new={"a\x00": ["b\x00", {"c": "\x00"}]}))
    assert {"a": ["b", {"c": ""}]} == event.new


def said(action: str, new: Any = None, entity: str = "task") -> tuple[dict[str, Any], bool]:
    found = told(action, entity, datetime(2024, 1, 10), new, TAGS)
    return dict(found.values), found.doubtful


@pytest.mark.parametrize(
    ("action", "new", "found"),
    [
        ("update", {"title": "a"}, ({"name": "a"}, False)),
        ("update", {"name": "a"}, ({"name": "a"}, False)),
        ("update", {"priority": "7"}, ({"priority": 7}, False)),
        ("update", {"user_to": {"id": "5514", "email": "b@x"}}, ({"assignee_id": 5514}, False)),
        ("update", {"date_end": "2024-01-11"}, ({"date_end": date(2024, 1, 11)}, False)),
        ("update", {"date_end": "", "time_end": ""}, ({"date_end": None, "time_end": None}, False)),
        ("update", {"max_time": "1.5"}, ({"max_time": Decimal("1.5")}, False)),
        ("update", {"tags": ["Готово", "10%"]}, ({"tags": (1, 2)}, False)),
        ("update", {"tags": {"2": "Готово"}}, ({"tags": (2,)}, False)),
        ("update", {"tags": []}, ({"tags": ()}, False)),
        ("update", {"tags": ["Twin"]}, ({}, True)),
        ("update", {"tags": ["unknown"]}, ({}, True)),
        ("update", {"text": "more"}, ({}, True)),
        ("update", {"sprint": 1, "priority": "x"}, ({}, True)),
        ("update", None, ({}, True)),
        ("close", None, ({"status": "done"}, False)),
        ("reopen", None, ({"status": "active"}, False)),
        ("post", {"title": "a"}, ({"name": "a"}, False)),
        ("delete", None, ({}, True)),
        ("moved", None, ({}, True)),
    ],
)
def test_what_an_event_tells_of_its_task(action, new, found):
    assert found == said(action, new)


def test_a_comment_tells_nothing_of_its_task_unless_more_came_with_it():
    assert ({}, False) == said("post", {"text": "a word"}, "comment")
    assert ({}, True) == said("post", {"text": "a word", "user_to": {"id": 1}}, "comment")
