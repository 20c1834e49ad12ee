"""The three-way merge of one step: base, mine, theirs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.change import MISSING
from syncd.model.outbound import Conflict, Decided, Merge, TagEdit
from syncd.sync.canonical import same
from syncd.sync.merge import MOST_FLIPS, Policy, count_flips, merge

DAY, OTHER_DAY = date(2026, 2, 1), date(2026, 3, 1)


def merged(base, mine, theirs, **values):
    """Merge one field."""
    name = values.pop("field", "name")
    return merge({name: mine}, {name: base}, {name: theirs}, **values)


def test_theirs_is_base_so_mine_is_sent():
    assert Merge(to_send={"name": "b"}) == merged("a", "b", "a")


def test_theirs_is_what_an_earlier_edit_of_ours_had_set_so_mine_is_sent():
    """A part of a change in conflict had gone; what it left in the account is not another's."""
    assert {"priority": 7} == merge(
        {"priority": 7}, {"priority": 3}, {"priority": 5}, passed={"priority": (4, 5)}
    ).to_send
    assert merge(
        {"priority": 7}, {"priority": 3}, {"priority": 6}, passed={"priority": (5,)}
    ).conflicts


def test_theirs_is_mine_so_nothing_is_sent():
    assert Merge(settled=("name",)) == merged("a", "b", "b")


def test_both_changed_it_differently_so_a_person_decides():
    assert Merge(conflicts=(Conflict("name", "a", "b", "c"),)) == merged("a", "b", "c")


@pytest.mark.parametrize(
    ("field", "base", "theirs"),
    [
        ("name", "R&D\u00a0plan", "R&amp;D plan "),
        ("max_time", Decimal("1.50"), Decimal("1.5")),
        ("assignee_email", "A@X", "a@x"),
        ("assignee_email", None, "NOONE"),
    ],
)
def test_a_spelling_is_no_edit_of_theirs(field, base, theirs):
    assert merged(base, None, theirs, field=field).conflicts == ()


def test_clearing_what_they_changed_is_a_conflict():
    result = merged(DAY, None, OTHER_DAY, field="date_end")
    assert (Conflict("date_end", DAY, None, OTHER_DAY),) == result.conflicts


def test_what_they_cleared_and_we_changed_is_a_conflict():
    assert merged(DAY, OTHER_DAY, None, field="date_end").conflicts


def test_what_was_empty_and_both_set_is_a_conflict():
    assert merged(None, DAY, OTHER_DAY, field="date_end").conflicts


def test_fields_that_do_not_collide_go_at_once_and_the_others_stay():
    result = merge(
        {"name": "b", "priority": 5, "date_end": DAY},
        {"name": "a", "priority": 1, "date_end": None},
        {"name": "c", "priority": 1, "date_end": DAY, "max_time": Decimal(5)},
    )
    assert {"priority": 5} == result.to_send
    assert ("date_end",) == result.settled
    assert ["name"] == [conflict.field for conflict in result.conflicts]


def test_policy_mine_sends_and_keeps_what_was_lost():
    lost = Conflict("name", "a", "b", "c")
    expected = Merge(to_send={"name": "b"}, decided=(Decided(lost, "mine"),))
    assert expected == merged("a", "b", "c", policy=Policy("mine"))


def test_policy_theirs_settles_and_keeps_what_was_lost():
    lost = Conflict("name", "a", "b", "c")
    expected = Merge(settled=("name",), decided=(Decided(lost, "theirs"),))
    assert expected == merged("a", "b", "c", policy=Policy("theirs"))


def test_the_policy_of_a_field_stands_over_the_general_one():
    policy = Policy("mine", {"name": "ask"})
    assert merged("a", "b", "c", policy=policy).conflicts
    assert {"priority": 5} == merged(1, 5, 3, field="priority", policy=policy).to_send


@pytest.mark.parametrize("policy", ["ask", "mine"])
def test_an_edit_of_a_removed_task_is_a_conflict_and_never_creates_it_again(policy):
    result = merge({"name": "b"}, {"name": "a"}, None, policy=Policy(policy))
    assert Merge(conflicts=(Conflict("name", "a", "b", MISSING, "removed"),)) == result


def test_an_edit_of_a_removed_task_can_be_given_up():
    result = merge({"name": "b"}, {"name": "a"}, None, policy=Policy("theirs"))
    assert (("name",), {}) == (result.settled, result.to_send)


def test_an_unknown_base_is_never_written_over():
    result = merge({"name": "b"}, {}, {"name": "a"})
    assert (Conflict("name", MISSING, "b", "a", "unknown base"),) == result.conflicts
    assert Merge(settled=("name",)) == merge({"name": "b"}, {}, {"name": "b"})


def test_an_answer_that_does_not_tell_a_field_lets_nothing_go():
    assert ["name"] == [c.field for c in merge({"name": "b"}, {"name": "a"}, {}).conflicts]


# The day of closing is set by the closing itself.


def test_a_closing_does_not_collide_with_the_date_it_brings():
    assert {"date_closed": DAY} == merged(None, DAY, OTHER_DAY, field="date_closed").to_send


def test_a_day_of_closing_that_somebody_changed_does():
    assert merged(DAY, OTHER_DAY, date(2026, 4, 1), field="date_closed").conflicts


# Tags are sets.


def tags(base, mine, theirs, **values):
    sides = [frozenset(side) if isinstance(side, set) else side for side in (base, mine, theirs)]
    return merged(*sides, field="tags", **values)


