"""What past images and those after them differ in, found out by comparing all fields of each pair.

So task_changes did it up to migration 0009, whose text is run here; now the pull writes it down.
"""

from __future__ import annotations

from typing import Any

from syncd import shipped
from syncd.store.report import SEPARATOR
from tests.support.mirror import connected, fetched

_VIEW = "VIEW task_changes ("


def assert_told_is_compared(url: str) -> int:
    """The view says what a comparison finds, and asks the feed for its authors; how many."""
    with connected(url) as own:
        if not url.startswith("sqlite"):
            own.execute("SET LOCAL jit = off")  # the old view was compiled for seconds
        own.execute(_comparing(url))
        found = fetched(own, "SELECT * FROM compared")
        told = fetched(own, "SELECT * FROM task_changes")
        own.rollback()
    assert _sorted(found) == _sorted(told)
    return len(found)


def _comparing(url: str) -> str:
    dialect = "sqlite" if url.startswith("sqlite") else "postgresql"
    text = (shipped.path("migrations") / "sql" / f"0009.{dialect}.sql").read_text(encoding="utf-8")
    (made,) = (one.strip() for one in text.split(SEPARATOR) if _VIEW in one.strip()[:60])
    return "CREATE TEMPORARY VIEW compared (" + made.partition(_VIEW)[2]


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(row) for row in rows)
