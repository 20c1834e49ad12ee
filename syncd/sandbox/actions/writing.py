"""The actions that create and change tasks (the API sheet, sections 6.1 to 6.3)."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.actions.values import (
    date_value,
    empty_value,
    limit_value,
    priority_value,
    tag_ids,
)
from syncd.sandbox.calls import Call
from syncd.sandbox.records import NOBODY, SENTINELS, Project, Task
from syncd.sandbox.replies import (
    OK,
    RefusedError,
    Reply,
    bad_email,
    bad_project,
    bad_task,
    data,
    required,
)
from syncd.sandbox.tasks_wire import TaskWriter


def post_task(call: Call) -> Reply:
    """Create a task; one bad tag or address sinks the whole creation."""
    call.parameters.required("title")
    project = call.project()
    if project.status == "archive":
        raise bad_project()
    parent = chosen_parent(call, project)
    values = common_values(call) | {"assignee_id": chosen_assignee(call, project, NOBODY)}
    author = call.author()
    mentioned = call.people("mention")
    task_id = call.account.create_task(
        project.id,
        call.parameters.required("title").strip(),
        parent_id=parent.id if parent else None,
        by=author,
        tag_ids=tag_ids(call, "tags", project.id),
        subscriber_ids=call.people("subscribe"),
        hidden_from_all_but=call.people("hidden"),
        **values | {"text": whole_text(call, mentioned)},
    )
    attach(call, task_id, author)
    return data(created(call, call.account.tasks[task_id]))


def chosen_parent(call: Call, project: Project) -> Task | None:
    """The parent named, if a task can be put there."""
    if not call.parameters.text("id_parent"):
        return None
    parent = call.task("id_parent")
    if parent.project_id != project.id or call.account.level_of(parent) > 2:
        raise bad_task()
    if parent.status == "done":
        raise RefusedError(8, "Task is closed")
    return parent


def chosen_assignee(call: Call, project: Project, otherwise: int) -> int:
    """The assignee named, or the one that stands when none is."""
    assignee = call.assignee()
    if assignee is None:
        return otherwise
    outside = assignee not in SENTINELS and assignee not in project.member_ids
    if outside and call.switches.assignee_must_be_member:
        raise bad_email(call.parameters.text("email_user_to") or "")
    return assignee


def common_values(call: Call) -> dict[str, Any]:
    """Dates, limits and priority, which creating and editing share."""
    return {
        **priority_value(call),
        **date_value(call, "datestart", "date_start"),
        **date_value(call, "dateend", "date_end"),
        **limit_value(call, "max_time"),
        **limit_value(call, "max_money"),
    }


def whole_text(call: Call, mentioned: list[int]) -> str:
    """The text with the checklist as bullets and the mentioned names at its end (5.3)."""
    items = [f"• {item}" for item in call.parameters.many("todo") if str(item).strip()]
    text = call.parameters.text("text")
    whole = "\r\n".join([text, *items] if text else items)
    names = [call.account.members[member_id].name for member_id in mentioned]
    return " ".join([whole, *names] if whole else names)


def attach(call: Call, task_id: int, author: int, comment_id: int | None = None) -> list[int]:
    """Attach the parts sent as attach[n] and the uploads named in `files`."""
    parts = [part for part in call.attachments if part.field.startswith("attach")]
    chosen = [*parts, *call.uploads.chosen(call.parameters)]
    add = call.account.add_file
    return [add(task_id, f.name, f.data, comment_id=comment_id, by=author) for f in chosen]


def created(call: Call, task: Task) -> dict[str, Any]:
    """The reply: the task with its parent, with text only when it was asked for."""
    form = TaskWriter(call.account, call.switches, call.parameters.extras()).single(task)
    if not call.switches.post_reply_has_tags:
        form.pop("tags", None)
    return form


def update_task(call: Call) -> Reply:
    """Edit a task; what is not sent stays, but for what the switches take away."""
    task = call.task()
    project = call.account.projects[task.project_id]
    values = common_values(call) | title_value(call) | closed_value(call, task)
    values["assignee_id"] = chosen_assignee(call, project, assignee_unless_sent(call, task))
    tags = sent_tags(call, task)
    by = call.caller.member_id
    retagged = tags is not None and call.account.set_task_tags(task.id, tags, by=by)
    if not retagged or any(getattr(task, key) != value for key, value in values.items()):
        call.account.edit_task(task.id, by=by, **values)
    return data(TaskWriter(call.account, call.switches, frozenset()).single(task))


def title_value(call: Call) -> dict[str, Any]:
    """The new name; an empty one is refused, for a task always has a name."""
    title = call.parameters.text("title")
    if title is None:
        return {}
    if not title.strip():
        raise required("title")
    return {"name": title.strip()}


def closed_value(call: Call, task: Task) -> dict[str, Any]:
    """The day of closing, which only a task that is done has; its time of day stays."""
    sent = date_value(call, "dateclosed", "date_closed")
    if task.date_closed is None or not sent.get("date_closed"):
        return {}
    day = sent["date_closed"]
    return {"date_closed": task.date_closed.replace(day.year, day.month, day.day)}


def assignee_unless_sent(call: Call, task: Task) -> int:
    """Who it falls to without email_user_to: the same, or nobody (section 6.2)."""
    return NOBODY if call.switches.assignee_reset_on_omit else task.assignee_id


def sent_tags(call: Call, task: Task) -> list[int] | None:
    """The tags that replace the present ones; None when they stay."""
    text = call.parameters.text("tags")
    if text is None or call.switches.update_task_tags == "ignore":
        return None
    if not text.strip():
        return [] if empty_value(call, "tags", "tags") else None
    return tag_ids(call, "tags", task.project_id)


def complete_task(call: Call) -> Reply:
    """Close a task, children first."""
    task = call.task()
    if task.status == "done":
        raise RefusedError(12, "Task is already closed")
    if any(call.account.tasks[child].status == "active" for child in task.child_ids):
        raise RefusedError(13, "Task has children")
    stale = TaskWriter(call.account, call.switches, frozenset()).single(task)
    call.account.complete_task(task.id, by=call.caller.member_id)
    return data(stale) if call.switches.complete_reply == "stale" else OK


def reopen_task(call: Call) -> Reply:
    """Open a task again, parents first."""
    task = call.task()
    if task.status == "active":
        raise RefusedError(12, "Task is already active")
    if task.parent_id is not None and call.account.tasks[task.parent_id].status == "done":
        raise RefusedError(14, "Parent task is done")
    call.account.reopen_task(task.id, by=call.caller.member_id)
    return OK


ACTIONS = {
    "post_task": ("tasks_write", post_task),
    "update_task": ("tasks_write", update_task),
    "complete_task": ("tasks_write", complete_task),
    "reopen_task": ("tasks_write", reopen_task),
}
