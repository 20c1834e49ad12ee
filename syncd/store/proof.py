"""The proof of the audit log: every row is as it was written, and none is missing.

A chain without a secret shows what was changed after the fact, not who rewrote all of it: for that
the newest hash must be known elsewhere (docs/audit.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select

from syncd.store.audit import CHECKPOINT, GENESIS, HEAD, chain_hash
from syncd.store.schema import audit_log
from syncd.store.state import recall

Kind = Literal["altered", "missing", "out of order", "checkpoint", "added"]
PAGE = 500
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
"""What a row raises that somebody filled with what is no date, no JSON, no number."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that is not as it should be."""

    seq: int
    kind: Kind
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven: `rows` of them, from `first` to `last`; `hash` is the last one's.

    `checkpoint` is the row that seals what was pruned before `first`.
    """

    rows: int
    first: int | None
    last: int | None
    hash: str | None
    checkpoint: int | None
    broken: Broken | None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.broken is None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The row that seals a pruning: the last row that was pruned, and its hash."""

    seq: int
    last: int
    hash: str


@dataclass(slots=True)
class _Walk:
    """The way along the chain: how many rows, and the last one's number and hash."""

    rows: int
    last: int
    hash: str
    first: int | None = None

    def step(self, row: dict[str, Any]) -> None:
        self.first = row["seq"] if self.first is None else self.first
        self.rows, self.last, self.hash = self.rows + 1, row["seq"], row["hash"]


def prove(tx: Connection, *, upto: int | None = None) -> Proof:
    """Prove the chain, to its end or to a row; rows are streamed, however many there are."""
    try:
        sealed = newest_checkpoint(tx)
    except _UNREADABLE:
        seq = tx.scalar(_newest_checkpoint(audit_log.c.seq)) or 0
        unclear = Broken(seq, "checkpoint", "it does not say what was pruned")
        return Proof(0, None, None, None, seq, unclear)
    walk = _Walk(0, sealed.last, sealed.hash) if sealed else _Walk(0, 0, GENESIS)
    broken = _walk(tx, walk, sealed, upto)
    if broken is None and upto is None:
        broken = _judge_end(tx, walk)
    some = walk.rows > 0
    return Proof(
        rows=walk.rows,
        first=walk.first,
        last=walk.last if some else None,
        hash=walk.hash if some else None,
        checkpoint=sealed.seq if sealed else None,
        broken=broken,
    )


def newest_checkpoint(tx: Connection) -> Checkpoint | None:
    """Return the checkpoint that the chain begins at, if it was ever pruned."""
    row = tx.execute(_newest_checkpoint(audit_log.c.seq, audit_log.c.detail)).first()
    if row is None:
        return None
    return Checkpoint(row.seq, int(row.detail["last"]), str(row.detail["hash"]))


def _newest_checkpoint(*columns: Any) -> Any:
    query = select(*columns).where(audit_log.c.event == CHECKPOINT)
    return query.order_by(audit_log.c.seq.desc()).limit(1)


def _walk(
    tx: Connection, walk: _Walk, sealed: Checkpoint | None, upto: int | None
) -> Broken | None:
    """Go along the chain to its end, or to the first row that is wrong."""
    rows = _rows(tx, upto)
    while True:
        try:
            row = next(rows, None)
            if row is None:
                return None
            found = dict(row._mapping)
            broken = _judge(tx, found, walk, sealed)
        except _UNREADABLE as error:
            return Broken(_after(tx, walk), "altered", f"it cannot be read: {error}")
        if broken is not None:
            return broken
        walk.step(found)


def _rows(tx: Connection, upto: int | None) -> Iterator[Row[Any]]:
    query = select(audit_log).order_by(audit_log.c.seq)
    if upto is not None:
        query = query.where(audit_log.c.seq <= upto)
    yield from tx.execute(query, execution_options={"yield_per": PAGE})


def _after(tx: Connection, walk: _Walk) -> int:
    """Return the number of the row that comes next."""
    lowest = select(func.min(audit_log.c.seq))
    if walk.first is not None:
        lowest = lowest.where(audit_log.c.seq > walk.last)
    return tx.scalar(lowest) or walk.last + 1


def _judge(
    tx: Connection, row: dict[str, Any], walk: _Walk, sealed: Checkpoint | None
) -> Broken | None:
    """Say what is wrong with the row that comes next, if anything is."""
    seq, follows = row["seq"], row["prev_hash"] == walk.hash
    if walk.first is None and sealed is not None and seq <= sealed.last:
        return Broken(sealed.seq, "checkpoint", f"it says that row {seq} was pruned")
    if seq != walk.last + 1:
        return _skipped(walk.last + 1, seq, follows=follows)
    honest = chain_hash(row) == row["hash"]
    if follows:
        return None if honest else Broken(seq, "altered", "its content does not give its hash")
    belongs = tx.scalar(select(audit_log.c.seq).where(audit_log.c.hash == row["prev_hash"]))
    if belongs is not None:
        return Broken(seq, "out of order", f"it was written after what is now row {belongs}")
    if not honest:
        return Broken(seq, "altered", "its content does not give its hash")
    if walk.first is None and sealed is not None:
        return Broken(sealed.seq, "checkpoint", f"row {seq} does not follow the hash it seals")
    if walk.first is None:
        return Broken(seq, "altered", "it does not begin the chain")
    return Broken(walk.last, "altered", f"it is not the row that row {seq} was chained to")


def _skipped(expected: int, seq: int, *, follows: bool) -> Broken:
    if follows:
        return Broken(seq, "out of order", f"it was written as row {expected}")
    return Broken(expected, "missing", _gone(expected, seq - 1))


def _gone(first: int, last: int) -> str:
    return f"row {first} is gone" if first == last else f"rows {first} to {last} are gone"


def _judge_end(tx: Connection, walk: _Walk) -> Broken | None:
    """Compare the end of the chain with what was remembered at the last append."""
    head = recall(tx, HEAD)
    if not isinstance(head, dict) or not isinstance(head.get("seq"), int):
        gone = "what syncd remembers as the end of the log is gone"
        return Broken(walk.last, "missing", gone) if walk.rows else None
    if walk.last < head["seq"]:
        return Broken(walk.last + 1, "missing", _gone(walk.last + 1, head["seq"]))
    if walk.last > head["seq"]:
        return Broken(head["seq"] + 1, "added", "syncd did not write it")
    if walk.hash != head.get("hash"):
        return Broken(walk.last, "altered", "its hash is not the one that syncd remembers")
    return None
