"""Requests as values: every documented parameter, in the account's form."""

from __future__ import annotations

import inspect
from datetime import date
from decimal import Decimal

import pytest

from syncd.worksection.methods import (
    comments,
    costs,
    files,
    projects,
    tags,
    tasks,
    webhooks,
)
from syncd.worksection.parameters import NOT_GIVEN
from syncd.worksection.request import READS, Attachment, Request


def test_a_task_with_everything() -> None:
    request = tasks.post_task(
        26,
        "Title",
        id_parent=7,
        email_user_from="a@x.org",
        email_user_to="ANY",
        priority=0,
        text="line",
        todo=["one, two", "three"],
        datestart=date(2026, 1, 2),
        dateend=date(2026, 2, 1),
        subscribe=["a@x.org", "b@x.org"],
        hidden=["c@x.org"],
        mention=["d@x.org"],
        max_time=Decimal("1.50"),
        max_money=0,
        tags=[5, "Label"],
        extra=["text"],
        attach=[Attachment("a.txt", b"x")],
    )
    assert request.params == (
        ("id_project", "26"),
        ("title", "Title"),
        ("id_parent", "7"),
        ("email_user_from", "a@x.org"),
        ("email_user_to", "ANY"),
        ("priority", "0"),
        ("text", "line"),
        ("datestart", "02.01.2026"),
        ("dateend", "01.02.2026"),
        ("subscribe", "a@x.org,b@x.org"),
        ("hidden", "c@x.org"),
        ("mention", "d@x.org"),
        ("max_time", "1.5"),
        ("max_money", "0"),
        ("tags", "5,Label"),
        ("extra", "text"),
        ("todo[]", "one, two"),
        ("todo[]", "three"),
    )
    assert request.parts()[0][0] == "attach[0]"


def test_a_bare_task_sends_nothing_else() -> None:
    assert tasks.post_task(1, "t").params == (("id_project", "1"), ("title", "t"))


def test_not_given_is_left_out_and_none_clears() -> None:
    assert tasks.update_task(5).params == (("id_task", "5"),)
    cleared = tasks.update_task(
        5, email_user_to=None, dateend=None, dateclosed=None, max_time=None, tags=[]
    )
    assert cleared.params == (
        ("id_task", "5"),
        ("email_user_to", "NOONE"),
        ("dateend", ""),
        ("dateclosed", ""),
        ("max_time", ""),
        ("tags", ""),
    )
    assert repr(NOT_GIVEN) == "NOT_GIVEN"


