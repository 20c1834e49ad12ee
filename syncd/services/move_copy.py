"""Copies every table into an empty PostgreSQL database, and compares what is there afterwards.

One transaction on either side: the old file takes no writer meanwhile, the new database nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, FromClause, Table, func, select

from syncd.errors import StorageFailed
from syncd.resources.everything import ALL_TABLES
from syncd.services.move_target import refuse_filled
from syncd.services.stride import Stride
from syncd.store import loading
from syncd.store.contents import PAGE, Content, content_of
from syncd.store.engine import Database
from syncd.store.leaving import Cells, leaving, numbers_used
from syncd.store.live import live_conflicts, live_tasks
from syncd.store.proof import Proof, prove
from syncd.store.schema import lease

NOBODY = dict.fromkeys(("holder", "acquired_at", "heartbeat_at"))
"""What the copied lease says instead of our being here."""
VIEWS = (live_tasks, live_conflicts)
"""What people and scripts read: it has to show the same too."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One table or view on both sides: rows here, rows there, and whether all are the same."""

    name: str
    rows: int
    there: int
    equal: bool


@dataclass(frozen=True, slots=True)
class Copied:
    """What was compared, and the proof of the audit log, which is the same on both sides."""

    compared: tuple[Compared, ...]
    proof: Proof


@dataclass(frozen=True, slots=True)
class Copying:
    """Both transactions; `source_name` is what the target remembers the source as."""

    source: Connection
    target: Connection
    into: Database
    source_name: str
    stride: Stride


def copy(work: Copying) -> Copied:
    """Copy and compare. Raises StorageFailed where a value cannot go, or anything differs."""
    tables = ALL_TABLES
    loading.lock_out(work.target, tables)
    began = refuse_filled(work.into, work.target, tables, source=work.source_name)
    with loading.unguarded(work.target, tables):
        if began is not None:
            loading.empty(work.target, tables)
        here = {table.name: _copy_table(work, table) for table in tables}
    used = numbers_used(work.source)
    for table in tables:
        loading.count_on(work.target, table, used.get(table.name, 0))
    loading.analyze(work.target, tables)
    here |= {view.name: _content(work, work.source, view) for view in VIEWS}
    there = {one.name: _content(work, work.target, one) for one in (*tables, *VIEWS)}
    return _proven(work, [_compared(name, here[name], there[name]) for name in here])


def read_through(source: Connection, stride: Stride) -> tuple[Compared, ...]:
    """Read every row as `copy` does, and copy none."""
    found = []
    for table in ALL_TABLES:
        rows = sum(1 for _ in _told(stride, f"reading {table.name}", leaving(source, table, {})))
        found.append(Compared(table.name, rows, 0, equal=False))
    return tuple(found)


def count_rows(tx: Connection, sources: Iterable[FromClause] = ALL_TABLES) -> int:
    """Count the rows of all tables, or of what is given."""
    counts = (tx.scalar(select(func.count()).select_from(source)) for source in sources)
    return sum(count or 0 for count in counts)


def _copy_table(work: Copying, table: Table) -> Content:
    content = Content()
    rows = leaving(work.source, table, NOBODY if table is lease else {})
    told = _told(work.stride, f"copying {table.name}", rows)
    loading.load(work.into, work.target, table, _counted(content, told))
    return content


def _counted(content: Content, rows: Iterable[Cells]) -> Iterator[list[Any]]:
    for values, cells in rows:
        content.add(values)
        yield cells


def _told(stride: Stride, what: str, rows: Iterable[Cells]) -> Iterator[Cells]:
    """Pass rows on, and tell now and then how many it were."""
    since = 0
    for row in rows:
        since += 1
        if since == PAGE:
            stride.go(what, since)
            since = 0
        yield row
    stride.go(what, since)


def _content(work: Copying, tx: Connection, source: FromClause) -> Content:
    what = f"comparing {source.description}"
    return content_of(tx, source, passed=lambda rows: work.stride.go(what, rows))


def _compared(name: str, here: Content, there: Content) -> Compared:
    return Compared(name, here.rows, there.rows, equal=here == there)


def _proven(work: Copying, compared: list[Compared]) -> Copied:
    proof, theirs = prove(work.source), prove(work.target)
    wrong = [
        f"{one.name} ({one.rows:,} rows here, {one.there:,} there)"
        for one in compared
        if not one.equal
    ]
    wrong += ["the proof of the audit log"] if proof != theirs else []
    if wrong:
        raise StorageFailed(
            f"The copy in {work.into.label} is not the same: {', '.join(wrong)}.",
            hint="It was taken back, and nothing was moved. This should not happen: report it.",
        )
    return Copied(tuple(compared), proof)
