"""What the tests of queueing share: the small mirror of the gate's tests, on both databases."""

from __future__ import annotations

from tests.live.conftest import (
    gate,
    pg_gate,
    prepared_postgres,
    prepared_sqlite,
    shut_gate,
    shut_pg_gate,
    shut_sqlite_gate,
    sqlite_gate,
)

__all__ = [
    "gate",
    "pg_gate",
    "prepared_postgres",
    "prepared_sqlite",
    "shut_gate",
    "shut_pg_gate",
    "shut_sqlite_gate",
    "sqlite_gate",
]
