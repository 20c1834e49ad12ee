"""Memory that one big answer took, given back when it is not needed any more."""

from __future__ import annotations

import gc
from contextlib import suppress


def give_back() -> None:
    """Return free memory to the system, which the C library would keep for the next big answer.

    Source: malloc_trim(3), of glibc alone. Where it cannot be called the memory stays, which harms
    nobody.
    """
    gc.collect()
    # Imported here: a system that forbids memory that can be run may refuse even that.
    with suppress(ImportError, MemoryError, AttributeError, OSError):
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
