"""A SQLite mirror as it is after a while, with rows in every table; and what is compared of it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from syncd.sandbox import Account, Fault, Sandbox
from syncd.services.progress import Silent
from syncd.services.pull import pull
from syncd.services.retention import prune
from syncd.settings import Duration, RetentionSettings
from syncd.store.activity import activity
from syncd.store.enclosures import Enclosure, enclose
from syncd.store.incidents import incidents
from syncd.store.schema import pull_slices, quarantine
from tests.support.mirror import EVERYTHING, Mirror, build
from tests.support.pushes import pushed

START = datetime.now(UTC).replace(microsecond=0)
"""About the database's own clock, which says when a change was queued."""
EXTRA = tuple(name for name in EVERYTHING if name not in {"subscribers"})


def an_account() -> Account:
    """An account with a task for each thing that is done below."""
    account = Account(clock=lambda: START)
    account.create_member("Olena", "Owner", "olena@example.com")
    group = account.create_tag_group("Kind")
    urgent = account.create_tag(group, "urgent")
    project, other = account.create_project("Офіс"), account.create_project("Other")
    top = account.create_task(
        project, "top 🐟", tag_ids=[urgent], max_time=Decimal("1.25"), date_end=date(2026, 4, 1)
    )
    account.create_task(project, "below", parent_id=top)
    account.add_file(top, "plan.pdf", b"%PDF")
    account.create_task(other, "deleted")
    for number in range(12):
        account.create_task(project, f"task {number}", text="line\nline", max_time=Decimal("0.5"))
    account.add_relation("finish-to-start", top, account.create_task(project, "waits"))
    return account


def a_world(folder: Path, name: str) -> tuple[Sandbox, Mirror]:
    """An account over HTTP and its mirror in a file; everything in it by a fixed script."""
    box = Sandbox(an_account()).start()
    path = folder / name
    path.mkdir()
    mirror = build(box, f"sqlite:///{path / 'syncd.db'}", path / "syncd.toml", extra=EXTRA)
    mirror.clock.now = START
    _live(mirror)
    return box, mirror


def _live(mirror: Mirror) -> None:
    mirror.pull(later=timedelta(seconds=1))
    _history(mirror)
    ids = {task.name: task.id for task in mirror.account.tasks.values()}
    _settle_some(mirror, ids)
    _seal(mirror)
    _leave_open(mirror, ids)
    _bookkeeping(mirror)


def _history(mirror: Mirror) -> None:
    """Let people edit in the account, and one task go."""
    account = mirror.account
    ids = {task.name: task.id for task in account.tasks.values()}
    account.rename_task(ids["task 0"], "task 0, renamed")
    account.complete_task(ids["task 1"])
    account.delete_task(ids["deleted"])
    mirror.pull(allow_removals=True)


def _settle_some(mirror: Mirror, ids: dict[str, int]) -> None:
    """Confirmed, cancelled and failed changes, and a conflict with a choice about it."""
    edit = "UPDATE live_tasks SET {} WHERE id = {}".format
    mirror.execute(edit("name = 'ours'", ids["task 2"]))
    mirror.execute(edit("priority = 9", ids["task 3"]))
    mirror.execute(edit("priority = 8", ids["task 4"]))
    mirror.execute("UPDATE outbox SET state = 'cancelled' WHERE id = 2")
    mirror.execute("UPDATE outbox SET state = 'failed', error = 'no ''t' WHERE id = 3")
    assert pushed(mirror).exit_code == 3
    mirror.execute(edit("name = 'mine'", ids["task 5"]))
    mirror.account.rename_task(ids["task 5"], "theirs")
    pushed(mirror)
    mirror.execute("UPDATE live_conflicts SET keep = 'mine'")


def _seal(mirror: Mirror) -> None:
    """Prune the oldest part of the audit log, so that a checkpoint seals it."""
    kept = RetentionSettings(audit=Duration(60))
    prune(mirror.app.db, now=START + timedelta(minutes=10), keep=kept)


