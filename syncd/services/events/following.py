"""Following the account's change feed: what it tells is stored, and what it names is read again.

The feed leaves things out and comes without ids (API sheet, section 7.1), so it only ever chooses
what to read. What it does not report, the next full pull settles.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from syncd.errors import NoMirror, SyncdError, TooManyRecords
from syncd.model.activity import EventsReport
from syncd.resources.activity import Feed, read_feed
from syncd.resources.answers import nodes_of
from syncd.services import memory
from syncd.services.events.choosing import Chosen, Heard, choose
from syncd.services.events.landing import Landed, land
from syncd.services.events.rereading import reread
from syncd.services.prepare import Pulling
from syncd.services.recording import log_end, record_failure
from syncd.store.runs import RunRow, next_run_id, record_run
from syncd.store.state import recall, remember
from syncd.sync.feed import is_gap, minutes_to_ask
from syncd.worksection.methods.projects import get_events, period_of

FOLLOWED = "followed_at"
"""As of when the feed was last followed; a run that failed does not move it."""
KIND = "events"
SCOPE = "account"


@dataclass(frozen=True, slots=True)
class Start:
    """What following starts from."""

    started: datetime
    asked: int
    followed_at: datetime | None
    known: memory.Memory


def follow(work: Pulling, *, hinted: Collection[int] = ()) -> EventsReport:
    """Read again the tasks that new events name, and those that a webhook has `hinted` at.

    Raises AccountError where the account could not be asked; then a failed run is on record, and
    the next one asks for all of the time since. Raises NoMirror before the first pull.
    """
    start = _begin(work)
    try:
        heard = _listen(work, start)
        with work.db.read() as tx:
            chosen = choose(tx, heard, hinted)
        found = reread(work, chosen.wanted, images=chosen.images, tag_ids=heard.tag_ids)
        with work.db.write() as tx:
            work.lease.verify(tx)
            run_id = next_run_id(tx)
            landed = land(work, tx, heard, found, run_id=run_id)
            report = _report(work, start, heard, chosen, landed, run_id)
            remember(tx, FOLLOWED, heard.observed_at.isoformat())
            _record(work, tx, start, report)
    except SyncdError as error:
        record_failure(work, KIND, SCOPE, start.started, error)
        raise
    log_end(KIND, report)
    return report


def followed_at(tx: Connection) -> datetime | None:
    """Return as of when the feed was last followed; `is_gap` tells what that means."""
    text = recall(tx, FOLLOWED)
    return datetime.fromisoformat(text) if text else None


def _begin(work: Pulling) -> Start:
    with work.db.read() as tx:
        known = memory.load(tx)
        last = followed_at(tx)
    if known.account is None:
        raise NoMirror("Nothing was pulled yet, so nothing can be followed.", hint="syncd pull")
    memory.check_account(known, work.client.base_url)
    return Start(work.clock(), work.client.budget.requests, last, known)


def _listen(work: Pulling, start: Start) -> Heard:
    """Ask for the events since the last time. Raises AccountError."""
    last, now = start.followed_at, start.started
    period = period_of(minutes_to_ask(last, now))
    left_s = work.client.budget.wait_s()
    work.progress.step(f"events of {period}", done=0, total=1, left_s=left_s)
    try:
        answer = work.client.call(get_events(period))
    except TooManyRecords:  # more than can be told: as if it were out of the feed's reach
        return Heard(Feed(), now, period, last, gap=True, tag_ids={})
    feed = read_feed(nodes_of(answer.raw, "events"))
    gap = is_gap(last, now)
    return Heard(feed, answer.observed_at, period, last, gap, start.known.tag_ids)


def _report(
    work: Pulling, start: Start, heard: Heard, chosen: Chosen, landed: Landed, run_id: int
) -> EventsReport:
    notes = tuple(_notes(heard, chosen, landed))
    return EventsReport(
        outcome="partial" if notes else "complete",
        run_id=run_id,
        observed_at=heard.observed_at,
        period=heard.period,
        gap=heard.gap,
        wants_pull=heard.gap or bool(chosen.too_many or landed.left),
        counts=landed.counts,
        requests=work.client.budget.requests - start.asked,
        seconds=(work.clock() - start.started).total_seconds(),
        notes=notes,
    )


def _notes(heard: Heard, chosen: Chosen, landed: Landed) -> list[str]:
    """Say what was left out; a pull settles it."""
    notes = []
    if heard.gap:
        notes.append("the feed does not reach back to the last time: a full pull is due")
    if heard.feed.malformed:
        notes.append(f"{heard.feed.malformed} events could not be understood")
    if chosen.too_many:
        notes.append(f"{chosen.too_many} tasks changed, too many to ask for: a full pull is due")
    masked = chosen.in_flight + landed.counts.get("in_flight", 0)
    if masked:
        notes.append(f"{masked} tasks have a change in flight: they were left as they were")
    notes += [f"task {id} is left to a full pull: {why}" for id, why in landed.left.items()]
    return notes


def _record(work: Pulling, tx: Connection, start: Start, report: EventsReport) -> None:
    """Write the run's row. It observes nothing: only a pull says as of when the mirror is so."""
    counts = {**report.counts, "requests": report.requests}
    detail = {"period": report.period, "gap": report.gap, "notes": list(report.notes)}
    row = RunRow(
        kind=KIND,
        scope=SCOPE,
        started_at=start.started,
        finished_at=work.clock(),
        outcome=report.outcome,
        counts=counts,
        detail=detail,
    )
    record_run(tx, report.run_id, row)
