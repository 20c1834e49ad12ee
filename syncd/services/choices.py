"""Applying what people have chosen by SQL, through the rules of `queue resolve`.

The gate only records a choice, because settling a change is more than SQL should know. A conflict
is resolved once every field in question has its choice; until then the choices wait with it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from syncd.services.hand import Hand, named
from syncd.services.resolve import Choice, Winner, resolve_edit
from syncd.services.sides import Dispute, disputes
from syncd.store.audit import known_actor
from syncd.store.choices import any_choices, chosen_of, forget_settled, tasks_chosen
from syncd.store.engine import Database
from syncd.store.outbox import acting


def apply_choices(db: Database, *, at: datetime) -> tuple[int, ...]:
    """Resolve the conflicts that were decided by SQL; return the changes that were in them.

    The chooser acts. A choice about what is not in conflict any more is forgotten.
    """
    with db.read() as tx:
        if not any_choices(tx):
            return ()
        tasks = tasks_chosen(tx)
    resolved: list[int] = []
    for task in tasks:  # one transaction each: whoever appends to the audit log holds it to the end
        with db.write() as tx:
            resolved += _apply(db, tx, task, at)
    with db.write() as tx:
        forget_settled(tx)
    return tuple(resolved)


def _apply(db: Database, tx: Connection, task: int, at: datetime) -> tuple[int, ...]:
    dispute = disputes(tx, [task], lock=True).get(task)
    choice = _chosen(tx, dispute) if dispute is not None else None
    if dispute is None or choice is None:
        return ()
    actor = list(choice.by.values())[-1]
    with acting(db, tx, actor):
        (row,) = named(tx, [dispute.changes[0].id])
        handled = resolve_edit(Hand(tx, actor, at), row, choice)
    return tuple(change.id for change in handled.changes)


def _chosen(tx: Connection, dispute: Dispute) -> Choice | None:
    """Return the choice where it is whole: one for each field in question of each change."""
    contested = dispute.contested
    open_ = {
        (change.id, name) for change in dispute.changes for name in contested & set(change.patch)
    }
    winners: dict[str, Winner] = {}
    by: dict[str, str] = {}
    for chosen in chosen_of(tx, [change.id for change in dispute.changes]):
        if (chosen.change_id, chosen.field) in open_:
            open_.remove((chosen.change_id, chosen.field))
            winners[chosen.field] = chosen.keep
            by.pop(chosen.field, None)  # who chose last comes last, and acts
            by[chosen.field] = known_actor(chosen.by)
    return Choice(fields=winners, by=by) if winners and not open_ else None
