"""The marks of a move in the database itself, and the old file's refusal to take changes."""

from __future__ import annotations

from sqlalchemy import Connection, text

from syncd.store.engine import Database
from syncd.store.marks import ARRIVING, LEFT, Mark, read_mark, refusal
from syncd.store.state import recall, recall_all, remember

_GATES = ("outbox", "outbox_choices")
_VERBS = ("INSERT", "UPDATE")


def refuse_moved(db: Database) -> None:
    """Raise DatabaseUnusable for a database that was moved away, or is not complete yet."""
    with db.read() as tx:
        refuse_if_moved(db, tx)


def refuse_if_moved(db: Database, tx: Connection) -> None:
    """As `refuse_moved`, in a transaction that is open already."""
    why = refusal(db.label, recall_all(tx, (LEFT, ARRIVING)))
    if why is not None:
        raise why


def left(tx: Connection) -> Mark | None:
    """Return where this database was moved to, if it was."""
    return read_mark(recall(tx, LEFT))


def arriving(tx: Connection) -> Mark | None:
    """Return the move into this database that has not come to its end, if there is one."""
    return read_mark(recall(tx, ARRIVING))


def leave(tx: Connection, mark: Mark) -> None:
    """Mark a SQLite file as moved away.

    Whoever still has its path would queue changes that nobody sends: the file refuses them.
    """
    remember(tx, LEFT, mark.document)
    said = f"this mirror was moved to {mark.other}; queue there".replace("'", "''")
    for name, verb, table in _triggers():
        body = f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
        tx.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {body}")


def come_back(tx: Connection) -> None:
    """Take back what `leave` did."""
    remember(tx, LEFT, None)
    for name, _, _ in _triggers():
        tx.execute(text(f"DROP TRIGGER {name}"))


def arrive(tx: Connection, mark: Mark | None) -> None:
    """Mark a database as not complete yet; None: it is complete."""
    remember(tx, ARRIVING, mark.document if mark is not None else None)


def _triggers() -> list[tuple[str, str, str]]:
    return [(f"moved_{table}_{verb.lower()}", verb, table) for table in _GATES for verb in _VERBS]
