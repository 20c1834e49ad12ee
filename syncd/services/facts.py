"""Facts about the mirror, the account and the queue, out of the database: a few small reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select, text

from syncd import errors
from syncd.resources.tasks.table import tasks
from syncd.services.due import due_since
from syncd.store import health, readers
from syncd.store.engine import Database
from syncd.store.outbox import UNSETTLED, count_open, outbox
from syncd.store.schema import lease, sync_runs
from syncd.store.state import recall
from syncd.sync.facts import Facts
from syncd.sync.troubles import LONG_LOG, PARTIAL

ASKING: Final = ("pull", "push", "events", "verify")
"""The kinds of runs that ask the account something."""
LOOKED_AT: Final = 50
BRAKE: Final = "brake:"
"""How the note of a pull begins that a brake of its own kind tells of."""


def gather(db: Database, known: Facts, *, max_batch: int) -> Facts:
    """Return what the daemon knows together with what the database says at that instant."""
    with db.read() as tx:
        found = {
            **_of_pulls(tx),
            **_of_the_account(tx),
            **_of_the_queue(tx, known.now, max_batch),
            "brakes": tuple(_brake(one) for one in recall(tx, "brakes") or ()),
            "drift": _drift(tx),
        }
    return replace(known, **found, **_of_the_disk(db))


def _of_pulls(tx: Connection) -> dict[str, Any]:
    # By the time of their end, which is indexed: to go back by number over a year of runs is not
    # cheap, where no pull has landed for long.
    pulls = _runs("pull").order_by(sync_runs.c.finished_at.desc())
    last = tx.execute(pulls.limit(1)).first()
    landed = tx.execute(pulls.where(sync_runs.c.outcome != "failed").limit(PARTIAL)).all()
    partial = list(takewhile(lambda run: run.outcome == "partial", landed))
    found: dict[str, Any] = {"partial_pulls": len(partial)}
    if last is not None:
        found |= {"pull_outcome": last.outcome, "pull_error": last.error or ""}
    if landed:
        took = landed[0].finished_at - landed[0].started_at
        found |= {"landed_at": landed[0].observed_at, "landing_took_s": took.total_seconds()}
    if partial:
        found |= {"pull_notes": _notes(partial[0].detail), "suspects": _suspects(tx)}
    return found


def _notes(detail: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(note for note in detail.get("notes", ()) if not note.startswith(BRAKE))


def _suspects(tx: Connection) -> int:
    there = (tasks.c.suspect_at.is_not(None), tasks.c.removed_at.is_(None))
    return tx.scalar(select(func.count()).select_from(tasks).where(*there)) or 0


def _of_the_account(tx: Connection) -> dict[str, Any]:
    # Kinds are told apart here: asked for by kind and number, a database sorts a year of runs.
    newest = tx.execute(select(sync_runs).order_by(sync_runs.c.id.desc()).limit(LOOKED_AT)).all()
    failed = list(takewhile(_failed_by_the_account, filter(_asked, newest)))
    return {"paused_until": tx.scalar(select(lease.c.resume_at)), **_failure(failed)}


def _failure(failed: Sequence[Row[Any]]) -> dict[str, Any]:
    if not failed:
        return {}
    return {
        "account_error": failed[0].detail["class"],
        "account_said": failed[0].error or "",
        "account_failures": len(failed),
        "account_failing_since": failed[-1].started_at,
    }


def _asked(run: Row[Any]) -> bool:
    """A push that has nothing to send asks nothing, and proves nothing."""
    asked = run.outcome == "failed" or run.counts.get("requests", 1)
    return run.kind in ASKING and bool(asked)


def _failed_by_the_account(run: Row[Any]) -> bool:
    kind = getattr(errors, run.detail.get("class", ""), None)
    return run.outcome == "failed" and kind is not None and issubclass(kind, errors.AccountError)


def _runs(*kinds: str) -> Select[Any]:
    return select(sync_runs).where(sync_runs.c.kind.in_(kinds))


def _of_the_queue(tx: Connection, now: datetime, max_batch: int) -> dict[str, Any]:
    uncertain = (text(UNSETTLED), outbox.c.state == "uncertain")
    return {
        "changes": count_open(tx),
        "uncertain_since": tx.scalar(select(func.min(outbox.c.sent_at)).where(*uncertain)),
        "due_since": due_since(tx, now=now, max_batch=max_batch),
    }


def _brake(one: Mapping[str, Any]) -> str:
    return f"{one['missing']} tasks are missing ({one['why']})"


def _drift(tx: Connection) -> int | None:
    verified = _runs("verify").order_by(sync_runs.c.finished_at.desc())
    run = tx.execute(verified.where(sync_runs.c.outcome != "failed").limit(1)).first()
    return None if run is None else int(run.counts.get("differing", 0))


def _of_the_disk(db: Database) -> dict[str, Any]:
    if db.path is None:
        return {}
    with suppress(OSError):  # a file that is not there any more is another trouble
        space = health.space(db.path)
        found = {"free_bytes": space.free, "database_bytes": space.used}
        held = readers.held_log(db.path, more_than=LONG_LOG)
        return found | {"held_log_bytes": held, "readers": readers.names(db.path) if held else ()}
    return {}
