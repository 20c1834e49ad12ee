"""Python's collector of cycles, held back while thousands of values are made at once.

What a pull makes is in no cycle and goes as soon as nobody uses it. The collector cannot know: it
looks through all of it time and again while its number grows.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_alone() -> Iterator[None]:
    """Keep the collector from running; not for work that waits for the account, which may last."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
