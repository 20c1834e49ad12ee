"""What goes on the wire under each scheme, byte for byte."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date
from decimal import Decimal

import pytest

from syncd.errors import Refused, Unauthorized
from syncd.secrets import Secret
from syncd.worksection.methods import tasks
from syncd.worksection.methods.files import upload_files
from syncd.worksection.request import Attachment, Request
from syncd.worksection.signing import Hmac, Md5, Md5Page, Rejection, page_of
from tests.worksection.builders import KEY, FakeTime, a_client
from tests.worksection.peer import Peer, Received, Step, error, http, ok

TASK = tasks.post_task(26, "Борщ & co + 50% «да»", text="a\r\nb", todo=("x, y", "z"))


def md5(text: str) -> str:
    return hashlib.md5((text + KEY).encode(), usedforsecurity=False).hexdigest()


def test_the_published_example_has_the_published_hash() -> None:
    signed = Md5(Secret(KEY)).sign(tasks.get_tasks(26), "https://a.example")
    assert signed.url.reveal() == (
        "https://a.example/api/admin/v2/?action=get_tasks&id_project=26"
        "&hash=ec3ab2c28f21b4a07424f8ed688d6644"
    )


def test_the_hash_is_over_the_bytes_on_the_wire_and_comes_last() -> None:
    with Peer(ok({})) as peer, a_client(peer.url) as client:
        client.call(TASK)
    query, _, sent_hash = peer.requests[0].query.rpartition("&hash=")
    assert sent_hash == md5(query)
    assert "%20" in query
    assert "+" not in query
    assert peer.requests[0].params["title"] == "Борщ & co + 50% «да»"


def test_no_library_encodes_the_address_again() -> None:
    odd = Request("get_tasks", (("filter", "name has '%41 [x] {y} ~ ö'"),))
    with Peer(ok([])) as peer, a_client(peer.url) as client:
        client.call(odd)
        expected = client.scheme.sign(odd, peer.url).url.reveal()
    assert peer.url + peer.requests[0].target == expected


def test_a_write_is_a_post_since_a_proxy_may_repeat_a_get() -> None:
    with Peer(ok({})) as peer, a_client(peer.url) as client:
        client.call(tasks.get_task(5))
        client.call(tasks.complete_task(5))
    assert [r.method for r in peer.requests] == ["GET", "POST"]
    assert peer.requests[1].headers["content-length"] == "0"


def test_a_long_text_goes_as_a_form_with_everything_in_the_body() -> None:
    long = tasks.post_task(26, "t", text="слово " * 2000)
    with Peer(ok({})) as peer, a_client(peer.url) as client:
        client.call(long)
    received = peer.requests[0]
    assert received.target == "/api/admin/v2/"
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    text, _, sent_hash = received.body.decode().rpartition("&hash=")
    assert sent_hash == md5(text)
    assert received.params["text"] == "слово " * 2000


def test_files_go_in_the_body_and_stay_out_of_the_hash() -> None:
    request = tasks.post_task(1, "t", attach=[Attachment('an"a.txt', b"\x00\r\n--x")])
    with Peer(ok({})) as peer, a_client(peer.url) as client:
        client.call(request)
    received = peer.requests[0]
    query, _, sent_hash = received.query.rpartition("&hash=")
    assert sent_hash == md5(query)
    assert b'name="attach[0]"; filename="an%22a.txt"' in received.body
    assert b"\r\n\r\n\x00\r\n--x\r\n--" in received.body


def test_files_with_a_text_too_long_for_the_address_are_refused_unsent() -> None:
    request = tasks.post_task(1, "t", text="x" * 8000, attach=[Attachment("a", b"1")])
    with (
        Peer(ok({})) as peer,
        a_client(peer.url) as client,
        pytest.raises(Refused, match="with files the texts travel in the address"),
    ):
        client.call(request)
    assert peer.requests == []


def raw_only(received: Received) -> Step:
    """An account that hashes the decoded text."""
    pairs = [pair for pair in received.params.items() if pair[0] != "hash"]
    expected = md5("&".join(f"{key}={value}" for key, value in pairs))
    good = received.params["hash"] == expected
    return ok({}) if good else error(2, "Action hash is missed or invalid")


def test_code_2_is_answered_with_the_decoded_hash_once_and_it_is_remembered() -> None:
    with Peer(rule=raw_only) as peer, a_client(peer.url) as client:
        client.call(tasks.post_task(1, "a b"))
        client.call(tasks.post_task(1, "c d"))
    assert [r.params["title"] for r in peer.requests] == ["a b", "a b", "c d"]


def test_a_key_that_is_refused_everywhere_is_dead() -> None:
    with Peer(error(2, "Action hash is missed or invalid")) as peer, a_client(peer.url) as client:
        with pytest.raises(Unauthorized):
            client.call(tasks.post_task(1, "a b"))
        with pytest.raises(Unauthorized):
            client.call(tasks.get_tasks(26))
    assert [r.params["action"] for r in peer.requests] == [
        *("post_task", "post_task", "get_events"),
        "get_tasks",
    ]


def test_a_hash_that_is_refused_while_others_pass_fails_one_change_not_all() -> None:
    def rule(received: Received) -> Step:
        if received.params["action"] == "post_task":
            return error(2, "Action hash is missed or invalid")
        return ok([])

    with Peer(rule=rule) as peer, a_client(peer.url) as client, pytest.raises(Refused) as caught:
        client.call(tasks.post_task(1, "a b"))
    assert caught.value.code == 2
    assert len(peer.requests) == 3


@pytest.mark.parametrize(
    ("request_", "page"),
    [
        (tasks.get_all_tasks(), ""),
        (tasks.get_tasks(26), "/project/26/"),
        (tasks.post_task(26, "t", id_parent=7), "/project/26/7/"),
        (tasks.get_task(7), ""),
        (Request("get_task", page="/project/26/7/8/"), "/project/26/7/8/"),
    ],
)
def test_the_older_hash_is_over_page_and_action(request_: Request, page: str) -> None:
    assert page_of(request_) == page
    url = Md5Page(Secret(KEY)).sign(request_, "https://a.example").url.reveal()
    assert url.endswith("&hash=" + md5(page + request_.action))
    assert (f"&page={page}&" in url) == bool(page)


def test_the_signed_header_covers_action_and_time_and_the_rest_is_json() -> None:
    time = FakeTime()
    request = tasks.post_task(
        26, "t", todo=["a", "b"], dateend=date(2026, 2, 1), max_time=Decimal("1.50")
    )
    with (
        Peer(ok({})) as peer,
        a_client(peer.url, scheme=Hmac(Secret(KEY), clock=time.utc), time=time) as client,
    ):
        client.call(request)
        client.call(tasks.get_all_tasks())
    at = int(time.start.timestamp())
    signature = hmac.new(KEY.encode(), f"post_task:{at}".encode(), "sha256").hexdigest()
    first, second = peer.requests
    assert first.line == "POST /api/admin/v2/?action=post_task HTTP/1.1"
    assert first.headers["authorization"] == f"Admin {at}_{signature}"
    assert json.loads(first.body) == {
        "id_project": "26",
        "title": "t",
        "dateend": "01.02.2026",
        "max_time": "1.5",
        "todo": ["a", "b"],
    }
    assert second.body == b""
    assert second.headers["authorization"] != first.headers["authorization"]


def test_uploaded_files_are_named_in_json_as_the_account_gave_them() -> None:
    request = tasks.post_task(1, "t", files='[{"id":"5"}]')
    signed = Hmac(Secret(KEY), clock=FakeTime().utc).sign(request, "https://a.example")
    assert json.loads(signed.body or b"")["files"] == [{"id": "5"}]
    upload = Hmac(Secret(KEY), clock=FakeTime().utc).sign(
        upload_files([Attachment("a", b"1")]), "https://a.example"
    )
    assert b'name="files[]"' in (upload.body or b"")


def test_a_wrong_clock_is_corrected_from_the_date_header_and_sent_again() -> None:
    time = FakeTime()  # an hour behind the account

    def rule(received: Received) -> Step:
        at = int(received.headers["authorization"].split()[1].partition("_")[0])
        late = abs(at - time.start.timestamp() - 3600) > 300
        document = json.dumps({"message": "Token time"} if late else {"status": "ok"}).encode()
        status = "401 Unauthorized" if late else "200 OK"
        return http(document, status=status, Date="Thu, 01 Jan 2026 13:00:00 GMT")

    with (
        Peer(rule=rule) as peer,
        a_client(peer.url, scheme=Hmac(Secret(KEY), clock=time.utc), time=time) as client,
    ):
        assert client.call(tasks.complete_task(1)).skew_s == pytest.approx(3600, abs=5)
        client.call(tasks.complete_task(2))
    assert len(peer.requests) == 3


def test_a_401_with_a_right_clock_is_not_repeated() -> None:
    with Peer(http(b'{"errorDescription":"no"}', status="401 Unauthorized")) as peer:
        scheme = Hmac(Secret(KEY), clock=FakeTime().utc)
        with a_client(peer.url, scheme=scheme) as client, pytest.raises(Unauthorized, match="no"):
            client.call(tasks.get_all_tasks())
    assert len(peer.requests) == 1


def test_a_trivial_request_has_one_reading_of_its_hash() -> None:
    assert tasks.get_all_tasks(extra=("subtasks", "relations")).trivial
    assert not tasks.post_task(1, "a b").trivial
    scheme = Md5(Secret(KEY))
    rejected = Rejection(200, 2, "hash", None)
    assert not scheme.recover(tasks.get_task(1), rejected)
