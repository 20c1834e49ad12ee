"""The truth: everything the simulated account holds, and every way to change it.

The class itself keeps the records, the clock, the lock and the marks by which encoded answers
are found stale; what people and the API do to it lives in the `edits_*` modules, which are its
methods. Nothing here knows of HTTP or of the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from syncd.sandbox import (
    edits_links,
    edits_people,
    edits_projects,
    edits_tags,
    edits_talk,
    edits_tasks,
    random_edits,
    seeding,
    truth,
)
from syncd.sandbox.records import (
    Comment,
    Cost,
    Edge,
    Event,
    File,
    Member,
    Project,
    Tag,
    TagGroup,
    Task,
)

Clock = Callable[[], datetime]
FIRST_IDS = {
    "project": 8562,
    "task": 331894,
    "member": 3993,
    "comment": 19978,
    "file": 17694,
    "tag": 72565,
    "tag_group": 100,
    "cost": 3706,
    "webhook": 130,
}


def utc_now() -> datetime:
    """The machine's clock, the default one."""
    return datetime.now(UTC)


class Account:
    """A thread-safe account in memory; every method takes the lock for as long as it works.

    `version` grows with every change of state; `stamps` holds, per top-level task, the version
    at which its tree last changed, and `epoch` grows when a change may show in any tree.
    """

    def __init__(self, *, clock: Clock = utc_now, zone: str = "Europe/Kyiv") -> None:
        self.clock = clock
        self.zone = ZoneInfo(zone)
        self.lock = threading.RLock()
        self.version = 0
        self.epoch = 0
        self.stamps: dict[int, int] = {}
        self.owner_id = 0
        self.projects: dict[int, Project] = {}
        self.members: dict[int, Member] = {}
        self.tag_groups: dict[int, TagGroup] = {}
        self.tags: dict[int, Tag] = {}
        self.tasks: dict[int, Task] = {}
        self.files: dict[int, File] = {}
        self.comments: dict[int, Comment] = {}
        self.costs: dict[int, Cost] = {}
        self.edges: dict[int, list[Edge]] = {}
        self.events: list[Event] = []
        self.deleted_tasks: set[int] = set()
        self.deleted_projects: set[int] = set()
        self.listeners: list[Callable[[Event], None]] = []
        self._ids: dict[str, Iterator[int]] = {kind: count(n) for kind, n in FIRST_IDS.items()}

    @classmethod
    def seeded(
        cls,
        tasks: int = 200,
        seed: int = 7,
        *,
        members: int | None = None,
        archived: float = 0.08,
        pending: float = 0.05,
        delayed: float = 0.01,
        anchor: date = seeding.ANCHOR,
        clock: Clock = utc_now,
        zone: str = "Europe/Kyiv",
    ) -> Account:
        """A realistic account with exactly `tasks` tasks; equal arguments give equal accounts.

        `archived` and `pending` are shares of the projects, `delayed` of the tasks; dates lie
        around `anchor`.
        """
        account = cls(clock=clock, zone=zone)
        seeding.sow(
            account,
            seeding.Plan(
                tasks=tasks,
                seed=seed,
                members=members or 12 + min(88, tasks // 100),
                archived=archived,
                pending=pending,
                delayed=delayed,
                anchor=anchor,
            ),
        )
        return account

    def new_id(self, kind: str) -> int:
        """The next free id of a kind; ids are never used twice."""
        return next(self._ids[kind])

    def wall_clock(self) -> datetime:
        """Now, to the minute, as the account writes it down."""
        return self.clock().astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)

    def root_of(self, task: Task) -> Task:
        """The top-level task of the tree that a task stands in."""
        while task.parent_id is not None:
            task = self.tasks[task.parent_id]
        return task

    def level_of(self, task: Task) -> int:
        """1 for a top-level task, 2 for a subtask, 3 for a subtask of a subtask."""
        level = 1
        while task.parent_id is not None:
            task = self.tasks[task.parent_id]
            level += 1
        return level

    def page_of(self, task: Task) -> str:
        """The task's address: below level 1 it names the top task (the API sheet, 5.3)."""
        root = self.root_of(task)
        if root is task:
            return f"/project/{task.project_id}/{task.id}/"
        return f"/project/{task.project_id}/{root.id}/{task.id}/"

    def subtree(self, task: Task) -> Iterator[Task]:
        """The task and everything below it, parents first."""
        yield task
        for child_id in task.child_ids:
            yield from self.subtree(self.tasks[child_id])

    def is_delayed(self, task: Task) -> bool:
        """Whether the task or one above it waits for its publication."""
        while not task.delayed and task.parent_id is not None:
            task = self.tasks[task.parent_id]
        return task.delayed

    def touch(self, *tasks: Task) -> None:
        """Mark the trees of these tasks, and of those related to them, as changed."""
        self.version += 1
        for task in tasks:
            self.stamps[self.root_of(task).id] = self.version
            for _, from_id, to_id in self.edges.get(task.id, ()):
                other = self.tasks[to_id if from_id == task.id else from_id]
                self.stamps[self.root_of(other).id] = self.version

    def touch_project(self, project: Project) -> None:
        """Mark all trees of a project as changed."""
        self.version += 1
        for root_id in project.roots:
            self.stamps[root_id] = self.version

    def touch_all(self) -> None:
        """Mark every tree as changed: a name that all of them may show is another now."""
        self.version += 1
        self.epoch += 1

    def record(
        self,
        action: str,
        subject: Task | Project | Comment,
        *,
        by: int | None,
        what: str = "",
        new: dict[str, Any] | None = None,
        old: dict[str, Any] | None = None,
    ) -> None:
        """Write an event and tell those who listen, who must do no more than take note."""
        at = self.clock().astimezone(UTC)
        stamp = self.wall_clock()
        event = make_event(self, action, subject, (at, stamp), by or self.owner_id, what, new, old)
        self.events.append(event)
        for listener in self.listeners:
            listener(event)

    snapshot = truth.snapshot
    random_edit = random_edits.random_edit

    create_task = edits_tasks.create_task
    edit_task = edits_tasks.edit_task
    rename_task = edits_tasks.rename_task
    edit_text = edits_tasks.edit_text
    complete_task = edits_tasks.complete_task
    reopen_task = edits_tasks.reopen_task
    delete_task = edits_tasks.delete_task
    move_task = edits_tasks.move_task
    delay_task = edits_tasks.delay_task
    publish_task = edits_tasks.publish_task

    add_relation = edits_links.add_relation
    remove_relation = edits_links.remove_relation
    add_file = edits_links.add_file
    remove_file = edits_links.remove_file
    tag_task = edits_links.tag_task
    untag_task = edits_links.untag_task
    set_task_tags = edits_links.set_task_tags
    subscribe = edits_links.subscribe
    unsubscribe = edits_links.unsubscribe

    create_project = edits_projects.create_project
    edit_project = edits_projects.edit_project
    rename_project = edits_projects.rename_project
    archive_project = edits_projects.archive_project
    activate_project = edits_projects.activate_project
    suspend_project = edits_projects.suspend_project
    delete_project = edits_projects.delete_project
    hide_project = edits_projects.hide_project
    show_project = edits_projects.show_project
    add_project_members = edits_projects.add_project_members
    remove_project_members = edits_projects.remove_project_members
    attach_tag_group = edits_projects.attach_tag_group
    detach_tag_group = edits_projects.detach_tag_group

    create_member = edits_people.create_member
    rename_member = edits_people.rename_member
    change_email = edits_people.change_email
    deactivate_member = edits_people.deactivate_member
    activate_member = edits_people.activate_member

    create_tag_group = edits_tags.create_tag_group
    create_tag = edits_tags.create_tag
    rename_tag = edits_tags.rename_tag
    delete_tag = edits_tags.delete_tag

    add_comment = edits_talk.add_comment
    edit_comment = edits_talk.edit_comment
    delete_comment = edits_talk.delete_comment
    add_cost = edits_talk.add_cost
    edit_cost = edits_talk.edit_cost
    delete_cost = edits_talk.delete_cost


def make_event(
    account: Account,
    action: str,
    subject: Task | Project | Comment,
    times: tuple[datetime, datetime],
    member_id: int,
    what: str,
    new: dict[str, Any] | None,
    old: dict[str, Any] | None,
) -> Event:
    """An event about a record that still stands in the account."""
    kind = type(subject).__name__.lower()
    if isinstance(subject, Project):
        task, project_id, page = None, subject.id, subject.page
    else:
        task = account.tasks[subject.task_id] if isinstance(subject, Comment) else subject
        project_id, page = task.project_id, account.page_of(task)
    task_id = task.id if task else None
    return Event(
        *times, action, kind, subject.id, task_id, project_id, page, member_id, what, new, old
    )
