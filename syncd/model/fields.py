"""The JSON of `outbox.fields` and `outbox.base` as typed values, and back.

A number in JSON may be a text (exact) or a number; a list may be a JSON array or the comma list
that a column of `live_tasks` takes; tags may be ids or labels. What cannot be read raises
ValueError naming the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from syncd.model.change import Fields, Tags, Value

_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?", re.ASCII)
_ID_LABEL: Final = re.compile(r"#([0-9]{1,19})")


def read_fields(raw: Mapping[str, Any]) -> dict[str, Value]:
    """Read what a change sets, or what was there before. Raises ValueError."""
    return {name: read_value(name, value) for name, value in raw.items()}


def read_value(name: str, raw: Any) -> Value:
    """Read one field; null stays None, which is a value. Raises ValueError."""
    if name not in READERS:
        raise ValueError(f"a task has no field {name!r} that can be written")
    if raw is None:
        return _NOTHING.get(name)
    try:
        return READERS[name](raw)
    except (ValueError, TypeError, InvalidOperation):
        raise ValueError(f"{name} cannot be {raw!r}") from None


def write_fields(fields: Fields) -> dict[str, Any]:
    """Return typed values as JSON takes them, exactly: decimals and days as texts."""
    return {name: write_value(fields[name]) for name in sorted(fields)}


def write_value(value: Value) -> Any:
    """Return one value as JSON takes it."""
    if isinstance(value, frozenset):
        return sorted(value, key=lambda tag: (isinstance(tag, str), tag))
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def labelled_id(label: str) -> int | None:
    """Return the id that a label of the form #ID names."""
    match = _ID_LABEL.fullmatch(label)
    return int(match[1]) if match else None


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError
    return raw


def _whole(raw: Any) -> int:
    number = Decimal(str(raw))
    if isinstance(raw, bool) or number != int(number):
        raise ValueError
    return int(number)


def _exact(raw: Any) -> Decimal:
    number = Decimal(raw.strip().replace(",", ".") if isinstance(raw, str) else str(raw))
    if isinstance(raw, bool) or not number.is_finite():
        raise ValueError
    return number


def _day(raw: Any) -> date:
    match = _DAY.fullmatch(raw.strip())
    if match is None:
        raise ValueError
    return date.fromisoformat(match[1])


def _status(raw: Any) -> str:
    if raw not in ("active", "done"):
        raise ValueError
    return str(raw)


def _words(raw: Any) -> tuple[str, ...]:
    items = raw.split(",") if isinstance(raw, str) else raw
    return tuple(word for item in items if (word := _text(item).strip()))


def _tags(raw: Any) -> Tags:
    """Ids as the gate queues them, or labels as people write them."""
    items = raw.split(",") if isinstance(raw, str) else raw
    return frozenset(
        item if type(item) is int else label
        for item in items
        if (label := "" if type(item) is int else _text(item).strip()) or type(item) is int
    )


def _items(raw: Any) -> tuple[str, ...]:
    """A checklist: a JSON array, for its lines may hold commas."""
    if not isinstance(raw, (list, tuple)):
        raise TypeError
    return tuple(item for item in map(_text, raw) if item.strip())


READERS: Final[Mapping[str, Callable[[Any], Value]]] = {
    "name": _text,
    "status": _status,
    "priority": _whole,
    "assignee_email": _text,
    "date_start": _day,
    "date_end": _day,
    "date_closed": _day,
    "max_time": _exact,
    "max_money": _exact,
    "tags": _tags,
    "project_id": _whole,
    "parent_id": _whole,
    "parent_ref": _text,
    "level": _whole,
    "author_email": _text,
    "text": _text,
    "checklist": _items,
    "subscribers": _words,
    "hidden": _words,
    "mentions": _words,
}
"""Every field that a change can name, and how its JSON is read."""

EDITABLE: Final = frozenset(
    {
        "name",
        "status",
        "priority",
        "assignee_email",
        "date_start",
        "date_end",
        "date_closed",
        "max_time",
        "max_money",
        "tags",
    }
)
"""What an existing task's change can name."""

_NOTHING: Final[Mapping[str, Value]] = {
    "tags": frozenset(),
    "checklist": (),
    "subscribers": (),
    "hidden": (),
    "mentions": (),
}
"""What null means for a field that holds several things: none of them."""
