"""What a broken connection means: nothing was sent, or it may have landed."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from syncd.errors import AccountError, BadReply, ConfigError, Unanswered, Unreachable
from syncd.worksection.backoff import Patience
from syncd.worksection.connection import Deadline, PlainConnection, Wire
from syncd.worksection.methods import tasks
from tests.worksection import peer as wire
from tests.worksection.builders import a_client
from tests.worksection.peer import Peer, Step, http, ok

ONCE = Patience(tries=1)
WRITE = tasks.complete_task(5)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_refused_connection_sent_nothing_and_is_told_in_the_system_s_words() -> None:
    with a_client(f"http://{closed_port()}") as client, pytest.raises(Unreachable) as caught:
        client.call(WRITE)
    assert caught.value.message == "The account could not be reached: Connection refused"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (wire.then_close(b""), "Remote end closed connection without response"),
        (wire.reset(), "Connection reset by peer"),
        (wire.then_close(b"hi \x1b[2J there\r\n\r\n"), "BadStatusLine: hi [2J there"),
        (wire.then_close(http(b"abc", length=9)), "IncompleteRead(3 bytes read, 6 more expected)"),
        (wire.silence, "timed out"),
    ],
    ids=["closed", "reset", "no HTTP", "cut", "silent"],
)
def test_why_there_is_no_answer_is_told_without_the_insides_of_a_library(
    step: Step, words: str
) -> None:
    with (
        Peer(step) as peer,
        a_client(peer.url, timeout_s=0.3, patience=ONCE) as client,
        pytest.raises(Unanswered) as caught,
    ):
        client.call(WRITE)
    assert caught.value.message == f"No complete answer came: {words}"


def test_a_failed_handshake_sent_nothing() -> None:
    with (
        Peer(ok()) as peer,
        a_client(peer.url.replace("http:", "https:")) as client,
        pytest.raises(Unreachable),
    ):
        client.call(WRITE)
    assert peer.requests == []


def test_a_full_backlog_is_a_connect_timeout_and_sent_nothing() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]  # Linux lets one more in than it was told
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with (
            a_client(f"http://127.0.0.1:{address[1]}", timeout_s=0.2) as client,
            pytest.raises(Unreachable),
        ):
            client.call(WRITE)
        for each in waiting:
            each.close()


@pytest.mark.parametrize(
    "step",
    [
        wire.then_close(b""),
        wire.reset(),
        wire.then_close(b"HTTP/1.1 200 OK\r\nContent-"),
        wire.then_close(http(b'{"status":"ok"}', length=500)),
        wire.reset(http(b'{"status":"ok"}', length=500)),
        wire.then_close(wire.chunked(b'{"status":', b'"ok"}', ended=False)),
        wire.then_close(wire.zipped(["x" * 50], cut=9)),
        wire.zipped(["x" * 50], cut=9),
        wire.zipped(["x" * 50], cut=4),
        http(b""),
        http(b'{"status":"ok","data":[{"id":'),
        http(b"", status="500 Internal Server Error"),
        http(b"<html>", status="502 Bad Gateway"),
        http(b"", status="503 Service Unavailable", Retry_After="2"),
        http(b"", status="504 Gateway Timeout"),
        http(b"", status="408 Request Timeout"),
    ],
)
@pytest.mark.parametrize("request_", [WRITE, tasks.get_task(5)], ids=["write", "read"])
def test_what_was_sent_and_not_answered_may_have_landed(step: Step, request_: object) -> None:
    read_503 = request_ is not WRITE and isinstance(step, bytes) and b"Retry-After" in step
    expected = "Throttled" if read_503 else "Unanswered"
    with (
        Peer(step) as peer,
        a_client(peer.url, patience=ONCE) as client,
        pytest.raises(AccountError) as caught,
    ):
        client.call(request_)
    assert type(caught.value).__name__ == expected
    assert len(peer.requests) == 1


def test_the_pace_counts_from_when_the_bytes_have_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is stopped between its clock and its socket sends late."""
    told: list[str] = []
    send = HTTPConnection.send

    def noted(connection: HTTPConnection, data: bytes) -> None:
        send(connection, data)
        told.append("bytes")

    monkeypatch.setattr(HTTPConnection, "send", noted)
    with Peer(ok()) as peer:
        exchange = Wire()
        exchange.begin(lambda: told.append("clock"))
        host, _, port = peer.url.removeprefix("http://").partition(":")
        connection = PlainConnection(host, int(port), wire=exchange)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
    assert ["clock", "bytes", "clock"] == told


