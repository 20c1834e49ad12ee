"""No secret leaves by any error, log or repr: distinctive ones are sent down every path."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.errors import SyncdError
from syncd.secrets import Secret
from syncd.worksection.backoff import Patience
from syncd.worksection.consent import Consent
from syncd.worksection.methods import tasks
from syncd.worksection.oauth import OAuth2
from syncd.worksection.request import Attachment, Request
from syncd.worksection.secret import Hidden, redact
from syncd.worksection.signing import Hmac, Md5, Md5Page, Scheme
from syncd.worksection.tokens import TokenFile
from tests.worksection import peer as wire
from tests.worksection.builders import FakeTime, a_client, names_in
from tests.worksection.peer import Peer, Received, Step, error, http

KEY = "CANARYKEYffeeddccbbaa99887766"
ACCESS = "CANARYACCESSeyJhbGciOi"
REFRESH = "CANARYREFRESHdef502"
CLIENT = "CANARYCLIENTsecret42"
CODE = "CANARYCODE77"
REQUESTS = [
    tasks.get_task(5),
    tasks.complete_task(5),
    tasks.post_task(1, "a b &"),
    tasks.post_task(1, "long", text="ж" * 5000),
    tasks.post_task(1, "files", attach=[Attachment("a", b"1")]),
    tasks.post_task(1, "files", text="x" * 8000, attach=[Attachment("a", b"1")]),
]


def echo(status: str = "200 OK") -> Callable[[Received], Step]:
    """An account that says back everything it was told, as debug pages do."""

    def rule(received: Received) -> Step:
        told = f"{received.line}\n{received.headers}\n{received.body!r}"
        return http(f"<pre>{told}</pre>".encode(), status=status)

    return rule


def echo_in_json(received: Received) -> Step:
    told = f"{received.line} {received.headers} {received.body!r}"
    document = {"status": "error", "status_code": 5, "message": told, "message_details": told}
    return http(json.dumps(document).encode())


PATHS: dict[str, Callable[[Received], Step]] = {
    "echo": echo(),
    "echo 404": echo("404 Not Found"),
    "echo 302": echo("302 Found"),
    "echo 401": echo("401 Unauthorized"),
    "echo 500": echo("500 Error"),
    "echo in json": echo_in_json,
    "reset": lambda _: wire.reset(),
    "closed": lambda _: wire.then_close(b""),
    "bad status line": lambda r: wire.then_close(f"HTTP {r.line}\r\n\r\n".encode()),
    "bad header": lambda r: http(b"{}", Bad=f"\r\n{r.target} x\r\n"),
    "cut": lambda _: wire.then_close(http(b"{}", length=99)),
    "cut chunks": lambda _: wire.then_close(wire.chunked(b"{", ended=False)),
    "code 2": lambda _: error(2, "Action hash is missed or invalid"),
    "expired": lambda _: http(b'{"message":"Access token is expired"}', status="401 No"),
    "silence": lambda _: wire.silence,
    "not gzip": lambda r: http(r.line.encode(), Content_Encoding="gzip"),
}


def schemes(path: Path, url: str) -> dict[str, Scheme]:
    path.write_text(json.dumps({"access_token": ACCESS, "refresh_token": REFRESH}))
    path.chmod(0o600)
    file = TokenFile(path, sleep=FakeTime().sleep)
    return {
        "md5": Md5(Secret(KEY)),
        "md5-page": Md5Page(Secret(KEY)),
        "hmac": Hmac(Secret(KEY), clock=FakeTime().utc),
        "oauth2": OAuth2(file, Consent("client", Secret(CLIENT), 0.2, oauth_url=url)),
    }


def secrets_of(scheme: Scheme, request: Request, url: str) -> set[str]:
    """Every secret that the request carries, the derived ones too."""
    try:
        signed = scheme.sign(request, url)
    except SyncdError:
        return {KEY, ACCESS, REFRESH, CLIENT}
    return {KEY, ACCESS, REFRESH, CLIENT, *(each.reveal() for each in signed.secrets)}


def everything_said(failure: BaseException) -> str:
    """All that a log, a report or a crash handler could print of an error."""
    chain: list[BaseException] = []
    todo: list[BaseException | None] = [failure]
    while todo:
        each = todo.pop()
        if each is not None and each not in chain:
            chain.append(each)
            todo += [each.__cause__, each.__context__]
    report = traceback.TracebackException.from_exception(failure, capture_locals=True)
    own = [frame for frame in report.stack if "syncd/worksection" in frame.filename]
    said = [*map(str, chain), *map(repr, chain), *(repr(vars(each)) for each in chain)]
    return "\n".join([*said, *traceback.format_exception(failure), *(repr(f.locals) for f in own)])


@pytest.mark.parametrize("scheme", ["md5", "md5-page", "hmac", "oauth2"])
@pytest.mark.parametrize("how", PATHS)
def test_no_secret_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, scheme: str, how: str
) -> None:
    caplog.set_level(logging.DEBUG)
    requests = REQUESTS[:1] if how == "silence" else REQUESTS
    for request in requests:
        with Peer(rule=PATHS[how]) as peer:
            signer = schemes(tmp_path / "token.json", peer.url)[scheme]
            told = secrets_of(signer, request, peer.url)
            with a_client(
                peer.url, scheme=signer, timeout_s=0.2, patience=Patience(tries=2)
            ) as client:
                with pytest.raises(SyncdError) as caught:
                    client.call(request)
                said = everything_said(caught.value) + repr((client, signer)) + caplog.text
        assert [secret for secret in told if secret in said] == []
        assert "CANARY" not in said
    assert set(names_in(tmp_path)) <= {"token.json", "token.json.lock"}


def test_an_unreachable_account_tells_nothing(tmp_path: Path) -> None:
    with Peer(http(b"")) as peer:
        url = peer.url
    for scheme in schemes(tmp_path / "t", url).values():
        for base in (url, url.replace("http:", "https:")):
            with a_client(base, scheme=scheme) as client, pytest.raises(SyncdError) as caught:
                client.call(REQUESTS[1])
            told = secrets_of(scheme, REQUESTS[1], base)
            assert [secret for secret in told if secret in everything_said(caught.value)] == []


@pytest.mark.parametrize("how", PATHS)
def test_the_endpoints_of_consent_tell_nothing(how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Peer(rule=PATHS[how]) as peer:
        consent = Consent("client", Secret(CLIENT), 0.2, oauth_url=peer.url)
        for call in (
            lambda: consent.exchange_code(Secret(CODE), "https://me.example"),
            lambda: consent.resource(Secret(ACCESS)),
        ):
            with pytest.raises(SyncdError) as caught:
                call()
            assert "CANARY" not in everything_said(caught.value) + repr(consent) + caplog.text


def test_a_hidden_text_shows_nothing_and_is_not_pickled() -> None:
    hidden = Hidden("CANARYhidden")
    shown = [repr(hidden), str(hidden), f"{hidden:>9}", f"{hidden!r:.30}", "%s" % hidden]  # noqa: UP031 - that too
    assert "CANARY" not in "".join(shown)
    for spoil in (pickle.dumps, copy.copy, copy.deepcopy, lambda each: each.__getstate__()):
        with pytest.raises(TypeError):
            spoil(hidden)


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/admin/v2/?action=x&hash=CANARY0123456789 HTTP/1.1",
        "https://a/?access_token=CANARYtoken1234567&x=1",
        "client_secret=CANARYsecret&grant_type=x",
        "Authorization: Bearer CANARYtoken.12345678.abc",
        "{'Authorization': 'Admin 1700000000_CANARYsig123'}",
        '"authorization": "CANARY-bare-token"',
        '{"access_token": "CANARYtoken 12", "refresh_token":"CANARYdef502"}',
        "{'api_key': 'CANARY with blanks'}",
        "bearer is eyJCANARY0.CANARYpayload.CANARYsignature",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert "CANARY" not in redact(text)
    assert "***" in redact(text)


def test_known_secrets_are_masked_in_every_form_they_take() -> None:
    secret = Hidden("p&s w/o=1'\\x")
    for form in ("p&s w/o=1'\\x", "p%26s%20w%2Fo%3D1%27%5Cx", "p%26s+w%2Fo%3D1%27%5Cx"):
        assert redact(f"<{form}>", secret) == "<***>"
    assert redact("ok", Hidden("")) == "ok"


@pytest.mark.parametrize(
    "text", ["Access token is expired", "Task is invalid (code 5)", "the hash is missed", "a=b&c=d"]
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text
