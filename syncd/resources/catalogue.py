"""What the small kinds (projects, members, tags) share: a table kept equal to one whole answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from syncd.errors import BadReply
from syncd.model.records import Rejected, Stub
from syncd.resources.answers import may_hold_nul, nodes_of, raw_text, refuse_nul
from syncd.store.mirror import Values, change, put
from syncd.sync.removal import brake_limit
from syncd.worksection.request import Request

Node = dict[str, Any]
_ALWAYS = frozenset({"id", "name", "removed_at", "in_catalogue"})
"""What is compared, or told of a record that goes, whatever an answer holds."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One small kind: its table, the request that lists it whole, and how to read a record of it.

    `read` gives the table's columns and raises ValueError for nonsense. `from_stub` gives the
    columns that a task's answer tells in passing. `absence` is the evidence, in one word, when a
    record is not in a whole answer any more. `settle` sets, after a change, what follows from all
    rows together.
    """

    kind: str
    table: Table
    request: Callable[[], Request]
    read: Callable[[Node], Values]
    from_stub: Callable[[Stub], Values]
    absence: str
    settle: Callable[[Connection], None] | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What keeping a catalogue equal would write; `before` is what the table holds of that."""

    rows: tuple[Values, ...]
    gone: tuple[int, ...]
    held: tuple[int, ...] = ()
    before: Mapping[int, Values] = field(default_factory=dict)


def read_answer(catalogue: Catalogue, data: bytes | None) -> tuple[list[Values], list[Rejected]]:
    """Read a whole answer; raises BadReply where it is no list of objects."""
    nodes = nodes_of(data, f"{catalogue.kind}s")
    suspicious = may_hold_nul(data)
    rows: dict[int, Values] = {}
    rejected = []
    for node in nodes:
        try:
            if suspicious:
                refuse_nul(node)
            row = catalogue.read(node)
            rows[row["id"]] = row
        except (ValueError, TypeError, AttributeError) as error:
            raw = raw_text(node)
            rejected.append(Rejected(catalogue.kind, None, str(error), raw))
    if len(rejected) > brake_limit(len(nodes), None):
        raise BadReply(f"{len(rejected)} of {len(nodes)} {catalogue.kind}s make no sense.")
    return list(rows.values()), rejected


def compare(
    tx: Connection,
    catalogue: Catalogue,
    rows: Sequence[Values],
    *,
    whole: bool,
    still_used: Collection[int] = (),
) -> Changes:
    """Compare an answer with the table.

    Only a `whole` answer removes; an empty one or a mass removal is held, like that of tasks, and
    a record that tasks still show stays.
    """
    names = _ALWAYS.union(*rows)  # a stub has few of the table's
    columns = [column for column in catalogue.table.c if column.name in names]
    known = {row.id: row for row in tx.execute(select(*columns))}
    changed = tuple(row for row in rows if _differs(row, known.get(row["id"])))
    before = {id: known[id]._asdict() for id in (row["id"] for row in changed) if id in known}
    if not whole:
        return Changes(changed, (), before=before)
    shown = {row["id"] for row in rows} | set(still_used)
    live = [id for id, row in known.items() if row.removed_at is None and row.in_catalogue]
    gone = tuple(id for id in live if id not in shown)
    if gone and (not rows or len(gone) > brake_limit(len(live), None)):
        return Changes(changed, (), held=gone, before=before)
    return Changes(changed, gone, before=before | {id: known[id]._asdict() for id in gone})


def _differs(row: Values, known: Row[Any] | None) -> bool:
    if known is None:
        return True
    mapping = known._mapping
    return any(mapping[name] != value for name, value in row.items())


def apply(tx: Connection, catalogue: Catalogue, changes: Changes, *, at: datetime) -> None:
    """Write the changes of one catalogue."""
    for rows in _alike(changes.rows):
        put(tx, catalogue.table, rows)
    change(
        tx,
        catalogue.table,
        changes.gone,
        {"removed_at": at, "removed_reason": catalogue.absence, "in_catalogue": False},
    )
    if catalogue.settle is not None and (changes.rows or changes.gone):
        catalogue.settle(tx)


def _alike(rows: Iterable[Values]) -> list[list[Values]]:
    """Group rows that set the same columns: a stub sets fewer than a whole record."""
    groups: dict[tuple[str, ...], list[Values]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return list(groups.values())
