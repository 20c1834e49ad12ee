"""The bench: a run that is small, and the page that is written from results."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from bench import again, budgets, floor, mirrors, peer, pulls, pushes, starts
from bench.__main__ import main, repeatable
from bench.account import equal_sizes, serving
from bench.databases import SQLITE
from bench.figures import Results, load
from bench.ratios import ratio
from bench.report import performance
from bench.rounds import Plan, layouts, measure, turns
from bench.timing import CPU, MB, REQUESTS, WALL
from syncd.resources.tasks.table import tasks
from syncd.services.progress import Silent
from syncd.services.pull import pull

ABOUT = {
    "date": "2026-01-05 10:00 UTC",
    "command": "python -m bench",
    "runs": 3,
    "machine": "a machine",
    "cores": 2,
    "versions": "versions",
    "databases": ["SQLite 3"],
    "load": [0.1, 1.0],
}


@pytest.fixture
def results() -> Results:
    """10,000 tasks on SQLite: a first mirror of 1.8 times its floor, an unchanged pull of 3."""
    found = Results(about=dict(ABOUT))
    seconds = {
        pulls.FIRST: (0.3, 0.36, 0.5),
        floor.WRITE: (0.2,),
        peer.FIRST: (2.0,),
        pulls.UNCHANGED: (0.09,),
        floor.HASH: (0.03,),
        peer.AGAIN: (4.4,),
        starts.HELP: (0.15, 0.3),
    }
    for what, values in seconds.items():
        found.add(10_000, "SQLite", [(what, WALL, value) for value in values])
    found.add(10_000, "SQLite", [(pulls.MEMORY, MB, 130.0), (pulls.LARGEST, MB, 5.0)])
    return found


def said(results: Results, start: str) -> str:
    """The sentence of the one budget that begins so."""
    (sentence,) = [
        one.sentence for one in budgets.budgets(results) if one.sentence.startswith(start)
    ]
    return sentence


def test_a_budget_says_whether_it_is_met_and_by_how_much(results: Results) -> None:
    near = said(results, "first mirror of 10,000 tasks, SQLite, against floor")
    assert near.endswith(
        "at most 2 times the floor. Met: 1.8 times the floor, 10% below the limit."
    )
    ahead = said(results, "first mirror of 10,000 tasks, SQLite, against dlt")
    assert "at least 5 times faster. Met: 5.56 times faster" in ahead
    missed = said(results, "unchanged pull of 10,000 tasks, SQLite, against floor")
    assert "**Not met**: 3 times the floor, 50% above the limit" in missed


def test_a_warm_first_mirror_is_held_against_the_floor_and_a_new_one_against_a_peer(
    results: Results,
) -> None:
    for unit, ours, under in ((WALL, 0.3, 0.2), (CPU, 0.24, 0.2)):
        results.add(10_000, "SQLite", [(pulls.WARM, unit, ours)] * 3)
        results.add(10_000, "SQLite", [(floor.WRITE, unit, under)] * 2)
    near = said(results, "warm first mirror of 10,000 tasks, SQLite, against floor")
    assert "Met: 1.5 times the floor" in near
    assert near.endswith("(of CPU, 1.2 times; into a new database 1.8 times).")
    assert "5.56 times faster" in said(results, "first mirror of 10,000 tasks, SQLite, against dlt")
    page = performance(results)
    assert "| warm first mirror | 0.300 | 0.240 | 0.200 | 1.5 (1.5..1.5) | - | - |" in page


def test_a_budget_that_was_not_measured_is_not_called_met(results: Results) -> None:
    assert "Not measured" in said(results, "1 % changed of 10,000 tasks, SQLite, against floor")
    assert "Not measured" in said(results, "cost per task")


def test_the_cost_per_task_is_compared_with_that_of_the_dearest_size(results: Results) -> None:
    results.add(1_000_000, "SQLite", [(pulls.FIRST, WALL, 36.0)])
    assert "Met: 1 times" in said(results, "cost per task")
    results.add(100_000, "SQLite", [(pulls.FIRST, WALL, 7.2)])
    dear = said(results, "cost per task")
    assert "**Not met**: 2 times" in dear
    assert dear.endswith("(2 at 100,000; 1 at 1,000,000).")


def test_the_cost_per_task_is_compared_with_small_mirrors_of_the_same_minutes(
    results: Results,
) -> None:
    results.add(100_000, "SQLite", [(pulls.FIRST, WALL, 7.2), (pulls.BESIDE, WALL, 0.7)])
    slow = said(results, "cost per task")
    assert "Met: 1.03 times" in slow
    assert slow.endswith("(1.03 at 100,000).")
    alone = results.only({100_000})
    assert "Met: 1.03 times" in said(alone, "cost per task")


def test_the_cost_per_task_is_taken_in_each_round(results: Results) -> None:
    for big, small in ((7.0, 0.7), (14.0, 1.4), (15.0, 1.0)):
        beside = [(pulls.BESIDE, WALL, seconds) for seconds in (small, small / 2, small)]
        results.add(100_000, "SQLite", [(pulls.FIRST, WALL, big), *beside])
    slow = said(results, "cost per task")
    assert "Met: 1 times" in slow  # of the medians of all rounds it would be 2
    assert slow.endswith("(1 at 100,000, by round 1 to 1.5).")


def test_what_small_projects_cost_is_told_beside_the_cost_per_task(results: Results) -> None:
    for big, small in ((7.0, 8.4), (7.0, 9.1), (7.0, 7.7)):
        beside = [(pulls.BESIDE, WALL, 0.7), (pulls.SCATTERED, WALL, small)]
        results.add(100_000, "SQLite", [(pulls.FIRST, WALL, big), *beside])
    flat = said(results, "cost per task")
    assert "Met: 1 times" in flat
    assert flat.endswith("; of projects a tenth as large 1.2 at 100,000, by round 1.1 to 1.3).")
    assert "| first mirror of as many tasks in small projects | 8.400 (7.700..9.100) s |" in (
        performance(results)
    )


def test_the_page_is_written_from_a_file_of_results(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "bench.json")
    assert list(load(tmp_path / "bench.json")) == list(results)
    main(["--report", f"{tmp_path / 'bench.json'}", "--page", f"{tmp_path / 'page.md'}"])
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "| first mirror | 0.360 (0.300..0.500) | - | 0.200 | 1.8 | 2.000 | 5.6 |" in page
    assert "4 of 6 that were measured are met." in page
    assert "under load" not in page


def test_a_machine_that_was_busy_is_named_as_that(results: Results) -> None:
    results.about["load"] = [0.3, 4.2]
    results.note("A peer is missing: dlt is not installed.")
    page = performance(results)
    assert "under load" in page
    assert "A peer is missing: dlt is not installed." in page


def test_a_run_that_was_broken_off_says_so(results: Results) -> None:
    assert "broken off" not in performance(results)
    del results.about["load"]
    assert "broken off" in performance(results)


def test_the_command_is_kept_without_the_places_it_wrote_to() -> None:
    words = ["--tasks", "200", "--page", "/home/me/page.md", "--out=/home/me/x", "--runs", "1"]
    words += ["--again", "/home/me/first.json"]
    assert repeatable(words) == "python -m bench --tasks 200 --runs 1"


# --- measured again


def rounds(*seconds: tuple[float, float, float]) -> Results:
    """Rounds on SQLite, each of a first mirror and two values of its floor."""
    found = Results(about=dict(ABOUT))
    for ours, *floors in seconds:
        values = [(pulls.FIRST, WALL, ours), *((floor.WRITE, WALL, one) for one in floors)]
        found.add(10_000, "SQLite", values)
    return found


@pytest.fixture
def first() -> Results:
    """Ratios of 3, 2 and 2.5, by round; and a start that was tried three times."""
    found = rounds((0.3, 0.1, 0.1), (0.4, 0.1, 0.3), (0.5, 0.2, 0.2))
    found.add(10_000, "SQLite", [(starts.HELP, WALL, value) for value in (0.08, 0.1, 0.16)])
    return found


def verdicts(first: Results, second: Results) -> dict[str, str]:
    """What is said of each figure, by its name without the size."""
    return {
        one.first.what.replace(", 10,000 tasks, SQLite", ""): one.verdict
        for one in again.compared(first, second)
    }


def test_the_spread_of_a_ratio_is_that_of_the_rounds(first: Results) -> None:
    found = ratio(first, 10_000, "SQLite", pulls.FIRST, floor.WRITE)
    assert found
    assert (3.0, 2.0, 2.5) == pytest.approx(found.values)
    assert 2.5 == pytest.approx(found.median)
    assert "| 2.5 (2..3) |" in performance(first)


def test_a_ratio_that_was_not_measured_in_every_round_has_no_spread(first: Results) -> None:
    first.add(10_000, "SQLite", [(peer.FIRST, WALL, value) for value in (2.0, 4.0)])
    found = ratio(first, 10_000, "SQLite", peer.FIRST, pulls.FIRST)
    assert found
    assert (7.5, ()) == (pytest.approx(found.median), found.values)
    for what in (pulls.UNCHANGED, floor.HASH):
        first.add(10_000, "SQLite", [(what, WALL, value) for value in (0.1, 0.1, 0.1, 0.1)])
    found = ratio(first, 10_000, "SQLite", pulls.UNCHANGED, floor.HASH)
    assert found
    assert () == found.values


def test_a_figure_outside_its_stated_spread_is_named_with_by_how_much(first: Results) -> None:
    second = rounds((0.2, 0.1, 0.1), (0.24, 0.12, 0.12), (0.25, 0.15, 0.15))
    second.add(10_000, "SQLite", [(starts.HELP, WALL, value) for value in (0.1, 0.2, 0.2)])
    assert {
        f"{pulls.FIRST} / {floor.WRITE}": "yes",
        pulls.FIRST: "**no**, 20.00% below the lowest",
        floor.WRITE: "yes",
        starts.HELP: "**no**, 25.00% above the highest",
    } == verdicts(first, second)
    page = performance(second, other=first)
    assert "spread when run again: **Not met**: 2 of 4 do." in page
    assert "| first mirror, 10,000 tasks, SQLite | wall s | 0.4 (0.3..0.5) | 0.24 | **no**" in page
    assert "2 of 3 that were measured are met." in page


def test_a_figure_without_a_spread_or_not_measured_again_does_not_count_as_within() -> None:
    first, second = rounds((0.3, 0.1, 0.1)), rounds((0.3, 0.1, 0.1))
    first.add(10_000, "SQLite", [(starts.HELP, WALL, value) for value in (0.1, 0.1)])
    found = again.compared(first, second)
    assert {
        f"{pulls.FIRST} / {floor.WRITE}": "no spread was stated",
        pulls.FIRST: "no spread was stated",
        floor.WRITE: "yes",
        starts.HELP: "not measured again",
    } == verdicts(first, second)
    told = "**Not met**: 1 of 1 do; 2 more stated no spread; 1 were not measured again."
    assert again.sentence(found).endswith(told)


def test_figures_that_reproduce_are_called_met(first: Results) -> None:
    second = deepcopy(first)
    assert again.sentence(again.compared(first, second)).endswith(": Met: 4 of 4 do.")
    assert "one run cannot tell" in performance(first)


def test_the_page_of_a_second_run_names_both(first: Results, tmp_path: Path) -> None:
    second = deepcopy(first)
    second.add(10_000, "SQLite", [(starts.HELP, WALL, 0.1)])
    second.about |= {"date": "2026-01-06 10:00 UTC", "commit": "commit 0123456789ab"}
    first.save(tmp_path / "first.json")
    second.save(tmp_path / "second.json")
    files = [f"{tmp_path / name}" for name in ("second.json", "first.json", "page.md")]
    main(["--report", files[0], "--again", files[1], "--page", files[2]])
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "- first: 2026-01-05 10:00 UTC, commit not known, " in page
    assert "- again, the run of this page: 2026-01-06 10:00 UTC, commit 0123456789ab, " in page
    assert "4 of 4 do." in page


def test_the_page_of_a_first_run_says_what_a_later_one_found(first: Results) -> None:
    later = rounds((0.2, 0.1, 0.1), (0.24, 0.12, 0.12), (0.25, 0.15, 0.15))
    later.add(10_000, "SQLite", [(starts.HELP, WALL, 0.1)])
    later.about["date"] = "2026-01-05 12:00 UTC"
    page = performance(first, other=later)
    assert "- first, the run of this page: 2026-01-05 10:00 UTC, " in page
    assert "- again: 2026-01-05 12:00 UTC, " in page
    assert "| first mirror, 10,000 tasks, SQLite | wall s | 0.4 (0.3..0.5) | 0.24 | **no**" in page
    assert "| first mirror | 0.400 (0.300..0.500) |" in page
    assert "spread when run again: **Not met**: 3 of 4 do." in page


def test_runs_are_compared_at_the_sizes_of_both(first: Results) -> None:
    more = deepcopy(first)
    for size in (1_000, 1_000_000):
        more.add(size, "SQLite", [(pulls.FIRST, WALL, 99.0), (pulls.MEMORY, MB, 999.0)])
    same = {"databases": more.databases, "machine": "a machine"}
    assert not list(again.differences(first, sizes=more.sizes, **same))
    assert (
        again.compared(first, first) == again.compared(first, more) == again.compared(more, first)
    )
    assert not list(again.differences(more, sizes=first.sizes, **same))


def test_runs_that_cannot_be_compared_are_refused(first: Results, tmp_path: Path) -> None:
    saved = tmp_path / "first.json"
    first.save(saved)
    other = deepcopy(first)
    other.about["machine"] = "another machine"
    other.add(1_000, "PostgreSQL", [(pulls.FIRST, WALL, 0.1)])
    other.save(tmp_path / "other.json")
    words = ["--again", f"{saved}", "--page", f"{tmp_path / 'page.md'}"]
    reported = ["--report", f"{tmp_path / 'other.json'}"]
    for given, why in (
        (
            ["--report", f"{tmp_path / 'other.json'}"],
            "machine: a machine in the other run, another",
        ),
        (reported, "databases: SQLite in the other run, Postgre"),
        (["--report", f"{saved}"], "one and the same run"),
        (["--out", f"{saved}"], "would be overwritten"),
        (["--tasks", "200"], "tasks: 10,000 in the other run, 200 in this one"),
    ):
        with pytest.raises(SystemExit, match=why):
            main([*words, *given])
    assert not (tmp_path / "page.md").exists()


def test_projects_of_a_big_account_are_equal() -> None:
    assert equal_sizes(1_000_001, 200) == [5001] + [5000] * 199


def test_projects_are_as_large_at_every_big_size() -> None:
    assert [[20, 200], [200]] == [layouts(tasks) for tasks in (100_000, 1_000_000)]


def test_rounds_of_small_accounts_are_made_before_between_and_after_big_ones() -> None:
    assert [[1, 2, 3], [4, 5, 6], [7, 8, 9, 10]] == [list(turns(10, part, 3)) for part in (1, 2, 3)]
    assert [[], [], [1]] == [list(turns(1, part, 3)) for part in (1, 2, 3)]


def test_the_reads_of_the_last_requests_are_those_that_were_answered() -> None:
    with serving(10) as account:
        for action in ("get_users", "get_nothing", "get_projects"):
            requests.get(account.signed({"action": action}), timeout=60)
        assert [{"action": "get_projects"}] == account.asked(2)


def test_only_the_indexed_floor_has_checks_and_indexes() -> None:
    for indexed in (False, True):
        with closing(sqlite3.connect(":memory:")) as made:
            for statement in floor.making(tasks, sqlite.dialect(), indexed=indexed):
                made.execute(statement)
            said = " ".join(row[0] or "" for row in made.execute("SELECT sql FROM sqlite_master"))
        assert indexed == ("CHECK" in said)
        assert said.count("CREATE INDEX") == (len(tasks.indexes) if indexed else 0)


def test_nothing_of_a_pull_is_left_in_a_mirror_that_was_emptied(
    database_url: str, tmp_path: Path
) -> None:
    with serving(60) as account:
        app = mirrors.opened(mirrors.configured(tmp_path, account.url, database_url))
        with closing(app.db):
            with app.pulling(Silent()) as work:
                first = pull(work)
            mirrors.emptied(app)
            with app.db.read() as tx:
                assert not tx.scalars(text("SELECT id FROM tasks")).all()
            assert not app.kept
            with app.pulling(Silent()) as work:
                second = pull(work)
    assert (first.counts, first.requests) == (second.counts, second.requests)
    assert 60 == second.counts["inserted"]


def test_big_sizes_are_measured_beside_small_mirrors_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = {"BIG": 300, "HUGE": 400, "RUNS_WHEN_BIG": 2, "ORIENTATION": 100, "BESIDE": 3}
    for name, value in (sizes | {"TASKS_OF_A_PROJECT": 100, "TASKS_OF_A_SMALL_ONE": 10}).items():
        monkeypatch.setattr(f"bench.rounds.{name}", value)
    found = Results()
    plan = Plan((300, 400), 3, (SQLITE,), idle_s=0, starts=2, peers=False)
    measure(plan, found, lambda _: None)
    for size, runs in ((300, 2), (400, 1)):
        first, beside = (found.find(size, SQLITE, what) for what in (pulls.FIRST, pulls.BESIDE))
        assert first
        assert beside
        assert runs == len(first.values)
        assert 4 * runs == len(beside.values)  # the first of each three is not timed
    scattered = found.find(300, SQLITE, pulls.SCATTERED)
    assert scattered
    assert 2 == len(scattered.values)  # one of each round: the first is not timed
    assert found.find(400, SQLITE, pulls.SCATTERED) is None
    assert found.find(300, SQLITE, pulls.WARM) is None


def test_a_small_run_measures_pulls_floor_pushes_and_starts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "bench.json", tmp_path / "page.md"
    words = ["--tasks", "200,100", "--runs", "2", "--databases", "SQLite", "--no-peers"]
    words += ["--idle", "0", "--starts", "3"]
    main([*words, "--out", str(out), "--page", str(page)])
    found = load(out)
    (database,) = found.databases
    assert {100, 200} == set(found.sizes)
    for size in found.sizes:
        for what in (pulls.FIRST, pulls.WARM, pulls.UNCHANGED, "1 % changed", "10 % changed"):
            assert found.find(size, database, what, CPU), what
        for what in (floor.WRITE, floor.INDEXED, floor.HASH, floor.DECODE):
            assert found.find(size, database, what), what
        for what in (starts.HELP, starts.STATUS):
            tried = found.find(size, database, what)
            assert tried, what
            assert 3 == len(tried.values), what
        edits = found.find(size, database, pushes.per_edit(10), REQUESTS)
        assert edits
        assert 1 <= edits.median < 3
    assert json.loads(out.read_text("utf-8"))["about"]["runs"] == 2
    assert "## 200 tasks, SQLite" in page.read_text("utf-8")
    # The sizes take turns: a spread is of the whole time.
    told = [line for line in capfd.readouterr().err.splitlines() if ", run " in line]
    assert told == [f"{n} tasks, SQLite, run {run} of 2" for run in (1, 2) for n in (200, 100)]
