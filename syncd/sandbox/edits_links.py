"""What hangs on a task: relations, files, tags and subscribers.

Relations have no API at all, and a file reaches an existing task only by hand
(the API sheet, sections 5.3 and 6.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.sandbox.locking import ImpossibleError, found, locked
from syncd.sandbox.records import RELATION_TYPES, Edge, File

if TYPE_CHECKING:
    from syncd.sandbox.account import Account


@locked
def add_relation(account: Account, /, type: str, from_id: int, to_id: int) -> bool:
    """Link two tasks; returns whether the link is new."""
    edge = checked_edge(account, type, from_id, to_id)
    if edge in account.edges.get(from_id, []):
        return False
    account.edges.setdefault(from_id, []).append(edge)
    account.edges.setdefault(to_id, []).append(edge)
    account.touch(account.tasks[from_id])
    return True


def checked_edge(account: Account, type: str, from_id: int, to_id: int) -> Edge:
    """The link, if the real account could have it."""
    if type not in RELATION_TYPES or from_id == to_id:
        raise ImpossibleError(f"no relation {type!r} from {from_id} to {to_id}")
    found(account.tasks, from_id, "task")
    found(account.tasks, to_id, "task")
    return (type, from_id, to_id)


@locked
def remove_relation(account: Account, /, type: str, from_id: int, to_id: int) -> bool:
    """Remove a link; returns whether it was there."""
    edge = checked_edge(account, type, from_id, to_id)
    if edge not in account.edges.get(from_id, []):
        return False
    account.touch(account.tasks[from_id])
    account.edges[from_id].remove(edge)
    account.edges[to_id].remove(edge)
    return True


@locked
def add_file(
    account: Account,
    /,
    task_id: int,
    name: str,
    data: bytes | None = None,
    *,
    size: int = 27_136,
    comment_id: int | None = None,
    by: int | None = None,
) -> int:
    """Attach a file to the description, or to a comment of the task; returns its id."""
    task = found(account.tasks, task_id, "task")
    holder = found(account.comments, comment_id, "comment") if comment_id else task
    file = File(
        id=account.new_id("file"),
        name=name,
        size=size if data is None else len(data),
        task_id=task_id,
        member_id=by or account.owner_id,
        date_added=account.wall_clock(),
        comment_id=comment_id,
        data=data,
    )
    account.files[file.id] = file
    holder.file_ids.append(file.id)
    account.touch(task)
    return file.id


@locked
def remove_file(account: Account, /, file_id: int) -> None:
    """Delete a file from wherever it hangs."""
    file = found(account.files, file_id, "file")
    task = account.tasks[file.task_id]
    holder = account.comments[file.comment_id] if file.comment_id else task
    holder.file_ids.remove(file_id)
    del account.files[file_id]
    account.touch(task)


@locked
def tag_task(account: Account, /, task_id: int, tag_id: int, *, by: int | None = None) -> bool:
    """Put a tag on; returns whether it was not there yet."""
    task = found(account.tasks, task_id, "task")
    return set_task_tags(account, task_id, [*task.tag_ids, tag_id], by=by)


@locked
def untag_task(account: Account, /, task_id: int, tag_id: int, *, by: int | None = None) -> bool:
    """Take a tag off; returns whether it was there."""
    task = found(account.tasks, task_id, "task")
    return set_task_tags(account, task_id, [t for t in task.tag_ids if t != tag_id], by=by)


@locked
def set_task_tags(
    account: Account, /, task_id: int, tag_ids: list[int], *, by: int | None = None
) -> bool:
    """Make these the task's tags; returns whether the set became another."""
    task = found(account.tasks, task_id, "task")
    for tag_id in tag_ids:
        found(account.tags, tag_id, "tag")
    wanted = list(dict.fromkeys(tag_ids))
    if set(wanted) == set(task.tag_ids):
        return False
    old, new = tag_names(account, task.tag_ids), tag_names(account, wanted)
    task.tag_ids = wanted
    account.touch(task)
    account.record("update", task, by=by, what="tags", new={"tags": new}, old={"tags": old})
    return True


def tag_names(account: Account, tag_ids: list[int]) -> list[str]:
    """The names, which is all that events tell of tags (the API sheet, section 7.1)."""
    return [account.tags[tag_id].title for tag_id in tag_ids]


@locked
def subscribe(account: Account, /, task_id: int, member_id: int) -> bool:
    """Add a subscriber; returns whether they are new."""
    task = found(account.tasks, task_id, "task")
    found(account.members, member_id, "member")
    if member_id in task.subscriber_ids:
        return False
    task.subscriber_ids.append(member_id)
    account.touch(task)
    return True


@locked
def unsubscribe(account: Account, /, task_id: int, member_id: int) -> bool:
    """Remove a subscriber; returns whether they were one."""
    task = found(account.tasks, task_id, "task")
    if member_id not in task.subscriber_ids:
        return False
    task.subscriber_ids.remove(member_id)
    account.touch(task)
    return True
