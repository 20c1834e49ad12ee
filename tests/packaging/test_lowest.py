"""The constraints of `make lowest` follow pyproject.toml."""

from __future__ import annotations

import pytest

from tests.support.lowest import PYPROJECT, lowest


def test_each_requirement_is_pinned_to_its_lower_bound() -> None:
    pyproject = """
        [project]
        dependencies = ["alpha>=1.2,<2", "beta[extra]>=3"]
        [dependency-groups]
        test = ["gamma>=4.5; platform_system == 'Linux'"]
    """
    assert ["alpha==1.2", "beta==3", "gamma==4.5"] == lowest(pyproject)


def test_a_requirement_without_a_lower_bound_is_refused() -> None:
    pyproject = '[project]\ndependencies = ["alpha"]\n[dependency-groups]\ntest = []'
    with pytest.raises(ValueError, match="alpha: no lower bound"):
        lowest(pyproject)


def test_all_of_ours_have_one() -> None:
    assert lowest(PYPROJECT.read_text("utf-8"))
