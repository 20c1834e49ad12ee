"""INSERT: a creation is in the view at once, can be edited, named by its ref, and built upon."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.mirror import connected

EVERYTHING = (
    "INSERT INTO live_tasks (ref, project_id, name, author_email, assignee_email, priority, text,"
    " date_start, date_end, max_time, max_money, tags, checklist, subscribers, hidden, mentions)"
    " VALUES ('r', 10, 'New', 'OLENA@acme.example', 'any', 7, 'first' || ' line', '2026-01-01',"
    """ '2026-02-01', 1.5, 20, 'Done,To-do', '["a, b", "c \\"quoted\\""]',"""
    " 'petro@acme.example', 'olena@acme.example, PETRO@acme.example', 'olena@acme.example')"
)


def test_everything_that_can_be_given_is_queued(gate):
    gate.run(EVERYTHING)
    (change,) = gate.changes()
    assert ("create", None, "r", {}) == (
        change["operation"],
        change["task_id"],
        change["ref"],
        change["base"],
    )
    assert {
        "project_id": 10,
        "level": 1,
        "name": "New",
        "author_email": "olena@acme.example",
        "assignee_email": "ANY",
        "priority": 7,
        "text": "first line",
        "date_start": "2026-01-01",
        "date_end": "2026-02-01",
        "max_time": 1.5,
        "max_money": 20,
        "tags": [1, 2],
        "checklist": ["a, b", 'c "quoted"'],
        "subscribers": ["petro@acme.example"],
        "hidden": ["olena@acme.example", "petro@acme.example"],
        "mentions": ["olena@acme.example"],
    } == change["fields"]


def test_a_pending_creation_shows_what_it_will_be(gate):
    gate.run(EVERYTHING)
    task = gate.task("ref = 'r'")
    wanted = {
        **{"id": None, "ref": "r", "project_id": 10, "parent_id": None, "parent_ref": None},
        **{"level": 1, "name": "New", "status": "active", "priority": 7},
        **{"author_email": "olena@acme.example", "assignee_email": "ANY", "text": "first line"},
        **{"date_added": None, "date_start": "2026-01-01", "date_end": "2026-02-01"},
        **{"date_closed": None, "tags": "Done,To-do", "url": None},
        **{"sync_state": "queued", "sync_error": None, "checklist": None},
    }
    assert wanted == {name: task[name] for name in wanted}
    assert (Decimal("1.5"), Decimal("20")) == (task["max_time"], task["max_money"])


def test_what_is_left_out_or_empty_is_left_to_the_account(gate):
    gate.run(
        "INSERT INTO live_tasks (project_id, name, text, tags, subscribers, status)"
        " VALUES (10, 'x', '', '', ' , ', 'active')"
    )
    assert {"project_id": 10, "level": 1, "name": "x"} == gate.changes()[0]["fields"]
    task = gate.task("id IS NULL")
    assert (1, "active", None) == (task["priority"], task["status"], task["tags"])


def test_a_creation_without_a_ref_gets_one_of_its_own(gate):
    gate.run(*["INSERT INTO live_tasks (project_id, name) VALUES (10, 'x')"] * 3)
    refs = {change["ref"] for change in gate.changes()}
    assert 3 == len(refs)
    assert all(ref.startswith("new-") for ref in refs)


def test_the_ref_can_be_had_back_on_postgresql(pg_gate):
    insert = "INSERT INTO live_tasks (project_id, name) VALUES (10, 'x') RETURNING ref, sync_state"
    with connected(pg_gate.url) as own:
        row = own.execute(insert).fetchone()
        own.commit()
    assert (row["ref"], row["sync_state"]) == (pg_gate.changes()[0]["ref"], "queued")


INSERT = "INSERT INTO live_tasks (ref, project_id, name) VALUES ('r', 10, 'x')"


@pytest.mark.parametrize(
    "states",
    [
        (),
        ("held",),
        ("sending",),
        ("sending", "uncertain"),
        ("sending", "applied"),
        ("sending", "applied", "confirmed"),
        ("conflict",),
    ],
)
def test_repeating_an_insert_with_its_ref_queues_nothing(gate, states):
    gate.run(INSERT)
    gate.move(1, *states)
    gate.run(INSERT)
    # Not even an error: what it names may be gone by now, and it was done long ago.
    gate.run("INSERT INTO live_tasks (ref, project_id, name) VALUES ('r', 99, NULL)")
    assert 1 == len(gate.changes())


@pytest.mark.parametrize("states", [("failed",), ("cancelled",), ("sending", "failed")])
def test_after_a_failure_the_same_ref_queues_anew(gate, states):
    gate.run(INSERT)
    gate.move(1, *states)
    gate.run(INSERT)
    assert 2 == len(gate.changes())
    assert "queued" == gate.task("ref = 'r'")["sync_state"]


def test_one_of_two_creations_holds_a_ref(gate):
    gate.run(INSERT)
    gate.move(1, "failed")
    gate.run(INSERT)
    assert "ref" in gate.refusal("UPDATE outbox SET state = 'queued' WHERE id = 1")


def test_a_subtask_takes_its_parents_project(gate):
    gate.run("INSERT INTO live_tasks (parent_id, name) VALUES (1001, 'x')")
    fields = gate.changes()[0]["fields"]
    assert {"project_id": 10, "parent_id": 1001, "level": 3, "name": "x"} == fields


def test_a_tree_of_new_tasks_is_queued_by_refs(gate):
    gate.run(
        "INSERT INTO live_tasks (ref, project_id, name) VALUES ('a', 10, 'A')",
        "INSERT INTO live_tasks (ref, parent_ref, name) VALUES ('b', 'a', 'B')",
        "INSERT INTO live_tasks (ref, parent_ref, project_id, name) VALUES ('c', 'b', 10, 'C')",
    )
    assert [None, 1, 2] == [change["depends_on"] for change in gate.changes()]
    assert [(1, None), (2, "a"), (3, "b")] == [
        (row["level"], row["parent_ref"])
        for row in gate.rows("SELECT * FROM live_tasks WHERE id IS NULL ORDER BY ref")
    ]
    gate.refused("parent_level", "INSERT INTO live_tasks (parent_ref, name) VALUES ('c', 'D')")
    gate.refused(
        "parent_project",
        "INSERT INTO live_tasks (parent_ref, project_id, name) VALUES ('a', 11, 'D')",
    )


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_nothing_is_built_upon_a_creation_that_failed(gate, state):
    gate.run(INSERT)
    gate.move(1, state)
    gate.refused("parent_ref", "INSERT INTO live_tasks (parent_ref, name) VALUES ('r', 'x')")


def test_a_parent_that_was_created_meanwhile_is_a_task(gate):
    gate.run(INSERT, "UPDATE outbox SET task_id = 1000, state = 'sending' WHERE id = 1")
    gate.run("INSERT INTO live_tasks (ref, parent_ref, name) VALUES ('s', 'r', 'x')")
    change = gate.changes()[1]
    assert (None, 1000, 2) == (
        change["depends_on"],
        change["fields"]["parent_id"],
        change["fields"]["level"],
    )
    assert "parent_ref" not in change["fields"]


def test_a_done_parent_counts_as_it_will_be(gate):
    insert = "INSERT INTO live_tasks (parent_id, name) VALUES (1004, 'x')"
    gate.refused("parent_done", insert)
    gate.run("UPDATE live_tasks SET status = 'active' WHERE id = 1004", insert)
    gate.run("UPDATE live_tasks SET status = 'done' WHERE id = 1004")
    gate.refused("parent_done", insert)


def test_an_edit_of_a_pending_creation_waits_for_it(gate):
    gate.run(INSERT)
    gate.run("UPDATE live_tasks SET name = 'y', tags = 'Done', status = 'done' WHERE ref = 'r'")
    edit, done = gate.changes()[1:]
    assert ("update", {"name": "y", "tags": [2]}, {"name": "x", "tags": []}) == (
        edit["operation"],
        edit["fields"],
        edit["base"],
    )
    assert ("complete", {"status": "done"}, {"status": "active"}) == (
        done["operation"],
        done["fields"],
        done["base"],
    )
    assert [(None, "r", 1)] * 2 == [(c["task_id"], c["ref"], c["depends_on"]) for c in (edit, done)]
    task = gate.task("ref = 'r'")
    assert ("y", "Done", "done") == (task["name"], task["tags"], task["status"])


def test_the_base_of_such_an_edit_is_what_the_creation_makes(gate):
    gate.run(EVERYTHING)
    gate.run(
        "UPDATE live_tasks SET priority = 1, assignee_email = NULL, max_time = 2, date_end = NULL,"
        " tags = NULL WHERE ref = 'r'",
    )
    assert {
        "priority": 7,
        "assignee_email": "ANY",
        "max_time": 1.5,
        "date_end": "2026-02-01",
        "tags": [1, 2],
    } == gate.changes()[1]["base"]
    gate.run("UPDATE live_tasks SET priority = 2, date_start = NULL WHERE ref = 'r'")
    assert {"priority": 7, "date_start": "2026-01-01"} == gate.changes()[2]["base"]
    task = gate.task("ref = 'r'")
    assert (2, "NOONE", None, None, None) == tuple(
        task[name] for name in ("priority", "assignee_email", "date_end", "date_start", "tags")
    )


def test_once_there_is_a_task_its_edits_are_edits_of_that_task(gate):
    gate.run(INSERT, "UPDATE live_tasks SET name = 'y' WHERE ref = 'r'")
    gate.move(1, "sending")
    gate.run("UPDATE outbox SET state = 'applied', task_id = 1005 WHERE id = 1")
    assert [1005, 1005] == [change["task_id"] for change in gate.changes()]
    task = gate.task("ref = 'r'")
    assert (1005, "y") == (task["id"], task["name"])
    assert [] == gate.rows("SELECT * FROM live_tasks WHERE id IS NULL")
    gate.run("UPDATE live_tasks SET priority = 1 WHERE ref = 'r'")
    assert (1005, None) == (gate.changes()[2]["task_id"], gate.changes()[2]["ref"])


def test_a_ref_leads_to_its_task_for_good(gate):
    gate.run(INSERT)
    gate.run("UPDATE outbox SET state = 'sending', task_id = 1005 WHERE id = 1")
    gate.move(1, "applied", "confirmed")
    task = gate.task("ref = 'r'")
    assert (1005, "synced", "Task 1005") == (task["id"], task["sync_state"], task["name"])


def test_two_creations_cannot_become_one_task(gate):
    gate.run(INSERT, INSERT.replace("'r'", "'s'"))
    gate.run("UPDATE outbox SET state = 'sending', task_id = 1005 WHERE id = 1")
    gate.refusal("UPDATE outbox SET task_id = 1005 WHERE id = 2")
    assert None is gate.changes()[1]["task_id"]


def test_a_failed_creation_stays_to_be_seen(gate):
    gate.run(INSERT)
    gate.run("UPDATE outbox SET state = 'failed', error = 'Tag is invalid' WHERE id = 1")
    task = gate.task("ref = 'r'")
    assert ("failed", "Tag is invalid") == (task["sync_state"], task["sync_error"])
    gate.run("UPDATE live_tasks SET name = 'better' WHERE ref = 'r'")
    assert (1, "better") == (gate.changes()[1]["depends_on"], gate.task("ref = 'r'")["name"])
    gate.move(1, "cancelled")
    assert [] == gate.rows("SELECT * FROM live_tasks WHERE ref = 'r'")


@pytest.mark.parametrize("given", ["'10'", "10.0"])
def test_sqlite_reads_a_number_in_any_form(sqlite_gate, given):
    sqlite_gate.run(f"INSERT INTO live_tasks (project_id, name) VALUES ({given}, 7)")
    assert {"project_id": 10, "level": 1, "name": "7"} == sqlite_gate.changes()[0]["fields"]
