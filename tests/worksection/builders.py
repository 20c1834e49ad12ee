"""Valid defaults for what most tests of the client need."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syncd.secrets import Secret
from syncd.worksection.budget import Budget
from syncd.worksection.client import Client
from syncd.worksection.signing import Md5, Scheme

KEY = "7776461cd931e7b1c8e9632ff8e979ce"  # the published example's


def names_in(folder: Path) -> list[str]:
    """Return what a folder holds."""
    return sorted(each.name for each in folder.iterdir())


class FakeTime:
    """A clock that only sleeping moves; remembers the sleeps."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)) -> None:
        self.start = start
        self.seconds = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds

    def utc(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds - 1000.0)


def a_budget(time: FakeTime | None = None, rate: float = 1.0, host: str = "127.0.0.1") -> Budget:
    time = time or FakeTime()
    return Budget(rate, host=host, clock=time.monotonic, sleep=time.sleep)


def a_client(
    url: str,
    *,
    scheme: Scheme | None = None,
    time: FakeTime | None = None,
    timeout_s: float = 5.0,
    **options: Any,
) -> Client:
    time = time or FakeTime()
    return Client(
        url,
        scheme or Md5(Secret(KEY)),
        options.pop("budget", None) or a_budget(time),
        timeout_s=timeout_s,
        clock=options.pop("clock", time.utc),
        sleep=time.sleep,
        rng=random.Random(1),
        **options,
    )
