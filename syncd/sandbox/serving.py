"""The sandbox as a process of its own: serve until told to stop."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from syncd.sandbox.sandbox import Sandbox


def where(box: Sandbox) -> str:
    """One line of JSON that says where the account is and with which key."""
    return json.dumps({"url": box.url, "key": box.key, "tasks": len(box.account.tasks)})


def serve(
    box: Sandbox, *, out: TextIO = sys.stdout, announce: Callable[[Sandbox], str] = where
) -> None:
    """Serve until SIGTERM or SIGINT, after saying where.

    Must be called from the main thread, for signals reach no other one.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with box:
        out.write(announce(box) + "\n")
        out.flush()
        stop.wait()
