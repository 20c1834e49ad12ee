"""OAuth2: the token renews itself, and no pair is ever lost to us by our own doing."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from syncd.errors import (
    BadReply,
    ConfigError,
    StorageFailed,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from syncd.secrets import Secret
from syncd.worksection import tokens as tokens_module
from syncd.worksection.consent import Consent, authorize_url
from syncd.worksection.methods import tasks
from syncd.worksection.oauth import OAuth2
from syncd.worksection.tokens import TokenFile, Tokens
from tests.worksection.builders import FakeTime, a_client, names_in
from tests.worksection.peer import Peer, Received, Step, error, http, ok

EXPIRED = http(b'{"status":"error","message":"Access token is expired"}', status="401 Unauthorized")


class Vendor:
    """An account and its OAuth2 endpoints: a refresh kills the old pair."""

    def __init__(self) -> None:
        self.generation = 1
        self.keeps_url = False
        self.on_refresh: Any = lambda: None

    def __call__(self, received: Received) -> Step:
        if received.target.startswith("/oauth2/refresh"):
            return self.refresh(received)
        good = received.headers["authorization"] == f"Bearer access-{self.generation}"
        return ok([1]) if good else EXPIRED

    def refresh(self, received: Received) -> Step:
        self.on_refresh()
        if received.params["refresh_token"] != f"refresh-{self.generation}":
            return http(
                b'{"error":"invalid_request","errorDescription":"Cannot decrypt the refresh token"}'
            )
        self.generation += 1
        pair = {
            "token_type": "Bearer",
            "expires_in": 86400,
            "access_token": f"access-{self.generation}",
            "refresh_token": f"refresh-{self.generation}",
        }
        return http(json.dumps(pair).encode())


def stored(path: Path, access: str = "access-0", refresh: str = "refresh-1") -> TokenFile:
    document = {
        "access_token": access,
        "refresh_token": refresh,
        "account_url": "https://acme.worksection.com",
        "note": "kept",
    }
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return TokenFile(path, sleep=FakeTime().sleep)


def a_scheme(file: TokenFile, url: str) -> OAuth2:
    return OAuth2(file, Consent("client", Secret("client-secret"), 5, oauth_url=url))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


def test_a_token_goes_in_a_header_and_parameters_in_the_query(path: Path) -> None:
    file = stored(path, access="access-1")
    with Peer(rule=Vendor()) as peer, a_client(peer.url, scheme=a_scheme(file, peer.url)) as client:
        client.call(tasks.get_tasks(26))
        client.call(tasks.post_task(26, "t", text="x" * 9000))
    first, second = peer.requests
    assert first.line == "GET /api/oauth2?action=get_tasks&id_project=26 HTTP/1.1"
    assert second.line == "POST /api/oauth2?action=post_task HTTP/1.1"
    assert second.body.startswith(b"id_project=26&title=t&text=xxx")
    assert "access-1" not in first.target + second.target + second.body.decode()


def test_an_expired_token_is_renewed_once_and_stored_before_it_is_used(path: Path) -> None:
    file = stored(path)
    on_disk: list[str] = []

    def rule(received: Received) -> Step:
        on_disk.append(json.loads(path.read_text())["access_token"])
        return vendor(received)

    vendor = Vendor()
    with Peer(rule=rule) as peer, a_client(peer.url, scheme=a_scheme(file, peer.url)) as client:
        assert client.call(tasks.complete_task(1)).decode(list[int]) == [1]
        client.call(tasks.complete_task(2))
    assert on_disk == ["access-0", "access-0", "access-2", "access-2"]
    assert json.loads(path.read_text()) == {
        "access_token": "access-2",
        "refresh_token": "refresh-2",
        "account_url": "https://acme.worksection.com",
        "token_type": "Bearer",
        "expires_in": 86400,
        "note": "kept",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names_in(path.parent) == ["token.json", "token.json.lock"]


def test_a_token_that_stays_expired_is_not_renewed_for_ever(path: Path) -> None:
    file = stored(path)

    def rule(received: Received) -> Step:
        return vendor(received) if "refresh" in received.target else EXPIRED

    vendor = Vendor()
    with (
        Peer(rule=rule) as peer,
        a_client(peer.url, scheme=a_scheme(file, peer.url)) as client,
        pytest.raises(Unauthorized),
    ):
        client.call(tasks.get_task(1))
    assert len(peer.requests) == 3


def test_a_dead_refresh_token_needs_a_person(path: Path) -> None:
    file = stored(path, refresh="refresh-of-old")
    with (
        Peer(rule=Vendor()) as peer,
        a_client(peer.url, scheme=a_scheme(file, peer.url)) as client,
        pytest.raises(Unauthorized, match="Cannot decrypt the refresh token") as caught,
    ):
        client.call(tasks.get_task(1))
    assert "syncd init" in str(caught.value)
    assert "refresh-of-old" not in str(caught.value)
    assert json.loads(path.read_text())["access_token"] == "access-0"


def test_a_pair_renewed_by_another_process_is_taken_not_renewed_again(path: Path) -> None:
    file = stored(path)
    with Peer(rule=Vendor()) as peer, a_client(peer.url, scheme=a_scheme(file, peer.url)) as client:
        assert client.scheme.secrets()
        client.scheme.sign(tasks.get_task(1), peer.url)  # has read the old pair
        stored(path, access="access-1")
        client.call(tasks.get_task(1))
    assert [r.target.split("?")[0] for r in peer.requests] == ["/api/oauth2"] * 2


def test_two_that_expire_at_once_renew_once(path: Path) -> None:
    stored(path)
    vendor = Vendor()
    with Peer(rule=vendor) as peer:

        def call() -> None:
            file = TokenFile(path, sleep=lambda _: threading.Event().wait(0.01))
            with a_client(peer.url, scheme=a_scheme(file, peer.url)) as client:
                client.call(tasks.get_task(1))

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert vendor.generation == 2


def test_without_room_no_new_pair_is_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = stored(path)
    vendor = Vendor()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with Peer(rule=vendor) as peer, a_client(peer.url, scheme=a_scheme(file, peer.url)) as client:
        monkeypatch.setattr(tokens_module.os, "write", full)
        with pytest.raises(StorageFailed, match="No space left"):
            client.call(tasks.get_task(1))
    assert vendor.generation == 1
    assert names_in(path.parent) == ["token.json", "token.json.lock"]


def test_a_pair_that_could_not_be_stored_is_kept_and_stored_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stored(path)
    vendor = Vendor()

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with Peer(rule=vendor) as peer, a_client(peer.url, scheme=a_scheme(file, peer.url)) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", broken)
            with pytest.raises(StorageFailed):
                client.call(tasks.get_task(1))
        assert json.loads(path.read_text())["access_token"] == "access-0"
        client.call(tasks.get_task(1))
    assert vendor.generation == 2
    assert json.loads(path.read_text())["access_token"] == "access-2"
    assert "access-2" in {secret.reveal() for secret in client.scheme.secrets()}


def test_a_lost_reply_to_a_refresh_leaves_the_file_as_it_was(path: Path) -> None:
    file = stored(path)

    def rule(received: Received) -> Step:
        if "refresh" in received.target:
            return lambda *_: None
        return EXPIRED

    with (
        Peer(rule=rule) as peer,
        a_client(peer.url, scheme=a_scheme(file, peer.url)) as client,
        pytest.raises(Unanswered),
    ):
        client.call(tasks.complete_task(1))
    assert json.loads(path.read_text())["access_token"] == "access-0"


def test_a_missing_scope_is_a_matter_of_credentials(path: Path) -> None:
    file = stored(path)
    with (
        Peer(error(2, "Insufficient permissions")) as peer,
        a_client(peer.url, scheme=a_scheme(file, peer.url)) as client,
        pytest.raises(Unauthorized),
    ):
        client.call(tasks.post_task(1, "a b"))
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (None, 0, "No such file"),
        ("{}", 0o600, "no pair of tokens"),
        ("nonsense", 0o600, "no pair of tokens"),
        ('{"access_token":"a","refresh_token":""}', 0o600, "no pair of tokens"),
        ('{"access_token":"a","refresh_token":"b"}', 0o640, "others can read it"),
        ('{"access_token":"a","refresh_token":"b"}', 0o604, "others can read it"),
    ],
)
def test_an_unusable_token_file_is_a_matter_of_configuration(
    path: Path, content: str | None, mode: int, reason: str
) -> None:
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(ConfigError, match=reason) as caught:
        TokenFile(path, sleep=FakeTime().sleep).load()
    assert "syncd init" in caught.value.hint


def test_a_lock_that_is_never_freed_is_given_up(path: Path) -> None:
    time = FakeTime()
    file = TokenFile(path, sleep=time.sleep)
    with file.locked(), pytest.raises(Unreachable), TokenFile(path, sleep=time.sleep).locked():
        pass
    assert sum(time.sleeps) == 60


def test_a_new_token_file_is_private_from_its_first_byte(path: Path) -> None:
    file = TokenFile(path, sleep=FakeTime().sleep)
    file.save(Tokens(Secret("access-x"), Secret("refresh-x"), "https://a.example"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert file.load().access == Secret("access-x")
    assert path.stat().st_size < 500


def test_the_page_of_consent_holds_no_secret() -> None:
    url = authorize_url("cl&ient", "https://me.example/back", "st ate", scope=["tasks_read", "x"])
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == ("worksection.com", "/oauth2/authorize")
    assert parse_qs(parts.query) == {
        "client_id": ["cl&ient"],
        "redirect_uri": ["https://me.example/back"],
        "response_type": ["code"],
        "state": ["st ate"],
        "scope": ["tasks_read,x"],
    }


def test_a_code_is_exchanged_for_tokens() -> None:
    reply = {"access_token": "a1", "refresh_token": "r1", "account_url": "https://acme.example"}
    with Peer(http(json.dumps(reply).encode())) as peer:
        consent = Consent("client", Secret("client-secret"), 5, oauth_url=peer.url)
        tokens = consent.exchange_code(Secret("the-code"), "https://me.example/back")
    received = peer.requests[0]
    assert received.line == "POST /oauth2/token HTTP/1.1"
    assert received.params == {
        "client_id": "client",
        "client_secret": "client-secret",
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": "https://me.example/back",
    }
    assert (tokens.access.reveal(), tokens.account_url) == ("a1", "https://acme.example")


def test_the_owner_of_a_token_is_known() -> None:
    reply = {"id": "7", "first_name": "Anna", "last_name": "B", "email": "a@b", "account_url": "u"}
    with Peer(http(json.dumps(reply).encode())) as peer:
        owner = Consent("c", Secret("client-secret"), 5, oauth_url=peer.url).resource(Secret("tok"))
    assert (owner.id, owner.name, owner.email, owner.account_url) == (7, "Anna B", "a@b", "u")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(b'{"error":"invalid_client","errorDescription":"Client"}'), Unauthorized),
        (http(b'{"error":"invalid_request","error_description":"x"}'), Unauthorized),
        (http(b'{"message":"x"}', status="400 Bad"), Unauthorized),
        (http(b"", status="503 Busy"), Unanswered),
        (http(b"<html>the-code-we-sent</html>"), BadReply),
        (http(b"[]"), BadReply),
        (http(b"{}"), BadReply),
        (http(b"", status="302 Found", Location="https://elsewhere"), BadReply),
    ],
)
def test_oauth_errors_come_with_any_status(answer: bytes, expected: type[Exception]) -> None:
    with Peer(answer) as peer:
        consent = Consent("client", Secret("client-secret"), 5, oauth_url=peer.url)
        with pytest.raises(expected) as caught:
            consent.exchange_code(Secret("the-code-we-sent"), "https://me.example/back")
    assert "the-code-we-sent" not in str(caught.value) + getattr(caught.value, "body", "")


def test_an_owner_without_an_id_makes_no_sense() -> None:
    with Peer(http(b'{"email":"a@b"}')) as peer, pytest.raises(BadReply):
        Consent("c", Secret("client-secret"), 5, oauth_url=peer.url).resource(Secret("tok"))


def test_no_secret_goes_to_plain_http() -> None:
    consent = Consent("c", Secret("client-secret"), 5, oauth_url="http://worksection.com")
    with pytest.raises(ConfigError, match=r"account\.oauth_url"):
        consent.resource(Secret("tok"))
