"""What the people of the demo's account do: a few edits of every sort, as on the web page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from syncd.sandbox import Account
from syncd.sandbox.records import Task

SUBTASK = "Ask the printer for proofs"


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits in words, and what they must come to in the mirror."""

    told: tuple[str, ...]
    watched: int
    inserted: int = 1
    updated: int = 4
    removed: int = 1


def edit(account: Account, today: date) -> Edits:
    """Let people work: rename, plan, hand over, tag, finish, add and delete."""
    parents = (task for task in open_tasks(account) if task.parent_id is None)
    simple = (
        task for task in open_tasks(account) if not task.child_ids and _unlinked(account, task)
    )
    planned = next(parents)
    handed, done, deleted, tagged = (
        task for task, _ in zip((t for t in simple if t is not planned), range(4), strict=False)
    )
    colleague = _colleague(account, handed)
    label = next(tag for tag in account.tags.values() if tag.id not in tagged.tag_ids)
    due = today + timedelta(days=7)
    names = {task.id: task.name for task in (planned, handed, done, tagged, deleted)}
    account.edit_task(planned.id, name=f"{planned.name} (urgent)", priority=9, date_end=due)
    account.edit_task(handed.id, assignee_id=colleague)
    account.complete_task(done.id)
    account.tag_task(tagged.id, label.id)
    account.create_task(planned.project_id, SUBTASK, parent_id=planned.id)
    account.delete_task(deleted.id)
    told = (
        f'task {planned.id} "{names[planned.id]}" is renamed, made urgent and due in a week',
        f'task {handed.id} "{names[handed.id]}" goes to {account.members[colleague].name}',
        f'task {done.id} "{names[done.id]}" is done',
        f'task {tagged.id} "{names[tagged.id]}" gets the tag "{label.title}"',
        f'task {planned.id} gets the subtask "{SUBTASK}"',
        f'task {deleted.id} "{names[deleted.id]}" is deleted',
    )
    return Edits(told, watched=planned.id)


def open_tasks(account: Account) -> Iterator[Task]:
    """Yield the active tasks that the API shows, in the order of their ids."""
    shown = account.snapshot()["tasks"]
    for id in sorted(account.tasks):
        if shown[id]["listed"] and account.tasks[id].status == "active":
            yield account.tasks[id]


def _unlinked(account: Account, task: Task) -> bool:
    return not account.edges.get(task.id)


def _colleague(account: Account, task: Task) -> int:
    return next(
        member.id
        for member in account.members.values()
        if member.active and member.id != task.assignee_id
    )
