"""What is said and spent under a task: comments and costs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncd.sandbox.edits_tasks import normal_text
from syncd.sandbox.locking import ImpossibleError, found, locked
from syncd.sandbox.records import Comment, Cost

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

EDITABLE_COSTS = frozenset({"minutes", "money", "date", "comment"})


@locked
def add_comment(
    account: Account,
    /,
    task_id: int,
    text: str,
    *,
    by: int | None = None,
    date_added: dt.datetime | None = None,
) -> int:
    """A new comment under a task; returns its id."""
    task = found(account.tasks, task_id, "task")
    comment = Comment(
        id=account.new_id("comment"),
        task_id=task_id,
        author_id=by or account.owner_id,
        text=normal_text(text),
        date_added=date_added or account.wall_clock(),
    )
    account.comments[comment.id] = comment
    task.comment_ids.append(comment.id)
    account.touch(task)
    account.record("post", comment, by=comment.author_id, new={"text": comment.text})
    return comment.id


@locked
def edit_comment(account: Account, /, comment_id: int, text: str, *, by: int | None = None) -> bool:
    """Rewrite a comment, which the API cannot do; returns whether it became another."""
    comment = found(account.comments, comment_id, "comment")
    old, new = comment.text, normal_text(text)
    if old == new:
        return False
    comment.text = new
    account.touch(account.tasks[comment.task_id])
    account.record("update", comment, by=by, new={"text": new}, old={"text": old})
    return True


@locked
def delete_comment(account: Account, /, comment_id: int, *, by: int | None = None) -> None:
    """Delete a comment with its files."""
    comment = found(account.comments, comment_id, "comment")
    account.record("delete", comment, by=by)
    task = account.tasks[comment.task_id]
    task.comment_ids.remove(comment_id)
    for file_id in comment.file_ids:
        del account.files[file_id]
    del account.comments[comment_id]
    account.touch(task)


@locked
def add_cost(
    account: Account,
    /,
    task_id: int,
    *,
    minutes: int = 0,
    money: Decimal = Decimal(0),
    date: dt.date | None = None,
    comment: str = "",
    is_timer: bool = False,
    by: int | None = None,
) -> int:
    """Write down time or money spent; returns the row's id."""
    found(account.tasks, task_id, "task")
    cost_id = account.new_id("cost")
    day = date or account.wall_clock().date()
    member_id = by or account.owner_id
    account.costs[cost_id] = Cost(
        cost_id, task_id, member_id, minutes, money, day, comment, is_timer
    )
    account.version += 1
    return cost_id


@locked
def edit_cost(account: Account, /, cost_id: int, **values: Any) -> bool:
    """Change a row of costs; returns whether it became another."""
    cost = found(account.costs, cost_id, "cost")
    if unknown := set(values) - EDITABLE_COSTS:
        raise ImpossibleError(f"a cost has no editable {sorted(unknown)}")
    changed = [key for key in values if getattr(cost, key) != values[key]]
    for key in changed:
        setattr(cost, key, values[key])
    account.version += bool(changed)
    return bool(changed)


@locked
def delete_cost(account: Account, /, cost_id: int) -> None:
    """Delete a row of costs."""
    found(account.costs, cost_id, "cost")
    del account.costs[cost_id]
    account.version += 1
