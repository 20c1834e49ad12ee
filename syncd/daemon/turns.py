"""The turns that a daemon takes at the account: what each does, and what follows from its end.

All of them are taken by one thread, one after the other. None of them lets an error through: what
went wrong is in the log, in the counters, and in what is known.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import structlog

from syncd.bootstrap import App, policy
from syncd.daemon.known import Known
from syncd.daemon.memory import give_back
from syncd.daemon.pulse import Heartbeat
from syncd.daemon.wake import Settling
from syncd.errors import LeaseLost, Stopped, StorageFailed, SyncdError, Unauthorized
from syncd.log import get_logger
from syncd.model.reports import PullReport
from syncd.services.events import follow
from syncd.services.hook import paused
from syncd.services.prepare import Pulling
from syncd.services.pull import pull
from syncd.services.push import Pushing, push, settle_open
from syncd.services.push.rehearsing import rehearse_push
from syncd.services.push.worth import worth_a_push
from syncd.services.verify import verify
from syncd.store.lease import Lease
from syncd.worksection.client import Client

ACTOR: Final = "daemon"
HALTED_S: Final = 900.0
"""How often an account that refused the key is asked whether it still does."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a turn ended, for the counters: an outcome, and how many requests it took."""

    outcome: str
    requests: int
    said: str


@dataclass(frozen=True, slots=True)
class Tellers:
    """Who is told of a turn's end: counters, and what asks for a turn of another kind."""

    ran: Callable[[str, str, float, int], None]
    failed: Callable[[str, str], None]
    landed: Callable[[PullReport], None]
    want: Callable[[str, float], None]


