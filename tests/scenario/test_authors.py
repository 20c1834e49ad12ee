"""Who did it and when: told where the account's feed has told it, and never guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from syncd.cli.entry import run
from syncd.services.queue import show_change
from syncd.services.sides import Side
from syncd.services.task_detail import show_task
from tests.scenario.test_events import ben, ids, listened, settled
from tests.support.mirror import START, Mirror
from tests.support.pushes import pushed, states

SOON = timedelta(minutes=2)
ANN, BEN = "Ann Example", "Ben Example"


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def mirror(a_mirror):
    return settled(a_mirror)


@pytest.fixture
def sqlite_mirror(a_sqlite_mirror):
    """For what is decided before a database is asked."""
    return settled(a_sqlite_mirror)


def untold(mirror: Mirror, do: Callable[[], Any]) -> None:
    """Let something happen that the feed does not tell of."""
    before = len(mirror.account.events)
    do()
    del mirror.account.events[before:]


def edited(mirror: Mirror, priority: int, *, by: int | None = None) -> None:
    mirror.clock.move(SOON)
    mirror.account.edit_task(ids(mirror)["Top"], priority=priority, by=by)


def contested(mirror: Mirror) -> list[Side]:
    """Push, and return what is in question."""
    pushed(mirror)
    assert ["conflict"] == states(mirror)
    found = show_change(mirror.app.db, 1, now=mirror.clock(), max_batch=100)
    return [side for side in found.sides if side.contested]


def queued(mirror: Mirror, what: str) -> None:
    mirror.execute(f"UPDATE live_tasks SET {what} WHERE id = {ids(mirror)['Top']}")


def test_a_conflict_tells_of_each_field_who_set_theirs_and_when(mirror):
    task, account = ids(mirror)["Top"], mirror.account
    queued(mirror, "priority = 8, tags = '', assignee_email = 'ann@example.com', name = 'mine'")
    edited(mirror, 2, by=ben(mirror))
    first = mirror.clock.now
    account.tag_task(task, max(account.tags), by=ben(mirror) - 1)
    account.edit_task(task, assignee_id=ben(mirror), by=ben(mirror))
    untold(mirror, lambda: account.rename_task(task, "theirs"))
    listened(mirror)
    sides = {side.field: side for side in contested(mirror)}
    assert {"priority": BEN, "assignee_email": BEN, "name": None} == {
        name: side.changed_by for name, side in sides.items()
    }
    assert first.replace(second=0, microsecond=0) == sides["priority"].changed_at


def test_nobody_is_named_for_a_value_that_was_not_told(sqlite_mirror):
    edited(sqlite_mirror, 2, by=ben(sqlite_mirror))
    listened(sqlite_mirror)
    queued(sqlite_mirror, "priority = 8")
    untold(sqlite_mirror, lambda: edited(sqlite_mirror, 5))
    assert [None] == [side.changed_by for side in contested(sqlite_mirror)]


def test_who_set_the_same_value_long_ago_is_not_who_set_it_now(sqlite_mirror):
    edited(sqlite_mirror, 2, by=ben(sqlite_mirror))
    listened(sqlite_mirror)
    untold(sqlite_mirror, lambda: edited(sqlite_mirror, 5))
    sqlite_mirror.pull(later=SOON)
    queued(sqlite_mirror, "priority = 8")
    untold(sqlite_mirror, lambda: edited(sqlite_mirror, 2))
    sqlite_mirror.pull(later=SOON)
    assert [None] == [side.changed_by for side in contested(sqlite_mirror)]


def test_versions_of_a_task_name_who_made_them(mirror):
    task, account = ids(mirror)["Top"], mirror.account
    edited(mirror, 4, by=ben(mirror))
    account.tag_task(task, max(account.tags), by=ben(mirror) - 1)
    listened(mirror)
    untold(mirror, lambda: edited(mirror, 6, by=ben(mirror)))
    mirror.pull(later=SOON)
    edited(mirror, 4, by=ben(mirror) - 1)
    account.complete_task(ids(mirror)["Single 0"], by=ben(mirror))
    mirror.pull(later=SOON)  # the pull was first, the feed tells of it later
    account.delete_task(ids(mirror)["Single 0"], by=ben(mirror) - 1)
    mirror.pull(later=SOON)
    listened(mirror)
    assert [[], [BEN, ANN], [], [ANN]] == _authors(mirror, task)
    assert [[], [BEN], [ANN]] == _authors(mirror, _gone(mirror))


def _gone(mirror: Mirror) -> int:
    (id,) = mirror.removed()
    return id


def _authors(mirror: Mirror, id: int) -> list[list[str]]:
    found = show_task(mirror.app.db, id, today=START.date())
    return [[author.name for author in version.by] for version in found.versions]


def test_without_a_time_zone_the_account_s_own_clock_is_told(a_sqlite_mirror, capsys):
    mirror = settled(a_sqlite_mirror, zone=None)
    mirror.path.chmod(0o600)
    queued(mirror, "priority = 8")
    edited(mirror, 2, by=ben(mirror))
    local = mirror.account.wall_clock()
    listened(mirror)
    (side,) = contested(mirror)
    assert (BEN, local) == (side.changed_by, side.changed_at)
    words = f"set by {BEN} at {local:%Y-%m-%d %H:%M} on the account's clock"
    for command in (("queue", "show", "1"), ("queue", "list"), ("why", "1")):
        assert words in said(mirror, capsys, *command)
    task = str(ids(mirror)["Top"])
    assert f"by {BEN} at {local:%Y-%m-%d %H:%M}" in said(mirror, capsys, "task", "show", task)
    told = said(mirror, capsys, "queue", "resolve", "1", "--keep", "mine")
    assert f"Theirs of priority was {words}" in told


def said(mirror: Mirror, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    run([*words, "--config", str(mirror.path)])
    return capsys.readouterr().out
