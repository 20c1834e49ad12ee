"""A role that may edit tasks and nothing else: on PostgreSQL, rights on the view are enough."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from syncd.store.live import statements
from syncd.store.live.texts import TEXTS

INSERT = "INSERT INTO live_tasks (ref, project_id, name, tags) VALUES ('r', 10, 'x', 'Done')"


@pytest.fixture
def editor(pg_gate, postgres):
    """A connection of a login role that was granted the view, and nothing besides."""
    role = f"editor_{pg_gate.url.rpartition('/')[2]}"
    postgres.create_role(role)
    pg_gate.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON live_tasks TO {role}")
    url = postgres.url_for(pg_gate.url.rpartition("/")[2], role=role)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as own:
        yield own, role


def test_an_editor_edits_creates_and_is_named(pg_gate, editor):
    own, role = editor
    own.execute("UPDATE live_tasks SET name = 'new', tags = 'Done', priority = 1 WHERE id = 1000")
    own.execute("UPDATE live_tasks SET status = 'done' WHERE id = 1000")
    own.execute(INSERT)
    own.execute("INSERT INTO live_tasks (parent_ref, name) VALUES ('r', 'y')")
    own.execute("UPDATE live_tasks SET assignee_email = 'olena@acme.example' WHERE ref = 'r'")
    assert ("new", "queued") == own.execute(
        "SELECT name, sync_state FROM live_tasks WHERE id = 1000"
    ).fetchone()
    assert [f"sql:{role}"] * 5 == [change["created_by"] for change in pg_gate.changes()]
    assert {f"sql:{role}"} == {event[3] for event in pg_gate.events()}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM tasks",
        "UPDATE tasks SET name = 'x'",
        "SELECT 1 FROM outbox",
        "UPDATE outbox SET state = 'cancelled'",
        "DELETE FROM outbox_events",
        "SELECT live_queue('update', 1000, NULL, '{}', '{}', NULL)",
        "SELECT live_mirrored(1000)",
        "SELECT outbox_actor()",
    ],
)
def test_an_editor_gets_past_the_gate_nowhere(editor, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        editor[0].execute(statement)


def test_an_editor_is_told_the_same_rules(editor):
    for statement, key in (
        ("UPDATE live_tasks SET priority = 50 WHERE id = 1000", "priority"),
        ("UPDATE live_tasks SET tags = 'Nope' WHERE id = 1000", "tags_unknown"),
        ("DELETE FROM live_tasks WHERE id = 1000", "delete"),
    ):
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            editor[0].execute(statement)
        assert TEXTS[key] == caught.value.diag.message_primary


def test_an_editor_cannot_sign_for_others(pg_gate, editor):
    own, role = editor
    own.execute("SET syncd.actor = 'daemon'")
    own.execute(INSERT)
    assert [f"sql:{role}"] == [change["created_by"] for change in pg_gate.changes()]


def test_a_role_that_was_put_on_is_the_one_who_acts(pg_gate, editor, postgres):
    own, role = editor
    other = f"{role}_team"
    with psycopg.connect(
        postgres.admin_url_for(pg_gate.url.rpartition("/")[2]).replace("+psycopg", ""),
        autocommit=True,
    ) as admin:
        admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(other)))
        admin.execute(f"GRANT {other} TO {role}")
    pg_gate.run(f"GRANT SELECT, UPDATE ON live_tasks TO {other}")
    own.execute(f"SET ROLE {other}")
    own.execute("UPDATE live_tasks SET name = 'x' WHERE id = 1000")
    assert [f"sql:{other}"] == [change["created_by"] for change in pg_gate.changes()]


def test_an_editors_own_tables_are_not_taken_for_ours(pg_gate, editor):
    own, _ = editor
    own.execute("CREATE TEMP TABLE outbox (LIKE live_tasks)")
    own.execute("CREATE TEMP TABLE members (id bigint, email text, kind text, removed_at text)")
    own.execute("INSERT INTO members VALUES (1, 'mine@acme.example', 'person', NULL)")
    with pytest.raises(psycopg.errors.CheckViolation):
        own.execute("UPDATE live_tasks SET assignee_email = 'mine@acme.example' WHERE id = 1000")
    own.execute("UPDATE live_tasks SET name = 'x' WHERE id = 1000")
    assert 1 == len(pg_gate.changes())


def test_replacing_the_gate_keeps_grants_and_dependants(pg_gate, editor):
    pg_gate.run("CREATE VIEW mine AS SELECT id FROM live_tasks")
    pg_gate.run(*(one.replace("%", "%%") for one in statements("postgresql")))
    editor[0].execute("UPDATE live_tasks SET name = 'x' WHERE id = 1000")
    assert 5 == len(pg_gate.rows("SELECT * FROM mine"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        editor[0].execute("SELECT live_mirrored(1000)")
