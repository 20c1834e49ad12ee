"""Wire forms of scalars, people, projects, files and comments (the API sheet, section 4).

Ids are strings, numbers stay numbers where the sheet says so, and what is unset is absent.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

from syncd.sandbox.records import (
    NO_MANAGER,
    NOBODY,
    OPTIONS,
    SENTINELS,
    Comment,
    File,
    Member,
    Project,
)

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.switches import Switches

Json = dict[str, Any]


def stamp(moment: datetime) -> str:
    """A date-time to the minute; no zone."""
    return moment.isoformat(" ", "minutes")


def number(value: Decimal) -> int | float:
    """A JSON number, whole where it is whole."""
    return int(value) if value == value.to_integral_value() else float(value)


def scalar(value: Any) -> Any:
    """Any field of a task or project as the wire has it; ids are not for this."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, date):
        return value.isoformat()
    return number(value) if isinstance(value, Decimal) else value


def present(record: object, keys: tuple[str, ...]) -> Json:
    """The fields that are set, in wire form; the others are absent."""
    found = ((key, getattr(record, key)) for key in keys)
    return {key: scalar(value) for key, value in found if value is not None}


def shown(text: str, switches: Switches) -> str:
    """A name or text, with entities where the switch says so."""
    return escape(text) if switches.escape_entities else text


def html(text: str) -> str:
    """A description as markup, for extra=html; the real dialect is not known (5.3)."""
    return escape(text, quote=False).replace("\r\n", "<br>\r\n")


def user(account: Account, member_id: int, switches: Switches) -> Json:
    """A person as tasks show them, sentinels included."""
    if member_id in SENTINELS:
        email, name = SENTINELS[member_id]
        return {"id": str(member_id), "email": email, "name": name}
    member = account.members[member_id]
    email = member.email.title() if switches.email_case_varies else member.email
    return {"id": str(member_id), "email": email, "name": shown(member.name, switches)}


def member(each: Member) -> Json:
    """A person as get_users shows them (section 8)."""
    return {
        "id": str(each.id),
        "first_name": each.first_name,
        "last_name": each.last_name,
        "name": each.name,
        "title": each.title,
        **({"rate": number(each.rate)} if each.rate is not None else {}),
        "avatar": f"/avatar/{each.id}.png",
        "group": each.group,
        "department": each.department,
        "role": each.role,
        "email": each.email,
        "phone": "",
    }


def file(each: File) -> Json:
    """A file of a description or comment."""
    return {"id": str(each.id), "page": each.page, "name": each.name, "size": str(each.size)}


def comment(account: Account, each: Comment, switches: Switches, *, files: bool = False) -> Json:
    """A comment; its files only where they were asked for (section 8)."""
    page = account.page_of(account.tasks[each.task_id])
    form: Json = {
        "id": str(each.id),
        "page": f"{page}#com{each.id}",
        "text": shown(each.text, switches),
        "date_added": stamp(each.date_added),
        "user_from": user(account, each.author_id, switches),
    }
    if files and each.file_ids:
        form["files"] = [file(account.files[file_id]) for file_id in each.file_ids]
    return form


def project_brief(each: Project, switches: Switches) -> Json:
    """A project as tasks show it."""
    return {"id": str(each.id), "name": shown(each.name, switches), "page": each.page}


def project(account: Account, each: Project, switches: Switches, extras: frozenset[str]) -> Json:
    """A project as get_projects and get_project show it (section 8)."""
    form: Json = {
        **project_brief(each, switches),
        "status": each.status,
        "company": each.company,
        "user_from": user(account, each.author_id, switches),
        "user_to": user(account, manager(each), switches),
        **present(each, ("date_added", "date_start", "date_end", "date_closed")),
        **present(each, ("max_time", "max_money")),
    }
    if extras & {"text", "html"}:
        form["text"] = html(each.text) if "html" in extras else shown(each.text, switches)
    if "options" in extras:
        form["options"] = {name: int(name in each.options) for name in OPTIONS}
    if "users" in extras:
        form["users"] = [user(account, m, switches) for m in each.member_ids]
    return form


def manager(each: Project) -> int:
    """The manager's id; nobody is 0 here and 1 on tasks."""
    return NO_MANAGER if each.manager_id == NOBODY else each.manager_id
