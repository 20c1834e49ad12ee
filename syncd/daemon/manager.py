"""The service manager: what sd_notify(3) says, as datagrams to the socket that it names.

Without a manager everything here does nothing. The protocol is a few lines of text, and the
libraries for it are either bindings that need a compiler or not kept any more (docs/decisions.md).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Manager:
    """The service manager that started us, or nobody."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._status = ""
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(usec) / 1_000_000 if usec.isdigit() else None

    def ready(self) -> None:
        """Say that configuration, database and lease are settled."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Say that the configuration is being read again; `ready` ends it."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that we are on the way out."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._tell("WATCHDOG=1")

    def extend(self, seconds: int) -> None:
        """Ask for more time to start: we wait, and know for what."""
        self._tell(f"EXTEND_TIMEOUT_USEC={seconds * 1_000_000}")

    def status(self, text: str) -> None:
        """Say in one line how things stand; the same line is not said twice."""
        if text != self._status:
            self._status = text
            self._tell(f"STATUS={text}")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        # A manager that is being restarted is no reason for its service to end.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(message.encode(), address)