@pytest.mark.parametrize("answer", [ok(["x"] * 1000), http(b"x" * 9000, X_Long="y" * 9000)])
def test_a_trickle_is_given_up_at_the_deadline(answer: bytes) -> None:
    with (
        Peer(wire.trickle(answer)) as peer,
        a_client(peer.url, timeout_s=5, deadline_s=0.2, patience=ONCE) as client,
        pytest.raises(Unanswered, match="took too long"),
    ):
        client.call(WRITE)


def test_a_body_without_a_length_is_whole_when_it_is_json() -> None:
    bare = b'HTTP/1.1 200 OK\r\n\r\n{"status":"ok","data":[1]}'
    with Peer(wire.then_close(bare)) as peer, a_client(peer.url) as client:
        assert client.call(tasks.get_task(1)).decode(list[int]) == [1]
    with (
        Peer(wire.then_close(bare[:-3])) as peer,
        a_client(peer.url, patience=ONCE) as client,
        pytest.raises(Unanswered),
    ):
        client.call(tasks.get_task(1))


def test_gzip_and_chunks_arrive_whole() -> None:
    chunks = wire.chunked(b'{"status":"ok",', b'"data":["', b"y" * 70_000, b'"]}')
    with Peer(wire.zipped(["x" * 300_000]), chunks) as peer, a_client(peer.url) as client:
        assert client.call(tasks.get_task(1)).decode(list[str]) == ["x" * 300_000]
        assert client.call(tasks.get_task(1)).decode(list[str]) == ["y" * 70_000]
    assert peer.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "answer",
    [
        http(b"not gzip at all", Content_Encoding="gzip"),
        http(b'{"status":"ok"}', Content_Encoding="br"),
    ],
)
def test_a_body_in_another_encoding_makes_no_sense(answer: bytes) -> None:
    with Peer(answer) as peer, a_client(peer.url) as client, pytest.raises(BadReply):
        client.call(WRITE)


def test_a_bomb_is_not_unpacked_past_the_limit() -> None:
    with (
        Peer(wire.zipped(["x" * 5_000_000])) as peer,
        a_client(peer.url, max_body=1_000_000) as client,
        pytest.raises(BadReply, match="larger"),
    ):
        client.call(tasks.get_task(1))


def test_reads_share_a_connection_and_each_write_has_a_fresh_one() -> None:
    with Peer(ok([])) as peer, a_client(peer.url) as client:
        for request in (tasks.get_task(1), tasks.get_task(1), WRITE, tasks.get_task(1), WRITE):
            client.call(request)
    assert [r.connection for r in peer.requests] == [1, 1, 2, 2, 3]


def test_a_read_on_a_connection_that_went_stale_is_tried_again() -> None:
    with Peer(wire.then_close(ok([])), ok([])) as peer, a_client(peer.url) as client:
        client.call(tasks.get_task(1))
        client.call(tasks.get_task(1))
    assert len(peer.requests) == 2


def test_a_redirect_is_not_followed() -> None:
    for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):
        with Peer(ok([])) as other:
            with (
                Peer(http(b"", status=status, Location=other.url)) as peer,
                a_client(peer.url) as client,
                pytest.raises(BadReply, match="redirect"),
            ):
                client.call(WRITE)
            assert other.requests == []
            assert len(peer.requests) == 1


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://{closed_port()}")
    monkeypatch.setenv("http_proxy", f"http://{closed_port()}")
    with Peer(ok([])) as peer, a_client(peer.url) as client:
        client.call(tasks.get_task(1))
    assert "authorization" not in peer.requests[0].headers


