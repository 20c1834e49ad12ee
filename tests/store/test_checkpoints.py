"""Slices of a pull by projects, kept until they are applied."""

from __future__ import annotations

from datetime import UTC, datetime

from psycopg.pq import Format
from sqlalchemy import event

from syncd.store import checkpoints
from syncd.store.checkpoints import Checkpoint, Part
from syncd.store.engine import open_database

SLICE = Checkpoint(7, datetime(2026, 2, 1, tzinfo=UTC), (Part("all", b"[1]" * 99),), "short")


def test_a_server_sends_slices_in_binary(ready_postgres_url):
    db = open_database(ready_postgres_url)
    with db.write() as tx:
        checkpoints.keep(db, tx, "all", [SLICE])
    forms = []
    event.listen(
        db.engine,
        "after_cursor_execute",
        lambda *had: forms.append(had[1].pgresult.fformat(had[1].pgresult.nfields - 1)),
    )
    with db.read() as tx:
        stored = checkpoints.load(tx, [7])
    assert [Format.BINARY] == forms
    assert checkpoints.opened(stored[7]) == SLICE
    db.close()
