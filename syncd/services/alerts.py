"""Who hears of an incident: once when it opens, once when it closes.

What could not be told stays untold in the database, and is tried again at the next round.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from syncd.model.incidents import Incident, Trouble
from syncd.services.telling import Teller
from syncd.store import incidents
from syncd.store.engine import Database

FORGOTTEN: Final = timedelta(days=1)
"""An incident that is over for longer is no news, as where alerts have just been set up."""
BLIP: Final = timedelta(minutes=1)
"""A database that is back by then was restarted, and nobody has to know."""


@dataclass(frozen=True, slots=True)
class Told:
    """How many incidents a round has told of, and how many it could not."""

    told: int = 0
    failed: int = 0


def tell_all(db: Database, teller: Teller, *, at: datetime) -> Told:
    """Tell what was not told yet. For the holder of the lease alone; raises StorageFailed.

    What opened and closed untold is told as one that closed, with both instants: somebody should
    know that it was, and nobody need get up for it.
    """
    if not teller.ways:
        return Told()
    with db.read() as tx:
        due = incidents.untold(tx, since=at - FORGOTTEN)
    broken: set[str] = set()
    done = [one for one in due if teller.tell(one, broken)]
    if done:
        with db.write() as tx:
            for one in done:
                incidents.mark_told(tx, one, at)
    for one in done:
        teller.forget(one)
    return Told(len(done), len(due) - len(done))


class DatabaseAlarm:
    """Tells of a database that fails and of its return: what no database can remember."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._open: Incident | None = None

    def look(self, trouble: Trouble | None, *, at: datetime) -> None:
        """Take note of how it stands; None says that it works. For whoever held the lease."""
        if trouble is not None:
            self._open = self._open or Incident(id=0, opened_at=at, **asdict(trouble))
            if at - self._open.opened_at >= BLIP:
                self._teller.tell(self._open, set())
        elif self._open is not None and self._heard(replace(self._open, closed_at=at), at):
            self._teller.forget(self._open)
            self._open = None

    def _heard(self, over: Incident, at: datetime) -> bool:
        return at - over.opened_at < BLIP or self._teller.tell(over, set())
