"""Verify: a sample of the mirror, or all of it, compared with the account field by field.

Costs a request for each task of the sample, one listing where something differs, and a second look
at what seems to be drift. Writes nothing into the mirror unless told to repair: the run's row holds
what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from sqlalchemy import Connection, select

from syncd.errors import NoMirror, SyncdError
from syncd.model.drift import GONE, WHOLE, Flaw, Found, VerifyReport
from syncd.model.listing import Scope
from syncd.services import memory, sampling, soundness
from syncd.services.prepare import Pulling
from syncd.services.push.looking import Eyes
from syncd.services.push.outgoing import load_names
from syncd.services.recording import record_failure
from syncd.services.verify_listing import Evidence, ask_listing
from syncd.services.verify_looks import Checking, Doubts, compare, confirm, look_at
from syncd.services.verify_record import KIND, SCOPE, read_found, record
from syncd.store.outbox import outbox
from syncd.store.runs import last_run
from syncd.sync.drift import judge, mark

_MOVING: Final = ("sending", "uncertain", "applied")
"""States of a change whose task may show it already, or not yet."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the verification before this one found, and which of it a pull has left so since."""

    found: tuple[Found, ...] = ()
    marks: frozenset[str] = frozenset()

    @property
    def task_ids(self) -> tuple[int, ...]:
        """The tasks that are looked at again, whatever the sample is."""
        return tuple(dict.fromkeys(one.difference.task_id for one in self.found))

    def besides(self, looked_at: Container[int]) -> tuple[Found, ...]:
        """Return what still stands because nobody could look at it now."""
        return tuple(one for one in self.found if one.difference.task_id not in looked_at)

    def drifted(self, one: Found) -> bool:
        """Tell whether this was drift already."""
        return any(one.mark == other.mark and other.verdict == "drift" for other in self.found)


@dataclass(frozen=True, slots=True)
class _Start:
    check: Checking
    earlier: _Earlier
    sample: tuple[int, ...]
    flaws: tuple[Flaw, ...]


def verify(
    work: Pulling,
    *,
    sample: int,
    rng: Random,
    every: bool = False,
    repair: bool = False,
    go_on: Callable[[], bool] = lambda: True,
) -> VerifyReport:
    """Compare a sample of the live tasks, and with `every` all tasks, with the account.

    `go_on` is asked before each request of many. `repair` lets the next pull compare what drifted
    anew. Raises AccountError where the account could not be asked, NoMirror before the first pull,
    LeaseLost and StorageFailed; a failed run is on record for all but the last three.
    """
    started, asked = work.clock(), work.client.budget.requests
    try:
        start = _begin(work, sample=sample, rng=rng, go_on=go_on)
        found = _check(start, every=every)
    except SyncdError as error:
        record_failure(work, KIND, SCOPE, started, error)
        raise
    requests = work.client.budget.requests - asked
    return record(
        start.check, found, start.flaws, started=started, requests=requests, repair=repair
    )


def last_drift(tx: Connection) -> int | None:
    """Return how many tasks the newest verification found adrift; None before the first."""
    run = last_run(tx, KIND, "complete", "partial")
    return None if run is None else int(run.counts.get("differing", 0))


def _begin(work: Pulling, *, sample: int, rng: Random, go_on: Callable[[], bool]) -> _Start:
    with work.db.read() as tx:
        known = memory.load(tx)
        if known.account is None:
            raise NoMirror("Nothing was pulled yet, so nothing can be compared.", hint="syncd pull")
        memory.check_account(known, work.client.base_url)
        eyes = Eyes(work.client, work.clock, work.extra, load_names(tx), known.tag_ids)
        scope = Scope(work.archived, work.extra, known.rights)
        check = Checking(work, known, scope, eyes, _in_flight(tx), go_on)
        earlier = _earlier(tx)
        chosen = dict.fromkeys((*earlier.task_ids, *sampling.draw(tx, sample, rng)))
        return _Start(check, earlier, tuple(chosen), soundness.flaws(tx))


def _in_flight(tx: Connection) -> frozenset[int]:
    moving = select(outbox.c.task_id).where(outbox.c.state.in_(_MOVING))
    return frozenset(id for id in tx.scalars(moving) if id is not None)


def _earlier(tx: Connection) -> _Earlier:
    before = last_run(tx, KIND, "complete", "partial")
    if before is None:
        return _Earlier()
    found = read_found(before.detail)
    pulled = last_run(tx, "pull", "complete")
    since = pulled is not None and pulled.started_at > before.finished_at
    return _Earlier(found, frozenset(one.mark for one in found) if since else frozenset())


def _check(start: _Start, *, every: bool) -> tuple[Found, ...]:
    check = start.check
    chosen = [id for id in start.sample if id not in check.in_flight]
    left_out = check.in_flight if every else check.in_flight & set(start.sample)
    check.counts["in_flight"] = len(left_out)
    sights = look_at(check, chosen, "tasks, one by one")
    check.counts["sampled"] = len(sights)
    if check.trouble is not None and not sights:
        raise check.trouble  # not one answer made sense: it is the account, not a task
    found = _judged(start, compare(check, sights), every=every)
    return (*found, *start.earlier.besides({*sights, *_ids(found)}))


def _ids(found: Iterable[Found]) -> set[int]:
    return {one.difference.task_id for one in found}


def _judged(start: _Start, doubts: Doubts, *, every: bool) -> tuple[Found, ...]:
    """Tell drift from lag, and look once more at what seems to be drift."""
    check = start.check
    evidence = Evidence()
    if (doubts or every) and check.may_go_on("what differs was not judged"):
        evidence = ask_listing(check, doubts.keys(), every=every)
    listed = {id: each for id, each in evidence.doubts.items() if id not in check.in_flight}
    found = _verdicts(start, {**listed, **doubts}, evidence)
    seeming = [one for one in found if one.verdict == "drift"]
    drift = confirm(check, seeming)
    lag = [one for one in found if one.verdict == "lag"]
    if check.stopped:  # nobody has looked again: what is new is looked at by the next one
        open_still = [one for one in seeming if one not in drift]
        drift += tuple(one for one in open_still if start.earlier.drifted(one))
        lag += [replace(one, verdict="lag") for one in open_still if one not in drift]
    return (*drift, *lag)


def _verdicts(start: _Start, doubts: Doubts, evidence: Evidence) -> list[Found]:
    check, images = start.check, start.check.images(doubts.keys())
    found = []
    for one in (one for each in doubts.values() for one in each):
        id, listed = one.task_id, evidence.of(one.task_id)
        if one.field == WHOLE and one.theirs == GONE and listed.content_hash is not None:
            check.counts["unreadable"] += 1
            check.notes.append(f"task {id} is listed, and the account denies it when asked")
            continue
        stood = mark(one) in start.earlier.marks
        verdict = judge(images.get(id), listed, stood_before=stood)
        found.append(_kept(start, Found(one, verdict, mark(one))))
    return found


def _kept(start: _Start, one: Found) -> Found:
    """Return what was found; a verification that was told to stop takes back no drift."""
    keep = start.check.stopped and start.earlier.drifted(one)
    return replace(one, verdict="drift") if keep else one
