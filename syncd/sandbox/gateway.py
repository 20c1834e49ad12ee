"""From a request to its answer: the limits, the faults, the proof, the action, the journal.

It knows nothing of sockets; the server reads requests and delivers answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from syncd.sandbox import striking
from syncd.sandbox.actions import ACTIONS
from syncd.sandbox.auth import UnauthorizedError, by_key, by_token
from syncd.sandbox.calls import Call, Caller
from syncd.sandbox.faults import Fault
from syncd.sandbox.journal import Entry
from syncd.sandbox.limiter import RateLimiter
from syncd.sandbox.listings import Listings
from syncd.sandbox.paging import addressed
from syncd.sandbox.parameters import Parameters
from syncd.sandbox.replies import RefusedError, Reply
from syncd.sandbox.requests import Answer, Asked, html_answer, json_answer
from syncd.sandbox.uploads import Upload, Uploads

if TYPE_CHECKING:
    from syncd.sandbox.sandbox import Sandbox

ADMIN, OAUTH, TOKENS = "/api/admin/v2", "/api/oauth2", "/oauth2/"


@dataclass(slots=True)
class Trace:
    """What the journal wants to know of a request on its way."""

    scheme: str = ""
    outcome: str = "ok"
    effect: bool = False


class Gateway:
    """The API of one sandbox."""

    def __init__(self, box: Sandbox, monotonic: Callable[[], float]) -> None:
        self._box = box
        self._listings = Listings(box.account)
        self._uploads = Uploads()
        self._limiter = RateLimiter(monotonic)

    def answer(self, asked: Asked) -> Answer:
        """Answer a request to the API, and write it down."""
        started, started_at = time.monotonic(), self._box.account.clock()
        number, trace = self._box.log.next_number(), Trace()
        sent, files = asked.read()
        action = name_of(asked, sent)
        faults = self._box.faults.striking(action, sent)
        answer = self._through_faults(asked, sent, files, faults, trace)
        self._box.log.write(
            Entry(
                number=number,
                started=started,
                started_at=started_at,
                seconds=time.monotonic() - started,
                method=asked.method,
                action=action,
                parameters=sent.loggable(),
                scheme=trace.scheme,
                outcome="dropped" if answer.drop else trace.outcome,
                http_status=answer.status,
                effect=trace.effect,
                bytes=len(answer.body),
                faults=tuple(fault.kind for fault in faults),
            )
        )
        return answer

    def _through_faults(
        self,
        asked: Asked,
        sent: Parameters,
        files: tuple[Upload, ...],
        faults: list[Fault],
        trace: Trace,
    ) -> Answer:
        for fault in faults:
            if fault.kind == "delay" and fault.when == "before":
                self._box.wait(fault.seconds)
            elif fault.spares_account:
                return striking.strike(Answer(), fault, trace)
        answer = self._limited(asked, sent, trace) or self._allowed(asked, sent, files, trace)
        for fault in faults:
            if fault.kind == "delay" and fault.when == "after":
                self._box.wait(fault.seconds)
            elif fault.kind != "delay":
                answer = striking.strike(answer, fault, trace)
        return answer

    def _limited(self, asked: Asked, sent: Parameters, trace: Trace) -> Answer | None:
        """The answer of the web server itself: the URL is too long, or requests too many."""
        switches = self._box.switches
        if len(asked.target) > switches.url_limit:
            trace.outcome = "http 414"
            return html_answer("414 Request-URI Too Large", 414)
        key = "all" if switches.rate_scope == "account" else credentials(asked, sent)
        unlimited = switches.rate_limit == "off" or asked.path.startswith(TOKENS)
        if unlimited or self._limiter.admits(key, switches.requests_per_second):
            return None
        trace.outcome = "too many requests"
        retry = None if switches.retry_after_s is None else str(switches.retry_after_s)
        return striking.too_many_requests(int(switches.rate_limit), retry)

    def _allowed(
        self, asked: Asked, sent: Parameters, files: tuple[Upload, ...], trace: Trace
    ) -> Answer:
        """Run the action under the account's lock; errors of the application are HTTP 200."""
        if asked.path.startswith(TOKENS):
            return self._tokens(asked, sent, trace)
        try:
            with self._box.account.lock:
                caller = self._caller(asked, sent)
                trace.scheme = caller.scheme
                reply = self._run(caller, addressed(sent, caller.scheme), files, trace)
            return written(reply, omit_empty=self._box.switches.omit_empty_data)
        except RefusedError as refused:
            trace.outcome = f"error {refused.code} {refused.message}"
            return json_answer(refused.form())
        except UnauthorizedError as error:
            trace.outcome = "http 401"
            words = str(error)
            return json_answer(
                {"status": "error", "message": words, "errorDescription": words}, 401
            )

    def _tokens(self, asked: Asked, sent: Parameters, trace: Trace) -> Answer:
        """One of the OAuth2 endpoints; a code used or a pair replaced is an effect."""
        before = self._box.oauth.issued
        answer = self._box.oauth.answer(asked.path.removeprefix(TOKENS), sent)
        trace.scheme, trace.effect = "client", self._box.oauth.issued != before
        return answer

    def _caller(self, asked: Asked, sent: Parameters) -> Caller:
        """Who calls; a missing action is told before a bad hash, an unknown one after it."""
        box = self._box
        if not sent.text("action"):
            raise RefusedError(1, "Action is required")
        if asked.path == OAUTH:
            return by_token(asked, sent, box.oauth)
        scheme = by_key(asked, sent, box.key, box.switches, box.account.clock())
        return Caller(scheme, box.account.owner_id)

    def _run(
        self, caller: Caller, sent: Parameters, files: tuple[Upload, ...], trace: Trace
    ) -> Reply:
        box = self._box
        name = sent.required("action")
        if name not in ACTIONS:
            raise RefusedError(0, "Action is invalid")
        scope, action = ACTIONS[name]
        check_scope(caller, scope, box.switches.scope_error_code)
        before = box.account.version
        try:
            return action(
                Call(
                    box.account,
                    box.switches,
                    sent,
                    caller,
                    self._listings,
                    self._uploads,
                    box.webhooks,
                    files,
                )
            )
        finally:
            trace.effect = box.account.version != before


def name_of(asked: Asked, sent: Parameters) -> str:
    """What faults and the journal know a request by: its action, or oauth2/refresh and the like."""
    if asked.path.startswith(TOKENS):
        return asked.path.removeprefix("/")
    return sent.text("action") or ""


def check_scope(caller: Caller, scope: str, code: int) -> None:
    """Refuse what the token was not granted."""
    if caller.scopes is not None and scope not in caller.scopes:
        raise RefusedError(code, f"Insufficient permissions: scope {scope} is required")


def credentials(asked: Asked, sent: Parameters) -> str:
    """What tells one caller's counter from another's."""
    return asked.path + (asked.headers.get("authorization") or sent.text("access_token") or "")


def written(reply: Reply, *, omit_empty: bool) -> Answer:
    """The answer of an action that worked."""
    if reply.file is not None:
        name = quote(reply.file.name)
        return Answer(
            reply.file.content,
            content_type="application/x-download",
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                "ETag": f'"{reply.file.id}-{reply.file.size}"',
                "Accept-Ranges": "bytes",
            },
        )
    if reply.body is not None:
        return Answer(reply.body.raw, zipped_by=reply.body)
    keys: dict[str, Any] = dict(reply.keys)
    if omit_empty and keys.get("data") == []:
        del keys["data"]
    return Answer(msgspec.json.encode({"status": "ok", **keys}))
