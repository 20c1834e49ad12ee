"""The change feed: which events show, over which period, in which form (API sheet, 7.1)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syncd.sandbox import wire
from syncd.sandbox.records import NO_MANAGER, Event
from syncd.sandbox.replies import required

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.switches import Switches

PERIOD = re.compile(r"(\d+)([mhd])")
LONGEST = {"m": 360, "h": 72, "d": 30}
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
USER_KEYS = {"assignee_id": "user_to", "manager_id": "user_to"}


def period(text: str) -> timedelta:
    """How far back; also 1d1h, which works though it is not documented. Code 10 otherwise."""
    parts = PERIOD.findall(text)
    if not parts or "".join(n + unit for n, unit in parts) != text:
        raise required("period")
    if any(not 1 <= int(n) <= LONGEST[unit] for n, unit in parts):
        raise required("period")
    return min(sum((int(n) * UNITS[unit] for n, unit in parts), timedelta()), timedelta(days=30))


def is_reported(event: Event, switches: Switches) -> bool:
    """Whether the feed tells of this kind of event."""
    return {
        "subtask": switches.events_subtask_creation,
        "move": switches.events_moves,
        "task_delete": switches.events_task_deletes,
        "text": switches.events_text_edits,
        "tags": switches.events_tag_changes,
        "unchanged": switches.events_without_change,
    }.get(event.what, True)


def form(account: Account, event: Event, switches: Switches) -> dict[str, Any]:
    """An item of the feed: no id, a minute's stamp, only what changed."""
    item: dict[str, Any] = {
        "action": event.action,
        "object": {"type": event.kind, "id": str(event.object_id), "page": event.page},
        "date_added": wire.stamp(event.stamp),
        "user_from": wire.user(account, event.member_id, switches),
    }
    for side, values in (("new", event.new), ("old", event.old)):
        if values:
            item[side] = changed(account, values, switches)
    return item


def changed(account: Account, values: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """One side of a change; what is not set is an empty string here."""
    return dict(one_change(account, key, value, switches) for key, value in values.items())


def one_change(account: Account, key: str, value: Any, switches: Switches) -> tuple[str, Any]:
    """A field under the key and in the form that the feed gives it."""
    if key in USER_KEYS:
        known = value in account.members or value in (0, 1, 2)
        return USER_KEYS[key], wire.user(account, value if known else NO_MANAGER, switches)
    if key == "name":
        return switches.events_rename_key, wire.shown(value, switches)
    if key in ("text", "tags"):
        escaped = [wire.shown(each, switches) for each in ([value] if key == "text" else value)]
        return key, escaped[0] if key == "text" else escaped
    if value is None:
        return key, ""
    return key, str(value) if isinstance(value, int) else wire.scalar(value)
