"""Incidents: on record while something is wrong, over by themselves (failure 28)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from syncd.errors import AccountError, LeaseLost
from syncd.model.incidents import Trouble
from syncd.sandbox import Account, Fault, Sandbox
from syncd.secrets import Secret
from syncd.services.facts import gather
from syncd.services.incidents import LONGEST, note, open_incidents
from syncd.store import lease
from syncd.store.incidents import incidents
from syncd.store.outbox import outbox_events
from syncd.store.runs import RunRow, next_run_id, record_run
from syncd.store.state import remember
from syncd.sync.facts import Facts
from syncd.sync.troubles import troubles
from tests.live.conftest import MOVES, Gate
from tests.support.mirror import Mirror, build
from tests.support.pushes import pushed
from tests.support.records import MONDAY

MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE


@pytest.fixture
def mirror(ready_database_url: str, tmp_path: Path) -> Iterator[Mirror]:
    with Sandbox(Account.seeded(tasks=20)) as box:
        made = build(box, ready_database_url, tmp_path / "syncd.toml", max_removals=3)
        yield made
        made.app.db.close()


@pytest.fixture
def held(gate: Gate) -> Iterator[lease.Lease]:
    with lease.hold(gate.db, now=MONDAY) as held:
        yield held


def a_trouble(kind="conflict", subject="", *, severity="warning", summary="Oh.", remedy="Do."):
    return Trouble(kind, subject, severity, summary, remedy)


def on_record(db):
    with db.read() as tx:
        return tx.execute(select(incidents).order_by(incidents.c.id)).all()


def now_facts(gate: Gate, *, later=timedelta(), max_batch=100) -> Facts:
    """What the database says; its own clock stamped what was queued."""
    known = Facts(now=datetime.now(UTC) + later, interval_s=300)
    return gather(gate.db, known, max_batch=max_batch)


def troubles_of(facts: Facts) -> list[str]:
    return [one.kind for one in troubles(facts)]


def ran(gate: Gate, kind="pull", outcome="complete", *, at=MONDAY, **values) -> None:
    row = RunRow(kind, "account", at, at + MINUTE, outcome, **{"observed_at": at} | values)
    with gate.db.write() as tx:
        record_run(tx, next_run_id(tx), row)


# --- on record


def test_an_incident_opens_stays_and_closes_by_itself(gate: Gate, held: lease.Lease) -> None:
    opened = note(gate.db, held, [a_trouble()], at=MONDAY).opened
    assert opened == open_incidents(gate.db)
    assert ["conflict"] == [one.kind for one in opened]
    assert not note(gate.db, held, [a_trouble()], at=MONDAY + MINUTE).opened
    (closed,) = note(gate.db, held, [], at=MONDAY + 2 * MINUTE).closed
    assert (MONDAY, MONDAY + 2 * MINUTE) == (closed.opened_at, closed.closed_at)
    assert () == open_incidents(gate.db)
    assert 1 == len(on_record(gate.db))


def test_what_comes_back_is_an_incident_of_its_own(gate: Gate, held: lease.Lease) -> None:
    for n, found in enumerate([[a_trouble()], [], [a_trouble()]]):
        note(gate.db, held, found, at=MONDAY + n * MINUTE)
    assert [False, True] == [row.closed_at is None for row in on_record(gate.db)]


def test_its_words_follow_what_is_seen(gate: Gate, held: lease.Lease) -> None:
    note(gate.db, held, [a_trouble(summary="1 change.")], at=MONDAY)
    changes = note(gate.db, held, [a_trouble(summary="2 changes.")], at=MONDAY + MINUTE)
    assert ((), ()) == (changes.opened, changes.closed)
    (told,) = open_incidents(gate.db)
    assert ("2 changes.", MONDAY) == (told.summary, told.opened_at)


def test_troubles_of_one_kind_are_told_apart_by_their_subject(
    gate: Gate, held: lease.Lease
) -> None:
    note(gate.db, held, [a_trouble(subject="1"), a_trouble(subject="2")], at=MONDAY)
    (closed,) = note(gate.db, held, [a_trouble(subject="2")], at=MONDAY).closed
    assert "1" == closed.subject


def test_what_is_not_known_now_stays_as_it_is(gate: Gate, held: lease.Lease) -> None:
    note(gate.db, held, [a_trouble("clock_skew"), a_trouble("drift")], at=MONDAY)
    note(gate.db, held, [], at=MONDAY + MINUTE, undecided={"clock_skew"})
    assert ["clock_skew"] == [one.kind for one in open_incidents(gate.db)]


def test_only_the_holder_of_the_lease_notes(gate: Gate, held: lease.Lease) -> None:
    note(gate.db, held, [a_trouble()], at=MONDAY)
    late = replace(held, fencing=held.fencing - 1)
    for found in ([a_trouble("drift")], []):
        with pytest.raises(LeaseLost):
            note(gate.db, late, found, at=MONDAY)
    assert ["conflict"] == [row.kind for row in on_record(gate.db)]
    assert not note(gate.db, late, [a_trouble()], at=MONDAY).opened, "where nothing is written"


def test_no_secret_and_no_novel_gets_on_record(gate: Gate, held: lease.Lease) -> None:
    canary = Secret("canary-5f2d9c").reveal()
    summary = f"The account said:\n{canary} hash=0123456789abcdef {'x' * 2000}"
    note(gate.db, held, [a_trouble(summary=summary)], at=MONDAY)
    (row,) = on_record(gate.db)
    assert len(row.summary) == LONGEST
    assert row.summary.startswith("The account said: *** hash=*** xxx")


# --- what the database says


def test_of_the_pulls_the_last_one_and_the_last_that_landed_count(gate: Gate) -> None:
    assert (None, None) == (now_facts(gate).landed_at, now_facts(gate).pull_outcome)
    ran(gate, at=MONDAY)
    ran(gate, outcome="failed", at=MONDAY + 9 * MINUTE, error="No answer.", observed_at=None)
    ran(gate, "push", at=MONDAY + 20 * MINUTE, observed_at=None)
    facts = now_facts(gate)
    assert (MONDAY, "failed", 60.0) == (facts.landed_at, facts.pull_outcome, facts.landing_took_s)
    assert ("No answer.", 0) == (facts.pull_error, facts.partial_pulls)


def test_what_two_pulls_leave_out_is_told_without_what_a_brake_holds(gate: Gate) -> None:
    notes = ["brake: 30 tasks are missing (limit 10); they stay", "2 records: see quarantine"]
    for n in range(3):
        ran(gate, outcome="partial", at=MONDAY + n * MINUTE, detail={"notes": notes})
    with gate.db.write() as tx:
        remember(tx, "brakes", [{"missing": 30, "limit": 10, "why": "over the limit"}])
    facts = now_facts(gate)
    assert (2, ("2 records: see quarantine",)) == (facts.partial_pulls, facts.pull_notes)
    assert ("30 tasks are missing (over the limit)",) == facts.brakes
    assert ["mirror_stale", "mirror_partial", "brake"] == troubles_of(facts)


def test_failures_of_the_account_are_counted_until_it_answered(gate: Gate) -> None:
    lost = {"error": "No answer.", "detail": {"class": "Unreachable"}, "outcome": "failed"}
    ran(gate, at=MONDAY)
    ran(gate, "push", at=MONDAY + MINUTE, **lost)
    ran(gate, "push", at=MONDAY + 2 * MINUTE, counts={"requests": 0})
    ran(gate, "pull", at=MONDAY + 3 * MINUTE, **lost)
    facts = now_facts(gate)
    assert ("Unreachable", 2) == (facts.account_error, facts.account_failures)
    assert MONDAY + MINUTE == facts.account_failing_since
    ran(gate, "push", at=MONDAY + 4 * MINUTE, counts={"requests": 1})
    assert ("", 0) == (now_facts(gate).account_error, now_facts(gate).account_failures)


def test_a_fault_of_ours_is_no_failure_of_the_account(gate: Gate) -> None:
    ran(gate, outcome="failed", detail={"class": "ConfigError"}, error="Another account.")
    assert "" == now_facts(gate).account_error


def test_the_last_sample_tells_the_drift(gate: Gate) -> None:
    assert now_facts(gate).drift is None
    ran(gate, "verify", counts={"sampled": 5, "differing": 2}, observed_at=None)
    assert 2 == now_facts(gate).drift


def test_the_room_on_the_disk_is_known_of_a_file(gate: Gate) -> None:
    assert gate.sqlite == (now_facts(gate).free_bytes is not None)


@pytest.mark.parametrize("state", ["held", "conflict", "failed", "uncertain"])
def test_changes_are_counted_by_their_state(gate: Gate, state: str) -> None:
    gate.run("UPDATE live_tasks SET priority = 9 WHERE id = 1000")
    gate.move(1, *MOVES[state])
    if state == "uncertain":
        gate.run("UPDATE outbox SET sent_at = '2026-01-05 09:00:00+00:00'")
    facts = now_facts(gate)
    assert {state: 1} == facts.changes
    told = {"uncertain": "uncertain_old"}.get(state, state)
    assert [told] == troubles_of(facts)


def test_a_change_that_could_have_gone_is_a_stalled_queue(gate: Gate) -> None:
    """Failure 4: the outbound queue stops without an error."""
    gate.run("UPDATE live_tasks SET priority = 9 WHERE id = 1000")
    assert now_facts(gate, later=14 * MINUTE).due_since is None
    facts = now_facts(gate, later=16 * MINUTE)
    assert facts.due_since is not None
    assert ["queue_stalled"] == troubles_of(facts)


@pytest.mark.parametrize(
    "waits",
    [
        "UPDATE outbox SET state = 'conflict' WHERE id = 1",
        "UPDATE outbox SET next_attempt_at = '2999-01-01 00:00:00+00:00'",
    ],
)
def test_a_change_that_waits_for_something_does_not_stall(gate: Gate, waits: str) -> None:
    gate.run("UPDATE live_tasks SET priority = 9 WHERE id = 1000")
    gate.run("UPDATE live_tasks SET name = 'new' WHERE id = 1000")
    gate.run(waits)
    assert now_facts(gate, later=HOUR).due_since is None


def test_what_a_brake_is_about_to_hold_does_not_stall(gate: Gate) -> None:
    gate.run("UPDATE live_tasks SET priority = 9 WHERE id <> 1003")
    assert now_facts(gate, later=HOUR, max_batch=2).due_since is None


def test_a_change_whose_lane_has_just_moved_does_not_stall(gate: Gate) -> None:
    gate.run("UPDATE live_tasks SET priority = 9 WHERE id = 1000")
    gate.run("UPDATE live_tasks SET name = 'new' WHERE id = 1000")
    gate.move(1, "conflict", "cancelled")
    assert ["queue_stalled"] == troubles_of(now_facts(gate, later=HOUR))
    moved = {"at": datetime.now(UTC) + HOUR - MINUTE, "from_state": "conflict"}
    with gate.db.write() as tx:
        told = {"change_id": 1, "to_state": "cancelled", "actor": "cli:olena", "detail": {}}
        tx.execute(insert(outbox_events).values(told | moved))
    assert [] == troubles_of(now_facts(gate, later=HOUR))


# --- with an account


def seen(mirror: Mirror) -> list[str]:
    known = Facts(now=mirror.clock(), interval_s=300)
    return [one.kind for one in troubles(gather(mirror.app.db, known, max_batch=100))]


def failed_pull(mirror: Mirror) -> None:
    with pytest.raises(AccountError):
        mirror.pull(later=MINUTE)


def test_an_account_that_is_away_is_told_once_that_lasts(mirror: Mirror) -> None:
    mirror.pull()
    assert [] == seen(mirror)
    mirror.box.faults.add(Fault("html_login"))
    failed_pull(mirror)
    failed_pull(mirror)
    assert [] == seen(mirror)
    failed_pull(mirror)
    assert ["account_unreachable"] == seen(mirror)
    mirror.box.faults.clear()
    mirror.pull(later=MINUTE)
    assert [] == seen(mirror)


def test_a_refused_key_is_told_at_once_by_a_pull_or_a_push(mirror: Mirror) -> None:
    mirror.pull()
    mirror.execute("UPDATE live_tasks SET priority = 3 WHERE level = 1 AND priority <> 3")
    mirror.box.faults.add(Fault("error", code=2, action="*"))
    with pytest.raises(AccountError):
        pushed(mirror)
    assert ["key_refused"] == seen(mirror)
    failed_pull(mirror)
    assert ["key_refused"] == seen(mirror)
