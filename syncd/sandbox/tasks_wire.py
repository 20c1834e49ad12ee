"""Wire forms of tasks: full, trimmed and as a parent (the API sheet, sections 5.1 to 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncd.sandbox import wire
from syncd.sandbox.records import Task
from syncd.sandbox.wire import Json

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.switches import Switches

DATES = ("date_added", "date_start", "date_end", "time_start", "time_end", "date_closed")
LIMITS = ("max_time", "max_money")
COMMENTS_SHOWN = 5


class TaskWriter:
    """Writes tasks for one request: its extras, its filter, its switches.

    People and projects are kept between tasks, so a writer must not outlive the account's lock.
    """

    def __init__(
        self, account: Account, switches: Switches, extras: frozenset[str], *, active: bool = False
    ) -> None:
        self.account = account
        self.switches = switches
        self.extras = extras
        self.active = active
        self._users: dict[int, Json] = {}
        self._projects: dict[int, Json] = {}

    def tree(self, task: Task) -> tuple[Json, int]:
        """The full task with its full children, and how many records that is."""
        form = self.full(task, in_list=True)
        return form, 1 + (self._add_children(form, task) if "subtasks" in self.extras else 0)

    def _add_children(self, form: Json, task: Task) -> int:
        written = [self.tree(child) for child in self.children(task)]
        if written:
            form["child"] = [child for child, _ in written]
        return sum(count for _, count in written)

    def children(self, task: Task) -> list[Task]:
        """The subtasks that the filter and the delayed publication leave."""
        found = [self.account.tasks[child_id] for child_id in task.child_ids]
        return [each for each in found if not each.delayed and self.passes(each)]

    def passes(self, task: Task) -> bool:
        """Whether the filter lets the task through."""
        return not self.active or task.status == "active"

    def full(self, task: Task, *, in_list: bool = False) -> Json:
        """Every field that is set and asked for, without children."""
        form = self.brief(task)
        form["user_from"] = self.user(task.author_id)
        form["user_to"] = self.user(task.assignee_id)
        form["project"] = self.project(task.project_id)
        if self.extras & {"text", "html"}:
            form["text"] = self.text(task)
        form.update(wire.present(task, DATES))
        if self.switches.date_closed_lingers and task.last_closed:
            form["date_closed"] = wire.stamp(task.last_closed)
        form.update(wire.present(task, LIMITS))
        if not in_list or self._lists_tags(task):
            self._add_tags(form, task, in_list=in_list)
        self._add_extras(form, task)
        return form

    def brief(self, task: Task) -> Json:
        """What relations, parents and trimmed children are made of."""
        return {
            "id": str(task.id),
            "name": wire.shown(task.name, self.switches),
            "page": self.account.page_of(task),
            "status": task.status,
            "priority": str(task.priority),
        }

    def user(self, member_id: int) -> Json:
        """A person, written once."""
        if member_id not in self._users:
            self._users[member_id] = wire.user(self.account, member_id, self.switches)
        return self._users[member_id]

    def project(self, project_id: int) -> Json:
        """A project in brief, written once."""
        if project_id not in self._projects:
            project = self.account.projects[project_id]
            self._projects[project_id] = wire.project_brief(project, self.switches)
        return self._projects[project_id]

    def text(self, task: Task) -> str:
        """The description, plain or as markup."""
        return wire.html(task.text) if "html" in self.extras else self._shown(task.text)

    def _shown(self, text: str) -> str:
        return wire.shown(text, self.switches)

    def _lists_tags(self, task: Task) -> bool:
        if task.parent_id is not None and not self.switches.tags_in_children:
            return False
        asked = self.switches.tags_in_lists
        return asked in ("map", "names") or (asked == "extra" and "tags" in self.extras)

    def _add_tags(self, form: Json, task: Task, *, in_list: bool) -> None:
        names = {str(t): self._shown(self.account.tags[t].title) for t in task.tag_ids}
        if names:
            as_names = in_list and self.switches.tags_in_lists == "names"
            form["tags"] = list(names.values()) if as_names else names
        elif self.switches.tags_when_empty != "absent":
            form["tags"] = [] if self.switches.tags_when_empty == "list" else {}

    def _add_extras(self, form: Json, task: Task) -> None:
        if "subscribers" in self.extras:
            form["subscribers"] = [self.user(m) for m in task.subscriber_ids]
        if "files" in self.extras and task.file_ids:
            form["files"] = [wire.file(self.account.files[f]) for f in task.file_ids]
        if "comments" in self.extras or self.switches.has_comments_always:
            form["has_comments"] = int(bool(task.comment_ids))
        if "comments" in self.extras and task.comment_ids:
            form["comments"] = self._last_comments(task)
        if "relations" in self.extras and self.account.edges.get(task.id):
            form["relations"] = self.relations(task)

    def _last_comments(self, task: Task) -> list[Json]:
        newest = reversed(task.comment_ids[-COMMENTS_SHOWN:])
        comments = [self.account.comments[comment_id] for comment_id in newest]
        return [wire.comment(self.account, each, self.switches) for each in comments]

    def relations(self, task: Task) -> Json:
        """Both sides of the task's links; an empty side is absent."""
        sides: Json = {}
        for kind, from_id, to_id in self.account.edges.get(task.id, ()):
            side, other = ("to", to_id) if from_id == task.id else ("from", from_id)
            link = {"type": kind, "task": self.brief(self.account.tasks[other])}
            sides.setdefault(side, []).append(link)
        return {side: sides[side] for side in ("from", "to") if side in sides}

    def single(self, task: Task) -> Json:
        """The answer of get_task: trimmed children, and the parents of a subtask."""
        form = self.full(task)
        if task.parent_id is not None:
            form["parent"] = self.parent(self.account.tasks[task.parent_id])
        if task.parent_id is None or self.switches.child_under_subtask:
            children = self.trimmed(task) if "subtasks" in self.extras else []
            form.update({"child": children} if children else {})
        return form

    def trimmed(self, task: Task) -> list[Json]:
        """The subtasks with five keys each."""
        forms = []
        for child in self.children(task):
            below = self.trimmed(child)
            forms.append(self.brief(child) | ({"child": below} if below else {}))
        return forms

    def parent(self, task: Task) -> Json:
        """The task above, with those above it."""
        form = self.brief(task)
        if task.parent_id is not None:
            form["parent"] = self.parent(self.account.tasks[task.parent_id])
        return form
