"""Faults as data: which requests they strike, and what befalls those (failures 1 and 2).

A fault `before` the effect leaves the account as it was; one `after` it lets the account commit
first, which is what a daemon must survive.
"""

from __future__ import annotations

import dataclasses
import threading
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal

from syncd.sandbox.parameters import Parameters

Kind = Literal[
    "drop",
    "delay",
    "http_status",
    "html_login",
    "error",
    "too_many_requests",
    "cut_body",
    "garbage",
    "over_limit",
    "empty_list",
    "no_data",
    "cut_list",
    "missing_project",
    "missing_subtasks",
    "duplicate_same",
    "duplicate_other",
    "retyped_field",
    "vanished_field",
    "unknown_field",
    "priority_99",
    "wrong_status",
    "four_levels",
]

INSTEAD = frozenset(
    ["drop", "http_status", "html_login", "error", "too_many_requests", "garbage", "over_limit"]
)


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One rule: the first fields say which requests it strikes, the others what happens.

    It strikes requests whose action matches the pattern `action` and whose parameters equal
    `parameters`; `nth` (from 1) picks one of these, `skip` passes the first ones over, `count`
    is how many it strikes at most, `probability` thins them out by `seed`.
    """

    kind: Kind
    action: str = "*"
    parameters: dict[str, str] = dataclasses.field(default_factory=dict)
    nth: int | None = None
    skip: int = 0
    count: int | None = None
    probability: float = 1.0
    seed: int = 0
    when: Literal["before", "after"] = "before"

    seconds: float = 0.0
    """delay: how long."""

    status: int = 500
    """http_status: 500, 502, 503, 429, ..."""

    retry_after: str | None = None
    """http_status and too_many_requests: the Retry-After header."""

    reset: bool = False
    """drop: by a reset instead of an orderly end."""

    code: int | None = None
    """error: its status_code; absent when None."""

    message: str = "Internal error"
    """error: its message."""

    keep: float = 0.5
    """cut_body: a share below 1, or a number of bytes."""

    honest_length: bool = False
    """cut_body: whether Content-Length is that of the cut."""

    records: int | None = None
    """Lies: how many records they touch, or that cut_list leaves; None for all."""

    field: str = ""
    """retyped_field, vanished_field, unknown_field: its key."""

    value: Any = None
    """What the field becomes; the id of missing_project; the word of wrong_status."""

    @property
    def spares_account(self) -> bool:
        """Whether it comes instead of the action; a cut body and a lie need its answer."""
        return self.when == "before" and self.kind in INSTEAD

    def fits(self, action: str, sent: Parameters) -> bool:
        """Whether a request is of those that the rule is about."""
        return fnmatchcase(action, self.action) and all(
            sent.text(name) == value for name, value in self.parameters.items()
        )


class Armed:
    """A fault in force, with what it has seen and done."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.struck = 0
        self._random = Random(fault.seed)

    def strikes(self, action: str, sent: Parameters) -> bool:
        """Count the request, and say whether the fault strikes it."""
        fault = self.fault
        if not fault.fits(action, sent):
            return False
        self.seen += 1
        lucky = fault.probability < 1 and self._random.random() >= fault.probability
        wrong_turn = fault.nth is not None and self.seen != fault.nth
        spent = fault.count is not None and self.struck >= fault.count
        if lucky or wrong_turn or spent or self.seen <= fault.skip:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults in force, in the order in which they were added; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Armed] = []

    def add(self, *faults: Fault) -> None:
        """Put faults in force, with fresh counts."""
        with self._lock:
            self._armed += [Armed(fault) for fault in faults]

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._armed.clear()

    def struck(self) -> int:
        """How often the faults in force have struck so far."""
        with self._lock:
            return sum(armed.struck for armed in self._armed)

    def in_force(self) -> list[tuple[Fault, int]]:
        """Each fault with the number of requests it has struck."""
        with self._lock:
            return [(armed.fault, armed.struck) for armed in self._armed]

    def striking(self, action: str, sent: Parameters) -> list[Fault]:
        """The faults that strike this request; each one's counts move on."""
        with self._lock:
            return [armed.fault for armed in self._armed if armed.strikes(action, sent)]
