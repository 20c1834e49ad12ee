"""Resolving a conflict: a person says field by field whose value stands.

All changes of the task that wait in a conflict are resolved together. The losing values stay in
the trail, which the database writes, and with all three sides in the audit log. What was chosen by
SQL comes in here too (`syncd.services.choices`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, select, text

from syncd.model.change import MISSING, Change, Missing
from syncd.model.fields import write_value
from syncd.resources.tasks.table import tasks
from syncd.services.given import LARGEST_ID
from syncd.services.hand import Hand, Handled, cancel_rows, named
from syncd.services.refusal import ChangeRefused
from syncd.services.sides import Dispute, disputes, sides
from syncd.store.choices import forget
from syncd.store.engine import Database
from syncd.store.outbox import STANDING, acting, outbox

Winner = Literal["mine", "theirs"]
SETTLED: Final[dict[str, Any]] = {"error": None, "error_code": None, "next_attempt_at": None}


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose values stand: for each field, and for all others; or which task a creation became.

    `by` tells who chose a field, where several people did.
    """

    otherwise: Winner | None = None
    fields: Mapping[str, Winner] = field(default_factory=dict)
    task: int | None = None
    by: Mapping[str, str] = field(default_factory=dict)


def resolve(db: Database, id: int, choice: Choice, *, actor: str, at: datetime) -> Handled:
    """Resolve the conflict that a change stands in. Raises ChangeRefused and ConfigError."""
    with db.write() as tx, acting(db, tx, actor):
        (row,) = named(tx, [id])
        if row.state != "conflict":
            raise ChangeRefused(
                f"Change {id} is {row.state}; there is no conflict to resolve.",
                hint=f"See: syncd why {id}",
            )
        hand = Hand(tx, actor, at)
        if row.operation == "create":
            return _resolve_creation(hand, row, choice)
        if choice.task is not None:
            raise ChangeRefused(
                f"Change {id} is not a creation: it has its task.",
                hint=f"Choose: syncd queue resolve {id} --keep mine|theirs",
            )
        return resolve_edit(hand, row, choice)


# --- edits


def resolve_edit(hand: Hand, row: Row[Any], choice: Choice) -> Handled:
    """Resolve the conflict of an edit's task. Raises ChangeRefused; then nothing was written."""
    dispute = disputes(hand.tx, [row.task_id], lock=True)[row.task_id]
    rows = named(hand.tx, [change.id for change in dispute.changes])
    changes = {change.id: change for change in dispute.changes}
    if row.id not in changes:
        raise ChangeRefused(
            f"Change {row.id} says what cannot be read; somebody wrote it by hand.",
            hint=f"Drop it: syncd queue cancel {row.id}",
        )
    winners = _winners(row, dispute, choice)
    asked = [side for each in sides(hand.tx, rows).values() for side in each if side.contested]
    for one in rows:
        _note(hand, one, _told(changes[one.id], dispute, winners), choice)
        _settle(hand, one, changes[one.id], dispute, winners)
    forget(hand.tx, changes)
    decided = {side.field: side for side in asked}
    return replace(hand.handled(rows), decided=tuple(decided.values()))


def _winners(row: Row[Any], dispute: Dispute, choice: Choice) -> dict[str, Winner]:
    """Return who wins each contested field. Raises ChangeRefused where the choice is not whole."""
    contested = sorted(dispute.contested)
    resolve = f"syncd queue resolve {row.id}"
    if dispute.removed and "mine" in (choice.otherwise, *choice.fields.values()):
        raise ChangeRefused(
            f"Task {row.task_id} is gone from the account, and nothing creates it again.",
            hint=f"Give the change up: {resolve} --keep theirs",
        )
    for name in choice.fields:
        if name not in contested:
            raise ChangeRefused(
                f"{name} is not in conflict. To choose: {', '.join(contested) or 'nothing'}.",
                hint=f"See: syncd queue show {row.id}",
            )
    winners = {name: choice.fields.get(name, choice.otherwise) for name in contested}
    open_ = [name for name, winner in winners.items() if winner is None]
    if open_:
        wanted = " ".join(f"--field {name}=mine|theirs" for name in open_)
        raise ChangeRefused(f"Nothing was chosen for {', '.join(open_)}.", hint=f"Add: {wanted}")
    return {name: winner for name, winner in winners.items() if winner is not None}


