"""A scripted HTTP peer on raw sockets: it answers byte for byte what a test tells it to."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DATE = "Thu, 01 Jan 2026 12:00:00 GMT"


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def query(self) -> str:
        return urlsplit(self.target).query

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query or self.body.decode(), keep_blank_values=True))


Step = bytes | Callable[[socket.socket, "Peer"], None]
Rule = Callable[[Received], Step]


class Peer:
    """Answers each request with the next step of its script, then the last one for ever.

    A step is the bytes of an answer, after which the connection stays open, or a function that
    does with the connection what it wants; returning, it closes it.
    """

    def __init__(self, *steps: Step, rule: Rule | None = None) -> None:
        self._steps = list(steps)
        self._rule = rule
        self.requests: list[Received] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Peer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(
                target=self._serve, args=(connection, self.connections), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while (received := _read(stream, number)) is not None:
                    self.requests.append(received)
                    step = self._next(received)
                    if callable(step):
                        step(connection, self)
                        return
                    connection.sendall(step)
                    if b"\r\nConnection: close" in step:
                        return
        except (OSError, UnicodeDecodeError):  # a TLS handshake is no request
            return

    def _next(self, received: Received) -> Step:
        if self._rule is not None:
            return self._rule(received)
        return self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]


def _read(stream: Any, number: int) -> Received | None:
    line = stream.readline().decode().strip()
    if not line:
        return None
    headers = {}
    while (header := stream.readline().decode().strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(line, headers, body, number)


def http(
    body: bytes, *, status: str = "200 OK", length: int | None = None, **headers: str
) -> bytes:
    """Return a whole answer; `length` lies about the body's."""
    given = {
        "Date": DATE,
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body) if length is None else length),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ok(data: Any = None, **headers: str) -> bytes:
    """Return a good answer; without data it has no such key."""
    document = {"status": "ok"} if data is None else {"status": "ok", "data": data}
    return http(json.dumps(document).encode(), **headers)


def error(code: int | None, message: str, details: str = "", status: str = "200 OK") -> bytes:
    """Return an error the way the account does: with HTTP 200."""
    document: dict[str, Any] = {"status": "error", "message": message}
    if code is not None:
        document["status_code"] = code
    if details:
        document["message_details"] = details
    return http(json.dumps(document).encode(), status=status)


def zipped(data: Any, *, cut: int = 0) -> bytes:
    """Return a gzip answer whose stream may end too early, with a length that says nothing."""
    body = gzip.compress(json.dumps({"status": "ok", "data": data}).encode())
    return http(body[: len(body) - cut], Content_Encoding="gzip")


def chunked(*chunks: bytes, ended: bool = True) -> bytes:
    """Return an answer in chunks, with or without the last one."""
    head = f"HTTP/1.1 200 OK\r\nDate: {DATE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return head + body + (b"0\r\n\r\n" if ended else b"")


def then_close(answer: bytes) -> Step:
    """Send and close in order."""
    return lambda connection, _: connection.sendall(answer)


def reset(answer: bytes = b"") -> Step:
    """Send and break the connection off, as a crashed process does."""

    def step(connection: socket.socket, _: Peer) -> None:
        connection.sendall(answer)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return step


def silence(_: socket.socket, peer: Peer) -> None:
    """Take the request and never answer."""
    peer.stopping.wait(30)


def trickle(answer: bytes) -> Step:
    """Send a byte now and then: never silent for long, never done."""

    def step(connection: socket.socket, peer: Peer) -> None:
        for byte in answer:
            if peer.stopping.wait(0.02):
                return
            connection.sendall(bytes([byte]))

    return step
