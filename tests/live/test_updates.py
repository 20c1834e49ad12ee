"""What an UPDATE queues: what differs, in one form, with what the mirror held."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

UPDATED = [
    ("name", "'New'", "New", "Task 1000"),
    ("priority", "3", 3, 5),
    ("assignee_email", "'Olena@ACME.example'", "olena@acme.example", "petro@acme.example"),
    ("assignee_email", "' any '", "ANY", "petro@acme.example"),
    ("assignee_email", "'NOONE'", "NOONE", "petro@acme.example"),
    ("assignee_email", "NULL", "NOONE", "petro@acme.example"),
    ("date_start", "'2026-01-20'", "2026-01-20", None),
    ("date_end", "NULL", None, "2026-02-01"),
    ("date_closed", "'2026-01-31'", "2026-01-31", None),
    ("date_closed", "'2026-01-31 00:00:00'", "2026-01-31", None),
    ("max_time", "12.5", 12.5, 352),
    ("max_time", "NULL", None, 352),
    ("max_time", "0", 0, 352),
    ("max_time", "1.23456", 1.2346, 352),
    ("max_money", "99999999999.9999", 99999999999.9999, None),
    ("max_money", "'7.50'", 7.5, None),
    ("tags", "'To-do'", [1], [1, 2]),
    ("tags", "' éa , To-do,,#3'", [1, 3, 8], [1, 2]),
    ("tags", "'#5,#2'", [2, 5], [1, 2]),
    ("tags", "''", [], [1, 2]),
    ("tags", "NULL", [], [1, 2]),
]

UNCHANGED = [
    "name = name, priority = 5, date_end = '2026-02-01', max_time = 352.00, status = 'active'",
    "assignee_email = 'PETRO@acme.example'",
    "tags = 'To-do,Done'",
    "tags = 'Done,To-do'",
    "tags = '#2, #1, Done'",
    "max_time = 352.00001",
]


@pytest.mark.parametrize(("name", "given", "field", "base"), UPDATED)
def test_a_changed_field_is_queued_with_what_the_mirror_held(gate, name, given, field, base):
    gate.run(f"UPDATE live_tasks SET {name} = {given} WHERE id = 1000")
    assert [("update", {name: field}, {name: base})] == gate.said()


@pytest.mark.parametrize("assignment", UNCHANGED)
def test_what_does_not_differ_is_not_queued(gate, assignment):
    gate.run(f"UPDATE live_tasks SET {assignment} WHERE id = 1000")
    assert [] == gate.changes()


def test_what_sqlite_scripts_write_as_text_is_read_as_numbers(sqlite_gate):
    sqlite_gate.run("UPDATE live_tasks SET priority = '5', max_time = '352' WHERE id = 1000")
    assert [] == sqlite_gate.changes()
    sqlite_gate.run("UPDATE live_tasks SET priority = 7.0, max_time = '8' WHERE id = 1001")
    assert {"priority": 7, "max_time": 8} == sqlite_gate.changes()[0]["fields"]


def test_nobody_is_nobody_in_any_form(gate):
    gate.run(
        "UPDATE live_tasks SET assignee_email = 'NOONE' WHERE id = 1005",
        "UPDATE live_tasks SET assignee_email = NULL WHERE id = 1005",
    )
    assert [] == gate.changes()


def test_the_day_of_closing_is_compared_without_its_minute(gate):
    gate.run("UPDATE live_tasks SET date_closed = '2021-02-03' WHERE id = 1004")
    assert [] == gate.changes()
    gate.run("UPDATE live_tasks SET date_closed = '2021-02-04' WHERE id = 1004")
    assert [("update", {"date_closed": "2021-02-04"}, {"date_closed": "2021-02-03"})] == gate.said()


def test_a_task_keeps_the_tags_that_cannot_be_added_any_more(gate):
    assert "#3,#5,#6,éa" == gate.task("id = 1001")["tags"]
    gate.run("UPDATE live_tasks SET tags = tags || ',Done' WHERE id = 1001")
    assert [("update", {"tags": [2, 3, 5, 6, 8]}, {"tags": [3, 5, 6, 8]})] == gate.said()


def test_all_fields_of_one_row_are_one_change(gate):
    gate.run("UPDATE live_tasks SET name = 'x', priority = 1, tags = NULL WHERE id = 1000")
    (change,) = gate.changes()
    assert {"name": "x", "priority": 1, "tags": []} == change["fields"]
    assert {"name": "Task 1000", "priority": 5, "tags": [1, 2]} == change["base"]
    assert (1000, None, "queued", 0) == (
        change["task_id"],
        change["ref"],
        change["state"],
        change["attempts"],
    )


def test_fields_go_before_done_and_after_active(gate):
    gate.run("UPDATE live_tasks SET status = 'done', name = 'x' WHERE id = 1000")
    gate.run("UPDATE live_tasks SET status = 'active', name = 'x' WHERE id = 1004")
    assert [
        ("update", {"name": "x"}, {"name": "Task 1000"}),
        ("complete", {"status": "done"}, {"status": "active"}),
        ("reopen", {"status": "active"}, {"status": "done"}),
        ("update", {"name": "x"}, {"name": "Task 1004"}),
    ] == gate.said()


def test_a_date_of_closing_goes_after_done_which_would_overwrite_it(gate):
    gate.run("UPDATE live_tasks SET status = 'done', date_closed = '2026-01-02' WHERE id = 1000")
    assert ["complete", "update"] == [change["operation"] for change in gate.changes()]


def test_the_base_is_the_mirrors_and_not_what_lies_over_it(gate):
    gate.run("UPDATE live_tasks SET name = 'one', tags = 'Done' WHERE id = 1000")
    gate.run("UPDATE live_tasks SET name = 'two', tags = 'To-do', priority = 1 WHERE id = 1000")
    assert (
        "update",
        {"name": "two", "tags": [1], "priority": 1},
        {"name": "Task 1000", "tags": [1, 2], "priority": 5},
    ) == gate.said()[1]


def test_setting_a_value_back_undoes_the_pending_change_by_another(gate):
    gate.run("UPDATE live_tasks SET name = 'one' WHERE id = 1000")
    gate.run("UPDATE live_tasks SET name = 'Task 1000' WHERE id = 1000")
    assert ("update", {"name": "Task 1000"}, {"name": "Task 1000"}) == gate.said()[1]
    assert ("Task 1000", "queued") == (
        gate.task("id = 1000")["name"],
        gate.task("id = 1000")["sync_state"],
    )


def test_repeating_a_pending_edit_queues_nothing(gate):
    for _ in range(2):
        gate.run("UPDATE live_tasks SET date_end = NULL, status = 'done' WHERE id = 1000")
    assert 2 == len(gate.changes())


def test_what_one_statement_queued_is_one_batch(gate):
    gate.run("UPDATE live_tasks SET priority = 1")
    time.sleep(0.002)  # on SQLite a batch is named for its millisecond
    gate.run("UPDATE live_tasks SET priority = 2 WHERE id = 1000")
    batches = [change["batch"] for change in gate.changes()]
    assert 6 == len(batches)
    assert 1 == len(set(batches[:5]))
    assert batches[5] != batches[0]


def test_one_transaction_is_one_batch_on_postgresql(pg_gate):
    pg_gate.run(
        "UPDATE live_tasks SET priority = 1 WHERE id = 1000",
        "UPDATE live_tasks SET priority = 1 WHERE id = 1001",
    )
    assert 1 == len({change["batch"] for change in pg_gate.changes()})


def test_five_thousand_rows_are_one_statement(gate):
    columns = "project_id, level, name, page, url, status, priority, valid_from, observed_at"
    numbers = (
        "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5000)"
        " SELECT x FROM c)"
    )
    gate.run(
        f"INSERT INTO tasks (id, content_hash, {columns})"
        f" SELECT 50000 + x, o.content_hash, {', '.join('o.' + c for c in columns.split(', '))}"
        f" FROM {numbers} n, tasks o WHERE o.id = 1000"
    )
    start = time.monotonic()
    gate.run("UPDATE live_tasks SET priority = 9 WHERE id > 50000")
    took = time.monotonic() - start
    assert 5000 == gate.rows("SELECT count(*) AS n FROM outbox")[0]["n"]
    assert {9} == {row["priority"] for row in gate.rows("SELECT priority FROM live_tasks")} - {5}
    assert took < 60  # quadratic would be minutes; how quick it is, bench/live_tasks.py tells


def test_amounts_are_the_same_on_reading(gate):
    gate.run("UPDATE live_tasks SET max_time = 12.5, max_money = 0.0001 WHERE id = 1000")
    task = gate.task("id = 1000")
    assert (Decimal("12.5"), Decimal("0.0001")) == (task["max_time"], task["max_money"])
