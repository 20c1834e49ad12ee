"""A simulated account behind real HTTP on loopback: `with Sandbox(account) as box: ... box.url`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from syncd.sandbox.account import Account
from syncd.sandbox.control import Control
from syncd.sandbox.faults import Fault, Faults
from syncd.sandbox.gateway import ADMIN, OAUTH, TOKENS, Gateway
from syncd.sandbox.journal import Journal
from syncd.sandbox.oauth import OAuth
from syncd.sandbox.records import Event
from syncd.sandbox.requests import Answer, Asked, html_answer
from syncd.sandbox.server import Server
from syncd.sandbox.switches import Switches
from syncd.sandbox.webhooks import Webhooks

KEY = "7776461cd931e7b1c8e9632ff8e979ce"
"""The key of the published test vector (the API sheet, section 2.1)."""
POLL_S = 0.1
CLIENT = ("sandbox-client", "sandbox-client-key")


class Sandbox:
    """One account, its API, and everything a test may turn.

    `switches` may be replaced at any time; `faults` and `log` are live; `key` is the account's
    administrative key, and changing it makes the old one invalid.
    """

    def __init__(
        self,
        account: Account | None = None,
        *,
        key: str = KEY,
        port: int = 0,
        switches: Switches = Switches(),  # noqa: B008 - frozen
        faults: tuple[Fault, ...] = (),
        client: tuple[str, str] = CLIENT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account or Account.seeded()
        self.key = key
        self.switches = switches
        self.faults = Faults()
        self.faults.add(*faults)
        self.log = Journal()
        self.oauth = OAuth(self.account, client)
        self.webhooks = Webhooks(self.account)
        self._port = port
        self._closing = threading.Event()
        self._gateway = Gateway(self, monotonic)
        self._control = Control(self)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port served on, the same through every refusal."""
        return self._port

    @property
    def url(self) -> str:
        """The account's address, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def set(self, **changes: Any) -> None:
        """Turn some switches: `box.set(rate_limit="429")`."""
        self.switches = replace(self.switches, **changes)

    def wait(self, seconds: float) -> None:
        """Let time pass, but not beyond the sandbox's own end."""
        self._closing.wait(seconds)

    def start(self) -> Sandbox:
        """Serve in a thread from now on."""
        self._closing.clear()
        self.account.listeners.append(self._notice)
        self._listen()
        return self

    def close(self) -> None:
        """Stop serving and end every connection; a second time does nothing."""
        self._closing.set()
        if self._notice in self.account.listeners:
            self.account.listeners.remove(self._notice)
        self._unlisten()
        self.webhooks.close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections for as long as the context lasts, as a host that is down."""
        self._unlisten()
        try:
            yield
        finally:
            self._listen()

    def _listen(self) -> None:
        self._server = Server(self._port, self._route, self._unix_time)
        self._port = self._server.server_address[1]
        self.oauth.account_url = self.url
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(POLL_S,), name="sandbox", daemon=True)
        self._thread.start()

    def _unlisten(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.stop()
        self._server.server_close()
        self._server.end_connections()
        self._thread.join()
        self._server = self._thread = None

    def _notice(self, event: Event) -> None:
        self.webhooks.notice(event, self.switches)

    def _unix_time(self) -> float:
        return self.account.clock().timestamp() + self.switches.clock_skew_s

    def _route(self, asked: Asked) -> Answer:
        """To the API, the OAuth2 endpoints or the control; other pages want a login."""
        if asked.path in (ADMIN, OAUTH) or asked.path.startswith(TOKENS):
            return self._gateway.answer(asked)
        if asked.path.startswith("/sandbox/"):
            return self._control.answer(asked)
        return html_answer("Worksection: please log in")
