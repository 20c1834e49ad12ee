"""Moves a SQLite mirror to PostgreSQL: all of it, or nothing; and never two mirrors at once.

The old file is written to by nobody while it is copied. The new database is committed with a mark
that it is not complete; then the old one is marked as left, and only then that mark goes. Killed in
between, one of the two can be worked with at most, and running it again comes to the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import Connection, inspect

from syncd.errors import ConfigError, StorageFailed
from syncd.resources.everything import ALL_TABLES
from syncd.services.move_copy import (
    VIEWS,
    Compared,
    Copied,
    Copying,
    copy,
    count_rows,
    read_through,
)
from syncd.services.move_target import refuse_target
from syncd.services.progress import Progress
from syncd.services.push.epoch import Epoch
from syncd.services.stride import Stride
from syncd.store import audit, moved, report, upgrade
from syncd.store.audit import Event
from syncd.store.engine import Database
from syncd.store.lease import Lease
from syncd.store.marks import Mark, moved_away
from syncd.store.revisions import VERSION_TABLE

_AGAIN = "Run it again; syncd status says whether the old file is still the mirror."
_PASSES = 2
"""Every row is copied, then read again there; what the views show is read on both sides."""


@dataclass(frozen=True, slots=True)
class Moving:
    """What a move works with. Each database comes with the count of sendings kept beside it."""

    source: Epoch
    target: Epoch
    lease: Lease
    clock: Callable[[], datetime]
    rng: Random
    progress: Progress
    actor: str


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What was moved, or would be. `finished`: only the end of an earlier move was missing."""

    source: str
    target: str
    dry_run: bool = False
    finished: bool = False
    compared: tuple[Compared, ...] = ()
    notes: tuple[str, ...] = ()
    broken: str | None = None

    @property
    def rows(self) -> int:
        """How many rows; what the views show is in the tables."""
        views = {view.name for view in VIEWS}
        return sum(one.rows for one in self.compared if one.name not in views)

    @property
    def exit_code(self) -> int:
        """Return 3 where the audit log was broken before: somebody should know."""
        return 3 if self.broken else 0


def move(work: Moving) -> MoveReport:
    """Move the mirror, or take the last step of an earlier move.

    Raises DatabaseUnusable where it cannot begin, StorageFailed where it did not come to its end.
    """
    try:
        return _move(work)
    except StorageFailed as error:
        raise StorageFailed(error.message, hint=error.hint or _AGAIN) from error


def _move(work: Moving) -> MoveReport:
    source, target = work.source.db, work.target.db
    with source.read() as tx:
        before = moved.left(tx)
    if before is not None:
        return _finish_earlier(work, before)
    refuse_target(target, source=_shown(source))
    upgrade.upgrade(target, now=work.clock())
    mark = _mark(work)
    with source.write() as here:
        work.lease.verify(here)
        with target.write() as there:
            copied = copy(_copying(work, here, there))
            work.source.carry_to(work.target)
            moved.arrive(there, _seen_from(target=source, mark=mark))
        _leave(work, here, mark)
        notes = _left_behind(here)
    _finish(work, copied)
    return _report(work, copied.compared, notes=notes, broken=_broken(copied))


def rehearse_move(work: Moving) -> MoveReport:
    """Read what would be moved, and look at where it would go; nothing is written."""
    source = work.source.db
    with source.read() as tx:
        before = moved.left(tx)
        if before is not None:
            raise moved_away(source.label, before)
        refuse_target(work.target.db, source=_shown(source))
        stride = Stride(work.progress, count_rows(tx), work.clock)
        return _report(work, read_through(tx, stride), dry_run=True, notes=_left_behind(tx))


def undo_move(source: Epoch, *, at: datetime, actor: str) -> Mark:
    """Let a file that was moved away be the mirror again; returns where it had been moved to.

    What was sent from there since, it does not know. So it is judged like a database restored from
    a backup: the next push waits for a pull, and looks for what may have been sent.
    """
    db = source.db
    with db.write() as tx:
        mark = moved.left(tx)
        if mark is None:
            raise ConfigError(f"{db.label} was not moved; there is nothing to undo.")
        moved.come_back(tx)
        _tell(tx, "database.move_undone", {"from": mark.other}, at=at, actor=actor)
        source.publish(source.advance(tx) + 1)
    return mark


def _copying(work: Moving, here: Connection, there: Connection) -> Copying:
    stride = Stride(work.progress, _PASSES * count_rows(here, (*ALL_TABLES, *VIEWS)), work.clock)
    name = _shown(work.source.db)
    return Copying(here, there, work.target.db, name, stride)


def _mark(work: Moving) -> Mark:
    id = f"{work.rng.getrandbits(64):016x}"
    return Mark(id, _shown(work.target.db), work.clock().isoformat(timespec="seconds"))


def _seen_from(*, target: Database, mark: Mark) -> Mark:
    """Return the same mark as the other end has it."""
    return Mark(mark.id, _shown(target), mark.at)


def _shown(db: Database) -> str:
    return db.label.replace(":***@", "@")


def _leave(work: Moving, here: Connection, mark: Mark) -> None:
    _tell(here, "database.moved", {"to": mark.other}, at=work.clock(), actor=work.actor)
    moved.leave(here, mark)


def _finish(work: Moving, copied: Copied | None = None) -> None:
    """Let the new database be the mirror from now on."""
    target = work.target.db
    rows = {one.name: one.rows for one in copied.compared} if copied is not None else {}
    detail = {"from": _shown(work.source.db), "rows": rows}
    with target.write() as tx:
        _tell(tx, "database.moved", detail, at=work.clock(), actor=work.actor)
        moved.arrive(tx, None)


def _finish_earlier(work: Moving, before: Mark) -> MoveReport:
    """Finish a move that ended between its two last steps. Raises DatabaseUnusable."""
    target = work.target.db
    if not _is_rest_of(target, before):
        raise moved_away(work.source.db.label, before)
    _finish(work)
    return _report(work, finished=True)


def _is_rest_of(target: Database, before: Mark) -> bool:
    target.probe(write=True)
    if not upgrade.schema_state(target).current:
        return False
    with target.read() as tx:
        began = moved.arriving(tx)
    return began is not None and began.id == before.id


def _tell(tx: Connection, event: str, detail: dict[str, Any], *, at: datetime, actor: str) -> None:
    audit.append(tx, [Event(event, detail=detail)], at=at, actor=actor, run_id=None)


def _left_behind(tx: Connection) -> tuple[str, ...]:
    """Name the tables and views in the file that are not ours."""
    ours = {VERSION_TABLE, *(one.name for one in (*ALL_TABLES, *VIEWS))}
    ours |= {one.name for one in report.VIEWS}
    found = inspect(tx)
    others = {*found.get_table_names(), *found.get_view_names()} - ours
    return (f"not ours, and left behind: {', '.join(sorted(others))}",) if others else ()


def _broken(copied: Copied) -> str | None:
    broken = copied.proof.broken
    return f"row {broken.seq} is {broken.kind}: {broken.why}" if broken is not None else None


def _report(work: Moving, compared: tuple[Compared, ...] = (), **more: Any) -> MoveReport:
    return MoveReport(_shown(work.source.db), _shown(work.target.db), compared=compared, **more)
