"""The client of one account: takes a turn of the budget, signs, sends, reads, judges.

Reads are tried a few times. A write is sent once, and again only when the account definitely
refused the first before acting (HTTP 401, code 2): every other repetition is the outbox's, on
record. Must not know what a request is for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, TypeVar

from syncd.errors import BadReply, Refused, Throttled, Unanswered, Unreachable
from syncd.worksection import verdict
from syncd.worksection.answer import Answer, Reply
from syncd.worksection.backoff import Patience
from syncd.worksection.budget import Budget
from syncd.worksection.endpoint import checked_base_url
from syncd.worksection.request import Request
from syncd.worksection.signing import Rejection, Scheme, check_fits
from syncd.worksection.transport import Incoming, Transport

MAX_BODY: Final = 512 * 1024 * 1024  # bytes, decoded; 10,000 records of 50 kB
PROBE: Final = Request("get_events", (("period", "1m"),))  # cheap, a read, and trivially hashed

T = TypeVar("T")

# Reads what has arrived: returns a body to be judged, or None when it has taken care of it.
Receive = Callable[[Incoming], bytes | None]


class Client:
    """One account over one connection. A context manager; safe to share between threads.

    `on_request` is called right before each sending, in its turn; what it raises stops the
    sending, and nothing has left. `on_data` is called with each piece of an answer.
    """

    def __init__(
        self,
        base_url: str,
        scheme: Scheme,
        budget: Budget,
        *,
        timeout_s: float,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        rng: Random,
        on_request: Callable[[Request], None] | None = None,
        on_data: Callable[[], None] = lambda: None,
        patience: Patience = Patience(),  # noqa: B008 - a frozen value
        deadline_s: float | None = None,
        max_body: int = MAX_BODY,
        ca_file: Path | None = None,
    ) -> None:
        self._base_url = checked_base_url(base_url)
        self._scheme = scheme
        self._budget = budget
        self._transport = Transport(timeout_s=timeout_s, deadline_s=deadline_s, ca_file=ca_file)
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._on_request = on_request
        self._on_data = on_data
        self._patience = patience
        self._max_body = max_body
        self._last_observed = datetime.min.replace(tzinfo=UTC)
        self._attempting = threading.Lock()
        self.skew_s: float | None = None
        """How far the account's clock was ahead of ours when it last told; None before that."""

    @property
    def base_url(self) -> str:
        """The address of the account, as checked."""
        return self._base_url

    @property
    def scheme(self) -> Scheme:
        """How requests are signed; its `secrets` are what a log must redact."""
        return self._scheme

    @property
    def budget(self) -> Budget:
        """The request budget that every request here takes its turn in."""
        return self._budget

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def call(self, request: Request) -> Answer:
        """Send `request` and return the account's answer.

        Raises an AccountError; for a write, Unreachable, Throttled, Refused and Unauthorized mean
        that it was not acted upon, Unanswered and BadReply that it may have been.
        """
        return self._persist(request, lambda: self._answer(request))

    def stream(self, request: Request, receive: Receive) -> Answer | None:
        """Send `request` and let `receive` take the body; it starts anew with each try.

        Returns None when it took it, else the answer as `call` does, with the same errors.
        """
        return self._persist(request, lambda: self._streamed(request, receive))

    def _persist(self, request: Request, attempt: Callable[[], T]) -> T:
        """Try a read until patience ends; a write gets one try."""
        give_up_at = self._budget.now() + self._patience.deadline_s
        for tried in count():
            try:
                with self._attempting:
                    return attempt()
            except (Unreachable, Throttled, Unanswered) as error:
                pause_s = self._patience.pause_s(tried, error, self._rng)
                last = request.writes or tried + 1 >= self._patience.tries
                if last or self._budget.now() + pause_s > give_up_at:
                    raise
            self._sleep(pause_s)
        raise AssertionError  # count() has no end

    def _answer(self, request: Request) -> Answer:
        return self._judged(request, self._authorised(request, self._read_body))

    def _streamed(self, request: Request, receive: Receive) -> Answer | None:
        reply = self._authorised(request, receive)
        return None if reply.taken else self._judged(request, reply)

    def _judged(self, request: Request, reply: Reply) -> Answer:
        try:
            answer = verdict.answer(request, reply, scoped=self._scheme.scoped)
        except Throttled as error:
            self._budget.throttled(error.retry_after_s)
            raise
        self._budget.succeeded()
        return answer

    def _authorised(self, request: Request, receive: Receive) -> Reply:
        """Exchange, and once more if the credentials were refused and the scheme knows better.

        Also for a write: who refuses the credentials has not acted.
        """
        reply = self._exchange(request, receive)
        refused = verdict.rejection(reply)
        if refused is not None and self._scheme.recover(request, refused):
            reply = self._exchange(request, receive)
            refused = verdict.rejection(reply)
        if refused is not None:
            self._check_still_accepted(request, refused)
        return reply

    def _check_still_accepted(self, request: Request, refused: Rejection) -> None:
        """Tell a dead key from a request whose hash the account computes in some other way.

        Halting over one odd character would be as wrong as failing a change over a dead key.
        Raises Refused if a trivial request still passes.
        """
        if not self._scheme.signs_text or refused.status == 401 or request.trivial:
            return
        if verdict.rejection(self._exchange(PROBE, self._read_body)) is None:
            raise Refused(
                f"The account does not accept how {request.action} was signed: {refused.said}",
                action=request.action,
                code=refused.code,
                said=refused.said,
                hint='Other requests pass. Try account.auth = "hmac", which signs no text.',
            )

    def _exchange(self, request: Request, receive: Receive) -> Reply:
        """One request out and its reply in, in a turn of the budget."""
        check_fits(request)
        self._check_wait(request)
        with self._budget.turn() as on_leaving:
            if self._on_request is not None:
                self._on_request(request)
            reply = self._round_trip(request, receive, on_leaving)
        if reply.skew_s is not None:
            self.skew_s = reply.skew_s
            self._scheme.observe(reply.skew_s)
        if reply.status == 503:  # a write calls it unanswered, but the wish to wait holds
            self._budget.not_before(verdict.retry_after_s(reply) or 0.0)
        return reply

    def _check_wait(self, request: Request) -> None:
        """Rather than sleep for an hour inside a call, say when to come back."""
        wait_s = self._budget.wait_s()
        if wait_s > self._patience.deadline_s:
            raise Throttled(
                f"The account asked us to wait; {request.action} may be sent in {wait_s:.0f} s",
                retry_after_s=wait_s,
            )

    def _round_trip(
        self, request: Request, receive: Receive, on_leaving: Callable[[], None]
    ) -> Reply:
        observed_at = self._observe()
        started = self._budget.now()
        signed = self._scheme.sign(request, self._base_url)
        incoming = self._transport.open(signed, fresh=request.writes, on_leaving=on_leaving)
        self._budget.answered()
        with closing(incoming):
            skew_s = _skew_s(incoming.headers.get("Date", ""), self._clock())
            body = receive(incoming)
        return Reply(
            status=incoming.status,
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=body or b"",
            taken=body is None,
            observed_at=observed_at,
            received_at=max(observed_at, self._clock()),
            elapsed_s=self._budget.now() - started,
            skew_s=skew_s,
            secrets=signed.secrets,
        )

    def _observe(self) -> datetime:
        """Read the clock before the request; an observation never steps back."""
        self._last_observed = max(self._last_observed, self._clock())
        return self._last_observed

    def _read_body(self, incoming: Incoming) -> bytes:
        """Return the whole body. One growing buffer, handed over without a copy."""
        buffer = BytesIO()
        for chunk in incoming.chunks():
            if buffer.tell() + len(chunk) > self._max_body:
                raise BadReply(f"The account's answer is larger than {self._max_body} bytes")
            buffer.write(chunk)
            self._on_data()
        return buffer.getvalue()


def _skew_s(date: str, now: datetime) -> float | None:
    """Return how far the account's clock is ahead of ours, or None if it does not say."""
    theirs = verdict.moment(date)
    return None if theirs is None else (theirs - now).total_seconds()
