"""Whose eyes the account is seen with: a removal can only be told within the same rights."""

from __future__ import annotations

from typing import Any

from syncd.services.memory import ADMIN
from syncd.worksection.client import Client
from syncd.worksection.methods.projects import me
from syncd.worksection.scalars import as_text


def read_rights(client: Client, auth: str) -> str:
    """Return a short text that differs when the rights may differ.

    The admin key sees everything; a user's token sees what that user sees (API sheet, section
    2.4), so the user and the role are asked for.
    """
    if auth != "oauth2":
        return ADMIN
    told = client.call(me()).decode(object)
    if isinstance(told, list):  # the documentation shows a list once (API sheet, section 8)
        told = told[0] if told else None
    person: dict[str, Any] = told if isinstance(told, dict) else {}
    role = (as_text(person.get("role")) or "").lower()
    return f"user {as_text(person.get('id'))} {role}".strip()
