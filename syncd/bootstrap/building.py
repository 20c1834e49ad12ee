"""The application made of its settings: the real clock, sleep and random, and the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from syncd.bootstrap.app import App
from syncd.errors import DatabaseUnusable
from syncd.settings import Settings
from syncd.store.engine import open_database

if TYPE_CHECKING:
    from syncd.worksection.client import Client


def utc_now() -> datetime:
    """Return this machine's clock."""
    return datetime.now(UTC)


def build(settings: Settings) -> App:
    """Build the application. Raises DatabaseUnusable where the database's address cannot be one."""
    return App(
        settings=settings,
        db=open_database(settings.database_url, schema=settings.database.schema),
        clock=utc_now,
        sleep=time.sleep,
        rng=_random(),
    )


@contextmanager
def asking_for(settings: Settings, *, wait: bool = False) -> Iterator[Client]:
    """Open the account as `App.asking` does, also where there can be no database at all."""
    from syncd.services.opening import open_client

    try:
        app = build(settings)
    except DatabaseUnusable:
        with open_client(settings, clock=utc_now, sleep=time.sleep, rng=_random()) as client:
            yield client
        return
    with closing(app.db), app.asking(wait=wait) as client:
        yield client


def _random() -> Random:
    return Random()  # noqa: S311 - it spreads retries, it guards nothing
