"""HTTP/1.1 on loopback: reads requests, delivers answers, breaks connections when told to."""

from __future__ import annotations

import gzip
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from syncd.sandbox.requests import Answer, Asked

LONGEST_LINE = 60_000
SMALLEST_ZIPPED = 256
GZIP_LEVEL = 1
HEADERS = {
    "Server": "nginx",
    "Cache-Control": "no-store, no-cache, must-revalidate",
    "Expires": "Thu, 19 Nov 1981 08:52:00 GMT",
    "Access-Control-Allow-Origin": "*",
}
Router = Callable[[Asked], Answer]


class Server(ThreadingHTTPServer):
    """A server that knows its open connections, so that closing it ends them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, router: Router, unix_time: Callable[[], float]) -> None:
        self.router = router
        self.unix_time = unix_time
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, then serve it in a thread of its own."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of ours; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End the serving loop; a connection wakes it, so that nobody waits for its next turn."""
        stopping = threading.Thread(target=self.shutdown)
        stopping.start()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.server_port), timeout=1).close()
        stopping.join()

    def end_connections(self) -> None:
        """Close every connection, which ends the threads that serve them."""
        with self._open_lock:
            for each in self._open:
                hang_up(each)


def hang_up(connection: socket.socket) -> None:
    """End a connection in both directions; it may have ended already."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """Answer a request without a body."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a request with a body."""
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the sandbox has its own journal."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else self._chunks()
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.router(Asked(self.command, self.path, headers, body))
        if answer.drop:
            self._drop(answer.reset)
        else:
            self._deliver(answer)

    def _chunks(self) -> bytes:
        """A body in chunks, as requests sends a generator."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return b""
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _drop(self, reset: bool) -> None:
        """End the connection without a word, or with a reset."""
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        else:
            hang_up(self.connection)

    def _deliver(self, answer: Answer) -> None:
        body, encoding = self._encoded(answer)
        sent = cut(body, answer.keep)
        length = len(sent) if answer.honest_length else len(body)
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string(int(self.server.unix_time())))
        for name, value in {**HEADERS, **encoding, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.connection.sendall(sent)
        if length > len(sent):
            self._drop(reset=False)

    def _encoded(self, answer: Answer) -> tuple[bytes, dict[str, str]]:
        """The body, compressed for those who take it so."""
        wanted = "gzip" in self.headers.get("Accept-Encoding", "")
        if not wanted or len(answer.body) < SMALLEST_ZIPPED:
            return answer.body, {}
        if answer.zipped_by is not None:
            zipped = answer.zipped_by.zipped()
        else:
            zipped = gzip.compress(answer.body, GZIP_LEVEL, mtime=0)
        return zipped, {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def cut(body: bytes, keep: float | None) -> bytes:
    """The first bytes: a share of them below 1, else a number."""
    if keep is None:
        return body
    return body[: int(len(body) * keep) if keep < 1 else int(keep)]
