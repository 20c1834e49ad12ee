"""What goes on the wire for each outbound verb."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncd.model.outbound import TagEdit, Verb
from syncd.operations import OPERATIONS, Sending, Unsendable, draft
from syncd.operations.create import lost
from syncd.sync.names import Names
from syncd.worksection.request import Attachment
from tests.support.changes import PROJECT, TASK, a_step, at

NAMES = Names(members={5514: "b@x"}, tags={1: "To-do", 2: "Done", 7: "a, b"})
ASSIGNED = {"assignee_email": "b@x"}
DAY = date(2026, 2, 1)


def a_sending(verb: Any, values: Any, **more: Any) -> Sending:
    defaults: dict[str, Any] = {"names": NAMES, "theirs": ASSIGNED}
    step = a_step(verb, fields=values) if verb != "create" else a_step(verb, task_id=None)
    return Sending(step=step, values=values, **defaults | more)


def sent(verb: Any, values: Any, **more: Any) -> str:
    return str(draft(a_sending(verb, values, **more)))


def test_every_verb_is_an_operation_under_its_own_name():
    assert set(Verb.__args__) == set(OPERATIONS)
    assert all(verb == operation.verb for verb, operation in OPERATIONS.items())


def test_an_update_carries_the_current_assignee_along():
    expected = f"update_task id_task={TASK} email_user_to=b@x priority=5"
    assert expected == sent("update", {"priority": 5})


@pytest.mark.parametrize("email", ["NOONE", "ANY"])
def test_nobody_and_anyone_go_along_as_they_are(email):
    shown = sent("update", {"priority": 5}, theirs={"assignee_email": email})
    assert f"update_task id_task={TASK} email_user_to={email} priority=5" == shown


def test_the_assignee_is_left_out_only_where_that_was_seen_to_keep_it():
    shown = sent("update", {"priority": 5}, omitting_keeps_assignee=True)
    assert f"update_task id_task={TASK} priority=5" == shown


@pytest.mark.parametrize("theirs", [{}, {"assignee_email": "#77"}])
def test_an_assignee_without_a_known_address_stops_the_update(theirs):
    result = draft(a_sending("update", {"priority": 5}, theirs=theirs))
    assert isinstance(result, Unsendable)
    assert "assignee_email" == result.field


def test_every_field_of_an_update():
    values = {
        "name": "New",
        "assignee_email": "C@X",
        "priority": 0,
        "date_start": DAY,
        "date_end": DAY,
        "date_closed": DAY,
        "max_time": Decimal("1.50"),
        "max_money": Decimal(0),
    }
    assert values.keys() == OPERATIONS["update"].fields
    assert sent("update", values) == (
        f"update_task id_task={TASK} title=New email_user_to=c@x priority=0"
        " datestart=01.02.2026 dateend=01.02.2026 dateclosed=01.02.2026"
        " max_time=1.5 max_money=0"
    )


def test_clearing_sends_an_empty_value_and_nobody():
    values = {"assignee_email": None, "date_end": None, "max_time": None}
    shown = sent("update", values)
    assert f"update_task id_task={TASK} email_user_to=NOONE dateend= max_time=" == shown


@pytest.mark.parametrize("name", [None, ""])
def test_a_name_is_never_cleared(name):
    assert isinstance(draft(a_sending("update", {"name": name})), Unsendable)


def test_tags_go_by_id_in_a_request_of_their_own():
    edit = TagEdit(frozenset({9, 2}), frozenset({7}))
    assert f"update_task_tags id_task={TASK} plus=2,9 minus=7" == sent("tag", {"tags": edit})


def test_a_label_that_means_no_tag_is_refused_by_name():
    result = draft(a_sending("tag", {"tags": TagEdit(frozenset({"Gone", 1}))}))
    assert Unsendable("tags", "there is no tag 'Gone', or several") == result


def test_a_status_alone_is_one_request():
    assert f"complete_task id_task={TASK}" == sent("complete", {"status": "done"})
    assert f"reopen_task id_task={TASK}" == sent("reopen", {"status": "active"})


@pytest.mark.parametrize("verb", ["update", "tag", "complete", "reopen"])
def test_what_the_merge_settled_sends_nothing(verb):
    assert draft(a_sending(verb, {})) is None


NEW = {"project_id": PROJECT, "name": "New"}


def test_a_creation_of_the_least():
    expected = f"post_task id_project={PROJECT} title=New extra=text"
    assert expected == sent("create", NEW)


def test_a_creation_of_everything():
    values = NEW | {
        "parent_ref": "r",
        "author_email": "A@X",
        "assignee_email": "any",
        "priority": 0,
        "text": "line",
        "checklist": ("one", "two, three"),
        "date_start": DAY,
        "date_end": DAY,
        "subscribers": ("a@x", "b@x"),
        "hidden": ("a@x",),
        "mentions": ("b@x",),
        "max_time": Decimal("1.5"),
        "max_money": Decimal(20),
        "tags": frozenset({"to-do", "#7"}),
        "parent_id": None,
        "level": 2,
    }
    assert values.keys() == OPERATIONS["create"].fields
    files = (Attachment("a.txt", b"x"),)
    assert sent("create", values, parent_id=9, attach=files) == (
        f"post_task id_project={PROJECT} title=New id_parent=9 email_user_from=a@x"
        " email_user_to=ANY priority=0 text=line datestart=01.02.2026 dateend=01.02.2026"
        " subscribe=a@x,b@x hidden=a@x mention=b@x max_time=1.5 max_money=20 tags=1,7"
        " extra=text todo[]=one todo[]='two, three' attach[0]='a.txt'"
    )


def test_nothing_can_be_cleared_on_a_new_task():
    values = NEW | {"date_end": None, "assignee_email": None, "tags": frozenset()}
    assert sent("create", NEW) == sent("create", values)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "x"}, "project_id"),
        ({"project_id": 1, "name": ""}, "name"),
        (NEW | {"parent_ref": "r"}, "parent_ref"),
        (NEW | {"tags": frozenset({"Gone"})}, "tags"),
    ],
)
def test_a_creation_that_cannot_be_sent_says_which_field(values, field):
    result = draft(a_sending("create", values))
    assert isinstance(result, Unsendable)
    assert field == result.field


def test_what_the_wire_cannot_carry_fails_before_anything_is_sent():
    result = draft(a_sending("create", NEW | {"subscribers": ("a,b",)}))
    assert isinstance(result, Unsendable)
    assert "comma" in result.why or "list" in result.why


def test_a_task_without_an_id_is_not_written_to():
    step = a_step("complete", task_id=None)
    result = draft(Sending(step=step, names=NAMES, values={"status": "done"}))
    assert isinstance(result, Unsendable)


# How each is recognised.


@pytest.mark.parametrize(
    ("verb", "mine", "base", "theirs", "landing"),
    [
        ("update", {"name": "b"}, {"name": "a"}, {"name": "b"}, "landed"),
        ("update", {"name": "b"}, {"name": "a"}, {"name": "a"}, "not landed"),
        (
            "tag",
            {"tags": frozenset({1})},
            {"tags": frozenset()},
            {"tags": frozenset({1})},
            "landed",
        ),
        ("complete", {"status": "done"}, {"status": "active"}, {"status": "done"}, "landed"),
        ("complete", {"status": "done"}, {"status": "active"}, {"status": "active"}, "not landed"),
        ("reopen", {"status": "active"}, {"status": "done"}, {"status": "active"}, "landed"),
        ("reopen", {"status": "active"}, {"status": "done"}, None, "gone"),
        ("create", NEW, {}, NEW, "landed"),
        ("create", NEW, {}, None, "not landed"),
    ],
)
def test_how_a_verb_is_seen_to_have_landed(verb, mine, base, theirs, landing):
    step = a_step(verb, fields=mine, base=base)
    assert landing == OPERATIONS[verb].landed(step, theirs)


@pytest.mark.parametrize(
    ("hidden", "sees_hidden", "visible"),
    [((), False, True), (("a@x",), False, False), (("a@x",), True, True)],
)
def test_a_creation_that_may_be_hidden_from_us_is_looked_for_as_such(hidden, sees_hidden, visible):
    step = a_step("create", fields=NEW | {"hidden": hidden}, changes=(4, 5))
    found = lost(step, parent_id=9, sent_at=at(0), ended_at=at(1), sees_hidden=sees_hidden)
    assert (4, PROJECT, 9, visible) == (
        found.change,
        found.project_id,
        found.parent_id,
        found.visible,
    )
