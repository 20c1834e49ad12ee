"""A pulled mirror equals the account, field by field, by the account's own word."""

from __future__ import annotations

import pytest

from syncd.sandbox import Account
from tests.support.mirror import EVERYTHING, assert_mirror_equals


@pytest.mark.parametrize("archived", [False, True], ids=["live", "with-archive"])
def test_ten_thousand_tasks_are_mirrored_field_by_field(a_mirror, archived):
    mirror = a_mirror(
        Account.seeded(tasks=10_000, seed=11, archived=0.08 if not archived else 0.05),
        extra=("subtasks", "relations", "files", "text"),
        archived=archived,
    )
    report = mirror.pull()
    assert ("complete", ()) == (report.outcome, report.notes)
    assert_mirror_equals(mirror)