def _settle(
    hand: Hand, row: Row[Any], change: Change, dispute: Dispute, winners: Mapping[str, Winner]
) -> None:
    """Take one change out of the conflict: over theirs, without what lost, or to its end."""
    own = {name: winner for name, winner in winners.items() if name in change.patch}
    lost = {name for name, winner in own.items() if winner == "theirs"}
    if lost >= change.patch.keys():  # nothing of it is left, and what of it was sent shows nowhere
        hand.take(row, "cancelled")
        return
    fields = {name: value for name, value in row.fields.items() if name not in lost}
    base = {name: value for name, value in row.base.items() if name not in lost}
    for name, winner in own.items():
        theirs = (dispute.theirs or {}).get(name, MISSING)
        if winner == "mine" and not isinstance(theirs, Missing):
            base[name] = write_value(theirs)
    hand.take(row, "queued", fields=fields, base=base, **SETTLED)


def _note(hand: Hand, row: Row[Any], told: Mapping[str, Mapping[str, Any]], choice: Choice) -> None:
    by = {name: {"chosen_by": who} for name, who in choice.by.items() if who != hand.actor}
    fields = [{"field": name, **each, **by.get(name, {})} for name, each in told.items()]
    hand.note("conflict.resolved", row, fields=fields)


def _told(
    change: Change, dispute: Dispute, winners: Mapping[str, Winner]
) -> dict[str, dict[str, Any]]:
    """Return for the audit log what each side wanted, and whose value stands."""
    theirs = dispute.theirs or {}
    told = {}
    for name in winners.keys() & change.patch.keys():
        sides = {
            "base": change.origin.get(name, MISSING),
            "mine": change.patch[name],
            "theirs": theirs.get(name, MISSING),
        }
        known = {s: write_value(v) for s, v in sides.items() if not isinstance(v, Missing)}
        told[name] = {"winner": winners[name]} | known
    return dict(sorted(told.items()))


# --- creations


def _resolve_creation(hand: Hand, row: Row[Any], choice: Choice) -> Handled:
    """A creation that several tasks could be: a person names its task, or none of them."""
    along: tuple[int, ...] = ()
    winner = choice.otherwise
    if choice.task is not None:
        _refuse_another_s(hand.tx, row, choice.task)
        hand.take(row, "applied", task_id=choice.task, applied_at=hand.at, **SETTLED)
    elif winner == "mine":
        # Looked for once more, and told apart from what is there, it would be ambiguous again.
        hand.take(row, "queued", attempts=0, sent_at=None, **SETTLED)
    elif winner == "theirs":
        along = cancel_rows(hand, [row])
    else:
        raise ChangeRefused(
            f"Change {row.id} is a creation: name its task, or say that it is none of them.",
            hint=f"syncd queue resolve {row.id} --task ID, or --keep mine|theirs",
        )
    hand.note("conflict.resolved", row, adopted=choice.task, winner=winner, error=row.error)
    return hand.handled([row], along=along)


def _refuse_another_s(tx: Connection, row: Row[Any], task: int) -> None:
    """Raise ChangeRefused where a task cannot be what the creation made."""
    query = select(tasks).where(tasks.c.id == min(task, LARGEST_ID), tasks.c.removed_at.is_(None))
    found = tx.execute(query).first()
    if found is None:
        raise ChangeRefused(
            f"There is no task {task} in the mirror.", hint="Pull first, so that it is: syncd pull"
        )
    if found.project_id != row.fields.get("project_id"):
        raise ChangeRefused(
            f"Task {task} is in another project than change {row.id} creates in.",
            hint=f"See: syncd queue show {row.id}",
        )
    made = select(outbox.c.id).where(text(STANDING), outbox.c.task_id == task)
    other = tx.scalar(made)
    if other is not None:
        raise ChangeRefused(
            f"Task {task} is what change {other} created already.", hint=f"See: syncd why {other}"
        )
