"""Which tasks the feed's events and a webhook's hints make us read again: as few as are needed.

What is told already, what cannot be written now, and the echoes of our own edits are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from syncd.model.activity import Activity, Told
from syncd.model.plan import Image
from syncd.model.records import RemovedReason
from syncd.resources.activity import Feed, told
from syncd.resources.tasks import images as mirror
from syncd.resources.tasks.wire import TagIds
from syncd.services.events.rereading import FEW, MOST_REQUESTS, Wanted
from syncd.store import activity, outbox
from syncd.sync.feed import is_news, may_return

RETURNING: Final[frozenset[RemovedReason]] = frozenset({"deleted", "unknown"})
"""What a task's own answer refutes. Other removals are about its project, our rights or the
configuration, and would come back with every pull."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the account told of the last `period`, and when the feed was followed last."""

    feed: Feed
    observed_at: datetime
    period: str
    followed_at: datetime | None
    gap: bool
    tag_ids: TagIds


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tasks to read, and how many a change in flight or their number keeps from it."""

    wanted: Wanted = field(default_factory=lambda: Wanted({}, {}))
    images: Mapping[int, Image] = field(default_factory=dict)
    in_flight: int = 0
    too_many: int = 0


@dataclass(slots=True)
class _Named:
    """The events that name one task: new ones, those to consider again, and all of them."""

    fresh: list[Activity] = field(default_factory=list)
    again: list[Activity] = field(default_factory=list)
    every: list[Activity] = field(default_factory=list)


def choose(tx: Connection, heard: Heard, hinted: Collection[int]) -> Chosen:
    """Decide what to read. After a gap nothing: the pull that has to come tells everything."""
    if heard.gap:
        return Chosen()
    named = _by_task(tx, heard)
    about = {id: each for id, each in named.items() if each.fresh or each.again or id in hinted}
    about |= {id: _Named() for id in hinted if id not in named}
    images = mirror.load_images(tx, about.keys()) if about else {}
    flying = outbox.in_flight(tx).tasks
    news = {
        id: _project(each, images.get(id))
        for id, each in sorted(about.items())
        if _is_wanted(each, images.get(id), heard.tag_ids)
    }
    going = {id: project_id for id, project_id in news.items() if id not in flying}
    masked = len(news) - len(going)
    wanted = Wanted(going, mirror.count_live(tx) if len(going) > FEW else {})
    if wanted.requests > MOST_REQUESTS:
        return Chosen(in_flight=masked, too_many=len(going))
    return Chosen(wanted, images, masked)


def _by_task(tx: Connection, heard: Heard) -> dict[int, _Named]:
    seen = activity.when_seen(tx, (each.fingerprint for each in heard.feed.events))
    found: dict[int, _Named] = {}
    for each in heard.feed.events:
        if each.task_id is None:
            continue
        named = found.setdefault(each.task_id, _Named())
        named.every.append(each)
        before = seen.get(each.fingerprint)
        if before is None:
            named.fresh.append(each)
        elif may_return(before, heard.followed_at):
            named.again.append(each)
    return found


def _is_wanted(named: _Named, image: Image | None, tag_ids: TagIds) -> bool:
    if image is None or image.removed_at is not None:
        return _may_be_there(named, image)
    if not (named.fresh or named.again):
        return True  # a hint of what the feed does not tell, or not yet
    fresh, again, every = (
        _told(events, tag_ids) for events in (named.fresh, named.again, named.every)
    )
    return is_news(fresh, again, every, image.record)


def _may_be_there(named: _Named, image: Image | None) -> bool:
    """Tell whether a task that the mirror does not have, or not any more, may be in the account."""
    if image is not None and image.removed_reason not in RETURNING:
        return False
    if not named.every:
        return image is None  # hinted alone
    return any(each.action != "delete" for each in named.fresh)


def _told(events: Sequence[Activity], tag_ids: TagIds) -> list[Told]:
    return [told(each.action, each.entity, each.date_added, each.new, tag_ids) for each in events]


def _project(named: _Named, image: Image | None) -> int | None:
    if image is not None:
        return image.record.project_id
    return next((each.project_id for each in reversed(named.every) if each.project_id), None)