def test_an_update_with_everything() -> None:
    request = tasks.update_task(
        5,
        title="t",
        email_user_to="a@x",
        priority=10,
        datestart=date(2026, 1, 2),
        dateend=date(2026, 1, 3),
        dateclosed=date(2026, 1, 4),
        max_time=1,
        max_money=Decimal("2.25"),
        tags=[1, 2],
    )
    assert str(request) == (
        "update_task id_task=5 title=t email_user_to=a@x priority=10 datestart=02.01.2026"
        " dateend=03.01.2026 dateclosed=04.01.2026 max_time=1 max_money=2.25 tags=1,2"
    )


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (tasks.get_all_tasks(), "get_all_tasks"),
        (
            tasks.get_all_tasks(extra=("subtasks", "files"), active_only=True),
            "get_all_tasks filter=active extra=subtasks,files",
        ),
        (tasks.get_tasks(26, extra=["text"]), "get_tasks id_project=26 extra=text"),
        (tasks.get_task(5, extra=["subtasks"]), "get_task id_task=5 extra=subtasks"),
        (
            tasks.search_tasks(id_project=1, id_task=2, status="done", extra=["text"]),
            "search_tasks id_project=1 id_task=2 status=done extra=text",
        ),
        (
            tasks.search_tasks(email_user_from="a@x", email_user_to="b@x"),
            "search_tasks email_user_from=a@x email_user_to=b@x",
        ),
        (tasks.complete_task(5), "complete_task id_task=5"),
        (tasks.reopen_task(5), "reopen_task id_task=5"),
        (tasks.subscribe(5, "a@x"), "subscribe id_task=5 email_user=a@x"),
        (tasks.unsubscribe(5, "a@x"), "unsubscribe id_task=5 email_user=a@x"),
        (tags.get_task_tags(), "get_task_tags"),
        (
            tags.get_task_tags(group=1, type="status", access="public"),
            "get_task_tags group=1 type=status access=public",
        ),
        (
            tags.update_task_tags(5, plus=[1, 2], minus=[3]),
            "update_task_tags id_task=5 plus=1,2 minus=3",
        ),
        (
            projects.get_projects(filter="archived", extra=["users"]),
            "get_projects filter=archived extra=users",
        ),
        (projects.get_project(3), "get_project id_project=3"),
        (projects.get_users(), "get_users"),
        (projects.me(), "me"),
        (projects.get_events("5m", id_project=3), "get_events period=5m id_project=3"),
        (comments.get_comments(5, extra=["files"]), "get_comments id_task=5 extra=files"),
        (
            costs.get_costs(id_project=1, id_task=2, datestart=date(2026, 1, 2), is_timer=True),
            "get_costs id_project=1 id_task=2 datestart=02.01.2026 is_timer=1",
        ),
        (
            costs.get_costs_total(dateend=date(2026, 1, 2), extra="projects"),
            "get_costs_total dateend=02.01.2026 extra=projects",
        ),
        (webhooks.get_webhooks(), "get_webhooks"),
        (files.get_files(id_project=1), "get_files id_project=1"),
        (files.get_files(id_task=1), "get_files id_task=1"),
        (files.download(9), "download id_file=9"),
        (
            files.upload_files([Attachment("a b", b"")]),
            "upload_files files[]='a b'",
        ),
    ],
)
def test_a_request_prints_as_what_it_sends(request_: Request, text: str) -> None:
    assert str(request_) == text


def test_reads_are_known_and_all_else_writes() -> None:
    modules = (tasks, tags, projects, comments, costs, files, webhooks)
    named = {
        name
        for module in modules
        for name, found in inspect.getmembers(module, inspect.isfunction)
        if found.__module__ == module.__name__ and not name.startswith("_")
    }
    writes = {"post_task", "update_task", "complete_task", "reopen_task", "subscribe"}
    writes |= {"unsubscribe", "update_task_tags", "upload_files"}
    assert named - writes - {"period_of"} == READS


@pytest.mark.parametrize(
    "build",
    [
        lambda: tasks.search_tasks(status="done"),
        lambda: tasks.post_task(1, "t", subscribe=["a@x,b@x"]),
        lambda: tasks.post_task(1, "t", tags=["one, two"]),
        lambda: tasks.post_task(1, "t", hidden=[""]),
        lambda: tasks.subscribe(1, "a@x,b@x"),
        lambda: tags.update_task_tags(1),
        lambda: files.get_files(),
        lambda: files.get_files(id_project=1, id_task=1),
        lambda: files.upload_files([]),
        *(
            lambda period=period: projects.get_events(period)
            for period in ("60d", "31d", "361m", "73h", "0m", "1d1h", "5", "", "5 m", "٥m")
        ),
    ],
)
def test_what_the_account_would_refuse_is_not_built(build: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        build()


@pytest.mark.parametrize(
    ("minutes", "period"),
    [
        *((0, "1m"), (1, "1m"), (360, "360m"), (361, "7h"), (72 * 60, "72h")),
        *((72 * 60 + 1, "4d"), (40 * 24 * 60, "30d")),
    ],
)
def test_the_shortest_period_that_covers(minutes: int, period: str) -> None:
    assert projects.period_of(minutes) == period
    projects.get_events(period)


def test_an_attachment_does_not_print_its_content() -> None:
    assert repr(Attachment("a", b"secret")) == "Attachment('a', 6 bytes)"
