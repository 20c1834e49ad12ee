"""How long a piece of work takes, by the clock and by the processor, and how much memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

Sample = tuple[str, str, float]
"""What was measured, in which measure, and the value."""
WALL, CPU, MB, MS, REQUESTS = "wall s", "CPU s", "MB", "ms", "requests"


def timed(what: str, work: Callable[[], object]) -> list[Sample]:
    """Do a piece of work; return its seconds. CPU is this process's, all threads."""
    gc.collect()  # what was done before leaves nothing to clean up
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return [
        (what, WALL, time.perf_counter() - wall),
        (what, CPU, time.process_time() - cpu),
    ]


def peak_mb() -> float:
    """Return the most memory this process has had, in MB.

    From the kernel's own count: ru_maxrss begins with what the parent had when it forked.
    """
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("the kernel does not tell VmHWM")
