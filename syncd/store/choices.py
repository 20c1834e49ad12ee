"""What people have chosen about conflicts by SQL, until a push applies it.

Written by the trigger of `live_conflicts` alone. A choice is about the value that its author saw:
it lapses while the account shows another one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import (
    Column,
    Connection,
    PrimaryKeyConstraint,
    Table,
    Text,
    delete,
    exists,
    select,
    text,
)

from syncd.store.live import live_conflicts
from syncd.store.mirror import drop_links
from syncd.store.outbox import UNSETTLED, outbox
from syncd.store.schema import metadata, one_of
from syncd.store.types import Id, Instant

outbox_choices = Table(
    "outbox_choices",
    metadata,
    Column("change_id", Id, nullable=False, comment="the change in conflict, outbox.id"),
    Column("field", Text, nullable=False, comment="the field, a column of live_tasks"),
    Column("keep", Text, nullable=False, comment="whose value stands: mine or theirs"),
    Column("theirs", Text, comment="what the account showed then; the choice is about this value"),
    Column("chosen_at", Instant, nullable=False, comment="when it was chosen, UTC"),
    Column("chosen_by", Text, nullable=False, comment="who chose it: sql:USER"),
    PrimaryKeyConstraint("change_id", "field"),
    one_of("keep", "mine", "theirs"),
    comment="Choices about conflicts, made through live_conflicts; the next push applies them.",
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whose value of one field of one change stands, and who says so."""

    change_id: int
    field: str
    keep: Literal["mine", "theirs"]
    by: str


def any_choices(tx: Connection) -> bool:
    """Tell whether somebody has chosen something that is not applied yet."""
    return bool(tx.scalar(select(exists(select(outbox_choices)))))


def tasks_chosen(tx: Connection) -> tuple[int, ...]:
    """Return the tasks that choices are about, in order."""
    chosen = select(outbox_choices.c.change_id)
    query = select(outbox.c.task_id).where(text(UNSETTLED), outbox.c.id.in_(chosen)).distinct()
    return tuple(tx.scalars(query.order_by(outbox.c.task_id)))


def chosen_of(tx: Connection, change_ids: Collection[int]) -> list[Chosen]:
    """Return the choices that stand about these changes, in the order in which they were made."""
    if not any_choices(tx):  # the view has to look at every conflict there is
        return []
    shown, made = live_conflicts.c, outbox_choices.c
    same = (made.change_id == shown.change_id) & (made.field == shown.field)
    query = (
        select(shown.change_id, shown.field, shown.keep, shown.chosen_by)
        .join_from(live_conflicts, outbox_choices, same)
        .where(shown.keep.is_not(None))
        .order_by(made.chosen_at, shown.change_id)
    )
    wanted = frozenset(change_ids)
    return [Chosen(*row) for row in tx.execute(query) if row.change_id in wanted]


def forget(tx: Connection, change_ids: Collection[int]) -> None:
    """Forget what was chosen about these changes: it is done."""
    drop_links(tx, outbox_choices.c.change_id, change_ids)


def forget_settled(tx: Connection) -> None:
    """Forget choices about changes that are not in conflict any more."""
    waiting = select(outbox.c.id).where(text(UNSETTLED), outbox.c.state == "conflict")
    tx.execute(delete(outbox_choices).where(outbox_choices.c.change_id.not_in(waiting)))
