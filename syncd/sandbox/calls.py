"""One call of the API, and what its caller may reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncd.sandbox.edits_people import member_by_email
from syncd.sandbox.parameters import Parameters
from syncd.sandbox.records import ANYONE, NOBODY, Project, Task
from syncd.sandbox.replies import bad_email, bad_project, bad_task

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.listings import Listings
    from syncd.sandbox.switches import Switches
    from syncd.sandbox.uploads import Upload, Uploads
    from syncd.sandbox.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the scheme they proved themselves by, and how far they reach.

    `projects` and `scopes` are None for the administrator's key, which has all.
    """

    scheme: str
    member_id: int
    projects: frozenset[int] | None = None
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """An action's whole world: the account, the parameters, the caller, the switches."""

    account: Account
    switches: Switches
    parameters: Parameters
    caller: Caller
    listings: Listings
    uploads: Uploads
    webhooks: Webhooks
    attachments: tuple[Upload, ...] = ()

    def reaches(self, project: Project) -> bool:
        """Whether the caller sees the project at all."""
        seen = self.caller.projects is None or project.id in self.caller.projects
        return seen and not project.hidden

    def project(self) -> Project:
        """The project named by id_project; code 10 without it, 4 when it is out of reach."""
        self.parameters.required("id_project")
        project = self.account.projects.get(self.parameters.number("id_project") or 0)
        if project is None or not self.reaches(project):
            raise bad_project()
        return project

    def task(self, name: str = "id_task") -> Task:
        """The task named by a parameter; code 10 without it, 5 when it is out of reach."""
        self.parameters.required(name)
        task = self.account.tasks.get(self.parameters.number(name) or 0)
        if task is None or not self.sees(task):
            raise bad_task()
        return task

    def sees(self, task: Task) -> bool:
        """Whether the task shows at all: published, in a project within reach."""
        project = self.account.projects[task.project_id]
        if project.status == "archive" and not self.switches.archived_by_id:
            return False
        return self.reaches(project) and not self.account.is_delayed(task)

    def author(self) -> int:
        """Who does it: email_user_from for the key, else the caller (section 6.1)."""
        email = self.parameters.text("email_user_from")
        if not email or self.caller.scopes is not None:
            return self.caller.member_id
        return self.person(email)

    def person(self, email: str) -> int:
        """The active member with that address; code 11 when there is none."""
        member = member_by_email(self.account, email)
        if member is None or not member.active:
            raise bad_email(email)
        return member.id

    def people(self, name: str) -> list[int]:
        """The members of a comma list of addresses."""
        return [self.person(email) for email in self.parameters.listed(name)]

    def assignee(self, name: str = "email_user_to") -> int | None:
        """The person to do it, ANY or NOONE; None when the parameter is absent or empty."""
        email = self.parameters.text(name)
        if not email:
            return None
        sentinel = {"ANY": ANYONE, "NOONE": NOBODY}.get(email.upper())
        return self.person(email) if sentinel is None else sentinel
