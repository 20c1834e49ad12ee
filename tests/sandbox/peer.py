"""What the tests of the sandbox share: a clock set by hand, a small account, a plain client."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import requests

from syncd.sandbox import Account, Sandbox

NOON = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
TODAY = "2026-01-15"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **parts: float) -> None:
        self.now += timedelta(**parts)


def an_account() -> Account:
    """Three people, one project, two groups of tags, and one task on each level."""
    account = Account(clock=Clock())
    account.create_member("Олена", "Owner", "owner@example.com", role="Owner")
    account.create_member("Ann", "O'Neill", "ann@example.com", rate=Decimal(30))
    account.create_member("Bob", "<Brown>")
    status = account.create_tag_group("Status", type="status")
    label = account.create_tag_group("Labels")
    for group, title in ((status, "To-do"), (status, "Done & gone"), (label, "a, b")):
        account.create_tag(group, title)
    project = account.create_project("Owl & Co")
    top = account.create_task(project, "Top <1>", text="one\ntwo")
    middle = account.create_task(project, "Middle", parent_id=top)
    account.create_task(project, "Leaf", parent_id=middle)
    return account


class Peer:
    """Talks to a box as the documented scheme says, with one kept connection."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.session = requests.Session()

    def get(self, query: str, **options: object) -> requests.Response:
        """GET a parameter string, with its hash."""
        text = (query + self.box.key).encode()
        digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
        url = f"{self.box.url}/api/admin/v2/?{query}&hash={digest}"
        return self.session.get(url, timeout=10, **options)

    def send(self, action: str, **parameters: object) -> requests.Response:
        """GET an action with its parameters."""
        pairs = {"action": action, **parameters}
        return self.get("&".join(f"{quote(k)}={quote(str(v), safe='')}" for k, v in pairs.items()))

    def ask(self, action: str, **parameters: object) -> dict:
        """The decoded answer, error or not."""
        return self.send(action, **parameters).json()

    def data(self, action: str, **parameters: object):
        """The data of an answer that has to be ok."""
        answer = self.ask(action, **parameters)
        assert answer["status"] == "ok", answer
        return answer.get("data")

    def refused(self, action: str, **parameters: object) -> tuple:
        """Code, message and details of an answer that has to be an error."""
        answer = self.ask(action, **parameters)
        assert answer["status"] == "error", answer
        return answer.get("status_code"), answer["message"], answer.get("message_details")
