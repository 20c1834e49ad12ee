"""What is wrong: as it is judged now, and as it is on record since it was first seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Severity = Literal["warning", "problem"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong; `kind` and `subject` together tell it from every other."""

    kind: str
    subject: str
    severity: Severity
    summary: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Incident:
    """A trouble on record, from when it was first seen until it was seen to be over."""

    id: int
    kind: str
    subject: str
    severity: Severity
    summary: str
    remedy: str
    opened_at: datetime
    closed_at: datetime | None = None
