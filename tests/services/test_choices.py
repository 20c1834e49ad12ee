"""What was chosen by SQL is applied as if the command had said it, and told so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox import Account, Sandbox
from syncd.services.choices import apply_choices
from syncd.services.queue import Sought, list_queue, show_change
from tests.live.conftest import Gate, document
from tests.services.desk import NOW, Desk
from tests.support.mirror import Mirror, build
from tests.support.pushes import pushed, shown, states

SQL = "sql:local"


@pytest.fixture
def desk(gate: Gate) -> Desk:
    return Desk(gate)


@pytest.fixture
def sqlite_desk(sqlite_gate: Gate) -> Desk:
    """For rules in which no database takes part."""
    return Desk(sqlite_gate)


def choose(desk: Desk, keep: str, where: str = "1 = 1") -> None:
    desk.gate.run(f"UPDATE live_conflicts SET keep = '{keep}' WHERE {where}")


def apply(desk: Desk) -> tuple[int, ...]:
    return apply_choices(desk.gate.db, at=NOW)


def left(desk: Desk) -> list[tuple[int, str]]:
    rows = desk.gate.rows("SELECT change_id, field FROM outbox_choices ORDER BY 1, 2")
    return [(row["change_id"], row["field"]) for row in rows]


def test_each_field_goes_as_it_was_chosen(desk):
    desk.edit(priority=7, name="mine", date_end=None)
    desk.conflict(1, priority=9, name="theirs", date_end="2026-05-05")
    choose(desk, "mine")
    choose(desk, "theirs", "field = 'name'")
    assert (1,) == apply(desk)
    assert [
        ("update", {"date_end": None, "priority": 7}, {"date_end": "2026-05-05", "priority": 9})
    ] == desk.gate.said()
    assert ["queued"] == desk.states()
    assert [] == left(desk)


def test_the_chooser_is_the_one_who_acts_and_all_sides_are_kept(desk):
    desk.edit(priority=7)
    desk.conflict(1, priority=9)
    choose(desk, "theirs")
    (row,) = desk.gate.rows("SELECT chosen_by FROM outbox_choices")
    apply(desk)
    assert (1, "conflict", "cancelled", row["chosen_by"]) == desk.gate.events()[-1]
    (told,) = desk.gate.rows("SELECT * FROM audit_log WHERE event = 'conflict.resolved'")
    assert (row["chosen_by"], 1) == (told["actor"], told["entity_id"])
    assert [{"field": "priority", "winner": "theirs", "base": 5, "mine": 7, "theirs": 9}] == (
        document(told["detail"])["fields"]
    )


def test_where_two_have_chosen_the_last_acts_and_the_other_is_named(sqlite_desk):
    sqlite_desk.edit(priority=7, name="mine")
    sqlite_desk.conflict(1, priority=9, name="theirs")
    choose(sqlite_desk, "mine")
    sqlite_desk.gate.run(
        "UPDATE outbox_choices SET chosen_by = 'petro', chosen_at = '2026-01-01 00:00:00.000000'"
        " WHERE field = 'name'"
    )
    apply(sqlite_desk)
    (told,) = sqlite_desk.gate.rows("SELECT * FROM audit_log WHERE event = 'conflict.resolved'")
    assert SQL == told["actor"]
    fields = document(told["detail"])["fields"]
    assert {"name": "sql:petro", "priority": None} == {
        one["field"]: one.get("chosen_by") for one in fields
    }


def test_half_a_choice_waits_for_the_other_half(desk):
    desk.edit(priority=7, name="mine")
    desk.conflict(1, priority=9, name="theirs")
    choose(desk, "mine", "field = 'name'")
    assert () == apply(desk)
    assert (["conflict"], [(1, "name")]) == (desk.states(), left(desk))
    choose(desk, "mine", "field = 'priority'")
    assert (1,) == apply(desk)


def test_changes_of_one_task_are_decided_together_and_other_tasks_apart(desk):
    desk.edit(priority=7)
    desk.edit(priority=8, name="mine")
    desk.edit(1001, priority=3)
    for id in (1, 2, 3):
        desk.conflict(id, priority=9, name="theirs")
    choose(desk, "mine", "field = 'priority'")
    assert (3,) == apply(desk)
    assert ["conflict", "conflict", "queued"] == desk.states()
    choose(desk, "theirs", "field = 'name'")
    assert (1, 2) == apply(desk)
    assert [{"priority": 7}, {"priority": 8}, {"priority": 3}] == [
        fields for _, fields, _ in desk.gate.said()
    ]


def test_a_value_that_nobody_has_seen_is_never_chosen_over(desk):
    desk.edit(priority=7)
    desk.conflict(1, priority=9)
    choose(desk, "mine")
    desk.gate.run("UPDATE tasks SET priority = 10 WHERE id = 1000")
    assert () == apply(desk)
    assert ["conflict"] == desk.states()


def test_mine_does_not_stand_once_the_task_is_gone(desk):
    desk.edit(date_end="2026-03-03")
    desk.conflict(1, date_end=None)
    choose(desk, "mine")
    desk.gate.run("UPDATE tasks SET removed_at = '2026-01-06 00:00:00+00' WHERE id = 1000")
    assert () == apply(desk)
    choose(desk, "theirs")
    assert (1,) == apply(desk)
    assert ["cancelled"] == desk.states()


def test_what_is_in_conflict_no_more_leaves_no_choice_behind(desk):
    for task in (1000, 1001, 1002):
        desk.edit(task, priority=7)
    for id, task in ((1, 1000), (2, 1001), (3, 1002)):
        desk.gate.run(f"UPDATE tasks SET priority = 9 WHERE id = {task}")
        desk.take(id, "conflict", error_code="both")
    choose(desk, "mine", "task_id <> 1002")
    desk.cancel(1)
    desk.resolve(2, "theirs")
    assert [(1, "priority")] == left(desk)  # the command forgets by itself
    assert () == apply(desk)
    assert [] == left(desk)
    assert ["cancelled", "cancelled", "conflict"] == desk.states()


def test_what_cannot_be_read_stays_for_the_command(sqlite_desk):
    sqlite_desk.edit(priority=7)
    sqlite_desk.conflict(1, priority=9)
    choose(sqlite_desk, "mine")
    sqlite_desk.gate.run("""UPDATE outbox SET fields = '{"priority": "high"}'""")
    assert () == apply(sqlite_desk)
    assert ["conflict"] == sqlite_desk.states()


# --- what people are told until then


def test_what_was_chosen_is_shown_with_the_change(desk):
    desk.edit(priority=7, name="mine")
    desk.conflict(1, priority=9, name="theirs")
    choose(desk, "mine", "field = 'name'")
    assert "waits for a person" in desk.show(1).why
    choose(desk, "theirs", "field = 'priority'")
    sides = desk.show(1).sides
    assert {"name": "mine", "priority": "theirs"} == {side.field: side.keep for side in sides}
    (by,) = {side.chosen_by for side in sides}
    assert f"is decided: name mine by {by}, priority theirs by {by}" in desk.show(1).why
    assert desk.list().why[1].startswith(desk.show(1).why.removesuffix("."))


# --- through a real push


@pytest.fixture
def mirror(ready_sqlite_url: str, tmp_path: Path) -> Iterator[Mirror]:
    with Sandbox(Account.seeded(tasks=40)) as box:
        made = build(box, ready_sqlite_url, tmp_path / "syncd.toml")
        made.pull()
        yield made
        made.app.db.close()


def test_a_conflict_is_resolved_by_sql_and_the_next_push_sends_it(mirror):
    project = mirror.value("SELECT min(id) FROM projects WHERE status = 'active'")
    id = mirror.account.create_task(project, "A task")
    mirror.pull()
    mirror.execute(f"UPDATE live_tasks SET name = 'My name', priority = 9 WHERE id = {id}")
    mirror.account.rename_task(id, "Their name")
    pushed(mirror)
    (row,) = mirror.rows("SELECT * FROM live_conflicts")
    assert (id, "name", "A task", "My name", "Their name") == (
        *(row["task_id"], row["field"], row["base"], row["mine"], row["theirs"]),
    )
    mirror.execute("UPDATE live_conflicts SET keep = 'mine'")
    pushed(mirror)
    assert ["confirmed"] == states(mirror)
    assert ("My name", 9) == (shown(mirror, id)["name"], shown(mirror, id)["priority"])
    told = mirror.rows("SELECT actor FROM audit_log WHERE event = 'conflict.resolved'")
    assert [{"actor": SQL}] == told


def test_theirs_is_told_with_the_run_that_first_saw_it(mirror):
    id = mirror.account.create_task(
        mirror.value("SELECT min(id) FROM projects WHERE status = 'active'"), "A task"
    )
    mirror.pull()
    mirror.execute(f"UPDATE live_tasks SET name = 'My name', priority = 9 WHERE id = {id}")
    mirror.account.rename_task(id, "Their name")
    run = mirror.pull().run_id
    pushed(mirror)  # sends the priority, so that the task has a newer image
    with mirror.app.db.read() as tx:
        (seen,) = tx.exec_driver_sql("SELECT valid_to FROM task_history WHERE run_id = ?", (run,))
    found = show_change(mirror.app.db, 1, now=NOW, max_batch=100)
    (side,) = [side for side in found.sides if side.contested]
    assert ("name", run) == (side.field, side.seen_by_run)
    listed = list_queue(mirror.app.db, Sought(("conflict",)), now=NOW, max_batch=100)
    assert (
        f"; theirs: name seen at {side.seen_at:%Y-%m-%d %H:%M:%S} UTC by run {run}."
        in (listed.why[1])
    )
    assert seen.valid_to.startswith(f"{side.seen_at:%Y-%m-%d %H:%M:%S}")
