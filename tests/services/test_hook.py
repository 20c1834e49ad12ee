"""A webhook's payload names tasks, whatever its form, and never makes anybody fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from syncd.sandbox import Account, Fault, Sandbox
from syncd.services.hook import hinted, paused
from syncd.worksection.request import Request
from tests.services.builders import client_of, settings_for


def an_event(**about: Any) -> dict[str, Any]:
    return {"action": "update", "object": {"type": "task", "id": 5123456, **about}}


ONE = an_event(page="/task/5123456/")
COMMENT = an_event(type="comment", id="99", page="/task/7/")


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        ([ONE], {5123456}),
        (ONE, {5123456}),
        (json.dumps([ONE]), {5123456}),
        (json.dumps(json.dumps(ONE)), {5123456}),
        ([an_event(id="8")], {8}),
        ([an_event(id="8", page="/project/1/8/")], {8}),
        ([an_event(id=None, page="/task/8/")], {8}),
        ([an_event(type="comment", page="/project/1/2/8/")], {8}),
        ([an_event(type="comment", page="/project/1/8/#com5")], {8}),
        ([COMMENT, ONE, COMMENT], {7, 5123456}),
        ([an_event(type="project", id=3, page="/project/3/")], set()),
        ([{"object": {"page": "/task/8/"}}], {8}),
        (
            [None, 3, "x", [], {"object": None}, an_event(id="x"), an_event(id=2**70), ONE],
            {5123456},
        ),
        ([an_event(action={"no": "text"}), {**ONE, "action": {}}], {5123456}),
        (*([[]], set()),),
        ({}, set()),
        ({"status": "OK"}, set()),
        (None, set()),
        ("", set()),
        (7, set()),
    ],
)
def test_a_payload_names_its_tasks(payload, ids):
    assert ids == hinted(json.dumps(payload).encode())


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"   ", b"{", b"\xff\xfe", b"<html>", b"a=1&b=2", b"null", b'"\\ud800"', b"[1e999]"),
        b"[" * 100_000,
        b'{"object":' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=repr,
)
def test_what_is_no_payload_names_nothing(body):
    assert frozenset() == hinted(body)


class _Receiver(BaseHTTPRequestHandler):
    """Takes payloads as the daemon's port does; `bodies` is what came."""

    bodies: list[bytes]
    status = 200

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b'{"status":"OK"}')

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[_Receiver]]]:
    handler = type("Receiver", (_Receiver,), {"bodies": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", handler
        server.shutdown()
        thread.join()


def test_what_the_account_sends_is_understood_and_a_paused_hook_is_named(receiver):
    url, handler = receiver
    account = Account()
    project = account.create_project("One")
    with Sandbox(account) as box, client_of(settings_for(box.url)) as client:
        assert () == paused(client)
        events = ("events", "post_task,update_task,post_comment")
        client.call(Request("add_webhook", (("url", url), events)))
        task = account.create_task(project, "T")
        account.add_comment(task, "a word")
        account.edit_task(task, priority=4)
        box.webhooks.drain()
        assert [set(), {task}, {task}, {task}] == [hinted(body) for body in handler.bodies]
        box.faults.add(Fault("error", action="get_webhooks", code=2, message="scope", count=1))
        assert paused(client) is None
        handler.status = 500
        for priority in range(10):
            account.edit_task(task, priority=priority)
        box.webhooks.drain()
        assert (url,) == paused(client)
