"""What the simulated account is made of: plain records, changed only by the account's own methods.

Wall-clock times are naive datetimes in the account's zone, as the account itself keeps them
(the API sheet, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

NO_MANAGER, NOBODY, ANYONE = 0, 1, 2
SENTINELS = {
    NO_MANAGER: ("NOONE", "Manager isn't assigned"),
    NOBODY: ("NOONE", "Executive isn't assigned"),
    ANYONE: ("ANY", "Anyone"),
}
RELATION_TYPES = ("finish-to-start", "start-to-start")
DEEPEST_LEVEL = 3
LONGEST_TEXT = 65_536
OPTIONS = [
    "allow_close",
    "allow_give",
    "allow_term",
    "allow_limit",
    "require_term",
    "require_tag",
    "require_limit",
    "require_hidden",
    "deny_comments_edit",
    "deny_task_edit",
    "deny_task_delete",
    "time_require",
    "time_today",
    "timer_only",
]

Edge = tuple[str, int, int]
"""A relation: its type, the task it starts from, the task it leads to."""


@dataclass(slots=True)
class Member:
    """A person of the account; a deactivated one stays referenced (the API sheet, section 8)."""

    id: int
    first_name: str
    last_name: str
    email: str
    title: str = ""
    role: str = "User"
    rate: Decimal | None = None
    group: str = ""
    department: str = ""
    active: bool = True

    @property
    def name(self) -> str:
        """First and last name as the API shows them."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True)
class Project:
    """A project; `roots` are its top-level tasks in order of creation."""

    id: int
    name: str
    author_id: int
    date_added: datetime
    manager_id: int = NO_MANAGER
    status: str = "active"
    company: str = ""
    text: str = ""
    date_start: date | None = None
    date_end: date | None = None
    date_closed: datetime | None = None
    max_time: Decimal | None = None
    max_money: Decimal | None = None
    hidden: bool = False
    options: set[str] = field(default_factory=set)
    member_ids: list[int] = field(default_factory=list)
    tag_group_ids: set[int] = field(default_factory=set)
    roots: list[int] = field(default_factory=list)

    @property
    def page(self) -> str:
        """The project's address inside the account."""
        return f"/project/{self.id}/"


@dataclass(slots=True)
class TagGroup:
    """A set of tags; `type` is status or label."""

    id: int
    title: str
    type: str = "label"
    access: str = "public"


@dataclass(slots=True)
class Tag:
    """A tag; its title may repeat in another group."""

    id: int
    group_id: int
    title: str


@dataclass(slots=True)
class Task:
    """A task of any of the three levels; `comment_ids` run from the oldest to the newest."""

    id: int
    project_id: int
    parent_id: int | None
    name: str
    author_id: int
    date_added: datetime
    assignee_id: int = NOBODY
    status: str = "active"
    priority: int = 1
    text: str = ""
    date_start: date | None = None
    time_start: time | None = None
    date_end: date | None = None
    time_end: time | None = None
    date_closed: datetime | None = None
    last_closed: datetime | None = None
    max_time: Decimal | None = None
    max_money: Decimal | None = None
    delayed: bool = False
    tag_ids: list[int] = field(default_factory=list)
    file_ids: list[int] = field(default_factory=list)
    subscriber_ids: list[int] = field(default_factory=list)
    hidden_from_all_but: list[int] = field(default_factory=list)
    comment_ids: list[int] = field(default_factory=list)
    child_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class File:
    """A file of a task's description or of a comment; bytes are made up when none were given."""

    id: int
    name: str
    size: int
    task_id: int
    member_id: int
    date_added: datetime
    comment_id: int | None = None
    data: bytes | None = None

    @property
    def page(self) -> str:
        """Where the file is downloaded."""
        return f"/download/{self.id}/"

    @property
    def content(self) -> bytes:
        """The bytes: those uploaded, or a filling that depends on nothing but id and size."""
        if self.data is not None:
            return self.data
        pattern = f"file {self.id} of the simulated account\n".encode()
        return (pattern * (self.size // len(pattern) + 1))[: self.size]


@dataclass(slots=True)
class Comment:
    """A comment under a task."""

    id: int
    task_id: int
    author_id: int
    text: str
    date_added: datetime
    file_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Cost:
    """Time or money spent on a task."""

    id: int
    task_id: int
    member_id: int
    minutes: int
    money: Decimal
    date: date
    comment: str = ""
    is_timer: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the change feed, before it takes its wire form.

    `what` marks the kinds whose presence in the feed is not known (the API sheet, section 7.1):
    subtask, move, text, task_delete, tags, unchanged; the empty string is always reported.
    """

    at: datetime
    stamp: datetime
    action: str
    kind: str
    object_id: int
    task_id: int | None
    project_id: int
    page: str
    member_id: int
    what: str = ""
    new: dict[str, Any] | None = None
    old: dict[str, Any] | None = None
