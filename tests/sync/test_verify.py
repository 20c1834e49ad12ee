"""Trust but verify: what a later read shows of what the account said ok to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.change import MISSING
from syncd.sync.verify import Ignored, Verified, verify

DAY = date(2026, 2, 1)


def test_what_a_later_read_shows_is_confirmed():
    assert Verified(shown=("priority",)) == verify(
        {"priority": 5}, {"priority": 1}, {"priority": 5}
    )


def test_what_stands_as_it_was_was_accepted_and_not_applied():
    result = verify(
        {"date_end": None, "name": "b"},
        {"date_end": DAY, "name": "a"},
        {"date_end": DAY, "name": "b"},
    )
    assert (Ignored("date_end", None, DAY),) == result.ignored
    assert ("name",) == result.shown
    assert not result.honoured


def test_a_third_value_is_somebody_elses_edit_since():
    result = verify({"name": "b"}, {"name": "a"}, {"name": "c"})
    assert (("name",), True) == (result.overtaken, result.honoured)


def test_the_day_that_closing_sets_by_itself_is_nobodys_edit():
    """An account that closes the task and leaves our day aside has not done what it said ok to."""
    result = verify(
        {"date_closed": DAY, "status": "done"},
        {"date_closed": None, "status": "active"},
        {"date_closed": date(2026, 2, 7), "status": "done"},
    )
    assert (Ignored("date_closed", DAY, date(2026, 2, 7)),) == result.ignored


def test_what_no_answer_shows_is_not_judged():
    written = {"subscribers": ("a@x",), "text": "x", "hidden": (), "mentions": (), "checklist": ()}
    assert tuple(sorted(written)) == verify(written, {}, {}).unseen


def test_a_tag_not_allowed_in_the_project_is_named():
    written, base = {"tags": frozenset({1, 2})}, {"tags": frozenset({1})}
    assert verify(written, base, {"tags": frozenset({2, 9})}).honoured
    ignored = verify(written, base, {"tags": frozenset({1})}).ignored
    assert (Ignored("tags", frozenset({1, 2}), frozenset({1})),) == ignored


def test_a_tag_that_is_missing_is_named_whatever_others_did_to_the_tags():
    written, base = {"tags": frozenset({1, 2})}, {"tags": frozenset({1})}
    assert ["tags"] == [
        each.field for each in verify(written, base, {"tags": frozenset({1, 9})}).ignored
    ]


def test_a_creation_shows_what_it_was_given_or_is_reported():
    result = verify({"name": "a", "priority": 5}, {}, {"name": "a", "priority": 1})
    assert (Ignored("priority", 5, 1),) == result.ignored


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ({"text": "a\nb"}, "a\r\nb"),
        ({"text": "R&D"}, "R&amp;D"),
        ({"text": "a", "checklist": ("x",)}, "a\r\n• x"),
        ({"text": "a", "mentions": ("a@x",)}, "a Hanna Grün"),
        ({"text": "я" * 70_000}, "я" * 65_536),
        ({"text": "я" * 40_000}, "я" * 32_767 + "\ufffd"),
        ({"text": "\n" * 10 + "y" * 65_540}, "\r\n" * 10 + "y" * 65_516),
        ({"text": None}, ""),
    ],
)
def test_what_the_account_does_to_texts_is_tolerated(written, shown):
    assert verify(written, {}, {"text": shown}).honoured


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ({"text": "a long text"}, "a long"),
        ({"text": "a"}, "a and more"),
        ({"text": "a"}, ""),
        ({"text": "y" * 70_000}, "z" * 65_536),
    ],
)
def test_any_other_text_is_not(written, shown):
    assert not verify(written, {}, {"text": shown}).honoured


@pytest.mark.parametrize(
    ("field", "wanted", "shown"),
    [
        ("max_time", Decimal(0), None),
        ("max_time", None, Decimal(0)),
        ("max_money", Decimal("1.50"), Decimal("1.5")),
        ("assignee_email", "A@X", "a@x"),
        ("assignee_email", None, "NOONE"),
        ("author_email", None, "owner@x"),
    ],
)
def test_other_spellings_of_a_value_are_honoured(field, wanted, shown):
    base = {} if field == "author_email" else {field: Decimal(5)}
    assert (field,) == verify({field: wanted}, base, {field: shown}).shown


def test_hours_that_come_back_rounded_are_reported():
    assert not verify(
        {"max_time": Decimal("1.25")}, {"max_time": None}, {"max_time": None}
    ).honoured
    rounded = verify({"max_time": Decimal("1.25")}, {}, {"max_time": Decimal(1)})
    assert (Ignored("max_time", Decimal("1.25"), Decimal(1)),) == rounded.ignored


FIELDS = {
    "name": st.sampled_from(["a", "b", "c"]),
    "priority": st.integers(0, 3),
    "tags": st.frozensets(st.integers(1, 3)),
    "max_time": st.sampled_from([None, Decimal(0), Decimal(1)]),
    "subscribers": st.just(("a@x",)),
}
SIDE = st.fixed_dictionaries({}, optional=FIELDS)


@given(SIDE, SIDE, SIDE)
def test_every_field_is_in_exactly_one_group(written, base, theirs):
    result = verify(written, base, theirs)
    ignored = [each.field for each in result.ignored]
    groups = [*result.shown, *ignored, *result.overtaken, *result.unseen]
    assert sorted(written) == sorted(groups)
    assert all(each.shown is not MISSING for each in result.ignored)


@given(SIDE, SIDE)
def test_what_shows_as_written_is_never_reported(written, base):
    assert verify(written, base, written).honoured
