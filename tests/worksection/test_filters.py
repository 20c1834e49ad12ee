"""The search language: what the account does not know is refused here. API sheet, section 5.4."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.worksection.filters import Expression, Field, can_quote, cost_field
from syncd.worksection.methods import costs, tasks


def test_conditions_read_as_the_account_writes_them() -> None:
    either = Field("name").has("отчёт") | (Field("id") == 5)
    expression = either & (Field("dateend") < date(2026, 2, 1))
    assert str(expression) == "(name has 'отчёт' or id=5) and dateend<'01.02.2026'"
    assert dict(tasks.search_tasks(filter=expression).params) == {"filter": str(expression)}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (Field("name") == "x {y} [z] 100%", "name='x {y} [z] 100%'"),
        (Field("project").is_in([1, 2]), "project in (1,2)"),
        (Field("dateadd") > date(2026, 1, 2), "dateadd>'02.01.2026'"),
        (Field("datestart") >= date(2026, 1, 2), "datestart>='02.01.2026'"),
        (Field("dateclose") <= date(2026, 1, 2), "dateclose<='02.01.2026'"),
        (Field("dateend") != date(2026, 1, 2), "dateend!='02.01.2026'"),
        (Field("dateend") == date(2026, 1, 2), "dateend='02.01.2026'"),
        (cost_field("task") == 3, "task=3"),
        (cost_field("comment").has("x"), "comment has 'x'"),
    ],
)
def test_every_operator(expression: Expression, text: str) -> None:
    assert str(expression) == text
    assert repr(expression) == f"Expression({text!r})"


@pytest.mark.parametrize("name", ["priority", "status", "", "id; drop", "date_added", "task"])
def test_an_unknown_field_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot filter by"):
        Field(name)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Field("id") != 5,
        lambda: Field("id") < 5,
        lambda: Field("id").has("5"),
        lambda: Field("id") == "5",
        lambda: Field("id") == True,  # noqa: E712 - it builds a condition
        lambda: Field("id") == -1,
        lambda: Field("id").is_in([]),
        lambda: Field("id").is_in(["1"]),
        lambda: Field("name") != "x",
        lambda: Field("name").is_in([1]),
        lambda: Field("name") == 5,
        lambda: Field("name") == "",
        lambda: Field("name").has("  "),
        lambda: Field("dateend") == "01.02.2026",
        lambda: Field("dateend") > datetime(2026, 1, 1, tzinfo=UTC),
        lambda: Field("dateend").has("2026"),
    ],
)
def test_what_the_account_cannot_compare_is_refused(build: Any) -> None:
    with pytest.raises(ValueError, match=r"cannot|not a|empty"):
        build()


@pytest.mark.parametrize("mark", ["'", '"', "\\", "`", "’", "\n", "\x00", "\u2028"])
def test_what_cannot_be_quoted_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="cannot be quoted"):
        Field("name").has(f"a{mark}b")
    assert not can_quote(f"a{mark}b")


def test_python_words_do_not_join_conditions() -> None:
    with pytest.raises(TypeError, match="&"):
        bool(Field("id") == 1)
    with pytest.raises(TypeError, match="&"):
        bool(date(2026, 1, 1) < Field("dateend") < date(2026, 2, 1))


LEAVES = st.one_of(
    st.builds(lambda n: Field("id") == n, st.integers(0, 2**40)),
    st.builds(lambda d: Field("dateend") >= d, st.dates()),
    st.builds(lambda t: Field("name").has(t), st.text(min_size=1).filter(can_quote)),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner), st.builds(lambda a, b: a | b, inner, inner)
    ),
    max_leaves=12,
)


@given(TREES)
def test_no_text_breaks_out_of_its_quotes_and_no_order_is_left_open(tree: Expression) -> None:
    text = str(tree)
    assert text.count("'") % 2 == 0
    bare = re.sub(r"'[^']*'", "V", text)
    assert re.fullmatch(r"[A-Za-z0-9V()<>=! ]*", bare)
    while "(" in bare:  # the innermost pair holds exactly one and/or
        inner = re.search(r"\(([^()]*)\)", bare)
        assert inner is not None
        assert len(re.findall(r" (?:and|or) ", inner[1])) == 1
        bare = bare.replace(inner[0], "V", 1)
    assert len(re.findall(r" (?:and|or) ", bare)) <= 1


def test_costs_take_filters_too() -> None:
    request = costs.get_costs(filter=cost_field("project") == 3, is_timer=False)
    assert request.params == (("is_timer", "0"), ("filter", "project=3"))
