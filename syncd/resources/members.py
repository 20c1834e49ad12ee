"""Members: people of the account, and its two sentinels ANY and NOONE, which it sends as users.

Source: API sheet, sections 4 (users) and 8 (get_users).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Table, Text, false

from syncd.model.records import MemberKind, Stub
from syncd.resources.catalogue import Catalogue, Node
from syncd.store.mirror import Values
from syncd.store.schema import metadata, one_of, removal_columns
from syncd.store.types import Id
from syncd.worksection.methods.projects import get_users
from syncd.worksection.scalars import as_id, as_text

members = Table(
    "members",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="the account's number"),
    Column("email", Text, nullable=False, comment="address in lower case, or ANY, or NOONE"),
    Column("name", Text, nullable=False, comment="full name, as shown"),
    Column("kind", Text, nullable=False, comment="person, anyone (ANY) or nobody (NOONE)"),
    Column("first_name", Text, comment="first name; NULL until known"),
    Column("last_name", Text, comment="last name; NULL until known"),
    Column("title", Text, comment="position"),
    Column("role", Text, comment="role in the account, lower case"),
    Column("group_name", Text, comment="team or company"),
    Column("department", Text, comment="department"),
    Column(
        "in_catalogue",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="whether get_users showed it; a deactivated user is not shown",
    ),
    *removal_columns(),
    one_of("kind", "person", "anyone", "nobody"),
    comment="Members of the account, the deactivated ones that tasks still name included.",
)

_SENTINELS = {0: "nobody", 1: "nobody", 2: "anyone"}


def kind_of(id: int, email: str) -> MemberKind:
    """Tell a person from the sentinels: by id or by email, never by the localised name."""
    if id in _SENTINELS or email.upper() in {"ANY", "NOONE"}:
        return "anyone" if id == 2 or email.upper() == "ANY" else "nobody"
    return "person"


def canonical_email(email: str) -> str:
    """Return an address in lower case: its case varies between methods (API sheet, section 4)."""
    return email.upper() if email.upper() in {"ANY", "NOONE"} else email.lower()


def catalogue() -> Catalogue:
    """Return the catalogue of members."""
    return Catalogue("member", members, get_users, _read, _from_stub, "not_in_users")


def _from_stub(stub: Stub) -> Values:
    return {
        "id": stub.id,
        "email": canonical_email(stub.email),
        "name": stub.name,
        "kind": kind_of(stub.id, stub.email),
    }


def _read(node: Node) -> dict[str, Any]:
    id, email = as_id(node.get("id")), as_text(node.get("email")) or ""
    if id is None:
        raise ValueError("id is missing")
    role = as_text(node.get("role"))
    return {
        "id": id,
        "email": canonical_email(email),
        "name": as_text(node.get("name")) or "",
        "kind": kind_of(id, email),
        "first_name": as_text(node.get("first_name")),
        "last_name": as_text(node.get("last_name")),
        "title": as_text(node.get("title")),
        "role": role.lower() if role else None,
        "group_name": as_text(node.get("group")),
        "department": as_text(node.get("department")),
        "in_catalogue": True,
        "removed_at": None,
        "removed_reason": None,
    }
