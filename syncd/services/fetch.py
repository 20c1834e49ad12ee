"""Fetching a listing: the whole account in one request, or project by project over the limit.

Source: API sheet, sections 3 (10,000 records to an answer) and 5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Literal

from syncd.errors import Refused, TooManyRecords
from syncd.model.listing import Scope, Slice
from syncd.resources.tasks.flat import Places, read_slice
from syncd.resources.tasks.known import Trees
from syncd.resources.tasks.packed import packed
from syncd.resources.tasks.tree import read_listing
from syncd.resources.tasks.wire import TagIds
from syncd.services import garbage
from syncd.services.overflow import fetch_overflowing
from syncd.services.overview import Gathering, Overview
from syncd.services.progress import Progress
from syncd.services.slice_store import SliceStore
from syncd.store import checkpoints
from syncd.store.checkpoints import Checkpoint, Part
from syncd.worksection.answer import Answer
from syncd.worksection.client import Client
from syncd.worksection.methods.tasks import get_all_tasks, get_tasks


@dataclass(frozen=True, slots=True)
class SliceSource:
    """A slice that is fetched and can be read, again if need be, so that only one is in memory."""

    project_id: int | None
    observed_at: datetime
    load: Callable[[], Slice]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A listing as fetched: how, as of when, and its slices in the order they were observed.

    `overview` is what they hold together, where each of them was read when it came.
    """

    how: Literal["account", "projects"]
    observed_at: datetime
    slices: Sequence[SliceSource]
    digest: str | None = None
    """Of all that was fetched project by project; None where an interrupted pull fetched some."""
    overview: Overview | None = None


@dataclass(frozen=True, slots=True)
class Fetching:
    """What every fetch of one pull shares.

    `all_new` says that nothing was ever mirrored: all of it will be read, and is read at once.
    """

    client: Client
    scope: Scope
    tag_ids: TagIds
    progress: Progress
    trees: Trees | None = None
    all_new: bool = False

    @property
    def extra(self) -> tuple[str, ...]:
        """The extras of a request; tags are always asked for (API sheet, section 5.3)."""
        extra = (*self.scope.extra, "tags")
        return (*extra, "archive") if self.scope.archived else extra


def fetch_account(work: Fetching) -> Answer:
    """Ask for every task at once. Raises TooManyRecords over the account's limit."""
    return work.client.call(get_all_tasks(extra=work.extra))


def as_listing(work: Fetching, answer: Answer) -> Fetched:
    """Return the whole account's answer as a listing of one slice, read at once."""
    with garbage.left_alone():
        part = read_listing(
            answer.data,
            asked=frozenset(work.scope.extra),
            observed_at=answer.observed_at,
            tag_ids=work.tag_ids,
            trees=work.trees,
        )
    source = SliceSource(None, answer.observed_at, lambda: part)
    return Fetched("account", answer.observed_at, (source,))


def digest(answer: Answer) -> str:
    """Return a hash of the answer's bytes: an equal one ends a pull there."""
    return blake2b(answer.body, digest_size=20).hexdigest()


def fetch_projects(
    work: Fetching,
    project_ids: Collection[int],
    store: SliceStore,
    *,
    now: datetime,
    places: Callable[[Collection[int]], Places],
) -> Fetched:
    """Fetch each project's tasks, going on where an interrupted pull stopped."""
    observed = dict(store.resume(now))
    seen = None if observed else blake2b(digest_size=20)
    wanted = sorted(project_ids)
    todo = [id for id in wanted if id not in observed]
    gathering = Gathering() if work.all_new else None
    if gathering is not None:
        for project_id in sorted(set(wanted) - set(todo), key=lambda id: observed[id]):
            gathering.add(_read(work, store.load(project_id), places))
    with store.filling():
        for done, project_id in enumerate(todo):
            left = len(todo) - done
            work.progress.step(
                f"project {project_id}",
                done=len(wanted) - left,
                total=len(wanted),
                left_s=work.client.budget.estimate_s(left),
            )
            checkpoint = _fetch_project(work, project_id, now=now, places=places)
            observed[project_id] = checkpoint.observed_at
            told = checkpoints.fingerprint(checkpoint)
            if gathering is not None:
                checkpoint = _read_at_once(work, checkpoint, places, gathering)
            store.keep(checkpoint)
            if seen is not None:
                seen.update(told)
    slices = [
        SliceSource(id, observed[id], _loader(work, store, id, places))
        for id in sorted(wanted, key=lambda id: (observed[id], id))
    ]
    return Fetched(
        "projects",
        min([now, *(one.observed_at for one in slices)]),
        slices,
        digest=seen.hexdigest() if seen is not None else None,
        overview=gathering.overview() if gathering is not None else None,
    )


def _read_at_once(
    work: Fetching,
    checkpoint: Checkpoint,
    places: Callable[[Collection[int]], Places],
    gathering: Gathering,
) -> Checkpoint:
    """Read a project's tasks, add them to the overview, and return them as they were read."""
    with garbage.left_alone():
        part = _read(work, checkpoint, places)
        gathering.add(part)
        return replace(checkpoint, parts=(packed(part),))


def _fetch_project(
    work: Fetching,
    project_id: int,
    *,
    now: datetime,
    places: Callable[[Collection[int]], Places],
) -> Checkpoint:
    extra = tuple(word for word in work.extra if word != "archive")
    try:
        answer = work.client.call(get_tasks(project_id, extra=extra))
    except TooManyRecords:
        return fetch_overflowing(
            work.client,
            project_id,
            scope=work.scope,
            extra=extra,
            today=now,
            known=places,
            progress=work.progress,
        )
    except Refused as error:
        said = f"project {project_id} was refused: {error.said}"
        return Checkpoint(project_id, now, (), short=said)
    return Checkpoint(project_id, answer.observed_at, (Part("tree", answer.raw),))


def _loader(
    work: Fetching,
    store: SliceStore,
    project_id: int,
    places: Callable[[Collection[int]], Places],
) -> Callable[[], Slice]:
    return lambda: _read(work, store.load(project_id), places)


def _read(
    work: Fetching, checkpoint: Checkpoint, places: Callable[[Collection[int]], Places]
) -> Slice:
    with garbage.left_alone():
        return read_slice(
            checkpoint,
            asked=frozenset(work.scope.extra),
            tag_ids=work.tag_ids,
            known=places,
            trees=work.trees,
        )
