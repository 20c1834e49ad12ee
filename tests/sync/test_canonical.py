"""When two values are the same to a reader, and how records look in the view's words."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from syncd.model.change import MISSING
from syncd.sync.canonical import same
from syncd.sync.names import Names, shown, with_ids
from tests.support.records import a_task

NAMES = Names(
    members={3993: "a@x", 5514: "b@x"},
    tags={1: "To-do", 2: "Done", 3: "Twice", 4: "Twice", 5: "twin", 6: "Twin"},
)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("name", "a\u00a0b", " a b "),
        ("text", "a\r\nb", "a\nb"),
        ("name", "R&amp;D", "R&D"),
        ("name", "e\u0301", "é"),
        ("text", None, ""),
        ("assignee_email", "A@X", "a@x"),
        ("assignee_email", None, "NOONE"),
        ("assignee_email", "any", "ANY"),
        ("author_email", "A@X", "a@x"),
        ("max_time", Decimal("1.50"), Decimal("1.5")),
        ("date_closed", datetime(2026, 2, 1, 10, 30), date(2026, 2, 1)),
        ("tags", frozenset({1, 2}), frozenset({2, 1})),
    ],
)
def test_the_same_to_a_reader(field, one, other):
    assert same(field, one, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("name", "a", "A"),
        ("max_time", Decimal(0), None),
        ("priority", 0, None),
        ("assignee_email", "ANY", "NOONE"),
        ("date_end", date(2026, 2, 1), None),
        ("date_end", MISSING, MISSING),
        ("date_end", None, MISSING),
    ],
)
def test_not_the_same_to_a_reader(field, one, other):
    assert not same(field, one, other)


def test_a_record_is_shown_in_the_words_of_the_view():
    record = a_task(tags=(1, 3), date_closed=datetime(2026, 1, 5, 12, 0), text=None)
    fields = shown(record, NAMES)
    assert "b@x" == fields["assignee_email"]
    assert frozenset({1, 3}) == fields["tags"]
    assert date(2026, 1, 5) == fields["date_closed"]
    assert "text" not in fields


def test_tags_that_the_answer_did_not_decide_are_not_shown_as_none():
    assert "tags" not in shown(a_task(tags=None), NAMES)


@pytest.mark.parametrize(
    ("id", "email"), [(None, "NOONE"), (0, "NOONE"), (1, "NOONE"), (2, "ANY"), (77, "#77")]
)
def test_somebody_we_do_not_know_is_never_taken_for_nobody(id, email):
    assert email == shown(a_task(assignee_id=id), NAMES)["assignee_email"]


@pytest.mark.parametrize(
    ("label", "id"),
    [
        ("To-do", 1),
        ("to-do", 1),
        ("#2", 2),
        ("Twice", None),
        ("twin", 5),
        ("Twin", 6),
        ("TWIN", None),
        ("unknown", None),
    ],
)
def test_a_label_means_one_tag_or_none(label, id):
    assert id == NAMES.tag_id(label)


def test_a_label_that_means_no_tag_stays_for_the_error():
    assert {"tags": frozenset({1, "x"})} == with_ids({"tags": frozenset({"To-do", "x"})}, NAMES)
