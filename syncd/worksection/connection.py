"""Connections that tell whether a byte of the request may have left, and can be cut.

That one bit decides between "nothing was sent" and "it may have landed", so it is taken where the
bytes are handed to the socket, not guessed from the kind of an exception.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection


class Wire:
    """The present exchange on a client's one connection."""

    def __init__(self) -> None:
        self.sent = False
        self.expired = False
        self._sock: socket.socket | None = None
        self._on_leaving: Callable[[], None] = lambda: None

    def begin(self, on_leaving: Callable[[], None]) -> None:
        """Forget the last exchange; the connection may be the same."""
        self.sent = False
        self.expired = False
        self._on_leaving = on_leaving

    def connected(self, sock: Any) -> None:
        """Take note of a new connection, which the deadline may cut."""
        self._sock = sock

    def sending(self) -> None:
        """Say that bytes are about to leave."""
        if self.expired:
            raise TimeoutError("no time was left to send the request")
        if not self.sent:
            self._on_leaving()
            self.sent = True

    def has_left(self) -> None:
        """Say that they have: a process that was stopped just before is late with them."""
        self._on_leaving()

    def cut(self) -> None:
        """End the exchange from another thread: a blocked read returns at once.

        Shut down below TLS: closing TLS in order would wait for the other side.
        """
        self.expired = True
        if self._sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


class Deadline:
    """Cuts the wire when an exchange takes too long altogether, however it trickles.

    One thread watches over all exchanges of a connection, and ends after the last: to start one for
    each costs a small request a tenth and more of its processor time.
    """

    def __init__(self, wire: Wire, seconds: float) -> None:
        self._wire = wire
        self._seconds = seconds
        self._changed = threading.Condition()
        self._ends_at: float | None = None
        self._watched = False

    def begin(self) -> None:
        """An exchange begins. The one before it has been cancelled, or was cut."""
        with self._changed:
            self._ends_at = time.monotonic() + self._seconds
            if not self._watched:
                threading.Thread(target=self._watch, name="deadline", daemon=True).start()
                self._watched = True

    def cancel(self) -> None:
        """The exchange is over; once this returns, nothing is cut any more."""
        with self._changed:
            self._ends_at = None

    def close(self) -> None:
        """Let the thread end now."""
        with self._changed:
            self._ends_at = None
            self._changed.notify()

    def _watch(self) -> None:
        """Sleep until the present exchange has to end; later ones end later, and wake nobody."""
        with self._changed:
            while self._ends_at is not None:
                left_s = self._ends_at - time.monotonic()
                if left_s <= 0:
                    self._wire.cut()
                    self._ends_at = None
                else:
                    self._changed.wait(left_s)
            self._watched = False


class PlainConnection(HTTPConnection):
    """HTTP to an account on this machine."""

    def __init__(self, *args: Any, wire: Wire, **options: Any) -> None:
        super().__init__(*args, **options)
        self._wire = wire

    def connect(self) -> None:
        """Connect, and let the deadline know."""
        super().connect()
        self._wire.connected(self.sock)

    def send(self, data: Any) -> None:
        """Connect first, so that a failure to connect counts as nothing sent."""
        if self.sock is None:
            self.connect()
        self._wire.sending()
        super().send(data)
        self._wire.has_left()


class TlsConnection(HTTPSConnection):
    """HTTPS; the handshake belongs to connecting, nothing of the request is in it."""

    def __init__(self, *args: Any, wire: Wire, **options: Any) -> None:
        super().__init__(*args, **options)
        self._wire = wire

    def connect(self) -> None:
        """Connect, and let the deadline know."""
        super().connect()
        self._wire.connected(self.sock)

    def send(self, data: Any) -> None:
        """Connect first, so that a failure to connect counts as nothing sent."""
        if self.sock is None:
            self.connect()
        self._wire.sending()
        super().send(data)
        self._wire.has_left()
