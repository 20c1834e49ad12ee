"""What is done to projects; deleting and hiding them is beyond the API (the API sheet, 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncd.sandbox.edits_tasks import delete_task, normal_values
from syncd.sandbox.locking import ImpossibleError, found, locked
from syncd.sandbox.records import OPTIONS, SENTINELS, Project

if TYPE_CHECKING:
    from syncd.sandbox.account import Account

EDITABLE = frozenset(
    [
        "name",
        "text",
        "manager_id",
        "company",
        "date_start",
        "date_end",
        "max_time",
        "max_money",
        "options",
    ]
)


@locked
def create_project(
    account: Account, /, name: str, *, by: int | None = None, status: str = "active", **values: Any
) -> int:
    """A new project with every public tag group attached; returns its id."""
    check_values(account, values)
    project = Project(
        id=account.new_id("project"),
        name=name,
        author_id=by or account.owner_id,
        date_added=account.wall_clock(),
        status=status,
        tag_group_ids={g.id for g in account.tag_groups.values() if g.access == "public"},
        **normal_values(values),
    )
    account.projects[project.id] = project
    account.touch_project(project)
    new = {"name": name, "manager_id": project.manager_id}
    account.record("post", project, by=by, new=new)
    return project.id


def check_values(account: Account, values: dict[str, Any]) -> None:
    """Refuse fields, options and managers that do not exist."""
    if unknown := set(values) - EDITABLE:
        raise ImpossibleError(f"a project has no editable {sorted(unknown)}")
    if unknown := set(values.get("options", ())) - set(OPTIONS):
        raise ImpossibleError(f"a project has no options {sorted(unknown)}")
    if values.get("manager_id", 0) not in SENTINELS:
        found(account.members, values["manager_id"], "member")


@locked
def edit_project(
    account: Account, /, project_id: int, *, by: int | None = None, **values: Any
) -> bool:
    """Set any fields; returns whether something became different."""
    project = found(account.projects, project_id, "project")
    check_values(account, values)
    values = normal_values(values)
    old = {key: getattr(project, key) for key in values if getattr(project, key) != values[key]}
    for key in old:
        setattr(project, key, values[key])
    if old:
        account.touch_project(project)
        reported = [key for key in old if key not in ("options", "company")]
        new = {key: values[key] for key in reported}
        old = {key: old[key] for key in reported}
        account.record("update", project, by=by, new=new or None, old=old or None)
    return bool(old)


@locked
def rename_project(
    account: Account, /, project_id: int, name: str, *, by: int | None = None
) -> bool:
    """Give the project another name."""
    return edit_project(account, project_id, by=by, name=name)


@locked
def archive_project(account: Account, /, project_id: int, *, by: int | None = None) -> None:
    """Archive: its tasks leave get_all_tasks; close_project is the same (API sheet, 8)."""
    project = found(account.projects, project_id, "project")
    if project.status == "archive":
        raise ImpossibleError(f"project {project_id} is already closed")
    project.status = "archive"
    project.date_closed = account.wall_clock()
    account.touch_project(project)
    account.record("close", project, by=by)


@locked
def activate_project(account: Account, /, project_id: int, *, by: int | None = None) -> None:
    """Make active again; the closing date lingers, as it was seen to (API sheet, 8)."""
    project = found(account.projects, project_id, "project")
    if project.status == "active":
        raise ImpossibleError(f"project {project_id} is already active")
    project.status = "active"
    account.touch_project(project)
    account.record("reopen", project, by=by)


@locked
def suspend_project(account: Account, /, project_id: int) -> None:
    """Make pending."""
    project = found(account.projects, project_id, "project")
    project.status = "pending"
    account.touch_project(project)


@locked
def delete_project(account: Account, /, project_id: int, *, by: int | None = None) -> list[int]:
    """Delete with all its tasks; returns their ids."""
    project = found(account.projects, project_id, "project")
    gone = [i for root in list(project.roots) for i in delete_task(account, root, by=by)]
    account.record("delete", project, by=by)
    del account.projects[project_id]
    account.deleted_projects.add(project_id)
    account.version += 1
    return gone


@locked
def hide_project(account: Account, /, project_id: int) -> None:
    """Take our credentials' rights to the project away."""
    found(account.projects, project_id, "project").hidden = True
    account.version += 1


@locked
def show_project(account: Account, /, project_id: int) -> None:
    """Give the rights back."""
    found(account.projects, project_id, "project").hidden = False
    account.version += 1


@locked
def add_project_members(account: Account, /, project_id: int, member_ids: list[int]) -> None:
    """Add people to the team."""
    project = found(account.projects, project_id, "project")
    for member_id in member_ids:
        found(account.members, member_id, "member")
    project.member_ids = list(dict.fromkeys([*project.member_ids, *member_ids]))
    account.version += 1


@locked
def remove_project_members(account: Account, /, project_id: int, member_ids: list[int]) -> None:
    """Remove people from the team."""
    project = found(account.projects, project_id, "project")
    project.member_ids = [m for m in project.member_ids if m not in member_ids]
    account.version += 1


@locked
def attach_tag_group(account: Account, /, project_id: int, group_id: int) -> None:
    """Let the project's tasks use a set of tags, which no action of the API does (6.4)."""
    found(account.tag_groups, group_id, "tag group")
    found(account.projects, project_id, "project").tag_group_ids.add(group_id)
    account.version += 1


@locked
def detach_tag_group(account: Account, /, project_id: int, group_id: int) -> None:
    """Forbid a set of tags in the project; tags already set stay."""
    found(account.projects, project_id, "project").tag_group_ids.discard(group_id)
    account.version += 1
