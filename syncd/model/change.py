"""A change: one queued edit of one task, as the outbox holds it. Frozen; knows no SQL.

Values have the meaning of the columns of `live_tasks`. A None is a value (the field is to be
cleared); a field that is not named is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, Literal

Operation = Literal["create", "update", "complete", "reopen"]
ChangeState = Literal[
    "queued",
    "held",
    "sending",
    "applied",
    "confirmed",
    "conflict",
    "uncertain",
    "failed",
    "cancelled",
]
FINAL: Final[frozenset[ChangeState]] = frozenset({"confirmed", "failed", "cancelled"})
UNSETTLED: Final[frozenset[ChangeState]] = frozenset({"sending", "uncertain", "applied"})
"""Sent, and not settled yet: whether and how it landed is for a look to say."""

Tags = frozenset[int | str]
"""A task's tags: labels (a name, or #ID) as people write them, or the ids that they mean."""

Value = str | int | Decimal | date | Tags | tuple[str, ...] | None
Fields = Mapping[str, Value]


class Missing(Enum):
    """What a field was is not known; None would say that it was empty."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING

_STATUS_AFTER: Final[Mapping[Operation, str]] = {"complete": "done", "reopen": "active"}
_STATUS_BEFORE: Final[Mapping[Operation, str]] = {"complete": "active", "reopen": "done"}


@dataclass(frozen=True, slots=True)
class Change:
    """One queued edit; `depends_on` names the creation of its task, or of its task's parent.

    Raises ValueError where it names no task: neither by id nor by the creation that makes it.
    """

    id: int
    operation: Operation
    created_at: datetime
    task_id: int | None = None
    ref: str | None = None
    fields: Fields = field(default_factory=dict)
    base: Fields = field(default_factory=dict)
    state: ChangeState = "queued"
    attempts: int = 0
    next_attempt_at: datetime | None = None
    depends_on: tuple[int, ...] = ()
    batch: str | None = None
    created_by: str = ""

    def __post_init__(self) -> None:
        named = self.task_id or self.ref or self.depends_on
        if self.operation != "create" and not named:
            raise ValueError(f"change {self.id} names no task")

    @property
    def patch(self) -> Fields:
        """What it sets, field by field; completing sets the status like any other field."""
        after = _STATUS_AFTER.get(self.operation)
        return self.fields if after is None else {**self.fields, "status": after}

    @property
    def origin(self) -> Fields:
        """What its fields were when it was queued."""
        before = _STATUS_BEFORE.get(self.operation)
        return self.base if before is None else {"status": before, **self.base}
