"""A task as the account sends it, read into a record. API sheet, sections 4 and 5."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import msgspec
import pytest

from syncd.errors import BadReply
from syncd.model.records import FileRecord, Relation, TaskRecord
from syncd.resources.tasks.tree import read_listing
from syncd.resources.tasks.wire import Place, read_task
from tests.support.records import MONDAY

ASKED = frozenset({"subtasks", "relations", "files", "text"})
NODE = {
    "id": "331894",
    "name": "Development",
    "page": "/project/8562/331894/",
    "status": "active",
    "priority": "7",
    "user_from": {"id": "3993", "email": "a@x", "name": "H G"},
    "user_to": {"id": "5514", "email": "b@x", "name": "F H"},
    "project": {"id": "8562", "name": "Owl brand launch", "page": "/project/8562/"},
    "text": "as sent",
    "date_added": "2021-01-07 10:01",
    "date_start": "2021-01-16",
    "date_end": "2021-02-16",
    "time_start": "08:00",
    "time_end": "18:00",
    "max_time": 352,
    "max_money": 5280.5,
    "tags": {"72565": "To-do"},
    "files": [{"id": "17694", "page": "/download/17694/", "name": "req.doc", "size": "27136"}],
    "relations": {
        "from": [{"type": "finish-to-start", "task": {"id": "331902"}}],
        "to": [{"type": "start-to-start", "task": {"id": "331910"}}],
    },
}
TOP = Place(None, None, 1)


def node(**changes):
    merged = NODE | changes
    return {key: value for key, value in merged.items() if value is not ...}


def read(*, asked=ASKED, tag_ids=None, place=TOP, **changes) -> TaskRecord:
    return read_task(node(**changes), place, asked, tag_ids or {})


def listing(*nodes, asked=ASKED, **options):
    return read_listing(
        msgspec.json.encode(list(nodes)), asked=asked, observed_at=MONDAY, **options
    )


def test_the_documented_sample_is_read_field_by_field():
    assert read() == TaskRecord(
        id=331894,
        project_id=8562,
        parent_id=None,
        level=1,
        name="Development",
        page="/project/8562/331894/",
        status="active",
        priority=7,
        author_id=3993,
        assignee_id=5514,
        text="as sent",
        date_added=datetime(2021, 1, 7, 10, 1),
        date_start=date(2021, 1, 16),
        time_start=time(8),
        date_end=date(2021, 2, 16),
        time_end=time(18),
        date_closed=None,
        max_time=Decimal(352),
        max_money=Decimal("5280.5"),
        extra=None,
        tags=(72565,),
        files=(FileRecord(17694, "req.doc", 27136, "/download/17694/"),),
        relations=(
            Relation(331894, 331910, "start-to-start"),
            Relation(331902, 331894, "finish-to-start"),
        ),
    )


@pytest.mark.parametrize("unset", [..., None, "", "0000-00-00", [], {}])
def test_every_way_of_saying_unset_is_the_same(unset):
    assert read(date_end=unset).date_end is None


@pytest.mark.parametrize(
    ("tags", "read_as"),
    [
        ({"5": "b", "3": "a"}, (3, 5)),
        ({}, ()),
        ([], ()),
        (None, ()),
        (..., None),
        (["one"], (9,)),
        (["one", "two"], None),
        (["nobody knows"], None),
    ],
)
def test_tags_come_in_several_shapes_and_a_missing_key_decides_nothing(tags, read_as):
    assert read(tags=tags, tag_ids={"one": (9,), "two": (10, 11)}).tags == read_as


def test_what_was_not_asked_for_is_not_decided():
    record = read(asked=frozenset(), files=..., relations=..., text=...)
    assert (record.text, record.files, record.relations) == (None, None, None)


def test_what_was_asked_for_and_is_absent_is_none():
    record = read(files=..., relations=...)
    assert (record.files, record.relations) == ((), ())


def test_unknown_keys_are_kept_as_sent():
    assert read(mood="good", sprint={"id": 4}).extra == {"mood": "good", "sprint": {"id": 4}}


def test_a_relation_of_an_unknown_type_is_kept_aside_and_the_others_are_read():
    strange = {"type": "finish-to-finish", "task": {"id": "1"}}
    record = read(relations={"to": [strange, NODE["relations"]["to"][0]]})
    assert record.relations == (Relation(331894, 331910, "start-to-start"),)
    assert record.extra == {"relations": [strange]}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ...}, "id is missing"),
        ({"id": "abc"}, "number"),
        ({"priority": "99"}, "priority"),
        ({"priority": ...}, "priority"),
        ({"status": "paused"}, "neither active nor done"),
        ({"page": ...}, "page is missing"),
        ({"date_end": "soon"}, "date"),
        ({"max_time": "much"}, "number"),
        ({"tags": 5}, "tags"),
        ({"project": ...}, "project is missing"),
        ({"name": "nul \x00"}, "NUL"),
        ({"extra thing": "nul \x00"}, "NUL"),
        ({"id": "99999999999999999999"}, "not a whole number"),
    ],
)
def test_nonsense_is_set_aside_with_its_reason_and_the_rest_is_read(changes, reason):
    part = listing(node(**changes), node(id="2"))
    assert list(part.tasks) == [2]
    assert [reason in rejected.reason for rejected in part.rejected] == [True], part.rejected


def test_children_hang_on_the_nesting_not_on_the_page():
    part = listing(node(id="1", child=[node(id="2", child=[node(id="3")])]))
    places = {id: (task.parent_id, task.level) for id, task in part.tasks.items()}
    assert places == {1: (None, 1), 2: (1, 2), 3: (2, 3)}


def test_children_of_a_record_that_is_set_aside_are_read():
    part = listing(node(id="1", priority="x", child=[node(id="2")]), node(id="9"))
    assert part.tasks[2].parent_id == 1
    assert [one.id for one in part.rejected] == [1]


def test_a_fourth_level_is_set_aside():
    deep = node(id="3", child=[node(id="4")])
    part = listing(node(id="1", child=[node(id="2", child=[deep])]))
    assert sorted(part.tasks) == [1, 2, 3]
    assert [one.id for one in part.rejected] == [4]


def test_the_same_task_twice_is_one_and_is_told():
    part = listing(node(id="1"), node(id="1"))
    assert (list(part.tasks), part.repeated, part.rejected) == ([1], (1,), ())


def test_a_task_that_comes_twice_differently_is_not_believed():
    part = listing(node(id="1"), node(id="1", name="other"), node(id="2"))
    assert list(part.tasks) == [2]
    assert {one.id for one in part.rejected} == {1}


def test_missing_data_is_an_empty_list():
    part = read_listing(None, asked=ASKED, observed_at=MONDAY)
    assert (dict(part.tasks), part.complete) == ({}, True)


@pytest.mark.parametrize("data", [b'{"a": 1}', b"5", b'"text"', b"[1,"])
def test_what_is_no_list_is_a_bad_reply(data):
    with pytest.raises(BadReply):
        read_listing(data, asked=ASKED, observed_at=MONDAY)


def test_an_answer_of_which_most_makes_no_sense_is_a_bad_reply():
    with pytest.raises(BadReply, match="12 of 12 records"):
        listing(*(node(id=str(id), priority="x") for id in range(12)))


def test_stubs_of_projects_members_and_tags_are_collected():
    part = listing(node())
    assert [stub.name for stub in part.projects] == ["Owl brand launch"]
    assert {stub.email for stub in part.members} == {"a@x", "b@x"}
    assert [(stub.id, stub.name) for stub in part.tags] == [(72565, "To-do")]
