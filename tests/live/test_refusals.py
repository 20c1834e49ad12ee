"""What the gate refuses, with the same words on both databases; nothing is queued then."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from syncd.store.live import statements
from syncd.store.live.texts import TEXTS, literal

UPDATES = [
    ("fixed_id", "id = 77"),
    ("fixed_ref", "ref = 'x'"),
    ("fixed_project_id", "project_id = 11"),
    ("fixed_parent_id", "parent_id = 1001"),
    ("fixed_parent_ref", "parent_ref = 'x'"),
    ("fixed_level", "level = 3"),
    ("fixed_author_email", "author_email = 'petro@acme.example'"),
    ("fixed_text", "text = 'new'"),
    ("fixed_text", "text = NULL"),
    ("fixed_date_added", "date_added = '2020-01-01 00:00:00'"),
    ("fixed_url", "url = 'x'"),
    ("fixed_sync_state", "sync_state = 'queued'"),
    ("fixed_sync_error", "sync_error = 'x'"),
    ("fixed_checklist", "checklist = '[]'"),
    ("fixed_subscribers", "subscribers = 'petro@acme.example'"),
    ("fixed_hidden", "hidden = ''"),
    ("fixed_mentions", "mentions = ''"),
    ("name", "name = NULL"),
    ("name", "name = ''"),
    ("name", "name = '  '"),
    ("status", "status = 'open'"),
    ("status", "status = NULL"),
    ("priority", "priority = 11"),
    ("priority", "priority = -1"),
    ("priority", "priority = NULL"),
    ("assignee_email", "assignee_email = 'stranger@acme.example'"),
    ("assignee_email", "assignee_email = 'left@acme.example'"),
    ("assignee_email", "assignee_email = ''"),
    ("date_closed", "date_closed = '2026-02-01 10:00:00'"),
    ("max_time", "max_time = -0.5"),
    ("max_time", "max_time = 100000000000"),
    ("max_money", "max_money = -1"),
    ("tags_unknown", "tags = 'To-do,Nope'"),
    ("tags_unknown", "tags = 'to-do'"),
    ("tags_unknown", "tags = 'Twin'"),
    ("tags_unknown", "tags = '#99'"),
    ("tags_unknown", "tags = '#1x'"),
    ("tags_unknown", "tags = 'a,b'"),
    ("tags_unknown", "tags = 'Old'"),
    ("tags_removed", "tags = '#6'"),
    # the first rule that is broken speaks
    ("fixed_project_id", "tags = 'Nope', project_id = 11, name = NULL"),
    ("name", "tags = 'Nope', name = NULL"),
]

NEW = "project_id, name"
INSERTS = [
    ("new_id", f"(id, {NEW}) VALUES (5, 10, 'x')"),
    ("new_status", f"(status, {NEW}) VALUES ('done', 10, 'x')"),
    ("new_level", f"(level, {NEW}) VALUES (1, 10, 'x')"),
    ("new_date_added", f"(date_added, {NEW}) VALUES ('2020-01-01 00:00:00', 10, 'x')"),
    ("new_date_closed", f"(date_closed, {NEW}) VALUES ('2020-01-01 00:00:00', 10, 'x')"),
    ("new_url", f"(url, {NEW}) VALUES ('u', 10, 'x')"),
    ("new_sync_state", f"(sync_state, {NEW}) VALUES ('queued', 10, 'x')"),
    ("new_sync_error", f"(sync_error, {NEW}) VALUES ('e', 10, 'x')"),
    ("name", "(project_id) VALUES (10)"),
    ("name", f"({NEW}) VALUES (10, ' ')"),
    ("priority", f"(priority, {NEW}) VALUES (11, 10, 'x')"),
    ("max_time", f"(max_time, {NEW}) VALUES (-1, 10, 'x')"),
    ("max_money", f"(max_money, {NEW}) VALUES (-1, 10, 'x')"),
    ("checklist", f"(checklist, {NEW}) VALUES ('not json', 10, 'x')"),
    ("checklist", f"(checklist, {NEW}) VALUES ('', 10, 'x')"),
    ("checklist", f"""(checklist, {NEW}) VALUES ('{{"a": 1}}', 10, 'x')"""),
    ("checklist", f"""(checklist, {NEW}) VALUES ('["a", 1]', 10, 'x')"""),
    ("checklist", f"""(checklist, {NEW}) VALUES ('"a"', 10, 'x')"""),
    ("assignee_email", f"(assignee_email, {NEW}) VALUES ('x@y', 10, 'x')"),
    ("author_email", f"(author_email, {NEW}) VALUES ('ANY', 10, 'x')"),
    ("author_email", f"(author_email, {NEW}) VALUES ('left@acme.example', 10, 'x')"),
    ("subscribers", f"(subscribers, {NEW}) VALUES ('olena@acme.example,x@y', 10, 'x')"),
    ("hidden", f"(hidden, {NEW}) VALUES ('x@y', 10, 'x')"),
    ("mentions", f"(mentions, {NEW}) VALUES ('left@acme.example', 10, 'x')"),
    ("tags_unknown", f"(tags, {NEW}) VALUES ('Nope', 10, 'x')"),
    ("tags_removed", f"(tags, {NEW}) VALUES ('#6', 10, 'x')"),
    ("parent_twice", "(parent_id, parent_ref, name) VALUES (1000, 'r', 'x')"),
    ("parent_id", "(parent_id, name) VALUES (99, 'x')"),
    ("parent_id", "(parent_id, name) VALUES (1003, 'x')"),
    ("parent_ref", "(parent_ref, name) VALUES ('nobody', 'x')"),
    ("parent_project", f"(parent_id, {NEW}) VALUES (1000, 11, 'x')"),
    ("parent_level", "(parent_id, name) VALUES (1002, 'x')"),
    ("parent_done", "(parent_id, name) VALUES (1004, 'x')"),
    ("project_missing", "(name) VALUES ('x')"),
    ("project_id", f"({NEW}) VALUES (99, 'x')"),
    ("project_id", f"({NEW}) VALUES (12, 'x')"),
]


@pytest.mark.parametrize(("key", "assignment"), UPDATES)
def test_an_update_that_cannot_be_is_refused(shut_gate, key, assignment):
    shut_gate.refused(key, f"UPDATE live_tasks SET {assignment} WHERE id = 1000")


@pytest.mark.parametrize(("key", "given"), INSERTS)
def test_an_insert_that_cannot_be_is_refused(shut_gate, key, given):
    shut_gate.refused(key, f"INSERT INTO live_tasks {given}")


@pytest.mark.parametrize("name", ["date_start", "date_end", "date_closed"])
@pytest.mark.parametrize(
    "value", ["2026-2-1", "01.02.2026", "2026-02-30", "soon", "", "0000-01-01", "2026-02-01x"]
)
def test_sqlite_takes_a_date_only_in_the_form_that_tasks_shows(shut_sqlite_gate, name, value):
    shut_sqlite_gate.refused(name, f"UPDATE live_tasks SET {name} = '{value}' WHERE id = 1000")


@pytest.mark.parametrize("name", ["date_start", "date_end"])
def test_a_date_with_a_time_of_day_is_refused_on_sqlite(shut_sqlite_gate, name):
    value = "2026-02-01 00:00:00"
    shut_sqlite_gate.refused(name, f"UPDATE live_tasks SET {name} = '{value}' WHERE id = 1000")


@pytest.mark.parametrize("value", ["infinity", "-infinity", "10000-01-01", "0044-03-15 BC"])
@pytest.mark.parametrize("name", ["date_start", "date_end", "date_closed"])
def test_a_date_that_the_account_cannot_write_is_refused_on_postgresql(shut_pg_gate, name, value):
    shut_pg_gate.refused(name, f"UPDATE live_tasks SET {name} = '{value}' WHERE id = 1000")


@pytest.mark.parametrize("value", ["soon", "2026-02-30"])
def test_postgresql_itself_refuses_what_is_no_date(shut_pg_gate, value):
    with pytest.raises(psycopg.DataError):
        shut_pg_gate.run(f"UPDATE live_tasks SET date_end = '{value}' WHERE id = 1000")


@pytest.mark.parametrize("value", ["'5.5'", "5.5", "'high'", "''", "x'35'", "'5 '||char(0)"])
def test_a_priority_that_is_no_whole_number_is_refused_on_sqlite(shut_sqlite_gate, value):
    shut_sqlite_gate.refused(
        "priority", f"UPDATE live_tasks SET priority = {value} WHERE id = 1000"
    )


@pytest.mark.parametrize("value", ["'much'", "''", "'1e3'", "'1.2.3'", "x'31'", "9e999", "'-1'"])
def test_an_amount_that_is_no_number_is_refused_on_sqlite(shut_sqlite_gate, value):
    shut_sqlite_gate.refused(
        "max_time", f"UPDATE live_tasks SET max_time = {value} WHERE id = 1000"
    )


def test_not_a_number_is_refused_on_postgresql(shut_pg_gate):
    shut_pg_gate.refused("max_time", "UPDATE live_tasks SET max_time = 'NaN' WHERE id = 1000")


@pytest.mark.parametrize("name", ["name", "text"])
def test_a_nul_character_is_refused_on_sqlite(shut_sqlite_gate, name):
    other = "" if name == "name" else ", name"
    values = "10, 'x' || char(0)" + ("" if name == "name" else ", 'x'")
    shut_sqlite_gate.refused(
        "nul", f"INSERT INTO live_tasks (project_id, {name}{other}) VALUES ({values})"
    )


def test_a_text_may_be_as_long_as_the_account_keeps_and_no_longer(gate):
    def inserted(length: int) -> str:
        return f"INSERT INTO live_tasks (project_id, name, text) VALUES (10, 'x', '{'я' * length}')"

    gate.refused("text", inserted(65_537))
    gate.run(inserted(65_536))
    assert 65_536 == len(gate.changes()[0]["fields"]["text"])


def test_a_delete_is_refused_and_says_what_to_do_instead(shut_gate):
    shut_gate.refused("delete", "DELETE FROM live_tasks WHERE id = 1000")


def test_a_task_that_is_not_there_is_no_row_to_update(shut_gate):
    shut_gate.run("UPDATE live_tasks SET name = 'x' WHERE id IN (99, 1003)")
    assert [] == shut_gate.changes()


def test_a_statement_that_fails_half_way_queues_nothing(shut_gate):
    # Tasks go by their number: the second one is the one with the tag that cannot be named.
    shut_gate.refused(
        "tags_unknown",
        "UPDATE live_tasks SET tags = CASE id WHEN 1001 THEN 'Nope' ELSE 'Done' END",
    )


def test_a_refused_statement_does_not_take_the_others_with_it_on_sqlite(sqlite_gate):
    own = sqlite3.connect(sqlite_gate.db.path)
    own.execute("UPDATE live_tasks SET name = 'x' WHERE id = 1000")
    with pytest.raises(sqlite3.IntegrityError):
        own.execute("UPDATE live_tasks SET priority = 50 WHERE id = 1000")
    own.commit()
    own.close()
    assert [("update", {"name": "x"}, {"name": "Task 1000"})] == sqlite_gate.said()


@pytest.mark.parametrize("word", ["IGNORE", "REPLACE"])
def test_no_conflict_clause_talks_sqlite_out_of_a_refusal(shut_sqlite_gate, word):
    shut_sqlite_gate.refused("priority", f"UPDATE OR {word} live_tasks SET priority = 50")
    shut_sqlite_gate.refused(
        "project_missing", f"INSERT OR {word} INTO live_tasks (name) VALUES ('x')"
    )


def test_postgresql_names_the_task_that_is_wrong(shut_pg_gate):
    with pytest.raises(psycopg.IntegrityError) as caught:
        shut_pg_gate.run("UPDATE live_tasks SET priority = CASE id WHEN 1002 THEN 50 ELSE 3 END")
    assert "task 1002" == caught.value.diag.message_detail


def test_both_databases_have_every_text_and_use_it():
    sqlite, postgresql = ("\n".join(statements(name)) for name in ("sqlite", "postgresql"))
    for key in TEXTS:
        assert literal(key) in sqlite, key
        assert literal(key) in postgresql or key == "nul", key  # PostgreSQL itself refuses a NUL


def test_every_text_says_what_to_do():
    assert [] == [one for one in TEXTS.values() if not one.endswith((".", "--help", "cancel ID"))]
    assert [] == [one for one in TEXTS.values() if " must " not in one and len(one) < 36]
