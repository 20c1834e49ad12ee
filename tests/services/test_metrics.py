"""Metrics: what is published is what the database says, whatever becomes of the database."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from syncd.errors import StorageFailed
from syncd.model.incidents import Trouble
from syncd.secrets import Secret
from syncd.services.gauges import FRESH_S, LONGEST_S, Gauges, Reading, read_gauges
from syncd.services.incidents import note
from syncd.services.metrics import Metrics, Own
from syncd.store import lease
from syncd.store.engine import Database
from syncd.store.runs import RunRow, next_run_id, record_run
from tests.live.conftest import Gate
from tests.support.records import MONDAY

MINUTE = timedelta(minutes=1)
DOCS = Path(__file__).parent.parent.parent / "docs" / "metrics.md"
CANARY = "canary-0badcafe"


@dataclass(slots=True)
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Reader:
    """Gives `gauges` or fails, and counts how often it was asked; reading `takes` a while."""

    time: Time = field(default_factory=Time)
    gauges: Gauges | None = field(default_factory=Gauges)
    takes: float = 0.0
    asked: int = 0

    def __call__(self) -> Gauges:
        self.asked += 1
        self.time.now += self.takes
        if self.gauges is None:
            raise StorageFailed("The server is gone.")
        return self.gauges

    def reading(self) -> Reading:
        return Reading(self, clock=self.time)


def a_metrics(read: Callable[[], Gauges], own: Own = Own(holder=True)) -> Metrics:  # noqa: B008 - a frozen value
    return Metrics(lambda: own, Reading(read), clock=lambda: MONDAY + 10 * MINUTE)


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample by name and labels, as whoever scrapes reads them."""
    return {
        sample.name + "".join(f",{value}" for _, value in sorted(sample.labels.items())): (
            sample.value
        )
        for family in text_string_to_metric_families(metrics.page().decode())
        for sample in family.samples
    }


def ran(db: Database, kind: str, outcome: str, at, **values) -> None:
    row = RunRow(kind, "account", at, at + MINUTE, outcome, observed_at=at, **values)
    with db.write() as tx:
        record_run(tx, next_run_id(tx), row)


def test_what_the_database_says_is_published(gate: Gate) -> None:
    ran(gate.db, "pull", "complete", MONDAY)
    ran(gate.db, "pull", "partial", MONDAY + 2 * MINUTE)
    ran(gate.db, "verify", "complete", MONDAY, counts={"sampled": 5, "differing": 2})
    gate.run("UPDATE live_tasks SET priority = 9 WHERE id IN (1000, 1001)")
    gate.move(1, "conflict")
    with lease.hold(gate.db, now=MONDAY) as held:
        note(gate.db, held, [Trouble("drift", "", "problem", "Oh.", "Do.")], at=MONDAY)
    shown = samples(a_metrics(lambda: read_gauges(gate.db)))
    expected = {
        "syncd_up": 1,
        "syncd_holder": 1,
        "syncd_database_up": 1,
        "syncd_lag_seconds": 600,
        "syncd_last_success_timestamp_seconds": (MONDAY + MINUTE).timestamp(),
        "syncd_changes,conflict": 1,
        "syncd_changes,queued": 1,
        "syncd_changes,failed": 0,
        "syncd_conflicts": 1,
        "syncd_incidents,drift": 1,
        "syncd_incidents,held": 0,
        "syncd_drift_tasks": 2,
        "syncd_tasks": 5,
    }
    assert expected == {name: shown[name] for name in expected}
    assert {"confirmed", "cancelled"}.isdisjoint(name.partition(",")[2] for name in shown)


def test_an_age_is_right_at_every_scrape_though_it_was_read_once() -> None:
    now = [MONDAY]
    reading = Reading(Reader(gauges=Gauges(observed_at=MONDAY, queued_at=MONDAY)))
    metrics = Metrics(lambda: Own(holder=False), reading, clock=lambda: now[0])
    now[0] = MONDAY + MINUTE
    shown = samples(metrics)
    assert 60 == shown["syncd_lag_seconds"] == shown["syncd_oldest_queued_age_seconds"]
    now[0] = MONDAY - MINUTE
    assert 0 == samples(metrics)["syncd_lag_seconds"], "a clock that was set back"


def test_what_is_not_known_is_absent_and_not_zero() -> None:
    shown = samples(a_metrics(Reader(gauges=Gauges())))
    names = ("lag_seconds", "last_success_timestamp_seconds", "drift_tasks", "budget_left_ratio")
    assert {f"syncd_{name}" for name in names}.isdisjoint(shown)
    assert 0 == shown["syncd_oldest_queued_age_seconds"]


