"""What is done to tasks: by people in the web interface, and by the API's actions.

Human edits may do what the API cannot: move, delete, delay, and change a text.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncd.sandbox.locking import ImpossibleError, found, locked
from syncd.sandbox.records import DEEPEST_LEVEL, LONGEST_TEXT, SENTINELS, Task

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

EDITABLE = frozenset(
    [
        "name",
        "text",
        "priority",
        "assignee_id",
        "author_id",
        "date_start",
        "time_start",
        "date_end",
        "time_end",
        "date_closed",
        "max_time",
        "max_money",
    ]
)
NOT_REPORTED = frozenset({"author_id", "date_closed"})


def normal_text(text: str) -> str:
    """A text as the account stores it: CRLF line ends, cut at its limit (API sheet, section 3)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return lines.replace("\n", "\r\n")[:LONGEST_TEXT]


@locked
def create_task(
    account: Account,
    /,
    project_id: int,
    name: str,
    *,
    parent_id: int | None = None,
    by: int | None = None,
    tag_ids: list[int] | None = None,
    subscriber_ids: list[int] | None = None,
    hidden_from_all_but: list[int] | None = None,
    delayed: bool = False,
    date_added: datetime | None = None,
    **values: Any,
) -> int:
    """A new task at the end of its project or parent; returns its id."""
    project = found(account.projects, project_id, "project")
    check_place(account, project_id, parent_id)
    check_values(account, values)
    task = Task(
        id=account.new_id("task"),
        project_id=project_id,
        parent_id=parent_id,
        name=name,
        author_id=values.pop("author_id", None) or by or account.owner_id,
        date_added=date_added or account.wall_clock(),
        delayed=delayed,
        tag_ids=list(tag_ids or []),
        subscriber_ids=list(subscriber_ids or []),
        hidden_from_all_but=list(hidden_from_all_but or []),
        **normal_values(values),
    )
    account.tasks[task.id] = task
    siblings = project.roots if parent_id is None else account.tasks[parent_id].child_ids
    siblings.append(task.id)
    account.touch(task)
    what = "subtask" if parent_id else ""
    new = {"name": name, "assignee_id": task.assignee_id}
    account.record("post", task, by=task.author_id, what=what, new=new)
    return task.id


def check_place(account: Account, project_id: int, parent_id: int | None, depth: int = 1) -> None:
    """Refuse a place that is not in the project, or where a tree of that depth would not fit."""
    if parent_id is None:
        return
    parent = found(account.tasks, parent_id, "task")
    if parent.project_id != project_id:
        raise ImpossibleError(f"task {parent_id} is not in project {project_id}")
    if account.level_of(parent) + depth > DEEPEST_LEVEL:
        raise ImpossibleError("tasks nest three levels deep")


def check_values(account: Account, values: dict[str, Any]) -> None:
    """Refuse unknown fields, unknown people and priorities outside 0..10."""
    if unknown := set(values) - EDITABLE:
        raise ImpossibleError(f"a task has no editable {sorted(unknown)}")
    for key in ("assignee_id", "author_id"):
        if key in values and values[key] not in SENTINELS:
            found(account.members, values[key], "member")
    if not 0 <= values.get("priority", 1) <= 10:
        raise ImpossibleError("priority is 0..10")


def normal_values(values: dict[str, Any]) -> dict[str, Any]:
    """The same values with the text as the account stores it."""
    return values | ({"text": normal_text(values["text"])} if "text" in values else {})


@locked
def edit_task(account: Account, /, task_id: int, *, by: int | None = None, **values: Any) -> bool:
    """Set any fields; returns whether something became different. None clears a field."""
    task = found(account.tasks, task_id, "task")
    check_values(account, values)
    values = normal_values(values)
    old = {key: getattr(task, key) for key in values if getattr(task, key) != values[key]}
    for key in old:
        setattr(task, key, values[key])
    if old:
        account.touch(task)
    report_edit(account, task, {key: values[key] for key in old}, old, by)
    return bool(old)


def report_edit(
    account: Account, task: Task, new: dict[str, Any], old: dict[str, Any], by: int | None
) -> None:
    """The update event: only what changed; an edit that changed nothing is one as well (7.1)."""
    new = {key: value for key, value in new.items() if key not in NOT_REPORTED}
    old = {key: old[key] for key in new}
    what = "" if set(new) - {"text"} else "text" if new else "unchanged"
    account.record("update", task, by=by, what=what, new=new or None, old=old or None)


@locked
def rename_task(account: Account, /, task_id: int, name: str, *, by: int | None = None) -> bool:
    """Give the task another name."""
    return edit_task(account, task_id, by=by, name=name)


@locked
def edit_text(account: Account, /, task_id: int, text: str, *, by: int | None = None) -> bool:
    """Rewrite the description, which the API cannot do."""
    return edit_task(account, task_id, by=by, text=text)


