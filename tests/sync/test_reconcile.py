"""One task: what the account shows against what the mirror holds."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from syncd.model.plan import Insert, Restore, Touch, Update
from syncd.model.records import FileRecord, Relation, content_hash
from syncd.sync.reconcile import FIELDS, reconcile
from tests.support.records import MONDAY, a_task, an_image, later

EDGE = Relation(1, 331894, "finish-to-start")
FILE = FileRecord(17694, "req.doc", 27136, "/download/17694/")


def decide(seen, image, *, observed_at=None, undecided=()):
    return reconcile(
        seen,
        content_hash(seen),
        image,
        observed_at=observed_at or later(),
        undecided=undecided,
    )


def test_an_unknown_task_is_inserted_with_its_undecided_parts_empty():
    seen = a_task(tags=None, files=None, relations=None)
    assert decide(seen, None) == Insert(a_task(), content_hash(seen))


def test_an_equal_task_is_left_alone():
    assert decide(a_task(), an_image()) is None


def test_a_changed_task_is_updated_and_the_fields_are_named():
    image = an_image()
    seen = a_task(priority=3, tags=(5,))
    assert decide(seen, image) == Update(image, seen, content_hash(seen), ("priority", "tags"))


def test_a_cleared_field_is_a_change():
    image = an_image(a_task(date_end=date(2026, 2, 1)))
    assert decide(a_task(), image).fields == ("date_end",)


def test_never_write_a_mirror_row_with_an_older_observation_than_it_has():
    image = an_image(observed_at=later(2))
    assert decide(a_task(name="old"), image, observed_at=later(1)) is None
    assert decide(a_task(name="old"), image, observed_at=later(2)) is None
    assert isinstance(decide(a_task(name="new"), image, observed_at=later(3)), Update)


def test_a_removed_task_that_is_seen_again_is_restored():
    image = an_image(removed_at=MONDAY, removed_reason="deleted")
    assert decide(a_task(), image) == Restore(image, a_task(), content_hash(a_task()))


def test_parts_the_answer_does_not_decide_stay_as_they_are():
    image = an_image(a_task(tags=(5,), files=(FILE,), relations=(EDGE,)))
    seen = a_task(name="x", tags=None, files=None, relations=None)
    update = decide(seen, image)
    assert update.fields == ("name",)
    assert update.record == a_task(name="x", tags=(5,), files=(FILE,), relations=(EDGE,))


def test_fields_the_listing_does_not_decide_stay_as_they_are():
    image = an_image(a_task(date_end=date(2026, 2, 1), text="kept"))
    assert decide(a_task(text=None), image, undecided={"date_end", "text"}) == Touch(
        331894, content_hash(a_task(text=None))
    )


def test_a_suspect_that_is_seen_again_is_cleared():
    assert decide(a_task(), an_image(suspect_at=MONDAY)) == Touch(331894, content_hash(a_task()))


@given(
    st.sampled_from(FIELDS),
    st.sets(st.sampled_from(FIELDS)),
)
def test_only_decided_fields_ever_change(field, undecided):
    values = {
        "priority": 1,
        "level": 2,
        "tags": (9,),
        "files": (FILE,),
        "relations": (EDGE,),
        "extra": {"a": 1},
    }
    seen = a_task(**{field: values.get(field, "other")})
    action = decide(seen, an_image(), undecided=undecided)
    changed = action.fields if isinstance(action, Update) else ()
    assert changed == (() if field in undecided else (field,))
