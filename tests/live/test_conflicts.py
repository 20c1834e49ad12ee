"""live_conflicts: what it shows, what may be chosen through it, and what it refuses."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update

from syncd.model.fields import write_value
from syncd.resources.tasks.table import task_tags, tasks
from syncd.services.changes import label_names, worded
from syncd.services.sides import disputes, sides
from syncd.store.engine import open_database
from syncd.store.live import live_conflicts, live_tasks
from syncd.store.live.texts import TEXTS
from syncd.store.outbox import outbox
from syncd.store.types import canonical_decimal
from syncd.store.upgrade import downgrade, upgrade
from tests.live.conftest import fill
from tests.support.mirror import rows
from tests.support.records import MONDAY

EDIT = "UPDATE live_tasks SET {} WHERE id = 1000"
KEEP = "UPDATE live_conflicts SET keep = '{}'"
CHOICES = "SELECT change_id, field, keep, theirs, chosen_by FROM outbox_choices ORDER BY 1, 2"


def conflict(gate, mine, theirs, why="both"):
    """Queue an edit of task 1000, let the account show other values, and a push find that out."""
    gate.run(
        EDIT.format(mine),
        f"UPDATE tasks SET {theirs} WHERE id = 1000",
        "UPDATE outbox SET state = 'conflict', error_code = "
        f"'{why}' WHERE id = (SELECT max(id) FROM outbox)",
    )


def shown(gate, columns="change_id, field, base, mine, theirs, why, keep"):
    found = gate.rows(f"SELECT {columns} FROM live_conflicts ORDER BY change_id, field")
    return [tuple(row.values()) for row in found]


def chosen(gate):
    return [tuple(row.values()) for row in gate.rows(CHOICES)]


def me(gate):
    return "sql:local" if gate.sqlite else gate.changes()[0]["created_by"]


# --- what it shows


def test_each_field_in_question_is_a_row_with_its_three_sides(gate):
    conflict(
        gate,
        "priority = 7, name = 'mine', max_time = 1.5, tags = 'To-do', date_end = NULL",
        "priority = 9, date_end = '2026-05-05', max_time = 2.25, name = 'mine '",
    )
    assert [
        (1, "date_end", "2026-02-01", None, "2026-05-05", "both", None),
        (1, "max_time", "352", "1.5", "2.25", "both", None),
        (1, "priority", "5", "7", "9", "both", None),
    ] == shown(gate)
    (since,) = gate.rows("SELECT DISTINCT since FROM live_conflicts")
    (moved,) = gate.rows("SELECT at FROM outbox_events WHERE to_state = 'conflict'")
    assert moved["at"] == since["since"]


def test_labels_and_addresses_are_as_live_tasks_shows_them(gate):
    conflict(
        gate,
        "tags = '#3,éa', assignee_email = NULL, status = 'active'",
        "assignee_id = 100",
        "flips",
    )
    assert [
        (1, "assignee_email", "petro@acme.example", "NOONE", "olena@acme.example"),
        (1, "tags", "Done,To-do", "#3,éa", "Done,To-do"),
    ] == shown(gate, "change_id, field, base, mine, theirs")


def test_a_task_that_is_gone_is_there_with_nothing_to_see(gate):
    conflict(gate, "priority = 7", "removed_at = '2026-01-01 00:00:00+00'", "removed")
    assert [(1, "priority", "5", "7", None, "removed", None)] == shown(gate)


def test_a_creation_that_could_be_several_tasks_is_left_to_the_command(gate):
    gate.run("INSERT INTO live_tasks (project_id, name, ref) VALUES (10, 'x', 'r')")
    gate.move(1, "sending", "uncertain", "conflict")
    assert [] == shown(gate)


def test_of_a_task_that_was_created_here_the_ref_is_told(gate):
    gate.run("INSERT INTO live_tasks (project_id, name, ref) VALUES (10, 'x', 'r')")
    gate.run("UPDATE outbox SET state = 'sending'")
    gate.run("UPDATE outbox SET state = 'applied', task_id = 1000")
    gate.run("UPDATE outbox SET state = 'confirmed'")
    conflict(gate, "priority = 7", "priority = 9")
    assert [(2, 1000, "r", "priority")] == shown(gate, "change_id, task_id, ref, field")


def test_what_is_not_in_conflict_or_means_nothing_is_not_shown(gate):
    conflict(gate, "priority = 7", "priority = 9")
    gate.run("""UPDATE outbox SET fields = '{"colour": 1}' WHERE id = 1""")
    gate.run("UPDATE live_tasks SET priority = 8 WHERE id = 1001")
    assert [] == shown(gate)


VALUES = {
    "name": st.sampled_from(["Task 1000", "a", "b"]),
    "priority": st.sampled_from([5, 7, 9]),
    "assignee_email": st.sampled_from(["olena@acme.example", "PETRO@acme.example", "ANY", None]),
    "date_closed": st.none() | st.dates(date(2026, 3, 1), date(2026, 3, 2)),
    "max_time": st.sampled_from([None, Decimal(352), Decimal("1.5")]),
    "tags": st.sets(st.sampled_from(["To-do", "Done", "#3", "éa"])).map(",".join),
}
EDITS = st.sets(st.sampled_from(sorted(VALUES)), min_size=1).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
)
THEIRS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Task 1000", "a", " b\n"]),
        "priority": VALUES["priority"],
        "assignee_id": st.sampled_from([None, 2, 100, 101, 555]),
        "date_closed": st.sampled_from([None, datetime(2026, 3, 1, 10, 15)]),
        "max_time": VALUES["max_time"],
        "removed_at": st.sampled_from([None] * 6 + [MONDAY]),
    }
)
WHY = st.sampled_from(["both", "both", "flips", "unknown base", "removed"])


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    edits=st.lists(
        st.tuples(EDITS, WHY, st.sets(st.sampled_from(sorted(VALUES)), max_size=2)), max_size=3
    ),
    theirs=THEIRS,
    tags=st.sets(st.sampled_from([1, 2, 3, 8])),
)
def test_the_view_shows_what_the_command_asks_for(shut_gate, edits, theirs, tags):
    """In the same words: base, mine and theirs of each field that a person has to choose."""
    with shut_gate.db.engine.connect() as tx:  # rolled back: every example begins alike
        for values, _, _ in edits:
            tx.execute(update(live_tasks).where(live_tasks.c.id == 1000).values(**values))
        for row, (_, why, unknown) in zip(_queued(tx), edits, strict=False):
            base = {name: value for name, value in row.base.items() if name not in unknown}
            tx.execute(update(outbox).where(outbox.c.id == row.id).values(base=base))
            moved = {"state": "conflict", "error_code": why}
            tx.execute(update(outbox).where(outbox.c.id == row.id).values(**moved))
        tx.execute(update(tasks).where(tasks.c.id == 1000).values(**theirs))
        tx.execute(delete(task_tags).where(task_tags.c.task_id == 1000))
        for tag in tags:
            tx.execute(insert(task_tags).values(task_id=1000, tag_id=tag))
        assert _asked(tx) == {
            (row.change_id, row.field): (row.base, row.mine, row.theirs)
            for row in tx.execute(select(live_conflicts))
        }
        tx.rollback()


def _queued(tx):
    return tx.execute(select(outbox).order_by(outbox.c.id)).all()


def _asked(tx):
    labels = label_names(tx)
    return {
        (id, side.field): tuple(
            _words(worded(value, labels)) for value in (side.base, side.mine, side.theirs)
        )
        for id, of_change in sides(tx, _queued(tx)).items()
        for side in of_change
        if side.field in disputes(tx, [1000])[1000].contested
    }


def _words(value):
    value = canonical_decimal(value) if isinstance(value, Decimal) else value
    return None if value is None else str(write_value(value))


# --- choosing


def test_a_choice_is_recorded_with_who_made_it_and_about_what(gate):
    conflict(gate, "priority = 7, name = 'mine'", "priority = 9, name = 'theirs'")
    gate.run(KEEP.format("mine") + " WHERE field = 'priority'")
    assert [(1, "priority", "mine", "9", me(gate))] == chosen(gate)
    assert [("name", None, None), ("priority", "mine", me(gate))] == shown(
        gate, "field, keep, chosen_by"
    )
    assert ["conflict"] == [change["state"] for change in gate.changes()]


def test_a_choice_can_be_changed_and_taken_back(gate):
    conflict(gate, "priority = 7", "priority = 9")
    for keep in ("mine", "theirs"):
        gate.run(KEEP.format(keep))
        assert [(1, "priority", keep, "9", me(gate))] == chosen(gate)
    gate.run("UPDATE live_conflicts SET keep = NULL")
    assert [] == chosen(gate)


def test_a_choice_counts_for_all_changes_of_the_task(gate):
    conflict(gate, "priority = 7", "priority = 9")
    conflict(gate, "priority = 8, name = 'mine'", "name = 'theirs'")
    gate.run(KEEP.format("mine") + " WHERE change_id = 2 AND field = 'priority'")
    assert [(1, "priority", "mine"), (2, "name", None), (2, "priority", "mine")] == shown(
        gate, "change_id, field, keep"
    )
    gate.run("UPDATE live_conflicts SET keep = NULL WHERE change_id = 1")
    assert [] == chosen(gate)


@pytest.mark.parametrize("keep", ["mine", "theirs"])
def test_a_choice_lapses_while_the_account_shows_another_value(gate, keep):
    conflict(gate, "priority = 7", "priority = 9")
    gate.run(KEEP.format(keep))
    gate.run("UPDATE tasks SET priority = 10 WHERE id = 1000")
    assert [("10", None, None)] == shown(gate, "theirs, keep, chosen_by")
    gate.run(KEEP.format(keep))
    assert [("10", keep)] == shown(gate, "theirs, keep")


def test_only_keep_can_be_set_and_only_to_its_two_words(gate):
    conflict(gate, "priority = 7", "priority = 9")
    for column in ("base", "mine", "theirs", "field", "why", "chosen_by", "ref"):
        refused(gate, "conflict_fixed", f"UPDATE live_conflicts SET {column} = 'x', keep = 'mine'")
    refused(gate, "conflict_fixed", "UPDATE live_conflicts SET task_id = 1001")
    for value in ("''", "'MINE'", "'both'"):
        refused(gate, "conflict_keep", f"UPDATE live_conflicts SET keep = {value}")
    refused(gate, "conflict_delete", "DELETE FROM live_conflicts")
    refused(gate, "conflict_insert", "INSERT INTO live_conflicts (change_id) VALUES (1)")


def refused(gate, key, statement):
    assert TEXTS[key] == gate.refusal(statement)
    assert [] == chosen(gate)


def test_a_task_that_is_gone_can_only_be_given_up(gate):
    conflict(gate, "priority = 7", "removed_at = '2026-01-01 00:00:00+00'")
    refused(gate, "conflict_removed", KEEP.format("mine"))
    gate.run(KEEP.format("theirs"))
    assert [(1, "priority", "theirs", None, me(gate))] == chosen(gate)


# --- PostgreSQL alone: rights, and who waits is told


@pytest.fixture
def editor(pg_gate, postgres):
    """A connection of a role that was granted the view, and nothing besides; and its name."""
    database = pg_gate.url.rpartition("/")[2]
    role = f"chooser_{database}"
    postgres.create_role(role)
    pg_gate.run(f"GRANT SELECT, UPDATE ON live_conflicts TO {role}")
    url = postgres.url_for(database, role=role).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as own:
        yield own, role


def test_an_editor_chooses_with_rights_on_the_view_alone_and_is_named(pg_gate, editor):
    own, role = editor
    conflict(pg_gate, "priority = 7, tags = 'Done'", "priority = 9")
    own.execute("SET syncd.actor = 'daemon'")
    own.execute(KEEP.format("mine"))
    ((keep, by),) = own.execute("SELECT keep, chosen_by FROM live_conflicts").fetchall()
    assert ("mine", f"sql:{role}") == (keep, by)
    for statement in (
        "SELECT 1 FROM outbox_choices",
        "DELETE FROM outbox_choices",
        "DELETE FROM live_conflicts",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute(statement)


def test_an_editor_s_own_tables_are_not_taken_for_ours(pg_gate, editor):
    own, _ = editor
    conflict(pg_gate, "priority = 7", "priority = 9")
    own.execute("CREATE TEMP TABLE outbox (LIKE live_conflicts)")
    own.execute("CREATE TEMP TABLE outbox_choices (LIKE live_conflicts)")
    own.execute(KEEP.format("mine"))
    assert 1 == len(chosen(pg_gate))


def test_whoever_listens_is_told_of_a_choice(pg_gate, editor):
    conflict(pg_gate, "priority = 7", "priority = 9")
    with psycopg.connect(pg_gate.url.replace("+psycopg", ""), autocommit=True) as own:
        own.execute("LISTEN syncd_outbox")
        editor[0].execute(KEEP.format("mine"))
        assert ["public"] == [note.payload for note in own.notifies(timeout=30, stop_after=1)]


def test_every_column_is_described_on_postgresql(pg_gate):
    query = (
        "SELECT attrelid::regclass::text AS relation, attname FROM pg_attribute"
        " WHERE attrelid IN ('live_conflicts'::regclass, 'outbox_choices'::regclass)"
        " AND attnum > 0 AND col_description(attrelid, attnum) IS NULL"
    )
    assert [] == pg_gate.rows(query)


# --- the migration


def test_up_and_down_with_a_conflict_in_it(database_url):
    db = open_database(database_url)
    upgrade(db, now=MONDAY, revision="0004")
    with db.write() as tx:
        fill(tx)
        tx.execute(text(EDIT.format("priority = 7")))
        tx.execute(text("UPDATE tasks SET priority = 9 WHERE id = 1000"))
        tx.execute(text("UPDATE outbox SET state = 'conflict', error_code = 'both'"))
    for _ in range(2):
        upgrade(db, now=MONDAY, revision="0005")
        with db.write() as tx:
            tx.execute(text(KEEP.format("mine")))
        (row,) = rows(database_url, "SELECT change_id, theirs, keep FROM live_conflicts")
        assert (1, "9", "mine") == tuple(row.values())
        downgrade(db, "0004")
    assert ["conflict"] == [row["state"] for row in rows(database_url, "SELECT * FROM outbox")]
    db.close()
