"""What was asked of the sandbox, request by request, without any secret."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One API request; `effect` says whether the account became another by it.

    `outcome` is ok, `error CODE MESSAGE`, `http STATUS` or `dropped`; `faults` are the kinds
    that struck.
    """

    number: int
    started: float
    started_at: datetime
    seconds: float
    method: str
    action: str
    parameters: dict[str, Any]
    scheme: str
    outcome: str
    http_status: int
    effect: bool
    bytes: int
    faults: tuple[str, ...] = ()


class Journal:
    """The entries in order of their end; the oldest ones go when there are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._count = 0

    def next_number(self) -> int:
        """The number of the next request."""
        with self._lock:
            self._count += 1
            return self._count

    def write(self, entry: Entry) -> None:
        """Add an entry."""
        with self._lock:
            self._entries.append(entry)

    def entries(self, action: str | None = None) -> list[Entry]:
        """What was written so far, of one action or of all."""
        with self._lock:
            return [e for e in self._entries if action in (None, e.action)]

    def actions(self) -> list[str]:
        """The names of the actions asked for."""
        return [entry.action for entry in self.entries()]

    def clear(self) -> None:
        """Forget all entries; numbers go on."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
