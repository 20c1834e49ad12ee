"""What a reply means: an answer, or the error that says what to do next. API sheet, 3 and 6.8.

Pure. The HTTP status says little (errors come with 200), and a code is ambiguous: action, code
and words are read together.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from syncd.errors import (
    AccountError,
    BadReply,
    Refused,
    Throttled,
    TooManyRecords,
    Unanswered,
    Unauthorized,
)
from syncd.worksection.answer import Answer, Envelope, Reply, present
from syncd.worksection.request import Request
from syncd.worksection.secret import redact
from syncd.worksection.signing import Rejection

_TOO_MANY_RECORDS: Final = re.compile(
    r"(?i)too many\b.*\(\s*\d+\s*max|too many (tasks|records|items)"
)
_TOO_FAST: Final = re.compile(r"(?i)too many|\brate\b|rate.?limit")
_SCOPE: Final = re.compile(r"(?i)scope|administrative|permission")
_ERRORS_ARE_SHORTER: Final = 100_000  # so that a big answer is not parsed to look for one
_TOP: Final = ("total", "projects", "id")
_envelope = msgspec.json.Decoder(Envelope)


def rejection(reply: Reply) -> Rejection | None:
    """Return how the credentials were refused, or None. A refused request was not acted upon."""
    if reply.status != 401 and len(reply.body) > _ERRORS_ARE_SHORTER:
        return None
    envelope = _read(reply)
    said, code = ("", None) if isinstance(envelope, str) else (envelope.said, envelope.code)
    failed = not isinstance(envelope, str) and envelope.status != "ok"
    if reply.status == 401 or (failed and (code in {1, 2} or "token is expired" in said.lower())):
        return Rejection(reply.status, code, redact(said, *reply.secrets), reply.skew_s)
    return None


def answer(request: Request, reply: Reply, *, scoped: bool = False) -> Answer:
    """Return what the account answered to `request`, or raise the AccountError that says why not.

    `scoped`: rights depend on granted scopes (OAuth2), so words about permission mean those.
    """
    failure = _by_status(request, reply)
    if failure is not None:
        raise failure
    envelope = _read(reply)
    if isinstance(envelope, str):
        raise _not_json(request, reply, envelope)
    if envelope.status == "ok" and reply.status < 300:
        return _answer(request, reply, envelope)
    raise _refusal(request, reply, envelope, scoped=scoped)


def retry_after_s(reply: Reply) -> float | None:
    """Return the seconds that the account asks to wait, where it says: a number, or a date."""
    header = reply.headers.get("retry-after", "")
    if re.fullmatch(r"\s*-?\d{1,12}(\.\d+)?\s*", header, re.ASCII):
        return max(0.0, float(header))
    until = moment(header)
    if until is None:
        return None
    return max(0.0, (until - reply.received_at).total_seconds() - (reply.skew_s or 0.0))


def moment(header: str) -> datetime | None:
    """Return the instant that an HTTP date names, or None."""
    try:
        named = parsedate_to_datetime(header)
    except (TypeError, ValueError, IndexError):
        return None
    return named if named.tzinfo else named.replace(tzinfo=UTC)


def _answer(request: Request, reply: Reply, envelope: Envelope) -> Answer:
    beside = {key: present(getattr(envelope, key)) for key in _TOP}
    return Answer(
        action=request.action,
        body=reply.body,
        data=present(envelope.data),
        top={key: raw for key, raw in beside.items() if raw is not None},
        observed_at=reply.observed_at,
        received_at=reply.received_at,
        elapsed_s=reply.elapsed_s,
        skew_s=reply.skew_s,
    )


def _by_status(request: Request, reply: Reply) -> AccountError | None:
    """Judge what the HTTP status alone decides."""
    status = reply.status
    if 300 <= status < 400:
        return _redirected(reply)
    if status == 429:
        return _throttled("Too many requests", reply)
    if status == 503 and "retry-after" in reply.headers and not request.writes:
        return _throttled("Service unavailable", reply)
    if status >= 500 or status == 408:
        return Unanswered(f"The account failed on {request.action}: HTTP {status}")
    if status in {413, 414}:
        return _too_large(request, status)
    return None


def _redirected(reply: Reply) -> BadReply:
    return BadReply(
        f"The account answered with a redirect (HTTP {reply.status}), which syncd does not follow",
        body=reply.excerpt(),
        hint="Check account.url: it must be the account's final address, with https.",
    )


def _throttled(words: str, reply: Reply) -> Throttled:
    return Throttled(
        f"The account asks us to slow down: {words}", retry_after_s=retry_after_s(reply)
    )


def _too_large(request: Request, status: int) -> Refused:
    return Refused(
        f"The account refused {request.action}: the request is too long (HTTP {status})",
        action=request.action,
        code=None,
        said=f"HTTP {status}",
    )


def _read(reply: Reply) -> Envelope | str:
    """Return the envelope, or why there is none."""
    try:
        return _envelope.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return str(error)


def _not_json(request: Request, reply: Reply, reason: str) -> AccountError:
    if reply.status in {401, 403}:
        return _unauthorized(f"HTTP {reply.status}", scoped=False)
    if reply.status == 200 and "truncated" in reason:
        if not _is_whole(reply.body):
            return Unanswered(f"The account's answer to {request.action} ended before its end")
        reason = "half of a surrogate pair"
    return BadReply(
        f"The account's answer to {request.action} makes no sense (HTTP {reply.status}): {reason}",
        body=reply.excerpt(),
        hint="If this is a login or maintenance page, check account.url or wait.",
    )


def _is_whole(body: bytes) -> bool:
    """Tell whether JSON has its end; our decoder takes half a surrogate pair near it for a cut."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _refusal(request: Request, reply: Reply, envelope: Envelope, *, scoped: bool) -> AccountError:
    said, details = (redact(text, *reply.secrets) for text in (envelope.said, envelope.details))
    if reply.status in {401, 403}:
        return _unauthorized(said or f"HTTP {reply.status}", scoped=False)
    if envelope.status != "error":
        return _other_shape(request, reply, envelope, said)
    if _TOO_MANY_RECORDS.search(said):
        return _no(TooManyRecords, request, envelope, said, details)
    if _TOO_FAST.search(said):
        return _throttled(said, reply)
    if envelope.code in {1, 2} or (scoped and _SCOPE.search(said)):
        return _unauthorized(said, scoped=envelope.code not in {1, 2})
    return _no(Refused, request, envelope, said, details)


def _other_shape(request: Request, reply: Reply, envelope: Envelope, said: str) -> AccountError:
    if envelope.error is not None:  # the shape of OAuth's own errors
        return _unauthorized(said, scoped=False)
    return BadReply(
        f"The account's answer to {request.action} is JSON of an unknown shape",
        body=reply.excerpt(),
    )


def _unauthorized(said: str, *, scoped: bool) -> Unauthorized:
    hint = (
        "The token lacks a scope for this: authorise it again with `syncd init`."
        if scoped
        else "Check account.auth and its key or token; the owner finds the key under Account, API."
    )
    return Unauthorized(f"The account does not accept our credentials: {said}", hint=hint)


def _no(
    kind: type[Refused], request: Request, envelope: Envelope, said: str, details: str
) -> Refused:
    number = "" if envelope.code is None else f" (code {envelope.code})"
    about = f": {details}" if details else ""
    return kind(
        f"The account refused {request.action}: {said}{number}{about}",
        action=request.action,
        code=envelope.code,
        said=said,
        details=details,
    )
