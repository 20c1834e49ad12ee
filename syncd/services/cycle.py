"""One cycle: what is open is settled, then a pull, then a push."""

from __future__ import annotations

from syncd.model.reports import PullReport, PushReport
from syncd.services.prepare import Pulling
from syncd.services.pull import pull
from syncd.services.push import Pushing, push, settle_open


def cycle(
    pulling: Pulling, pushing: Pushing, *, allow_removals: bool = False
) -> tuple[PullReport, PushReport]:
    """Make the mirror equal to the account, then the account equal to what is queued.

    What may have landed is looked for first: a pull masks it, and could not be complete. Raises
    AccountError where the pull got nothing; then nothing is sent either.
    """
    settle_open(pushing)
    pulled = pull(pulling, allow_removals=allow_removals)
    return pulled, push(pushing)
