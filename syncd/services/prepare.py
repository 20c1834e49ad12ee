"""The part of a pull that talks to the account: fetch the listing, ask what it leaves open.

No transaction is open while a request is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syncd.errors import TooManyRecords
from syncd.model.listing import Scope
from syncd.model.records import Rejected
from syncd.resources.derived import Derived
from syncd.resources.projects import live_ids
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.flat import Places
from syncd.resources.tasks.known import Trees
from syncd.resources.tasks.wire import OPTIONAL_KEYS
from syncd.services import catalogues, memory, tag_doubts
from syncd.services.catalogues import Gathered
from syncd.services.comparing import Questions, read_through
from syncd.services.fetch import (
    Fetched,
    Fetching,
    as_listing,
    digest,
    fetch_account,
    fetch_projects,
)
from syncd.services.hidden import Hidden, find_hidden, suspect
from syncd.services.look import Looked, look, read_projects, tasks_themselves
from syncd.services.memory import Memory
from syncd.services.overview import Overview
from syncd.services.planning import (
    Answers,
    plan_removals,
)
from syncd.services.progress import Progress
from syncd.services.rights import read_rights
from syncd.services.slice_store import SliceStore
from syncd.store.engine import Database
from syncd.store.lease import Lease
from syncd.sync.removal import ARCHIVED, Evidence
from syncd.worksection.client import Client

OVER_LIMIT_LASTS = timedelta(days=1)
"""How long an account is pulled by projects before the whole is tried again."""

WIRE_KEYS = {name: key for key, name in OPTIONAL_KEYS.items()}


@dataclass(frozen=True, slots=True)
class Pulling:
    """Everything a pull works with."""

    db: Database
    client: Client
    lease: Lease
    derived: Derived
    extra: tuple[str, ...]
    archived: bool
    max_removals: int | None
    auth: str
    clock: Callable[[], datetime]
    progress: Progress
    actor: str
    trees: Trees


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pull as far as it goes without writing. `fetched` is None for an equal answer.

    `over_limit_at` is when the whole account was last refused as too much; None where it is not.
    """

    known: Memory
    scope: Scope
    gathered: Gathered
    observed_at: datetime
    digest: str | None
    over_limit_at: datetime | None = None
    fetched: Fetched | None = None
    whole: Overview | None = None
    questions: Questions = field(default_factory=Questions)
    answers: Answers = field(default_factory=Answers)
    answer_lies: bool = False
    hidden: Hidden = field(default_factory=Hidden)
    notes: tuple[str, ...] = ()


def prepare(work: Pulling, *, dry_run: bool, allow_removals: bool) -> Prepared:
    """Fetch a listing and everything that is needed to judge it. Writes checkpoints only."""
    now = work.clock()
    with work.db.read() as tx:
        known = memory.load(tx)
        due = catalogues.due(known.catalogues_at, now)
        projects = live_ids(tx) if due else ()
    memory.check_account(known, work.client.base_url)
    rights, gathered = known.rights, Gathered()
    if due:
        rights = read_rights(work.client, work.auth)
        gathered = catalogues.gather(
            work.client, work.derived, live_projects=projects, progress=work.progress
        )
        known = replace(known, tag_ids={**known.tag_ids, **gathered.tag_ids})
    scope = Scope(work.archived, work.extra, rights)
    prepared = _fetch(work, known, scope, gathered, now, dry_run=dry_run)
    if prepared.fetched is None:
        return prepared
    return _settle(work, prepared, prepared.fetched, allow_removals=allow_removals)


def _fetch(
    work: Pulling,
    known: Memory,
    scope: Scope,
    gathered: Gathered,
    now: datetime,
    *,
    dry_run: bool,
) -> Prepared:
    fetching = Fetching(
        work.client,
        scope,
        known.tag_ids,
        work.progress,
        work.trees,
        all_new=known.account is None,
    )
    start, over_limit_at = Prepared(known, scope, gathered, now, None), known.over_limit_at
    if over_limit_at is None or now - over_limit_at > OVER_LIMIT_LASTS:
        try:
            work.progress.step("all tasks", done=0, total=1, left_s=work.client.budget.wait_s())
            answer = fetch_account(fetching)
        except TooManyRecords:
            over_limit_at = now
        else:
            seen = digest(answer)
            if known.digest == memory.digest_of(scope, seen):
                return replace(start, observed_at=answer.observed_at, digest=seen)
            fetched = as_listing(fetching, answer)
            return replace(start, observed_at=answer.observed_at, digest=seen, fetched=fetched)
    fetched = _fetch_by_project(work, fetching, gathered, now, dry_run=dry_run)
    start = replace(
        start,
        observed_at=fetched.observed_at,
        digest=fetched.digest,
        over_limit_at=over_limit_at,
    )
    if fetched.digest and known.digest == memory.digest_of(scope, fetched.digest):
        return start
    return replace(start, fetched=fetched)


