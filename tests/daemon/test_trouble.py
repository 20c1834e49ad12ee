"""What goes wrong at the account: told, survived, over by itself; and the account is spared."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

from tests.support.daemons import Place, free_port, until
from tests.support.mirror import assert_mirror_equals, dump

SOON = {"syncd.daemon.run.LOOK_S": 1.0}
OLD, NEW = "0ddba11c0ffee0ddba11c0ffee0ddba1", "5eed1e55deadbea75eed1e55deadbea7"
PACE = 2.0
"""Slow enough that a daemon which starts at once is there before it may ask."""
IMPATIENT = "from syncd.worksection.backoff import Patience; Patience.pause_s = lambda *_: 0.1"
"""Tries again at once, as many times as ever; the pauses are tested with the client."""
NOISE_S = 0.06
"""See tests/scenario/test_pace.py."""


def incidents(place: Place, kind: str) -> list[bool]:
    """The incidents of a kind in their order: whether each is open."""
    query = f"SELECT closed_at FROM incidents WHERE kind = '{kind}' ORDER BY id"
    return [row["closed_at"] is None for row in place.mirror.rows(query)]


def test_a_refused_key_stops_everything_and_a_new_one_goes_on_without_being_shown(any_place):
    """Failures 12 and 28: the key is nowhere to be read, the incident opens and closes."""
    place = any_place(account={"api_key": OLD}, pull={"interval": "1s"})
    place.mirror.box.key = OLD
    daemon = place.run(port=free_port(), patched=SOON)
    daemon.has_pulled()
    place.mirror.box.key = NEW
    daemon.says("does not accept our credentials")
    until(lambda: incidents(place, "key_refused") == [True], what=daemon.everything)
    asked = len(place.mirror.box.log)
    (task, *_) = place.leaves()
    place.edit(task, priority=9)
    stays(lambda: asked == len(place.mirror.box.log) and place.states() == {"queued": 1}, 2.0)
    shown = [daemon.page(name) for name in ("metrics", "healthz", "readyz")]

    place.configure(account={"api_key": NEW})
    daemon.reload()
    until(lambda: place.states() == {"confirmed": 1}, what=daemon.everything)
    until(lambda: incidents(place, "key_refused") == [False], what=daemon.everything)
    until(lambda: "credentials" not in daemon.manager.status, what=daemon.everything)
    assert 1 == place.updates(task)
    shown += [daemon.page(name) for name in ("metrics", "healthz", "readyz")]
    daemon.stop()

    kept = dump(place.mirror.database_url, ("incidents", "sync_runs", "audit_log", "lease"))
    everything = f"{shown}{kept}{daemon.everything()}"
    assert "key_refused" in everything
    assert [] == [key for key in (OLD, NEW) if key in everything]


def stays(claim: Callable[[], bool], seconds: float) -> None:
    """Look on for a while: what must not happen cannot be waited for."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        assert claim()
        time.sleep(0.1)  # between two looks


def test_without_a_network_it_is_ready_says_so_and_recovers_by_itself(a_sqlite_place):
    """Failure 10: no network at the start is a state, not a crash."""
    place = a_sqlite_place(pull={"interval": "1s"})
    port = free_port()
    with place.mirror.box.refusing():
        daemon = place.run(port=port, more=IMPATIENT)
        daemon.is_ready()
        daemon.says("last pull failed")
        status, said = daemon.page("readyz")
        assert 503 == status
        assert "no pull was complete yet" in said
        assert 200 == daemon.page("healthz")[0]
    daemon.has_pulled()
    until(lambda: daemon.page("readyz")[0] == 200, what=daemon.everything)
    assert 1 == daemon.manager.ready
    daemon.stop()
    assert_mirror_equals(place.mirror)


def test_a_partial_pull_is_not_ready_and_a_wrong_clock_is_an_incident_while_it_is(a_sqlite_place):
    """Failures 5, 28 and 30."""
    place = a_sqlite_place(pull={"interval": "1s"})
    place.mirror.box.set(record_limit=8, clock_skew_s=150.0)
    daemon = place.run(port=free_port(), patched=SOON)
    daemon.says("last pull partial")
    assert 503 == daemon.page("readyz")[0]
    assert "no pull was complete yet" in daemon.page("readyz")[1]
    until(lambda: incidents(place, "clock_skew") == [True], what=daemon.everything)
    place.mirror.box.set(record_limit=10_000, clock_skew_s=0.0)
    daemon.has_pulled()
    until(lambda: daemon.page("readyz")[0] == 200, what=daemon.everything)
    until(lambda: incidents(place, "clock_skew") == [False], what=daemon.everything)
    daemon.stop()


def test_the_account_is_never_asked_faster_than_it_allows_over_a_kill_and_a_reload(any_place):
    """Failure 6. A reload opens the account anew, and the pace goes on (the soak found it)."""
    often = {"interval": "1s", "events_interval": "1s"}
    place = any_place(pace=PACE, pull=often, push={"interval": "1s"})
    for round_ in range(3):
        seen = len(place.mirror.box.log)
        daemon = place.run()
        for task in place.leaves()[:2] if round_ else ():
            place.edit(task, priority=round_ + 3)
        for more in (2, 4, 6):
            until(lambda n=seen + more: len(place.mirror.box.log) > n, what=daemon.everything)
            daemon.reload()
        daemon.process.kill()
    starts = sorted(entry.started for entry in place.mirror.box.log.entries())
    gaps = [round(later - earlier, 3) for earlier, later in pairwise(starts)]
    assert [] == [gap for gap in gaps if gap < 1 / PACE - NOISE_S], gaps
