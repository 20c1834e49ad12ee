"""Changes in words: what was queued, the queue as a table, one change in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from syncd.cli.output import Output, one_line
from syncd.cli.table import Cell, Column, show_table
from syncd.cli.words import counted, moment
from syncd.services.changes import Event, ListedChange
from syncd.services.handling import Handled
from syncd.services.queue import ChangeDetail, QueueList
from syncd.services.queueing import Queued
from syncd.services.revert import Left, Reverted
from syncd.services.sentences import about, fields_in_words, first_seen, opening, said, set_by
from syncd.services.sides import Side

COLUMNS = (
    Column("id", right=True, style={"dim": True}),
    Column("task", share=2),
    Column("change", share=3),
    Column("state"),
    Column("by", share=1),
    Column("why", share=4),
)
COLOURS = {"conflict": "red", "failed": "red", "held": "yellow", "uncertain": "yellow"}
MOST_TOLD = 5
"""How many sentences are told of a command that queued or handled many changes."""


def change_document(change: ListedChange, why: Mapping[int, str]) -> dict[str, Any]:
    """Return a change as `--json` shows it."""
    return asdict(change) | {"why": why[change.id]}


def queued_document(queued: Queued, told: QueueList) -> dict[str, Any]:
    """Return what a command has queued as `--json` shows it."""
    return {
        "changes": [change_document(change, told.why) for change in queued.changes],
        "unchanged": list(queued.unchanged),
        "new": queued.new,
        "brake": list(told.brake),
    }


def handled_document(handled: Handled, told: QueueList) -> dict[str, Any]:
    """Return what a command has done to changes as `--json` shows it."""
    return {
        "changes": [change_document(change, told.why) for change in handled.changes],
        "along": list(handled.along),
        "left": [{"id": one.id, "state": one.state} for one in handled.left],
        "decided": _authors(handled.decided),
    }


def reverted_document(reverted: Reverted, told: QueueList) -> dict[str, Any]:
    """Return what is queued to undo changes as `--json` shows it."""
    return {
        "changes": [change_document(change, told.why) for change in reverted.changes],
        "left": [asdict(one) for one in reverted.left],
    }


def list_document(found: QueueList) -> dict[str, Any]:
    """Return the queue as `--json` shows it."""
    return {
        "total": len(found.changes),
        "brake": list(found.brake),
        "changes": [
            change_document(change, found.why)
            | {"theirs": _authors(found.sides.get(change.id, ()))}
            for change in found.changes
        ],
    }


def _authors(sides: Iterable[Side]) -> list[dict[str, Any]]:
    """Return who set theirs of the fields in question, and when; null where nobody tells."""
    return [
        {"field": side.field, "changed_by": side.changed_by, "changed_at": side.changed_at}
        for side in sides
        if side.contested
    ]


def detail_document(found: ChangeDetail) -> dict[str, Any]:
    """Return one change as `--json` shows it."""
    return {
        "change": change_document(found.change, {found.change.id: found.why}),
        "sides": [asdict(side) for side in found.sides],
        "events": [asdict(event) for event in found.events],
    }


def show_queued(out: Output, queued: Queued, told: QueueList) -> None:
    """Tell what was queued, and what happens next."""
    if queued.new:
        out.lines(f"Queued {_line(change)}" for change in queued.changes)
    for change in queued.changes if not queued.new else ():
        out.lines([f"{change.ref!r} is {_line(change)} already; nothing was queued"])
    for named in queued.unchanged:
        out.lines([f"Nothing to queue: {_task(named)} is so already"])
    show_next(out, told)


def show_next(out: Output, told: QueueList) -> None:
    """Tell what happens to changes now; of many only some, and how many there are."""
    for change in told.changes[:MOST_TOLD]:
        out.note(told.why[change.id])
    if len(told.changes) > MOST_TOLD:
        more = counted(len(told.changes) - MOST_TOLD, "more change")
        out.note(f"And {more}: syncd queue list")
    for hold in told.brake:
        out.note(f"The brake: {hold}. See: syncd queue release --help")


def show_handled(out: Output, deed: str, handled: Handled) -> None:
    """Tell what was done to which changes, and what was left."""
    for change in handled.changes:
        out.lines([f"{deed} {_line(change)}"])
    for side in handled.decided:
        out.lines([f"Theirs of {side.field} was {who}"] if (who := set_by(side)) else [])
    if handled.along:
        numbers = ", ".join(str(id) for id in handled.along)
        out.lines([f"With the creation went what depends on it: change {numbers}"])
    for change in handled.left:
        out.lines([f"Left as it is, {change.state}: {_line(change)}"])
    if not (handled.changes or handled.left):
        out.lines(["There was nothing to do."])


def show_reverted(out: Output, reverted: Reverted) -> None:
    """Tell what was queued to undo, and what stays."""
    out.lines(f"Queued {_line(change)}" for change in reverted.changes)
    out.lines(_left(one) for one in reverted.left)


def show_list(out: Output, found: QueueList) -> None:
    """Show the queue as a table."""
    if out.json:
        return
    show_table(out, COLUMNS, [_row(change, found.why[change.id]) for change in found.changes])
    out.note(counted(len(found.changes), "change"))
    for hold in found.brake:
        out.note(f"The brake: {hold}. See: syncd queue release --help")


def detail_lines(out: Output, found: ChangeDetail) -> Iterator[str]:
    """Return one change, line by line."""
    change = found.change
    yield out.paint(f"Change {change.id}: {about(change)}", bold=True)
    yield f"  {found.why}"
    for label, value in _facts(change):
        if value not in (None, ""):
            yield f"  {label:<9} {value}"
    if found.sides:
        yield from ("", "Fields")
        for side in found.sides:
            yield f"  {_side(side)}"
            told = ", ".join(each for each in (set_by(side), first_seen(side)) if each)
            yield from [f"    theirs {told}"] if told else []
    yield from ("", "Trail")
    yield from (f"  {_event(event)}" for event in found.events)


def _line(change: ListedChange) -> str:
    title = f' "{one_line(change.task)}"' if change.task and change.operation != "create" else ""
    values = fields_in_words(change.fields, change.base) if change.operation == "update" else ""
    return f"change {change.id}: {about(change)}{title}{f': {values}' if values else ''}"


def _task(named: int | str) -> str:
    return f"task {named}" if isinstance(named, int) else f"the new task {named}"


def _left(one: Left) -> str:
    field = f", {one.field}" if one.field else ""
    return f"Not undone: change {one.change}{field}: {one.why}"


def _row(change: ListedChange, why: str) -> Sequence[Cell]:
    target = str(change.task_id) if change.task_id is not None else (change.ref or "")
    what = about(change) if change.operation == "create" else _deed(change)
    colour = COLOURS.get(change.state)
    return (
        Cell(str(change.id)),
        Cell(f"{target} {change.task or ''}" if change.operation != "create" else target),
        Cell(what),
        Cell(change.state, style={"fg": colour} if colour else {}),
        Cell(change.created_by),
        Cell(why.removeprefix(opening(change)).removesuffix(".")),
    )


def _deed(change: ListedChange) -> str:
    if change.operation == "update":
        return fields_in_words(change.fields, change.base)
    return change.operation


def _facts(change: ListedChange) -> Iterator[tuple[str, Any]]:
    yield "state", change.state
    yield "task", one_line(change.task or "")
    yield "ref", change.ref
    yield "queued", f"{moment(change.created_at)} by {change.created_by}"
    yield "batch", change.batch
    yield "attempts", change.attempts or None
    yield "next try", moment(change.next_attempt_at) if change.next_attempt_at else None
    yield "error", one_line(" ".join(filter(None, (change.error_code, change.error))))
    yield "needs", f"change {change.depends_on}" if change.depends_on else None


def _side(side: Side) -> str:
    if not side.base_known and not side.contested:  # a new task has no past
        return f"{side.field}: {said(side.mine)}"
    base = said(side.base) if side.base_known else "not known"
    theirs = said(side.theirs) if side.theirs_known else "not known"
    choose = "  (choose)" if side.contested else ""
    if side.keep is not None:
        choose = f"  ({side.keep}, chosen by {side.chosen_by})"
    return f"{side.field}: base {base}; mine {said(side.mine)}; theirs {theirs}{choose}"


def _event(event: Event) -> str:
    if "fields" in event.detail:
        moved = "reworded"
    elif event.from_state in (None, event.to_state):
        moved = event.to_state
    else:
        moved = f"{event.from_state} → {event.to_state}"
    because = f": {one_line(str(event.detail['error']))}" if event.detail.get("error") else ""
    return f"{moment(event.at)}  {moved} by {event.actor}{because}"
