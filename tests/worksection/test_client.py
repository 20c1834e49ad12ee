"""The client's own decisions: how often, how long, and what is remembered."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from syncd.errors import (
    AccountError,
    BadReply,
    ConfigError,
    LeaseLost,
    Refused,
    Throttled,
    Unanswered,
    Unreachable,
)
from syncd.worksection.backoff import Patience
from syncd.worksection.methods import tasks
from syncd.worksection.request import Request
from tests.worksection import peer as wire
from tests.worksection.builders import FakeTime, a_budget, a_client
from tests.worksection.peer import Peer, Step, error, http, ok

READ, WRITE = tasks.get_task(5), tasks.complete_task(5)
FAILURES: list[Step] = [
    wire.reset(),
    http(b"", status="500 Error"),
    http(b"", status="429 Too Many Requests"),
    error(None, "Too many requests"),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_read_is_tried_again(failure: Step) -> None:
    with Peer(failure, failure, ok([1])) as peer, a_client(peer.url) as client:
        assert client.call(READ).decode(list[int]) == [1]
    assert len(peer.requests) == 3


@pytest.mark.parametrize("failure", FAILURES)
def test_a_read_is_given_up_after_a_few_tries(failure: Step) -> None:
    time = FakeTime()
    with (
        Peer(failure) as peer,
        a_client(peer.url, time=time) as client,
        pytest.raises(AccountError),
    ):
        client.call(READ)
    assert len(peer.requests) == 4
    assert sum(time.sleeps) < 90


@pytest.mark.parametrize(
    "failure",
    [
        *FAILURES,
        wire.then_close(b"HTTP/1.1 200 OK\r\n"),
        http(b"<html>"),
        error(5, "Task is invalid"),
        http(b"", status="503 Busy", Retry_After="1"),
        http(b"", status="307 Moved", Location="/elsewhere"),
    ],
)
def test_a_write_is_never_repeated_by_the_client(failure: Step) -> None:
    with Peer(failure, ok()) as peer, a_client(peer.url) as client, pytest.raises(AccountError):
        client.call(WRITE)
    assert len(peer.requests) == 1


@pytest.mark.parametrize("answer", [http(b"<html>"), error(5, "Task is invalid")])
def test_a_definite_answer_to_a_read_is_not_asked_for_again(answer: bytes) -> None:
    with Peer(answer) as peer, a_client(peer.url) as client, pytest.raises((BadReply, Refused)):
        client.call(READ)
    assert len(peer.requests) == 1


def test_an_unknown_action_counts_as_a_write() -> None:
    assert Request("post_nonsense").writes
    assert not READ.writes


def test_the_accounts_own_waiting_time_is_kept_to() -> None:
    time = FakeTime()
    with (
        Peer(http(b"", status="429 Slow", Retry_After="7"), ok([])) as peer,
        a_client(peer.url, time=time) as client,
    ):
        client.call(READ)
    assert sum(time.sleeps) >= 7


def test_a_long_waiting_time_is_told_instead_of_slept() -> None:
    time = FakeTime()
    with (
        Peer(http(b"", status="429 Slow", Retry_After="600"), ok([])) as peer,
        a_client(peer.url, time=time) as client,
    ):
        for _ in range(2):
            with pytest.raises(Throttled) as caught:
                client.call(READ)
            assert caught.value.retry_after_s == pytest.approx(600, abs=2)
    assert len(peer.requests) == 1
    assert sum(time.sleeps) < 2


def test_a_busy_account_holds_the_next_request_even_when_a_write_is_unanswered() -> None:
    time = FakeTime()
    budget = a_budget(time)
    with (
        Peer(http(b"", status="503 Busy", Retry_After="9")) as peer,
        a_client(peer.url, time=time, budget=budget) as client,
        pytest.raises(Unanswered),
    ):
        client.call(WRITE)
    assert budget.wait_s() == pytest.approx(9)


def test_throttling_slows_the_budget_and_success_brings_it_back() -> None:
    time = FakeTime()
    budget = a_budget(time)
    with (
        Peer(error(None, "Too many requests"), ok([])) as peer,
        a_client(peer.url, time=time, budget=budget) as client,
    ):
        client.call(READ)
        slow = budget.spacing_s
        for _ in range(30):
            client.call(READ)
    assert slow > 1.5
    assert budget.spacing_s == pytest.approx(1.05)


def test_the_observation_is_from_before_the_request_and_never_steps_back() -> None:
    time = FakeTime()
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    clock = iter([noon, noon + timedelta(seconds=1), noon + timedelta(seconds=2)])
    backwards = iter([noon - timedelta(hours=1)] * 3)
    now = lambda: next(clock, None) or next(backwards)  # noqa: E731 - it is short
    with Peer(ok([])) as peer, a_client(peer.url, time=time, clock=now) as client:
        first, second = client.call(READ), client.call(READ)
    assert (first.observed_at, first.skew_s) == (noon, -1.0)
    assert first.received_at == noon + timedelta(seconds=2)
    assert second.observed_at == noon
    assert second.received_at >= second.observed_at


def test_no_date_header_means_no_skew() -> None:
    bare = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
    with (
        Peer(bare, http(b'{"status":"ok"}', Date="yesterday")) as peer,
        a_client(peer.url) as client,
    ):
        assert client.call(READ).skew_s is None
        assert client.call(READ).skew_s is None


def test_each_sending_is_announced_and_can_be_stopped() -> None:
    announced: list[str] = []

    def stop(request: Request) -> None:
        announced.append(request.action)
        if request.writes:
            raise LeaseLost("taken over")

    with (
        Peer(http(b"", status="500 Error"), ok([])) as peer,
        a_client(peer.url, on_request=stop) as client,
    ):
        client.call(READ)
        with pytest.raises(LeaseLost):
            client.call(WRITE)
        client.call(READ)
    assert announced == ["get_task", "get_task", "complete_task", "get_task"]
    assert [r.params["action"] for r in peer.requests] == ["get_task"] * 3


def test_threads_take_turns() -> None:
    running, most = 0, 0
    guard = threading.Lock()

    def rule(_: object) -> Step:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)

        def step(connection: object, peer: Peer) -> None:
            nonlocal running
            peer.stopping.wait(0.005)
            with guard:
                running -= 1
            connection.sendall(ok([]))

        return step

    with Peer(rule=rule) as peer, a_client(peer.url) as client:
        threads = [threading.Thread(target=client.call, args=(WRITE,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert (len(peer.requests), most) == (6, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.worksection.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "acme.worksection.com",
        "https://",
        "https://user:pass@acme.worksection.com",
        "https://acme.worksection.com/?x=1",
        "https://[::1",
        "",
    ],
)
def test_no_key_is_sent_to_an_address_like(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        a_client(url)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://acme.worksection.com/", "https://acme.worksection.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_address_is_taken_without_its_last_slash(url: str, base: str) -> None:
    with a_client(url) as client:
        assert client.base_url == base


def test_unreachable_reads_are_tried_again_too() -> None:
    with wire.Peer(ok([])) as peer:
        url = peer.url
    time = FakeTime()
    with a_client(url, time=time) as client, pytest.raises(Unreachable):
        client.call(READ)
    assert client.budget.requests == 4


def test_patience_ends_at_its_deadline() -> None:
    time = FakeTime()
    patience = Patience(tries=100, base_s=8, deadline_s=20)
    with (
        Peer(http(b"", status="500 Error")) as peer,
        a_client(peer.url, time=time, patience=patience) as client,
        pytest.raises(Unanswered),
    ):
        client.call(READ)
    assert sum(time.sleeps) <= 25
    assert 2 < len(peer.requests) < 25
