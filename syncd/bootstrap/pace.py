"""The pace at the account, handed from one holder of the lease to the next in the lease's row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncd.store import lease

if TYPE_CHECKING:
    from syncd.bootstrap.app import App
    from syncd.worksection.client import Client


@contextmanager
def pace_kept(app: App, held: lease.Lease, client: Client) -> Iterator[None]:
    """Go on at the pace that the last holder has left, and leave one behind at the end."""
    take_over(client, held, app.clock())
    try:
        yield
    finally:
        lease.note_pace(app.db, held, _left_behind(app, held, client))


@contextmanager
def one_turn(app: App, held: lease.Lease) -> Iterator[Client]:
    """Open the account, and at the end leave the pace behind with the lease: by one write."""
    pace: lease.Pace | None = None
    try:
        with app.client(held) as client:
            take_over(client, held, app.clock())
            try:
                yield client
            finally:
                pace = _left_behind(app, held, client)
    finally:
        lease.give_back(app.db, held, pace)


def take_over(client: Client, held: lease.Lease, now: datetime) -> None:
    """Let the account alone for as long as the last holder would have."""
    spacing = timedelta(seconds=client.budget.spacing_s)
    client.budget.not_before(_left_of(spacing, held, now))


def _left_behind(app: App, held: lease.Lease, client: Client) -> lease.Pace:
    now = app.clock()
    wait = timedelta(seconds=client.budget.wait_s())
    asked = now if client.budget.requests else held.last_request_at
    rest = now + wait if wait.total_seconds() > client.budget.spacing_s else None
    return lease.Pace(asked, rest)


def _left_of(spacing: timedelta, held: lease.Lease, now: datetime) -> float:
    """Return the seconds until the account may be asked again, whoever asked it last.

    A holder that died did not leave a time behind, so a whole spacing is waited then. What the
    account itself asked for is waited for as long as a budget ever holds back.
    """
    last = held.last_request_at if held.clean else now
    left = timedelta() if last is None else min(max(last + spacing - now, timedelta()), spacing)
    asked = timedelta() if held.resume_at is None else held.resume_at - now
    return max(left, asked, _left_by_the_server(spacing, held)).total_seconds()


def _left_by_the_server(spacing: timedelta, held: lease.Lease) -> timedelta:
    """Return what is left where the clock of the last holder's host does not agree with ours."""
    if held.idle_s is None or held.last_request_at is None:
        return timedelta()
    return spacing - timedelta(seconds=held.idle_s)
