"""Records with valid defaults: a test says only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.model.plan import Image
from syncd.model.records import TaskRecord, content_hash

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def a_task(**values: Any) -> TaskRecord:
    """Return a task of project 8562."""
    defaults: dict[str, Any] = {
        "id": 331894,
        "project_id": 8562,
        "parent_id": None,
        "level": 1,
        "name": "Development",
        "page": "/project/8562/331894/",
        "status": "active",
        "priority": 7,
        "author_id": 3993,
        "assignee_id": 5514,
        "text": "a text",
        "date_added": datetime(2021, 1, 7, 10, 1),
        "date_start": None,
        "time_start": None,
        "date_end": None,
        "time_end": None,
        "date_closed": None,
        "max_time": None,
        "max_money": None,
        "extra": None,
        "tags": (),
        "files": (),
        "relations": (),
    }
    return TaskRecord(**defaults | values)


def an_image(record: TaskRecord | None = None, **values: Any) -> Image:
    """Return a task as the mirror holds it, read on Monday."""
    record = record or a_task()
    defaults: dict[str, Any] = {
        "record": record,
        "content_hash": content_hash(record),
        "observed_at": MONDAY,
        "valid_from": MONDAY,
    }
    return Image(**defaults | values)


def later(hours: float = 1) -> datetime:
    """Return an instant after Monday's."""
    return MONDAY + timedelta(hours=hours)
