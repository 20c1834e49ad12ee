"""Verification: drift is told from lag, nothing is written, and nobody takes it for a pull."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from syncd.errors import AccountError, ConfigError, LeaseLost, NoMirror, Unreachable
from syncd.model.drift import Flaw, VerifyReport
from syncd.sandbox import Account, Fault, Sandbox
from syncd.services.progress import Silent
from syncd.services.sampling import draw
from syncd.services.soundness import flaws
from syncd.services.status import read_status
from syncd.services.verify import last_drift, verify
from tests.support.mirror import Mirror, build, dump

EVERYBODY = 1000
SOON = timedelta(minutes=5)


@contextmanager
def a_world(url: str, folder: Path, **settings: Any) -> Iterator[Mirror]:
    with Sandbox(Account.seeded(tasks=35)) as box:
        mirror = build(box, url, folder / "syncd.toml", **settings)
        mirror.pull()
        yield mirror
        mirror.app.db.close()


@pytest.fixture
def mirror(ready_database_url: str, tmp_path: Path) -> Iterator[Mirror]:
    """A complete mirror, on each of the two databases."""
    with a_world(ready_database_url, tmp_path) as made:
        yield made


@pytest.fixture
def a_mirror(ready_sqlite_url: str, tmp_path: Path) -> Iterator[Mirror]:
    """A complete mirror on SQLite: for what is decided before a database is asked."""
    with a_world(ready_sqlite_url, tmp_path) as made:
        yield made


def verified(mirror: Mirror, sample: int = 0, **how: Any) -> VerifyReport:
    """Verify once, a minute after whatever was before: a sample, or without one by a listing."""
    mirror.clock.move(timedelta(minutes=1))
    with mirror.app.pulling(Silent()) as work:
        return verify(work, sample=sample, rng=Random(7), **{"every": not sample, **how})


def told(report: VerifyReport) -> set[tuple[str, int, str]]:
    return {(one.verdict, one.difference.task_id, one.difference.field) for one in report.found}


def active(mirror: Mirror) -> list[int]:
    """Live active tasks without subtasks, in the order of their ids."""
    query = (
        "SELECT id FROM tasks WHERE status = 'active' AND removed_at IS NULL"
        " AND id NOT IN (SELECT parent_id FROM tasks WHERE parent_id IS NOT NULL) ORDER BY id"
    )
    return [row["id"] for row in mirror.rows(query)]


# --- no drift


def test_a_mirror_that_equals_the_account_has_no_drift_and_nothing_of_it_is_written(mirror):
    before, asked = dump(mirror.database_url), len(mirror.box.log.entries())
    report = verified(mirror, EVERYBODY)
    live = len(mirror.live())
    assert (0, 0, live) == (report.exit_code, report.drift, report.counts["sampled"])
    assert report.requests == live == len(mirror.box.log.entries()) - asked
    assert before == dump(mirror.database_url)


def test_an_edit_after_the_last_pull_is_lag_and_the_next_pull_brings_it(mirror):
    renamed, finished, deleted = active(mirror)[:3]
    mirror.account.rename_task(renamed, "Theirs")
    mirror.account.complete_task(finished)
    mirror.account.delete_task(deleted)
    report = verified(mirror)
    assert ("complete", 0) == (report.outcome, report.drift)
    assert len({id for _, id, _ in told(report)}) == report.counts["lagging"]
    assert {("lag", renamed, "name"), ("lag", finished, "status"), ("lag", deleted, "task")} <= (
        told(report)
    )
    assert 0 == report.exit_code
    mirror.pull(later=SOON)
    assert set() == told(verified(mirror))


@pytest.mark.parametrize("sort", ["text", "html"])
def test_descriptions_files_tags_and_relations_are_compared_and_equal(
    ready_sqlite_url, tmp_path, sort
):
    extra = ("subtasks", "relations", "files", sort, "comments")
    with a_world(ready_sqlite_url, tmp_path, extra=extra, archived=True) as mirror:
        mirror.box.set(escape_entities=True, email_case_varies=True, has_comments_always=True)
        mirror.pull()
        assert set() == told(verified(mirror, 12, every=True))
        without = mirror.again(extra=("subtasks", "comments"), archived=True)
        assert set() == told(verified(without, 12, every=True)), (
            "what is not asked for was compared"
        )
        without.app.db.close()


def test_what_one_answer_leaves_out_and_the_next_shows_is_no_drift(a_mirror):
    dated = a_mirror.value("SELECT min(id) FROM tasks WHERE date_end IS NOT NULL")
    once = {"action": "get_task", "parameters": {"id_task": str(dated)}, "count": 1}
    a_mirror.box.faults.add(Fault("vanished_field", field="date_end", **once))
    report = verified(a_mirror, EVERYBODY)
    assert (set(), 0) == (told(report), report.exit_code)
    assert len(a_mirror.live()) + 2 == report.requests  # a listing, and a second look


# --- drift


def test_what_somebody_wrote_into_the_mirror_is_drift_until_a_pull_compares_it_anew(mirror):
    one, other = active(mirror)[:2]
    mirror.execute(f"UPDATE tasks SET name = 'by hand' WHERE id = {one}")
    mirror.account.rename_task(other, "Theirs")
    report = verified(mirror)
    assert {("drift", one, "name"), ("lag", other, "name")} == told(report)
    assert (1, 3) == (report.drift, report.exit_code)
    mirror.pull(later=SOON)
    report = verified(mirror, every=False, repair=True)
    assert ({("drift", one, "name")}, 1) == (told(report), report.repaired)
    assert "updated" in mirror.pull(later=SOON).counts
    assert mirror.account.tasks[one].name == mirror.value(
        f"SELECT name FROM tasks WHERE id = {one}"
    )
    assert set() == told(verified(mirror))


TAMPERED = {
    "tags": ("DELETE FROM task_tags WHERE task_id = {id}",),
    "date_end": ("UPDATE tasks SET date_end = '1999-01-01' WHERE id = {id}",),
    "task": (
        "DELETE FROM task_tags WHERE task_id = {id}",
        "UPDATE tasks SET removed_at = valid_from WHERE id = {id}",
    ),
    "task ": (  # no row at all
        "DELETE FROM task_tags WHERE task_id = {id}",
        "DELETE FROM files WHERE task_id = {id}",
        "DELETE FROM tasks WHERE id = {id}",
    ),
}


def test_one_listing_compares_every_task(mirror):
    leaves = active(mirror)
    few = ", ".join(str(id) for id in leaves)
    tagged = mirror.value(f"SELECT min(task_id) FROM task_tags WHERE task_id IN ({few})")
    wrong = dict(zip([tagged, *(id for id in leaves if id != tagged)], TAMPERED, strict=False))
    for id, field in wrong.items():
        for statement in TAMPERED[field]:
            mirror.execute(statement.format(id=id))
    report = verified(mirror)
    assert {("drift", id, field.strip()) for id, field in wrong.items()} == told(report)
    assert 1 + 4 == report.requests  # the listing, and the second looks
    verified(mirror, every=False, repair=True)
    mirror.pull()
    assert set() == told(verified(mirror))


def test_what_lists_hide_and_a_task_shows_is_drift(a_mirror):
    tagged = a_mirror.value("SELECT min(task_id) FROM task_tags")
    a_mirror.execute(f"DELETE FROM task_tags WHERE task_id = {tagged}")
    a_mirror.box.set(tags_in_lists="never")
    a_mirror.pull()
    assert ("drift", tagged, "tags") in told(verified(a_mirror, EVERYBODY))


def test_a_row_that_no_pull_can_write_any_more_is_drift_the_second_time(a_mirror):
    """As after a clock that ran years ahead: its observation is newer than any that comes."""
    (stuck, *_) = active(a_mirror)
    a_mirror.execute(f"UPDATE tasks SET observed_at = '2099-01-01 00:00:00' WHERE id = {stuck}")
    a_mirror.account.rename_task(stuck, "Theirs")
    assert {("lag", stuck, "name")} == told(verified(a_mirror))
    assert {("lag", stuck, "name")} == told(verified(a_mirror, every=False)), "no pull came between"
    assert "complete" == a_mirror.pull(later=SOON).outcome
    assert {("drift", stuck, "name")} == told(verified(a_mirror, every=False))


def test_an_edit_that_goes_on_and_on_is_lag_each_time(a_mirror):
    (busy, *_) = active(a_mirror)
    for number in range(3):
        a_mirror.account.rename_task(busy, f"Theirs {number}")
        assert {("lag", busy, "name")} == told(verified(a_mirror))
        a_mirror.pull(later=SOON)


def test_a_deleted_task_that_the_mirror_keeps_as_suspect_is_no_drift(a_mirror):
    victim = active(a_mirror)[0]
    a_mirror.account.delete_task(victim)
    again = a_mirror.again(box=a_mirror.box, max_removals=0)
    again.pull()
    assert {victim} == again.suspects()
    verified(again)
    again.pull(later=SOON)
    report = verified(again)
    assert ({("lag", victim, "task")}, 0) == (told(report), report.drift)
    again.app.db.close()


def test_a_task_that_the_list_shows_and_its_own_answer_denies_is_no_drift(a_mirror):
    victim = active(a_mirror)[0]
    denied = Fault("error", action="get_task", parameters={"id_task": str(victim)}, code=5)
    a_mirror.box.faults.add(denied)
    report = verified(a_mirror, EVERYBODY)
    assert (0, 3, "partial") == (report.drift, report.exit_code, report.outcome)
    assert [f"task {victim} is listed, and the account denies it when asked"] == list(report.notes)


def test_an_account_over_the_record_limit_is_compared_project_by_project(
    ready_sqlite_url, tmp_path
):
    with a_world(ready_sqlite_url, tmp_path) as mirror:
        mirror.box.set(record_limit=25)
        assert "projects" == mirror.pull().how
        one, other = active(mirror)[:2]
        mirror.execute(f"UPDATE tasks SET name = 'by hand' WHERE id = {one}")
        mirror.account.rename_task(other, "Theirs")
        assert {("drift", one, "name"), ("lag", other, "name")} == told(verified(mirror, EVERYBODY))
        report = verified(mirror)
        assert {("drift", one, "name"), ("lag", other, "name")} == told(report)
        assert len(mirror.live()) == report.counts["listed"]


# --- what is not compared


def test_a_task_with_a_change_on_its_way_is_left_out(a_mirror):
    edited = active(a_mirror)[0]
    a_mirror.execute(f"UPDATE live_tasks SET name = 'Mine' WHERE id = {edited}")
    assert (0, 0) == (verified(a_mirror).drift, verified(a_mirror).counts["in_flight"])
    for state in ("sending", "uncertain"):
        a_mirror.execute(f"UPDATE outbox SET state = '{state}'")
    a_mirror.account.rename_task(edited, "Mine")
    report = verified(a_mirror, EVERYBODY, every=True)
    assert (set(), 1) == (told(report), report.counts["in_flight"])


def test_one_answer_that_makes_no_sense_is_counted_and_the_rest_is_compared(a_mirror):
    victim, other = active(a_mirror)[:2]
    a_mirror.execute(f"UPDATE tasks SET priority = 10 - priority WHERE id IN ({victim}, {other})")
    mine = Fault("priority_99", action="get_task", parameters={"id_task": str(victim)})
    a_mirror.box.faults.add(mine)
    report = verified(a_mirror, EVERYBODY)
    assert ("partial", 1, {("drift", other, "priority")}) == (
        report.outcome,
        report.counts["unreadable"],
        told(report),
    )


def test_told_to_stop_it_says_what_is_left(a_mirror):
    asked = iter([True, True, True, False])
    report = verified(a_mirror, sample=10, go_on=lambda: next(asked))
    assert ("partial", 3, 3) == (report.outcome, report.counts["sampled"], report.requests)
    assert "7 tasks were not looked at" in report.notes[0]


@pytest.mark.parametrize("requests", [0, 1, 2])
def test_told_to_stop_it_takes_back_no_drift_and_finds_none_in_haste(a_mirror, requests):
    known, new = active(a_mirror)[:2]
    a_mirror.execute(f"UPDATE tasks SET name = 'by hand' WHERE id = {known}")
    verified(a_mirror)
    a_mirror.execute(f"UPDATE tasks SET name = 'by hand' WHERE id = {new}")
    asked = iter([*[True] * requests, False])
    report = verified(a_mirror, every=True, go_on=lambda: next(asked))
    assert ("drift", known, "name") in told(report)
    assert (1, "partial") == (report.drift, report.outcome)
    assert (requests == 2) == (("lag", new, "name") in told(report)), "the next one looks again"
    assert {("drift", known, "name"), ("drift", new, "name")} == told(verified(a_mirror))


# --- what goes wrong


@pytest.mark.parametrize("kind", ["garbage", "html_login"])
def test_an_account_that_makes_no_sense_is_a_failed_run(a_mirror, kind):
    before = dump(a_mirror.database_url)
    a_mirror.box.faults.add(Fault(kind, action="get_task"))
    with pytest.raises(AccountError):
        verified(a_mirror, sample=3)
    assert "failed" == a_mirror.value("SELECT outcome FROM sync_runs WHERE kind = 'verify'")
    assert before == dump(a_mirror.database_url)
    a_mirror.box.faults.clear()
    assert 0 == verified(a_mirror, sample=3).exit_code


def test_an_account_out_of_reach_is_a_failed_run(a_mirror):
    with a_mirror.box.refusing(), pytest.raises(Unreachable):
        verified(a_mirror, sample=3)
    with a_mirror.app.db.read() as tx:
        assert last_drift(tx) is None


def test_who_lost_the_lease_records_nothing(a_mirror):
    with a_mirror.app.pulling(Silent()) as work:
        a_mirror.execute("UPDATE lease SET fencing = fencing + 1")
        with pytest.raises(LeaseLost):
            verify(work, sample=1, rng=Random(7))
    assert 0 == a_mirror.value("SELECT count(*) FROM sync_runs WHERE kind = 'verify'")


def test_without_a_mirror_and_with_anothers_it_refuses(a_mirror, tmp_path):
    with Sandbox(Account.seeded(tasks=10)) as box:
        other = build(box, f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "new.toml")
        other.app.ready(write=True)
        with pytest.raises(NoMirror):
            verified(other)
        other.app.db.close()
    a_mirror.execute(
        "UPDATE sync_state SET value = '\"acme.worksection.com\"' WHERE name='account'"
    )
    with pytest.raises(ConfigError, match="mirrors acme"):
        verified(a_mirror)


# --- nobody takes it for a pull


def test_the_run_is_on_record_and_neither_status_nor_the_next_pull_takes_it_for_a_pull(mirror):
    (one, *_) = active(mirror)
    mirror.execute(f"UPDATE tasks SET name = 'by hand' WHERE id = {one}")
    before = read_status(mirror.database_url)
    report = verified(mirror)
    (row,) = mirror.rows("SELECT * FROM sync_runs WHERE kind = 'verify'")
    assert (report.run_id, None, "complete") == (row["id"], row["observed_at"], row["outcome"])
    after = read_status(mirror.database_url)
    assert (before.as_of, before.last_run, before.state) == (
        after.as_of,
        after.last_run,
        after.state,
    )
    with mirror.app.db.read() as tx:
        assert 1 == last_drift(tx)
    assert "complete" == mirror.pull(later=SOON).outcome


# --- the sample


def test_a_sample_has_a_few_of_every_sort_and_none_twice(mirror):
    with mirror.app.db.read() as tx:
        drawn = [draw(tx, 12, Random(seed)) for seed in range(5)]
    assert all(12 == len(set(ids)) == len(ids) for ids in drawn)
    ids = ", ".join(str(id) for id in drawn[0])
    chosen = mirror.rows(f"SELECT status, level FROM tasks WHERE id IN ({ids})")
    assert {"active", "done"} == {row["status"] for row in chosen}
    assert {1, 2} <= {row["level"] for row in chosen}
    for table in ("task_tags", "files"):
        assert mirror.value(f"SELECT count(*) FROM {table} WHERE task_id IN ({ids})")
    assert len({frozenset(each) for each in drawn}) > 1


# --- the mirror in itself

AT = "2026-01-01 00:00:00"
TOP = "SELECT min(id) FROM tasks WHERE level = 1"
BROKEN: dict[str, Callable[[Mirror], str]] = {
    "its parent is not in the mirror": lambda m: (
        f"UPDATE tasks SET parent_id = 1 WHERE id = {child(m)}"
    ),
    "its parent is in another project": lambda m: (
        "UPDATE tasks SET project_id = (SELECT max(id) FROM projects WHERE removed_at IS NULL"
        f" AND id <> tasks.project_id) WHERE id = {child(m)}"
    ),
    "its level is not one below its parent's": lambda m: (
        f"UPDATE tasks SET level = 4 - level WHERE id = {child(m, level=3)}"
    ),
    "it has a parent and stands at the top, or none and stands below": lambda m: (
        f"UPDATE tasks SET level = 2 WHERE id = {m.value(TOP)}"
    ),
    "its project is not in the mirror": lambda _: (
        f"UPDATE projects SET removed_at = '{AT}' WHERE id = (SELECT min(project_id) FROM tasks)"
    ),
    "it has a tag that is not in the mirror": lambda _: (
        f"UPDATE tags SET removed_at = '{AT}' WHERE id IN (SELECT tag_id FROM task_tags)"
    ),
    "it is removed and still has tags": lambda _: (
        f"UPDATE tasks SET removed_at = '{AT}' WHERE id IN (SELECT task_id FROM task_tags)"
    ),
    "it is removed and still has files": lambda _: (
        f"UPDATE tasks SET removed_at = '{AT}' WHERE id IN (SELECT task_id FROM files)"
    ),
}


def child(mirror: Mirror, level: int = 2) -> int:
    found: int = mirror.value(f"SELECT min(id) FROM tasks WHERE level = {level}")
    return found


def test_what_cannot_be_is_found_by_every_rule(mirror):
    statements = {rule: broken(mirror) for rule, broken in BROKEN.items()}
    with mirror.app.db.read() as tx:
        assert () == flaws(tx)
    for rule, statement in statements.items():
        found = broken_for_a_moment(mirror, statement)
        assert rule in {flaw.rule for flaw in found}, rule
        assert all(flaw.task_ids and flaw.count >= len(flaw.task_ids) for flaw in found)


def broken_for_a_moment(mirror: Mirror, statement: str) -> tuple[Flaw, ...]:
    with suppress(Undo), mirror.app.db.write() as tx:
        tx.execute(text(statement))
        found = flaws(tx)
        raise Undo
    return found


def test_a_suspect_task_may_have_lost_its_parent_and_its_project(a_mirror):
    a_mirror.execute(f"UPDATE tasks SET suspect_at = '{AT}'")
    a_mirror.execute(BROKEN["its project is not in the mirror"](a_mirror))
    a_mirror.execute(BROKEN["its parent is not in the mirror"](a_mirror))
    with a_mirror.app.db.read() as tx:
        assert () == flaws(tx)


class Undo(Exception):
    """Rolls a transaction back."""


def test_what_cannot_be_is_told_apart_from_drift(mirror):
    mirror.execute(BROKEN["it has a tag that is not in the mirror"](mirror))
    report = verified(mirror, every=False)
    assert (0, 3) == (report.drift, report.exit_code)
    assert ["it has a tag that is not in the mirror"] == [flaw.rule for flaw in report.flaws]
    assert report.counts["flaws"] == report.flaws[0].count > 0
