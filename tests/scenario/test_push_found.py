"""What the state machine has found, each made small. The machine is in test_push_machine.py."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from syncd.sandbox import Account, Fault
from syncd.services.progress import Silent
from syncd.services.push import push
from tests.support.push_world import Doom, MortalClient, Point
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
