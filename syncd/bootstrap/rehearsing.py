"""A dry run's pull: nothing is written, and where there is no mirror an empty one stands in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from syncd.bootstrap.pace import take_over
from syncd.bootstrap.waiting import taken
from syncd.errors import NoMirror
from syncd.services.actor import local_actor
from syncd.store import lease, moved, upgrade
from syncd.store.engine import open_database

if TYPE_CHECKING:
    from syncd.bootstrap.app import App
    from syncd.services.prepare import Pulling
    from syncd.services.progress import Progress


@contextmanager
def rehearsing(app: App, progress: Progress, *, wait: bool = False) -> Iterator[Pulling]:
    """Hold the lease without writing its row, and open the account."""
    try:
        app.ready(write=False)
    except NoMirror:
        with _stand_in(app) as empty, empty.pulling(progress) as work:
            yield work
        return
    hold = partial(lease.hold_unwritten, app.db, check=moved.refuse_if_moved)
    unwritten = taken(app, hold, wait=wait)
    with unwritten as held, app.client() as client:
        take_over(client, held, app.clock())
        yield app.pulling_with(held, client, progress, local_actor())
        app.sleep(client.budget.wait_s())  # no row tells the next holder when we asked


@contextmanager
def _stand_in(app: App) -> Iterator[App]:
    with TemporaryDirectory(prefix="syncd-") as folder:
        db = open_database(f"sqlite:///{folder}/empty.db")
        try:
            upgrade.upgrade(db, now=app.clock())
            yield replace(app, db=db)
        finally:
            db.close()
