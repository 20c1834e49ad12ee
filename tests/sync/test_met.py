"""What was met is never taken for new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncd.sync.met import SIZE, Met

numbers = st.lists(st.integers(0, 50) | st.integers(0, 2**63 - 1), unique=True)


@given(st.lists(numbers))
def test_what_came_before_is_said_to_have_come(parts):
    met, before = Met(), set()
    for part in parts:
        assert before & set(part) <= set(met.again(part))
        before |= set(part)


def test_numbers_that_follow_each_other_are_told_apart():
    met = Met()
    for start in range(1_000_000, 1_100_000, 1000):
        assert [] == met.again(range(start, start + 1000))
    assert [1_000_000 + SIZE] == met.again([1_000_000 + SIZE])  # a yes can be wrong
