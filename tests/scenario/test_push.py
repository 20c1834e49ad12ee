"""Queued edits on their way: what is sent, merged, refused, confirmed, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.sandbox import Account, Fault
from syncd.settings import PushSettings
from syncd.store.enclosures import Enclosure, enclose
from tests.support.mirror import Mirror
from tests.support.pushes import LONG, pushed, shown, states, written

MakeMirror = Callable[..., Mirror]


@pytest.fixture
def mirror(a_sqlite_mirror: MakeMirror) -> Mirror:
    made = a_sqlite_mirror(Account.seeded(tasks=40))
    made.pull()
    return made


def active(mirror: Mirror, number: int = 1) -> list[int]:
    """New tasks, in the mirror already: active, without tags, subtasks or dates."""
    project = a_project(mirror)
    made = [mirror.account.create_task(project, f"Task {n}") for n in range(number)]
    mirror.pull()
    return made


def a_project(mirror: Mirror) -> int:
    query = "SELECT min(id) AS id FROM projects WHERE removed_at IS NULL AND status = 'active'"
    found: int = mirror.value(query)
    return found


def one(mirror: Mirror) -> int:
    return active(mirror)[0]


def outbox(mirror: Mirror) -> list[dict[str, Any]]:
    return mirror.rows("SELECT * FROM outbox ORDER BY id")


def live(mirror: Mirror, id: int) -> dict[str, Any]:
    (row,) = mirror.rows(f"SELECT * FROM live_tasks WHERE id = {id}")
    return row


def asked_since(mirror: Mirror, number: int) -> list[str]:
    return [entry.action for entry in mirror.box.log.entries()][number:]


def with_policy(mirror: Mirror, conflicts: Any) -> Mirror:
    settings = replace_settings(mirror, conflicts=conflicts)
    mirror.app = replace(mirror.app, settings=settings)
    return mirror


def replace_settings(mirror: Mirror, **values: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(mirror.app.settings, push=PushSettings(**values))


# --- an edit


def test_an_update_reaches_the_account_and_the_mirror(a_mirror: MakeMirror) -> None:
    mirror = a_mirror(Account.seeded(tasks=40))
    mirror.pull()
    id = one(mirror)
    before = len(mirror.box.log.entries())
    mirror.execute(f"UPDATE live_tasks SET priority = 9, date_end = '2026-12-24' WHERE id = {id}")
    report = pushed(mirror)
    assert ("complete", 0) == (report.outcome, report.exit_code)
    assert ["get_task", "update_task", "get_task"] == asked_since(mirror, before)
    assert 9 == shown(mirror, id)["priority"]
    assert ["confirmed"] == states(mirror)
    row = live(mirror, id)
    assert (9, "2026-12-24", "synced") == (row["priority"], str(row["date_end"]), row["sync_state"])
    assert "complete" == mirror.pull().outcome


def test_nothing_queued_asks_nothing(mirror: Mirror) -> None:
    before = len(mirror.box.log.entries())
    assert "complete" == pushed(mirror).outcome
    assert [] == asked_since(mirror, before)


def test_fields_that_others_changed_stay_as_they_made_them(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    mirror.account.rename_task(id, "Their name")
    pushed(mirror)
    assert ("Their name", 9) == (shown(mirror, id)["name"], shown(mirror, id)["priority"])
    assert "Their name" == live(mirror, id)["name"]
    assert ["confirmed"] == states(mirror)


def test_what_the_account_shows_already_is_not_sent(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    mirror.account.edit_task(id, priority=9)
    pushed(mirror)
    assert ["confirmed"] == states(mirror)
    assert [] == written(mirror)


def test_set_and_set_back_is_nothing(mirror: Mirror) -> None:
    id = one(mirror)
    was = live(mirror, id)["priority"]
    mirror.execute(f"UPDATE live_tasks SET priority = {(was + 1) % 11} WHERE id = {id}")
    mirror.execute(f"UPDATE live_tasks SET priority = {was} WHERE id = {id}")
    pushed(mirror)
    assert ["confirmed", "confirmed"] == states(mirror)
    assert [] == written(mirror)


def test_an_assignee_who_was_not_named_stays(mirror: Mirror) -> None:
    mirror.box.set(assignee_reset_on_omit=True)
    id = one(mirror)
    member = mirror.value("SELECT min(id) FROM members WHERE kind='person' AND removed_at IS NULL")
    mirror.account.edit_task(id, assignee_id=member)
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    pushed(mirror)
    assert (9, member) == (shown(mirror, id)["priority"], shown(mirror, id)["assignee_id"])


def test_an_assignee_nobody_had_before_is_shown_at_once_and_is_the_next_base(
    a_mirror: MakeMirror,
) -> None:
    """ANY is no member of the account's list: the mirror knows it from the tasks that show it."""
    account = Account()
    account.create_member("Olena", "Owner", "olena@example.com")
    id = account.create_task(account.create_project("Office"), "task")
    mirror = a_mirror(account)
    mirror.pull()
    for assignee, priority in (("ANY", 3), ("NOONE", 4)):
        mirror.execute(f"UPDATE live_tasks SET assignee_email = '{assignee}' WHERE id = {id}")
        pushed(mirror)
        assert assignee == live(mirror, id)["assignee_email"]
        mirror.execute(f"UPDATE live_tasks SET priority = {priority} WHERE id = {id}")
        pushed(mirror)
    assert ["confirmed"] * 4 == states(mirror)


