from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from syncd.store.engine import Database, open_database
from syncd.store.upgrade import upgrade


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database with our schema, on each of the two engines."""
    database = open_database(database_url)
    upgrade(database, now=datetime(2026, 1, 5, tzinfo=UTC))
    yield database
    database.close()
