"""What `syncd check` finds in the mirror: whose it is, how fresh, and what waits in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from socket import gethostname

from sqlalchemy import Connection, func, select

from syncd.errors import ConfigError, StorageFailed
from syncd.model.reports import Finding
from syncd.resources.tasks.table import tasks
from syncd.services import memory
from syncd.services.findings import note, of_error, ok, warning
from syncd.services.size import in_words
from syncd.settings import Settings
from syncd.store import lease, quarantine, runs
from syncd.store.engine import Database

STALE = timedelta(days=1)
"""A mirror not completed for so long is stale, however seldom it is pulled."""


def look_at_mirror(db: Database, settings: Settings, *, now: datetime) -> Iterator[Finding]:
    """Look at a mirror whose schema is current, without asking the account."""
    try:
        with db.read() as tx:
            yield from _account(tx, settings)
            yield from _lease(tx)
            yield from _pulls(tx, settings, now)
            yield _quarantine(tx)
            yield _suspects(tx)
    except StorageFailed as error:
        yield of_error("mirror.read", error)


def account_finding(db: Database, settings: Settings) -> Iterator[Finding]:
    """Tell whose mirror a database is, once it is somebody's."""
    with db.read() as tx:
        yield from _account(tx, settings)


def _account(tx: Connection, settings: Settings) -> Iterator[Finding]:
    known = memory.load(tx)
    try:
        memory.check_account(known, settings.account.url)
    except ConfigError as error:
        yield of_error("mirror.account", error)
        return
    if known.account is not None:
        yield ok("mirror.account", f"it mirrors {known.account}")


def _lease(tx: Connection) -> Iterator[Finding]:
    holder = lease.holder(tx)
    if holder is None:
        yield ok("mirror.lease", "nobody holds it")
    elif holder == lease.this_process():
        return
    elif _has_ended(holder):
        yield note("mirror.lease", f"{holder} ended without giving it back; the next run takes it")
    else:
        yield note("mirror.lease", f"{holder} holds it and talks to the account")


def _has_ended(holder: str) -> bool:
    """Tell whether the holder was a process of this machine that is no more."""
    pid, _, host = holder.removeprefix("pid ").partition(" on ")
    return host == gethostname() and pid.isdecimal() and not Path(f"/proc/{pid}").exists()


def _pulls(tx: Connection, settings: Settings, now: datetime) -> Iterator[Finding]:
    last = runs.last_run(tx, "pull")
    if last is None:
        yield note("mirror.last_pull", "nothing was pulled yet", "Fill it: syncd pull")
        return
    ago = _ago(last.finished_at, now)
    if last.outcome == "complete":
        yield ok("mirror.last_pull", f"complete, {ago}")
    else:
        why = f": {last.error}" if last.error else ""
        yield warning(
            "mirror.last_pull",
            f"{last.outcome}, {ago}{why}",
            "See what it left out: syncd status. Then: syncd pull",
        )
    yield _complete(tx, settings, now)


def _complete(tx: Connection, settings: Settings, now: datetime) -> Finding:
    last = runs.last_run(tx, "pull", "complete")
    if last is None:
        return warning("mirror.complete", "no pull was complete yet", "Run: syncd pull")
    stale = max(STALE, timedelta(seconds=3 * settings.pull.interval))
    as_of = last.observed_at or last.finished_at
    told = f"complete as of {as_of:%Y-%m-%d %H:%M} UTC, {_ago(as_of, now)}"
    if now - as_of <= stale:
        return ok("mirror.complete", told)
    return warning(
        "mirror.complete", told, "Run: syncd pull (or keep it fresh all the time: syncd run)"
    )


def _ago(then: datetime, now: datetime) -> str:
    seconds = (now - then).total_seconds()
    if seconds < 0:
        return "in the future by this machine's clock"
    return f"{in_words(seconds)} ago" if seconds < 2 * 86_400 else f"{seconds // 86_400:.0f} d ago"


def _quarantine(tx: Connection) -> Finding:
    count = quarantine.count(tx)
    if not count:
        return ok("mirror.quarantine", "empty")
    return warning(
        "mirror.quarantine",
        f"{count} records of the account could not be understood; their last good version stays",
        "See them: SELECT kind, record_id, reason FROM quarantine",
    )


def _suspects(tx: Connection) -> Finding:
    missing = tasks.c.suspect_at.is_not(None) & tasks.c.removed_at.is_(None)
    query = select(func.count()).where(missing)
    count = tx.scalar(query) or 0
    if not count:
        return ok("mirror.suspects", "no task is missing without evidence")
    return warning(
        "mirror.suspects",
        f"{count} tasks are missing from the account's answer, and nothing proves their removal",
        "See what is held: syncd pull --dry-run. Where it is right: syncd pull --allow-removals",
    )
