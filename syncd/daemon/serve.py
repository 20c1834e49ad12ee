"""The local port: who is let in, and for how long. Loopback and plain HTTP.

Nobody who asks can hold up the daemon or others who ask: a connection has a few seconds however
it trickles, and where there are too many the oldest one goes.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final

from syncd.daemon.pages import Credentials, Handler, Health, Pages
from syncd.errors import ConfigError
from syncd.log import get_logger

__all__ = ["Credentials", "Health", "Pages", "Server", "open_server"]

CONNECTIONS: Final = 32
PATIENCE_S: Final = 5.0
POLL_S: Final = 0.25
"""How often connections that have had their time are looked for."""


@dataclass(frozen=True, slots=True)
class Server:
    """An open port."""

    port: int


@contextmanager
def open_server(listen: str, pages: Pages) -> Iterator[Server]:
    """Answer on `listen` ("127.0.0.1:9187") for the length of a block.

    Raises ConfigError where that address cannot be had.
    """
    server = _bound(listen, pages)
    thread = Thread(target=server.serve_forever, args=(POLL_S,), name="server", daemon=True)
    thread.start()
    try:
        yield Server(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        server.end_all()
        thread.join()


def _bound(listen: str, pages: Pages) -> _Server:
    host, _, port = listen.rpartition(":")
    try:
        return _Server((host.strip("[]"), int(port)), pages)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"server.listen: another program has {listen}.",
                hint='Name another port there, or "" to open none. Does syncd run already?',
            ) from error
        raise ConfigError(f"server.listen: {listen} cannot be had: {error.strerror}.") from error


class _Server(ThreadingMixIn, TCPServer):
    """A thread for each connection; none of them outlives its time or the server."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 4 * CONNECTIONS

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.pages = pages
        self._since: dict[Any, float] = {}
        self._lock = Lock()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let a connection in, in the place of the oldest if there are too many."""
        with self._lock:
            self._since[request] = monotonic()
            if len(self._since) > CONNECTIONS:
                self._end(next(iter(self._since)))
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection whose answer was given."""
        with self._lock:
            self._since.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End the connections that have had their time."""
        with self._lock:
            over = monotonic() - PATIENCE_S
            for request in [one for one, since in self._since.items() if since < over]:
                self._end(request)

    def end_all(self) -> None:
        """End every connection that is open still."""
        with self._lock:
            for request in list(self._since):
                self._end(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - theirs
        """Log what broke an answer off; a client that is gone is not worth a word."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            get_logger().error("answer.failed", kind=type(error).__name__, exc_info=True)

    def _end(self, request: Any) -> None:
        """Wake its thread out of whatever read or write it waits in; the thread closes it."""
        del self._since[request]
        with suppress(OSError):  # it was closed in this moment
            request.shutdown(socket.SHUT_RDWR)
