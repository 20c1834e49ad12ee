"""From a listing and what looking at the account has settled to a plan: what would be written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import NoneType
from typing import Any

import msgspec
from sqlalchemy import Connection

from syncd.model.listing import Scope, Slice
from syncd.model.plan import Image, Insert, Remove, Restore, TaskPlan, Touch, Update
from syncd.model.records import TaskRecord
from syncd.resources.tasks import images as mirror
from syncd.services.comparing import Questions
from syncd.services.fetch import Fetched
from syncd.store.mirror import BATCH
from syncd.store.outbox import InFlight
from syncd.sync.canonical import canonical_text
from syncd.sync.reconcile import first_seen, reconcile
from syncd.sync.removal import Evidence, brakes, judge
from syncd.sync.survey import Index, survey

ASK_AGAIN = bytes(16)
"""A content hash no record has: the task is compared anew at the next pull."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What looking settled: evidence, fields to leave alone, tags of tasks asked one by one."""

    evidence: Evidence = field(default_factory=Evidence)
    undecided: frozenset[str] = frozenset()
    tags: Mapping[int, tuple[int, ...] | None] = field(default_factory=dict)
    unsettled_tags: frozenset[int] = frozenset()


def plan_slice(
    tx: Connection,
    part: Slice,
    answers: Answers,
    scope: Scope,
    *,
    shift: timedelta,
    flying: InFlight = InFlight(),  # noqa: B008 - a frozen value
    held: Collection[int] | None = None,
    differs: bool = False,
) -> TaskPlan:
    """Decide what one slice writes. `shift` corrects a clock that has stepped back.

    `held` are the only tasks of the slice that the mirror may have, where that is known. `differs`
    says that most of the slice will be looked at: it is what was found to differ.

    What has a change in flight is masked: the answer may show it before or after that change, and
    a task that a lost creation has made would stand beside that creation until it is settled.
    """
    images = mirror.load_images(tx, part.tasks.keys()) if differs else None
    index = _index(tx, part, held) if images is None else mirror.index_of(images)
    found = survey(part, index)
    masked = _masked(part, found.changed, index, flying)
    going = found.changed - masked
    if images is None:
        images = mirror.load_images(tx, [id for id in going if id in index])
    undecided = scope.undecided | answers.undecided
    observed_at = part.observed_at + shift
    inserts: list[Insert] = []
    actions: dict[type, list[Any]] = defaultdict(list)
    for record, content_hash in _as_settled(part, sorted(going), answers):
        image = images.get(record.id)
        if image is None:
            inserts.append(first_seen(record, content_hash))
            continue
        action = reconcile(
            record, content_hash, image, observed_at=observed_at, undecided=undecided
        )
        actions[type(action)].append(action)
    return TaskPlan(
        inserts=tuple(inserts),
        updates=tuple(actions.get(Update, ())),
        restores=tuple(actions.get(Restore, ())),
        touches=tuple(actions.get(Touch, ())),
        unchanged=found.unchanged + len(actions.get(NoneType, ())),
        masked=tuple(sorted(masked)),
    )


def _index(tx: Connection, part: Slice, held: Collection[int] | None) -> Index:
    """Load what the mirror has of a slice; of a whole account, one by one would cost more."""
    if held is not None:
        return mirror.load_index_of(tx, held)
    if part.project_id is None and len(part.tasks) > BATCH:
        return mirror.load_index(tx)
    return mirror.load_index_of(tx, part.tasks.keys())


def _masked(
    part: Slice, changed: Collection[int], index: Index, flying: InFlight
) -> frozenset[int]:
    if not (flying.tasks or flying.creations):
        return frozenset()
    return frozenset(id for id in changed if _in_flight(part.tasks[id], index, flying))


def _in_flight(record: TaskRecord, index: Index, flying: InFlight) -> bool:
    if record.id in index:
        return record.id in flying.tasks
    if not flying.creations:
        return False
    return (record.project_id, canonical_text(record.name)) in flying.creations


def _as_settled(
    part: Slice, ids: Iterable[int], answers: Answers
) -> Iterator[tuple[TaskRecord, bytes]]:
    """Give these records, each with its content hash and its tags as a look has settled them."""
    looked_at = answers.tags.keys() | answers.unsettled_tags
    for id in ids:
        record, content_hash = part.tasks[id], part.hashes[id]
        if id in looked_at:
            if id in answers.tags:
                record = msgspec.structs.replace(record, tags=answers.tags[id])
            if id in answers.unsettled_tags:
                content_hash = ASK_AGAIN
        yield record, content_hash


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
        if allow_removals or answer_lies or not candidates
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
