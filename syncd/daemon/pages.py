"""What the local port answers: health, readiness, metrics, and the webhook's OK.

Shows what it is given. Nothing of a request is logged: its line or headers can hold secrets.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import urlsplit

from syncd.log import get_logger
from syncd.secrets import Secret, redact
from syncd.services.metrics import CONTENT_TYPE

MOST_BYTES: Final = 1024 * 1024
"""Of a webhook's body; the account sends a few hundred."""
IDLE_S: Final = 5.0
HOOK: Final = "/hook"
LINKS: Final = ("/healthz", "/readyz", "/metrics")
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Health:
    """Whether all is well, and what to say about it: anything JSON can hold."""

    ok: bool
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the account's webhook says so that it is believed."""

    user: str
    password: Secret

    def match(self, header: str) -> bool:
        """Tell whether a header Authorization is theirs, in a time that tells nothing."""
        scheme, _, given = header.partition(" ")
        try:
            said = b64decode(given.strip(), validate=True) if scheme.lower() == "basic" else b""
        except (NotBase64, ValueError):
            said = b""
        return hmac.compare_digest(said, f"{self.user}:{self.password.reveal()}".encode())


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the answers come from. Each is called in the thread of a request, and soon returns.

    `hook` takes what the account sent, after it was thanked; without it and `credentials` there is
    no /hook.
    """

    healthy: Callable[[], Health]
    ready: Callable[[], Health]
    metrics: Callable[[], bytes]
    hook: Callable[[bytes], None] | None = None
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: HTTPStatus
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] | None = None


class Handler(BaseHTTPRequestHandler):
    """One connection: one request, one answer."""

    protocol_version = "HTTP/1.1"
    server_version = "syncd"
    sys_version = ""
    timeout = IDLE_S

    def do_GET(self) -> None:
        """Answer a request."""
        path = urlsplit(self.path).path
        if path == HOOK:
            self._hook()
        else:
            self._send(_page(self._pages, path))

    do_HEAD = do_GET  # noqa: N815 - http.server calls it by this name

    def do_POST(self) -> None:
        """Take what the webhook brings."""
        if urlsplit(self.path).path == HOOK:
            self._hook()
        else:
            self._send(_said(HTTPStatus.METHOD_NOT_ALLOWED))

    @property
    def _pages(self) -> Pages:
        pages: Pages = self.server.pages  # type: ignore[attr-defined]  # ours has them
        return pages

    def _hook(self) -> None:
        take, credentials = self._pages.hook, self._pages.credentials
        body = self._body()  # also of whom we refuse: an answer to half a request may get lost
        if take is None or credentials is None:
            self._send(_said(HTTPStatus.NOT_FOUND))
        elif not credentials.match(self.headers.get("Authorization", "")):
            self._send(_said(HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="syncd"'}))
        elif isinstance(body, HTTPStatus):
            self._send(_said(body))
        else:
            self._send(Reply(HTTPStatus.OK, b'{"status":"OK"}'))  # the words it looks for
            if body:
                take(body)

    def _body(self) -> bytes | HTTPStatus:
        """Return what was sent, or what is wrong with it."""
        if self.headers.get("Transfer-Encoding", "").strip().lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length", "0").strip()
        if not (length.isascii() and length.isdigit()):
            return HTTPStatus.BAD_REQUEST
        return self._exactly(int(length))

    def _exactly(self, length: int) -> bytes | HTTPStatus:
        if length > MOST_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = self.rfile.read(length)
        return body if len(body) == length else HTTPStatus.BAD_REQUEST

    def _chunks(self) -> bytes | HTTPStatus:
        """Read a body whose length was not known at its start (RFC 9112, section 7.1)."""
        body = b""
        while len(body) <= MOST_BYTES:
            size = self.rfile.readline(64).partition(b";")[0].strip()
            if not size or size.strip(b"0123456789abcdefABCDEF"):
                return HTTPStatus.BAD_REQUEST
            if int(size, 16) == 0:
                return body
            part = self._exactly(int(size, 16))
            if isinstance(part, HTTPStatus):
                return part
            body += part
            self.rfile.readline(4)
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        headers = {
            "Content-Type": reply.content_type,
            "Content-Length": str(len(reply.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
            **(reply.headers or {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002 - http.server's; it quotes the request
        explain: str | None = None,  # noqa: ARG002 - the same
    ) -> None:
        """Answer what could not be read as a request."""
        self._send(_said(HTTPStatus(code)))

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing of it: requests are many, and their lines are not ours."""


def _page(pages: Pages, path: str) -> Reply:
    """Return the page of a path. What fails in it is told, and ends nothing."""
    try:
        match path:
            case "/healthz":
                return _health(pages.healthy())
            case "/readyz":
                return _health(pages.ready())
            case "/metrics":
                return Reply(HTTPStatus.OK, pages.metrics(), CONTENT_TYPE)
            case "/":
                links = "".join(f'<p><a href="{link}">{link}</a>\n' for link in LINKS)
                text = f"<!doctype html>\n<title>syncd</title>\n{links}"
                return Reply(HTTPStatus.OK, text.encode(), "text/html; charset=utf-8")
            case _:
                return _said(HTTPStatus.NOT_FOUND)
    except Exception as error:  # noqa: BLE001 - whoever asks shall hear that it is not well
        get_logger().error("page.failed", page=path, kind=type(error).__name__, exc_info=True)
        return _said(HTTPStatus.INTERNAL_SERVER_ERROR)


def _health(health: Health) -> Reply:
    status = HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return Reply(status, json.dumps(_shown(health.body), indent=2, default=str).encode())


def _shown(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {str(key): _shown(part) for key, part in value.items()}
        case list() | tuple():
            return [_shown(part) for part in value]
    return value


def _said(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps({"error": status.phrase}).encode(), JSON, headers)
