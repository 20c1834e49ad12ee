"""How far back the change feed is asked, and which tasks its events say nothing new about. Pure.

The feed is a hint: it has no ids, minutes for stamps, and leaves things out (API sheet, 7.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from syncd.model.activity import Told
from syncd.model.records import TaskRecord

LONGEST: Final = timedelta(days=30)
"""The feed tells of nothing older."""
OVERLAP: Final = 3
MINUTE: Final = timedelta(minutes=1)


def is_gap(followed_at: datetime | None, now: datetime) -> bool:
    """Tell whether something may have happened since that the feed does not show any more."""
    return followed_at is None or abs(now - followed_at) > LONGEST


def minutes_to_ask(followed_at: datetime | None, now: datetime) -> int:
    """Return how many minutes to ask for: three times as long as was not listened.

    Windows overlap so that an event which the account shows late is not missed. A clock that was
    set back says as little about the time that went by as one that was set forward.
    """
    since = LONGEST if followed_at is None else abs(now - followed_at)
    return int(min(since * OVERLAP, LONGEST) / MINUTE) + 2


def may_return(seen_at: datetime, followed_at: datetime | None) -> bool:
    """Tell whether an event was told while its minute may still have been under way.

    The same edit made again in that minute is the same event, so it has to be looked at once more.
    """
    return followed_at is not None and seen_at + MINUTE > followed_at


def is_news(
    fresh: Sequence[Told], again: Sequence[Told], all_told: Iterable[Told], known: TaskRecord
) -> bool:
    """Tell whether the mirror may lack what the feed tells of a task; in doubt it does.

    Whatever the `fresh` events and those to be considered `again` have set is compared: if the
    last value told of each is the mirror's, they are echoes, of our own edits or of a pull's.
    """
    if any(each.doubtful for each in fresh):
        return True
    columns = {column for each in (*fresh, *again) for column in each.values}
    last = _last_told(all_told)
    return any(
        value != getattr(known, column) for column in columns for value in last.get(column, ())
    )


def _last_told(every: Iterable[Told]) -> dict[str, list[Any]]:
    """Return for each column the values of its last minute: in a minute there is no order."""
    minutes: dict[str, datetime] = {}
    values: dict[str, list[Any]] = {}
    for each in sorted(every, key=lambda one: one.at):
        for column, value in each.values.items():
            if minutes.get(column) != each.at:
                minutes[column], values[column] = each.at, []
            values[column].append(value)
    return values