class Turns:
    """What the holder of the lease does at the account."""

    def __init__(
        self,
        app: App,
        held: Lease,
        *,
        heart: Heartbeat,
        known: Known,
        tell: Tellers,
        settling: Settling,
        shadow: bool,
    ) -> None:
        self.app = app
        self._next_app = app
        self._held = held
        self._heart = heart
        self._known = known
        self._tell = tell
        self._settling = settling
        self._shadow = shadow
        self._pushing_wanted = threading.Event()
        self._pulled = False
        self._open = ExitStack()
        self._client: Client | None = None
        self.lost = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the account open for the length of a block, at the pace that was left behind."""
        try:
            yield
        finally:
            self._open.close()

    def reload(self, app: App) -> None:
        """Work with these settings from the next turn on; a refused key is tried again."""
        self._next_app = app
        self._known.halted, self._known.key_refused_at = "", None

    def want_push(self) -> None:
        """Something was queued: push as soon as the account is free."""
        self._pushing_wanted.set()
        self._tell.want("push", 0)

    # --- the turns

    def pull(self) -> None:
        """Pull everything, then push what waits."""
        if self._turn("pull", self._pull) and not self._shadow:
            self.push()

    def push(self) -> None:
        """Push what is queued, again while more comes in meanwhile. Nothing goes before a pull."""
        wanted = True
        while wanted and self._pulled and not self._known.halted:
            self._pushing_wanted.clear()
            if not self._worth():
                return
            wanted = self._turn("push", self._push) and self._pushing_wanted.is_set()

    def follow(self) -> None:
        """Read again what the account's change feed and its webhook name."""
        if self._pulled and not self._known.halted:
            self._turn("events", self._follow)

    def check(self) -> None:
        """Compare a sample with the account, where nothing is more urgent."""
        if self._pulled and not self._known.halted and not self._pushing_wanted.is_set():
            self._turn("verify", self._check)

    # --- what they do

    def _pull(self, client: Client) -> Ended:
        if not self._shadow:
            settle_open(self._pushing(client))
        began = time.monotonic()  # a report's seconds are the wall clock's, which may be set
        report = pull(self._pulling(client))
        self._pulled = True
        self._known.halted, self._known.key_refused_at = "", None
        self._tell.landed(report)
        self._rest_after(time.monotonic() - began)
        if not report.unchanged:
            give_back()
        if self._shadow:
            self._rehearse()
        return Ended(report.outcome, report.requests, f"{report.observed_at:%H:%M:%S} UTC")

    def _push(self, client: Client) -> Ended:
        report = push(self._pushing(client))
        waiting = ", ".join(f"{count} {state}" for state, count in report.waiting.items() if count)
        return Ended(report.outcome, report.requests, waiting or "nothing left")

    def _follow(self, client: Client) -> Ended:
        hints = self._known.take_hints()
        try:
            report = follow(self._pulling(client), hinted=hints)
        except SyncdError:
            self._known.hint(hints)
            raise
        if report.gap:
            self._pulled = False  # nothing is pushed before a full pull has landed
        if report.gap or report.wants_pull:
            self._tell.want("pull", 0)
        return Ended(report.outcome, report.requests, "")

    def _check(self, client: Client) -> Ended:
        settings = self.app.settings
        if settings.server.hook_user:
            self._known.paused_webhooks = paused(client)
        report = verify(
            self._pulling(client),
            sample=settings.verify.sample,
            rng=self.app.rng,
            go_on=lambda: not self._pushing_wanted.is_set(),
        )
        return Ended(report.outcome, report.requests, "")

    def _rest_after(self, seconds: float) -> None:
        """Let an account rest for as long as it has worked: a slow one is asked less often."""
        if seconds > self.app.settings.pull.interval / 2:
            self._tell.want("pull", max(seconds, self.app.settings.pull.interval))

    def _rehearse(self) -> None:
        """Log what a push would send; in shadow nothing is."""
        settings = self.app.settings
        found = rehearse_push(
            self.app.db,
            now=self.app.clock(),
            policy=policy(settings.push.conflicts),
            max_batch=settings.push.max_batch,
            spacing_s=1 / settings.limits.requests_per_second,
        )
        for planned in found.plan.steps:
            step = planned.step
            get_logger().info(
                "push.would_send", verb=step.verb, lane=step.lane, changes=list(step.changes)
            )

    def _worth(self) -> bool:
        """Tell whether a push would do anything; where the database fails, the push says so."""
        if self._shadow:
            return False
        try:
            with self.app.db.read() as tx:
                return worth_a_push(
                    tx, now=self.app.clock(), max_batch=self.app.settings.push.max_batch
                )
        except StorageFailed:
            return True

    # --- how they are taken

    def _pulling(self, client: Client) -> Pulling:
        return self.app.pulling_with(self._held, client, self._known, ACTOR)

    def _pushing(self, client: Client) -> Pushing:
        pushing = self.app.pushing_with(self._held, client, self._known, ACTOR)
        return replace(pushing, pause=lambda: self._settling.wait(self.app.sleep))

    def _turn(self, kind: str, do: Callable[[Client], Ended]) -> bool:
        """Take one turn; True where it ended well enough for what comes next."""
        began = time.monotonic()
        with self._heart.working(kind), structlog.contextvars.bound_contextvars(turn=kind):
            try:
                ended = do(self._account())
            except Stopped:
                return False
            except SyncdError as error:
                self._failed(kind, error)
                return False
            except Exception as error:  # noqa: BLE001 - once per job: the next turn is taken all the same
                get_logger().exception("turn.broke", kind=kind)
                self._known.said = f"{kind} broke: {type(error).__name__}"
                self._tell.failed(kind, type(error).__name__)
                return False
            finally:
                self._known.progress = ""
        self._tell.ran(kind, ended.outcome, time.monotonic() - began, ended.requests)
        self._known.database = ""
        if ended.said:
            self._known.said = f"last {kind} {ended.outcome}, {ended.said}"
        return True

    def _account(self) -> Client:
        """Return the open account, opened anew where the settings were read again."""
        if self._client is None or self._next_app is not self.app:
            # The lease remembers the pace as it was taken; the account goes by the last request.
            left_s = self._client.budget.wait_s() if self._client is not None else 0.0
            self._open.close()
            self.app = self._next_app
            talking = self.app.talking(self._held, pulse=self._heart)
            self._client = self._open.enter_context(talking)
            self._client.budget.not_before(left_s)
        self._known.skew_s = self._client.skew_s
        self._known.spacing_s = self._client.budget.spacing_s
        return self._client

    def _failed(self, kind: str, error: SyncdError) -> None:
        self._tell.failed(kind, type(error).__name__)
        self._known.said = f"last {kind} failed: {error.message}"
        match error:
            case LeaseLost():
                self.lost = True
            case StorageFailed():
                self._known.database = error.message
            case Unauthorized():
                self._known.halted = error.message
                self._known.key_refused_at = self._known.key_refused_at or self.app.clock()
                self._tell.want("pull", HALTED_S)
