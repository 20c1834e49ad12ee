"""Every view against answers worked out by hand from the story, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from syncd.model.activity import Activity
from syncd.store.activity import keep
from syncd.store.report import VIEWS
from tests.reporting.story import (
    ANN,
    BEN,
    DOING,
    IDS,
    NOONE,
    NOW,
    REVIEW,
    SHOP,
    SITE,
    plain,
    shown,
)
from tests.support.mirror import Mirror, connected, fetched

A, B, NOBODY = "Ann Example", "Ben Example", "Executive isn't assigned"
LAUNCH, DESIGN, LOGO, TEXTS, SERVER, DEPLOY, TEST, OLD, CART, PAY, SHIP, GONE, IDEA, EARLY = (
    IDS.values()
)
REOPENED = "2026-03-05"
MON_9, MON_16 = "2026-03-09", "2026-03-16"
SITE_ROW = (SITE, "Site")
SHOP_ROW = (SHOP, "Shop")

ANSWERS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "report_today": (
        "SELECT today, local_now, time_zone FROM report_today",
        [("2026-03-10", "2026-03-10 12:00:00", "Europe/Kyiv")],
    ),
    # Gone is removed. Design was reopened: open, due on the 6th, four days ago. Server is 18 late.
    "report_tasks": (
        "SELECT name, path, parent_name, root_name, is_open, is_overdue, days_late, assignee_email,"
        " tags, subtasks, open_subtasks, files, open_blockers FROM report_tasks ORDER BY id",
        [
            ("Launch", "Launch", None, "Launch", 1, 0, 0, "ann@example.com", "doing", 3, 1, 0, 0),
            (
                *("Design", "Launch / Design", "Launch", "Launch", 1, 1, 4),
                *("ben@example.com", None, 1, 0, 0, 0),
            ),
            (
                *("Logo", "Launch / Design / Logo", "Design", "Launch", 0, 0, 0),
                *("ben@example.com", None, 0, 0, 0, 0),
            ),
            (
                *("Texts", "Launch / Texts", "Launch", "Launch", 0, 0, None),
                *("ben@example.com", None, 0, 0, 0, 0),
            ),
            ("Server", "Server", None, "Server", 1, 1, 18, "NOONE", None, 0, 0, 0, 0),
            ("Deploy", "Deploy", None, "Deploy", 1, 0, 0, "ann@example.com", None, 0, 0, 0, 1),
            ("Test it", "Test it", None, "Test it", 1, 0, 0, "ben@example.com", None, 0, 0, 0, 0),
            ("Old", "Old", None, "Old", 0, 0, 2, "ann@example.com", None, 0, 0, 0, 0),
            ("Cart", "Cart", None, "Cart", 1, 0, None, "ann@example.com", "review", 0, 0, 1, 0),
            ("Pay", "Pay", None, "Pay", 1, 0, 0, "ann@example.com", None, 0, 0, 0, 2),
            ("Ship", "Ship", None, "Ship", 1, 0, None, "NOONE", None, 0, 0, 0, 1),
            ("Idea", "Idea", None, "Idea", 1, 0, None, "NOONE", None, 0, 0, 0, 0),
            ("Early", "Early", None, "Early", 1, 0, None, "NOONE", None, 0, 0, 0, 0),
        ],
    ),
    "report_open": (
        "SELECT id FROM report_open ORDER BY id",
        [(id,) for id in (LAUNCH, DESIGN, SERVER, DEPLOY, TEST, CART, PAY, SHIP, IDEA, EARLY)],
    ),
    "report_overdue": (
        "SELECT id, days_late, date_end FROM report_overdue ORDER BY id",
        [(DESIGN, 4, "2026-03-06"), (SERVER, 18, "2026-02-20")],
    ),
    # The present week is that of the 9th. Overdue ones count in it: Server, and Design of Ben.
    "report_workload": (
        "SELECT member_id, member_kind, week_start, tasks, overdue_tasks, tasks_without_estimate,"
        " estimate_hours FROM report_workload ORDER BY member_id, week_start IS NULL, week_start",
        [
            (NOONE, "nobody", MON_9, 1, 1, 1, 0),
            (NOONE, "nobody", None, 3, 0, 3, 0),
            (ANN, "person", MON_9, 2, 0, 1, Decimal("0.2")),
            (ANN, "person", MON_16, 1, 0, 0, 10),
            (ANN, "person", None, 1, 0, 0, 3),
            (BEN, "person", MON_9, 1, 1, 0, 4),
            (BEN, "person", MON_16, 1, 0, 1, 0),
        ],
    ),
    # Site: 3 of 8 done; 10 + 4 + 2.5 + 0.1 hours, of which 10 + 4 are open.
    "report_projects": (
        "SELECT project_id, tasks, open, done, progress, late, estimate_hours, open_estimate_hours,"
        " first_start, last_due, last_closed, manager_name FROM report_projects ORDER BY 1",
        [
            (
                *(SITE, 8, 5, 3, Decimal("37.5"), 2, Decimal("16.6"), 14),
                *("2026-03-05", "2026-03-20", "2026-03-06 11:00:00", A),
            ),
            (SHOP, 5, 5, 0, 0, 0, Decimal("3.2"), Decimal("3.2"), None, "2026-03-11", None, None),
        ],
    ),
    "report_daily": (
        "SELECT day, project_id, added, closed, reopened, removed, restored, open, done, total"
        " FROM report_daily WHERE added + closed + reopened + removed + restored > 0"
        " OR day = '2026-03-10' ORDER BY project_id, day",
        [
            ("2026-02-02", SITE, 2, 0, 0, 0, 0, 2, 0, 2),  # Launch, Old
            ("2026-02-03", SITE, 1, 0, 0, 0, 0, 3, 0, 3),  # Design
            ("2026-02-04", SITE, 1, 0, 0, 0, 0, 4, 0, 4),  # Logo
            ("2026-02-09", SITE, 2, 0, 0, 0, 0, 6, 0, 6),  # Server, Deploy
            ("2026-02-10", SITE, 1, 0, 0, 0, 0, 7, 0, 7),  # Texts
            ("2026-02-12", SITE, 0, 1, 0, 0, 0, 6, 1, 7),  # Old is closed
            ("2026-02-16", SITE, 1, 0, 0, 0, 0, 7, 1, 8),  # Test
            ("2026-03-03", SITE, 0, 1, 0, 0, 0, 6, 2, 8),  # Logo is closed
            ("2026-03-04", SITE, 0, 1, 0, 0, 0, 5, 3, 8),  # Design is closed
            ("2026-03-05", SITE, 0, 0, 1, 0, 0, 6, 2, 8),  # and reopened
            ("2026-03-06", SITE, 0, 1, 0, 0, 0, 5, 3, 8),  # Texts are closed
            ("2026-03-10", SITE, 0, 0, 0, 0, 0, 5, 3, 8),
            ("2026-02-23", SHOP, 2, 0, 0, 0, 0, 2, 0, 2),  # Cart, Pay
            ("2026-02-24", SHOP, 1, 0, 0, 0, 0, 3, 0, 3),  # Ship
            ("2026-02-25", SHOP, 1, 0, 0, 0, 0, 4, 0, 4),  # Gone
            ("2026-03-01", SHOP, 1, 0, 0, 0, 0, 5, 0, 5),  # Early: half past eleven at night
            ("2026-03-04", SHOP, 1, 0, 0, 0, 0, 6, 0, 6),  # Idea
            ("2026-03-06", SHOP, 0, 0, 0, 1, 0, 5, 0, 5),  # Gone is removed
            ("2026-03-10", SHOP, 0, 0, 0, 0, 0, 5, 0, 5),
        ],
    ),
    "report_throughput": (
        "SELECT * FROM report_throughput ORDER BY week_start",
        [
            ("2026-02-02", 4, 0, 0, 0, 0, 4, 4),
            ("2026-02-09", 3, 1, 0, 0, 0, 2, 6),
            ("2026-02-16", 1, 0, 0, 0, 0, 1, 7),
            ("2026-02-23", 5, 0, 0, 0, 0, 5, 12),  # Early was added on that Sunday
            ("2026-03-02", 1, 3, 1, 1, 0, -2, 10),
            ("2026-03-09", 0, 0, 0, 0, 0, 0, 10),
        ],
    ),
    # Texts went from ANY to Ben, seen on the 5th at 10:00, closed on the 6th at 09:00.
    "report_cycle_time": (
        "SELECT task_id, week_closed, lead_hours, lead_days, days_late, assigned_at, assigned_hours"
        " FROM report_cycle_time ORDER BY task_id",
        [
            (LOGO, "2026-03-02", 27 * 24 + 1, 27, 0, None, None),
            (TEXTS, "2026-03-02", 24 * 24 + 1, 24, None, "2026-03-05 10:00:00", 23),
            (OLD, "2026-02-09", 10 * 24 + 4, 10, 2, None, None),
        ],
    ),
    "report_tag_time": (
        "SELECT task_id, tag_id, tag, tag_type, hours, first_seen_at, last_seen_at, is_present"
        " FROM report_tag_time ORDER BY 1, 2",
        [
            (LAUNCH, DOING, "doing", "status", 193, "2026-03-02 09:00:00", None, 1),
            (
                *(CART, DOING, "doing", "status", 25),
                *("2026-03-02 09:00:00", "2026-03-03 10:00:00", 0),
            ),
            (CART, REVIEW, "review", "status", 7 * 24, "2026-03-03 10:00:00", None, 1),
        ],
    ),
    # The second change was not told by the feed.
    "report_due_slips": (
        "SELECT task_id, project_name, seen_at, from_date, to_date, days, author, author_id"
        " FROM report_due_slips ORDER BY seen_at",
        [
            (CART, "Shop", "2026-03-03 10:00:00", MON_9, "2026-03-13", 4, B, BEN),
            (CART, "Shop", "2026-03-06 10:00:00", "2026-03-13", None, None, None, None),
        ],
    ),
    # Test began on the 5th and holds Deploy no longer. Pay and Ship wait for each other; Pay also
    # waits for Cart, which has no due date, so its circle decides.
    "report_blocked": (
        "SELECT task_id, kind, blocker_id, depth, chain, chain_ids, chain_end, decided_by_id,"
        " days_over, decides, in_circle FROM report_blocked ORDER BY task_id, blocker_id",
        [
            (
                *(LAUNCH, "subtask", DESIGN, 1, "Design", str(DESIGN)),
                *("2026-03-06", DESIGN, -14, 1, 0),
            ),
            (
                *(DEPLOY, "finish-to-start", SERVER, 1, "Server", str(SERVER)),
                *("2026-02-20", SERVER, -20, 1, 0),
            ),
            (PAY, "finish-to-start", CART, 1, "Cart", str(CART), None, None, None, 0, 0),
            (
                *(PAY, "finish-to-start", SHIP, 2, "Pay > Ship", f"{PAY},{SHIP}"),
                *("2026-03-11", PAY, 0, 1, 1),
            ),
            (
                *(SHIP, "finish-to-start", PAY, 2, "Ship > Pay", f"{SHIP},{PAY}"),
                *("2026-03-11", PAY, None, 1, 1),
            ),
        ],
    ),
    "report_freshness": (
        "SELECT source, state, is_green, as_of, age_s, missing FROM report_freshness ORDER BY 1",
        [
            ("fast lane", "complete", 1, "2026-03-06 11:00:00", 342_000, None),
            ("members", "complete", 1, "2026-03-06 10:00:00", 345_600, None),
            ("projects", "complete", 1, "2026-03-06 10:00:00", 345_600, None),
            ("tags", "complete", 1, "2026-03-06 10:00:00", 345_600, None),
            ("tasks", "complete", 1, "2026-03-06 11:00:00", 342_000, None),
        ],
    ),
    "task_versions": (
        "SELECT task_id, status, tags, removed_reason, valid_to IS NULL AS present"
        f" FROM task_versions WHERE task_id IN ({DESIGN}, {CART}, {GONE})"
        " ORDER BY task_id, valid_from",
        [
            (DESIGN, "active", None, None, 0),
            (DESIGN, "done", None, None, 0),
            (DESIGN, "active", None, None, 1),
            (CART, "active", "doing", None, 0),
            (CART, "active", "review", None, 0),
            (CART, "active", "review", None, 1),
            (GONE, "active", None, None, 0),
            (GONE, "active", None, "deleted", 1),
        ],
    ),
    "task_changes": (
        "SELECT at, task_id, field, old, new, author FROM task_changes ORDER BY at, task_id, field",
        [
            ("2026-03-03 10:00:00", LOGO, "date_closed", None, "2026-03-03 11:00:00", None),
            ("2026-03-03 10:00:00", LOGO, "status", "active", "done", B),
            ("2026-03-03 10:00:00", CART, "date_end", "2026-03-09", "2026-03-13", B),
            ("2026-03-03 10:00:00", CART, "tags", "doing", "review", A),
            ("2026-03-04 10:00:00", DESIGN, "date_closed", None, "2026-03-04 11:00:00", None),
            ("2026-03-04 10:00:00", DESIGN, "status", "active", "done", B),
            ("2026-03-05 10:00:00", DESIGN, "date_closed", "2026-03-04 11:00:00", None, None),
            ("2026-03-05 10:00:00", DESIGN, "status", "done", "active", A),
            ("2026-03-05 10:00:00", TEXTS, "assignee_email", "ANY", "ben@example.com", A),
            ("2026-03-05 10:00:00", TEST, "name", "Test", "Test it", A),
            ("2026-03-06 10:00:00", TEXTS, "date_closed", None, "2026-03-06 11:00:00", None),
            ("2026-03-06 10:00:00", TEXTS, "status", "active", "done", B),
            ("2026-03-06 10:00:00", CART, "date_end", "2026-03-13", None, None),
            ("2026-03-06 10:00:00", GONE, "removed_reason", None, "deleted", A),
        ],
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_view_gives_the_answer_that_was_worked_out_by_hand(world, name):
    query, expected = ANSWERS[name]
    assert expected == shown(world.database_url, query)


def test_no_view_was_forgotten():
    from syncd.store.report import VIEWS

    assert {one.name for one in VIEWS} == set(ANSWERS)


def test_what_came_to_be_over_time_is_what_is_there_now(world):
    counted = (
        "SELECT project_id, sum(CASE status WHEN 'active' THEN 1 ELSE 0 END) AS open,"
        " sum(CASE status WHEN 'done' THEN 1 ELSE 0 END) AS done FROM tasks"
        " WHERE removed_at IS NULL GROUP BY project_id ORDER BY project_id"
    )
    today = "SELECT project_id, open, done FROM report_daily WHERE day = '2026-03-10' ORDER BY 1"
    assert shown(world.database_url, counted) == shown(world.database_url, today)


# --- what no account shows, or no quiet one


def after(mirror: Mirror, statements: list[str], query: str) -> list[tuple[Any, ...]]:
    """What a query gives after statements that are taken back."""
    with connected(mirror.database_url) as own:
        try:
            for statement in statements:
                own.execute(statement)
            return [tuple(map(plain, row.values())) for row in fetched(own, query)]
        finally:
            own.rollback()


def test_a_task_of_which_nobody_is_said_to_be_responsible_has_a_row_of_its_own(world):
    found = after(
        world,
        [f"UPDATE tasks SET assignee_id = NULL WHERE id = {PAY}"],
        "SELECT member_id, member_kind, week_start, tasks FROM report_workload"
        " WHERE member_id IS NULL",
    )
    assert [(None, None, MON_9, 1)] == found


def test_what_is_due_today_is_not_late(world):
    found = after(
        world,
        [f"UPDATE tasks SET date_end = '2026-03-10' WHERE id = {SHIP}"],
        "SELECT t.is_overdue, t.days_late, p.late, w.overdue_tasks FROM report_tasks t"
        " JOIN report_projects p ON p.project_id = t.project_id"
        " JOIN report_workload w ON w.member_id = t.assignee_id AND w.week_start = '2026-03-09'"
        f" WHERE t.id = {SHIP}",
    )
    assert [(0, 0, 0, 1)] == found  # the one that is late in that week is Server


@pytest.mark.parametrize(
    ("at", "named"),
    [("03-02 12:00", None), ("03-06 08:00", B), ("03-06 10:01", None), ("03-07 12:00", None)],
)
def test_nobody_is_named_for_what_was_told_of_another_time(world, at, named):
    """The due date of Cart was cleared on the 6th, between two pulls, and the feed did not tell."""
    instant = datetime.strptime(f"2026-{at}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    event = Activity(
        **{"fingerprint": "x", "action": "update", "entity": "task", "entity_id": CART},
        **{"task_id": CART, "project_id": SHOP, "member_id": BEN, "member_name": B},
        **{"date_added": instant.replace(tzinfo=None), "new": {"date_end": ""}, "old": None},
    )
    query = (
        f"SELECT author, author_id FROM task_changes WHERE task_id = {CART} AND new IS NULL UNION"
        f" ALL SELECT author, author_id FROM report_due_slips WHERE task_id = {CART}"
        " AND to_date IS NULL"
    )
    with world.app.db.write() as tx:
        keep(tx, [event], instant=lambda _: instant, seen_at=NOW)
        found = [tuple(row) for row in tx.exec_driver_sql(query)]
        tx.rollback()
    assert [(named, BEN if named else None)] * 2 == found


def test_a_restored_task_counts_again_and_a_removed_done_one_is_done_no_more(world):
    columns = "task_id, project_id, level, name, page, url, status, priority, valid_from, tags"
    gone = (
        f"INSERT INTO task_history ({columns}, relations, valid_to, run_id, removed_at)"
        f" SELECT id, project_id, level, name, page, url, status, priority, valid_from, '[]', '[]',"
        " '2026-03-08 09:00:00.000000+00', 9, removed_at FROM tasks"
        f" WHERE id = {GONE}"
    )
    back = (
        "UPDATE tasks SET valid_from = '2026-03-08 09:00:00.000000+00', removed_at = NULL,"
        f" removed_reason = NULL WHERE id = {GONE}"
    )
    lost = (
        "UPDATE tasks SET removed_at = '2026-03-09 09:00:00.000000+00', removed_reason = 'deleted'"
        f" WHERE id = {OLD}"
    )
    if world.app.db.is_sqlite:
        gone, back, lost = (one.replace("+00'", "'") for one in (gone, back, lost))
    found = after(
        world,
        [gone, back, lost],
        "SELECT day, project_id, removed, restored, open, done FROM report_daily"
        " WHERE removed + restored > 0 ORDER BY day",
    )
    assert [
        ("2026-03-06", SHOP, 1, 0, 5, 0),
        ("2026-03-08", SHOP, 0, 1, 6, 0),
        ("2026-03-09", SITE, 1, 0, 5, 2),
    ] == found


def test_a_done_task_that_was_gone_for_a_day_is_not_closed_twice(world):
    first, away, back = (
        f"'2026-03-0{day} 09:00:00.000000" + ("'" if world.app.db.is_sqlite else "+00'")
        for day in (2, 8, 9)
    )
    columns = "project_id, level, name, page, url, status, priority, date_closed"
    past = (
        f"INSERT INTO task_history (task_id, {columns}, tags, relations, run_id, valid_from,"
        f" valid_to, removed_at) SELECT id, {columns}, '[]', '[]', 9"
    )
    found = after(
        world,
        [
            f"{past}, {first}, {away}, NULL FROM tasks WHERE id = {OLD}",
            f"{past}, {away}, {back}, {away} FROM tasks WHERE id = {OLD}",
            f"UPDATE tasks SET valid_from = {back} WHERE id = {OLD}",
        ],
        "SELECT day, closed, removed, restored, open, done FROM report_daily WHERE project_id ="
        f" {SITE} AND closed + removed + restored > 0 ORDER BY day",
    )
    assert [
        ("2026-02-12", 1, 0, 0, 6, 1),
        ("2026-03-03", 1, 0, 0, 6, 2),
        ("2026-03-04", 1, 0, 0, 5, 3),
        ("2026-03-06", 1, 0, 0, 5, 3),
        ("2026-03-08", 0, 1, 0, 5, 2),
        ("2026-03-09", 0, 0, 1, 5, 3),
    ] == found


@pytest.mark.parametrize("one", VIEWS, ids=lambda one: one.name)
def test_no_number_ends_in_idle_zeros(world, one):
    """37.5000000000000000 is what a division of PostgreSQL gives."""
    answered = [value for row in world.rows(f"SELECT * FROM {one.name}") for value in row.values()]
    numbers = [str(each) for each in answered if isinstance(each, Decimal)]
    assert [] == [each for each in numbers if "." in each and each.endswith("0")]


def test_a_day_on_which_nothing_happened_stands_as_the_one_before(world):
    """Every day once for each project, from its first one until today."""
    query = "SELECT day, open, done, added + closed AS moved FROM report_daily WHERE project_id ="
    found = shown(world.database_url, f"{query} {SITE} ORDER BY day")
    days = [date(2026, 2, 2) + timedelta(n) for n in range(37)]
    assert [f"{day}" for day in days] == [row[0] for row in found]
    quiet = [(before, row) for before, row in pairwise(found) if row[3] == 0 and row[0] != REOPENED]
    assert quiet
    assert all(before[1:3] == row[1:3] for before, row in quiet)


def test_freshness_is_green_only_when_it_is_true(world):
    run = (
        "INSERT INTO sync_runs (id, kind, scope, started_at, finished_at, observed_at, outcome,"
        " counts, detail, error) VALUES (99, 'pull', 'account', '2026-03-09 10:00:00.000000+00',"
        " '2026-03-09 10:00:01.000000+00', {0}, '{1}', '{{}}', '{2}', {3})"
    )
    if world.app.db.is_sqlite:
        run = run.replace("+00'", "'")
    query = (
        "SELECT source, state, is_green, as_of, missing FROM report_freshness"
        " WHERE source IN ('tasks', 'tags') ORDER BY source"
    )
    failed = run.format("NULL", "failed", '{"class": "Unreachable"}', "'no network'")
    assert [
        ("tags", "partial", 0, "2026-03-06 10:00:00", "the last pull was failed"),
        ("tasks", "failed", 0, "2026-03-06 11:00:00", "no network"),
    ] == after(world, [failed], query)
    at = "'2026-03-09 10:00:00.000000" + ("'" if world.app.db.is_sqlite else "+00'")
    partial = run.format(at, "partial", '{"notes": ["one", "two"]}', "NULL")
    assert ("tasks", "partial", 0, "2026-03-09 10:00:00", "one; two") == after(
        world, [partial], query
    )[1]


def test_a_longer_circle_ends_and_a_chain_into_it_is_found(world):
    edges = [(LAUNCH, SERVER), (SERVER, TEST), (TEST, LAUNCH), (LAUNCH, IDEA)]
    found = after(
        world,
        [
            "INSERT INTO task_relations (from_task_id, to_task_id, type, reported_by_from,"
            f" reported_by_to) VALUES ({first}, {then}, 'finish-to-start', 1, 1)"
            for first, then in edges
        ],
        f"SELECT blocker_id, chain_end, in_circle FROM report_blocked WHERE task_id IN ({IDEA},"
        f" {SERVER}, {TEST}) ORDER BY task_id",
    )
    assert [
        (LAUNCH, "2026-03-20", 1),
        (SERVER, "2026-03-20", 1),
        (LAUNCH, "2026-03-20", 0),
    ] == found
