"""What a verification leaves on record: its row, and with `repair` a word to the next pull."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from syncd.model.drift import Difference, Flaw, Found, VerifyReport
from syncd.resources.tasks.table import tasks
from syncd.services.planning import ASK_AGAIN
from syncd.services.prepare import Pulling
from syncd.services.recording import log_end
from syncd.services.verify_looks import Checking
from syncd.store import audit, mirror
from syncd.store.audit import Event
from syncd.store.runs import RunRow, next_run_id, record_run
from syncd.store.state import remember

KIND: Final = "verify"
SCOPE: Final = "tasks"
KEPT: Final = 20
"""Differences that the run's row holds."""
LONGEST: Final = 200
"""Characters of a value there."""


def _tasks(found: Iterable[Found], verdict: str) -> set[int]:
    return {one.difference.task_id for one in found if one.verdict == verdict}


def record(
    check: Checking,
    found: Sequence[Found],
    flaws: Sequence[Flaw],
    *,
    started: datetime,
    requests: int,
    repair: bool,
) -> VerifyReport:
    """Write the run's row; its observed_at stays empty, for nothing was mirrored."""
    work, drift = check.work, _tasks(found, "drift")
    with work.db.write() as tx:
        work.lease.verify(tx)
        run_id, ended = next_run_id(tx), work.clock()
        report = VerifyReport(
            outcome="partial" if check.notes else "complete",
            run_id=run_id,
            counts=_counts(check, found, flaws) | {"requests": requests},
            found=tuple(found),
            flaws=tuple(flaws),
            requests=requests,
            seconds=(ended - started).total_seconds(),
            notes=tuple(check.notes),
            repaired=len(drift) if repair else 0,
        )
        record_run(tx, run_id, _row(report, started, ended))
        if repair and drift:
            _let_compare_anew(work, tx, drift, run_id)
    log_end(KIND, report)
    return report


def _counts(check: Checking, found: Sequence[Found], flaws: Iterable[Flaw]) -> dict[str, int]:
    drift = _tasks(found, "drift")
    return {
        **{name: check.counts[name] for name in ("sampled", "listed", "unreadable", "in_flight")},
        "differing": len(drift),
        "lagging": len(_tasks(found, "lag") - drift),
        "flaws": sum(flaw.count for flaw in flaws),
    }


def _row(report: VerifyReport, started: datetime, ended: datetime) -> RunRow:
    return RunRow(
        kind=KIND,
        scope=SCOPE,
        started_at=started,
        finished_at=ended,
        outcome=report.outcome,
        counts=report.counts,
        detail={
            "notes": list(report.notes),
            "differences": [_as_json(one) for one in report.found[:KEPT]],
            "flaws": [
                {"rule": one.rule, "count": one.count, "task_ids": list(one.task_ids)}
                for one in report.flaws
            ],
        },
    )


def _as_json(found: Found) -> dict[str, Any]:
    one = found.difference
    return {
        "task_id": one.task_id,
        "field": one.field,
        "ours": _short(one.ours),
        "theirs": _short(one.theirs),
        "verdict": found.verdict,
        "mark": found.mark,
    }


def read_found(detail: Mapping[str, Any]) -> tuple[Found, ...]:
    """Return what the row of a verification holds of what was found."""
    return tuple(
        Found(
            Difference(one["task_id"], one["field"], one["ours"], one["theirs"]),
            one["verdict"],
            one["mark"],
        )
        for one in detail.get("differences", ())
    )


def _short(value: Any) -> Any:
    """Return a value as JSON takes it, without a secret, and not a whole description."""
    plain = audit.plain(value)
    return plain[:LONGEST] if isinstance(plain, str | list) else plain


def _let_compare_anew(work: Pulling, tx: Connection, ids: Collection[int], run_id: int) -> None:
    """Let the next pull compare these tasks field by field, as it does with what a push wrote."""
    mirror.change(tx, tasks, ids, {"content_hash": ASK_AGAIN})
    remember(tx, "digest", None)  # an equal answer would end that pull before it compares
    told = [Event("task.asked_again", "task", id) for id in sorted(ids)]
    audit.append(tx, told, at=work.clock(), actor=work.actor, run_id=run_id)
