"""What changed in a task, field by field: written with the past image that it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from syncd.model.plan import Remove, Restore, Update
from syncd.resources.tasks.table import task_history_fields
from syncd.store import authorship
from syncd.store.bulk import Columns, insert_columns
from syncd.sync.changed import NAMES, changes, written


def write_changes(
    tx: Connection, actions: Sequence[Update | Restore | Remove], *, at: datetime, run_id: int
) -> None:
    """Write what the images after these have otherwise, and who did it as far as was told."""
    found = [(action.before, change) for action in actions for change in changes(action)]
    if not found:
        return
    columns: Columns = {
        "task_id": [image.record.id for image, _ in found],
        "valid_from": [image.valid_from for image, _ in found],
        "field": [NAMES[change.name] for _, change in found],
        "at": [at] * len(found),
        "old": [written(change.old) for _, change in found],
        "new": [written(change.new) for _, change in found],
        "run_id": [run_id] * len(found),
    }
    insert_columns(tx, task_history_fields, columns)
    authorship.name_seen(tx, at)
