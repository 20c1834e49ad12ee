"""What an outcome means for a change: its next state, and when it is tried again.

The clock and the random number are arguments. How long anything can take is computable:

- `bound` gives the time within which every queued change is final or waits for a person, once
  faults have stopped;
- a wait is never longer than LONGEST_WAIT, and what the account asks for never counts for more
  than LONGEST_ASKED;
- an attempt is counted only if it may have reached the account; after MOST_ATTEMPTS of them
  without effect, each followed by a look that worked, the change fails and a person decides.
  An outage never gets there: while nothing is sent, attempts stay at OUTAGE_ATTEMPTS or below.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from syncd.errors import (
    AccountError,
    BadReply,
    Refused,
    Throttled,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from syncd.model.outbound import Verb

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=10)
LONGEST_ASKED: Final = timedelta(days=1)
THROTTLED_WAIT: Final = timedelta(seconds=15)
GROWTH: Final = 3
OUTAGE_ATTEMPTS: Final = 2
MOST_ATTEMPTS: Final = 8
MOST_NONSENSE: Final = 4
"""How often an answer may make no sense (BadReply) before a person is asked."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The account took it; a later read has to show it. `already` says it was so before."""

    already: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """Not landed: queued until then, with this many attempts on its account."""

    at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may have landed: look before anything else."""

    attempts: int
    nonsense: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not land: this change only, with the account's words."""

    code: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing is sent until a person acts; the change is what it was before."""


Outcome = Applied | Again | Uncertain | Failed | Halt


def after(
    verb: Verb, error: AccountError | None, *, attempts: int, now: datetime, jitter: float
) -> Outcome:
    """Decide what one attempt has led to; `attempts` are those before it, `jitter` is in [0, 1).

    A lost reply is not "not sent": everything that may have reached the account is uncertain.
    """
    match error:
        case None:
            return Applied()
        case Unauthorized():
            return Halt()
        case Throttled():
            return Again(now + _asked(error.retry_after_s, jitter), attempts)
        case Unreachable():
            tried = max(attempts, min(attempts + 1, OUTAGE_ATTEMPTS))
            return Again(now + wait(tried, jitter), tried)
        case Refused():
            return _refused(verb, error, attempts)
        case BadReply():
            return Uncertain(attempts + 1, nonsense=True)
        case Unanswered() | AccountError():
            return Uncertain(attempts + 1)
        case _ as never:
            assert_never(never)


def not_landed(
    *, attempts: int, now: datetime, jitter: float, nonsense: bool = False
) -> Again | Failed:
    """Decide after a look that showed no effect: send again, or leave it to a person.

    `attempts` include the one that was looked for.
    """
    if attempts >= (MOST_NONSENSE if nonsense else MOST_ATTEMPTS):
        return Failed(None, f"it was sent {attempts} times, and the account shows no effect")
    return Again(now + wait(attempts, jitter), attempts)


def wait(attempts: int, jitter: float) -> timedelta:
    """Return how long to wait after so many attempts: growing, capped, and spread by half."""
    growth: int = GROWTH ** (min(max(attempts, 1), MOST_ATTEMPTS) - 1)
    return min(LONGEST_WAIT, FIRST_WAIT * growth) * (0.5 + jitter / 2)


def bound(
    steps: int,
    *,
    interval: timedelta,
    request: timedelta,
    grace: timedelta = timedelta(0),
    asked: timedelta = timedelta(0),
) -> timedelta:
    """Return within what time so many waiting steps are final, once faults have stopped.

    The longest wait that may still run, the grace before an unfound creation goes again, and for
    each step one round of the push with at most four requests: a look that settles an earlier
    attempt, a look before the write, the write, a look that confirms it. `request` is what one
    request takes with its place in the account's rate; `asked` is the longest Retry-After heard.
    """
    waited = max(LONGEST_WAIT, min(asked, LONGEST_ASKED))
    return waited + grace + steps * (interval + 4 * request)


def _asked(seconds: float | None, jitter: float) -> timedelta:
    """Return what the account asked for, a little later; nobody's clock makes us wait for ever."""
    if seconds is None:
        return THROTTLED_WAIT * (1 + jitter)
    spread = timedelta(seconds=jitter)
    if not 0 <= seconds < LONGEST_ASKED.total_seconds():
        return (LONGEST_ASKED if seconds > 0 else timedelta(0)) + spread
    return timedelta(seconds=seconds) + spread


def _refused(verb: Verb, error: Refused, attempts: int) -> Outcome:
    """A refusal is final, but for two: it is so already (12), and the task is gone (5).

    Codes are ambiguous, so they are read with the verb and the words (API sheet, section 6.8).
    """
    if _already(verb, error):
        return Applied(already=True)
    if error.code == 5 and verb != "create":
        # Gone, or out of reach: a look tells, and an edit of what is gone is a conflict.
        return Uncertain(attempts + 1)
    return Failed(error.code, error.message)


def _already(verb: Verb, error: Refused) -> bool:
    said = error.said.lower()
    if error.code != 12 or "already" not in said:
        return False
    match verb:
        case "complete":
            return "closed" in said
        case "reopen":
            return "active" in said
        case "create" | "update" | "tag":
            return False
        case _ as never:
            assert_never(never)
