"""Whose eyes the account is seen with: a removal can only be told within the same rights."""

from __future__ import annotations

from typing import Any

from syncd.services.memory import ADMIN
from syncd.worksection.methods.projects import me
from syncd.worksection.client import Client
from syncd.worksection.scalars import as_text


def read_rights(client: Client, auth: str) -> str:
    """Return a short text that differs when the rights may differ.

    The admin key sees everything; a user's token sees what that user sees (API sheet, section
    2.4), so the user and the role are asked for.
    """
    if auth != "oauth2":
        return ADMIN
    person = client.call(me()).decode(Any)  # type: ignore[arg-type]
    if isinstance(person, list):
        person = person[0] if person else {}
    role = (as_text(person.get("role")) or "").lower()
    return f"user {as_text(person.get('id'))} {role}".strip()
