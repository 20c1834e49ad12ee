"""The actions on projects (the API sheet, sections 6.3, 6.4 and 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncd.sandbox import wire
from syncd.sandbox.actions.values import date_value, limit_value
from syncd.sandbox.calls import Call
from syncd.sandbox.records import NO_MANAGER, NOBODY, OPTIONS, Project
from syncd.sandbox.replies import OK, RefusedError, Reply, data

STATUSES = {"active": "active", "pending": "pending", "archive": "archive", "archived": "archive"}


def get_projects(call: Call) -> Reply:
    """All projects within reach, of one status or of any; other filters are ignored."""
    wanted = STATUSES.get(call.parameters.text("filter") or "")
    return data(
        [
            form(call, project)
            for project in call.account.projects.values()
            if call.reaches(project) and wanted in (None, project.status)
        ]
    )


def form(call: Call, project: Project) -> dict[str, Any]:
    """A project in wire form, with the extras asked for."""
    return wire.project(call.account, project, call.switches, call.parameters.extras())


def get_project(call: Call) -> Reply:
    """One project."""
    return data(form(call, call.project()))


def close_project(call: Call) -> Reply:
    """Archive a project."""
    project = call.project()
    if project.status == "archive":
        raise RefusedError(12, "Project is already closed")
    call.account.archive_project(project.id, by=call.caller.member_id)
    return OK


def activate_project(call: Call) -> Reply:
    """Bring a project back from the archive."""
    project = call.project()
    if project.status == "active":
        raise RefusedError(12, "Project is already active")
    call.account.activate_project(project.id, by=call.caller.member_id)
    return OK


def change_team(change: Callable[[Call, int, list[int]], None]) -> Callable[[Call], Reply]:
    """An action on the team of a project."""

    def action(call: Call) -> Reply:
        project = call.project()
        call.parameters.required("members")
        change(call, project.id, call.people("members"))
        return OK

    return action


add_project_members = change_team(
    lambda call, project_id, people: call.account.add_project_members(project_id, people)
)
delete_project_members = change_team(
    lambda call, project_id, people: call.account.remove_project_members(project_id, people)
)


def values(call: Call) -> dict[str, Any]:
    """The fields that post_project and update_project share."""
    sent: dict[str, Any] = {}
    for name, key in (("datestart", "date_start"), ("dateend", "date_end")):
        sent |= date_value(call, name, key)
    for name in ("max_time", "max_money"):
        sent |= limit_value(call, name)
    manager = call.assignee("email_manager")
    if manager is not None:
        sent["manager_id"] = NO_MANAGER if manager == NOBODY else manager
    options = {name for name in OPTIONS if call.parameters.flag(f"options.{name}")}
    return sent | ({"options": options} if options else {})


def post_project(call: Call) -> Reply:
    """A new project."""
    title = call.parameters.required("title")
    sent = values(call)
    team, author = call.people("members"), call.author()
    text = call.parameters.text("text") or ""
    company = call.parameters.text("company") or ""
    project_id = call.account.create_project(
        title.strip(), by=author, text=text, company=company, **sent
    )
    call.account.add_project_members(project_id, team)
    return data(form(call, call.account.projects[project_id]))


def update_project(call: Call) -> Reply:
    """Edit a project; `members` adds to the team."""
    project = call.project()
    sent = values(call)
    if title := call.parameters.text("title"):
        sent["name"] = title.strip()
    team = call.people("members")
    call.account.edit_project(project.id, by=call.caller.member_id, **sent)
    if team:
        call.account.add_project_members(project.id, team)
    return data(form(call, project))


ACTIONS = {
    "get_projects": ("projects_read", get_projects),
    "get_project": ("projects_read", get_project),
    "close_project": ("projects_write", close_project),
    "activate_project": ("projects_write", activate_project),
    "add_project_members": ("projects_write", add_project_members),
    "delete_project_members": ("projects_write", delete_project_members),
    "post_project": ("projects_write", post_project),
    "update_project": ("projects_write", update_project),
}
