"""The states of a queued change, and which may follow which. Pure; the database keeps the same.

queued → sending → applied → confirmed is the road of a change that nobody disturbs. The intent
(`sending`) is written before the look, so a look's findings are transitions of `sending` too.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncd.model.change import ChangeState, Operation

State = ChangeState

OPERATIONS: tuple[Operation, ...] = ("create", "update", "complete", "reopen")

TRANSITIONS: Mapping[State, tuple[State, ...]] = {
    # confirmed: the account shows it already; failed: it can no longer be sent
    "queued": ("sending", "held", "conflict", "confirmed", "failed", "cancelled"),
    "held": ("queued", "cancelled"),
    # queued: proven that nothing went out; a lost reply is uncertain, never queued
    "sending": ("applied", "confirmed", "queued", "conflict", "uncertain", "failed"),
    # failed: the account said ok and did not do it
    "applied": ("confirmed", "conflict", "failed"),
    # No way to cancelled: what may have landed is looked for first.
    "uncertain": ("applied", "confirmed", "queued", "conflict", "failed"),
    # applied: a person has said which task the creation became
    "conflict": ("queued", "applied", "confirmed", "cancelled"),
    "failed": ("queued", "cancelled"),
    "confirmed": (),
    "cancelled": (),
}

STATES: tuple[State, ...] = tuple(TRANSITIONS)
INITIAL: tuple[State, ...] = ("queued", "held")
SETTLED: tuple[State, ...] = ("confirmed", "cancelled")
"""Nothing more will happen to it, and nothing more is asked of anybody."""
FINAL: tuple[State, ...] = ("confirmed", "failed", "cancelled")
"""One of these ends every change; a failed one may be tried again, which begins it anew."""
EDITABLE: tuple[State, ...] = ("queued", "held", "conflict")
"""`fields` and `base` can be altered here alone: later, they tell what was sent."""
TELLING: tuple[State, ...] = (
    "conflict",
    "failed",
    "uncertain",
    "held",
    "sending",
    "queued",
    "applied",
)
"""The states a task shows, the most telling first; one that shows none is `synced`."""
PENDING: tuple[State, ...] = tuple(state for state in TELLING if state != "failed")
"""The values of these changes lie over the mirror; a failed one's do not."""


def may_follow(before: State, after: State) -> bool:
    """Tell whether a change may go from one state to another."""
    return after in TRANSITIONS[before]