@locked
def complete_task(account: Account, /, task_id: int, *, by: int | None = None) -> None:
    """Mark as done; refused while a subtask is open."""
    task = found(account.tasks, task_id, "task")
    if task.status == "done":
        raise ImpossibleError(f"task {task_id} is already closed")
    if any(account.tasks[child].status == "active" for child in task.child_ids):
        raise ImpossibleError(f"task {task_id} has open children")
    task.status = "done"
    task.date_closed = task.last_closed = account.wall_clock()
    account.touch(task)
    account.record("close", task, by=by)


@locked
def reopen_task(account: Account, /, task_id: int, *, by: int | None = None) -> None:
    """Make active again; refused under a parent that is done."""
    task = found(account.tasks, task_id, "task")
    if task.status == "active":
        raise ImpossibleError(f"task {task_id} is already active")
    if task.parent_id is not None and account.tasks[task.parent_id].status == "done":
        raise ImpossibleError(f"the parent of task {task_id} is done")
    task.status = "active"
    task.date_closed = None
    account.touch(task)
    account.record("reopen", task, by=by)


@locked
def delete_task(account: Account, /, task_id: int, *, by: int | None = None) -> list[int]:
    """Delete with everything below and every link to it; returns the ids that are gone."""
    task = found(account.tasks, task_id, "task")
    account.touch(task)
    account.record("delete", task, by=by, what="task_delete")
    gone = list(account.subtree(task))
    for each in gone:
        forget_belongings(account, each)
    siblings_of(account, task).remove(task_id)
    for each in gone:
        del account.tasks[each.id]
        account.stamps.pop(each.id, None)
        account.deleted_tasks.add(each.id)
    return [each.id for each in gone]


def forget_belongings(account: Account, task: Task) -> None:
    """Drop relations, files, comments and costs; the tasks at the other ends change by it."""
    if account.edges.get(task.id):
        account.touch(task)
    for edge in account.edges.pop(task.id, []):
        other = edge[2] if edge[1] == task.id else edge[1]
        if other in account.edges:
            account.edges[other].remove(edge)
    comments = [account.comments.pop(comment_id) for comment_id in task.comment_ids]
    for file_id in [*task.file_ids, *(f for comment in comments for f in comment.file_ids)]:
        del account.files[file_id]
    for cost_id in [c.id for c in account.costs.values() if c.task_id == task.id]:
        del account.costs[cost_id]


def siblings_of(account: Account, task: Task) -> list[int]:
    """The list of ids that the task stands in."""
    if task.parent_id is None:
        return account.projects[task.project_id].roots
    return account.tasks[task.parent_id].child_ids


@locked
def move_task(
    account: Account,
    /,
    task_id: int,
    *,
    project_id: int | None = None,
    parent_id: int | None = None,
    by: int | None = None,
) -> None:
    """Move with the subtree to the end of another project or parent, keeping every id."""
    task = found(account.tasks, task_id, "task")
    target = project_id or (
        found(account.tasks, parent_id, "task").project_id if parent_id else task.project_id
    )
    found(account.projects, target, "project")
    check_move(account, task, target, parent_id)
    account.touch(task)
    old = {"project_id": task.project_id, "parent_id": task.parent_id}
    siblings_of(account, task).remove(task_id)
    task.parent_id = parent_id
    for each in account.subtree(task):
        each.project_id = target
    siblings_of(account, task).append(task_id)
    account.touch(*account.subtree(task))
    new = {"project_id": target, "parent_id": parent_id}
    account.record("update", task, by=by, what="move", new=new, old=old)


def check_move(account: Account, task: Task, project_id: int, parent_id: int | None) -> None:
    """Refuse a place inside the tree itself, too deep, or open under a parent that is done."""
    below = {each.id for each in account.subtree(task)}
    if parent_id in below:
        raise ImpossibleError("a task cannot stand below itself")
    check_place(account, project_id, parent_id, depth_of(account, task))
    if (
        parent_id is not None
        and task.status == "active"
        and account.tasks[parent_id].status == "done"
    ):
        raise ImpossibleError("an open task cannot stand under one that is done")


def depth_of(account: Account, task: Task) -> int:
    """How many levels the tree below has, itself included."""
    return 1 + max((depth_of(account, account.tasks[c]) for c in task.child_ids), default=0)


@locked
def delay_task(account: Account, /, task_id: int) -> None:
    """Delay the publication: no method of the API shows the task from now on (5.1)."""
    task = found(account.tasks, task_id, "task")
    task.delayed = True
    account.touch(task)


@locked
def publish_task(account: Account, /, task_id: int) -> None:
    """End the delay of a task's publication."""
    task = found(account.tasks, task_id, "task")
    task.delayed = False
    account.touch(task)
