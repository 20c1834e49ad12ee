"""Records as the account shows them, normalised: the values that are compared and stored.

No record can be part of a cycle, so those that come by the ten thousand are none of the collector's
(`gc=False`): a pull makes them all at once, and it would look through them again and again.

`None` in a part of a task (`tags`, `files`, `relations`) means that the answer did not decide it;
an empty tuple means that there are none.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal

import msgspec

TaskStatus = Literal["active", "done"]
RelationType = Literal["finish-to-start", "start-to-start"]
MemberKind = Literal["person", "anyone", "nobody"]
RemovedReason = Literal["deleted", "archived", "out_of_reach", "out_of_scope", "unknown"]


class Relation(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """One directed edge between two tasks, as one of them reports it."""

    from_task_id: int
    to_task_id: int
    type: RelationType


class FileRecord(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """A file of a task's description; `size` in bytes."""

    id: int
    name: str
    size: int | None
    page: str


class TaskRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A task with its parts. `date_*` are the account's wall clock; `max_time` is in hours.

    Where thousands are made it is by place: by name, one takes six times as long.
    """

    id: int
    project_id: int
    parent_id: int | None
    level: int
    name: str
    page: str
    status: TaskStatus
    priority: int
    author_id: int | None
    assignee_id: int | None
    text: str | None
    date_added: datetime | None
    date_start: date | None
    time_start: time | None
    date_end: date | None
    time_end: time | None
    date_closed: datetime | None
    max_time: Decimal | None
    max_money: Decimal | None
    extra: dict[str, Any] | None
    tags: tuple[int, ...] | None
    files: tuple[FileRecord, ...] | None
    relations: tuple[Relation, ...] | None


class ProjectRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A project as `get_projects` shows it."""

    id: int
    name: str
    page: str
    status: str | None = None
    folder: str | None = None
    manager_id: int | None = None
    author_id: int | None = None
    date_added: datetime | None = None
    date_start: date | None = None
    date_end: date | None = None
    date_closed: datetime | None = None
    max_time: Decimal | None = None
    max_money: Decimal | None = None
    extra: dict[str, Any] | None = None


class MemberRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A person, or one of the account's two sentinels ANY and NOONE."""

    id: int
    email: str
    name: str
    kind: MemberKind = "person"
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    role: str | None = None
    group_name: str | None = None
    department: str | None = None


class TagRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A task tag; a name can repeat in several groups, so the id is the key."""

    id: int
    name: str
    group_id: int | None = None
    group_name: str | None = None
    type: str | None = None
    access: str | None = None


class Stub(msgspec.Struct, frozen=True, order=True, gc=False):
    """What a task's answer tells in passing about a project, a member or a tag."""

    id: int
    name: str
    page: str = ""
    email: str = ""


class Rejected(msgspec.Struct, frozen=True):
    """A record that could not be understood, raw, with the reason."""

    kind: str
    id: int | None
    reason: str
    raw: str


_encode = msgspec.msgpack.Encoder(decimal_format="string").encode


def content_hash(record: TaskRecord) -> bytes:
    """Return 16 bytes that differ when anything in the record does, undecided parts included."""
    return blake2b(_encode(record), digest_size=16).digest()
