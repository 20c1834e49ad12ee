"""A listing, read slice by slice: what it holds, and where it and the mirror differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, func, select

from syncd.model.listing import Scope, Slice
from syncd.resources.projects import pending_ids
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.table import files, task_relations, task_tags, tasks
from syncd.resources.tasks.wire import OPTIONAL_KEYS
from syncd.services import garbage
from syncd.services.fetch import Fetched
from syncd.services.overview import Gathering, Overview
from syncd.store import outbox
from syncd.store.engine import Database
from syncd.sync import doubt
from syncd.sync.survey import Indexed, survey

SAMPLES = 3
MOST_KEPT = 5_000
"""Records that differ are kept until they are written, so many of them: each takes about 1 kB. A
long text counts for as many as it is long."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What of a slice has to be looked at when it lands, and how many tasks are equal."""

    part: Slice
    unchanged: int


@dataclass(frozen=True, slots=True)
class Questions:
    """What a listing leaves open: absent tasks, fields nothing shows, tags that may be gone.

    `changed` holds what differs in slices, by project: nobody else can write tasks until a pull has
    landed that holds the lease, so what is equal needs no second look. `pending` are the projects
    that the mirror knows as such: their tasks are left out without a word.
    """

    missing: Mapping[int, Indexed] = field(default_factory=dict)
    vanished: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tags: tuple[int, ...] = ()
    changed: Mapping[int | None, Changed] = field(default_factory=dict)
    pending: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Differing:
    """Where slices and mirror differ, one slice after the other."""

    tx: Connection
    absent: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    doubts: list[int] = field(default_factory=list)
    changed: dict[int | None, Changed] = field(default_factory=dict)
    kept: int = 0

    def add(self, part: Slice) -> None:
        """Compare one slice with the mirror."""
        index = mirror.load_index(self.tx, project_id=part.project_id, ids=part.tasks.keys())
        found = survey(part, index)
        suspicious = found.changed & part.tagless
        if suspicious:
            self.doubts += doubt.doubtful_tags(part, mirror.load_tags(self.tx, suspicious))
        # What an earlier slice shows otherwise is written by it first, and is not equal then.
        self._keep(part, found.changed | (self.seen & part.tasks.keys()))
        self.absent |= found.absent
        self.seen |= found.changed  # one that moved here is absent from the project it left

    def _keep(self, part: Slice, ids: frozenset[int]) -> None:
        """Keep these tasks of a slice and nothing else of it, as long as there is room."""
        if self.kept + len(ids) > MOST_KEPT:
            return
        tasks = {id: part.tasks[id] for id in sorted(ids)}
        weight = sum(1 + len(record.text or "") // 1000 for record in tasks.values())
        if self.kept + weight > MOST_KEPT:
            return
        self.kept += weight
        hashes = {id: part.hashes[id] for id in tasks}
        few = Slice(part.project_id, part.observed_at, tasks, hashes, keys=frozenset())
        self.changed[part.project_id] = Changed(few, len(part.hashes) - len(ids))


def read_through(db: Database, fetched: Fetched, scope: Scope) -> tuple[Overview, Questions]:
    """Read each slice of a listing once: sum them up, and find what they leave open.

    In a first mirror nothing is open, and slices that were summed up when they came are not read.
    """
    gathering = Gathering()
    with db.read() as tx:
        pending = frozenset(pending_ids(tx))
        if mirror.has_live(tx):
            differing = _Differing(tx)
            _read_each(fetched, gathering.add, differing.add)
            whole = gathering.overview()
            questions = _questions(tx, fetched, scope, whole, differing)
            return whole, replace(questions, pending=pending)
    if fetched.overview is None:
        _read_each(fetched, gathering.add)
    return fetched.overview or gathering.overview(), Questions(pending=pending)


def _read_each(fetched: Fetched, *take: Callable[[Slice], None]) -> None:
    for source in fetched.slices:
        with garbage.left_alone():
            _hand_over(source.load(), take)


def _hand_over(part: Slice, take: Iterable[Callable[[Slice], None]]) -> None:
    for one in take:
        one(part)


def _questions(
    tx: Connection,
    fetched: Fetched,
    scope: Scope,
    whole: Overview,
    found: _Differing,
) -> Questions:
    known = mirror.load_indexed(tx, found.absent)
    if fetched.how == "projects":
        known |= _in_projects_not_fetched(tx, fetched)
    flying = outbox.in_flight(tx).tasks
    missing = {id: one for id, one in known.items() if id not in found.seen and id not in flying}
    return Questions(
        missing if whole.complete else {},
        _vanished(tx, scope, whole, missing),
        tuple(found.doubts),
        found.changed,
    )


def _in_projects_not_fetched(tx: Connection, fetched: Fetched) -> dict[int, Indexed]:
    """Return the live tasks of projects that are no slice: archived, hidden or gone ones."""
    fetched_ids = {source.project_id for source in fetched.slices}
    others = [id for id in mirror.count_live(tx) if id not in fetched_ids]
    found: dict[int, Indexed] = {}
    for project_id in others:
        found |= mirror.load_project(tx, project_id)
    return found


def _vanished(
    tx: Connection, scope: Scope, whole: Overview, missing: Collection[int]
) -> dict[str, tuple[int, ...]]:
    """Find fields that no record shows though the mirror has them, with tasks to ask about."""
    if whole.listed == 0:
        return {}
    silent = {
        key: name
        for key, name in OPTIONAL_KEYS.items()
        if name not in scope.undecided and key not in whole.keys
    }
    samples = {name: _samples(tx, name, missing) for name in silent.values()}
    filled = {name: len(ids) for name, ids in samples.items()}
    return {name: samples[name] for name in doubt.vanished(whole.keys, silent, filled)}


def _samples(tx: Connection, name: str, missing: Collection[int]) -> tuple[int, ...]:
    """Return a few live tasks that have `name` in the mirror, the newest first."""
    query = select(tasks.c.id).where(tasks.c.removed_at.is_(None))
    match name:
        case "tags":
            query = query.where(tasks.c.id.in_(select(task_tags.c.task_id)))
        case "files":
            kept = select(files.c.task_id).where(files.c.removed_at.is_(None))
            query = query.where(tasks.c.id.in_(kept))
        case "relations":
            query = query.where(tasks.c.id.in_(select(task_relations.c.from_task_id)))
        case "text":
            query = query.where(tasks.c.text.is_not(None), func.length(tasks.c.text) > 0)
        case _:
            query = query.where(tasks.c[name].is_not(None))
    newest = tx.scalars(query.order_by(tasks.c.id.desc()).limit(SAMPLES + len(missing)))
    return tuple(id for id in newest if id not in missing)[:SAMPLES]
