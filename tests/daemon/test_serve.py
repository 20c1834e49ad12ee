"""The local port: who is answered what, and that nobody who asks can hold it up."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPResponse
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import pytest
from structlog.testing import capture_logs

from syncd.daemon.pages import MOST_BYTES
from syncd.daemon.serve import (
    CONNECTIONS,
    PATIENCE_S,
    Credentials,
    Health,
    Pages,
    open_server,
)
from syncd.errors import ConfigError
from syncd.secrets import Secret

CANARY = "canary-d00dfeed"
WELL = Health(ok=True, body={"status": "ok"})
ILL = Health(ok=False, body={"status": "no lease", "reasons": ["held by pid 7 on elsewhere"]})


@dataclass(slots=True)
class Hook:
    """Keeps what the webhook brought."""

    bodies: SimpleQueue[bytes] = field(default_factory=SimpleQueue)

    def __call__(self, body: bytes) -> None:
        self.bodies.put(body)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Door:
    """An open port, and how to ask there."""

    port: int
    host: str = "127.0.0.1"

    def ask(self, path: str, *, method: str = "GET", **more: Any) -> Answer:
        with closing(HTTPConnection(self.host, self.port, timeout=20)) as connection:
            connection.request(method, path, **more)
            return answer(connection.getresponse())

    def raw(self) -> socket.socket:
        """A connection that says nothing yet."""
        return socket.create_connection((self.host, self.port), timeout=20)


def answer(response: HTTPResponse) -> Answer:
    return Answer(response.status, response.read(), dict(response.getheaders()))


PAGES = Pages(healthy=lambda: WELL, ready=lambda: ILL, metrics=lambda: b"syncd_up 1\n")


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture(scope="module")
def hook() -> Hook:
    return Hook()


@pytest.fixture(scope="module")
def door(hook: Hook) -> Iterator[Door]:
    """A port that the tests of answers share."""
    credentials = Credentials("worksection", Secret(CANARY))
    with open_server("127.0.0.1:0", replace(PAGES, hook=hook, credentials=credentials)) as server:
        yield Door(server.port)


# --- the pages


def test_health_is_200_or_503_with_the_reasons(door: Door) -> None:
    well, ill = door.ask("/healthz"), door.ask("/readyz?verbose")
    assert (200, WELL.body) == (well.status, well.document)
    assert (503, ILL.body) == (ill.status, ill.document)
    assert {"application/json"} == {one.headers["Content-Type"] for one in (well, ill)}


def test_metrics_are_what_they_are(door: Door) -> None:
    told = door.ask("/metrics")
    assert (200, b"syncd_up 1\n") == (told.status, told.body)
    assert told.headers["Content-Type"].startswith("text/plain; version=")


def test_the_first_page_links_to_the_others(door: Door) -> None:
    assert all(f'href="{path}"'.encode() in door.ask("/").body for path in ("/healthz", "/metrics"))


def test_a_head_is_an_answer_without_its_body(door: Door) -> None:
    told = door.ask("/healthz", method="HEAD")
    assert (200, b"") == (told.status, told.body)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/healthz/", 404),
        ("POST", "/healthz", 405),
        ("DELETE", "/healthz", 501),
    ],
)
def test_what_there_is_not_is_said_in_json(door: Door, method: str, path: str, status: int) -> None:
    told = door.ask(path, method=method)
    assert (status, ["error"]) == (told.status, list(told.document))


@pytest.mark.parametrize(
    "request_line",
    [b"GET\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"A" * 70_000],
)
def test_what_is_no_request_gets_an_answer_or_none_and_ends_nothing(
    door: Door, request_line: bytes
) -> None:
    with door.raw() as connection:
        connection.sendall(request_line + b"\r\n\r\n")
        connection.recv(1000)
    assert 200 == door.ask("/healthz").status


def test_a_page_that_fails_is_500_and_told_in_the_log() -> None:
    def fail() -> Health:
        raise ZeroDivisionError(CANARY)

    with (
        capture_logs() as logged,
        open_server("127.0.0.1:0", replace(PAGES, healthy=fail)) as server,
    ):
        told = Door(server.port).ask("/healthz")
        assert 200 == Door(server.port).ask("/metrics").status
    assert (500, {"error": "Internal Server Error"}) == (told.status, told.document)
    assert [("page.failed", "ZeroDivisionError")] == [(e["event"], e["kind"]) for e in logged]


def test_nothing_secret_is_shown_or_logged(hook: Hook, capfd: pytest.CaptureFixture[str]) -> None:
    body = {"error": f"hash={CANARY}", "more": [{"said": CANARY}]}
    pages = Pages(
        healthy=lambda: Health(ok=False, body=body),
        ready=lambda: WELL,
        metrics=lambda: b"",
        hook=hook,
        credentials=Credentials("worksection", Secret(CANARY)),
    )
    with capture_logs() as logged, open_server("127.0.0.1:0", pages) as server:
        door = Door(server.port)
        told = [
            door.ask("/healthz"),
            door.ask("/"),
            door.ask(f"/{CANARY}?hash={CANARY}"),
            door.ask("/hook", headers=basic("worksection", "wrong")),
            door.ask(f"/hook?token={CANARY}", headers=basic("worksection", CANARY)),
        ]
    assert {"error": "hash=***", "more": [{"said": "***"}]} == told[0].document
    shown = str(told) + str(logged) + str(capfd.readouterr())
    assert CANARY not in shown


# --- the webhook


def test_the_webhook_is_thanked_and_what_it_brought_is_handed_on(door: Door, hook: Hook) -> None:
    body = b'[{"action":"update","object":{"type":"task","id":"331894"}}]'
    told = door.ask("/hook", method="POST", body=body, headers=basic("worksection", CANARY))
    assert (200, {"status": "OK"}) == (told.status, told.document)
    assert body == hook.bodies.get(timeout=10)


def test_a_body_in_chunks_is_taken_too(door: Door, hook: Hook) -> None:
    parts = iter([b"[1,", b"2" * 5000, b"]"])
    headers = basic("worksection", CANARY)
    told = door.ask("/hook", method="POST", body=parts, headers=headers, encode_chunked=True)
    assert 200 == told.status
    assert b"[1," + b"2" * 5000 + b"]" == hook.bodies.get(timeout=10)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_probe_without_a_body_is_thanked_and_means_nothing(
    door: Door, hook: Hook, method: str
) -> None:
    told = door.ask("/hook", method=method, headers=basic("worksection", CANARY))
    assert 200 == told.status
    assert hook.bodies.empty()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("worksection", "wrong"),
        basic("somebody", CANARY),
        basic("", ""),
        {"Authorization": f"Bearer {CANARY}"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
    ],
)
def test_nobody_else_is_believed(door: Door, hook: Hook, headers: dict[str, str]) -> None:
    told = door.ask("/hook", method="POST", body=b"[1]", headers=headers)
    assert 401 == told.status
    assert "Basic" in told.headers["WWW-Authenticate"]
    assert hook.bodies.empty()


@pytest.mark.parametrize(
    ("length", "status"),
    [(str(MOST_BYTES + 1), 413), ("-1", 400), ("many", 400), ("²", 400)],
)
def test_a_body_that_is_too_long_or_of_no_length_is_refused_unread(
    door: Door, hook: Hook, length: str, status: int
) -> None:
    with closing(HTTPConnection("127.0.0.1", door.port, timeout=20)) as connection:
        connection.putrequest("POST", "/hook")
        for name, value in basic("worksection", CANARY).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", length.encode())
        connection.endheaders()
        assert status == connection.getresponse().status
    assert hook.bodies.empty()


@pytest.mark.parametrize("chunk", [b"xyz\r\n", b"\r\n", b"fffffff\r\n"])
def test_chunks_that_are_none_are_refused(door: Door, hook: Hook, chunk: bytes) -> None:
    secret = basic("worksection", CANARY)["Authorization"].encode()
    with door.raw() as connection:
        connection.sendall(
            b"POST /hook HTTP/1.1\r\nHost: x\r\nAuthorization: "
            + secret
            + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunk
        )  # fmt: skip - one request
        assert connection.recv(100).split()[1] in {b"400", b"413"}
    assert hook.bodies.empty()


def test_without_credentials_there_is_no_webhook() -> None:
    with open_server("127.0.0.1:0", replace(PAGES, hook=Hook())) as server:
        told = Door(server.port).ask("/hook", method="POST", body=b"[1]", headers=basic("", ""))
    assert 404 == told.status


def test_a_webhook_is_thanked_before_what_it_brought_is_looked_at() -> None:
    """The account gives up a webhook that does not answer within five seconds, ten times."""
    goes_on = Event()
    pages = replace(
        PAGES, hook=lambda _: goes_on.wait(30) and None, credentials=Credentials("w", Secret("p"))
    )
    with open_server("127.0.0.1:0", pages) as server:
        told = Door(server.port).ask("/hook", method="POST", body=b"[1]", headers=basic("w", "p"))
        assert 200 == told.status
        goes_on.set()


# --- those who hold things up


def test_others_are_answered_while_many_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.daemon.serve.PATIENCE_S", 1000.0)
    monkeypatch.setattr("syncd.daemon.pages.Handler.timeout", 1000.0)
    with open_server("127.0.0.1:0", PAGES) as server, ExitStack() as stack:
        door = Door(server.port)
        silent = [stack.enter_context(door.raw()) for _ in range(CONNECTIONS + 5)]
        assert 200 == door.ask("/healthz").status
        assert b"" == silent[0].recv(10), "the oldest had to go"
        silent[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert silent[-1].recv(10).startswith(b"HTTP/1.1"), "the newest had not"


def test_who_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.daemon.serve.PATIENCE_S", 0.3)
    with open_server("127.0.0.1:0", PAGES) as server, Door(server.port).raw() as slow:
        ended = Event()
        Thread(target=trickle, args=(slow, ended), daemon=True).start()
        assert ended.wait(10), "it may go on for ever"


def trickle(connection: socket.socket, ended: Event) -> None:
    """Send a header line that never ends, a byte at a time."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
    try:
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)  # it is what a slow client does
    except OSError:
        ended.set()


