"""A file of a description is mirrored with the task that shows it."""

from __future__ import annotations

import pytest

from syncd.sandbox import Account
from tests.support.mirror import assert_mirror_equals


@pytest.mark.parametrize("new", [True, False], ids=["to a new task", "to one that was there"])
def test_a_file_that_goes_from_one_task_to_another_is_the_other_ones(a_mirror, new):
    """What the one does not show any more and what the other shows come in one plan."""
    account = Account.seeded(tasks=20, archived=0, pending=0, delayed=0)
    project = account.create_project("Files")
    loser = account.create_task(project, "Had it")
    finder = None if new else account.create_task(project, "Gets it")
    file = account.add_file(loser, "plan.pdf", b"%PDF")
    mirror = a_mirror(account)
    assert mirror.pull().outcome == "complete"
    finder = finder or account.create_task(project, "Gets it")
    account.tasks[loser].file_ids.remove(file)
    account.tasks[finder].file_ids.append(file)
    account.files[file].task_id = finder
    account.rename_task(loser, "Had it once")
    account.rename_task(finder, "Got it")
    assert mirror.pull().outcome == "complete"
    kept = mirror.rows(f"SELECT task_id, removed_at FROM files WHERE id = {file}")
    assert [{"task_id": finder, "removed_at": None}] == kept
    assert_mirror_equals(mirror)
