"""Tasks: reading and writing. API sheet, sections 5 and 6."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from syncd.worksection.filters import Expression
from syncd.worksection.parameters import (
    NOT_GIVEN,
    NotGiven,
    comma_list,
    emails,
    extras,
    filled,
    given,
)
from syncd.worksection.request import Attachment, Request

TEXT_LIMIT: Final = 65_536  # characters; the account cuts the rest and says ok

Number = int | Decimal


def get_all_tasks(*, extra: Sequence[str] = (), active_only: bool = False) -> Request:
    """All tasks of the account; without `subtasks` in `extra` the top level only."""
    return Request("get_all_tasks", filled(filter=_active(active_only), extra=extras(extra)))


def get_tasks(id_project: int, *, extra: Sequence[str] = (), active_only: bool = False) -> Request:
    """All tasks of one project."""
    params = filled(id_project=id_project, filter=_active(active_only), extra=extras(extra))
    return Request("get_tasks", params)


def get_task(id_task: int, *, extra: Sequence[str] = (), active_only: bool = False) -> Request:
    """One task; the filter is about its subtasks, which come trimmed."""
    params = filled(id_task=id_task, filter=_active(active_only), extra=extras(extra))
    return Request("get_task", params)


def search_tasks(
    *,
    filter: Expression | None = None,
    id_project: int | None = None,
    id_task: int | None = None,
    email_user_from: str | None = None,
    email_user_to: str | None = None,
    status: Literal["active", "done"] | None = None,
    extra: Sequence[str] = (),
) -> Request:
    """Tasks that meet every given condition, as a flat list.

    Give `status`: without it the account may leave the done tasks out. Raises ValueError when
    there is no condition.
    """
    conditions = filled(
        id_project=id_project,
        id_task=id_task,
        email_user_from=email_user_from,
        email_user_to=email_user_to,
        filter=None if filter is None else str(filter),
    )
    if not conditions:
        raise ValueError("search_tasks needs a condition")
    return Request("search_tasks", (*conditions, *filled(status=status, extra=extras(extra))))


def post_task(
    id_project: int,
    title: str,
    *,
    id_parent: int | None = None,
    email_user_from: str | None = None,
    email_user_to: str | None = None,
    priority: int | None = None,
    text: str | None = None,
    todo: Sequence[str] = (),
    datestart: date | None = None,
    dateend: date | None = None,
    subscribe: Sequence[str] = (),
    hidden: Sequence[str] = (),
    mention: Sequence[str] = (),
    max_time: Number | None = None,
    max_money: Number | None = None,
    tags: Sequence[int | str] = (),
    extra: Sequence[str] = (),
    attach: Sequence[Attachment] = (),
    files: str | None = None,
) -> Request:
    """Create a task. `files` is the JSON list that upload_files answered, for `hmac` only."""
    params = filled(
        id_project=id_project,
        title=title,
        id_parent=id_parent,
        email_user_from=email_user_from,
        email_user_to=email_user_to,
        priority=priority,
        text=text,
        datestart=datestart,
        dateend=dateend,
        subscribe=emails(subscribe),
        hidden=emails(hidden),
        mention=emails(mention),
        max_time=max_time,
        max_money=max_money,
        tags=comma_list(tags, what="tag"),
        extra=extras(extra),
        files=files,
    )
    checklist = tuple(("todo[]", item) for item in todo)
    return Request("post_task", (*params, *checklist), tuple(attach))


def update_task(
    id_task: int,
    *,
    title: str | NotGiven = NOT_GIVEN,
    email_user_to: str | NotGiven | None = NOT_GIVEN,
    priority: int | NotGiven | None = NOT_GIVEN,
    datestart: date | NotGiven | None = NOT_GIVEN,
    dateend: date | NotGiven | None = NOT_GIVEN,
    dateclosed: date | NotGiven | None = NOT_GIVEN,
    max_time: Number | NotGiven | None = NOT_GIVEN,
    max_money: Number | NotGiven | None = NOT_GIVEN,
    tags: Sequence[int | str] | NotGiven = NOT_GIVEN,
) -> Request:
    """Change what is given; None clears (an assignee becomes NOONE, all else goes out empty).

    `tags` replaces all tags, where the account knows that; update_task_tags is safer.
    """
    params = given(
        id_task=id_task,
        title=title,
        email_user_to="NOONE" if email_user_to is None else email_user_to,
        priority=priority,
        datestart=datestart,
        dateend=dateend,
        dateclosed=dateclosed,
        max_time=max_time,
        max_money=max_money,
        tags=tags if isinstance(tags, NotGiven) else comma_list(tags, what="tag"),
    )
    return Request("update_task", params)


def complete_task(id_task: int) -> Request:
    """Close a task whose subtasks are all closed."""
    return Request("complete_task", given(id_task=id_task))


def reopen_task(id_task: int) -> Request:
    """Open a task again whose parent is open."""
    return Request("reopen_task", given(id_task=id_task))


def subscribe(id_task: int, email_user: str) -> Request:
    """Let one member follow a task."""
    return Request("subscribe", given(id_task=id_task, email_user=_one(email_user)))


def unsubscribe(id_task: int, email_user: str) -> Request:
    """Let one member no longer follow a task."""
    return Request("unsubscribe", given(id_task=id_task, email_user=_one(email_user)))


def _one(email: str) -> str:
    return comma_list([email], what="email")


def _active(active_only: bool) -> str | None:
    return "active" if active_only else None
