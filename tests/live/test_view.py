"""What live_tasks shows: the mirror, the pending changes over it, and where they stand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncd.store.live.columns import COLUMNS
from syncd.sync.states import TELLING
from tests.live.conftest import MOVES


def test_a_task_without_changes_is_what_the_mirror_holds(gate):
    wanted = {
        **{"id": 1001, "ref": None, "project_id": 10, "parent_id": 1000, "parent_ref": None},
        **{"level": 2, "name": "Task 1001", "status": "active", "priority": 5},
        **{"author_email": "olena@acme.example", "assignee_email": "petro@acme.example"},
        **{"text": "a text", "date_added": "2021-01-07 10:01:00", "date_start": None},
        **{"date_end": "2026-02-01", "date_closed": None, "max_money": None},
        **{"tags": "#3,#5,#6,éa", "url": "https://acme.example/project/10/1001/"},
        **{"sync_state": "synced", "sync_error": None, "checklist": None, "subscribers": None},
        **{"hidden": None, "mentions": None},
    }
    task = gate.task("id = 1001")
    assert Decimal("352") == task.pop("max_time")
    assert wanted == task


def test_the_columns_stand_in_the_contracts_order(gate):
    (row,) = gate.rows("SELECT * FROM live_tasks WHERE id = 1000")
    assert list(COLUMNS) == list(row)


def test_removed_tasks_are_not_shown(gate):
    shown = gate.rows("SELECT id FROM live_tasks ORDER BY id")
    assert [1000, 1001, 1002, 1004, 1005] == [row["id"] for row in shown]


@pytest.mark.parametrize("state", ["queued", "held", "sending", "applied", "uncertain", "conflict"])
def test_a_pending_value_lies_over_the_mirror(gate, state):
    gate.run(
        "UPDATE live_tasks SET name = 'new', date_end = NULL, priority = 9, assignee_email = NULL,"
        " date_start = '2026-01-01', date_closed = '2026-01-02', max_money = 3.5, tags = '#5'"
        " WHERE id = 1000"
    )
    gate.move(1, *MOVES[state])
    task = gate.task("id = 1000")
    assert {
        **{"name": "new", "date_end": None, "priority": 9, "assignee_email": "NOONE"},
        **{"date_start": "2026-01-01", "date_closed": "2026-01-02 00:00:00", "tags": "#5"},
        **{"sync_state": state, "text": "a text", "author_email": "olena@acme.example"},
    } == {name: task[name] for name in task if name in _SHOWN}
    assert Decimal("3.5") == task["max_money"]


_SHOWN = {
    *("name", "date_end", "priority", "assignee_email", "date_start", "date_closed", "tags"),
    *("sync_state", "text", "author_email"),
}


@pytest.mark.parametrize("state", ["confirmed", "cancelled", "failed"])
def test_the_values_of_a_change_that_ended_do_not(gate, state):
    gate.run("UPDATE live_tasks SET name = 'new', tags = NULL, date_end = NULL WHERE id = 1000")
    gate.move(1, *MOVES[state])
    task = gate.task("id = 1000")
    assert ("Task 1000", "Done,To-do", "2026-02-01") == (
        task["name"],
        task["tags"],
        task["date_end"],
    )
    assert ("failed" if state == "failed" else "synced") == task["sync_state"]


@pytest.mark.parametrize("n", range(len(TELLING) - 1))
def test_the_most_telling_state_is_shown_with_its_error(gate, n):
    for state in (TELLING[n], TELLING[n + 1]):
        name = f"{state} name"
        gate.run(f"UPDATE live_tasks SET name = '{name}' WHERE id = 1000")
        change = gate.changes()[-1]["id"]
        gate.move(change, *MOVES[state])
        gate.run(f"UPDATE outbox SET error = 'it is {state}' WHERE id = {change}")
    task = gate.task("id = 1000")
    assert (TELLING[n], f"it is {TELLING[n]}") == (task["sync_state"], task["sync_error"])


def test_the_last_change_of_a_field_wins_and_clearing_is_a_value(gate):
    gate.run("UPDATE live_tasks SET name = 'one', date_end = NULL WHERE id = 1000")
    gate.run("UPDATE live_tasks SET name = 'two', priority = 1 WHERE id = 1000")
    gate.run("UPDATE live_tasks SET date_end = '2027-01-01' WHERE id = 1000")
    gate.run("UPDATE live_tasks SET date_end = NULL, tags = '' WHERE id = 1000")
    task = gate.task("id = 1000")
    assert ("two", 1, None, None) == (
        task["name"],
        task["priority"],
        task["date_end"],
        task["tags"],
    )
    assert 1 == len(gate.rows("SELECT * FROM live_tasks WHERE id = 1000"))


@pytest.mark.parametrize(
    "where",
    [
        "name = 'new'",
        "date_end > '2026-06-01'",
        "assignee_email = 'olena@acme.example'",
        "tags = 'Done'",
        "sync_state = 'queued'",
        "status = 'done' AND project_id = 10",
    ],
)
def test_a_condition_means_what_is_shown(gate, where):
    gate.run(
        "UPDATE live_tasks SET name = 'new', date_end = '2026-07-01', tags = 'Done',"
        " assignee_email = 'olena@acme.example', status = 'done' WHERE id = 1000"
    )
    assert [1000] == [row["id"] for row in gate.rows(f"SELECT id FROM live_tasks WHERE {where}")]
    assert [1000] == [
        row["id"]
        for row in gate.rows(f"SELECT id FROM live_tasks WHERE project_id = 10 AND {where}")
    ]


def test_a_change_of_a_removed_task_does_not_bring_it_back(gate):
    gate.run("UPDATE live_tasks SET name = 'new' WHERE id = 1000")
    gate.run("UPDATE tasks SET removed_at = observed_at WHERE id = 1000")
    assert [] == gate.rows("SELECT * FROM live_tasks WHERE id = 1000")


def test_a_tag_the_mirror_has_no_row_for_is_shown_by_its_number(gate):
    gate.run("INSERT INTO task_tags VALUES (1002, 999)")
    assert "#999" == gate.task("id = 1002")["tags"]
    gate.run("UPDATE live_tasks SET tags = '#999,Done' WHERE id = 1002")
    assert [("update", {"tags": [2, 999]}, {"tags": [999]})] == gate.said()
    assert "#999,Done" == gate.task("id = 1002")["tags"]


def test_a_view_of_ones_own_may_stand_on_it(gate):
    gate.run("CREATE VIEW mine AS SELECT id, name FROM live_tasks WHERE priority > 3")
    assert 5 == len(gate.rows("SELECT * FROM mine"))