def test_a_member_whom_a_look_names_first_is_shown_by_address(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    new = mirror.account.create_member("Nina", "New", "nina@example.com")
    mirror.account.edit_task(id, assignee_id=new)
    pushed(mirror)
    assert "nina@example.com" == live(mirror, id)["assignee_email"]
    mirror.execute(f"UPDATE live_tasks SET assignee_email = NULL WHERE id = {id}")
    pushed(mirror)
    assert ["confirmed", "confirmed"] == states(mirror)


def test_an_assignee_whom_the_account_refuses_is_named_as_the_reason(mirror: Mirror) -> None:
    id = one(mirror)
    member = mirror.value("SELECT max(id) FROM members WHERE kind='person' AND removed_at IS NULL")
    mirror.account.edit_task(id, assignee_id=member)
    mirror.pull()
    fault = Fault("error", action="update_task", code=11, message="Invalid email")
    mirror.box.faults.add(fault)
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    pushed(mirror)
    (change,) = outbox(mirror)
    assert ("failed", "11") == (change["state"], change["error_code"])
    assert "the assignee goes along with every edit" in change["error"]


def test_fields_and_tags_of_one_statement_are_two_requests_over_one_look(mirror: Mirror) -> None:
    id = one(mirror)
    tag = mirror.value("SELECT min(id) FROM tags WHERE removed_at IS NULL")
    mirror.box.set(tags_must_be_attached=False)
    before = len(mirror.box.log.entries())
    mirror.execute(f"UPDATE live_tasks SET priority = 9, tags = '#{tag}' WHERE id = {id}")
    pushed(mirror)
    asked = asked_since(mirror, before)
    assert ["get_task", "update_task", "update_task_tags", "get_task"] == asked
    assert ["confirmed"] == states(mirror)
    assert [{"tag_id": tag}] == mirror.rows(f"SELECT tag_id FROM task_tags WHERE task_id = {id}")


def test_tags_of_both_sides_are_merged(mirror: Mirror) -> None:
    mirror.box.set(tags_must_be_attached=False)
    id = one(mirror)
    ours, theirs = (row["id"] for row in mirror.rows("SELECT id FROM tags ORDER BY id LIMIT 2"))
    mirror.execute(f"UPDATE live_tasks SET tags = '#{ours}' WHERE id = {id}")
    mirror.account.tag_task(id, theirs)
    pushed(mirror)
    assert {ours, theirs} == shown(mirror, id)["tags"]
    assert ["confirmed"] == states(mirror)


def test_many_edits_are_looked_at_and_confirmed_together(mirror: Mirror) -> None:
    ids = active(mirror, 10)
    before = len(mirror.box.log.entries())
    for id in ids:
        mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    report = pushed(mirror)
    assert ["search_tasks", *["update_task"] * 10, "search_tasks"] == asked_since(mirror, before)
    assert 12 == report.requests
    assert {"confirmed"} == set(states(mirror))


# --- conflicts


def test_what_both_sides_changed_waits_for_a_person(a_mirror: MakeMirror) -> None:
    mirror = a_mirror(Account.seeded(tasks=40))
    mirror.pull()
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 9, name = 'My name' WHERE id = {id}")
    mirror.account.rename_task(id, "Their name")
    report = pushed(mirror)
    assert ("partial", {"conflict": 1}) == (report.outcome, report.waiting)
    assert ("Their name", 9) == (shown(mirror, id)["name"], shown(mirror, id)["priority"])
    (change,) = outbox(mirror)
    assert ("conflict", "both") == (change["state"], change["error_code"])
    assert "you want My name, the account has Their name" in change["error"]
    assert "Their name" == mirror.value(f"SELECT name FROM tasks WHERE id = {id}")
    assert ("My name", "conflict") == (live(mirror, id)["name"], live(mirror, id)["sync_state"])
    told = mirror.rows("SELECT * FROM audit_log WHERE event = 'conflict.found'")
    assert 1 == len(told)


def test_a_conflict_is_not_asked_again_by_itself(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET name = 'My name' WHERE id = {id}")
    mirror.account.rename_task(id, "Their name")
    pushed(mirror)
    before = len(mirror.box.log.entries())
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    pushed(mirror, later=LONG)
    assert ["conflict", "queued"] == states(mirror)
    assert [] == asked_since(mirror, before)


@pytest.mark.parametrize(
    ("conflicts", "name"),
    [("mine", "My name"), ("theirs", "Their name"), ({"name": "mine"}, "My name")],
)
def test_a_policy_decides_and_keeps_the_losing_value(
    mirror: Mirror, conflicts: Any, name: str
) -> None:
    with_policy(mirror, conflicts)
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET name = 'My name' WHERE id = {id}")
    mirror.account.rename_task(id, "Their name")
    pushed(mirror)
    assert ["confirmed"] == states(mirror)
    assert name == shown(mirror, id)["name"]
    (told,) = mirror.rows("SELECT * FROM audit_log WHERE event = 'conflict.decided'")
    assert "My name" in str(told["detail"])
    assert "Their name" in str(told["detail"])


def test_an_edit_of_a_removed_task_is_a_conflict_and_makes_no_task(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    mirror.account.delete_task(id)
    pushed(mirror)
    (change,) = outbox(mirror)
    assert ("conflict", "removed") == (change["state"], change["error_code"])
    assert [] == written(mirror)


def test_a_field_that_is_put_back_again_and_again_becomes_a_conflict(mirror: Mirror) -> None:
    id = one(mirror)
    was = shown(mirror, id)["priority"]
    for _ in range(4):
        mirror.execute(f"UPDATE live_tasks SET priority = {(was + 1) % 11} WHERE id = {id}")
        pushed(mirror, later=LONG)
        mirror.account.edit_task(id, priority=was)
        mirror.pull()
    assert ["confirmed", "confirmed", "confirmed", "conflict"] == states(mirror)
    assert "flips" == outbox(mirror)[-1]["error_code"]


# --- what the account does not do


def test_a_value_that_cannot_be_cleared_is_reported_by_field(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.account.edit_task(id, date_end="2026-12-24")
    mirror.pull()
    mirror.box.set(empty_value="keep")
    mirror.execute(f"UPDATE live_tasks SET date_end = NULL, priority = 9 WHERE id = {id}")
    report = pushed(mirror)
    (change,) = outbox(mirror)
    assert ("failed", 3) == (change["state"], report.exit_code)
    assert "date_end is 2026-12-24, not nothing" in change["error"]
    pushed(mirror, later=LONG)
    assert ["update_task"] == written(mirror)


def test_a_task_that_vanishes_after_the_account_took_the_edit_is_told(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET priority = 9 WHERE id = {id}")
    mirror.box.faults.add(
        Fault("error", action="get_task", nth=2, code=5, message="Task is invalid")
    )
    pushed(mirror)
    (change,) = outbox(mirror)
    assert ("failed", "5") == (change["state"], change["error_code"])


# --- families


def test_a_family_is_created_and_closed_in_the_order_that_works(a_mirror: MakeMirror) -> None:
    mirror = a_mirror(Account.seeded(tasks=40))
    mirror.pull()
    project = a_project(mirror)
    insert = "INSERT INTO live_tasks (ref, project_id, parent_ref, name) VALUES"
    mirror.execute(f"{insert} ('a', {project}, NULL, 'Top')")
    mirror.execute(f"{insert} ('b', {project}, 'a', 'Below')")
    mirror.execute(f"{insert} ('c', {project}, 'b', 'Lowest')")
    mirror.execute("UPDATE live_tasks SET status = 'done' WHERE ref IN ('a', 'b', 'c')")
    pushed(mirror)
    assert ["post_task"] * 3 + ["complete_task"] * 3 == written(mirror)
    assert {"confirmed"} == set(states(mirror))
    rows = mirror.rows(
        "SELECT name, level, status, sync_state FROM live_tasks WHERE ref IS NOT NULL"
    )
    assert {("Top", 1), ("Below", 2), ("Lowest", 3)} == {(r["name"], r["level"]) for r in rows}
    assert {("done", "synced")} == {(r["status"], r["sync_state"]) for r in rows}
    assert "complete" == mirror.pull().outcome


def test_a_failed_parent_blocks_its_subtree_and_nothing_else(mirror: Mirror) -> None:
    project = a_project(mirror)
    fault = Fault("error", action="post_task", parameters={"title": "Top"}, code=10, message="No")
    mirror.box.faults.add(fault)
    insert = "INSERT INTO live_tasks (ref, project_id, parent_ref, name) VALUES"
    mirror.execute(f"{insert} ('a', {project}, NULL, 'Top')")
    mirror.execute(f"{insert} ('b', {project}, 'a', 'Below')")
    mirror.execute(f"{insert} ('c', {project}, NULL, 'Beside')")
    pushed(mirror)
    assert ["failed", "queued", "confirmed"] == states(mirror)


def test_a_creation_carries_all_that_it_can(mirror: Mirror) -> None:
    mirror.box.set(tags_must_be_attached=False)
    project = a_project(mirror)
    tag = mirror.value("SELECT min(id) FROM tags WHERE removed_at IS NULL")
    email = mirror.value("SELECT min(email) FROM members WHERE kind = 'person'")
    mirror.execute(
        "INSERT INTO live_tasks (ref, project_id, name, text, priority, assignee_email, date_start,"
        " date_end, max_time, max_money, tags, checklist, subscribers) VALUES ('all',"
        f" {project}, 'Everything', 'Line 1\nLine 2', 7, '{email}', '2026-02-01', '2026-02-03',"
        f" 1.5, 100, '#{tag}', '[\"one\", \"two, too\"]', '{email}')"
    )
    pushed(mirror)
    (change,) = outbox(mirror)
    assert "confirmed" == change["state"], change["error"]
    task = shown(mirror, change["task_id"])
    assert ("Everything", 7, {tag}) == (task["name"], task["priority"], task["tags"])
    assert 1 == len(mirror.rows("SELECT id FROM live_tasks WHERE name = 'Everything'"))


# --- a pull in between


def test_a_pull_leaves_a_queued_edit_to_be_seen(mirror: Mirror) -> None:
    id = one(mirror)
    mirror.execute(f"UPDATE live_tasks SET name = 'My name' WHERE id = {id}")
    mirror.account.rename_task(id, "Their name")
    assert "complete" == mirror.pull().outcome
    assert ("My name", "queued") == (live(mirror, id)["name"], live(mirror, id)["sync_state"])
    assert "Their name" == mirror.value(f"SELECT name FROM tasks WHERE id = {id}")


def test_keys_in_flight_are_masked_in_a_pull(a_mirror: MakeMirror) -> None:
    """A task that a lost creation has made would stand beside that creation until it is settled."""
    mirror = a_mirror(Account.seeded(tasks=40))
    mirror.pull()
    id = one(mirror)
    project = a_project(mirror)
    mirror.box.faults.add(Fault("drop", action="post_task", when="after", count=1))
    mirror.box.faults.add(Fault("drop", action="get_tasks", count=9))
    mirror.execute(
        f"INSERT INTO live_tasks (ref, project_id, name) VALUES ('a', {project}, 'Lost')"
    )
    pushed(mirror)
    assert ["uncertain"] == states(mirror)
    mirror.account.rename_task(id, "Somebody else's work")
    report = mirror.pull()
    assert "partial" == report.outcome
    assert any("in flight" in note for note in report.notes)
    assert [{"id": None}] == mirror.rows("SELECT id FROM live_tasks WHERE name = 'Lost'")
    assert "Somebody else's work" == live(mirror, id)["name"]
    mirror.box.faults.clear()
    pushed(mirror, later=LONG)
    assert ["confirmed"] == states(mirror)
    assert ["post_task"] == written(mirror)
    assert "complete" == mirror.pull().outcome
    assert 1 == len(mirror.rows("SELECT id FROM live_tasks WHERE name = 'Lost'"))


def test_a_task_whose_edit_is_in_flight_is_left_as_it_was_by_a_pull(a_mirror: MakeMirror) -> None:
    mirror = a_mirror(Account.seeded(tasks=40))
    mirror.pull()
    ours, another = sorted(mirror.live())[:2]
    was = shown(mirror, ours)["name"]
    mirror.box.faults.add(Fault("drop", action="update_task", when="after", count=1))
    mirror.box.faults.add(Fault("drop", action="get_task", skip=1, count=9))
    mirror.execute(f"UPDATE live_tasks SET name = 'Mine' WHERE id = {ours}")
    pushed(mirror)
    assert ["uncertain"] == states(mirror)
    mirror.account.rename_task(another, "Somebody else's work")
    report = mirror.pull()
    assert ("1 tasks have a change in flight: they were left as they were",) == report.notes
    mirrored = {row["id"]: row["name"] for row in mirror.rows("SELECT id, name FROM tasks")}
    assert [was, "Somebody else's work"] == [mirrored[ours], mirrored[another]]
    mirror.box.faults.clear()
    pushed(mirror, later=LONG)
    assert (["confirmed"], ["update_task"]) == (states(mirror), written(mirror))


def test_a_lost_creation_that_somebody_renamed_is_not_made_again(mirror: Mirror) -> None:
    mirror.clock.now = datetime.now(UTC)  # the account's clock tells when a task was made
    mirror.box.faults.add(Fault("drop", action="post_task", when="after", count=1))
    mirror.box.faults.add(Fault("drop", action="get_tasks"))
    insert = "INSERT INTO live_tasks (ref, project_id, name)"
    mirror.execute(f"{insert} VALUES ('a', {a_project(mirror)}, 'Lost')")
    pushed(mirror)
    (made,) = (task.id for task in mirror.account.tasks.values() if task.name == "Lost")
    mirror.account.rename_task(made, "Found, and called otherwise")
    mirror.box.faults.clear()
    pushed(mirror, later=LONG)
    (change,) = outbox(mirror)
    assert ("conflict", "ambiguous") == (change["state"], change["error_code"])
    assert f"#{made}" in change["error"]
    assert ["post_task"] == written(mirror)


def test_an_answer_equal_to_the_one_before_our_edit_is_read_all_the_same(mirror: Mirror) -> None:
    """Somebody takes our edit back: byte for byte the old answer, and not what the mirror holds."""
    id = one(mirror)
    was = shown(mirror, id)["priority"]
    mirror.execute(f"UPDATE live_tasks SET priority = {(was + 1) % 11} WHERE id = {id}")
    pushed(mirror)
    mirror.account.edit_task(id, priority=was)
    mirror.pull()
    assert was == mirror.value(f"SELECT priority FROM tasks WHERE id = {id}")


# --- files


def a_creation_with_a_file(mirror: Mirror) -> None:
    insert = "INSERT INTO live_tasks (ref, project_id, name)"
    mirror.execute(f"{insert} VALUES ('a', {a_project(mirror)}, 'With a file')")
    with mirror.app.db.write() as tx:
        enclose(tx, 1, [Enclosure("offer.pdf", "application/pdf", b"%PDF-1.7 small")])


def test_files_go_along_with_a_creation(a_mirror: MakeMirror) -> None:
    mirror = a_mirror(Account.seeded(tasks=40))
    mirror.pull()
    a_creation_with_a_file(mirror)
    pushed(mirror)
    assert ["confirmed"] == states(mirror)
    (change,) = outbox(mirror)
    files = mirror.rows(f"SELECT name FROM files WHERE task_id = {change['task_id']}")
    assert [{"name": "offer.pdf"}] == files
    assert 0 == mirror.value("SELECT count(*) AS n FROM outbox_files")


def test_a_file_that_did_not_arrive_is_named(mirror: Mirror) -> None:
    a_creation_with_a_file(mirror)
    mirror.box.faults.add(Fault("vanished_field", action="get_task", field="files"))
    pushed(mirror)
    (change,) = outbox(mirror)
    assert "failed" == change["state"]
    assert "the file offer.pdf is not there" in change["error"]
