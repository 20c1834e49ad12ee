"""`live_tasks`: the mirror with the pending changes laid over it, and the one gate into the outbox.

Beside it `live_conflicts`, where SQL resolves a conflict.

Both and their triggers are SQL, generated here for both dialects from one list of rules and one
list of texts. What a database holds comes from the frozen copies in `migrations/sql`; a test keeps
the newest copy equal to what is generated, so a change here needs a migration with a copy of its
own. Such a migration must not take the view away from those who use it: on PostgreSQL it runs the
same text with CREATE OR REPLACE (VIEW and FUNCTION), which keeps grants and dependent views and
allows new columns at the end alone; SQLite has neither grants nor dependants by reference, there
the view is dropped and made again together with its INSTEAD OF triggers, which go with it.
"""

from __future__ import annotations

from syncd.store.live.columns import live_tasks
from syncd.store.live.conflicts import live_conflicts
from syncd.store.live.conflicts_postgresql import conflicts_on_postgresql
from syncd.store.live.conflicts_sqlite import conflicts_on_sqlite
from syncd.store.live.guards import guards_on_postgresql, guards_on_sqlite
from syncd.store.live.postgresql import triggers_on_postgresql
from syncd.store.live.postgresql_view import view_on_postgresql
from syncd.store.live.sqlite import triggers_on_sqlite
from syncd.store.live.sqlite_view import view_on_sqlite

SEPARATOR = "\n--;;\n"
"""Stands between the statements of a frozen copy: a trigger's body has semicolons of its own."""

__all__ = ["SEPARATOR", "live_conflicts", "live_tasks", "statements"]


def statements(dialect: str) -> list[str]:
    """Return everything that makes the gate on this dialect, in order."""
    if dialect == "sqlite":
        gate = [*guards_on_sqlite(), view_on_sqlite(), *triggers_on_sqlite()]
        return [*gate, *conflicts_on_sqlite()]
    gate = [*guards_on_postgresql(), view_on_postgresql(), *triggers_on_postgresql()]
    return [*gate, *conflicts_on_postgresql()]
