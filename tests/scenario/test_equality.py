"""A pulled mirror equals the account, field by field, by the account's own word."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from syncd.sandbox import Account
from tests.support.mirror import EVERYTHING, assert_mirror_equals

PLAIN = ("subtasks", "relations", "files")


def test_ten_thousand_tasks_are_mirrored_field_by_field(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=10_000, seed=11), extra=(*PLAIN, "text"))
    report = mirror.pull()
    assert ("complete", (), 0) == (report.outcome, report.notes, report.exit_code)
    assert_mirror_equals(mirror)


def test_ten_thousand_tasks_with_the_archive_are_mirrored_field_by_field(a_mirror):
    mirror = a_mirror(Account.seeded(tasks=10_000, seed=12, archived=0.2), archived=True)
    report = mirror.pull()
    assert ("complete", ()) == (report.outcome, report.notes)
    assert_mirror_equals(mirror)


@pytest.mark.parametrize("archived", [False, True], ids=["live", "with-archive"])
@pytest.mark.parametrize(
    "extra",
    [
        (),
        ("subtasks",),
        ("relations", "files"),
        (*PLAIN, "html"),
        EVERYTHING,
    ],
    ids=lambda extra: "+".join(extra) or "nothing",
)
def test_every_extra_is_mirrored_as_asked(a_mirror, extra, archived):
    mirror = a_mirror(
        Account.seeded(tasks=150, seed=5, archived=0.3), extra=extra, archived=archived
    )
    report = mirror.pull()
    assert ("complete", ()) == (report.outcome, report.notes)
    assert_mirror_equals(mirror)


def test_a_task_with_every_field_and_one_with_none(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    project = account.create_project("Owl & Co")
    person = next(iter(account.members))
    tag, other = list(account.tags)[:2]
    full = account.create_task(
        project,
        "Launch <b>\"it\"</b> & 'go' {label} [x] \u00a0 \U0001f989 é",
        by=person,
        assignee_id=person,
        priority=10,
        tag_ids=[other, tag],
        text="one\r\n• item\n<script>&amp;",
        date_added=datetime(2024, 2, 29, 23, 59),
        date_start=date(2024, 2, 29),
        time_start=time(0, 0),
        date_end=date(2031, 12, 31),
        time_end=time(23, 59),
        max_time=Decimal("0.25"),
        max_money=Decimal("99999999.99"),
        subscriber_ids=[person],
    )
    account.add_file(full, "звіт — копія.pdf", size=0)
    account.add_comment(full, "so be it")
    bare = account.create_task(project, "")
    account.add_relation("finish-to-start", full, bare)
    account.add_relation("start-to-start", full, bare)
    account.complete_task(bare)
    mirror = a_mirror(account, extra=EVERYTHING)
    assert "complete" == mirror.pull().outcome
    assert_mirror_equals(mirror)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2025-01-07 10:01", "2025-01-07 08:01"),  # winter, UTC+2
        ("2025-07-07 10:01", "2025-07-07 07:01"),  # summer, UTC+3
        ("2025-03-30 02:59", "2025-03-30 00:59"),  # the last minute before the clock goes forward
        ("2025-03-30 03:30", "2025-03-30 01:30"),  # never shown: read as if the clock had not moved
        ("2025-03-30 04:00", "2025-03-30 01:00"),  # the first minute after it
        ("2025-10-26 02:59", "2025-10-25 23:59"),  # before the hour that comes twice
        ("2025-10-26 03:30", "2025-10-26 00:30"),  # twice: the first one is meant
        ("2025-10-26 04:00", "2025-10-26 02:00"),  # after it
        ("2025-12-31 23:59", "2025-12-31 21:59"),
        ("2026-01-01 00:30", "2025-12-31 22:30"),  # another year in UTC
    ],
)
def test_wall_clock_times_become_instants_around_the_change_of_clocks(a_mirror, local, utc):
    at = datetime.fromisoformat(local)
    account = Account.seeded(tasks=0, seed=1)
    task = account.create_task(account.create_project("Clocks"), "Tick", date_added=at)
    account.complete_task(task)
    account.edit_task(task, date_closed=at)
    mirror = a_mirror(account)
    mirror.pull()
    assert_mirror_equals(mirror)
    (row,) = mirror.rows("SELECT date_added, added_at, closed_at FROM tasks")
    shown = {str(row[key]).removesuffix(".000000") for key in ("added_at", "closed_at")}
    wanted = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    read = {datetime.fromisoformat(text) for text in shown}
    assert {wanted} == {at if at.tzinfo else at.replace(tzinfo=UTC) for at in read}


def test_without_a_time_zone_there_are_no_instants(a_mirror):
    mirror = a_mirror(zone=None)
    mirror.pull()
    assert 0 == mirror.value("SELECT count(added_at) + count(closed_at) AS n FROM tasks")
    assert 0 < mirror.value("SELECT count(date_added) AS n FROM tasks")


def test_a_text_is_mirrored_to_its_last_character(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    project = account.create_project("Novels")
    long = account.create_task(project, "Long", text="ї" * 65_535 + ".")
    cut = account.create_task(project, "Cut by the account", text="x" * 65_600)
    mirror = a_mirror(account, extra=(*PLAIN, "text"))
    mirror.pull()
    assert_mirror_equals(mirror)
    texts = {row["id"]: row["text"] for row in mirror.rows("SELECT id, text FROM tasks")}
    assert ("ї" * 65_535 + ".", 65_536) == (texts[long], len(texts[cut]))


def test_a_relation_to_a_task_out_of_sight_is_one_edge(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    shown, hidden = account.create_project("Shown"), account.create_project("Hidden")
    here, there = account.create_task(shown, "Here"), account.create_task(hidden, "There")
    delayed = account.create_task(shown, "Delayed", delayed=True)
    account.add_relation("finish-to-start", here, there)
    account.add_relation("start-to-start", delayed, here)
    account.hide_project(hidden)
    mirror = a_mirror(account)
    mirror.pull()
    assert_mirror_equals(mirror)
    edges = mirror.rows("SELECT from_task_id AS a, to_task_id AS b, type FROM task_relations")
    assert {
        (here, there, "finish-to-start"),
        (delayed, here, "start-to-start"),
    } == {tuple(row.values()) for row in edges}


def test_a_tombstone_written_by_hand_is_healed_with_the_links_it_left(a_mirror):
    account = Account.seeded(tasks=60, seed=8)
    tagged = (t for t in account.tasks.values() if len(t.tag_ids) > 1)
    task, other = next(tagged), next(tagged)
    file = account.add_file(task.id, "Left.txt")
    edge = ("finish-to-start", task.id, other.id)
    account.add_relation(*edge)
    mirror = a_mirror(account)
    mirror.pull()
    by_hand = "removed_at = observed_at, removed_reason = 'deleted'"
    mirror.execute(f"UPDATE tasks SET {by_hand} WHERE id = {task.id}")
    account.untag_task(task.id, task.tag_ids[0])
    account.remove_file(file)
    account.remove_relation(*edge)
    report = mirror.pull()
    assert ("complete", 1) == (report.outcome, report.counts["restored"])
    assert_mirror_equals(mirror)


def test_the_accounts_nobody_and_anyone_are_members(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    project = account.create_project("Sentinels")
    for assignee in (1, 2):
        account.create_task(project, "Somebody do it", assignee_id=assignee)
    gone = account.create_member("Left", "Long Ago", "Left@Example.com")
    account.create_task(project, "Of one who left", by=gone, assignee_id=gone)
    account.deactivate_member(gone)
    mirror = a_mirror(account)
    mirror.pull()
    assert_mirror_equals(mirror)
    query = f"SELECT id, email, kind FROM members WHERE id IN (1, 2, {gone}) ORDER BY id"
    assert [
        (1, "NOONE", "nobody"),
        (2, "ANY", "anyone"),
        (gone, "left@example.com", "person"),
    ] == [tuple(row.values()) for row in mirror.rows(query)]


def test_decimals_are_exact(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    project = account.create_project("Money")
    amounts = [Decimal(text) for text in ("0.1", "0.3", "1.005", "4503599627.37", "7.7525", "0")]
    ids = [
        account.create_task(project, "Costly", max_time=amount, max_money=amount)
        for amount in amounts
    ]
    mirror = a_mirror(account)
    mirror.pull()
    assert_mirror_equals(mirror)
    found = {row["id"]: row for row in mirror.rows("SELECT id, max_time, max_money FROM tasks")}
    assert amounts == [Decimal(str(found[id]["max_time"])) for id in ids]


def test_an_hour_of_a_third_is_mirrored_to_the_digits_sent(a_mirror):
    account = Account.seeded(tasks=0, seed=1)
    task = account.create_task(account.create_project("P"), "T", max_time=Decimal("0.333333333"))
    mirror = a_mirror(account)
    mirror.pull()
    shown = mirror.value(f"SELECT max_time FROM tasks WHERE id = {task}")
    assert Decimal("0.333333333") == Decimal(str(shown))
