"""What the demo's analyst writes in SQL, and what a colleague does in the account meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from syncd.cli.demo_people import open_tasks
from syncd.sandbox import Account

CREATED = "Pay the printer"
RENAMED = "Cover, final"


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """The statements, what their people do meanwhile in words, and whether it all went well."""

    statements: tuple[str, ...]
    told: tuple[str, ...]
    landed: Callable[[], bool]


def write_back(account: Account, today: date) -> WrittenBack:
    """Prepare edits from both sides: of different fields, of the same one, and a new task."""
    moved, fought = [task for task in open_tasks(account) if not task.child_ids][-2:]
    due = today + timedelta(days=14)
    account.rename_task(moved.id, f"{moved.name} (v2)")
    account.rename_task(fought.id, f"{fought.name} (v2)")
    statements = (
        f"UPDATE live_tasks SET date_end = '{due}' WHERE id = {moved.id}",
        f"UPDATE live_tasks SET name = '{RENAMED}' WHERE id = {fought.id}",
        "INSERT INTO live_tasks (ref, project_id, name)"
        f" VALUES ('invoice-4711', {moved.project_id}, '{CREATED}')",
    )
    told = (
        f"task {moved.id} is renamed: another field, so both edits stand",
        f"task {fought.id} is renamed too, to something else",
    )

    def landed() -> bool:
        names = [task.name for task in account.tasks.values()]
        merged = account.tasks[moved.id]
        both = merged.date_end == due and merged.name.endswith("(v2)")
        return both and names.count(CREATED) == 1 and RENAMED not in names

    return WrittenBack(statements, told, landed)
