"""What a fault does to an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from syncd.sandbox.faults import Fault
from syncd.sandbox.lies import LIES
from syncd.sandbox.replies import RefusedError, too_many_tasks
from syncd.sandbox.requests import Answer, html_answer, json_answer

if TYPE_CHECKING:
    from syncd.sandbox.gateway import Trace

RECORD_LIMIT = 10_000


def strike(answer: Answer, fault: Fault, trace: Trace) -> Answer:
    """The answer as the fault leaves it; the trace says that it was spoilt."""
    trace.outcome = f"fault {fault.kind}"
    if fault.kind in LIES:
        return lied(answer, fault)
    return STRIKES[fault.kind](answer, fault)


def lied(answer: Answer, fault: Fault) -> Answer:
    """The answer with another envelope; errors and files are left as they are."""
    if answer.status != 200 or "json" not in answer.content_type:
        return answer
    envelope = msgspec.json.decode(answer.body)
    if envelope.get("status") == "ok":
        LIES[fault.kind](envelope, fault)
    return json_answer(envelope)


def drop(_: Answer, fault: Fault) -> Answer:
    """No answer: the connection ends."""
    return Answer(status=0, drop=True, reset=fault.reset)


def http_status(_: Answer, fault: Fault) -> Answer:
    """A page of the web server with that status."""
    answer = html_answer(f"{fault.status} Error", fault.status)
    return with_retry_after(answer, fault.retry_after)


def with_retry_after(answer: Answer, retry_after: str | None) -> Answer:
    """The answer with the header, if there is to be one."""
    if retry_after is not None:
        answer.headers["Retry-After"] = retry_after
    return answer


def html_login(_: Answer, __: Fault) -> Answer:
    """The login page, with status 200."""
    return html_answer("Worksection: please log in")


def error(_: Answer, fault: Fault) -> Answer:
    """An error of the application with any words."""
    return json_answer(RefusedError(fault.code, fault.message).form())


def too_many(_: Answer, fault: Fault) -> Answer:
    """Over the rate, in the form of HTTP 200."""
    return too_many_requests(200, fault.retry_after)


def too_many_requests(status: int, retry_after: str | None) -> Answer:
    """Over the rate, in any of the forms that are thinkable (the API sheet, section 3)."""
    answer = json_answer(RefusedError(None, "Too many requests").form(), status)
    if status == 503:
        answer = html_answer("503 Service Temporarily Unavailable", 503)
    return with_retry_after(answer, retry_after)


def cut_body(answer: Answer, fault: Fault) -> Answer:
    """Only the first bytes leave."""
    answer.keep, answer.honest_length = fault.keep, fault.honest_length
    return answer


def garbage(answer: Answer, fault: Fault) -> Answer:
    """Bytes that are no JSON, though the header says so."""
    body = (
        str(fault.value).encode() if fault.value is not None else b'\x00{"status":"ok","da\xff\xfe'
    )
    return Answer(body, content_type=answer.content_type)


def over_limit(_: Answer, __: Fault) -> Answer:
    """The permanent error of too many records."""
    return json_answer(too_many_tasks(RECORD_LIMIT).form())


STRIKES: dict[str, Callable[[Answer, Fault], Answer]] = {
    "drop": drop,
    "http_status": http_status,
    "html_login": html_login,
    "error": error,
    "too_many_requests": too_many,
    "cut_body": cut_body,
    "garbage": garbage,
    "over_limit": over_limit,
}
