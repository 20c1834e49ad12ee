"""kill -9 at every instant of a push that carries everything: the same end as if nobody had died.

A real process pushes, and kills itself at instant 1, 2, 3, ... until one comes to its end. After
each death a fresh start pushes until nothing moves; account, outbox and `live_tasks` are then
compared with those of a push that was left alone. The instants are every SQL statement, every
commit (before it and after it) and every request (before it leaves, and after its answer).

SYNCD_HYPOTHESIS=deep tries every instant, on both databases. After each commit that wrote and after
each request that wrote stands a world of its own; what a process did in between goes with it. The
fast profile kills in every WORLDS-th of these on SQLite, in every OTHER_WORLDS-th on PostgreSQL,
and at every STRIDE-th of the instants in between, where nothing should be different.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Account, Fault, Sandbox
from syncd.services.progress import Silent
from syncd.services.pull import pull
from syncd.services.push import push
from syncd.services.push.epoch import epoch_path
from tests.support.mirror import Clock, Mirror, config_text, rows
from tests.support.postgres import Cluster
from tests.support.push_kills import Instant, Pen, an_app, pen
from tests.support.pushes import pushed, states

STRIDE = 400
WORLDS, OTHER_WORLDS = 5, 18
MOST_PUSHES = 8
OWN_WORLD = frozenset({"lock", "clock", "listeners", "zone", "version", "epoch", "_ids"})
"""What stays an account's own when it is put back to what it was: its marks and ids only grow."""
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def killers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pen]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pen() as made:
        yield made


def an_office() -> Account:
    """An account with a task for everything that can be done to one."""
    account = Account()
    account.create_member("Olena", "Owner", "olena@example.com")
    account.create_member("Ivan", "Insider", "ivan@example.com")
    account.create_member("Oleh", "Outsider", "oleh@example.com")
    group = account.create_tag_group("Kind")
    for title in ("urgent", "later", "bug"):
        account.create_tag(group, title)
    project = account.create_project("Office")
    account.add_project_members(
        project, [id for id, m in account.members.items() if m.first_name != "Oleh"]
    )
    names = ("renamed", "tagged", "both", "closed", "opened", "disputed", "refused", "unheard")
    for name in names:
        account.create_task(project, name)
    account.complete_task(next(t.id for t in account.tasks.values() if t.name == "opened"))
    return account


def queue_everything(mirror: Mirror) -> None:
    """Queue one of each; a creation and an edit are uncertain from a push before."""
    account = mirror.account
    project = next(iter(account.projects))
    ids = {task.name: task.id for task in account.tasks.values()}
    edit = "UPDATE live_tasks SET {} WHERE id = {}".format
    new = "INSERT INTO live_tasks (project_id, ref, name, {}) VALUES ({}, '{}', '{}', '{}')".format
    mirror.execute(new("text", project, "lost", "lost in the post", "a text"))
    mirror.execute(edit("priority = 7", ids["unheard"]))
    mirror.box.faults.add(Fault("drop", "post_task", when="after"), Fault("drop", "update_task"))
    mirror.box.faults.add(Fault("drop", "get_tasks"), Fault("drop", "get_task", skip=1))
    pushed(mirror)
    mirror.box.faults.clear()
    assert ["uncertain", "uncertain"] == states(mirror)
    mirror.execute(new("tags", project, "parent", "a new parent", "bug"))
    mirror.execute(new("parent_ref", project, "child", "a new child", "parent"))
    mirror.execute("UPDATE live_tasks SET priority = 4 WHERE ref = 'child'")
    mirror.execute("UPDATE live_tasks SET status = 'done' WHERE ref = 'child'")
    mirror.execute(edit("name = 'renamed twice', priority = 3", ids["renamed"]))
    mirror.execute(edit("date_end = '2026-12-24'", ids["renamed"]))
    mirror.execute(edit("tags = 'urgent,bug'", ids["tagged"]))
    mirror.execute(edit("priority = 9, tags = 'later'", ids["both"]))
    mirror.execute(edit("status = 'done'", ids["closed"]))
    mirror.execute(edit("status = 'active'", ids["opened"]))
    mirror.execute(edit("priority = 2, max_time = 5", ids["disputed"]))
    mirror.execute(edit("name = 'never again'", ids["disputed"]))
    account.edit_task(ids["disputed"], priority=8)
    mirror.execute(edit("assignee_email = 'oleh@example.com'", ids["refused"]))
    mirror.execute(edit("name = 'not refused'", ids["refused"]))


@dataclass(frozen=True, slots=True)
class Start:
    """The moment before the push: an account, a database and an hour that can be had again."""

    box: Sandbox
    account: bytes
    epoch: Path
    now: datetime
    fresh: Callable[[int], str]
    drop: Callable[[str], None]
    folder: Path

    def again(self, number: int) -> tuple[Path, str]:
        """Put the account back, copy the database, and return its configuration and its URL."""
        account = self.box.account
        with account.lock:
            vars(account).update(pickle.loads(self.account))  # noqa: S301 - our own
            account.touch_all()
        url = self.fresh(number)
        path = self.folder / f"start{number}.toml"
        path.write_text(config_text(self.box, url), encoding="utf-8")
        with closing(an_app(path, Clock()).db) as db:
            shutil.copy(self.epoch, epoch_path(db, dict(os.environ)))  # else it was restored
        return path, url


