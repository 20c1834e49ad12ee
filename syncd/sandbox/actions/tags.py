"""The actions on the catalogue of tags and on the tags of a task (the API sheet, 6.4 and 8)."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.actions.values import tag_ids
from syncd.sandbox.calls import Call
from syncd.sandbox.records import Tag, TagGroup
from syncd.sandbox.replies import OK, Reply, data, required


def get_task_tags(call: Call) -> Reply:
    """The catalogue, with the group of each tag; ids are numbers here."""
    groups = {group.id: group for group in wanted_groups(call)}
    tags = [tag for tag in call.account.tags.values() if tag.group_id in groups]
    if word := call.parameters.text("group"):
        tags = [tag for tag in tags if is_meant(groups[tag.group_id], word)]
    return data([tag_form(tag, groups[tag.group_id]) for tag in tags])


def wanted_groups(call: Call) -> list[TagGroup]:
    """The groups that `type` and `access` leave."""
    kind, access = call.parameters.text("type"), call.parameters.text("access")
    return [
        group
        for group in call.account.tag_groups.values()
        if kind in (None, "", group.type) and access in (None, "", group.access)
    ]


def is_meant(group: TagGroup, word: str) -> bool:
    """Whether an id or a title means the group."""
    return word in (str(group.id), group.title)


def tag_form(tag: Tag, group: TagGroup) -> dict[str, Any]:
    """A tag of the catalogue."""
    form = group_form(group)
    return {"title": tag.title, "id": tag.id, "group": form | {"id_group": str(group.id)}}


def group_form(group: TagGroup) -> dict[str, Any]:
    """A group of tags."""
    return {"title": group.title, "id": group.id, "type": group.type, "access": group.access}


def get_task_tag_groups(call: Call) -> Reply:
    """The groups."""
    return data([group_form(group) for group in wanted_groups(call)])


def add_task_tags(call: Call) -> Reply:
    """New tags in a group; names that exist are skipped."""
    word = call.parameters.text("group") or ""
    group = next((g for g in call.account.tag_groups.values() if is_meant(g, word)), None)
    if group is None:
        raise required("group (id or title)")
    call.parameters.required("title")
    known = {tag.title for tag in call.account.tags.values() if tag.group_id == group.id}
    titles = [t for t in dict.fromkeys(call.parameters.listed("title")) if t not in known]
    made = [(title, call.account.create_tag(group.id, title)) for title in titles]
    return data([{"title": title, "id": tag_id} for title, tag_id in made])


def add_task_tag_groups(call: Call) -> Reply:
    """New groups; names that exist are skipped."""
    kind, access = call.parameters.required("type"), call.parameters.required("access")
    call.parameters.required("title")
    known = {group.title for group in call.account.tag_groups.values()}
    made = [
        call.account.create_tag_group(title, type=kind, access=access)
        for title in dict.fromkeys(call.parameters.listed("title"))
        if title not in known
    ]
    return data([group_form(call.account.tag_groups[group_id]) for group_id in made])


def update_task_tags(call: Call) -> Reply:
    """Put tags on and take tags off; adding one that is there or removing one that is not is ok."""
    task = call.task()
    plus = tag_ids(call, "plus", task.project_id)
    minus = tag_ids(call, "minus", task.project_id)
    wanted = [tag_id for tag_id in [*task.tag_ids, *plus] if tag_id not in minus]
    call.account.set_task_tags(task.id, wanted, by=call.caller.member_id)
    return OK


ACTIONS = {
    "get_task_tags": ("tags_read", get_task_tags),
    "get_task_tag_groups": ("tags_read", get_task_tag_groups),
    "add_task_tags": ("tags_write", add_task_tags),
    "add_task_tag_groups": ("tags_write", add_task_tag_groups),
    "update_task_tags": ("tags_write", update_task_tags),
}
