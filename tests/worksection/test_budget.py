"""The request budget as an invariant: never faster than the account allows."""

from __future__ import annotations

import math
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.errors import ConfigError
from tests.worksection.builders import FakeTime, a_budget

STEP = st.one_of(
    st.tuples(st.just("idle"), st.floats(0, 5)),
    st.tuples(st.just("request"), st.floats(0, 3)),
    st.tuples(st.just("slow handshake"), st.floats(0, 3)),
    st.tuples(st.just("throttled"), st.one_of(st.none(), st.floats(0, 30))),
    st.tuples(st.just("succeeded"), st.just(0.0)),
    st.tuples(st.just("not before"), st.floats(-5, 30)),
)


@given(st.lists(STEP, max_size=60), st.sampled_from([0.2, 0.5, 1.0]))
def test_first_bytes_are_never_closer_than_the_rate(
    steps: list[tuple[str, float | None]], rate: float
) -> None:
    time = FakeTime()
    budget = a_budget(time, rate, host="acme.worksection.com")
    left: list[float] = []
    for what, value in steps:
        match what:
            case "idle":
                time.seconds += value or 0
            case "throttled":
                budget.throttled(value)
            case "succeeded":
                budget.succeeded()
            case "not before":
                budget.not_before(value or 0)
            case _:
                with budget.turn() as on_leaving:
                    if what == "slow handshake":
                        time.seconds += value or 0
                    on_leaving()
                    left.append(time.seconds)
                    time.seconds += value or 0
    assert all(b - a >= 1 / rate for a, b in pairwise(left))
    assert budget.requests == len(left)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=12), st.floats(0.001, 0.5))
def test_a_request_that_was_long_on_its_way_keeps_its_distance(
    ways: list[float], work_s: float
) -> None:
    """The account counts arrivals: the soak saw two of them 170 ms apart, of 250 that are kept."""
    time = FakeTime()
    budget = a_budget(time)
    arrived: list[float] = []
    for way_s in (0.0, *ways):  # the quickest way is told from the others once it was taken
        with budget.turn() as on_leaving:
            on_leaving()
            time.seconds += way_s
            arrived.append(time.seconds)
            time.seconds += work_s
            budget.answered()
    assert all(b - a >= 1 for a, b in pairwise(arrived))


def test_the_default_keeps_a_little_more_than_a_second() -> None:
    time = FakeTime()
    budget = a_budget(time)
    for _ in range(3):
        with budget.turn():
            pass
    assert time.sleeps == pytest.approx([1.05, 1.05])


def test_what_was_used_before_a_restart_delays_the_first_request() -> None:
    time = FakeTime()
    budget = a_budget(time)
    budget.not_before(0.7)
    assert budget.wait_s() == pytest.approx(0.7)
    with budget.turn():
        pass
    assert time.sleeps == pytest.approx([0.7])


def test_an_estimate_counts_the_present_wait_and_the_spacing() -> None:
    budget = a_budget()
    assert (budget.estimate_s(0), budget.estimate_s(1)) == (0, 0)
    budget.not_before(2)
    assert budget.estimate_s(11) == pytest.approx(2 + 10 * 1.05)


def test_spacing_doubles_to_a_cap_and_comes_back() -> None:
    budget = a_budget()
    budget.throttled()
    assert budget.spacing_s == pytest.approx(2.1)
    for _ in range(20):
        budget.throttled()
    assert budget.spacing_s == 64
    for _ in range(60):
        budget.succeeded()
    assert budget.spacing_s == pytest.approx(1.05)


def test_a_slow_rate_is_never_made_faster_by_throttling() -> None:
    budget = a_budget(rate=0.01)
    budget.throttled()
    assert budget.spacing_s == pytest.approx(105)


def test_a_loopback_account_may_be_asked_without_spacing() -> None:
    time = FakeTime()
    budget = a_budget(time, 1e9)
    for _ in range(100):
        with budget.turn():
            pass
    assert time.sleeps == []
    budget.throttled()
    assert budget.spacing_s > 0
    for _ in range(10):
        budget.succeeded()
    assert budget.spacing_s == 0


def test_an_absurd_retry_after_is_cut_to_an_hour() -> None:
    budget = a_budget()
    budget.throttled(1e12)
    assert budget.wait_s() == 3600


@pytest.mark.parametrize("rate", [0, -1, math.nan, 1.1, math.inf])
def test_a_rate_that_the_account_does_not_allow_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="requests_per_second"):
        a_budget(rate=rate, host="acme.worksection.com")


def test_a_sleep_that_returns_early_is_slept_on() -> None:
    time = FakeTime()
    budget = a_budget(time)
    budget._sleep = lambda seconds: time.sleep(seconds / 2 + 0.01)
    for _ in range(2):
        with budget.turn():
            pass
    assert time.seconds - 1000 >= 1.05


def test_a_turn_that_is_given_up_frees_the_next() -> None:
    class Stopped(Exception):
        pass

    def stop(_: float) -> None:
        raise Stopped

    time = FakeTime()
    budget = a_budget(time)
    with budget.turn():
        pass
    budget._sleep = stop
    with pytest.raises(Stopped), budget.turn():
        pass
    budget._sleep = time.sleep
    with budget.turn():
        pass
    assert budget.requests == 2


def test_turns_of_threads_do_not_overlap() -> None:
    budget = a_budget(rate=1e9)
    inside: list[int] = []

    def take() -> None:
        for _ in range(50):
            with budget.turn():
                inside.append(1)
                assert len(inside) == 1
                inside.pop()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert budget.requests == 200
