import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Receiver(BaseHTTPRequestHandler):
    """Answers as its server is told to, and keeps what it got."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((json.loads(body), self.headers.get("Authorization")))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.says)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.status, server.says = [], 200, b'{"status":"OK"}'
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hook?a=1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def register(peer, receiver, **more):
    events = "post_task,update_task,post_comment,close_task,reopen_task,delete_task"
    return peer.ask("add_webhook", url=receiver.url, **{"events": events} | more)


def test_a_hook_is_probed_listed_and_deleted(peer, receiver):
    assert register(peer, receiver) == {"status": "ok", "id": 130}
    assert len(receiver.got) == 1
    hook = peer.data("get_webhooks")[0]
    assert (hook["id"], hook["status"], hook["url"]) == ("130", "active", receiver.url)
    assert "projects" not in hook
    assert peer.ask("delete_webhook", id=130) == {"status": "ok"}
    assert peer.refused("delete_webhook", id=130)[:2] == (10, "WebHook not found")


@pytest.mark.parametrize(
    ("status", "says"), [(500, b'{"status":"OK"}'), (200, b"hello"), (200, b"[]"), (200, b"{}")]
)
def test_a_probe_that_fails(peer, receiver, status, says):
    receiver.status, receiver.says = status, says
    refused = register(peer, receiver)
    assert (refused["status_code"], refused["message_details"]) == (11, "url")
    assert peer.data("get_webhooks") == []


def test_only_loopback_is_called(peer):
    sent = {"url": "http://192.0.2.1/x", "events": "post_task"}
    assert peer.refused("add_webhook", **sent)[0] == 11


def test_payloads_are_arrays_with_short_pages(box, peer, receiver):
    register(peer, receiver, http_user="u", http_pass="p")
    task = min(box.account.tasks)
    box.account.edit_task(task, priority=7)
    box.webhooks.drain()
    payload, authorization = receiver.got[-1]
    assert payload[0]["object"] == {"type": "task", "id": task, "page": f"/task/{task}/"}
    assert payload[0]["new"] == {"priority": "7"}
    assert authorization == "Basic " + base64.b64encode(b"u:p").decode()
    box.set(webhook_page="project")
    box.account.edit_task(task, priority=8)
    box.webhooks.drain()
    assert receiver.got[-1][0][0]["object"]["page"] == f"/project/8562/{task}/"


def test_tag_changes_fire_no_hook(box, peer, receiver):
    register(peer, receiver)
    box.account.tag_task(min(box.account.tasks), min(box.account.tags))
    box.webhooks.drain()
    assert len(receiver.got) == 1


def test_a_hook_for_some_projects_and_events(box, peer, receiver):
    other = box.account.create_project("Other")
    register(peer, receiver, projects=other, events="post_task")
    assert peer.data("get_webhooks")[0]["projects"] == str(other)
    box.account.create_task(8562, "elsewhere")
    task = box.account.create_task(other, "here")
    box.account.rename_task(task, "not this event")
    box.webhooks.drain()
    assert [p[0]["new"]["title"] for p, _ in receiver.got[1:]] == ["here"]


def test_ten_failures_switch_a_hook_off_and_nothing_comes_again(box, peer, receiver):
    register(peer, receiver)
    receiver.status = 500
    for number in range(12):
        box.account.rename_task(min(box.account.tasks), str(number))
    box.webhooks.drain()
    assert peer.data("get_webhooks")[0]["status"] == "paused"
    assert len(receiver.got) == 1 + 10
