"""Webhooks: probed on creation, sent once, switched off after ten failures (API sheet, 7.2).

The sandbox calls loopback addresses only. Payloads leave from one thread, in order; `drain`
waits until all have left.
"""

from __future__ import annotations

import base64
import http.client
import queue
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from syncd.sandbox import events

if TYPE_CHECKING:
    from syncd.sandbox.account import Account
    from syncd.sandbox.records import Event
    from syncd.sandbox.switches import Switches

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FAILURES_ALLOWED = 10
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Hook:
    """A registered receiver; `projects` is empty for all."""

    id: int
    url: str
    events: tuple[str, ...]
    projects: tuple[int, ...] = ()
    user: str = ""
    secret: str = ""
    failures: int = 0
    status: str = "active"

    def wants(self, event: Event) -> bool:
        """Whether this event goes to this receiver."""
        name = f"{event.action}_{event.kind}"
        in_scope = not self.projects or event.project_id in self.projects
        return self.status == "active" and name in self.events and in_scope


class Webhooks:
    """The account's hooks, and the thread that sends to them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.hooks: dict[int, Hook] = {}
        self._waiting: queue.Queue[tuple[int, bytes] | None] = queue.Queue()
        self._sender: threading.Thread | None = None

    def add(self, hook: Hook) -> None:
        """Register a receiver that has answered the probe."""
        self.hooks[hook.id] = hook

    def notice(self, event: Event, switches: Switches) -> None:
        """Queue an event for those who want it; tag changes reach nobody (section 7.2)."""
        if event.what == "tags" or not events.is_reported(event, switches):
            return
        for hook in [each for each in self.hooks.values() if each.wants(event)]:
            self._start()
            self._waiting.put((hook.id, payload(self.account, event, switches)))

    def _start(self) -> None:
        if self._sender is None:
            self._sender = threading.Thread(target=self._send_all, name="webhooks", daemon=True)
            self._sender.start()

    def _send_all(self) -> None:
        while (item := self._waiting.get()) is not None:
            hook_id, body = item
            hook = self.hooks.get(hook_id)
            if hook and hook.status == "active":
                self._settle(hook, accepts(hook, body))
            self._waiting.task_done()
        self._waiting.task_done()

    def _settle(self, hook: Hook, accepted: bool) -> None:
        failures = hook.failures + (not accepted)
        status = "active" if failures < FAILURES_ALLOWED else "paused"
        if hook.id in self.hooks:
            self.hooks[hook.id] = replace(hook, failures=failures, status=status)

    def drain(self) -> None:
        """Wait until every payload queued so far has left or failed."""
        self._waiting.join()

    def close(self) -> None:
        """Stop sending."""
        if self._sender is not None:
            self._waiting.put(None)
            self._sender.join(TIMEOUT_S)


def payload(account: Account, event: Event, switches: Switches) -> bytes:
    """A JSON array of one event; ids are numbers and pages are short here."""
    item: dict[str, Any] = events.form(account, event, switches)
    item["object"]["id"] = event.object_id
    if switches.webhook_page == "task" and event.task_id is not None:
        item["object"]["page"] = f"/task/{event.task_id}/"
    return msgspec.json.encode([item])


def accepts(hook: Hook, body: bytes) -> bool:
    """Whether the receiver answers 200 and {"status":"OK"} in time."""
    try:
        status, answer = post(hook, body)
        return status == 200 and msgspec.json.decode(answer)["status"].upper() == "OK"
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        return False
    except (KeyError, TypeError, AttributeError):
        return False


def post(hook: Hook, body: bytes) -> tuple[int, bytes]:
    """Send to a loopback receiver, with Basic auth if the hook has it."""
    address = urlsplit(hook.url)
    if address.hostname not in LOOPBACK or address.scheme != "http":
        raise ConnectionRefusedError(hook.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_S)
    headers = {"Content-Type": "application/json"}
    if hook.user:
        credentials = base64.b64encode(f"{hook.user}:{hook.secret}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    try:
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("POST", target, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