def _leave_open(mirror: Mirror, ids: dict[str, int]) -> None:
    """One change in every state that is not an end, one creation unheard of, one with a file."""
    (project, *_) = mirror.account.projects
    new = f"INSERT INTO live_tasks (project_id, ref, name) VALUES ({project}, '{{0}}', '{{0}}')"
    mirror.execute(new.format("lost"))
    mirror.box.faults.add(Fault("drop", action="post_task", when="after", count=1))
    mirror.box.faults.add(Fault("drop", action="get_tasks", count=9))
    pushed(mirror)
    mirror.box.faults.clear()
    edit = "UPDATE live_tasks SET priority = 2 WHERE id = {}".format
    for number in range(6, 11):
        mirror.execute(edit(ids[f"task {number}"]))
    mirror.execute(new.format("with a file"))
    mirror.execute(
        "INSERT INTO live_tasks (ref, parent_ref, name) VALUES ('b', 'with a file', 'b')"
    )
    last = mirror.value("SELECT max(id) AS n FROM outbox")
    six = last - 6
    ways = (["held"], ["sending"], ["sending", "applied"], ["conflict"])
    for number, states in enumerate(ways):
        for state in states:
            mirror.execute(f"UPDATE outbox SET state = '{state}' WHERE id = {six + number}")
    mirror.execute("UPDATE live_conflicts SET keep = 'theirs'")
    with mirror.app.db.write() as tx:
        binary = Enclosure("ß.bin", "application/octet-stream", bytes(range(256)))
        enclose(tx, last - 1, [binary, binary])
    mirror.execute("DELETE FROM outbox_files WHERE id = 2")  # its number is not used again


def _bookkeeping(mirror: Mirror) -> None:
    """What the daemon writes down."""
    when, later = START, START + timedelta(seconds=1, microseconds=1)
    with mirror.app.db.write() as tx:
        told = {
            "seen_at": when,
            "new": {"a": [1, 2.5, 1e16, None]},
            "date_added": datetime(2026, 1, 1),
        }
        known = {"action": "post", "entity": "task", "entity_id": 1, **told}
        tx.execute(insert(activity), [{"fingerprint": "f", **known}])
        said = {"summary": "s", "remedy": "r", "severity": "warning", "opened_at": when}
        rows = [{"kind": "k", "subject": "", "closed_at": at, **said} for at in (later, None)]
        tx.execute(insert(incidents), rows)
        odd = {"kind": "task", "record_id": "7", "reason": "odd", "raw": '{"a": "\\u0000"}'}
        tx.execute(insert(quarantine), [odd | {"seen_at": when, "run_id": 1}])
        tx.execute(
            insert(pull_slices),
            [{"project_id": 1, "scope": "s", "observed_at": when, "parts": b"\0\xff"}],
        )


def copied(mirror: Mirror, folder: Path) -> Mirror:
    """The same mirror in a file of its own, epoch included."""
    old = Path(mirror.database_url.removeprefix("sqlite:///"))
    new = folder / "syncd.db"
    with closing(sqlite3.connect(old)) as source, closing(sqlite3.connect(new)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = WAL")
    shutil.copy(f"{old}.epoch", f"{new}.epoch")
    made = build(mirror.box, f"sqlite:///{new}", folder / "syncd.toml", extra=EXTRA)
    made.app = replace(made.app, clock=mirror.clock)
    made.clock = mirror.clock
    return made


def asked(box: Sandbox) -> list[tuple[str, dict[str, Any], str]]:
    """What was asked of the account, in order."""
    return [(one.action, one.parameters, one.outcome) for one in box.log.entries()]


def carry_on(mirror: Mirror) -> list[tuple[str, dict[str, Any], str]]:
    """Work as on any other day; returns what was asked of the account."""
    mirror.box.log.clear()
    for _ in range(2):
        mirror.clock.move(timedelta(hours=3))
        with mirror.app.pulling(Silent()) as work:
            pull(work)
        pushed(mirror, later=timedelta(hours=1))
    return asked(mirror.box)
