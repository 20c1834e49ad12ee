"""A slice that was read and packed says the same when it is taken up again."""

from __future__ import annotations

import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncd.errors import BadReply
from syncd.model.listing import Slice
from syncd.resources.tasks.flat import read_slice
from syncd.resources.tasks.known import Trees
from syncd.resources.tasks.packed import packed, unpacked
from syncd.store.checkpoints import Checkpoint, Part
from tests.resources.test_short_road import ASKED, ODD, nodes
from tests.resources.test_wire import NODE
from tests.support.records import MONDAY

TAGS = {"To-do": (5,), "twice": (6, 7)}


def read(checkpoint: Checkpoint, trees: Trees | None = None) -> Slice:
    return read_slice(checkpoint, asked=ASKED, tag_ids=TAGS, known=lambda _: {}, trees=trees)


def as_sent(answer: object) -> Checkpoint:
    at = MONDAY + timedelta(microseconds=123)
    return Checkpoint(8562, at, (Part("tree", json.dumps(answer).encode()),), short="cut")


def in_full(part: Slice) -> tuple[object, ...]:
    """All of it, the types of values and the order of tasks included; sets have no order."""
    return part, [(id, repr(record), part.hashes[id]) for id, record in part.tasks.items()]


@given(st.lists(nodes(), max_size=5), st.booleans())
def test_what_was_packed_comes_back_as_it_was(answer, known):
    sent = as_sent([*answer, *({**NODE, "id": id} for id in range(100, 130))])
    trees = Trees()
    try:
        part = read(sent)
        if known:
            read(sent, trees)
    except BadReply:
        return
    checkpoint = Checkpoint(8562, sent.observed_at, (packed(read(sent, trees)),), short="cut")
    assert in_full(part) == in_full(read(checkpoint))


def test_every_odd_value_comes_back_as_it_was():
    for value in ODD:
        odd = {**NODE, "unheard_of": value, "max_money": value, "tags": value, "name": value}
        sent = as_sent([odd, *({**NODE, "id": id} for id in range(100, 110))])
        again = unpacked([packed(read(sent))])
        assert again is not None
        assert in_full(read(sent)) == in_full(again), value


def test_answers_as_they_came_are_no_packed_slice():
    assert unpacked(as_sent([NODE]).parts) is None
    assert unpacked(()) is None
