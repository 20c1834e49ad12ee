"""What the tables and views are for, and so who may do what with them.

By name, because most tables are defined above this layer. A test fails while a table or a view of
a migrated database stands in none of these lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from syncd.store.report import VIEWS

Access = Literal["reader", "editor"]
Rights = Mapping[str, tuple[str, ...]]
"""Privileges by the name of a table or view."""

MIRROR: Final = (
    *("tasks", "task_history", "task_history_fields", "task_tags", "task_relations", "files"),
    *("projects", "members", "tags", "activity"),
)
"""The account as it is and was."""
FRESHNESS: Final = ("sync_runs", "incidents")
"""How fresh and how complete the mirror is, and what is wrong."""
QUEUE: Final = ("outbox", "outbox_events", "outbox_choices", "outbox_files")
"""Drafts of others, with whom they are hidden from and the files that go along: not for everybody.
`live_tasks` and `live_conflicts` show of it what concerns the tasks."""
INNER: Final = ("audit_log", "quarantine", "sync_state", "pull_slices", "lease", "alembic_version")
"""Proof, raw answers, hashes and marks: what syncd works with, and nobody reports on."""
LIVE: Final[Rights] = {
    "live_tasks": ("SELECT", "INSERT", "UPDATE"),
    "live_conflicts": ("SELECT", "UPDATE"),
}
"""The gate. Its triggers queue with the rights of their owner, so nothing else is needed."""
REPORTS: Final = tuple(view.name for view in VIEWS)
"""What analysts ask; they read with the rights of their owner."""

RIGHTS: Final[Mapping[Access, Rights]] = {
    "reader": dict.fromkeys((*MIRROR, *LIVE, *REPORTS, *FRESHNESS), ("SELECT",)),
    "editor": LIVE,
}
"""What each needs, and nothing besides."""
