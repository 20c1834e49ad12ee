"""A request to the account as a value: what would be sent, before anything signs or sends it.

Holds no secret, so a plan can print it. API sheet, sections 1 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

READS: Final = frozenset(
    {
        "download",
        "get_all_tasks",
        "get_comments",
        "get_costs",
        "get_costs_total",
        "get_events",
        "get_files",
        "get_project",
        "get_projects",
        "get_task",
        "get_task_tags",
        "get_tasks",
        "get_users",
        "get_webhooks",
        "me",
        "search_tasks",
    }
)

# Left as they are: both readings of the hash (encoded, decoded) then agree on lists and emails.
_PLAIN: Final = ",@:/"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes out with a request."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"

    def __repr__(self) -> str:
        return f"Attachment({self.name!r}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class Request:
    """One call of one action; a key may repeat in `params` (`todo[]`).

    `page` addresses a record the old way, for the scheme `md5-page` alone.
    """

    action: str
    params: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    page: str = ""

    @property
    def writes(self) -> bool:
        """Whether it may change the account: everything does that is not known to read."""
        return self.action not in READS

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All parameters as sent, the action first."""
        return (("action", self.action), *self.params)

    @property
    def trivial(self) -> bool:
        """Whether every reading of the hash agrees on it: no character needs encoding."""
        return not self.attachments and encode(self.pairs) == decoded(self.pairs)

    def __str__(self) -> str:
        words = [
            f"{key}={value!r}" if " " in value else f"{key}={value}" for key, value in self.params
        ]
        files = [f"{key}={part.name!r}" for key, part in self.parts()]
        return " ".join([self.action, *words, *files])

    def parts(self) -> tuple[tuple[str, Attachment], ...]:
        """Return the attachments under the names that the account expects."""
        name = "files[]" if self.action == "upload_files" else "attach[{}]"
        return tuple((name.format(n), part) for n, part in enumerate(self.attachments))


def encode(pairs: tuple[tuple[str, str], ...]) -> str:
    """Return the exact text that goes on the wire: space as %20, the order as given."""
    return "&".join(f"{quote(key, safe='')}={quote(value, safe=_PLAIN)}" for key, value in pairs)


def decoded(pairs: tuple[tuple[str, str], ...]) -> str:
    """Return the same parameters unencoded, which some accounts hash instead."""
    return "&".join(f"{key}={value}" for key, value in pairs)
