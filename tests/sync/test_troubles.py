"""What counts as wrong: for each kind facts that are just bad enough, and facts that are not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.sync.facts import Facts
from syncd.sync.troubles import (
    KINDS,
    LEAST_FREE,
    LONG_LOG,
    OUTAGE,
    RULES,
    STALLED,
    troubles,
    undecided,
)
from tests.support.records import MONDAY

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
WELL = Facts(
    now=MONDAY,
    interval_s=300,
    skew_s=0.2,
    paused_webhooks=(),
    backup_error="",
    audit_broken="",
    landed_at=MONDAY - MINUTE,
    landing_took_s=20,
    pull_outcome="complete",
    changes={"queued": 3, "applied": 1},
    drift=0,
    free_bytes=10**12,
    database_bytes=10**9,
)


def kinds(**facts):
    return [one.kind for one in troubles(replace(WELL, **facts))]


def failing(failures, since, error="Unreachable", **more):
    return {
        "account_error": error,
        "account_said": "The account did not answer.",
        "account_failures": failures,
        "account_failing_since": MONDAY - since,
        **more,
    }


def test_nothing_is_wrong_where_all_is_well():
    assert () == troubles(WELL)
    assert frozenset() == undecided(WELL)


CASES = [
    ("account_unreachable", failing(3, MINUTE), failing(2, MINUTE)),
    ("account_unreachable", failing(1, OUTAGE), failing(1, OUTAGE - SECOND)),
    ("account_unreachable", failing(3, OUTAGE, "BadReply"), failing(0, OUTAGE, "")),
    ("key_refused", failing(1, SECOND, "Unauthorized"), failing(1, SECOND)),
    ("key_refused", {"key_refused_at": MONDAY}, {"key_refused_at": None}),
    (
        "mirror_stale",
        {"landed_at": MONDAY - timedelta(seconds=961)},
        {"landed_at": MONDAY - timedelta(seconds=960)},
    ),
    (
        "mirror_stale",
        {"landed_at": None, "pull_outcome": "failed"},
        {"landed_at": None, "pull_outcome": None},
    ),
    (
        "mirror_partial",
        {"partial_pulls": 2, "pull_notes": ("2 tasks are left out",)},
        {"partial_pulls": 1, "pull_notes": ("2 tasks are left out",)},
    ),
    ("brake", {"brakes": ("30 tasks are missing",)}, {"partial_pulls": 2, "pull_notes": ()}),
    ("conflict", {"changes": {"conflict": 1}}, {"changes": {"confirmed": 9}}),
    ("held", {"changes": {"held": 200}}, {"changes": {"queued": 200}}),
    ("failed", {"changes": {"failed": 1}}, {"changes": {"failed": 0}}),
    (
        "uncertain_old",
        {"uncertain_since": MONDAY - 31 * MINUTE},
        {"uncertain_since": MONDAY - 29 * MINUTE, "changes": {"uncertain": 1}},
    ),
    (
        "queue_stalled",
        {"due_since": MONDAY - STALLED - SECOND},
        {"due_since": MONDAY - STALLED},
    ),
    ("halted", {"halted": "the database was restored"}, {"halted": ""}),
    ("clock_skew", {"skew_s": -61.0}, {"skew_s": 60.0}),
    ("drift", {"drift": 1}, {"drift": 0}),
    ("webhook_paused", {"paused_webhooks": ("130",)}, {"paused_webhooks": ()}),
    ("database_failed", {"database": "the disk is full"}, {"database": ""}),
    ("backup_failed", {"backup_error": "no room"}, {"backup_error": ""}),
    ("disk_low", {"free_bytes": LEAST_FREE - 1}, {"free_bytes": None}),
    ("disk_low", {"free_bytes": 10**9 - 1}, {"free_bytes": 10**9}),
    ("log_held", {"held_log_bytes": LONG_LOG + 1, "database_bytes": 1}, {"held_log_bytes": 1}),
    (
        "log_held",
        {"held_log_bytes": 6 * LONG_LOG, "database_bytes": 10 * LONG_LOG},
        {"held_log_bytes": 4 * LONG_LOG, "database_bytes": 10 * LONG_LOG},
    ),
    ("audit_broken", {"audit_broken": "row 7 was altered"}, {"audit_broken": ""}),
    ("settings_refused", {"settings_refused": "unknown key a.b"}, {"settings_refused": ""}),
]


@pytest.mark.parametrize(("kind", "bad", "well"), CASES, ids=[case[0] for case in CASES])
def test_a_trouble_is_told_where_it_is_bad_enough_and_not_before(kind, bad, well):
    assert [kind] == kinds(**bad)
    assert [] == kinds(**well)


def test_every_kind_has_a_case_here():
    assert set(KINDS) == {kind for kind, _, _ in CASES}


@pytest.mark.parametrize(
    "why",
    [
        failing(1, SECOND),
        failing(1, SECOND, "Throttled"),
        {"paused_until": MONDAY + SECOND},
    ],
)
def test_a_queue_that_has_to_wait_for_the_account_is_not_stalled(why):
    assert "queue_stalled" not in kinds(due_since=MONDAY - 60 * MINUTE, **why)


def test_a_pause_that_is_over_excuses_nothing():
    assert ["queue_stalled"] == kinds(due_since=MONDAY - 60 * MINUTE, paused_until=MONDAY)


def test_a_refused_key_is_told_once_though_it_halts_everything():
    told = kinds(halted="the key is refused", **failing(5, OUTAGE, "Unauthorized"))
    assert ["key_refused"] == told


def test_a_mirror_that_is_slow_to_pull_is_not_stale_for_that():
    hours = timedelta(hours=2)
    assert [] == kinds(landed_at=MONDAY - hours, landing_took_s=3600)


def test_a_long_gone_pull_that_left_something_out_is_stale_too():
    stale = {"landed_at": MONDAY - timedelta(hours=1), "pull_outcome": "partial"}
    assert ["mirror_stale"] == kinds(partial_pulls=1, pull_notes=("a note",), **stale)


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        ("skew_s", "clock_skew"),
        ("paused_webhooks", "webhook_paused"),
        ("backup_error", "backup_failed"),
        ("audit_broken", "audit_broken"),
        ("drift", "drift"),
    ],
)
def test_what_is_not_known_yet_is_neither_told_nor_taken_for_over(fact, kind):
    facts = replace(WELL, **{fact: None})
    assert frozenset({kind}) == undecided(facts)
    assert () == troubles(facts)


def test_each_webhook_is_a_trouble_of_its_own():
    told = troubles(replace(WELL, paused_webhooks=("130", "131")))
    assert [("webhook_paused", "130"), ("webhook_paused", "131")] == [
        (one.kind, one.subject) for one in told
    ]


@pytest.mark.parametrize(("skew", "words"), [(125.0, "2 min before"), (-125.0, "2 min behind")])
def test_the_clock_is_said_to_be_before_or_behind(skew, words):
    (told,) = troubles(replace(WELL, skew_s=skew))
    assert words in told.summary


@pytest.mark.parametrize(("kind", "bad", "well"), CASES, ids=[case[0] for case in CASES])
def test_the_words_of_a_trouble_stay_as_time_goes_by(kind, bad, well):
    """An incident would be written anew at every look otherwise."""
    del well
    now, later = (
        next(one for one in troubles(replace(WELL, **bad, now=at)) if one.kind == kind)
        for at in (MONDAY, MONDAY + SECOND * 90)
    )
    assert now == later


def test_every_trouble_says_what_to_do():
    for kind, rule in RULES.items():
        assert rule.remedy, kind


def test_the_manual_explains_every_kind_and_no_other():
    manual = Path(__file__).parent.parent.parent / "docs" / "incidents.md"
    explained = re.findall(r"^### `(\w+)`", manual.read_text(encoding="utf-8"), re.M)
    assert sorted(KINDS) == sorted(explained)