def _fetch_by_project(
    work: Pulling, fetching: Fetching, gathered: Gathered, now: datetime, *, dry_run: bool
) -> Fetched:
    status = gathered.project_status or read_projects(work.client)
    wanted = [id for id, word in status.items() if fetching.scope.archived or word != ARCHIVED]
    store = SliceStore(work.db, work.lease, fetching.scope, durable=not dry_run)
    return fetch_projects(
        fetching, wanted, store, now=now, places=lambda ids: _known_places(work.db, ids)
    )


def _known_places(db: Database, ids: Collection[int]) -> Places:
    with db.read() as tx:
        return mirror.load_places(tx, ids)


def _settle(
    work: Pulling, prepared: Prepared, fetched: Fetched, *, allow_removals: bool
) -> Prepared:
    """Ask about what the listing leaves open."""
    whole, questions = read_through(work.db, fetched, prepared.scope)
    looked, scope = Looked(Evidence()), prepared.scope
    if questions.missing:
        scope = replace(scope, rights=read_rights(work.client, work.auth))
        with work.db.read() as tx:
            live = sum(mirror.count_live(tx).values())
        looked = look(
            work.client,
            questions.missing,
            scope=scope,
            max_removals=work.max_removals,
            live=live,
            allow_removals=allow_removals,
            projects=prepared.gathered.project_status,
            progress=work.progress,
        )
    answers, notes = _settle_fields(work, prepared, questions, whole)
    answers = replace(answers, evidence=looked.evidence)
    hidden = _look_for_hidden(work, prepared, whole, questions)
    if looked.trouble:
        notes = (*notes, f"looking at missing tasks ended early: {looked.trouble}")
    settled = replace(
        prepared,
        scope=scope,
        whole=whole,
        questions=questions,
        answers=answers,
        answer_lies=looked.answer_lies,
        hidden=hidden,
        notes=(*notes, *hidden.notes),
    )
    return _keep_used_tags(work, settled, fetched, whole, allow_removals=allow_removals)


def _keep_used_tags(
    work: Pulling, settled: Prepared, fetched: Fetched, whole: Overview, *, allow_removals: bool
) -> Prepared:
    """Note the tags that tasks keep, of those that the account's list of tags lacks."""
    listed = settled.gathered.listed_tags
    if listed is None:
        return settled
    with work.db.read() as tx:
        suspicious = tag_doubts.unlisted(tx, listed)
        if not suspicious:
            return settled
        going = plan_removals(
            tx,
            settled.questions,
            settled.answers,
            scope=settled.scope,
            previous=settled.known.previous,
            listed=whole.listed,
            max_removals=work.max_removals,
            allow_removals=allow_removals,
            answer_lies=settled.answer_lies,
        )
        used = tag_doubts.still_used(
            tx,
            suspicious,
            (source.load() for source in fetched.slices),
            settled.answers,
            [one.before.record.id for one in going.removals],
        )
    return replace(settled, gathered=replace(settled.gathered, used_tags=used))


def _look_for_hidden(
    work: Pulling, prepared: Prepared, whole: Overview, questions: Questions
) -> Hidden:
    """Look, once a day at most, at what this answer may leave out without a word."""
    status = prepared.gathered.project_status or {}
    pending = questions.pending | {id for id, word in status.items() if word == "pending"}
    suspicion = suspect(
        whole.untagged if prepared.known.tag_ids and "tags" not in questions.vanished else {},
        pending - whole.project_ids,
    )
    return find_hidden(work.client, suspicion, prepared.known.hidden, now=work.clock())


def _settle_fields(
    work: Pulling, prepared: Prepared, questions: Questions, whole: Overview
) -> tuple[Answers, tuple[str, ...]]:
    """Look at tasks themselves where fields are missing from the whole answer, or tags from one."""
    undecided, notes = _hidden_fields(work.client, questions)
    if "tags" in undecided:
        return Answers(undecided=undecided), notes
    tags, left = tag_doubts.settle_tags(
        work.db,
        work.client,
        questions.tags,
        tag_ids=prepared.known.tag_ids,
        shown=whole.stubs["tag"],
        listed=prepared.gathered.listed_tags,
    )
    if left:
        notes = (
            *notes,
            f"the tags of {len(left)} tasks are not in the answer; they are asked next",
        )
    return Answers(undecided=undecided, tags=tags, unsettled_tags=left), notes


def _hidden_fields(client: Client, questions: Questions) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the fields that tasks still have when asked themselves, though the list hides them."""
    hidden: list[str] = []
    nodes: dict[int, Mapping[str, object]] = {}
    for name, samples in sorted(questions.vanished.items()):
        nodes |= tasks_themselves(client, [id for id in samples if id not in nodes])
        if any(nodes.get(id, {}).get(WIRE_KEYS[name]) for id in samples):
            hidden.append(name)
    notes = tuple(
        f"{name} is missing from the whole answer, and tasks still have it: it was left as it was"
        for name in hidden
    )
    return frozenset(hidden), notes


def rejected_in_words(rejected: Collection[Rejected]) -> str:
    """Say how many records were set aside."""
    first = next(iter(rejected))
    return f"{len(rejected)} records could not be understood ({first.reason}); see quarantine"
