"""The sandbox as a process of its own: serve until told to stop."""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import TextIO

from syncd.sandbox.sandbox import Sandbox


def serve(box: Sandbox, *, out: TextIO = sys.stdout) -> None:
    """Serve until SIGTERM or SIGINT, after one line of JSON that says where and with which key.

    Must be called from the main thread, for signals reach no other one.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with box:
        line = {"url": box.url, "key": box.key, "tasks": len(box.account.tasks)}
        out.write(json.dumps(line) + "\n")
        out.flush()
        stop.wait()
