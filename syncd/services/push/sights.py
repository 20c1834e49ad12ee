"""The looks before the writes of one round: as few requests as are safe (syncd/sync/looks.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from syncd.errors import BadReply, Refused
from syncd.model.outbound import Place
from syncd.services.push.looking import Eyes, Sight
from syncd.services.push.units import Unit
from syncd.sync.looks import TOGETHER

FRESH: Final = timedelta(seconds=45)
"""How old a look may be when the write goes: that of 25 tasks together, and some waiting."""


@dataclass(slots=True)
class Sights:
    """Looks at the tasks of `units`, many at once where a search shows enough."""

    eyes: Eyes
    units: Sequence[Unit]
    places: Mapping[int, Place]
    _seen: dict[int, Sight] = field(default_factory=dict)
    _next: int = 0
    _searching: bool = True

    def of(self, unit: Unit, task_id: int) -> Sight:
        """Return a fresh sight of a unit's task, by a search if that was enough of a look."""
        seen = self._seen.get(task_id)
        if seen is not None and self.eyes.clock() - seen.observed_at <= FRESH:
            return seen
        if self._searching and _searchable(unit, self.places):
            self._search(unit)
            if task_id in self._seen:
                return self._seen[task_id]
        return self.closely(task_id)

    def closely(self, task_id: int) -> Sight:
        """Ask the task itself."""
        self._seen[task_id] = self.eyes.look(task_id)
        return self._seen[task_id]

    def forget(self, task_id: int) -> None:
        """Look again before the next write to this task."""
        self._seen.pop(task_id, None)

    def _search(self, unit: Unit) -> None:
        """Search this task and those that come next, of the same status."""
        rest = self.units[self.units.index(unit) :]
        status = self.places[unit.task_id or 0].status
        ids = [
            one.task_id
            for one in rest
            if one.task_id and _searchable(one, self.places)
            if self.places[one.task_id].status == status
        ]
        ids = list(dict.fromkeys(ids))[:TOGETHER]
        if len(ids) < 2:
            return  # one task is asked for itself: that costs the same and tells all
        try:
            self._seen |= self.eyes.search(ids, status, self.places)
        except (BadReply, Refused):
            self._searching = False  # an account that cannot search by id is asked task by task


def _searchable(unit: Unit, places: Mapping[int, Place]) -> bool:
    """A search does not tell tags for certain, and has to name a status."""
    return unit.task_id in places and all(step.verb != "tag" for step in unit.steps)