def prepared(mirror: Mirror, fresh: Callable[[int], str], drop: Callable[[str], None]) -> Start:
    mirror.box.set(assignee_must_be_member=True)
    mirror.pull()
    queue_everything(mirror)
    mirror.app.db.close()
    account = mirror.account
    held = {name: value for name, value in vars(account).items() if name not in OWN_WORLD}
    now = mirror.clock() + MINUTE
    epoch = epoch_path(mirror.app.db, dict(os.environ))
    return Start(mirror.box, pickle.dumps(held), epoch, now, fresh, drop, mirror.path.parent)


def settled(path: Path, now: datetime) -> None:
    """Push until nothing is on its way any more, then pull: each as if just started."""
    clock = Clock(now)
    for _ in range(MOST_PUSHES):
        clock.move(DAY)  # longer than anything waits by itself
        with closing((app := an_app(path, clock)).db), app.pushing(Silent(), wait=True) as work:
            left = push(work).waiting.keys()
        if not left & {"queued", "sending", "uncertain", "applied"}:
            break
    with closing((app := an_app(path, clock)).db), app.pulling(Silent(), wait=True) as work:
        pull(work)


def ended(start: Start, url: str) -> dict[str, Any]:
    """What is the same however often somebody died: no ids, no times, no counts of attempts."""
    truth = start.box.account.snapshot()
    names = {id: task["name"] for id, task in truth["tasks"].items()}
    own = ("name", "status", "priority", "assignee_id", "text", "date_end", "max_time", "tags")
    outbox = "SELECT id, operation, ref, state, error_code FROM outbox ORDER BY id"
    live = (
        "SELECT l.ref, p.name AS parent, l.level, l.name, l.status, l.priority, l.assignee_email,"
        " l.date_end, l.max_time, l.tags, l.sync_state FROM live_tasks l"
        " LEFT JOIN tasks p ON p.id = l.parent_id"
    )
    return {
        "account": sorted(
            repr((names.get(task["parent_id"]), *(task[key] for key in own)))
            for task in truth["tasks"].values()
        ),
        "outbox": rows(url, outbox),
        "live_tasks": sorted(repr(row) for row in rows(url, live)),
    }


def assert_every_death_ends_the_same(start: Start, killers: Pen, *, every: int) -> None:
    path, url = start.again(0)
    whole = killers.push(path, start.now)
    assert 0 == whole.status
    settled(path, start.now)
    expected = ended(start, url)
    assert_everything_was_tried(expected)
    start.drop(url)
    chosen = instants_of(whole.seen, every)
    for number in chosen:
        path, url = start.again(number)
        death = killers.push(path, start.now, die_at=number)
        assert (-signal.SIGKILL, whole.seen[:number]) == (death.status, death.seen)
        settled(path, start.now)
        assert expected == ended(start, url), f"killed at {number}, {death.seen[-1]}"
        start.drop(url)
    print(f"killed at {len(chosen)} of {len(whole.seen)} instants")


def instants_of(seen: Sequence[Instant], every: int) -> list[int]:
    """The numbers of the instants to die at: see above."""
    numbers = range(1, len(seen) + 1)
    if os.environ.get("SYNCD_HYPOTHESIS") == "deep":
        return list(numbers)
    worlds = [number for number in numbers if seen[number - 1].changed]
    return sorted({*worlds[::every], *numbers[::STRIDE]})


def assert_everything_was_tried(end: dict[str, Any]) -> None:
    """A push that carries less than it should would prove less than it says."""
    assert {"create", "update", "complete", "reopen"} == {r["operation"] for r in end["outbox"]}
    assert {"confirmed", "conflict", "failed"} == {r["state"] for r in end["outbox"]}


def test_a_push_killed_at_any_instant_ends_as_if_it_had_not_been_on_sqlite(
    killers, a_sqlite_mirror, tmp_path
):
    mirror: Mirror = a_sqlite_mirror(an_office())
    kept = Path(mirror.database_url.removeprefix("sqlite:///"))

    def fresh(number: int) -> str:
        return f"sqlite:///{shutil.copy(kept, tmp_path / f'fresh{number}.db')}"

    def drop(url: str) -> None:
        for file in tmp_path.glob(f"{Path(url.removeprefix('sqlite:///')).name}*"):
            file.unlink()

    assert_every_death_ends_the_same(prepared(mirror, fresh, drop), killers, every=WORLDS)


def test_a_push_killed_at_any_instant_ends_as_if_it_had_not_been_on_postgresql(
    killers, a_postgres_mirror, postgres: Cluster
):
    mirror: Mirror = a_postgres_mirror(an_office())
    kept = mirror.database_url.rpartition("/")[2]
    start = prepared(
        mirror,
        lambda _: postgres.url_for(postgres.create_database(template=kept)),
        lambda url: postgres.drop_database(url.rpartition("/")[2]),
    )
    assert_every_death_ends_the_same(start, killers, every=OTHER_WORLDS)
