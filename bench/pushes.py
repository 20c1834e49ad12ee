"""Our pushes: what 1, 10 and 500 queued edits of as many tasks cost, the account's pace taken out.

The edits are queued by one statement over `live_tasks`; that is not timed. CPU is ours alone: the
account is another process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench import mirrors
from bench.children import answer
from bench.timing import REQUESTS, Sample, timed
from syncd.bootstrap import App
from syncd.model.reports import PushReport
from syncd.services.progress import Silent
from syncd.services.push import push

EDITS = (1, 10, 500)
FLIP = "CASE WHEN priority = 7 THEN 3 ELSE 7 END"


def per_edit(count: int) -> str:
    """Return what a push of so many edits is called."""
    return f"push of {count:,}, for each edit"


def queue(app: App, count: int) -> None:
    """Queue one edit of each of `count` tasks."""
    with app.db.write() as tx:
        found = text(
            "SELECT id FROM tasks WHERE status = 'active' AND removed_at IS NULL AND"
            " assignee_id IN (SELECT id FROM members WHERE CAST(in_catalogue AS INTEGER) = 1)"
            " ORDER BY id LIMIT :count"  # the assignee goes along, so it must be a member still
        )
        ids = ", ".join(str(id) for id in tx.scalars(found, {"count": count}))
        tx.execute(text(f"UPDATE live_tasks SET priority = {FLIP} WHERE id IN ({ids})"))


def pushed(app: App) -> PushReport:
    """Push once. Raises RuntimeError where something is left: that would be less work."""
    with app.pushing(Silent()) as work:
        report = push(work)
    if report.outcome != "complete":
        raise RuntimeError(f"the push is {report.outcome}: {report.waiting} {report.notes}")
    return report


def one(app: App, count: int) -> list[Sample]:
    """Measure one push, as shares of an edit."""
    queue(app, count)
    reports: list[PushReport] = []
    took = timed(per_edit(count), lambda: reports.append(pushed(app)))
    shares = [(what, measure, value / count) for what, measure, value in took]
    return [*shares, (per_edit(count), REQUESTS, reports[0].requests / count)]


def measured(order: dict[str, Any]) -> dict[str, Any]:
    """Measure pushes out of a mirror that is there."""
    app = mirrors.opened(Path(order["config"]))
    mirrors.pulled(app)
    one(app, 1)  # what is imported on first use is start-up
    edits = [count for count in EDITS if count * 4 <= order["tasks"]]
    samples = [sample for _ in range(order["runs"]) for n in edits for sample in one(app, n)]
    return {"samples": samples}


if __name__ == "__main__":
    answer(measured)
