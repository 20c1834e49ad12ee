"""What a push would send, in words: step by step with its request, then what waits and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.cli.output import Output, one_line
from syncd.cli.words import counted, span
from syncd.model.change import Missing, Value
from syncd.model.fields import write_value
from syncd.model.outbound import PushPlan, Step
from syncd.operations import Unsendable
from syncd.operations.rehearsal import Rehearsed
from syncd.services.push.rehearsing import Rehearsal
from syncd.services.push.words import conflict_as_json, conflicts_in_words
from syncd.sync.names import Names
from syncd.worksection.request import Request

LONGEST = 60
FEW = 5
_OURS = frozenset({"level"})
"""Fields of a creation that say nothing to a person."""
SIGNS = {"create": "+", "update": "~", "tag": "~", "complete": "x", "reopen": "^"}
COLOURS = {"+": "green", "~": "yellow", "x": "green", "^": "yellow"}


def document(found: Rehearsal) -> dict[str, Any]:
    """Return the plan as `--json` shows it."""
    plan = found.plan
    return {
        "requests": found.requests,
        "pull_requests": found.pulling,
        "confirming_requests": found.confirming,
        "seconds": round(found.seconds, 3),
        "steps": [_step_document(each) for each in found.steps],
        "looks": [{"how": one.how, "why": one.why, "ids": one.ids} for one in found.looks],
        "waiting": [
            {
                "changes": one.changes,
                "kind": one.wait.kind,
                "why": str(one.wait),
                "until": one.wait.until,
            }
            for one in plan.waiting
        ],
        "held": [
            {"changes": one.changes, "batch": one.batch, "why": str(one)} for one in plan.holds
        ],
        "settled": plan.settled,
        "unreadable": found.unreadable,
    }


def lines(found: Rehearsal, out: Output) -> Iterator[str]:
    """Return the plan for a person."""
    for each in found.steps:
        yield from _step_lines(each, found.names, out)
    for why, ids in _waiting(found.plan).items():
        yield f"  {_changes(ids)} {'waits' if len(ids) == 1 else 'wait'}: {why}"
    for hold in found.plan.holds:
        yield f"  {out.paint('!', fg='yellow', bold=True)} {hold}: syncd queue release or cancel"
    for id, why in found.unreadable.items():
        yield f"  change {id} cannot be read ({why}): syncd queue cancel {id}"
    if found.plan.settled:
        yield f"  {_changes(found.plan.settled)} comes to nothing: set, and set back"
    yield _cost(found)


def _step_lines(each: Rehearsed, names: Names, out: Output) -> Iterator[str]:
    step = each.planned.step
    sign = out.paint(SIGNS[step.verb], fg=COLOURS[SIGNS[step.verb]], bold=True)
    yield f"{sign} {step.verb} {_target(step)} ({_changes(step.changes)})"
    for name, value in step.fields.items():
        if name not in _OURS:
            before = f"{_shown(step.base[name], names)} -> " if name in step.base else ""
            yield f"    {name}: {before}{_shown(value, names)}"
    if each.merge.conflicts:
        _, words = conflicts_in_words(each.merge.conflicts)
        yield f"    {out.paint('!', fg='yellow', bold=True)} as of the last pull, {words}"
    for wait in each.planned.after:
        yield f"    after change {wait.change}: {wait}"
    yield f"    {_sent(each)}"


def _waiting(plan: PushPlan) -> dict[str, tuple[int, ...]]:
    """Return what waits, by why: an UPDATE of a thousand rows is one line."""
    found: dict[str, tuple[int, ...]] = {}
    for one in plan.waiting:
        found[str(one.wait)] = (*found.get(str(one.wait), ()), *one.changes)
    return found


def _sent(each: Rehearsed) -> str:
    if isinstance(each.draft, Request):
        return one_line(str(each.draft))
    if isinstance(each.draft, Unsendable):
        return f"cannot be sent: {each.draft.field} {each.draft.why}"
    return "nothing to send: the account has it already, as of the last pull"


def _cost(found: Rehearsal) -> str:
    steps, looks = len(found.steps), len(found.looks)
    if not steps and not looks:
        return "Nothing is ready to be sent."
    parts = f"{looks} to look, {steps} to send, {found.confirming} to confirm"
    whole = f"with the pull before it ({counted(found.pulling, 'request')}) {span(found.seconds)}"
    return f"{counted(found.requests, 'request')}: {parts}; {whole} at the account's pace"


def _target(step: Step) -> str:
    return f"task {step.task_id}" if step.task_id else f"the new task {step.ref}"


def _changes(ids: tuple[int, ...]) -> str:
    if len(ids) > FEW:
        return f"{len(ids):,} changes, from {min(ids)} to {max(ids)},"
    return f"change{'s' if len(ids) > 1 else ''} {', '.join(str(id) for id in ids)}"


def _shown(value: Value | Missing, names: Names) -> str:
    if isinstance(value, Missing):
        return "?"
    if isinstance(value, frozenset):
        labels = [names.tags.get(tag, f"#{tag}") if isinstance(tag, int) else tag for tag in value]
        return ", ".join(one_line(label) for label in sorted(labels)) or "none"
    written = write_value(value)
    if written in (None, "", []):
        return "nothing"
    text = one_line(str(written))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _step_document(each: Rehearsed) -> dict[str, Any]:
    step = each.planned.step
    return {
        "verb": step.verb,
        "task_id": step.task_id,
        "ref": step.ref,
        "changes": step.changes,
        "fields": {name: write_value(value) for name, value in step.fields.items()},
        "base": {
            name: write_value(value)
            for name, value in step.base.items()
            if not isinstance(value, Missing)
        },
        "after": [wait.change for wait in each.planned.after],
        "conflicts": {one.field: conflict_as_json(one) for one in each.merge.conflicts},
        "request": str(each.draft) if isinstance(each.draft, Request) else None,
        "cannot": f"{each.draft.field} {each.draft.why}"
        if isinstance(each.draft, Unsendable)
        else None,
    }
