"""Dates, limits, priorities and tags as calls send them, with the switches that rule them."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.calls import Call
from syncd.sandbox.parameters import amount, wire_date
from syncd.sandbox.records import Tag
from syncd.sandbox.replies import RefusedError, bad_tag, required

Values = dict[str, Any]


def date_value(call: Call, name: str, key: str) -> Values:
    """A date field to set or clear; nothing when it was not sent or is passed over."""
    text = call.parameters.text(name)
    if text is None:
        return {}
    if not text.strip():
        return empty_value(call, name, key)
    if day := wire_date(text):
        return {key: day}
    if call.switches.bad_date == "ignore":
        return {}
    raise RefusedError(11, "Invalid date", name)


def empty_value(call: Call, name: str, key: str) -> Values:
    """What an empty parameter does: the account was not seen doing it (section 6.2)."""
    if call.switches.empty_value == "error":
        raise required(name)
    return {key: None} if call.switches.empty_value == "clear" else {}


def limit_value(call: Call, name: str) -> Values:
    """An estimate to set or clear."""
    text = call.parameters.text(name)
    if text is None:
        return {}
    if not text.strip():
        return empty_value(call, name, name)
    value = amount(name, text)
    if value or call.switches.zero_limit == "store":
        return {name: value}
    return {name: None} if call.switches.zero_limit == "clear" else {}


def priority_value(call: Call) -> Values:
    """The priority, or what the switch makes of one outside 0..10."""
    text = (call.parameters.text("priority") or "").strip()
    if not text:
        return {}
    if text.lstrip("-").isdecimal() and 0 <= int(text) <= 10:
        return {"priority": int(text)}
    if call.switches.bad_priority == "clamp" and text.lstrip("-").isdecimal():
        return {"priority": min(10, max(0, int(text)))}
    if call.switches.bad_priority == "error":
        raise RefusedError(10, "Field is required", "priority")
    return {}


def tag_ids(call: Call, name: str, project_id: int) -> list[int]:
    """The tags that a comma list of names and ids means; the first bad one sinks the call."""
    return [tag_meant(call, each, project_id).id for each in call.parameters.listed(name)]


def tag_meant(call: Call, word: str, project_id: int) -> Tag:
    """The tag of that id, or of that name if it is the only one (section 6.1)."""
    allowed = [tag for tag in call.account.tags.values() if may_carry(call, project_id, tag)]
    by_id = [tag for tag in allowed if str(tag.id) == word]
    found = by_id or [tag for tag in allowed if same_name(call, tag.title, word)]
    if len(found) != 1:
        raise bad_tag(word)
    return found[0]


def may_carry(call: Call, project_id: int, tag: Tag) -> bool:
    """Whether tasks of the project may carry the tag."""
    attached = call.account.projects[project_id].tag_group_ids
    return tag.group_id in attached or not call.switches.tags_must_be_attached


def same_name(call: Call, title: str, word: str) -> bool:
    """Whether a name means a tag."""
    if call.switches.tag_case_matters:
        return title == word
    return title.casefold() == word.casefold()
