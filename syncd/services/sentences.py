"""One sentence for a change: why it waits and until when, or what became of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from syncd.model.change import Fields, Missing, Value
from syncd.model.fields import write_value
from syncd.model.outbound import Wait
from syncd.services.changes import Event, ListedChange
from syncd.services.moments import instant, moment_told
from syncd.services.outlook import Outlook
from syncd.services.sides import Side

_DEEDS: Final[Mapping[str, str]] = {
    "create": "a new task",
    "complete": "completing",
    "reopen": "reopening",
}


def why_change(
    change: ListedChange, ahead: Outlook, sides: Sequence[Side] = (), last: Event | None = None
) -> str:
    """Say why a change waits and until when, or what became of it, in one sentence."""
    return f"{opening(change)}{_fate(change, ahead, sides, last)}."


def opening(change: ListedChange) -> str:
    """Return how the sentence about a change begins."""
    return f"Change {change.id} ({about(change)}) "


def about(change: ListedChange) -> str:
    """Say what a change does to which task: "priority, tags of task 5"."""
    if change.operation == "create":
        return f'a new task "{one_line(change.task or "")}"'
    target = f"task {change.task_id}" if change.task_id else f"the new task {change.ref}"
    if change.operation == "update":
        return f"{', '.join(change.fields) or 'nothing'} of {target}"
    return f"{_DEEDS[change.operation]} {target}"


def one_line(text: str) -> str:
    """Return a text of somebody's as one line."""
    return " ".join(text.split())


def said(value: Value | Missing) -> str:
    """Return a value as a person would read it."""
    if isinstance(value, Missing):
        return "not known"
    written = write_value(value)
    return "nothing" if written in (None, "", []) else one_line(str(written))


def _fate(change: ListedChange, ahead: Outlook, sides: Sequence[Side], last: Event | None) -> str:
    id = change.id
    if id in ahead.unreadable:
        return f"says what cannot be read, {ahead.unreadable[id]}; drop it: syncd queue cancel {id}"
    match change.state:
        case "queued":
            return _queued(change, ahead)
        case "held":
            return f"is held by the brake until a person decides: {_release(change)}"
        case "conflict":
            return _decided(sides) or f"waits for a person: {_conflict(change, sides)}"
        case "sending":
            return (
                f"is being sent since {instant(change.sent_at)}; if that broke off, the next push"
                " looks at the account before anything else"
            )
        case "uncertain":
            return (
                f"{_uncertain(change)}; the next push looks whether it landed{_not_before(change)}"
            )
        case "applied":
            return (
                f"was taken by the account at {instant(change.applied_at)} and is confirmed"
                " as soon as a later read shows it"
            )
        case "failed":
            return (
                f"failed: {_error(change)}; syncd queue retry {id} tries it again,"
                f" syncd queue cancel {id} drops it"
            )
        case "confirmed":
            return f"is in the account, as a read confirmed at {instant(change.confirmed_at)}"
        case "cancelled":
            return f"was cancelled{f' by {last.actor} at {instant(last.at)}' if last else ''}"
        case _ as never:
            assert_never(never)


def _queued(change: ListedChange, ahead: Outlook) -> str:
    id = change.id
    if id in ahead.holds:
        return f"is stopped by the brake, because {ahead.holds[id]}: {_release(change)}"
    if id in ahead.waits:
        return f"waits{_waiting(change, ahead.waits[id])}"
    if id in ahead.going:
        after = "; ".join(str(wait) for wait in ahead.going[id].after)
        return f"goes with the next push{f', in its order: {after}' if after else ''}"
    return "comes to nothing with the other changes of its task; the next push settles it"


def _waiting(change: ListedChange, wait: Wait) -> str:
    match wait.kind:
        case "time":
            because = f", because of the last try: {_error(change)}" if change.error else ""
            return f" until {instant(wait.until)}{because}"
        case "cycle":
            return f": {wait}"
        case "unknown":
            return f": {wait}; cancel it: syncd queue cancel {change.id}"
        case "lane" | "parent" | "children" | "depends":
            more = f"; see: syncd why {wait.change}" if wait.change is not None else ""
            return f": {wait}{more}"
        case "brake" | "conflict" | "settle" | "confirm":
            return f": {wait}"
        case _ as never:
            assert_never(never)


def _release(change: ListedChange) -> str:
    return (
        f"syncd queue release --batch {change.batch} lets all of its batch go,"
        f" syncd queue cancel --batch {change.batch} drops them"
    )


def _conflict(change: ListedChange, sides: Sequence[Side]) -> str:
    resolve = f"syncd queue resolve {change.id}"
    match change.error_code:
        case "ambiguous":
            return (
                f"{_error(change)}; name the task that it became with {resolve} --task ID,"
                f" or send it again with {resolve} --keep mine"
            )
        case "removed":
            return (
                "the task is gone from the account, and nothing creates it again;"
                f" {resolve} --keep theirs gives the change up"
            )
        case "flips":
            reason = "the account keeps taking this edit back"
        case "unknown base":
            reason = "what the account had before is not known"
        case _:
            reason = "both sides changed it"
    parts = [_three(side) for side in sides if side.contested]
    told = f"; {', '.join(parts)}" if parts else ""
    return f"{reason}{told}; choose with {resolve} --keep mine or --keep theirs"


def _decided(sides: Sequence[Side]) -> str | None:
    """Say what was chosen by SQL, if nothing of the change is left to choose."""
    asked = [side for side in sides if side.contested]
    if not asked or any(side.keep is None for side in asked):
        return None
    chosen = ", ".join(f"{side.field} {side.keep} by {side.chosen_by}" for side in asked)
    return f"is decided: {chosen}; the next push goes by it, once all of its task is decided"


def _three(side: Side) -> str:
    was = said(side.base) if side.base_known else "not known"
    seen = said(side.theirs) if side.theirs_known else "not known"
    who = f" ({author})" if (author := set_by(side)) else ""
    return f"{side.field} was {was}, mine is {said(side.mine)}, theirs is {seen}{who}"


def with_seen(sentence: str, sides: Sequence[Side]) -> str:
    """Return the sentence about a conflict with since when theirs is known, as far as it is."""
    seen = [f"{side.field} {since}" for side in sides if (since := first_seen(side))]
    return f"{sentence.removesuffix('.')}; theirs: {', '.join(seen)}." if seen else sentence


def first_seen(side: Side) -> str | None:
    """Say since when the account is known to show theirs; None where that is not known."""
    if side.seen_at is None:
        return None
    run = f" by run {side.seen_by_run}" if side.seen_by_run is not None else ""
    return f"seen at {instant(side.seen_at)}{run}"


def set_by(side: Side) -> str | None:
    """Say who set theirs and when; None where nobody tells."""
    if side.changed_by is None:
        return None
    return f"set by {one_line(side.changed_by)} at {moment_told(side.changed_at)}"


def _uncertain(change: ListedChange) -> str:
    because = f" ({_error(change)})" if change.error else ""
    return f"was sent at {instant(change.sent_at)} and its outcome is not known{because}"


def _not_before(change: ListedChange) -> str:
    return f", not before {instant(change.next_attempt_at)}" if change.next_attempt_at else ""


def _error(change: ListedChange) -> str:
    return one_line(change.error or "no reason was given").rstrip(".")


def fields_in_words(fields: Fields, base: Fields) -> str:
    """Return what a change sets: "priority 3 → 5, tags nothing → Bug"."""
    return ", ".join(
        f"{name} {said(base[name])} → {said(value)}" if name in base else f"{name} {said(value)}"
        for name, value in fields.items()
    )
