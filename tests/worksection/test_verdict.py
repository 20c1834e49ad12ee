"""What an answer means: action, code and words are read together. API sheet, section 6.8."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.errors import (
    AccountError,
    BadReply,
    Refused,
    Throttled,
    TooManyRecords,
    Unanswered,
    Unauthorized,
)
from syncd.worksection import verdict
from syncd.worksection.answer import Reply
from syncd.worksection.methods import tasks

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
READ, WRITE = tasks.get_task(5), tasks.complete_task(5)


def a_reply(body: bytes | str, status: int = 200, **headers: str) -> Reply:
    return Reply(
        status=status,
        headers={name.lower().replace("_", "-"): value for name, value in headers.items()},
        body=body.encode() if isinstance(body, str) else body,
        observed_at=NOON,
        received_at=NOON,
        elapsed_s=0.1,
        skew_s=None,
    )


def an_error(message: str, code: int | str | None = None, **more: str) -> str:
    import json

    return json.dumps({"status": "error", "status_code": code, "message": message, **more})


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ('{"status":"ok"}', None),
        ('{"status":"ok","data":null}', None),
        ('{"status":"ok","data":[]}', b"[]"),
        ('{"data":{"a":1},"status":"ok","more":[1]}', b'{"a":1}'),
        ('{"status":"ok","data":"nullify"}', b'"nullify"'),
    ],
)
def test_an_answer_keeps_its_data_raw(body: str, data: bytes | None) -> None:
    answer = verdict.answer(READ, a_reply(body))
    assert (None if answer.data is None else bytes(answer.data)) == data
    assert answer.body == body.encode()


def test_what_stands_beside_the_data_is_kept() -> None:
    body = '{"status":"ok","id":3706,"total":{"time":"103:39"},"projects":[]}'
    answer = verdict.answer(READ, a_reply(body))
    assert answer.decode_top("id", int) == 3706
    assert answer.decode_top("total", dict[str, str]) == {"time": "103:39"}
    assert answer.decode(list[int]) is None
    assert answer.decode_top("nothing", int) is None


def test_data_of_another_shape_is_a_bad_reply_with_its_beginning() -> None:
    answer = verdict.answer(READ, a_reply('{"status":"ok","data":{"a":"api_key=abc123xyz"}}'))
    with pytest.raises(BadReply) as caught:
        answer.decode(list[int])
    assert caught.value.body.startswith('{"a"')
    assert "abc123xyz" not in caught.value.body


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (an_error("Task is invalid", 5), 200, Refused),
        (an_error("Task is invalid", "5"), 200, Refused),
        (an_error("Action is invalid", 0), 200, Refused),
        (an_error("Quota exceeded", 20), 200, Refused),
        (an_error("Strange", None), 200, Refused),
        (an_error("Task is invalid", 5), 400, Refused),
        (an_error("The rating date is invalid"), 200, Refused),
        (an_error("Too many tasks (10000 max)"), 200, TooManyRecords),
        (an_error("too many costs (10000 max)", 10), 200, TooManyRecords),
        (an_error("Too many requests"), 200, Throttled),
        (an_error("TOO MANY REQUESTS", 10), 200, Throttled),
        (an_error("Rate limit"), 200, Throttled),
        ("<html>429</html>", 429, Throttled),
        (an_error("Action is required", 1), 200, Unauthorized),
        (an_error("Action hash is missed or invalid", 2), 200, Unauthorized),
        (an_error("Access token is expired"), 401, Unauthorized),
        ('{"errorDescription":"No"}', 401, Unauthorized),
        ('{"error":"invalid_token","errorDescription":"No"}', 200, Unauthorized),
        ("<html>", 403, Unauthorized),
        (an_error("x", 5), 500, Unanswered),
        ('{"status":"ok"}', 500, Unanswered),
        ("", 200, Unanswered),
        ('{"status":"ok","da', 200, Unanswered),
        ("<html><form>login</form></html>", 200, BadReply),
        ("<html>", 404, BadReply),
        ("[]", 200, BadReply),
        ("{}", 200, BadReply),
        ('{"status":"fine"}', 200, BadReply),
        ('{"status":"ok"}', 404, BadReply),
        ('{"status":"ok"}', 302, BadReply),
        ("<html>Request-URL Too Large</html>", 414, Refused),
        ("<html>", 413, Refused),
        (b"\xff\xfe\x00", 200, BadReply),
    ],
)
@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
def test_each_answer_has_one_meaning(
    body: str, status: int, error: type[AccountError], request_: object
) -> None:
    with pytest.raises(AccountError) as caught:
        verdict.answer(request_, a_reply(body, status))
    assert type(caught.value) is error


def test_a_refusal_tells_action_code_words_and_details() -> None:
    body = an_error("Tag is invalid", 16, message_details="Urgent")
    with pytest.raises(Refused) as caught:
        verdict.answer(WRITE, a_reply(body))
    error = caught.value
    assert (error.action, error.code, error.said, error.details) == (
        *("complete_task", 16),
        *("Tag is invalid", "Urgent"),
    )
    assert str(error) == "The account refused complete_task: Tag is invalid (code 16): Urgent"


def test_a_filter_error_shows_the_expected_format() -> None:
    body = an_error("Filter is invalid", 10, test="name has 'x'")
    with pytest.raises(Refused, match="name has 'x'"):
        verdict.answer(READ, a_reply(body))


def test_permission_is_a_scope_under_oauth_and_a_refusal_under_a_key() -> None:
    reply = a_reply(an_error("No permission for this action", 7))
    with pytest.raises(Unauthorized, match="permission"):
        verdict.answer(READ, reply, scoped=True)
    with pytest.raises(Refused):
        verdict.answer(READ, reply, scoped=False)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("-3", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
    ],
)
def test_the_accounts_own_figure_is_kept(header: str, seconds: float | None) -> None:
    with pytest.raises(Throttled) as caught:
        verdict.answer(READ, a_reply("", 429, Retry_After=header))
    assert caught.value.retry_after_s == seconds


def test_a_503_with_a_time_is_a_pause_for_a_read_but_a_write_may_have_landed() -> None:
    reply = a_reply("", 503, Retry_After="2")
    with pytest.raises(Throttled):
        verdict.answer(READ, reply)
    with pytest.raises(Unanswered):
        verdict.answer(WRITE, reply)


def test_a_bad_body_is_kept_in_part() -> None:
    with pytest.raises(BadReply) as caught:
        verdict.answer(READ, a_reply("<p>hash=0123456789abcdef&x " + "y" * 9000))
    assert len(caught.value.body) == 2000
    assert "0123456789abcdef" not in caught.value.body


@pytest.mark.parametrize(
    ("body", "status", "rejected"),
    [
        (an_error("Action hash is missed or invalid", 2), 200, True),
        (an_error("Access token is expired"), 200, True),
        ("<html>", 401, True),
        ('{"status":"ok","data":"token is expired"}', 200, False),
        (an_error("Task is invalid", 5), 200, False),
        ("<html>", 403, False),
    ],
)
def test_only_refused_credentials_are_a_rejection(body: str, status: int, rejected: bool) -> None:
    assert (verdict.rejection(a_reply(body, status)) is not None) == rejected
