"""Projects: name and page from the tasks' answer, the rest from `get_projects`.

Source: API sheet, section 8, get_projects.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Connection, Table, Text, false, select

from syncd.model.records import Stub
from syncd.resources.catalogue import Catalogue, Node
from syncd.resources.derived import Derived
from syncd.resources.tasks.wire import read_user_id
from syncd.store.mirror import Values
from syncd.store.schema import metadata, one_of, removal_columns
from syncd.store.types import Day, Document, ExactDecimal, Id, LocalTime
from syncd.worksection.methods.projects import get_projects
from syncd.worksection.scalars import as_amount, as_date, as_id, as_local_datetime, as_text

projects = Table(
    "projects",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="the account's number"),
    Column("name", Text, nullable=False, comment="title"),
    Column("page", Text, nullable=False, comment="path of its page in the account"),
    Column("url", Text, nullable=False, comment="address of its page in the account"),
    Column("status", Text, comment="active, pending or archive; NULL until known"),
    Column("folder", Text, comment="the folder (company) it stands in; NULL until known"),
    Column("manager_id", Id, comment="its manager, members.id; 0 is the account's nobody"),
    Column("author_id", Id, comment="who created it, members.id"),
    Column("date_added", LocalTime, comment="created, the account's wall clock"),
    Column("date_start", Day, comment="start date, as shown"),
    Column("date_end", Day, comment="due date, as shown"),
    Column("date_closed", LocalTime, comment="closed, wall clock; can linger on an active one"),
    Column("max_time", ExactDecimal, comment="estimate in hours"),
    Column("max_money", ExactDecimal, comment="estimate in the account's currency"),
    Column("extra", Document, comment="fields of the answer that have no column, as sent"),
    Column(
        "in_catalogue",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="whether get_projects showed it",
    ),
    *removal_columns(),
    one_of("status", "active", "pending", "archive"),
    comment="Projects of the account.",
)

_COLUMNS = {"id", "name", "page", "status", "date_added", "date_start", "date_end", "date_closed"}
_KNOWN = _COLUMNS | {"company", "user_from", "user_to", "max_time", "max_money"}


def catalogue(derived: Derived) -> Catalogue:
    """Return the catalogue of projects for one account."""

    def read(node: Node) -> Values:
        return _read(node, derived)

    def from_stub(stub: Stub) -> Values:
        return {
            "id": stub.id,
            "name": stub.name,
            "page": stub.page,
            "url": derived.url(stub.page),
            "removed_at": None,  # a project that shows tasks is there
            "removed_reason": None,
        }

    return Catalogue("project", projects, get_projects, read, from_stub, "not_in_projects")


def live_ids(tx: Connection) -> list[int]:
    """Return the projects that get_projects has shown and that are not removed."""
    query = select(projects.c.id).where(projects.c.removed_at.is_(None), projects.c.in_catalogue)
    return list(tx.scalars(query))


def pending_ids(tx: Connection) -> list[int]:
    """Return the live projects that are pending."""
    query = select(projects.c.id).where(
        projects.c.removed_at.is_(None), projects.c.status == "pending"
    )
    return list(tx.scalars(query))


def _read(node: Node, derived: Derived) -> dict[str, Any]:
    id, page = as_id(node.get("id")), as_text(node.get("page")) or ""
    if id is None:
        raise ValueError("id is missing")
    return {
        "id": id,
        "name": as_text(node.get("name")) or "",
        "page": page,
        "url": derived.url(page),
        "status": _status(node.get("status")),
        "folder": as_text(node.get("company")),
        "manager_id": read_user_id(node.get("user_to")),
        "author_id": read_user_id(node.get("user_from")),
        "date_added": as_local_datetime(node.get("date_added")),
        "date_start": as_date(node.get("date_start")),
        "date_end": as_date(node.get("date_end")),
        "date_closed": as_local_datetime(node.get("date_closed")),
        "max_time": as_amount(node.get("max_time")),
        "max_money": as_amount(node.get("max_money")),
        "extra": {key: value for key, value in node.items() if key not in _KNOWN} or None,
        "in_catalogue": True,
        "removed_at": None,
        "removed_reason": None,
    }


def _status(value: object) -> str | None:
    """Read a project's status; "archived" is met beside "archive" (API sheet, section 8)."""
    word = as_text(value)
    if word is None:
        return None
    word = "archive" if word == "archived" else word
    if word not in {"active", "pending", "archive"}:
        raise ValueError(f"status {word!r} is not active, pending or archive")
    return word
