"""Indexes of tables that are filled at once: built when the rows are there, in one pass each.

SQLite only. A server would have to lock the tables against everybody who reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Table, bindparam, text

_MADE = text(
    "SELECT name, sql FROM sqlite_master"
    " WHERE type = 'index' AND tbl_name IN :tables AND sql IS NOT NULL ORDER BY name"
).bindparams(bindparam("tables", expanding=True))


@contextmanager
def built_after(tx: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Take the indexes of these tables away, and build them again at the end.

    All in the caller's transaction: nobody else sees the tables without them, and a failure leaves
    them as they were.
    """
    made = tx.execute(_MADE, {"tables": [table.name for table in tables]}).all()
    for name, _ in made:
        tx.exec_driver_sql(f"DROP INDEX {tx.dialect.identifier_preparer.quote(name)}")
    yield
    for _, sql in made:
        tx.exec_driver_sql(sql)
