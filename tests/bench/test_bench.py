"""The bench: a run that is small, and the page that is written from results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import budgets, floor, peer, pulls, pushes, starts
from bench.__main__ import main, repeatable
from bench.account import equal_sizes
from bench.figures import Results, load
from bench.report import performance
from bench.timing import CPU, MB, REQUESTS, WALL

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


def test_a_budget_that_was_not_measured_is_not_called_met(results: Results) -> None:
    assert "Not measured" in said(results, "1 % changed of 10,000 tasks, SQLite, against floor")
    assert "Not measured" in said(results, "cost per task")


def test_the_cost_per_task_is_compared_with_that_of_the_largest_size(results: Results) -> None:
    results.add(1_000_000, "SQLite", [(pulls.FIRST, WALL, 72.0)])
    assert "**Not met**: 2 times" in said(results, "cost per task")


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
    assert repeatable(words) == "python -m bench --tasks 200 --runs 1"


def test_projects_of_a_big_account_are_equal() -> None:
    assert equal_sizes(1_000_001, 200) == [5001] + [5000] * 199


def test_a_small_run_measures_pulls_floor_pushes_and_starts(tmp_path: Path) -> None:
    out, page = tmp_path / "bench.json", tmp_path / "page.md"
    words = ["--tasks", "200", "--runs", "1", "--databases", "SQLite", "--no-peers"]
    words += ["--idle", "0", "--starts", "1"]
    main([*words, "--out", str(out), "--page", str(page)])
    found = load(out)
    (size,), (database,) = found.sizes, found.databases
    for what in (pulls.FIRST, pulls.UNCHANGED, "1 % changed", "10 % changed"):
        assert found.find(size, database, what, CPU), what
    for what in (floor.WRITE, floor.HASH, floor.DECODE, starts.HELP, starts.STATUS):
        assert found.find(size, database, what), what
    edits = found.find(size, database, pushes.per_edit(10), REQUESTS)
    assert edits
    assert 1 <= edits.median < 3
    assert json.loads(out.read_text("utf-8"))["about"]["runs"] == 1
    assert "## 200 tasks, SQLite" in page.read_text("utf-8")
