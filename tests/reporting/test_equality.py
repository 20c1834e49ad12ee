"""The same account gives the same answers on both databases, and every past instant is right."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from bench.reporting import seed as fill
from syncd.sandbox import Account, Sandbox
from syncd.store.engine import open_database
from syncd.store.report import VIEWS
from syncd.store.schema import metadata
from tests.reporting.compared import assert_told_is_compared
from tests.reporting.story import listen, plain, shown, stop_the_clock
from tests.support.mirror import START, Clock, Mirror, build, visible_tasks

DEEP = os.environ.get("SYNCD_HYPOTHESIS") == "deep"
TASKS, VERSIONS = (5_000, 25_000) if DEEP else (300, 1_500)
PULLS, EDITS = (25, 60) if DEEP else (7, 25)
INSTANTS = 50
KINDS = (
    *("create", "rename", "edit_field", "complete", "reopen", "delete", "move", "relate"),
    *("unrelate", "attach", "detach", "tag", "untag", "rename_project", "rename_member"),
)
"""What a pull settles at once: the removal of whole projects, say, may leave it partial."""
FIELDS = (
    *("project_id", "parent_id", "level", "status", "priority", "author_id"),
    *("assignee_id", "date_added", "date_start", "date_end", "date_closed"),
    *("max_time", "max_money"),
)


@dataclass(frozen=True)
class Lived:
    """Two databases with the same past, and what the account showed at each pull."""

    urls: tuple[str, str]
    seen: list[tuple[datetime, dict[int, Any]]]
    seed: int


@pytest.fixture(scope="module")
def lived(request, postgres, tmp_path_factory) -> Iterator[Lived]:
    """An account that people work in for weeks, pulled into SQLite; PostgreSQL gets a copy."""
    folder = tmp_path_factory.mktemp("lived")
    template = request.getfixturevalue("_sqlite_template")
    url = f"sqlite:///{shutil.copy(template, folder / 'syncd.db')}"
    name = postgres.create_database(template=request.getfixturevalue("_postgres_template"))
    seed, clock = int(os.environ["SYNCD_TEST_SEED"]), Clock()
    print(f"seed {seed}")
    rng = random.Random(seed)
    account = Account.seeded(tasks=120, seed=seed % 10_000, delayed=0, clock=lambda: clock.now)
    with Sandbox(account) as box:
        mirror = build(box, url, folder / "syncd.toml")
        mirror.app, mirror.clock = replace(mirror.app, clock=clock), clock
        seen = list(_live(mirror, rng))
        mirror.app.db.close()
    _copy(url, postgres.url_for(name))
    yield Lived((url, postgres.url_for(name)), seen, seed)
    postgres.drop_database(name)


def _live(mirror: Mirror, rng: random.Random) -> Iterator[tuple[datetime, dict[int, Any]]]:
    for _ in range(PULLS):
        for _ in range(EDITS):
            mirror.account.random_edit(rng, kinds=KINDS)
        mirror.clock.move(timedelta(hours=rng.uniform(2, 60)))
        listen(mirror)
        report = mirror.pull(later=timedelta(), allow_removals=True)
        assert "complete" == report.outcome
        yield report.observed_at, _shown_by(mirror)


def _shown_by(mirror: Mirror) -> dict[int, Any]:
    listed = visible_tasks(mirror.account.snapshot(), mirror.view)
    return {
        id: (
            *(plain(task[name]) for name in FIELDS),
            mirror.view.shown(task["name"]),
            ",".join(map(str, sorted(task["tags"]))) or None,
        )
        for id, task in listed.items()
    }


def _copy(source: str, target: str) -> None:
    here, there = open_database(source), open_database(target)
    with here.read() as rows, there.write() as tx:
        for table in metadata.sorted_tables:
            found = [dict(row._mapping) for row in rows.execute(select(table))]
            if found and table.name != "outbox":
                tx.execute(insert(table), found)
    here.close()
    there.close()


def assert_equal_answers(urls: tuple[str, str], now: datetime) -> None:
    for url in urls:
        stop_the_clock(url, now)
    for one in VIEWS:
        first, second = (sorted(shown(url, f"SELECT * FROM {one.name}"), key=repr) for url in urls)
        assert first == second, one.name


def test_both_databases_give_the_same_answers_about_a_life_that_was_pulled(lived):
    assert_equal_answers(lived.urls, lived.seen[-1][0] + timedelta(days=3))


def test_what_a_pull_says_has_changed_is_what_a_comparison_finds(lived):
    assert all(assert_told_is_compared(url) > PULLS for url in lived.urls)


def test_both_databases_give_the_same_answers_about_a_year(ready_sqlite_url, ready_postgres_url):
    """Written straight into both, since a year of pulls would take an hour."""
    urls = (ready_sqlite_url, ready_postgres_url)
    for url in urls:
        db = open_database(url)
        fill(db, TASKS, VERSIONS)
        db.close()
    assert_equal_answers(urls, datetime.now(START.tzinfo).replace(microsecond=0))
    assert all(assert_told_is_compared(url) > VERSIONS // 2 for url in urls)
    empty = [one.name for one in VIEWS if not shown(urls[0], f"SELECT 1 FROM {one.name}")]
    assert not empty, "an empty view proves nothing"


def test_a_past_instant_is_what_the_account_showed_at_the_pull_before(lived):
    rng = random.Random(lived.seed)
    first, last = lived.seen[0][0], lived.seen[-1][0]
    columns = ", ".join(FIELDS)
    for number in range(INSTANTS):
        at = first + (last - first + timedelta(days=1)) * rng.random()
        _, expected = max((one for one in lived.seen if one[0] <= at), key=lambda one: one[0])
        url = lived.urls[number % 2]
        text = f"'{at:%Y-%m-%d %H:%M:%S.%f}{'' if number % 2 == 0 else '+00'}'"
        found = shown(
            url,
            f"SELECT task_id, {columns}, name, tag_ids FROM task_versions"
            f" WHERE valid_from <= {text} AND (valid_to > {text} OR valid_to IS NULL)"
            " AND removed_at IS NULL",
        )
        assert expected == {row[0]: row[1:] for row in found}, f"{at} on {url}, seed {lived.seed}"
