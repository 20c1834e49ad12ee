"""How long a read is tried again. Pure; writes never come here, the outbox repeats those."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from syncd.errors import AccountError, Throttled


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits of trying: so many tries, and no wait that would end past the deadline."""

    tries: int = 4
    base_s: float = 1.0
    cap_s: float = 30.0
    deadline_s: float = 90.0

    def pause_s(self, attempt: int, error: AccountError, rng: Random) -> float:
        """Return the seconds to wait after try number `attempt` (from 0): full jitter."""
        pause_s = rng.uniform(0, min(self.cap_s, self.base_s * 2**attempt))
        if isinstance(error, Throttled) and error.retry_after_s is not None:
            return pause_s + error.retry_after_s
        return pause_s