def test_no_cookie_is_kept() -> None:
    with Peer(ok([], Set_Cookie="PHPSESSID=1")) as peer, a_client(peer.url) as client:
        client.call(tasks.get_task(1))
        client.call(tasks.get_task(1))
    assert "cookie" not in peer.requests[1].headers


def test_a_deadline_before_the_first_byte_sends_nothing() -> None:
    bytes_left: list[int] = []
    each = Wire()
    each.begin(lambda: bytes_left.append(1))
    each.cut()
    with pytest.raises(TimeoutError):
        each.sending()
    assert (each.sent, bytes_left) == (False, [])


def watchers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "deadline"}


@pytest.fixture
def until_none_watches() -> Callable[[], None]:
    before = watchers()

    def wait() -> None:
        for watcher in watchers() - before:
            watcher.join(10)

    return wait


def test_one_thread_watches_all_exchanges_and_ends_with_the_client() -> None:
    before = watchers()
    with Peer(ok([]), wire.reset(), ok([])) as peer, a_client(peer.url, patience=ONCE) as client:
        client.call(tasks.get_task(1))
        with pytest.raises(Unanswered):
            client.call(WRITE)
        client.call(tasks.get_task(1))
        (watcher,) = watchers() - before
    watcher.join(2)
    assert not watcher.is_alive()


def test_a_deadline_counts_from_the_begin_of_its_own_exchange(
    until_none_watches: Callable[[], None],
) -> None:
    each = Wire()
    deadline = Deadline(each, 0.5)
    deadline.begin()
    deadline.cancel()
    time.sleep(0.3)  # most of the first one's time: counted from there, the second is cut too soon
    began = time.monotonic()
    deadline.begin()
    until_none_watches()
    assert each.expired
    assert time.monotonic() - began >= 0.5


def test_a_cancelled_deadline_cuts_nothing(until_none_watches: Callable[[], None]) -> None:
    each = Wire()
    deadline = Deadline(each, 0.5)
    deadline.begin()
    deadline.cancel()
    until_none_watches()
    assert not each.expired


def test_a_deadline_cuts_again_after_it_has_cut(until_none_watches: Callable[[], None]) -> None:
    each = Wire()
    deadline = Deadline(each, 0.05)
    for _ in range(2):
        each.begin(lambda: None)
        deadline.begin()
        until_none_watches()
        assert each.expired


def test_the_logs_of_the_libraries_hold_no_hash(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Peer(ok([])) as peer, a_client(peer.url) as client:
        client.call(tasks.get_tasks(26))
    assert "get_tasks" in caplog.text
    assert "hash=***" in caplog.text
    assert "ec3ab2c28f21b4a07424f8ed688d6644" not in caplog.text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture
def tls_url(certificate: tuple[Path, Path]) -> Iterator[str]:
    """A TLS server that answers two requests on each connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    while connection.recv(65536):
                        connection.sendall(ok([1]))
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_tls_with_a_known_authority_works(tls_url: str, certificate: tuple[Path, Path]) -> None:
    with a_client(tls_url, ca_file=certificate[0]) as client:
        assert client.call(tasks.get_task(1)).decode(list[int]) == [1]
        assert client.call(WRITE).decode(list[int]) == [1]


def test_tls_with_an_unknown_authority_sends_nothing(tls_url: str) -> None:
    with a_client(tls_url) as client, pytest.raises(Unreachable, match="certificate"):
        client.call(WRITE)


def test_a_missing_file_of_authorities_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with (
        a_client("https://127.0.0.1:1", ca_file=tmp_path / "none") as client,
        pytest.raises(ConfigError),
    ):
        client.call(WRITE)
