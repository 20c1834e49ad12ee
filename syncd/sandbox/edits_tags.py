"""What is done to the catalogue of tags; renaming and deleting have no API (API sheet, 6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.sandbox.locking import ImpossibleError, found, locked
from syncd.sandbox.records import Tag, TagGroup

if TYPE_CHECKING:
    from syncd.sandbox.account import Account


@locked
def create_tag_group(
    account: Account, /, title: str, *, type: str = "label", access: str = "public"
) -> int:
    """A new set of tags; a public one is attached to every project. Returns its id."""
    group = TagGroup(account.new_id("tag_group"), title, type, access)
    account.tag_groups[group.id] = group
    if access == "public":
        for project in account.projects.values():
            project.tag_group_ids.add(group.id)
    account.version += 1
    return group.id


@locked
def create_tag(account: Account, /, group_id: int, title: str) -> int:
    """A new tag in a group; returns its id."""
    found(account.tag_groups, group_id, "tag group")
    check_title(account, group_id, title)
    tag = Tag(account.new_id("tag"), group_id, title)
    account.tags[tag.id] = tag
    account.version += 1
    return tag.id


def check_title(account: Account, group_id: int, title: str) -> None:
    """Refuse a title that the group already has."""
    if any(t.group_id == group_id and t.title == title for t in account.tags.values()):
        raise ImpossibleError(f"the group already has a tag {title!r}")


@locked
def rename_tag(account: Account, /, tag_id: int, title: str) -> None:
    """Give a tag another title, on every task at once."""
    tag = found(account.tags, tag_id, "tag")
    if tag.title != title:
        check_title(account, tag.group_id, title)
    tag.title = title
    account.touch_all()


@locked
def delete_tag(account: Account, /, tag_id: int) -> None:
    """Delete a tag, which takes it off every task; the feed says nothing of it."""
    found(account.tags, tag_id, "tag")
    del account.tags[tag_id]
    for task in account.tasks.values():
        if tag_id in task.tag_ids:
            task.tag_ids = [t for t in task.tag_ids if t != tag_id]
    account.touch_all()
