"""When two values are the same to a reader: line ends, blanks, number forms, the case of emails.

Values are compared in this form and never sent in it. API sheet, sections 4 and 5.3.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Hashable
from datetime import datetime
from decimal import Decimal
from typing import Final

from syncd.model.change import Missing, Value

ANYONE: Final = "ANY"
NOBODY: Final = "NOONE"
_EMAILS: Final = frozenset({"assignee_email", "author_email"})


def same(field: str, one: Value | Missing, other: Value | Missing) -> bool:
    """Return whether two values of a field are the same; what is not known is the same as none."""
    if isinstance(one, Missing) or isinstance(other, Missing):
        return False
    return canonical(field, one) == canonical(field, other)


def canonical(field: str, value: Value) -> Hashable:
    """Return the form in which a value of this field is compared."""
    if field == "assignee_email":
        return canonical_email(str(value or NOBODY))
    if value in (None, "") and not isinstance(value, (int, Decimal)):
        return None
    if field in _EMAILS:
        return canonical_email(str(value))
    if isinstance(value, str):
        return canonical_text(value) or None  # blanks alone are nothing, too
    if isinstance(value, datetime):
        return value.date()
    return value


def canonical_email(email: str) -> str:
    """Return an address in lower case; the account's two sentinels in upper case."""
    email = email.strip()
    return email.upper() if email.upper() in {ANYONE, NOBODY} else email.lower()


def canonical_text(text: str) -> str:
    """Return a text without what the account changes: line ends, blanks, entities, composition."""
    if "&" in text:
        text = html.unescape(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    return unicodedata.normalize("NFC", text).strip()
