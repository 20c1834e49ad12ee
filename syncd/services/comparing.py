"""A listing, read slice by slice: what it holds, and where it and the mirror differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from syncd.model.listing import Scope, Slice
from syncd.model.records import Rejected, Stub
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.table import files, task_relations, task_tags, tasks
from syncd.resources.tasks.wire import OPTIONAL_KEYS
from syncd.services import garbage
from syncd.services.fetch import Fetched
from syncd.services.hidden import Untagged
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
    landed that holds the lease, so what is equal needs no second look.
    """

    missing: Mapping[int, Indexed] = field(default_factory=dict)
    vanished: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tags: tuple[int, ...] = ()
    changed: Mapping[int | None, Changed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """What a whole listing holds, gathered slice by slice."""

    listed: int
    short: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    repeated: int
    keys: frozenset[str]
    stubs: Mapping[str, Mapping[int, Stub]]
    unnamed: int = 0
    project_ids: frozenset[int] = frozenset()
    untagged: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether absence from it is absence from the account's answer."""
        return not self.short


class _Gathering:
    """Sums up the slices of a listing, one in memory at a time."""

    def __init__(self) -> None:
        self._listed = self._repeated = self._unnamed = 0
        self._short: list[str] = []
        self._rejected: list[Rejected] = []
        self._keys: set[str] = set()
        self._projects: set[int] = set()
        self._stubs: dict[str, dict[int, Stub]] = {"project": {}, "member": {}, "tag": {}}
        self._untagged = Untagged()

    def add(self, part: Slice) -> None:
        """Take one slice into account."""
        self._listed += len(part.tasks)
        self._repeated += len(part.repeated)
        self._unnamed += len(part.unnamed)
        self._rejected += part.rejected
        self._keys |= part.keys
        self._projects |= part.project_ids
        self._untagged.add(part)
        if part.short:
            self._short.append(part.short)
        named = (("project", part.projects), ("member", part.members), ("tag", part.tags))
        for kind, stubs in named:
            self._stubs[kind].update((stub.id, stub) for stub in stubs)

    def overview(self) -> Overview:
        """Return what all of them hold."""
        return Overview(
            listed=self._listed,
            short=tuple(self._short),
            rejected=tuple(self._rejected),
            repeated=self._repeated,
            keys=frozenset(self._keys),
            stubs=self._stubs,
            unnamed=self._unnamed,
            project_ids=frozenset(self._projects),
            untagged=self._untagged.samples(),
        )


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
    """Read each slice of a listing once: sum them up, and find what they leave open."""
    with db.read() as tx:
        is_first = not mirror.has_live(tx)
    gathering = _Gathering()
    if is_first:
        _read_each(fetched, gathering.add)
        return gathering.overview(), Questions()
    with db.read() as tx:
        differing = _Differing(tx)
        _read_each(fetched, gathering.add, differing.add)
        whole = gathering.overview()
        return whole, _questions(tx, fetched, scope, whole, differing)


def _read_each(fetched: Fetched, *take: Callable[[Slice], None]) -> None:
    for source in fetched.slices:
        with garbage.left_alone():
            _hand_over(source.load(), take)


def _hand_over(part: Slice, take: Iterable[Callable[[Slice], None]]) -> None:
    for one in take:
        one(part)


def _questions(
    tx: Connection, fetched: Fetched, scope: Scope, whole: Overview, found: _Differing
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
