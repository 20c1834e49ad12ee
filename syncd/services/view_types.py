"""What type a column of a reporting view has, told by its name: one name, one type everywhere.

A test compares every one with what PostgreSQL says of the view.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Date, Integer, Text
from sqlalchemy.types import TypeEngine

from syncd.resources.members import members
from syncd.resources.projects import projects
from syncd.resources.tasks.table import task_history, tasks
from syncd.store.types import ExactDecimal, Id, Instant, LocalTime

_MIRRORED: Final = {
    column.name: column.type
    for table in (members, projects, task_history, tasks)
    for column in table.columns
}
_KINDS: Final[tuple[tuple[TypeEngine[Any], str], ...]] = (
    (Id, r"\w+_id"),
    (Instant(), r"at|\w+_at|as_of"),
    (Boolean(), r"is_\w+|in_circle|decides"),
    (Date(), r"today|day|week_start|week_closed|first_start|last_due"),
    (Date(), r"(from|to)_date|\w+_date_end|chain_end"),
    (LocalTime, r"local_now|last_closed"),
    (Integer(), r"days(_late|_over)?|lead_days|depth|ahead_of_utc_s"),
    (ExactDecimal(), r"progress|hours|\w+_hours|\w+_money"),
    (Text(), r"tags"),
    (BigInteger(), r"(\w+_)?(subtasks|tasks|blockers)|files|tasks_without_estimate|age_s"),
    (BigInteger(), r"added|closed|reopened|removed|restored|net"),
    (BigInteger(), r"open|done|late|total|open_at_end"),
)
"""What a name tells; the first that fits. The rest is called as in the mirror, or a text."""


def view_type(column: str) -> TypeEngine[Any]:
    """Return the type of a column of a reporting view."""
    told = next((kind for kind, names in _KINDS if re.fullmatch(names, column)), None)
    return told or _MIRRORED.get(column) or Text()
