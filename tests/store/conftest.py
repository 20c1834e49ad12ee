from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncd.store.engine import Database, open_database


@pytest.fixture
def db(ready_database_url: str) -> Iterator[Database]:
    """A database with our schema, on each of the two engines."""
    database = open_database(ready_database_url)
    yield database
    database.close()
