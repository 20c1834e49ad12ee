"""Events as the change feed and webhooks send them, read leniently. API sheet, section 7.

Ids are texts or numbers, pages have three forms, `new` and `old` may be missing. An event that
cannot be understood is a ValueError or TypeError with the reason; it spoils none of the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from syncd.model.activity import Activity, Told
from syncd.resources.answers import raw_text
from syncd.resources.tasks.wire import TagIds, read_tags, read_user_id
from syncd.worksection.scalars import (
    as_amount,
    as_date,
    as_id,
    as_int,
    as_local_datetime,
    as_text,
    as_time,
)

Node = Mapping[str, Any]

_OF_PROJECT: Final = re.compile(r"/project((?:/\d{1,19})+)", re.ASCII)
_OF_TASK: Final = re.compile(r"/task/(\d{1,19})", re.ASCII)
_STATUS: Final[Mapping[str, str]] = {"close": "done", "reopen": "active"}
_READERS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "title": ("name", lambda value: as_text(value) or ""),
    "name": ("name", lambda value: as_text(value) or ""),
    "user_to": ("assignee_id", read_user_id),
    "priority": ("priority", as_int),
    "date_start": ("date_start", as_date),
    "time_start": ("time_start", as_time),
    "date_end": ("date_end", as_date),
    "time_end": ("time_end", as_time),
    "max_time": ("max_time", as_amount),
    "max_money": ("max_money", as_amount),
}
"""The keys that can be compared with a task: its column, and how the value is read."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The events of an answer, the oldest first, and how many could not be understood."""

    events: tuple[Activity, ...] = ()
    malformed: int = 0


def read_feed(nodes: Iterable[object]) -> Feed:
    """Read the events of an answer; the same one twice counts once."""
    found: dict[str, Activity] = {}
    malformed = 0
    for node in nodes:
        try:
            event = read_event(node)
        except (ValueError, TypeError, RecursionError):
            malformed += 1
        else:
            found.setdefault(event.fingerprint, event)
    return Feed(tuple(sorted(found.values(), key=lambda each: each.date_added)), malformed)


def read_event(node: object) -> Activity:
    """Read one event. Raises ValueError and TypeError with the reason."""
    if not isinstance(node, dict):
        raise TypeError("an event is not an object")
    action, entity, id = _what(node)
    project_id, task_id = _where(node, entity, id)
    who = _object(node.get("user_from")) or {}
    at = as_local_datetime(node.get("date_added"))
    if at is None:
        raise ValueError("date_added is missing")
    new, old = _object(node.get("new")), _object(node.get("old"))
    member_id = as_id(who.get("id"))
    return Activity(
        fingerprint=_fingerprint(action, entity, id, at, member_id, new, old),
        action=action,
        entity=entity,
        entity_id=id,
        task_id=task_id,
        project_id=project_id,
        member_id=member_id,
        member_name=as_text(who.get("name")),
        date_added=at,
        new=new,
        old=old,
    )


def named_task(node: object) -> int | None:
    """Return the task that an event names, however little else of it makes sense."""
    try:
        if not isinstance(node, dict):
            return None
        _, entity, id = _what({"action": "unknown", **node})
        return _where(node, entity, id)[1]
    except (ValueError, TypeError, RecursionError):
        return None


def told(action: str, entity: str, at: datetime, new: Node | None, tag_ids: TagIds) -> Told:
    """Return what an event tells of the fields of its task."""
    if entity == "comment":
        # A comment changes no field of its task; in its form more can be set at once.
        return Told(at, {}, doubtful=bool((new or {}).keys() - {"text", "files"}))
    values: dict[str, Any] = {"status": _STATUS[action]} if action in _STATUS else {}
    doubtful = action not in {*_STATUS, "post"} and not new
    for key, raw in (new or {}).items():
        try:
            column, value = _value(key, raw, tag_ids)
        except (ValueError, TypeError, KeyError):
            doubtful = True
        else:
            values[column] = value
    return Told(at, values, doubtful)


def _value(key: str, raw: Any, tag_ids: TagIds) -> tuple[str, Any]:
    """Read one changed field. Raises KeyError for one that no column of a task holds."""
    if key == "tags":
        found = read_tags({"tags": raw}, tag_ids)
        if found is None:
            raise ValueError("a tag's name means several tags, or none")
        return "tags", found
    column, read = _READERS[key]
    return column, read(raw)


def _what(node: Node) -> tuple[str, str, int]:
    """Return action, type and id of the record that an event is about."""
    about = node.get("object")
    if not isinstance(about, dict):
        raise TypeError("an event tells of no object")
    id, page = as_id(about.get("id")), as_text(about.get("page")) or ""
    entity = as_text(about.get("type")) or ("task" if _OF_TASK.search(page) else "")
    if id is None and entity == "task":
        id = _place(page)[1]
    action = as_text(node.get("action"))
    if not action or not entity or id is None:
        raise ValueError("an event does not tell what happened to what")
    return action, entity, id


def _where(node: Node, entity: str, id: int) -> tuple[int | None, int | None]:
    """Return the project and the task of an event, as far as it tells."""
    project_id, task_id = _place(as_text(node["object"].get("page")) or "")
    if entity == "project":
        return id, None
    return project_id, id if entity == "task" else task_id


def _place(page: str) -> tuple[int | None, int | None]:
    """Read "/project/P/T/", "/project/P/TOP/T/" and "/task/T/"; the last number is the task."""
    short = _OF_TASK.search(page)
    if short:
        return None, as_id(short[1])
    long = _OF_PROJECT.search(page)
    numbers = [as_id(each) for each in long[1].split("/")[1:]] if long else []
    return (numbers[0] if numbers else None, numbers[-1] if len(numbers) > 1 else None)


def _object(value: object) -> dict[str, Any] | None:
    """Return an object without NUL, which no database takes; anything else tells nothing."""
    return _clean(value) if isinstance(value, dict) and value else None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    return value


def _fingerprint(*told: object) -> str:
    return sha256(
        raw_text([str(each) if isinstance(each, datetime) else each for each in told]).encode()
    ).hexdigest()
