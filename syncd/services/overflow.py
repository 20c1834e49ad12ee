"""A project over the record limit by itself: as far as the API allows, and the rest said loudly.

The active tasks come as a tree if they fit; the others from searches, in windows of creation dates
that are halved until each fits one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from syncd.errors import Refused, TooManyRecords
from syncd.model.listing import Scope
from syncd.resources.tasks.flat import Places, unplaced
from syncd.services.progress import Progress
from syncd.store.checkpoints import Checkpoint, Part
from syncd.worksection.answer import Answer
from syncd.worksection.client import Client
from syncd.worksection.filters import Field
from syncd.worksection.methods.tasks import get_task, get_tasks, search_tasks

FIRST_DAY = date(2000, 1, 1)
PLACES_PER_PULL = 50
"""Looks at single subtasks to learn their parent; the next pull goes on where this one ends."""

Status = Literal["active", "done"]


def fetch_overflowing(
    client: Client,
    project_id: int,
    *,
    scope: Scope,
    extra: tuple[str, ...],
    today: datetime,
    known: Callable[[Collection[int]], Places],
    progress: Progress,
) -> Checkpoint:
    """Fetch a project whose tasks do not fit one answer."""
    parts: list[Part] = []
    statuses: tuple[Status, ...] = ("done",)
    began = today
    try:
        answer = client.call(get_tasks(project_id, extra=extra, active_only=True))
        parts.append(_part("tree", answer))
        began = answer.observed_at
    except TooManyRecords:
        statuses = ("active", "done")
    full_days = 0
    wanted = tuple(word for word in scope.extra if word in {"text", "html", "files"})
    for status in statuses:
        for found in _windows(client, project_id, status, wanted, today.date(), progress):
            if found is None:
                full_days += 1
            else:
                parts.append(_part("search", found))
    placed, left = _look_for_places(client, project_id, parts, known, progress)
    return Checkpoint(
        project_id,
        began,
        (*parts, *placed),
        short=_in_words(project_id, statuses, left, full_days),
    )


def _part(how: str, answer: Answer) -> Part:
    return Part(how, answer.raw)


def _windows(
    client: Client,
    project_id: int,
    status: Status,
    extra: tuple[str, ...],
    today: date,
    progress: Progress,
) -> Iterator[Answer | None]:
    """Yield the answers of windows that fit, and None for a single day that does not."""
    windows = [(FIRST_DAY, today + timedelta(days=1))]
    done = 0
    while windows:
        left = len(windows)  # at least: a window that does not fit becomes two
        what = f"project {project_id}, {status} tasks in parts"
        left_s = client.budget.estimate_s(left)
        progress.step(what, done=done, total=done + left, left_s=left_s)
        done += 1
        first, last = windows.pop()
        condition = (
            (Field("project") == project_id)
            & (Field("dateadd") >= first)
            & (Field("dateadd") <= last)
        )
        try:
            yield client.call(search_tasks(filter=condition, status=status, extra=extra))
        except TooManyRecords:
            if first == last:
                yield None
            else:
                middle = first + (last - first) // 2
                windows += [(first, middle), (middle + timedelta(days=1), last)]


def _look_for_places(
    client: Client,
    project_id: int,
    parts: list[Part],
    known: Callable[[Collection[int]], Places],
    progress: Progress,
) -> tuple[list[Part], int]:
    """Ask single subtasks for their parent; returns the answers, and how many are left to ask."""
    ids = _without_place(parts)
    have = known(ids)
    todo = [id for id in ids if id not in have]
    placed = []
    asked = todo[:PLACES_PER_PULL]
    for done, id in enumerate(asked):
        left_s = client.budget.estimate_s(len(asked) - done)
        what = f"project {project_id}, places of subtasks"
        progress.step(what, done=done, total=len(asked), left_s=left_s)
        try:
            placed.append(_part("place", client.call(get_task(id))))
        except Refused:
            continue  # gone since the search: it is left out, as the next search will leave it
    return placed, len(todo) - len(asked)


def _without_place(parts: list[Part]) -> list[int]:
    ids: list[int] = []
    for part in parts:
        if part.how == "search" and part.data is not None:
            ids += unplaced(node for node in msgspec.json.decode(part.data) or ())
    return sorted(set(ids))


def _in_words(project_id: int, statuses: tuple[Status, ...], left: int, full_days: int) -> str:
    said = (
        f"project {project_id} holds more tasks than one answer may: its {' and '.join(statuses)}"
        " tasks came from searches, without their relations and tags"
    )
    if left:
        said += f"; {left} subtasks wait for their place in the tree, {PLACES_PER_PULL} a pull"
    if full_days:
        said += f"; {full_days} days with too many new tasks are missing"
    return said
