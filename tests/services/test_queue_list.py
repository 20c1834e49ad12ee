"""The queue as it is listed, and one change as it is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.live.conftest import Gate
from tests.services.desk import Desk


@pytest.fixture
def desk(gate: Gate) -> Desk:
    desk = Desk(gate)
    desk.edit(priority=7)
    desk.edit(1001, plus=["Done"])
    desk.add(ref="r", name="new")
    desk.edit("r", priority=9)
    desk.take(1, "confirmed")
    desk.take(2, "failed", error="no")
    return desk


def ids(desk: Desk, **sought: object) -> list[int]:
    return [change.id for change in desk.list(**sought).changes]


def test_the_list_has_what_is_not_settled_unless_more_is_asked_for(desk):
    assert [2, 3, 4] == ids(desk)
    assert [1, 2, 3, 4] == ids(desk, settled=True)
    assert [1, 2] == ids(desk, states=("failed", "confirmed"))
    assert [2] == ids(desk, task=1001)
    assert [] == ids(desk, task=2**70)
    assert [3, 4] == ids(desk, task="r")
    found = desk.list()
    assert {2, 3, 4} == set(found.why)
    assert "no" in found.why[2]


def test_a_creation_keeps_its_changes_once_it_has_its_number(desk):
    desk.gate.run(
        "UPDATE outbox SET state = 'sending' WHERE id = 3",
        "UPDATE outbox SET state = 'applied', task_id = 1005 WHERE id = 3",
    )
    desk.edit(1005, name="y")
    assert [3, 4, 5] == ids(desk, task="r")
    assert ["Task 1005"] * 3 == [change.task for change in desk.list(task="r").changes]


def test_a_change_is_shown_with_its_trail(desk):
    found = desk.show(2)
    assert [(None, "queued", "cli:olena"), ("queued", "failed")] == [
        (found.events[0].from_state, found.events[0].to_state, found.events[0].actor),
        (found.events[1].from_state, found.events[1].to_state),
    ]
    (side,) = found.sides
    assert ("tags", "#3,#5,#6,éa", "#3,#5,#6,Done,éa") == (side.field, side.base, side.mine)
    assert "#3,#5,#6,éa" == side.theirs


def test_of_a_new_task_theirs_is_not_known(desk):
    assert {False} == {side.theirs_known for side in desk.show(3).sides}


def told(desk: Desk, id: int, who: str | None, minute: int, new: str) -> None:
    """Let the account's feed have told of an edit of task 1000."""
    zone = "" if desk.gate.sqlite else "+00"
    desk.gate.run(
        "INSERT INTO activity (id, fingerprint, action, entity, entity_id, task_id, member_id,"
        " member_name, date_added, at, new, seen_at) VALUES"
        f" ({id}, 'f{id}', 'update', 'task', 1000, 1000, 102, '{who}',"
        f" '2026-03-02 11:{minute}:00', '2026-03-02 09:{minute}:00{zone}', '{new}',"
        f" '2026-03-02 09:50:00{zone}')"
    )


def test_of_a_conflict_the_list_and_the_change_tell_who_set_theirs(gate):
    desk = Desk(gate)
    desk.edit(priority=7, name="mine")
    desk.conflict(1, priority=9, name="theirs")
    told(desk, 1, "Petro", 15, '{"priority": "3"}')
    told(desk, 2, "Olena\nKoval", 16, '{"priority": "9", "title": "another"}')
    told(desk, 3, "Petro", 14, '{"priority": "9", "title": "theirs"}')
    sides = {side.field: side for side in desk.show(1).sides}
    assert ("Olena\nKoval", datetime(2026, 3, 2, 9, 16, tzinfo=UTC)) == (
        sides["priority"].changed_by,
        sides["priority"].changed_at,
    )
    assert (None, None) == (sides["name"].changed_by, sides["name"].changed_at)
    found = desk.list()
    assert sides["priority"] in found.sides[1]
    words = "theirs is 9 (set by Olena Koval at 2026-03-02 09:16:00 UTC)"
    assert words in found.why[1]
    assert words in desk.why(1)
    done = desk.resolve(1, "mine")
    assert {"priority", "name"} == {side.field for side in done.decided}
