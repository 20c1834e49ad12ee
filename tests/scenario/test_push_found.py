"""What the state machine has found, each made small. The machine is in test_push_machine.py."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from syncd.sandbox import Account, Fault
from syncd.services.progress import Silent
from syncd.services.push import push
from syncd.services.resolve import Choice, resolve
from tests.support.push_ledger import live_rows
from tests.support.push_world import Doom, MortalClient, Point, World
from tests.support.pushes import pushed, shown, states


def an_account() -> tuple[Account, int]:
    account = Account()
    account.create_member("Ann", "Example", "ann@example.com")
    return account, account.create_project("One")


def test_an_edit_of_a_new_task_before_it_is_confirmed_breaks_no_promise(a_sqlite_mirror):
    account, project = an_account()
    mirror = a_sqlite_mirror(account)
    mirror.pull()
    mirror.execute(
        "INSERT INTO live_tasks (ref, project_id, name, date_end)"
        f" VALUES ('a', {project}, 'New', '2026-05-05')"
    )
    mirror.box.faults.add(Fault("garbage", action="get_task", when="after"))
    pushed(mirror)
    assert ["applied"] == states(mirror)
    mirror.box.faults.clear()
    (task,) = account.tasks
    account.edit_task(task, date_end=date(2026, 5, 20), name="Newer", priority=7)
    pushed(mirror)
    assert ["confirmed"] == states(mirror)


def test_a_value_that_the_policy_overwrites_is_on_record_though_the_answer_is_lost(
    a_sqlite_mirror,
):
    account, project = an_account()
    task = account.create_task(project, "Task", priority=3)
    mirror = a_sqlite_mirror(account)
    push_settings = msgspec.structs.replace(mirror.app.settings.push, conflicts="mine")
    settings = msgspec.structs.replace(mirror.app.settings, push=push_settings)
    mirror.app = replace(mirror.app, settings=settings)
    mirror.pull()
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {task}")
    account.edit_task(task, priority=5)
    mirror.box.faults.add(Fault("drop", action="update_task", when="after"))
    pushed(mirror)
    mirror.box.faults.clear()
    pushed(mirror)
    assert ["confirmed"] == states(mirror)
    (told,) = mirror.rows("SELECT detail FROM audit_log WHERE event = 'conflict.decided'")
    assert 5 == json.loads(told["detail"])["fields"]["priority"]["theirs"]


@pytest.mark.parametrize("nth", [1, 2], ids=["being written", "being read again"])
def test_an_edit_queued_while_an_earlier_one_is_on_its_way_is_no_conflict(a_sqlite_mirror, nth):
    account, project = an_account()
    task = account.create_task(project, "Task")
    mirror = a_sqlite_mirror(account)
    mirror.pull()
    mirror.execute(f"UPDATE live_tasks SET name = 'One' WHERE id = {task}")

    def again() -> None:
        mirror.execute(f"UPDATE live_tasks SET name = 'Two' WHERE id = {task}")

    kind: Point = "write answered" if nth == 1 else "read answered"
    with mirror.app.pushing(Silent()) as work:
        push(replace(work, client=MortalClient(work.client, Doom(kind, nth, again))))
    pushed(mirror)
    assert ["confirmed", "confirmed"] == states(mirror)
    assert "Two" == shown(mirror, task)["name"]


@pytest.mark.parametrize(
    ("between", "kept"), [(None, {"red", "green"}), ("pull", {"red"}), ("push", {"red"})]
)
def test_a_tag_put_on_and_taken_off_again_stays_theirs_until_ours_is_sent_or_theirs_is_shown(
    ready_sqlite_url: str, tmp_path: Path, between: str | None, kept: set[str]
):
    chosen = {"seed": 1, "max_batch": 100, "conflicts": "ask"}
    with closing(World(ready_sqlite_url, tmp_path, **chosen)) as world:
        ids = {tag.title: id for id, tag in world.account.tags.items()}
        task = next(row["id"] for row in live_rows(world.mirror.rows) if row["name"] == "T4")
        world.remotely(lambda account: account.tag_task(task, ids["green"]))
        for tags in ("green", "red"):
            row = next(row for row in live_rows(world.mirror.rows) if row["id"] == task)
            world.edit("sql", row, {"tags": tags})
            if between:
                getattr(world, between)()
        world.come_to_rest()
        world.check()
        assert {ids[title] for title in kept} == set(shown(world.mirror, task)["tags"])


def test_an_edit_that_went_along_with_a_lost_creation_is_no_broken_promise(a_mirror):
    """The state machine found it: the creation was said to have failed, and its edits waited."""
    account, project = an_account()
    mirror = a_mirror(account)
    mirror.pull()
    columns = "project_id, ref, name, date_end, priority"
    mirror.execute(
        f"INSERT INTO live_tasks ({columns}) VALUES ({project}, 'r', 'A', '2026-03-20', 3)"
    )
    mirror.execute("UPDATE live_tasks SET date_end = NULL, name = 'B' WHERE ref = 'r'")
    mirror.box.faults.add(Fault("drop", "post_task", when="after"))
    pushed(mirror)
    mirror.clock.move(timedelta(minutes=5))
    pushed(mirror)
    mirror.clock.move(timedelta(minutes=5))
    pushed(mirror)
    assert ["confirmed", "confirmed"] == states(mirror)
    (task,) = [one for one in account.tasks.values() if one.name == "B"]
    assert (None, 3) == (task.date_end, task.priority)


def test_the_part_of_a_conflict_that_has_gone_is_not_anothers_edit(a_mirror):
    """The deep state machine found it: a later edit of that part was in conflict with ourselves."""
    account, project = an_account()
    task = account.create_task(project, "Task", priority=1)
    mirror = a_mirror(account)
    mirror.pull()
    mirror.execute(f"UPDATE live_tasks SET name = 'ours', priority = 6 WHERE id = {task}")
    account.edit_task(task, name="theirs")
    pushed(mirror)
    assert 6 == account.tasks[task].priority
    (waiting,) = mirror.rows("SELECT id FROM outbox WHERE state = 'conflict'")
    mirror.execute(f"UPDATE live_tasks SET priority = 8 WHERE id = {task}")
    assert ["name"] == [row["field"] for row in mirror.rows("SELECT field FROM live_conflicts")]
    choice = Choice(otherwise="theirs")
    resolve(mirror.app.db, waiting["id"], choice, actor="cli:test", at=mirror.clock())
    pushed(mirror)
    assert ["confirmed", "confirmed"] == states(mirror)
    assert ("theirs", 8) == (account.tasks[task].name, account.tasks[task].priority)


def test_an_older_edit_that_stays_behind_never_goes_over_a_newer_one(a_mirror):
    """The soak found it: the name of the first change went with the second, which had set it since.

    The first one stays for its priority alone. To keep ours there says nothing about the name.
    """
    account, project = an_account()
    task = account.create_task(project, "Task", priority=1)
    mirror = a_mirror(account)
    mirror.pull()
    mirror.execute(f"UPDATE live_tasks SET name = 'older', priority = 6 WHERE id = {task}")
    mirror.execute(f"UPDATE live_tasks SET name = 'newer' WHERE id = {task}")
    account.edit_task(task, priority=5)
    pushed(mirror)
    assert ["conflict", "confirmed"] == states(mirror)
    (waiting,) = mirror.rows("SELECT id FROM outbox WHERE state = 'conflict'")
    assert "newer" == mirror.value(f"SELECT name FROM live_tasks WHERE id = {task}")
    choice = Choice(otherwise="mine")
    resolve(mirror.app.db, waiting["id"], choice, actor="cli:test", at=mirror.clock())
    pushed(mirror)
    assert ["confirmed", "confirmed"] == states(mirror)
    assert ("newer", 6) == (account.tasks[task].name, account.tasks[task].priority)