def test_what_the_daemon_does_is_counted() -> None:
    metrics = a_metrics(Reader(), Own(holder=False, budget_left=0.75))
    metrics.ran("pull", "complete", 1.5, 2)
    metrics.ran("pull", "failed", 40.0, 1)
    metrics.ran("push", "complete", 0.05, 0)
    metrics.failed("pull", "Unreachable")
    shown = samples(metrics)
    expected = {
        "syncd_requests_total,pull": 3,
        "syncd_requests_total,push": 0,
        "syncd_runs_total,pull,complete": 1,
        "syncd_runs_total,pull,failed": 1,
        "syncd_errors_total,Unreachable,pull": 1,
        "syncd_run_seconds_count,pull": 2,
        "syncd_run_seconds_sum,pull": 41.5,
        "syncd_run_seconds_bucket,pull,2.0": 1,
        "syncd_holder": 0,
        "syncd_budget_left_ratio": 0.75,
    }
    flipped = {",".join(sorted(name.split(","))): value for name, value in shown.items()}
    assert expected == {name: flipped[",".join(sorted(name.split(",")))] for name in expected}


# --- a database that does not answer


def test_a_database_that_is_gone_does_not_break_a_scrape() -> None:
    shown = samples(a_metrics(Reader(gauges=None)))
    assert (1, 0) == (shown["syncd_up"], shown["syncd_database_up"])
    assert not any(name.startswith(("syncd_tasks", "syncd_changes")) for name in shown)


def test_a_database_that_hangs_does_not_either_and_is_asked_once() -> None:
    answers, asked = threading.Event(), []

    def hang() -> Gauges:
        asked.append(1)
        answers.wait(30)
        return Gauges(tasks=7)

    reading = Reading(hang, patience_s=0.05)
    assert (None, None) == (reading.gauges(), reading.gauges())
    assert 1 == len(asked)
    answers.set()
    assert wait_for(reading) == Gauges(tasks=7)


def wait_for(reading: Reading) -> Gauges | None:
    """The reading, once the thread that hung has ended."""
    for thread in threading.enumerate():
        if thread.name == "gauges":
            thread.join(10)
    return reading.gauges()


def test_scrapes_share_a_reading_for_a_while() -> None:
    reader = Reader()
    reading = reader.reading()
    for _ in range(10):
        reading.gauges()
    assert 1 == reader.asked
    reader.time.now += FRESH_S
    reading.gauges()
    assert 2 == reader.asked


def test_a_large_mirror_is_read_less_often() -> None:
    reader = Reader(takes=0.5)
    reading = reader.reading()
    reading.gauges()
    reader.time.now += 99
    reading.gauges()
    assert 1 == reader.asked
    reader.time.now += 2
    reading.gauges()
    assert 2 == reader.asked


def test_a_slow_failure_is_not_remembered_for_long() -> None:
    reader = Reader(gauges=None, takes=60.0)
    reading = reader.reading()
    assert reading.gauges() is None
    reader.gauges = Gauges(tasks=7)
    reader.time.now += FRESH_S
    assert Gauges(tasks=7) == reading.gauges()
    reader.time.now += LONGEST_S
    reading.gauges()
    assert 3 == reader.asked


# --- what whoever reads it relies on


def test_the_manual_names_every_metric_and_no_other() -> None:
    read = Gauges(observed_at=MONDAY, ended_at=MONDAY, queued_at=MONDAY, drift=0)
    metrics = a_metrics(Reader(gauges=read), Own(holder=True, budget_left=1.0))
    metrics.ran("pull", "complete", 1.0, 1)
    metrics.failed("pull", "Unreachable")
    ours = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(metrics.page().decode())
        if family.name.startswith("syncd") and not family.name.endswith("_created")
    }
    named = re.findall(r"^\| `(syncd\w*)", DOCS.read_text(encoding="utf-8"), re.M)
    assert sorted(ours) == sorted(named)


def test_the_alert_rules_of_the_manual_use_what_there_is() -> None:
    text = DOCS.read_text(encoding="utf-8")
    rules = text[text.index("```yaml") :]
    named = re.findall(r"^\| `(syncd\w*)", text, re.M)
    used = set(re.findall(r"\bsyncd_\w+", rules))
    assert used
    assert [] == sorted(name for name in used if name.removesuffix("_bucket") not in named)


def test_no_secret_is_published(gate: Gate) -> None:
    Secret(CANARY)
    ran(gate.db, "pull", "failed", MONDAY, error=f"hash={CANARY}", detail={"class": "Unreachable"})
    gate.run(f"UPDATE live_tasks SET name = '{CANARY}' WHERE id = 1000")
    with lease.hold(gate.db, now=MONDAY) as held:
        trouble = Trouble("webhook_paused", CANARY, "warning", CANARY, "Do.")
        note(gate.db, held, [trouble], at=MONDAY)
    assert CANARY.encode() not in a_metrics(lambda: read_gauges(gate.db)).page()
    (row,) = gate.rows("SELECT * FROM incidents")
    assert CANARY not in str(row)
