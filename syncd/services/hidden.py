"""What lists may leave out without a word: tags, and the tasks of pending projects.

Nothing in such an answer shows that something is missing, so a few tasks or projects are asked for
themselves: once a day at most, unless the suspicion changes (API sheet, sections 5.1 and 5.3).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Any

from syncd.errors import Refused
from syncd.model.listing import Slice
from syncd.services.look import tasks_themselves
from syncd.worksection.client import Client
from syncd.worksection.methods.tasks import get_tasks

LASTS = timedelta(days=1)
SAMPLES = 5
TASKS, SUBTASKS, PENDING = "tasks", "subtasks", "pending projects"

Suspicion = Mapping[str, tuple[int, ...]]


class Untagged:
    """Gathers, over the slices of a listing, whether tasks and subtasks show any tags at all."""

    def __init__(self) -> None:
        self._newest: dict[str, list[int]] = {TASKS: [], SUBTASKS: []}
        self._tagged: set[str] = set()

    def add(self, part: Slice) -> None:
        """Take one slice into account."""
        for kind, ids in (
            (TASKS, part.tasks.keys() - part.subtasks),
            (SUBTASKS, part.tasks.keys() & part.subtasks),
        ):
            if kind in self._tagged:
                continue
            if ids <= part.tagless:
                self._newest[kind] = nlargest(SAMPLES, [*self._newest[kind], *ids])
            else:
                self._tagged.add(kind)

    def samples(self) -> Suspicion:
        """Return the newest tasks of each kind that shows no tags."""
        return {
            kind: tuple(ids)
            for kind, ids in self._newest.items()
            if ids and kind not in self._tagged
        }


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is known to be hidden, in words, and what to remember of the looking."""

    notes: tuple[str, ...] = ()
    remembered: Any = None


def suspect(untagged: Suspicion, silent_projects: Collection[int]) -> Suspicion:
    """Return what to ask about: untagged tasks by kind, and pending projects without tasks."""
    found = dict(untagged)
    if silent_projects:
        found[PENDING] = tuple(sorted(silent_projects)[:SAMPLES])
    return found


def find_hidden(client: Client, suspicion: Suspicion, remembered: Any, *, now: datetime) -> Hidden:
    """Ask a few tasks and projects for themselves, unless that was done within a day."""
    kinds = sorted(suspicion)
    if not kinds:
        return Hidden()
    if remembered and remembered["kinds"] == kinds:
        age = now - datetime.fromisoformat(remembered["at"])
        if timedelta() <= age < LASTS:
            return Hidden(tuple(remembered["notes"]), remembered)
    notes = [note for kind in kinds for note in _look(client, kind, suspicion[kind])]
    return Hidden(tuple(notes), {"kinds": kinds, "at": now.isoformat(), "notes": notes})


def _look(client: Client, kind: str, ids: tuple[int, ...]) -> list[str]:
    if kind == PENDING:
        return _look_at_projects(client, ids)
    if any(node.get("tags") for node in tasks_themselves(client, ids).values()):
        return [f"the account's lists leave out the tags of {kind}: the mirror does not have them"]
    return []


def _look_at_projects(client: Client, ids: tuple[int, ...]) -> list[str]:
    for id in ids:
        try:
            answer = client.call(get_tasks(id))
        except Refused:
            continue
        if answer.decode(list[Any]):
            return [f"the account's list leaves out pending projects, such as {id}"]
    return []
