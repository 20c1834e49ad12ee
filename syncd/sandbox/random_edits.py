"""One random edit of any kind, for tests that make hundreds of them and then compare.

Every edit goes through the account's own methods, so what it leaves is a valid account.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from syncd.sandbox import words
from syncd.sandbox.locking import ImpossibleError, locked
from syncd.sandbox.records import ANYONE, NOBODY, RELATION_TYPES, Task

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

Edit = Callable[["Account", Random], str]


@locked
def random_edit(account: Account, rng: Random, *, kinds: Collection[str] | None = None) -> str:
    """Make one edit, of these kinds or of any, and say in a line what it was.

    Raises ImpossibleError when the account leaves nothing to do.
    """
    names = sorted(kinds) if kinds else [*EDITS, *["create"] * 4]
    for _ in range(200):
        name = rng.choice(names)
        try:
            return f"{name}: {EDITS[name](account, rng)}"
        except (ImpossibleError, IndexError):
            continue
    raise ImpossibleError("the account leaves nothing to do")


def _some_task(account: Account, rng: Random) -> Task:
    """Any task; IndexError when there is none."""
    return account.tasks[rng.choice(list(account.tasks))]


def some_name(rng: Random) -> str:
    """A title that does not repeat soon."""
    return f"{rng.choice(words.VERBS)} {rng.choice(words.SUBJECTS)} {rng.randrange(10**6)}"


def _create(account: Account, rng: Random) -> str:
    project_id = rng.choice(list(account.projects))
    parents = [t for t in _project_tasks(account, project_id) if t.status == "active"]
    parent_id = rng.choice(parents).id if parents and rng.random() < 0.5 else None
    task_id = account.create_task(
        project_id, some_name(rng), parent_id=parent_id, by=rng.choice(list(account.members))
    )
    return f"task {task_id} in {project_id} under {parent_id}"


def _project_tasks(account: Account, project_id: int) -> list[Task]:
    return [t for root in account.projects[project_id].roots for t in _tree(account, root)]


def _tree(account: Account, root_id: int) -> list[Task]:
    return list(account.subtree(account.tasks[root_id]))


def _rename(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    account.rename_task(task.id, some_name(rng))
    return f"task {task.id} to {task.name!r}"


def _edit_text(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    account.edit_text(task.id, f"{rng.choice(words.SENTENCES)}\n{some_name(rng)}")
    return f"task {task.id}"


def _edit_field(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    day = task.date_added.date() + timedelta(days=rng.randint(0, 300))
    people = (ANYONE, NOBODY, *account.members)
    key, value = rng.choice(
        [
            ("priority", rng.randint(0, 10)),
            ("assignee_id", rng.choice(people)),
            ("date_start", rng.choice((day, None))),
            ("date_end", rng.choice((day, None))),
            ("max_time", rng.choice((Decimal(rng.randint(1, 400)) / 4, None))),
            ("max_money", rng.choice((Decimal(rng.randint(1, 99999)) / 100, None))),
        ]
    )
    values: dict[str, Any] = {key: value}
    account.edit_task(task.id, **values)
    return f"task {task.id} {key}={value}"


def _complete(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    account.complete_task(task.id)
    return f"task {task.id}"


def _reopen(account: Account, rng: Random) -> str:
    done = [t.id for t in account.tasks.values() if t.status == "done"]
    task_id = rng.choice(done)
    account.reopen_task(task_id)
    return f"task {task_id}"


def _delete(account: Account, rng: Random) -> str:
    if len(account.tasks) < 20:
        raise ImpossibleError("too few tasks to lose one")
    return f"tasks {account.delete_task(_some_task(account, rng).id)}"


def _move(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    project_id = rng.choice(list(account.projects))
    parents = [None, *(t.id for t in _project_tasks(account, project_id))]
    parent_id = rng.choice(parents)
    account.move_task(task.id, project_id=project_id, parent_id=parent_id)
    return f"task {task.id} to {project_id} under {parent_id}"


def _delay(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    account.delay_task(task.id)
    return f"task {task.id}"


def _publish(account: Account, rng: Random) -> str:
    task_id = rng.choice([t.id for t in account.tasks.values() if t.delayed])
    account.publish_task(task_id)
    return f"task {task_id}"


def _relate(account: Account, rng: Random) -> str:
    ends = _some_task(account, rng).id, _some_task(account, rng).id
    account.add_relation(rng.choice(RELATION_TYPES), *ends)
    return f"{ends}"


def _unrelate(account: Account, rng: Random) -> str:
    edge = rng.choice(rng.choice([edges for edges in account.edges.values() if edges]))
    account.remove_relation(*edge)
    return f"{edge}"


def _attach(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    file_id = account.add_file(task.id, rng.choice(words.FILE_NAMES), size=rng.randint(0, 9999))
    return f"file {file_id} to task {task.id}"


def _detach(account: Account, rng: Random) -> str:
    file_id = rng.choice(list(account.files))
    account.remove_file(file_id)
    return f"file {file_id}"


def _tag(account: Account, rng: Random) -> str:
    task, tag_id = _some_task(account, rng), rng.choice(list(account.tags))
    account.tag_task(task.id, tag_id)
    return f"task {task.id} with {tag_id}"


def _untag(account: Account, rng: Random) -> str:
    task = rng.choice([t for t in account.tasks.values() if t.tag_ids])
    tag_id = rng.choice(task.tag_ids)
    account.untag_task(task.id, tag_id)
    return f"task {task.id} of {tag_id}"


def _comment(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    return f"comment {account.add_comment(task.id, rng.choice(words.SENTENCES))} to task {task.id}"


def _edit_comment(account: Account, rng: Random) -> str:
    comment_id = rng.choice(list(account.comments))
    account.edit_comment(comment_id, some_name(rng))
    return f"comment {comment_id}"


def _delete_comment(account: Account, rng: Random) -> str:
    comment_id = rng.choice(list(account.comments))
    account.delete_comment(comment_id)
    return f"comment {comment_id}"


def _subscribe(account: Account, rng: Random) -> str:
    task, member_id = _some_task(account, rng), rng.choice(list(account.members))
    change = account.unsubscribe if member_id in task.subscriber_ids else account.subscribe
    change(task.id, member_id)
    return f"{change.__name__} {member_id} task {task.id}"


def _spend(account: Account, rng: Random) -> str:
    task = _some_task(account, rng)
    return f"cost {account.add_cost(task.id, minutes=rng.randint(1, 90))} on task {task.id}"


def _edit_cost(account: Account, rng: Random) -> str:
    cost_id = rng.choice(list(account.costs))
    account.edit_cost(cost_id, minutes=rng.randint(1, 500))
    return f"cost {cost_id}"


def _delete_cost(account: Account, rng: Random) -> str:
    cost_id = rng.choice(list(account.costs))
    account.delete_cost(cost_id)
    return f"cost {cost_id}"


def _create_project(account: Account, rng: Random) -> str:
    return f"project {account.create_project(some_name(rng))}"


def _rename_project(account: Account, rng: Random) -> str:
    project_id = rng.choice(list(account.projects))
    account.rename_project(project_id, some_name(rng))
    return f"project {project_id}"


def _archive_project(account: Account, rng: Random) -> str:
    active = [p.id for p in account.projects.values() if p.status != "archive"]
    if len(active) < 2:
        raise ImpossibleError("the last project stays")
    project_id = rng.choice(active)
    account.archive_project(project_id)
    return f"project {project_id}"


def _activate_project(account: Account, rng: Random) -> str:
    project_id = rng.choice([p.id for p in account.projects.values() if p.status != "active"])
    account.activate_project(project_id)
    return f"project {project_id}"


def _delete_project(account: Account, rng: Random) -> str:
    if len(account.projects) < 4 or rng.random() < 0.8:
        raise ImpossibleError("projects go rarely")
    project_id = rng.choice(list(account.projects))
    return f"project {project_id} with tasks {account.delete_project(project_id)}"


def _hide_project(account: Account, rng: Random) -> str:
    shown = [p.id for p in account.projects.values() if not p.hidden]
    if len(shown) < 2:
        raise ImpossibleError("the last project stays")
    project_id = rng.choice(shown)
    account.hide_project(project_id)
    return f"project {project_id}"


def _show_project(account: Account, rng: Random) -> str:
    project_id = rng.choice([p.id for p in account.projects.values() if p.hidden])
    account.show_project(project_id)
    return f"project {project_id}"


def _rename_member(account: Account, rng: Random) -> str:
    member_id = rng.choice(list(account.members))
    account.rename_member(
        member_id, rng.choice(words.FIRST_NAMES), f"{rng.choice(words.LAST_NAMES)} {rng.random()}"
    )
    return f"member {member_id}"


def _change_email(account: Account, rng: Random) -> str:
    member_id = rng.choice(list(account.members))
    account.change_email(member_id, f"new{rng.randrange(10**9)}@example.com")
    return f"member {member_id}"


def _deactivate_member(account: Account, rng: Random) -> str:
    active = [m.id for m in account.members.values() if m.active and m.id != account.owner_id]
    if len(active) < 3:
        raise ImpossibleError("somebody has to stay")
    member_id = rng.choice(active)
    account.deactivate_member(member_id)
    return f"member {member_id}"


def _create_member(account: Account, rng: Random) -> str:
    name = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
    return f"member {account.create_member(*name)}"


def _create_tag(account: Account, rng: Random) -> str:
    return f"tag {account.create_tag(rng.choice(list(account.tag_groups)), some_name(rng))}"


def _rename_tag(account: Account, rng: Random) -> str:
    tag_id = rng.choice(list(account.tags))
    account.rename_tag(tag_id, some_name(rng))
    return f"tag {tag_id}"


def _delete_tag(account: Account, rng: Random) -> str:
    if len(account.tags) < 4:
        raise ImpossibleError("a few tags stay")
    tag_id = rng.choice(list(account.tags))
    account.delete_tag(tag_id)
    return f"tag {tag_id}"


EDITS: dict[str, Edit] = {
    edit.__name__.removeprefix("_"): edit
    for edit in (
        *(
            _create,
            _rename,
            _edit_text,
            _edit_field,
            _complete,
            _reopen,
            _delete,
            _move,
            _delay,
            _publish,
        ),
        *(_relate, _unrelate, _attach, _detach, _tag, _untag, _subscribe),
        *(_comment, _edit_comment, _delete_comment, _spend, _edit_cost, _delete_cost),
        *(_create_project, _rename_project, _archive_project, _activate_project, _delete_project),
        *(_hide_project, _show_project),
        *(_create_member, _rename_member, _change_email, _deactivate_member),
        *(_create_tag, _rename_tag, _delete_tag),
    )
}
