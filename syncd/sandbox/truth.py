"""The plain truth of the account, for tests that compare a mirror with it.

Typed values only: ints, strings, dates, naive wall-clock datetimes, Decimals, sets and None;
never a wire form. It says also what the API hides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncd.sandbox.locking import locked
from syncd.sandbox.records import ANYONE, SENTINELS, Comment, File, Member, Project, Task

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

Plain = dict[str, Any]


@locked
def snapshot(account: Account) -> Plain:
    """Every kind by id, the set of relations, and the ids of what was ever deleted."""
    return {
        "version": account.version,
        "projects": {p.id: project_truth(p) for p in account.projects.values()},
        "members": sentinels() | {m.id: member_truth(m) for m in account.members.values()},
        "tag_groups": {
            g.id: {"id": g.id, "title": g.title, "type": g.type, "access": g.access}
            for g in account.tag_groups.values()
        },
        "tags": {
            t.id: {"id": t.id, "name": t.title, "group_id": t.group_id}
            for t in account.tags.values()
        },
        "tasks": {t.id: task_truth(account, t) for t in account.tasks.values()},
        "files": {f.id: file_truth(f) for f in account.files.values()},
        "comments": {c.id: comment_truth(c) for c in account.comments.values()},
        "costs": {
            c.id: {key: getattr(c, key) for key in c.__slots__} for c in account.costs.values()
        },
        "relations": {edge for edges in account.edges.values() for edge in edges},
        "deleted_tasks": set(account.deleted_tasks),
        "deleted_projects": set(account.deleted_projects),
    }


def sentinels() -> dict[int, Plain]:
    """The two people who are nobody; id 0 is no person at all but the lack of a manager."""
    return {
        number: {
            "id": number,
            "email": email,
            "name": name,
            "kind": "anyone" if number == ANYONE else "nobody",
            "active": True,
        }
        for number, (email, name) in SENTINELS.items()
        if number
    }


def member_truth(member: Member) -> Plain:
    """A person."""
    return {key: getattr(member, key) for key in member.__slots__} | {
        "name": member.name,
        "kind": "person",
    }


def project_truth(project: Project) -> Plain:
    """A project; `visible` is whether our credentials reach it."""
    return {key: getattr(project, key) for key in project.__slots__} | {
        "page": project.page,
        "options": set(project.options),
        "member_ids": set(project.member_ids),
        "tag_group_ids": set(project.tag_group_ids),
        "roots": list(project.roots),
        "visible": not project.hidden,
    }


def task_truth(account: Account, task: Task) -> Plain:
    """A task; `visible` is get_task's answer, `listed` whether get_all_tasks has it by default."""
    project = account.projects[task.project_id]
    visible = not account.is_delayed(task) and not project.hidden
    return {
        "id": task.id,
        "project_id": task.project_id,
        "parent_id": task.parent_id,
        "level": account.level_of(task),
        "name": task.name,
        "page": account.page_of(task),
        "status": task.status,
        "priority": task.priority,
        "author_id": task.author_id,
        "assignee_id": task.assignee_id,
        "text": task.text,
        "date_added": task.date_added,
        "date_start": task.date_start,
        "time_start": task.time_start,
        "date_end": task.date_end,
        "time_end": task.time_end,
        "date_closed": task.date_closed,
        "max_time": task.max_time,
        "max_money": task.max_money,
        "tags": set(task.tag_ids),
        "files": [file_truth(account.files[f]) for f in task.file_ids],
        "relations": set(account.edges.get(task.id, ())),
        "subscribers": set(task.subscriber_ids),
        "hidden_from_all_but": set(task.hidden_from_all_but),
        "comments": list(task.comment_ids),
        "children": list(task.child_ids),
        "delayed": task.delayed,
        "visible": visible,
        "listed": visible and project.status != "archive",
    }


def file_truth(file: File) -> Plain:
    """A file without its bytes."""
    return {
        "id": file.id,
        "name": file.name,
        "size": file.size,
        "page": file.page,
        "task_id": file.task_id,
        "comment_id": file.comment_id,
        "member_id": file.member_id,
        "date_added": file.date_added,
    }


def comment_truth(comment: Comment) -> Plain:
    """A comment."""
    return {key: getattr(comment, key) for key in comment.__slots__} | {
        "file_ids": list(comment.file_ids)
    }
