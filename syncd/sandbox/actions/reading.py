"""The actions that read tasks (the API sheet, section 5)."""

from __future__ import annotations

from syncd.sandbox.calls import Call
from syncd.sandbox.listings import Variant
from syncd.sandbox.records import Project, Task
from syncd.sandbox.replies import RefusedError, Reply, bad_project, data, too_many_tasks
from syncd.sandbox.search import search
from syncd.sandbox.tasks_wire import TaskWriter

LIST_EXTRAS = frozenset(
    ["text", "html", "files", "comments", "relations", "subtasks", "subscribers", "tags"]
)
SEARCH_FIELDS = "filter, id_project, id_task, email_user_from, email_user_to"


def get_all_tasks(call: Call) -> Reply:
    """The tasks of all projects; those of archived ones only with extra=archive."""
    archived = "archive" in call.parameters.extras()
    projects = [p for p in call.account.projects.values() if call.reaches(p)]
    return listing(call, [p for p in projects if is_listed(call, p, archived)])


def is_listed(call: Call, project: Project, archived: bool) -> bool:
    """Whether a project's tasks belong to get_all_tasks."""
    if project.status == "archive":
        return archived
    return project.status == "active" or call.switches.pending_listed


def get_tasks(call: Call) -> Reply:
    """The tasks of one project."""
    project = call.project()
    if project.status == "archive" and not call.switches.archived_by_id:
        raise bad_project()
    return listing(call, [project])


def listing(call: Call, projects: list[Project]) -> Reply:
    """The encoded trees of these projects, unless they are too many records."""
    variant = Variant(call.parameters.extras() & LIST_EXTRAS, active_only(call), call.switches)
    body = call.listings.body(projects, variant)
    records = body.records if call.switches.limit_counts_children else body.tops
    check_limit(call, records)
    return Reply({"data": None}, body) if body.tops else data([])


def check_limit(call: Call, records: int) -> None:
    """Refuse an answer of more records than the account gives (section 3)."""
    if records > call.switches.record_limit:
        raise too_many_tasks(call.switches.record_limit)


def active_only(call: Call) -> bool:
    """Whether done tasks are filtered out; other filters are ignored, `status` is an old alias."""
    return "active" in (call.parameters.text("filter"), call.parameters.text("status"))


def get_task(call: Call) -> Reply:
    """One task, with its children trimmed and its parents shown."""
    task = call.task()
    writer = TaskWriter(
        call.account, call.switches, call.parameters.extras(), active=active_only(call)
    )
    return data(writer.single(task))


def search_tasks(call: Call) -> Reply:
    """A flat list of the tasks that meet every condition (section 5.4)."""
    conditions = ("filter", "id_project", "id_task", "email_user_from", "email_user_to")
    if not any(call.parameters.text(name) for name in conditions):
        raise RefusedError(10, "At least one of fields required", SEARCH_FIELDS)
    found = search(call)
    check_limit(call, len(found))
    return data([written(call, task) for task in found])


def written(call: Call, task: Task) -> dict[str, object]:
    """A task as search_tasks shows it: flat, with no parent and no children."""
    extras = call.parameters.extras() & {"text", "html", "files", "tags"}
    return TaskWriter(call.account, call.switches, extras).full(task, in_list=True)


ACTIONS = {
    "get_all_tasks": ("tasks_read", get_all_tasks),
    "get_tasks": ("tasks_read", get_tasks),
    "get_task": ("tasks_read", get_task),
    "search_tasks": ("tasks_read", search_tasks),
}
