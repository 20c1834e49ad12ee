"""From a fetched listing to a plan: what must be asked first, then what would be written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, func, select

from syncd.model.listing import Scope, Slice
from syncd.model.plan import Image, Insert, Remove, Restore, TaskPlan, Touch, Update
from syncd.model.records import Rejected, Stub, TaskRecord
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.table import files, task_relations, task_tags, tasks
from syncd.resources.tasks.wire import OPTIONAL_KEYS
from syncd.services.fetch import Fetched
from syncd.services.hidden import Untagged
from syncd.store import outbox
from syncd.store.outbox import InFlight
from syncd.sync import doubt
from syncd.sync.canonical import canonical_text
from syncd.sync.reconcile import reconcile
from syncd.sync.removal import Evidence, brakes, judge
from syncd.sync.survey import Index, Indexed, survey

ASK_AGAIN = bytes(16)
"""A content hash no record has: the task is compared anew at the next pull."""
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Questions:
    """What a listing leaves open: absent tasks, fields nothing shows, tags that may be gone."""

    missing: Mapping[int, Indexed] = field(default_factory=dict)
    vanished: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tags: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """What looking settled: evidence, fields to leave alone, tags of tasks asked one by one."""

    evidence: Evidence = field(default_factory=Evidence)
    undecided: frozenset[str] = frozenset()
    tags: Mapping[int, tuple[int, ...] | None] = field(default_factory=dict)
    unsettled_tags: frozenset[int] = frozenset()


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


def overview(parts: Iterable[Slice]) -> Overview:
    """Sum up the slices of a listing, one in memory at a time."""
    listed, repeated = 0, 0
    short: list[str] = []
    rejected: list[Rejected] = []
    keys: set[str] = set()
    stubs: dict[str, dict[int, Stub]] = {"project": {}, "member": {}, "tag": {}}
    unnamed, untagged, project_ids = 0, Untagged(), set[int]()
    for part in parts:
        unnamed += len(part.unnamed)
        untagged.add(part)
        project_ids |= part.project_ids
        listed += len(part.tasks)
        repeated += len(part.repeated)
        rejected += part.rejected
        keys |= part.keys
        if part.short:
            short.append(part.short)
        for kind, found in (
            ("project", part.projects),
            ("member", part.members),
            ("tag", part.tags),
        ):
            stubs[kind].update((stub.id, stub) for stub in found)
    return Overview(
        listed=listed,
        short=tuple(short),
        rejected=tuple(rejected),
        repeated=repeated,
        keys=frozenset(keys),
        stubs=stubs,
        unnamed=unnamed,
        project_ids=frozenset(project_ids),
        untagged=untagged.samples(),
    )


def question(tx: Connection, fetched: Fetched, scope: Scope, whole: Overview) -> Questions:
    """Find what a listing leaves open, against the mirror."""
    live = sum(mirror.count_live(tx).values())
    if live == 0:
        return Questions()
    doubts: list[int] = []
    absent: dict[int, Indexed] = {}
    seen: set[int] = set()
    for source in fetched.slices:
        part = source.load()
        index = mirror.load_index(tx, project_id=source.project_id, ids=part.tasks.keys())
        found = survey(part, index)
        absent |= {id: index[id] for id in found.absent}
        seen |= found.changed  # a task that moved here is absent from the project it left
        suspicious = found.changed & part.tagless
        if suspicious:
            images = mirror.load_images(tx, suspicious)
            doubts += doubt.doubtful_tags(part, images, suspicious)
    if fetched.how == "projects":
        absent |= _in_projects_not_fetched(tx, fetched)
    flying = outbox.in_flight(tx).tasks
    missing = {id: one for id, one in absent.items() if id not in seen and id not in flying}
    return Questions(
        missing if whole.complete else {},
        _vanished(tx, scope, whole, missing),
        tuple(doubts),
    )


def _in_projects_not_fetched(tx: Connection, fetched: Fetched) -> dict[int, Indexed]:
    """Return the live tasks of projects that are no slice: archived, hidden or gone ones."""
    fetched_ids = {source.project_id for source in fetched.slices}
    others = [id for id in mirror.count_live(tx) if id not in fetched_ids]
    found: dict[int, Indexed] = {}
    for project_id in others:
        index = mirror.load_index(tx, project_id=project_id)
        found |= {id: known for id, known in index.items() if not known.removed}
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


def plan_slice(
    tx: Connection,
    part: Slice,
    answers: Answers,
    scope: Scope,
    *,
    shift: timedelta,
    flying: InFlight = InFlight(),  # noqa: B008 - a frozen value
) -> TaskPlan:
    """Decide what one slice writes. `shift` corrects a clock that has stepped back.

    What has a change in flight is masked: the answer may show it before or after that change, and
    a task that a lost creation has made would stand beside that creation until it is settled.
    """
    index = mirror.load_index(tx, project_id=part.project_id, ids=part.tasks.keys())
    found = survey(part, index)
    masked = frozenset(id for id in found.changed if _in_flight(part.tasks[id], index, flying))
    going = found.changed - masked
    known = mirror.load_images(tx, [id for id in going if id in index])
    undecided = scope.undecided | answers.undecided
    actions = [
        reconcile(
            _settled(part.tasks[id], answers),
            ASK_AGAIN if id in answers.unsettled_tags else part.hashes[id],
            known.get(id),
            observed_at=part.observed_at + shift,
            undecided=undecided,
        )
        for id in sorted(going)
    ]
    return TaskPlan(
        inserts=tuple(action for action in actions if isinstance(action, Insert)),
        updates=tuple(action for action in actions if isinstance(action, Update)),
        restores=tuple(action for action in actions if isinstance(action, Restore)),
        touches=tuple(action for action in actions if isinstance(action, Touch)),
        unchanged=found.unchanged + sum(action is None for action in actions),
        masked=tuple(sorted(masked)),
    )


def _in_flight(record: TaskRecord, index: Index, flying: InFlight) -> bool:
    if record.id in index:
        return record.id in flying.tasks
    if not flying.creations:
        return False
    return (record.project_id, canonical_text(record.name)) in flying.creations


def _settled(record: TaskRecord, answers: Answers) -> TaskRecord:
    """Return the record with its tags as a look has settled them."""
    if record.id not in answers.tags:
        return record
    return msgspec.structs.replace(record, tags=answers.tags[record.id])


def plan_removals(
    tx: Connection,
    questions: Questions,
    answers: Answers,
    *,
    scope: Scope,
    previous: Scope | None,
    listed: int,
    max_removals: int | None,
    allow_removals: bool,
    answer_lies: bool,
) -> TaskPlan:
    """Decide about the missing tasks: removed with evidence, suspect without, held by a brake."""
    missing, evidence = questions.missing, answers.evidence
    reasons = {
        id: judge(id, known, evidence=evidence, scope=scope, previous=previous)
        for id, known in missing.items()
    }
    candidates = {
        id: known.project_id
        for id, known in missing.items()
        if reasons[id] is not None or id not in evidence.alive
    }
    tripped = (
        ()
        if allow_removals or answer_lies
        else brakes(candidates, mirror.count_live(tx), listed=listed, max_removals=max_removals)
    )
    held = {project for brake in tripped for project in brake.projects}
    going = [
        id
        for id, reason in reasons.items()
        if reason is not None and not answer_lies and missing[id].project_id not in held
    ]
    known: Mapping[int, Image] = mirror.load_images(tx, going)
    removals = tuple(Remove(known[id], reason) for id in sorted(going) if (reason := reasons[id]))
    suspects = [id for id, known in missing.items() if id not in set(going) and not known.suspect]
    return TaskPlan(removals=removals, suspects=tuple(sorted(suspects)), brakes=tripped)


def clock_shift(fetched: Fetched, earliest: datetime) -> timedelta:
    """Return how far observations must move so that none is older than the last run's."""
    return max(timedelta(), earliest - fetched.observed_at)