def test_a_server_that_closes_waits_for_nobody() -> None:
    asked, goes_on = Event(), Event()

    def hang() -> Health:
        asked.set()
        goes_on.wait(30)
        return WELL

    with ExitStack() as stack:
        with open_server("127.0.0.1:0", replace(PAGES, healthy=hang)) as server:
            silent = stack.enter_context(Door(server.port).raw())
            waiting = stack.enter_context(Door(server.port).raw())
            waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert asked.wait(10)
            started = time.monotonic()
        assert time.monotonic() - started < PATIENCE_S / 2
        assert (b"", b"") == (silent.recv(10), waiting.recv(10))
        goes_on.set()
        with pytest.raises(ConnectionRefusedError):
            Door(server.port).raw()


# --- the address


def test_a_port_that_is_taken_is_an_error_that_names_the_setting(door: Door) -> None:
    with (
        pytest.raises(ConfigError, match=r"^server\.listen: another program has 127") as why,
        open_server(f"127.0.0.1:{door.port}", PAGES),
    ):
        pass
    assert "syncd run" in why.value.hint


def test_an_address_that_is_not_here_is_an_error_too() -> None:
    with (
        pytest.raises(ConfigError, match=r"^server\.listen: 192\.0\.2\.1:0 cannot be had"),
        open_server("192.0.2.1:0", PAGES),
    ):
        pass


def test_a_port_can_be_had_again_at_once() -> None:
    with open_server("127.0.0.1:0", PAGES) as first:
        assert 200 == Door(first.port).ask("/healthz").status
    with open_server(f"127.0.0.1:{first.port}", PAGES) as second:
        assert 200 == Door(second.port).ask("/healthz").status


@pytest.mark.parametrize("listen", ["localhost:0", "[::1]:0"])
def test_every_way_to_name_this_machine_is_understood(listen: str) -> None:
    host = listen.rpartition(":")[0].strip("[]")
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6 on its loopback")
    with open_server(listen, PAGES) as server:
        assert 200 == Door(server.port, host).ask("/healthz").status


def has_ipv6() -> bool:
    with closing(socket.socket(socket.AF_INET6)) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
        return True
