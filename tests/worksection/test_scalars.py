"""The lenient codec: one reading for every form the account uses, a reason for nonsense."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncd.sync.canonical import same
from syncd.worksection import scalars

READERS: list[Callable[[Any], Any]] = [
    scalars.as_id,
    scalars.as_int,
    scalars.as_text,
    scalars.as_date,
    scalars.as_local_datetime,
    scalars.as_time,
    scalars.as_decimal,
    scalars.as_minutes,
    scalars.as_bool,
]
local = datetime.fromisoformat
UNSET = [None, "", [], {}, msgspec.UNSET]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("value", UNSET, ids=repr)
def test_every_way_to_say_nothing_is_nothing(read: Callable[[Any], Any], value: Any) -> None:
    assert read(value) is None


@pytest.mark.parametrize("read", [scalars.as_date, scalars.as_local_datetime])
@pytest.mark.parametrize("value", ["0000-00-00", "0000-00-00 00:00", "0000-00-00 00:00:00", "  "])
def test_a_zero_date_is_nothing(read: Callable[[Any], Any], value: str) -> None:
    assert read(value) is None


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (scalars.as_id, "331894", 331894),
        (scalars.as_id, 72565, 72565),
        (scalars.as_id, 72565.0, 72565),
        (scalars.as_id, " 5 ", 5),
        (scalars.as_id, "0", 0),
        (scalars.as_id, 2**63 - 1, 2**63 - 1),
        (scalars.as_int, "-4", -4),
        (scalars.as_int, "+7", 7),
        (scalars.as_text, "a\x00b", "ab"),
        (scalars.as_text, " kept ", " kept "),
        (scalars.as_text, 5, "5"),
        (scalars.as_text, "\x00", None),
        (scalars.as_date, "2026-02-01", date(2026, 2, 1)),
        (scalars.as_date, "2026-02-01 10:30", date(2026, 2, 1)),
        (scalars.as_local_datetime, "2021-01-07 10:01", local("2021-01-07T10:01")),
        (scalars.as_local_datetime, "2021-01-07 10:01:59", local("2021-01-07T10:01")),
        (scalars.as_local_datetime, "2021-01-07", local("2021-01-07T00:00")),
        (scalars.as_time, "08:00", time(8)),
        (scalars.as_time, "8:05", time(8, 5)),
        (scalars.as_decimal, 352, Decimal(352)),
        (scalars.as_decimal, 0.1, Decimal("0.1")),
        (scalars.as_decimal, "75.17", Decimal("75.17")),
        (scalars.as_decimal, "0,15", Decimal("0.15")),
        (scalars.as_decimal, Decimal("1.10"), Decimal("1.1")),
        (scalars.as_decimal, 1e22, Decimal("1e22")),
        (scalars.as_minutes, "6:50", 410),
        (scalars.as_minutes, "103:39", 6219),
        (scalars.as_bool, 1, True),
        (scalars.as_bool, 0, False),
        (scalars.as_bool, "1", True),
        (scalars.as_bool, False, False),
        (scalars.as_bool, "TRUE", True),
    ],
)
def test_each_form_has_one_reading(read: Callable[[Any], Any], value: Any, expected: Any) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (scalars.as_id, ["x", "-1", -1, 2**63, "1_000", "١٢", "5.5", 5.5, True, [1], float("nan")]),
        (scalars.as_int, [True, "1e5", float("inf"), 1e300, Decimal("NaN"), {"a": 1}]),
        (scalars.as_text, [True, [1], {"a": 1}]),
        (scalars.as_date, ["01.02.2026", "2026-13-01", "2026-02-30", "20260201", "2026-W01-1", 5]),
        (scalars.as_local_datetime, ["2026-02-01 25:00", "2026-02-01T10", "soon", 1700000000]),
        (scalars.as_time, ["24:00", "8", "08:60", 800, "08:00 PM"]),
        (scalars.as_decimal, ["1 234,5", "1,234.5", "1e5", "NaN", "inf", float("nan"), True, [1]]),
        (scalars.as_minutes, ["6:70", "6", 6, "-1:00"]),
        (scalars.as_bool, [2, "yes", -1, 1.0, ["1"]]),
    ],
)
def test_nonsense_has_a_short_reason(read: Callable[[Any], Any], values: list[Any]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=r".") as caught:
            read(value)
        assert len(str(caught.value)) < 100


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(READERS), ANYTHING)
def test_nothing_but_a_short_value_error_ever_comes_out(
    read: Callable[[Any], Any], value: Any
) -> None:
    reason = ""
    try:
        read(value)
    except ValueError as error:
        reason = str(error)
    assert len(reason) < 120


@given(st.dates())
def test_dates_survive_the_account(day: date) -> None:
    assert scalars.as_date(day.isoformat()) == day
    assert scalars.wire_date(day) == "{2}.{1}.{0}".format(*day.isoformat().split("-"))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
@example(Decimal("1E+3"))
@example(Decimal("-0.0"))
def test_numbers_survive_the_account(number: Decimal) -> None:
    assert scalars.as_decimal(scalars.wire_number(number)) == number
    assert "E" not in scalars.wire_number(number)


@given(st.integers(0, 2**63 - 1))
def test_ids_survive_as_text_and_number(number: int) -> None:
    assert scalars.as_id(str(number)) == scalars.as_id(number) == number


@pytest.mark.parametrize(
    ("number", "text"), [(Decimal("5280.00"), "5280"), (Decimal("0.150"), "0.15"), (100, "100")]
)
def test_numbers_go_out_plain(number: int | Decimal, text: str) -> None:
    assert scalars.wire_number(number) == text


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("a\nb", "a\r\nb"),
        ("a\nb", "a\rb"),
        ("a b", "a\xa0b"),
        ("  a ", "a"),
        ("é", "e\u0301"),
        ("a & b", "a &amp; b"),
        ("«x» <y>", "&laquo;x&raquo; &lt;y&gt;"),
        ("a b", "a&nbsp;b"),
        (None, ""),
        ("", "\r\n"),
    ],
)
def test_what_the_account_changes_on_its_own_is_the_same(ours: str, theirs: str) -> None:
    assert same("name", ours, theirs)
    assert same("name", theirs, ours)


@pytest.mark.parametrize(("ours", "theirs"), [("a", "b"), ("a", "A"), ("a  b", "a b"), ("a", None)])
def test_what_a_reader_sees_differ_differs(ours: str, theirs: str) -> None:
    assert not same("name", ours, theirs)


@given(st.text())
def test_a_text_is_the_same_after_the_account_had_it(text: str) -> None:
    stored = unicodedata.normalize("NFD", text.replace("\r", "").replace("\n", "\r\n"))
    assert same("name", text.replace("\r", ""), f" {stored} ")
