"""HTTP itself: keep-alive, gzip, headers, many clients at once, size."""

import gzip
import http.client
import threading
from random import Random
from urllib.parse import urlsplit

import pytest
import requests

from syncd.sandbox import Account, Sandbox
from syncd.sandbox.auth import md5_hash

from .peer import Peer


def target(box, query):
    return f"/api/admin/v2/?{query}&hash={md5_hash(query, box.key)}"


def test_one_connection_serves_many_requests(box):
    connection = http.client.HTTPConnection(urlsplit(box.url).netloc, timeout=10)
    ports = set()
    for query in ("action=get_users", "action=nonsense", "action=get_projects"):
        connection.request("GET", target(box, query))
        ports.add(connection.sock.getsockname()[1])
        answer = connection.getresponse()
        assert answer.version == 11
        answer.read()
    connection.close()
    assert len(ports) == 1


def test_gzip_only_for_those_who_ask(box):
    connection = http.client.HTTPConnection(urlsplit(box.url).netloc, timeout=10)
    connection.request("GET", target(box, "action=get_all_tasks"))
    plain = connection.getresponse()
    body = plain.read()
    assert plain.headers["Content-Encoding"] is None
    headers = {"Accept-Encoding": "gzip, deflate"}
    connection.request("GET", target(box, "action=get_all_tasks"), headers=headers)
    zipped = connection.getresponse()
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.read()) == body
    connection.close()


def test_headers_of_an_answer(peer):
    headers = peer.send("get_users").headers
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Cache-Control"].startswith("no-store")
    assert headers["Expires"].startswith("Thu, 19 Nov 1981")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert not {"ETag", "Last-Modified", "Retry-After"} & set(headers)


def test_a_body_in_chunks(box):
    query = "action=get_users"
    body = f"{query}&hash={md5_hash(query, box.key)}".encode()
    answer = requests.post(
        f"{box.url}/api/admin/v2",
        data=iter([body[:5], body[5:]]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )
    assert answer.json()["status"] == "ok"


def test_a_big_account_is_the_same_bytes_every_time_also_compressed():
    with Sandbox(Account.seeded(10_000, archived=0, pending=0, delayed=0)) as box:
        peer = Peer(box)
        extra = "subtasks,relations,files,text,tags"
        first, second = (peer.send("get_all_tasks", extra=extra) for _ in range(2))
        assert first.content == second.content
        assert first.headers["Content-Length"] == second.headers["Content-Length"]
        assert len(first.content) > 4_000_000
        box.account.rename_task(min(box.account.tasks), "Ґ")
        changed = peer.send("get_all_tasks", extra=extra)
        assert changed.json()["data"][0]["name"] == "Ґ"
        assert changed.json()["data"][1:] == first.json()["data"][1:]
        box.account.create_task(min(box.account.projects), "One more")
        assert peer.refused("get_all_tasks", extra=extra)[1] == "Too many tasks (10000 max)"


def test_many_clients_at_once_lose_nothing(box):
    def create(number):
        Peer(box).data("post_task", id_project=8562, title=f"t{number}")

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {t.name for t in box.account.tasks.values()}
    assert {f"t{number}" for number in range(16)} <= names
    assert sorted(e.number for e in box.log.entries()) == list(range(1, 17))


def test_closing_ends_open_connections(box, peer):
    peer.ask("get_users")
    box.close()
    with pytest.raises(requests.ConnectionError):
        peer.ask("get_users")
    box.start()
    assert peer.ask("get_users")["status"] == "ok"


def test_answers_hold_together_while_people_edit():
    account, rng, ended = Account.seeded(300), Random(3), threading.Event()

    def edit():
        for _ in range(400):
            account.random_edit(rng)
        ended.set()

    with Sandbox(account) as box:
        peer, editor = Peer(box), threading.Thread(target=edit)
        editor.start()
        while not ended.is_set():
            for task in peer.data("get_all_tasks", extra="subtasks,relations,comments,tags"):
                assert all(c["page"].startswith(task["page"]) for c in task.get("child", ()))
            assert peer.data("search_tasks", filter="dateadd > '01.01.2020'") is not None
            assert peer.data("get_events", period="1h")
        editor.join()