def test_tags_merge_as_sets():
    result = tags({1, 2}, {2, 3}, {1, 2, 4})
    assert {"tags": TagEdit(frozenset({3}), frozenset({1}))} == result.to_send


def test_tags_that_they_put_on_and_took_off_as_well_are_settled():
    assert Merge(settled=("tags",)) == tags({1}, {2}, {2, 5})


def test_tags_that_the_answer_does_not_tell_go_out_whole():
    expected = {"tags": TagEdit(frozenset({2}), frozenset({1}))}
    assert expected == merge({"tags": frozenset({2})}, {"tags": frozenset({1})}, {}).to_send


def test_a_label_that_means_no_tag_any_more_is_not_settled_silently():
    """It may have been renamed and still be on the task; the request refuses it by name."""
    result = tags({1, "Old"}, {1}, {1, 9})
    assert {"tags": TagEdit(frozenset(), frozenset({"Old"}))} == result.to_send
    assert Merge(settled=("tags",)) == tags({1, "Old"}, {1}, {1})


def test_tags_with_an_unknown_base_ask():
    result = merge({"tags": frozenset({1})}, {}, {"tags": frozenset({2})}, policy=Policy("mine"))
    assert {"tags": TagEdit(frozenset({1}), frozenset({2}))} == result.to_send
    assert 1 == len(result.decided)


SETS = st.frozensets(st.integers(1, 6))


@given(SETS, SETS, SETS)
def test_merged_tags_hold_what_either_side_did(base, mine, theirs):
    edit = merge({"tags": mine}, {"tags": base}, {"tags": theirs}).to_send.get("tags", TagEdit())
    after = (theirs | edit.plus) - edit.minus
    assert mine - base <= after
    assert not (base - mine) & after
    assert (theirs - base) - (base - mine) <= after
    assert not (base - theirs) - (mine - base) & after
    assert not edit.plus & theirs
    assert edit.minus <= theirs


# The flip-flop breaker.


def test_a_field_that_flips_back_and_forth_is_a_conflict():
    assert {"name": "b"} == merged("a", "b", "a", flips={"name": MOST_FLIPS - 1}).to_send
    result = merged("a", "b", "a", flips={"name": MOST_FLIPS})
    assert ["flips"] == [conflict.why for conflict in result.conflicts]


def test_the_breaker_stands_over_a_policy_that_would_loop():
    result = merged("a", "b", "c", flips={"name": MOST_FLIPS}, policy=Policy("mine"))
    assert ["flips"] == [conflict.why for conflict in result.conflicts]


def test_the_breaker_leaves_alone_what_is_settled():
    assert Merge(settled=("name",)) == merged("a", "b", "b", flips={"name": MOST_FLIPS})


def test_only_the_same_edit_made_again_is_a_flip():
    assert 3 == count_flips("priority", [(1, 2)] * 4)
    assert 0 == count_flips("priority", [(1, 2), (2, 1), (1, 2), (2, 3)])
    assert 0 == count_flips("priority", [(1, 2), (3, 2), (1, 2)])
    assert 0 == count_flips("priority", [(1, 1), (1, 1)])
    assert 0 == count_flips("priority", [])


# Nothing is lost silently.

SIDES = {
    "name": st.sampled_from(["a", "b", "c", "a "]),
    "priority": st.integers(1, 3),
    "date_end": st.sampled_from([None, DAY, OTHER_DAY]),
    "date_closed": st.sampled_from([None, DAY, OTHER_DAY]),
    "assignee_email": st.sampled_from([None, "NOONE", "a@x", "A@X", "ANY"]),
    "tags": SETS,
}
POLICIES = st.builds(
    Policy,
    st.sampled_from(["ask", "mine", "theirs"]),
    st.dictionaries(st.sampled_from(list(SIDES)), st.sampled_from(["ask", "mine", "theirs"])),
)
SIDE = st.fixed_dictionaries({}, optional=SIDES)


@given(
    SIDE,
    SIDE,
    st.none() | SIDE,
    POLICIES,
    st.dictionaries(st.sampled_from(list(SIDES)), st.integers(0, 5)),
)
def test_every_field_is_sent_settled_or_in_conflict(mine, base, theirs, policy, flips):
    result = merge(mine, base, theirs, policy=policy, flips=flips)
    groups = [*result.to_send, *result.settled, *(c.field for c in result.conflicts)]
    assert sorted(mine) == sorted(groups)


@given(SIDE, SIDE, st.none() | SIDE, POLICIES)
def test_what_either_side_loses_is_on_record(mine, base, theirs, policy):
    result = merge(mine, base, theirs, policy=policy)
    decided = {each.conflict.field: each.winner for each in result.decided}
    shown = theirs or {}
    for name in result.settled:
        landed = same(name, mine[name], shown.get(name, MISSING)) or name == "tags"
        assert landed or "theirs" == decided[name]
    for name in result.to_send:
        untouched = same(name, base.get(name, MISSING), shown.get(name, MISSING))
        opened = name == "date_closed" and base.get(name, MISSING) is None
        assert untouched or opened or name == "tags" or "mine" == decided[name]
    assert theirs is not None or not result.to_send


@given(SIDE, SIDE)
def test_merging_what_was_sent_settles_it(mine, base):
    first = merge(mine, base, {**mine, **base})
    after = {name: mine[name] for name in first.to_send} | {n: mine[n] for n in first.settled}
    assert not merge(after, base, after).to_send
