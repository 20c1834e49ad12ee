"""What an outcome means for a change: its next state, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.errors import (
    AccountError,
    BadReply,
    Refused,
    Throttled,
    TooManyRecords,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from syncd.sync.retry import (
    LONGEST_ASKED,
    LONGEST_WAIT,
    MOST_ATTEMPTS,
    MOST_NONSENSE,
    OUTAGE_ATTEMPTS,
    Again,
    Applied,
    Failed,
    Halt,
    Uncertain,
    after,
    bound,
    not_landed,
    wait,
)
from tests.support.records import MONDAY

VERBS = ["create", "update", "tag", "complete", "reopen"]


def refused(code, said, action="complete_task"):
    return Refused(f"refused: {said}", action=action, code=code, said=said)


def decide(error, *, verb="update", attempts=0, jitter=0.0):
    return after(verb, error, attempts=attempts, now=MONDAY, jitter=jitter)


def test_ok_is_applied():
    assert Applied() == decide(None)


def test_a_lost_reply_is_not_not_sent():
    assert Uncertain(1) == decide(Unanswered("timeout"))


def test_an_answer_that_makes_no_sense_may_stand_for_anything():
    assert Uncertain(3, nonsense=True) == decide(BadReply("html"), attempts=2)


def test_an_error_of_an_unknown_kind_may_have_landed():
    assert Uncertain(1) == decide(AccountError("?"))


def test_nothing_was_sent_so_it_waits_in_the_queue():
    assert Again(MONDAY + wait(1, 0.0), 1) == decide(Unreachable("no route"))


def test_an_outage_uses_up_no_attempts():
    attempts = 0
    for _ in range(1000):
        outcome = decide(Unreachable("no route"), attempts=attempts)
        assert isinstance(outcome, Again)
        attempts = outcome.attempts
    assert OUTAGE_ATTEMPTS == attempts
    assert attempts < MOST_NONSENSE < MOST_ATTEMPTS


def test_an_outage_forgets_no_attempts_either():
    assert 6 == decide(Unreachable("no route"), attempts=6).attempts


@pytest.mark.parametrize("asked", [0, 1, 45, 3600])
def test_throttled_waits_as_long_as_it_is_asked_and_counts_no_attempt(asked):
    outcome = decide(Throttled("slow", retry_after_s=asked), attempts=2, jitter=0.5)
    assert Again(MONDAY + timedelta(seconds=asked + 0.5), 2) == outcome


def test_throttled_without_a_time_waits_as_well():
    assert timedelta(seconds=15) == decide(Throttled("slow")).at - MONDAY


@pytest.mark.parametrize("asked", [1e9, float("inf"), 1e300])
def test_nobodys_clock_makes_us_wait_for_ever(asked):
    assert LONGEST_ASKED == decide(Throttled("slow", retry_after_s=asked)).at - MONDAY


@pytest.mark.parametrize("asked", [-5, float("nan"), float("-inf")])
def test_a_time_that_makes_no_sense_is_no_reason_to_wait(asked):
    assert MONDAY == decide(Throttled("slow", retry_after_s=asked)).at


def test_dead_credentials_halt_and_touch_nothing():
    assert Halt() == decide(Unauthorized("dead"), attempts=5)


@pytest.mark.parametrize(
    ("code", "said"),
    [(10, "Field is required"), (11, "Invalid email"), (16, "Tag is invalid"), (20, "Quota")],
)
def test_a_refusal_fails_this_change_with_the_accounts_words(code, said):
    assert Failed(code, f"refused: {said}") == decide(refused(code, said))


@pytest.mark.parametrize(
    ("verb", "code", "said"),
    [
        ("complete", 13, "Task has children"),
        ("reopen", 14, "Parent task is done"),
        ("create", 8, "Task is closed"),
        ("create", 5, "Task is invalid"),
        ("create", 4, "Project is invalid"),
    ],
)
def test_a_refused_place_in_the_tree_fails_this_change(verb, code, said):
    assert isinstance(decide(refused(code, said), verb=verb), Failed)


def test_a_record_limit_is_a_refusal():
    error = TooManyRecords("too many", action="x", code=None, said="Too many tasks")
    assert isinstance(decide(error), Failed)


@pytest.mark.parametrize(
    ("verb", "said"),
    [("complete", "Task is already closed"), ("reopen", "Task is already active")],
)
def test_already_so_is_a_success(verb, said):
    assert Applied(already=True) == decide(refused(12, said), verb=verb)


@pytest.mark.parametrize(
    ("verb", "code", "said"),
    [
        ("complete", 12, "Task is already active"),
        ("reopen", 12, "Task is already closed"),
        ("update", 12, "Task is already closed"),
        ("complete", 12, "Quota"),
        ("complete", 11, "Task is already closed"),
    ],
)
def test_a_code_is_read_with_its_words(verb, code, said):
    assert isinstance(decide(refused(code, said), verb=verb), Failed)


@pytest.mark.parametrize("verb", ["update", "tag", "complete", "reopen"])
def test_a_task_that_is_gone_is_looked_at_before_it_is_believed(verb):
    assert Uncertain(1) == decide(refused(5, "Task is invalid"), verb=verb)


def test_what_did_not_land_goes_again_later_and_not_for_ever():
    assert isinstance(not_landed(attempts=MOST_ATTEMPTS - 1, now=MONDAY, jitter=0), Again)
    assert isinstance(not_landed(attempts=MOST_ATTEMPTS, now=MONDAY, jitter=0), Failed)


def test_nonsense_that_repeats_goes_to_a_person_sooner():
    values = {"now": MONDAY, "jitter": 0, "nonsense": True}
    assert isinstance(not_landed(attempts=MOST_NONSENSE - 1, **values), Again)
    assert isinstance(not_landed(attempts=MOST_NONSENSE, **values), Failed)


@given(st.integers(0, 10**9), st.floats(0, 1, exclude_max=True))
def test_a_wait_grows_and_is_capped(attempts, jitter):
    assert timedelta(0) < wait(attempts, jitter) <= LONGEST_WAIT
    assert wait(attempts, jitter) <= wait(attempts + 1, jitter)


def test_waits_are_spread():
    assert wait(3, 0.0) * 2 > wait(3, 0.99) > wait(3, 0.0)


# Liveness: once faults stop, every change reaches a final state within a bound.

FAULTS = st.sampled_from(
    [
        Unreachable("x"),
        Unanswered("x"),
        BadReply("x"),
        Throttled("x"),
        Throttled("x", retry_after_s=300),
        None,
    ]
)
INTERVAL, REQUEST = timedelta(seconds=60), timedelta(seconds=2)


@given(
    st.lists(st.tuples(FAULTS, st.booleans()), max_size=40),
    st.sampled_from(VERBS),
    st.floats(0, 1, exclude_max=True),
)
def test_a_change_is_final_within_the_bound_once_faults_stop(faults, verb, jitter):
    """One change alone: each fault meets the attempt that is due, and lands it or not."""
    now, due, attempts = MONDAY, MONDAY, 0
    for error, landed in faults:
        now = max(now, due)
        outcome = after(verb, error, attempts=attempts, now=now, jitter=jitter)
        if isinstance(outcome, Uncertain) and not landed:
            outcome = not_landed(
                attempts=outcome.attempts, now=now, jitter=jitter, nonsense=outcome.nonsense
            )
        if not isinstance(outcome, Again):
            return  # applied, found by the look, failed: final
        due, attempts = outcome.at, outcome.attempts
    last = after(verb, None, attempts=attempts, now=max(now, due), jitter=jitter)
    limit = bound(1, interval=INTERVAL, request=REQUEST, asked=timedelta(seconds=300))
    assert Applied() == last
    assert due + INTERVAL + 4 * REQUEST - now <= limit


def test_the_bound_grows_with_the_steps_alone():
    one = bound(1, interval=INTERVAL, request=REQUEST)
    assert LONGEST_WAIT + INTERVAL + 4 * REQUEST == one
    assert one + 9 * (INTERVAL + 4 * REQUEST) == bound(10, interval=INTERVAL, request=REQUEST)
