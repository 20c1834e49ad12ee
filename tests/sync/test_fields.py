"""The JSON of the outbox as typed values, and back."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.change import FINAL, Change, ChangeState, Operation
from syncd.model.fields import EDITABLE, READERS, read_fields, write_fields
from syncd.sync import states
from tests.support.records import MONDAY

LABELS = st.text("abcяЖ #", min_size=1).map(str.strip).filter(bool)
PEOPLE = st.lists(LABELS).map(tuple)
VALUES = {
    "name": st.text(),
    "status": st.sampled_from(["active", "done"]),
    "priority": st.integers(0, 10),
    "assignee_email": st.sampled_from([None, "NOONE", "ANY", "a@x"]),
    "date_start": st.none() | st.dates(),
    "date_end": st.none() | st.dates(),
    "date_closed": st.none() | st.dates(),
    "max_time": st.none() | st.decimals(0, 10**6, places=2),
    "max_money": st.none() | st.decimals(0, 10**6, places=2),
    "tags": st.frozensets(LABELS | st.integers(1, 99)),
    "project_id": st.integers(1, 2**63 - 1),
    "parent_id": st.none() | st.integers(1, 2**63 - 1),
    "parent_ref": st.none() | st.text(min_size=1),
    "level": st.integers(1, 3),
    "author_email": st.none() | st.just("a@x"),
    "text": st.none() | st.text(),
    "checklist": PEOPLE,
    "subscribers": PEOPLE,
    "hidden": PEOPLE,
    "mentions": PEOPLE,
}


def test_every_field_has_a_strategy():
    assert READERS.keys() == VALUES.keys()
    assert EDITABLE <= READERS.keys()


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_what_is_written_as_json_is_read_back_the_same(fields):
    assert fields == read_fields(json.loads(json.dumps(write_fields(fields))))


def test_null_is_a_value_and_absence_is_absence():
    assert {"date_end": None} == read_fields({"date_end": None})
    assert {} == read_fields({})


@pytest.mark.parametrize("none", [None, "", []])
def test_no_tags_are_an_empty_set_however_they_are_written(none):
    assert {"tags": frozenset()} == read_fields({"tags": none})


def test_tags_are_the_ids_that_the_gate_queues_or_the_labels_of_the_view():
    assert {"tags": frozenset({72565, 72566})} == read_fields({"tags": [72565, 72566]})
    assert {"tags": frozenset({"To-do", "#72566"})} == read_fields({"tags": "To-do,#72566"})
    assert {"tags": [7, 9, "Готово"]} == write_fields({"tags": frozenset({9, "Готово", 7})})


@pytest.mark.parametrize("raw", ["1.10", 1.1, "1,1", " 1.1 "])
def test_an_amount_is_exact_however_it_is_written(raw):
    assert {"max_time": Decimal("1.1")} == read_fields({"max_time": raw})


@pytest.mark.parametrize("raw", ["2026-02-01", "2026-02-01 10:30", "2026-02-01T10:30:00.000"])
def test_a_day_may_come_with_a_time_behind_it(raw):
    assert {"date_closed": date(2026, 2, 1)} == read_fields({"date_closed": raw})


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("priority", "high"),
        ("priority", 1.5),
        ("priority", True),
        ("date_end", "01.02.2026"),
        ("date_end", "2026-02-30"),
        ("max_time", "NaN"),
        ("max_time", "infinity"),
        ("status", "open"),
        ("name", 5),
        ("checklist", "one line"),
        ("url", "x"),
        ("tags", [True]),
        ("tags", [1.5]),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_the_field(name, raw):
    with pytest.raises(ValueError, match=name):
        read_fields({name: raw})


def test_completing_is_a_patch_of_the_status():
    change = Change(1, "complete", MONDAY, task_id=5)
    assert ({"status": "done"}, {"status": "active"}) == (change.patch, change.origin)


def test_a_change_of_no_task_cannot_be_built():
    with pytest.raises(ValueError, match="change 1"):
        Change(1, "update", MONDAY)


def test_states_and_operations_are_those_of_the_outbox():
    assert set(states.STATES) == set(get_args(ChangeState))
    assert set(states.OPERATIONS) == set(get_args(Operation))
    assert set(states.FINAL) == FINAL
