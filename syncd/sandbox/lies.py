"""Answers that are not true: each function spoils the envelope of a right one (failures 1, 16).

They work on decoded JSON, so they are for tests; what they are given is theirs to change.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from syncd.sandbox.faults import Fault

Json = dict[str, Any]
Lie = Callable[[Json, Fault], None]
MADE_UP_ID = 999_999_000


def records(envelope: Json) -> list[Json]:
    """The records of an answer; the one record of an answer that has one."""
    found = envelope.get("data")
    if isinstance(found, dict):
        return [found]
    return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []


def walk(found: list[Json]) -> Iterator[Json]:
    """The records and all those nested in them."""
    for record in found:
        yield record
        yield from walk(record.get("child", []))


def touched(envelope: Json, fault: Fault) -> list[Json]:
    """The records, nested ones included, that the fault is to change."""
    return list(walk(records(envelope)))[: fault.records]


def empty_list(envelope: Json, fault: Fault) -> None:  # noqa: ARG001 - a lie's signature
    """Nothing is there any more."""
    envelope["data"] = []


def no_data(envelope: Json, fault: Fault) -> None:  # noqa: ARG001 - as its neighbours
    """As for an empty list, in the other form."""
    envelope.pop("data", None)


def cut_list(envelope: Json, fault: Fault) -> None:
    """Only the first records, in valid JSON."""
    if isinstance(envelope.get("data"), list):
        keep = len(envelope["data"]) // 2 if fault.records is None else fault.records
        envelope["data"] = envelope["data"][:keep]


def missing_project(envelope: Json, fault: Fault) -> None:
    """One project is missing with all its records: the one named, or that of the first."""
    found = records(envelope)
    gone = str(fault.value) if fault.value is not None else project_of(found[0]) if found else ""
    if isinstance(envelope.get("data"), list):
        envelope["data"] = [r for r in envelope["data"] if project_of(r) != gone]


def project_of(record: Json) -> str:
    """The project that a record is in, or is."""
    project = record.get("project", record)
    return str(project.get("id"))


def missing_subtasks(envelope: Json, fault: Fault) -> None:
    """No record has children."""
    for record in touched(envelope, fault):
        record.pop("child", None)


def duplicate_same(envelope: Json, fault: Fault) -> None:
    """The first records come again at the end."""
    if isinstance(envelope.get("data"), list):
        again = records(envelope)[: fault.records or 1]
        envelope["data"] += copy.deepcopy(again)


def duplicate_other(envelope: Json, fault: Fault) -> None:
    """The first records come again at the end, with another name."""
    if isinstance(envelope.get("data"), list):
        for record in copy.deepcopy(records(envelope)[: fault.records or 1]):
            record["name"] = f"{record.get('name', '')} (other)"
            envelope["data"].append(record)


def retyped_field(envelope: Json, fault: Fault) -> None:
    """A field holds something of another type."""
    for record in touched(envelope, fault):
        if fault.field in record:
            record[fault.field] = fault.value


def vanished_field(envelope: Json, fault: Fault) -> None:
    """A field is missing."""
    for record in touched(envelope, fault):
        record.pop(fault.field, None)


def unknown_field(envelope: Json, fault: Fault) -> None:
    """A field that was never there before."""
    for record in touched(envelope, fault):
        record[fault.field or "sprint"] = fault.value if fault.value is not None else {"id": "7"}


def priority_99(envelope: Json, fault: Fault) -> None:
    """A priority beyond its range."""
    for record in touched(envelope, fault):
        record["priority"] = "99"


def wrong_status(envelope: Json, fault: Fault) -> None:
    """A status word that does not exist."""
    for record in touched(envelope, fault):
        record["status"] = fault.value or "paused"


def four_levels(envelope: Json, fault: Fault) -> None:
    """A made-up chain under the first records makes four levels."""
    for number, record in enumerate(records(envelope)[: fault.records or 1]):
        for level in range(3):
            child = made_up(record, MADE_UP_ID + number * 3 + level)
            record.setdefault("child", []).append(child)
            record = child


def made_up(model: Json, number: int) -> Json:
    """A record like another one, with an id of its own."""
    child = {key: value for key, value in model.items() if key != "child"}
    return child | {"id": str(number), "name": f"Level too deep {number}"}


LIES: dict[str, Lie] = {
    lie.__name__: lie
    for lie in (
        *(empty_list, no_data, cut_list, missing_project, missing_subtasks),
        *(duplicate_same, duplicate_other, retyped_field, vanished_field, unknown_field),
        *(priority_99, wrong_status, four_levels),
    )
}
