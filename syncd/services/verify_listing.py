"""A verification's listing: what pulls read, fetched anew, beside what the mirror made of it.

A content hash in it that equals a row's own says that the row should show that record: the mirror
had its chance. So one request tells drift from lag, and can compare every task of an account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from syncd.errors import Refused, TooManyRecords
from syncd.model.drift import GONE, WHOLE, Difference
from syncd.model.listing import Slice
from syncd.resources.projects import live_ids
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.tree import read_listing
from syncd.services.fetch import Fetching, as_listing, digest, fetch_account
from syncd.services.memory import digest_of
from syncd.services.verify_looks import Checking
from syncd.sync.drift import Listed, differences, gone, missing
from syncd.worksection.methods.tasks import get_tasks

Doubts = dict[int, tuple[Difference, ...]]


@dataclass(slots=True)
class Evidence:
    """What a listing shows: hashes of the tasks in doubt, and the doubts it raises by itself."""

    same: bool = False
    hashes: dict[int, bytes] = field(default_factory=dict)
    doubts: Doubts = field(default_factory=dict)

    def of(self, id: int) -> Listed:
        """Return what the listing says of one task."""
        return Listed(self.same, self.hashes.get(id))


def ask_listing(check: Checking, doubtful: Collection[int], *, every: bool) -> Evidence:
    """Fetch what pulls read, for the tasks in doubt; `every` compares all of it with the mirror.

    Costs one request, or one for each project of an account over the record limit.
    """
    evidence = Evidence()
    for part in _parts(check, evidence, _projects(check, doubtful, every=every), every=every):
        if every:
            _compare_all(check, part, evidence)
        wanted = {*doubtful, *evidence.doubts}
        evidence.hashes |= {id: part.hashes[id] for id in wanted if id in part.hashes}
    return evidence


def _projects(check: Checking, doubtful: Collection[int], *, every: bool) -> list[int]:
    if not every:
        return sorted({image.record.project_id for image in check.images(doubtful).values()})
    with check.work.db.read() as tx:
        return sorted({*live_ids(tx), *mirror.count_live(tx)})


def _parts(
    check: Checking, evidence: Evidence, projects: Collection[int], *, every: bool
) -> Iterator[Slice]:
    work, known = check.work, check.known
    fetching = Fetching(work.client, check.scope, known.tag_ids, work.progress)
    if known.over_limit_at is None:
        work.progress.step("all tasks", done=0, total=1, left_s=work.client.budget.wait_s())
        try:
            answer = fetch_account(fetching)
        except TooManyRecords:
            pass
        else:
            evidence.same = known.digest == digest_of(check.scope, digest(answer))
            yield as_listing(fetching, answer).slices[0].load()
            return
    yield from _by_project(check, fetching, projects, every=every)


def _by_project(
    check: Checking, fetching: Fetching, projects: Collection[int], *, every: bool
) -> Iterator[Slice]:
    extra = tuple(word for word in fetching.extra if word != "archive")
    budget = check.work.client.budget
    for done, id in enumerate(projects):
        left = len(projects) - done
        if not check.may_go_on(f"{left} projects were not listed"):
            return
        left_s = budget.estimate_s(left)
        check.work.progress.step(f"project {id}", done=done, total=len(projects), left_s=left_s)
        try:
            answer = check.work.client.call(get_tasks(id, extra=extra))
        except Refused as error:
            if every:
                check.notes.append(f"project {id} could not be listed: {error.said}")
            continue
        yield read_listing(
            answer.data,
            asked=frozenset(check.scope.extra),
            observed_at=answer.observed_at,
            project_id=id,
            tag_ids=check.known.tag_ids,
        )


def _compare_all(check: Checking, part: Slice, evidence: Evidence) -> None:
    """Compare a whole slice with the mirror: what differs, what is missing on either side."""
    check.counts["listed"] += len(part.tasks)
    with check.work.db.read() as tx:
        index = mirror.load_index(tx, project_id=part.project_id, ids=part.tasks.keys())
    unread = {one.id for one in part.rejected}
    for id in sorted(index.live - part.tasks.keys() - unread):
        evidence.doubts.setdefault(id, (gone(id),))
    images = check.images([id for id in part.tasks if id in index])
    for id, record in part.tasks.items():
        image = images.get(id)
        undecided = check.scope.undecided
        found = differences(record, image, undecided) if image else (missing(id),)
        if found:
            evidence.doubts[id] = found
        elif _is_gone(evidence.doubts.get(id, ())):
            del evidence.doubts[id]  # it has moved to this project, and the mirror knows


def _is_gone(doubts: tuple[Difference, ...]) -> bool:
    return any(one.field == WHOLE and one.theirs == GONE for one in doubts)
