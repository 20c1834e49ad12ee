"""Incidents: troubles put on record when they are first seen, and closed once they are over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from syncd.log import get_logger
from syncd.model.incidents import Incident, Trouble
from syncd.secrets import redact
from syncd.store import incidents
from syncd.store.engine import Database
from syncd.store.lease import Lease

LONGEST: Final = 500
"""Characters of a text that are kept: an account's answer can be quoted in it."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """What has become wrong, and what is over, since it was noted last."""

    opened: tuple[Incident, ...] = ()
    closed: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class _Difference:
    """What has to be written so that the record says what was found."""

    new: tuple[Trouble, ...]
    altered: Mapping[int, Trouble]
    over: tuple[Incident, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.altered or self.over)


def note(
    db: Database,
    lease: Lease,
    found: Iterable[Trouble],
    *,
    at: datetime,
    undecided: Collection[str] = (),
) -> Changes:
    """Make the record say what was found; kinds that are `undecided` stay as they are.

    Writes nothing where nothing changed. Raises LeaseLost where another instance is the holder now:
    what it sees counts, and two that look must not open and close in turns.
    """
    wanted = {_key(trouble): trouble for trouble in map(_clean, found)}
    with db.read() as tx:
        if not _compare(incidents.load_open(tx), wanted, undecided):
            return Changes()
    with db.write() as tx:
        lease.verify(tx)
        changes = _write(tx, _compare(incidents.load_open(tx), wanted, undecided), at)
    _log(changes)
    return changes


def open_incidents(db: Database) -> tuple[Incident, ...]:
    """Return what is wrong, as it was last noted."""
    with db.read() as tx:
        return incidents.load_open(tx)


def _compare(
    known: Iterable[Incident], wanted: Mapping[Key, Trouble], undecided: Collection[str]
) -> _Difference:
    there = {_key(one): one for one in known}
    return _Difference(
        new=tuple(trouble for key, trouble in wanted.items() if key not in there),
        altered={
            one.id: wanted[key]
            for key, one in there.items()
            if key in wanted and not _says(one, wanted[key])
        },
        over=tuple(
            one for key, one in there.items() if key not in wanted and one.kind not in undecided
        ),
    )


def _write(tx: Connection, difference: _Difference, at: datetime) -> Changes:
    incidents.begin(tx, difference.new, at)
    for id, trouble in difference.altered.items():
        incidents.reword(tx, id, trouble)
    incidents.end(tx, [one.id for one in difference.over], at)
    new = {_key(trouble) for trouble in difference.new}
    return Changes(
        opened=tuple(one for one in incidents.load_open(tx) if _key(one) in new),
        closed=tuple(replace(one, closed_at=at) for one in difference.over),
    )


def _key(one: Trouble | Incident) -> Key:
    return one.kind, one.subject


def _says(incident: Incident, trouble: Trouble) -> bool:
    return asdict(trouble).items() <= asdict(incident).items()


def _clean(trouble: Trouble) -> Trouble:
    """Return a trouble as it may be kept and told: in short lines, without a secret."""
    return replace(trouble, subject=_short(trouble.subject), summary=_short(trouble.summary))


def _short(text: str) -> str:
    line = redact(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _log(changes: Changes) -> None:
    log = get_logger()
    for one in changes.opened:
        log.warning("incident.opened", incident=one.id, kind=one.kind, summary=one.summary)
    for one in changes.closed:
        log.info("incident.closed", incident=one.id, kind=one.kind, summary=one.summary)
