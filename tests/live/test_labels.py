"""Labels of tags are kept by whatever a pull writes about tags."""

from __future__ import annotations

from syncd.resources import tags
from syncd.resources.catalogue import apply, compare
from tests.support.records import MONDAY


def a_tag(id: int, name: str):
    return {"id": id, "name": name, "in_catalogue": True, "removed_at": None}


def pulled(gate, *rows, whole=False):
    catalogue = tags.catalogue()
    with gate.db.write() as tx:
        apply(tx, catalogue, compare(tx, catalogue, rows, whole=whole), at=MONDAY)


def labels(gate):
    return {row["id"]: row["label"] for row in gate.rows("SELECT id, label FROM tags")}


def test_a_label_is_the_name_where_that_can_be_told_apart(gate):
    assert {
        **{1: "To-do", 2: "Done", 3: "#3", 4: "#4", 5: "#5", 6: "#6", 7: "#7", 8: "éa"}
    } == labels(gate)


def test_a_new_tag_of_the_same_name_changes_the_other_ones_label_too(gate):
    pulled(gate, a_tag(20, "Done"))
    assert ("#2", "#20") == (labels(gate)[2], labels(gate)[20])
    assert "#2,To-do" == gate.task("id = 1000")["tags"]
    pulled(gate, a_tag(20, "Done (old)"))
    assert ("Done", "Done (old)") == (labels(gate)[2], labels(gate)[20])


def test_a_tag_that_is_gone_gives_its_name_free(gate):
    gate.run("UPDATE tags SET in_catalogue = (id IN (1, 4))")
    gate.run("UPDATE tags SET name = 'To-do' WHERE id = 4")
    pulled(gate, a_tag(4, "To-do"), whole=True)
    assert ("#1", "To-do") == (labels(gate)[1], labels(gate)[4])
    pulled(gate, a_tag(1, "To-do"))
    assert ("#1", "#4") == (labels(gate)[1], labels(gate)[4])


def test_a_queued_tag_is_the_tag_whatever_it_is_called_later(gate):
    gate.run("UPDATE live_tasks SET tags = 'Done' WHERE id = 1000")
    pulled(gate, a_tag(2, "Finished"))
    assert "Finished" == gate.task("id = 1000")["tags"]
